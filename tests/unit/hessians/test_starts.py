"""Where an approximation starts: hess_inv0 as a number, a diagonal, an earlier result; x_scale."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

import hessx
from _helpers.driving import bends, drive
from _helpers.runs import bowl
from hessx._xp import space_of
from hessx.core import Frame, SettingsError
from reference.quasi_newton import TwoLoop, dense_inverse

n, m, ALPHA = 8, 3, 0.7
EAGER = ("numpy", "strict", "torch", "fakegpu", "jax-float32", "cupy-signatures", "cupy")
SCALE = np.array([1.0, 0.5, 4.0, 2.0, 8.0, 1.0, 0.25, 2.0])


def method(**settings):
    return hessx.LineSearchMethod(hessx.LBFGS(memory=m, **settings), hessx.FixedStep(ALPHA))


def walk(solver, backend, x0, answer, count):
    return list(islice(drive(solver, backend, x0, answer), count))


def assert_close(actual, expected, eps):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=500 * eps * abs(expected).max())


@pytest.mark.parametrize("gamma", [1, 0.25])
def test_a_number_starts_as_a_multiple_of_the_identity(backend, rng, gamma):
    steps = walk(method(hess_inv0=gamma), backend, np.ones(n), bends(rng, n, [1.0, 1.0]), 3)
    two_loop = TwoLoop(m, gamma)
    for here, there in pairwise(steps):
        s = there.x - here.x
        assert_close(s, -ALPHA * two_loop.apply(here.g), backend.eps)
        two_loop.add(s, there.g - here.g)


def test_a_diagonal_starts_as_that_matrix(backend, rng):
    """Later the newest pair sets the size of the diagonal: gamma D, gamma = s'y / y'Dy."""
    diagonal = rng.uniform(0.5, 3.0, n).astype(backend.dtype_name)
    solver = method(hess_inv0=backend.asarray(diagonal))
    D, pairs, gamma = np.diag(diagonal.astype(np.float64)), [], 1.0
    for here, there in pairwise(walk(solver, backend, np.ones(n), bends(rng, n, [1.0] * 5), 6)):
        root = np.sqrt(D)
        A = root @ dense_inverse(pairs[-m:], gamma, n) @ root
        s, y = there.x - here.x, there.g - here.g
        assert_close(s, -ALPHA * A @ here.g, backend.eps)
        pairs.append((np.linalg.solve(root, s), root @ y))
        gamma = s @ y / (y @ D @ y)


@pytest.mark.parametrize("start", [2.0, "diagonal", "operator"])
def test_with_a_start_the_first_trial_is_the_unit_step(backend, start):
    """Half of |x|^2 from its exact inverse: one step."""

    def fun(x):
        return x @ x, 2.0 * x

    x0 = backend.asarray([3.0, -1.0])
    given = {
        2.0: 0.5,
        "diagonal": backend.asarray([0.5, 0.5]),
        "operator": hessx.minimize(fun, x0, jac=True).hess_inv,
    }[start]
    result = hessx.minimize(fun, x0, jac=True, options={"hess_inv0": given})
    assert result.success
    assert (result.nit, result.nfev) == (1, 2)


@pytest.mark.parametrize("count", [2, m, 6])
def test_a_warm_start_goes_on_where_the_run_stopped(backend, rng, count):
    answer = bends(rng, n, [1.0] * count)
    first = method()
    steps = walk(first, backend, np.ones(n), answer, count + 1)
    two_loop = TwoLoop(m)
    for here, there in pairwise(steps):
        two_loop.add(there.x - here.x, there.g - here.g)
    again = method(hess_inv0=first.inverse_hessian(steps[-1].state))
    answer = bends(rng, n, [1.0] * m)
    for here, there in pairwise(walk(again, backend, steps[-1].x, answer, m + 1)):
        s = there.x - here.x
        assert_close(s, -ALPHA * two_loop.apply(here.g), backend.eps)
        two_loop.add(s, there.g - here.g)


@pytest.mark.parametrize("memory", [1, 2, m, 5, 12, 30])
@pytest.mark.parametrize("count", [2, m, 5])
@pytest.mark.parametrize("rows", [True, False], ids=["line search", "region"])
def test_a_warm_start_takes_the_newest_pairs_that_fit(backend, rng, count, memory, rows):
    """Into less room and into more, from rings that are full, not full, and turned."""
    first = method()
    steps = walk(first, backend, np.ones(n), bends(rng, n, [1.0] * count), count + 1)
    two_loop = TwoLoop(min(m, memory))
    for here, there in pairwise(steps):
        two_loop.add(there.x - here.x, there.g - here.g)
    again = hessx.LBFGS(memory=memory, hess_inv0=first.inverse_hessian(steps[-1].state))
    frame = Frame(space_of(backend.asarray(np.ones(n))))
    curvature = again.begin_rows(frame) if rows else again.begin(frame)
    expected = np.stack([two_loop.apply(e) for e in np.eye(n)])
    assert_close(curvature.inverse_operator(frame).todense(), expected, backend.eps)
    B = backend.to_numpy(curvature.dense())
    assert_close(B @ expected, np.eye(n), 10 * backend.eps)
    assert curvature.pairs.count == len(two_loop.pairs)


@pytest.mark.backends(*EAGER)
@pytest.mark.parametrize("memory", [1, 2, 5, 12])
def test_after_a_warm_start_the_oldest_pair_goes_first(backend, rng, memory):
    first = method()
    steps = walk(first, backend, np.ones(n), bends(rng, n, [1.0] * 5), 6)
    two_loop = TwoLoop(m)
    for here, there in pairwise(steps):
        two_loop.add(there.x - here.x, there.g - here.g)
    again = hessx.LBFGS(memory=memory, hess_inv0=first.inverse_hessian(steps[-1].state))
    rule, answer = hessx.FixedStep(ALPHA), bends(rng, n, [1.0] * 6)
    warm = TwoLoop(memory)
    for s, y in two_loop.pairs:
        warm.add(s, y)
    solver = hessx.LineSearchMethod(again, rule)
    longest = max(np.linalg.norm(s) / np.linalg.norm(y) for s, y in two_loop.pairs)
    for here, there in pairwise(walk(solver, backend, steps[-1].x, answer, 6)):
        s, y = there.x - here.x, there.g - here.g
        assert_close(s, -ALPHA * warm.apply(here.g), backend.eps)
        warm.add(s, y)
        if memory > n:  # gamma is for directions not yet met
            longest = max(longest, np.linalg.norm(s) / np.linalg.norm(y))
            warm.gamma = longest


@pytest.mark.parametrize("again", ["lbfgs", "trust-lbfgs", "L-BFGS-B"])
@pytest.mark.parametrize("before", ["lbfgs", "trust-lbfgs", "L-BFGS-B"])
def test_every_lbfgs_starts_from_the_result_of_every_other(before, again):
    """At the minimum of |x|^2, from its exact inverse."""
    settings = {"jac": True, "method": before}
    first = hessx.minimize(lambda x: (x @ x, 2.0 * x), np.ones(6), **settings)
    settings = {"jac": True, "method": again, "options": {"hess_inv0": first.hess_inv}}
    second = hessx.minimize(lambda x: (x @ x, 2.0 * x), np.ones(6), **settings)
    assert second.success
    assert second.nit <= first.nit


@pytest.mark.backends(*EAGER)
def test_a_warm_start_saves_iterations(backend):
    weights = backend.asarray(np.geomspace(1.0, 10.0, n))

    def fun(x):
        return (weights * x) @ x / 2, weights * x

    settings = {"jac": True, "options": {"gtol": 1e-2, "maxcor": m}}
    x0 = backend.asarray(np.ones(n))
    first = hessx.minimize(fun, x0, **settings)
    settings["options"] |= {"hess_inv0": first.hess_inv}
    again = hessx.minimize(fun, x0, **settings)
    assert first.success
    assert again.success
    assert again.nit < first.nit


@pytest.mark.backends(*EAGER)
def test_an_earlier_result_is_not_changed_by_a_warm_start(backend):
    x0 = backend.asarray(np.arange(3))
    settings = {"jac": True, "method": "lbfgs"}
    first = hessx.minimize(bowl, x0, options={"maxiter": 3}, **settings).hess_inv
    before = first.todense()
    hessx.minimize(bowl, x0, options={"hess_inv0": first, "maxiter": 3}, **settings)
    np.testing.assert_array_equal(first.todense(), before)


METHODS = {
    "lbfgs": "lbfgs",
    "cg": "cg",
    "gd": "gd",
    "more-thuente": (hessx.LBFGS(), hessx.MoreThuente()),
    "pr+": (hessx.NonlinearCG("pr+"), hessx.HagerZhang(c2=0.1)),
    "barzilai-borwein": (hessx.Identity(), hessx.BarzilaiBorwein()),
    "fixed": (hessx.Identity(), hessx.FixedStep(0.01)),
}


@pytest.mark.backends(*EAGER)
@pytest.mark.parametrize("name", METHODS)
def test_an_array_x_scale_is_a_change_of_variables(backend, name):
    """Minimise f(S z) by hand: with powers of two the iterates S z are bitwise those of x."""
    scale = backend.asarray(SCALE)
    start = np.linspace(-1.0, 2.0, n)

    def by_hand(z):
        value, grad = bowl(scale * z)
        return value, scale * grad

    def iterates(fun, x0, x_scale, factor):
        seen = []

        def see(x):
            seen.append(backend.to_numpy(x) * factor)

        chosen = METHODS[name]
        if not isinstance(chosen, str):
            chosen = hessx.LineSearchMethod(*chosen, 1.0 if x_scale is None else x_scale)
            x_scale = None
        options = {"maxiter": 4, "gtol": 0.0}
        hessx.minimize(
            fun, x0, jac=True, method=chosen, callback=see, options=options, x_scale=x_scale
        )
        return seen

    scaled = iterates(bowl, backend.asarray(start), scale, 1.0)
    changed = iterates(by_hand, backend.asarray(start / SCALE), None, SCALE)
    assert len(scaled) == 4
    if backend.family == "numpy":
        np.testing.assert_array_equal(scaled, changed)
    np.testing.assert_allclose(scaled, changed, rtol=0, atol=1e3 * backend.eps)


def test_hess_inv_of_a_scaled_run_belongs_to_x(backend):
    """On a quadratic with as many pairs as variables, A is the inverse Hessian."""
    weights = np.array([1.0, 4.0, 16.0])
    w = backend.asarray(weights)
    result = hessx.minimize(
        lambda x: ((w * x) @ x / 2, w * x),
        backend.asarray([1.0, 1.0, 1.0]),
        jac=True,
        method="lbfgs",
        x_scale=backend.asarray([1.0, 0.5, 0.25]),  # the Hessian in z is I
    )
    assert result.nit <= 2
    np.testing.assert_allclose(
        result.hess_inv.todense(), np.diag(1 / weights), atol=9 * backend.eps
    )


def test_bad_starts_are_refused(backend):
    def fun(x):
        return x @ x, 2.0 * x

    x0 = backend.asarray(np.ones(3))
    given = {"jac": True, "method": "lbfgs"}
    longer = hessx.minimize(fun, backend.asarray(np.ones(4)), **given).hess_inv
    bad = {
        r"hess_inv0 = 0.*expected a number in \(0, inf\)": 0.0,
        r"hess_inv0 = -1": -1.0,
        r"hess_inv0 = nan": float("nan"),
        r"hess_inv0 has 2 entries: expected 3, as x0": backend.asarray([1.0, 2.0]),
        r"\(3, 3\): expected it as hessx\.DenseOperator\(hess_inv0\)": backend.asarray(np.eye(3)),
        r"hess_inv0 is a str: expected a positive number": "identity",
        r"with \(n, library, dtype\) = \(4,.*expected \(3,": longer,
    }
    for message, start in bad.items():
        with pytest.raises(SettingsError, match=message):
            hessx.minimize(fun, x0, options={"hess_inv0": start}, **given)
    with pytest.raises(SettingsError, match="give one of the two"):
        options = {"hess_inv0": backend.asarray([1.0, 2.0, 3.0])}
        hessx.minimize(fun, x0, x_scale=[1.0, 2.0, 1.0], options=options, **given)


@pytest.mark.parametrize("entry", [0.0, -1.0, np.nan, np.inf])
def test_scales_and_diagonals_must_be_positive(backend, entry):
    def fun(x):
        return x @ x, 2.0 * x

    x0, bad = backend.asarray(np.ones(3)), backend.asarray([1.0, entry, 1.0])
    with pytest.raises(SettingsError, match=r"hess_inv0.*positive"):
        hessx.minimize(fun, x0, jac=True, options={"hess_inv0": bad})
    with pytest.raises(SettingsError, match=r"x_scale.*positive"):
        hessx.minimize(fun, x0, jac=True, x_scale=bad)
