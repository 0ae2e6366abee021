"""Steps and values whose squares leave the range: every method ends with an outcome, quietly."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.solvers import EVERY, LEARNING
from hessx.hessians._self_scaling import SCALINGS, al_baali_khalfan
from hessx.krylov._secular import Secular

METHODS = {
    **EVERY,
    **LEARNING,
    **{name: name for name in ("cg", "ssbfgs", "ssbroyden", "broyden", "dfp", "psb", "lsr1")},
    **{name: name for name in ("trust-lbfgs", "trust-exact", "trust-krylov", "arc", "dogleg")},
    "trust-ssbroyden": hessx.TrustRegionMethod(hessx.SSBroyden()),
    "trust-bfgs-arc": hessx.TrustRegionMethod(hessx.BFGS(), hessx.GLTR(), hessx.CubicRule()),
    "trust-ldfp": hessx.TrustRegionMethod(hessx.LDFP()),
    "bfgs-armijo": hessx.LineSearchMethod(hessx.BFGS(), hessx.Armijo()),
}


def kink(x):
    """Fall towards a minimum that is no stationary point."""
    return abs(x).sum(), np.sign(x)


def flat(x):
    """Flatter than any quadratic at the minimum, along two axes."""
    grad = np.array([2.0 * x[0], 4.0 * x[1] ** 3, 6.0 * x[2] ** 5])
    return x[0] ** 2 + x[1] ** 4 + x[2] ** 6, grad


def constant(x):
    """Without a slope."""
    return 3.0, 0.0 * x


PROBLEMS = {
    "kink": (kink, [1.3, -0.7], lambda _: np.zeros((2, 2)), {"maxfun": 3000}),
    "flat": (flat, [1.3, -0.7, 0.4], lambda x: np.diag([2.0, 12 * x[1] ** 2, 30 * x[2] ** 4]),
        {"gtol": 0.0, "maxfun": 300}),
    "constant": (constant, [1.0, 1.0, 1.0], lambda _: np.zeros((3, 3)), {}),
}  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_method_ends_quietly(problem, name):
    fun, x0, hess, options = PROBLEMS[problem]
    if name == "inverse":
        pytest.skip("it has the inverse of another problem")
    method = METHODS[name]
    result = hessx.minimize(fun, x0, jac=True, hess=hess, method=method, options=options)
    assert result.fun == pytest.approx(fun(result.x)[0], abs=0.0, rel=1e-15)
    assert result.fun <= fun(np.array(x0))[0]
    assert result.outcome is not hessx.Outcome.UNBOUNDED_BELOW
    assert result.outcome is not hessx.Outcome.RUNNING


@pytest.mark.parametrize("method", ["trust-exact", "trust-ncg", "trust-krylov", "arc", "dogleg"])
@pytest.mark.parametrize("size", [1e-300, 1e-200])
@pytest.mark.filterwarnings("ignore:overflow")  # f's own
def test_a_model_that_is_far_too_flat_does_not_say_that_f_is_unbounded(method, size):
    def fun(x):
        return x @ x / 2.0, x

    hess = size * np.eye(3)
    result = hessx.minimize(fun, np.ones(3), jac=True, hess=lambda _: hess, method=method)
    assert result.outcome is not hessx.Outcome.UNBOUNDED_BELOW
    assert result.fun <= 1.5


@pytest.mark.parametrize("b", [0.0, 5e-324, 1e-300, np.inf, np.nan])
@pytest.mark.parametrize("h", [0.0, 5e-324, 1.0, np.inf, np.nan])
def test_factors_out_of_range_leave_b_as_it_is(b, h):
    tau, phi = al_baali_khalfan(b, h, 3)
    assert 0.0 < tau < np.inf
    assert -np.inf < phi < np.inf
    for scaling in SCALINGS.values():
        for early in (False, True):
            assert 0.0 < scaling(b, h, early=early) < np.inf


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("radius", [0.0, 5e-324, 1e-310])
def test_a_region_too_short_for_curvature_gives_the_steepest_step(radius):
    c = np.array([0.6, -0.8])
    x, multiplier = Secular(np.zeros(2), c, 1.0).within(radius)
    np.testing.assert_allclose(x, -radius * c, rtol=0.0, atol=5e-324)
    assert 0.0 < multiplier < np.inf
