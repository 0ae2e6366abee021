"""First-order quadratic regularisation, R2: the books' steps, one fetch per trial."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.runs import chained_rosenbrock
from hessx import _xp
from reference.descent import regularised

START = np.array([-1.2, 1.0, 0.8, 0.5])
R2 = hessx.TrustRegionMethod(hessx.Zero(), hessx.SteepestStep(), hessx.NielsenRule())


def fun(x):
    """Convex, with curvatures from 1 to some hundred."""
    w = np.array([1.0, 4.0, 25.0, 100.0])
    return float((w * x) @ x / 2.0 + x**4 @ np.ones(4)), w * x + 4.0 * x**3


@pytest.mark.parametrize("sigma", [1e-2, 10.0, 1e4])
@pytest.mark.parametrize("f", [fun, chained_rosenbrock])
def test_follows_the_textbook(f, sigma):
    method = hessx.TrustRegionMethod(
        hessx.Zero(), hessx.SteepestStep(), hessx.NielsenRule(initial=sigma)
    )
    options = {"maxfun": 61, "return_all": True}
    result = hessx.minimize(f, START, jac=True, method=method, options=options)
    points = regularised(f, START, sigma, 60)
    assert len(points) > 30
    np.testing.assert_allclose(result.allvecs, points, rtol=1e-7, atol=1e-10)


def test_truncated_cg_takes_the_same_steps():
    """For one fetch more."""
    with_cg = hessx.TrustRegionMethod(hessx.Zero(), region=hessx.NielsenRule())
    runs = [
        hessx.minimize(
            fun, START, jac=True, method=method, options={"maxiter": 20, "return_all": True}
        )
        for method in (R2, with_cg)
    ]
    np.testing.assert_allclose(runs[0].allvecs, runs[1].allvecs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("region", [hessx.NielsenRule(), hessx.RadiusRule(), hessx.CubicRule()])
def test_one_fetch_per_trial_point(backend, region):
    method = hessx.TrustRegionMethod(hessx.Zero(), hessx.SteepestStep(), region)
    x0 = backend.asarray(START)
    options = {"maxfun": 12, "gtol": 0.0}
    with _xp.record_fetches() as ledger:
        result = hessx.minimize(chained_rosenbrock, x0, jac=True, method=method, options=options)
    assert ledger.fetches == result.nfev == 12
    assert result.nhev == 0


@pytest.mark.parametrize("option", [{"ftol": 1e-9}, {"xtol": 1e-6}])
def test_a_step_under_damping_is_not_cut_short(option):
    """So the tests on its length and gain hold."""
    options = {"gtol": 0.0, **option}
    result = hessx.minimize(fun, START, jac=True, method=R2, options=options)
    assert result.success
    assert result.outcome in (hessx.Outcome.CONVERGED_VALUE, hessx.Outcome.CONVERGED_STEP)


@pytest.mark.parametrize("stiff", [2.0, 30.0, 1e3])
def test_success_at_the_floor_is_honest(stiff):
    """What is left along the flattest step tells, not g'g / sigma, which is far less."""
    w = np.array([1.0, stiff])

    def bowl(x):
        return 1.0 + (w * x) @ x / 2.0, w * x

    options = {"gtol": 0.0, "maxfun": 3000}
    result = hessx.minimize(bowl, [1e-3, 1.0], jac=True, method=R2, options=options)
    precise = (hessx.Outcome.CONVERGED_PRECISION, hessx.Outcome.STALLED_PRECISION)
    assert result.outcome in precise
    assert not result.success or (w * result.x) @ result.x / 2.0 <= 10.0 * 2.0**-52


def test_f_without_end():
    result = hessx.minimize(lambda x: (-x.sum(), -np.ones(3)), np.zeros(3), jac=True, method=R2)
    assert result.outcome is hessx.Outcome.UNBOUNDED_BELOW


@pytest.mark.parametrize("B", [hessx.Exact(), hessx.BFGS(), hessx.Spectral()])
def test_the_steepest_step_belongs_to_zero(B):
    with pytest.raises(hessx.SettingsError, match=r"leaves B out.*hessx\.Zero\(\)"):
        hessx.TrustRegionMethod(B, hessx.SteepestStep())


def test_zero_is_no_direction():
    with pytest.raises(hessx.SettingsError, match="may be indefinite"):
        hessx.LineSearchMethod(hessx.Zero(), hessx.HagerZhang())
