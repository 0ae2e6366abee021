"""L-BFGS in Gram form beside the two-loop recursion and the dense formulae."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

import hessx
from _helpers.driving import bends, drive
from _helpers.runs import chained_rosenbrock
from hessx import _xp
from reference.quasi_newton import TwoLoop, compact_inverse, dense_inverse

n, m = 8, 3
PLUS = [1.0] * 9  # three times round the ring
MIXED = [1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0, 1.0, 1.0, -1.0, 1.0]
ALPHA = 0.7


def method(**settings):
    return hessx.LineSearchMethod(hessx.LBFGS(memory=m, **settings), hessx.FixedStep(ALPHA))


def walk(solver, backend, rng, signs):
    answer = bends(rng, n, signs)
    return list(islice(drive(solver, backend, rng.standard_normal(n), answer), len(signs) + 1))


def pairs_of(steps):
    return [(b.x - a.x, b.g - a.g) for a, b in pairwise(steps)]


def assert_close(actual, expected, eps):
    """Agreement to a few hundred roundings of the largest entry."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=500 * eps * abs(expected).max())


def test_the_references_agree(rng):
    steps = [(s, 2.0 * s + 0.1 * rng.standard_normal(n)) for s in rng.standard_normal((m, n))]
    two_loop = TwoLoop(m)
    for pair in steps:
        two_loop.add(*pair)
    A = dense_inverse(steps, two_loop.gamma, n)
    np.testing.assert_allclose(compact_inverse(steps, two_loop.gamma, n), A, atol=1e-13)
    np.testing.assert_allclose(np.stack([two_loop.apply(e) for e in np.eye(n)]), A, atol=1e-13)


@pytest.mark.parametrize("signs", [PLUS, MIXED], ids=["wrap-around", "skipped pairs"])
def test_directions_are_those_of_the_two_loop_recursion(backend, rng, signs):
    steps = walk(method(), backend, rng, signs)
    two_loop = TwoLoop(m)
    for here, there in pairwise(steps):
        s = there.x - here.x
        assert_close(s, -ALPHA * two_loop.apply(here.g), backend.eps)
        two_loop.add(s, there.g - here.g)
    assert len(two_loop.pairs) == m


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("signs", [PLUS, MIXED], ids=["wrap-around", "skipped pairs"])
def test_directions_in_blocks_are_the_same(backend, rng, signs, monkeypatch):
    monkeypatch.setattr(_xp._numpy_rows, "_WIDTH", 3)
    monkeypatch.setattr(_xp._numpy_rows, "_READ", 2)
    monkeypatch.setattr(_xp._numpy_rows, "_SUM", 2)
    test_directions_are_those_of_the_two_loop_recursion(backend, rng, signs)


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("rule", [hessx.HagerZhang(), hessx.MoreThuente(), hessx.Armijo()])
def test_runs_in_blocks_are_the_same(backend, rule, monkeypatch):
    """Second trials of a ray and the cosines of the history included."""

    def run(width):
        monkeypatch.setattr(_xp._numpy_rows, "_WIDTH", width)
        solver = hessx.LineSearchMethod(hessx.LBFGS(memory=m), rule)
        options = {"maxiter": 12, "gtol": 0.0}
        fun, x0 = chained_rosenbrock, backend.asarray(np.linspace(-1.2, 1.0, 7))
        return hessx.minimize(fun, x0, jac=True, method=solver, options=options, history=True)

    whole, blocks = run(2**16), run(3)
    assert max(whole.history["trials"]) > 1
    assert blocks.history["trials"] == whole.history["trials"]
    for column in ("value", "step_norm", "cosine"):
        expected = np.array(whole.history[column][2:])
        np.testing.assert_allclose(blocks.history[column][2:], expected, rtol=1e7 * backend.eps)
    assert_close(blocks.x, whole.x, 1e5 * backend.eps)


def test_skipped_pairs_are_reported(backend, rng):
    notes = [step.note for step in walk(method(), backend, rng, MIXED)]
    assert notes == ["", *("" if sign > 0 else "skipped" for sign in MIXED)]


@pytest.mark.parametrize("signs", [PLUS, MIXED, PLUS[:2], []])
def test_hess_inv_is_the_dense_matrix(backend, rng, signs):
    if backend.lazy and signs is not MIXED:
        pytest.skip("takes long on a lazy library")
    solver = method()
    steps = walk(solver, backend, rng, signs)
    two_loop = TwoLoop(m)
    for pair in pairs_of(steps):
        two_loop.add(*pair)
    operator = solver.inverse_hessian(steps[-1].state)
    A = dense_inverse(two_loop.pairs, two_loop.gamma, n)
    assert operator.shape == (n, n)
    assert operator.count == len(two_loop.pairs)
    assert_close(operator.todense(), A, backend.eps)
    assert_close(np.asarray(operator), A, backend.eps)
    v = backend.asarray(rng.standard_normal(n))
    applied = operator @ v
    backend.assert_same_kind(applied, v)
    expected = two_loop.apply(backend.to_numpy(v).astype(np.float64))
    assert_close(backend.to_numpy(applied), expected, backend.eps)
    if two_loop.pairs:  # the secant equation of the newest pair
        s, y = two_loop.pairs[-1]
        assert_close(backend.to_numpy(operator.matvec(backend.asarray(y))), s, backend.eps)


def test_an_apply_uploads_once_and_fetches_nothing(backend, rng):
    solver = method()
    operator = solver.inverse_hessian(walk(solver, backend, rng, PLUS)[-1].state)
    v = backend.asarray(rng.standard_normal(n))
    with _xp.record_fetches() as ledger:
        for _ in range(3):
            operator @ v
    assert (ledger.fetches, ledger.uploads) == (0, 1)


@pytest.mark.backends("fakegpu")
def test_the_host_does_not_wait_in_an_apply(backend, rng):
    solver = method()
    operator = solver.inverse_hessian(walk(solver, backend, rng, PLUS)[-1].state)
    v = backend.asarray(rng.standard_normal(n))
    with backend.fetches() as waits, backend.meter.forbid_waits(_xp.upload):
        operator @ (operator @ v)
    assert waits.count == 1


def test_the_operator_takes_vectors_of_the_shape_of_x(backend, xp, rng):
    weights = backend.asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    x0 = backend.asarray(rng.standard_normal((2, 3)))

    def fun(x):
        return xp.sum(weights * x * x) / 2, weights * x

    result = hessx.minimize(fun, x0, jac=True, options={"maxiter": 2, "maxcor": m})
    v = backend.asarray(rng.standard_normal((2, 3)))
    applied = result.hess_inv @ v
    backend.assert_same_kind(applied, v)
    flat = result.hess_inv @ backend.asarray(backend.to_numpy(v).ravel())
    np.testing.assert_array_equal(backend.to_numpy(applied).ravel(), backend.to_numpy(flat))


def test_the_operator_refuses_what_is_no_such_vector(backend, rng):
    solver = method()
    operator = solver.inverse_hessian(walk(solver, backend, rng, PLUS[:2])[-1].state)
    with pytest.raises(ValueError, match=rf"shape \({n + 1},\): expected \({n},\)"):
        operator @ backend.asarray(np.ones(n + 1))
    if backend.family == "numpy":  # there SciPy's users give what they have
        np.testing.assert_array_equal(
            operator @ np.ones(n, int), operator @ backend.asarray(np.ones(n))
        )
        with pytest.raises(TypeError, match="the vector has dtype complex128"):
            operator @ (np.ones(n) + 1j)
        return
    with pytest.raises(TypeError, match="the vector has dtype"):
        operator @ backend.asarray(np.ones(n), dtype="int32")
    with pytest.raises(TypeError, match="list, expected an array of"):
        operator @ [1.0] * n
