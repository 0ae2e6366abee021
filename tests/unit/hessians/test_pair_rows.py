"""Rows and slots of L-BFGS: they grow as pairs come, and an operator leaves them as they are."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

import hessx
from _helpers.driving import drive
from hessx.hessians import _pair_rows

n = 7
START = np.tile([-1.2, 1.0], 4)[:n]


def rosenbrock(x):
    a, b = x[:-1], x[1:]
    g = np.zeros_like(x)
    g[:-1] = -400.0 * a * (b - a * a) - 2.0 * (1.0 - a)
    g[1:] += 200.0 * (b - a * a)
    return float(np.sum(100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2)), g


def walk(backend, count, method, see=lambda state: None):
    """Every point asked for, as bytes."""
    points = []
    for step in islice(drive(method, backend, START, rosenbrock), count):
        see(step.state)
        points.append(step.x.tobytes())
    return points


@pytest.mark.backends("numpy", "torch", "strict", "jax", "dask")
def test_room_that_grows_is_room_from_the_start(backend, monkeypatch):
    """Bitwise: thirty pairs in room for ten at first, then twenty, then all."""
    method = hessx.LineSearchMethod(hessx.LBFGS(memory=30), hessx.HagerZhang())
    count = 15 if backend.lazy or backend.family == "jax" else 45
    grown = walk(backend, count, method)
    monkeypatch.setattr(_pair_rows, "_FIRST", 30)
    assert walk(backend, count, method) == grown


@pytest.mark.backends("numpy", "torch", "jax")
@pytest.mark.parametrize("steps", [5, 9, 10, 11, 12, 20, 21, 22, 23, 45])
def test_a_warm_start_takes_as_many_pairs_as_there_are(backend, steps):
    """They are more than there is room for at first, or as many, or fewer."""
    method = hessx.LineSearchMethod(hessx.LBFGS(memory=60), hessx.HagerZhang())
    fun, x0 = rosenbrock_at(backend), backend.asarray(START)
    options = {"maxiter": steps, "gtol": 0.0}
    first = hessx.minimize(fun, x0, jac=True, method=method, options=options)
    A = first.hess_inv
    warm = hessx.LineSearchMethod(hessx.LBFGS(memory=60, hess_inv0=A), hessx.HagerZhang())
    points = []
    for step in islice(drive(warm, backend, backend.to_numpy(first.x), rosenbrock), 2):
        points.append((step.x, step.g))
        again = warm.inverse_hessian(step.state)
        if len(points) == 1:
            assert again.count == A.count
            np.testing.assert_allclose(again.todense(), A.todense(), rtol=1e3 * backend.eps)
    (x, g), (there, _) = points
    expected = -A.todense() @ g
    np.testing.assert_allclose(there - x, expected, atol=1e4 * backend.eps * abs(expected).max())


def test_little_room_is_taken_before_pairs_come(backend):
    """By default there may come to be 256 pairs: not before the first step."""
    result = hessx.minimize(rosenbrock_at(backend), backend.asarray(np.ones(n)), jac=True)
    assert result.nit == 0
    assert result.hess_inv.rows.count == 22
    assert result.hess_inv.count == 0


def rosenbrock_at(backend):
    def fun(x):
        f, g = rosenbrock(backend.to_numpy(x).astype(float))
        return f, backend.asarray(g)

    return fun


@pytest.mark.backends("numpy", "numpy-float32", "torch", "strict", "jax")
@pytest.mark.parametrize("memory", [3, 20])
def test_an_operator_leaves_the_run_as_it_is(backend, memory):
    """Formed at each trial and multiplied by, it changes no bit of what follows."""
    method = hessx.LineSearchMethod(hessx.LBFGS(memory=memory), hessx.MoreThuente())
    v = backend.asarray(np.linspace(-1.0, 1.0, n))
    applied = []

    def see(state):
        applied.append(backend.to_numpy(method.inverse_hessian(state) @ v))

    count = 12 if backend.family == "jax" else 40
    assert walk(backend, count, method, see) == walk(backend, count, method)
    assert np.isfinite(applied).all()


def test_a_trial_that_is_not_finite_does_not_stain_the_operator(backend):
    """It stands in the rows of the oldest pair, which is missing then; the others are whole."""
    rule = hessx.HagerZhang(max_trials=2)
    memory, state = 3, None
    method = hessx.LineSearchMethod(hessx.LBFGS(memory=memory), rule)

    def answer(x):
        wall = state is not None and state.iteration >= 6
        return (np.inf, np.full(n, np.nan)) if wall else rosenbrock(x)

    accepted = []
    for step in drive(method, backend, START, answer):
        state = step.state
        if step.accepted:
            accepted.append(step)
        if state.iteration >= 6 and not step.accepted:
            break
    operator = method.inverse_hessian(state)
    assert operator.count == memory - 1
    s, y = accepted[-1].x - accepted[-2].x, accepted[-1].g - accepted[-2].g
    A_y = backend.to_numpy(operator @ backend.asarray(y.astype(backend.dtype_name)))
    np.testing.assert_allclose(A_y, s, atol=1e3 * backend.eps * abs(s).max())
    assert np.isfinite(operator.todense()).all()
    assert np.isfinite(backend.to_numpy(operator.diagonal())).all()
