"""Gradients by differences against closed forms, and how many values they cost."""

from __future__ import annotations

import array_api_compat as compat
import numpy as np
import pytest

import hessx
from hessx import SettingsError
from hessx._xp import space_of
from hessx.core import Request
from hessx.objectives import make_objective


def smooth(x):
    """Sum of sin(x_i) + x_i^3, whose gradient is cos + 3 x^2."""
    xp = compat.array_namespace(x)
    return xp.sum(xp.sin(x) + x * x * x)


@pytest.mark.parametrize("shape", [(4,), (2, 2), (1, 4, 1)])
@pytest.mark.parametrize("scheme", ["2-point", "3-point"])
@pytest.mark.parametrize("on_host", [False, True])
def test_differences_agree_with_the_closed_form(backend, shape, scheme, on_host):
    host = np.array([0.3, -1.2, 2.0, 0.0]).astype(backend.dtype_name)
    x = backend.asarray(np.reshape(host, shape))
    space, calls = space_of(x), []

    def fun(x):
        calls.append(tuple(x.shape))
        value = smooth(x)
        return float(backend.to_numpy(value)) if on_host else value

    objective = make_objective(fun, scheme, (), space)
    reply = objective.answer(Request(space.flat(x), 0))
    wide = host.astype(np.float64)
    exact = np.cos(wide) + 3.0 * wide**2
    # truncation: h f''/2 and h^2 f'''/6; rounding: eps |f| / h, |f| < 10
    eps, size = backend.eps, np.maximum(abs(wide), 1.0)
    h = size * (eps ** (1 / 2) if scheme == "2-point" else eps ** (1 / 3))
    bend = abs(-np.sin(wide) + 6.0 * wide) if scheme == "2-point" else abs(-np.cos(wide) + 6.0)
    truncation = h * (bend / 2 + 3 * h) if scheme == "2-point" else h * h * bend / 6
    error = abs(backend.to_numpy(space.flat(reply.grad)) - exact)
    assert (error <= 1.1 * truncation + 20 * eps / h).all()
    assert calls == [shape] * (5 if scheme == "2-point" else 9)
    assert objective.counts.values == len(calls)
    assert objective.counts.gradients == 1
    backend.assert_same_kind(space.shaped(reply.grad), x)


@pytest.mark.parametrize(("scheme", "per_point"), [("2-point", 4), (None, 4), ("3-point", 7)])
def test_a_run_counts_every_value(backend, scheme, per_point):
    calls = []

    def fun(x):
        calls.append(1)
        return (x - 1.0) @ (x - 1.0)

    options = {"gtol": 1e-2}
    result = hessx.minimize(fun, backend.asarray([2.0, 0.0, 3.0]), jac=scheme, options=options)
    assert result.success
    assert result.nfev == len(calls) == per_point * result.njev
    np.testing.assert_allclose(backend.to_numpy(result.x), 1.0, atol=2e-2)


def test_the_step_is_relative_to_x_and_to_x_scale():
    seen = []

    def fun(x):
        seen.append(x)
        return float(x.sum())

    def steps(x, **settings):
        seen.clear()
        space = space_of(np.asarray(x))
        make_objective(fun, "2-point", (), space, **settings).answer(Request(np.asarray(x), 0))
        return [abs(moved - x).max() for moved in seen[1:]]

    root = 2.0**-26
    assert steps([4.0, 0.0]) == [4.0 * root, root]
    assert steps([4.0, 0.0], x_scale=16.0) == [16.0 * root, 16.0 * root]
    assert steps([4.0, 0.0], x_scale=[1.0, 8.0]) == [4.0 * root, 8.0 * root]
    assert steps([4.0, -2.0], rel_step=2.0**-10) == [2.0**-8, 2.0**-9]


@pytest.mark.parametrize(
    ("jac", "option", "h"),
    [(None, "eps", 2.0**-7), ("2-point", "finite_diff_rel_step", 2.0**-5)],
)
def test_scipys_names_of_the_step(jac, option, h):
    """eps is absolute, the other relative to x = 4; SciPy evaluates at the same two points."""
    optimize = pytest.importorskip("scipy.optimize")
    seen = []

    def fun(x):
        seen.append(float(x[0]))
        return float(x @ x)

    options = {option: 2.0**-7, "maxiter": 0}
    result = hessx.minimize(fun, [4.0], jac=jac, options=options)
    assert seen == [4.0, 4.0 + h]
    assert result.jac[0] == 8.0 + h
    seen.clear()
    optimize.minimize(fun, [4.0], jac=jac, method="L-BFGS-B", options=options)
    assert seen[:2] == [4.0, 4.0 + h]


def test_a_step_must_be_positive():
    space = space_of(np.zeros(2))
    for bad in (0.0, -1e-8, float("nan")):
        with pytest.raises(SettingsError, match="finite_diff_rel_step = "):
            make_objective(smooth, "2-point", (), space, rel_step=bad)


@pytest.mark.parametrize(("jac", "option"), [(None, "eps"), ("2-point", "finite_diff_rel_step")])
def test_steps_for_each_variable_as_scipy_has_them(jac, option):
    optimize = pytest.importorskip("scipy.optimize")
    steps, points = np.array([2.0**-7, 2.0**-5]), {}
    for minimize in (hessx.minimize, optimize.minimize):
        seen = points[minimize] = []

        def fun(x, seen):
            seen.append(x.tolist())
            return float(x @ x)

        options = {option: steps, "maxiter": 0}
        minimize(fun, [4.0, 8.0], (seen,), jac=jac, method="L-BFGS-B", options=options)
    assert points[hessx.minimize][:3] == points[optimize.minimize][:3]


def test_steps_for_each_variable_on_any_library(backend):
    x0 = backend.asarray([1.0, 2.0, 3.0])
    steps = backend.asarray([1e-3, 2e-3, 3e-3])
    fun = lambda x: (x - 1.0) @ (x - 1.0)  # noqa: E731
    result = hessx.minimize(fun, x0, options={"eps": steps, "maxiter": 0})
    # forward differences of a square are off by h
    expected = 2.0 * (np.array([1.0, 2.0, 3.0]) - 1.0) + np.array([1e-3, 2e-3, 3e-3])
    np.testing.assert_allclose(backend.to_numpy(result.jac), expected, atol=2e3 * backend.eps)
    for bad in ([1e-3, 1e-3], [1e-3, 0.0, 1e-3]):
        with pytest.raises(SettingsError, match="eps has"):
            hessx.minimize(fun, x0, options={"eps": np.array(bad)})


@pytest.mark.parametrize("refines", [True, False])
def test_central_differences_where_they_are_asked_for(refines):
    x, calls = np.array([3.0, 4.0]), []

    def fun(x):
        calls.append(1)
        return float(np.exp(x).sum())

    objective = make_objective(fun, None if refines else "2-point", (), space_of(x))
    first = objective.answer(Request(x, 0))
    assert first.precision.refines == refines
    assert first.precision.blur > 0.0 and len(calls) == 3
    second = objective.answer(Request(x, 1, central=True))
    assert len(calls) == 3 + (5 if refines else 3)
    assert not second.precision.refines or not refines
    error = abs(second.grad - np.exp(x)).max()
    assert (error <= 1e-8) == refines


def test_the_step_fits_the_rounding_that_a_run_has_learnt():
    x = np.array([4.0])
    seen = []

    def fun(x):
        seen.append(float(x[0]))
        return float(x @ x) + 0.1

    objective = make_objective(fun, None, (), space_of(x))
    objective.answer(Request(x, 0, eps=2.0**-20))
    assert seen == [4.0, 4.0 + 2.0**-8]
