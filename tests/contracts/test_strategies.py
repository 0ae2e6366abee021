"""hess= learnt from the steps: an approximation in the place of the Hessian."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import hessx
from _helpers.runs import bowl, chained_rosenbrock, product_of

optimize = pytest.importorskip("scipy.optimize")

START = np.array([1.3, 0.7, 0.8, 1.9])
STRATEGIES = {
    "bfgs": hessx.BFGS,
    "sr1": hessx.SR1,
    "lbfgs": hessx.LBFGS,
    "scipy's bfgs": optimize.BFGS,
    "scipy's sr1": optimize.SR1,
}
# What the names stand for, with B in the place of H.
COMPOSITIONS = {
    None: lambda B: hessx.TrustRegionMethod(B),
    "trust-ncg": lambda B: hessx.TrustRegionMethod(B),
    "trust-krylov": lambda B: hessx.TrustRegionMethod(B, subproblem=hessx.GLTR()),
    "arc": lambda B: hessx.TrustRegionMethod(
        B, subproblem=hessx.GLTR(), region=hessx.CubicRule()
    ),
    "newton-cg": lambda B: hessx.LineSearchMethod(
        hessx.NewtonCG(approximation=B), hessx.HagerZhang()
    ),
}  # fmt: skip


def run(fun=chained_rosenbrock, x0=START, **settings):
    return hessx.minimize(fun, x0, jac=True, **settings)


@pytest.mark.parametrize("method", COMPOSITIONS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_strategy_is_the_approximation_of_the_method(strategy, method):
    given = STRATEGIES[strategy]()
    result = run(hess=given, method=method)
    B = {"BFGS": hessx.BFGS, "SR1": hessx.SR1, "LBFGS": hessx.LBFGS}[type(given).__name__]()
    if given.__class__.__module__.startswith("scipy") and isinstance(B, hessx.BFGS):
        B = hessx.BFGS(scaling="none")
    composed = run(method=COMPOSITIONS[method](B))
    np.testing.assert_array_equal(result.x, composed.x)
    assert result.success and result.nfev == composed.nfev and result.nhev == 0
    np.testing.assert_allclose(result.x, 1.0, atol=1e-4)


@pytest.mark.parametrize("method", ["trust-ncg", "trust-krylov"])
@pytest.mark.parametrize("strategy", [optimize.BFGS, optimize.SR1])
def test_the_minimum_is_scipys(method, strategy):
    given = {"jac": optimize.rosen_der, "method": method, "hess": strategy()}
    theirs = optimize.minimize(optimize.rosen, START, options={"maxiter": 10000}, **given)
    ours = hessx.minimize(optimize.rosen, START, **given)
    assert ours.success
    np.testing.assert_allclose(ours.x, 1.0, atol=1e-4)
    if theirs.success:
        np.testing.assert_allclose(theirs.fun, ours.fun, atol=1e-4)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_arrays_stay_where_they_are(backend, strategy):
    x0 = backend.asarray(START)
    result = run(bowl, x0, hess=STRATEGIES[strategy]())
    assert result.success
    backend.assert_same_kind(result.x, x0)
    np.testing.assert_allclose(backend.to_numpy(result.x), 1.0, atol=2e-3)


def test_auto_says_why():
    message = run(hess=hessx.SR1()).message
    assert message.endswith("(auto chose trust-ncg, as hess is SR1())")


def test_options_shape_the_method():
    options = {"eta": 0.2, "initial_trust_radius": 0.5, "preconditioner": None, "x_scale": 2.0}
    region = hessx.RadiusRule(initial=0.5, accept=0.2)
    composed = hessx.TrustRegionMethod(
        hessx.BFGS(), region=region, preconditioner=None, x_scale=2.0
    )
    result = run(hess=hessx.BFGS(), method="trust-ncg", options=options)
    np.testing.assert_array_equal(result.x, run(method=composed).x)


def test_it_goes_before_products():
    result = run(bowl, hess=hessx.BFGS(), hessp=product_of(bowl))
    assert result.success and result.nhev == 0


@pytest.mark.parametrize("method", ["lbfgs", "cg", "gd", "bfgs", "trust-sr1"])
def test_methods_without_a_hessian_leave_it_out(method):
    with pytest.warns(hessx.OptionWarning, match=r"hess = BFGS\(\) means nothing to") as seen:
        result = run(hess=hessx.BFGS(), method=method)
    assert [w.filename for w in seen] == [__file__]
    np.testing.assert_array_equal(result.x, run(method=method).x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(hess=lambda x: np.eye(4), method=method)


def test_a_composition_has_its_own():
    for method in (hessx.TrustRegionMethod(), COMPOSITIONS["newton-cg"](hessx.SR1())):
        with pytest.raises(hessx.SettingsError, match=r"hess = BFGS\(\) with a composition: give"):
            run(hess=hessx.BFGS(), method=method)


def test_misfits_are_told_of_hess():
    with pytest.raises(hessx.SettingsError, match=r"hess = PairPreconditioner.* learns from the"):
        run(hess=hessx.PairPreconditioner())


def test_other_strategies_are_refused():
    class Own(optimize.HessianUpdateStrategy):
        pass

    with pytest.raises(TypeError, match=r"Own object.*expected a callable.* hessx.BFGS\(\)"):
        run(hess=Own())
    with pytest.raises(TypeError, match="expected a callable"):
        run(hess="cs")


def test_an_oracle_takes_it():
    """It is no derivative, which an oracle answers by itself."""

    class Oracle:
        offers = hessx.Wants.VALUE | hessx.Wants.GRADIENT

        def __init__(self):
            self.counts = hessx.Counts()

        def answer(self, request):
            self.counts.values += 1
            self.counts.gradients += 1
            return hessx.Reply(request.ticket, *chained_rosenbrock(request.x))

    result = hessx.minimize(Oracle(), START, hess=hessx.BFGS())
    np.testing.assert_array_equal(result.x, run(hess=hessx.BFGS()).x)
    with pytest.raises(TypeError, match="leave hess out"):
        hessx.minimize(Oracle(), START, hess=lambda x: np.eye(4))


def test_a_run_is_taken_up_with_it():
    whole = run(hess=hessx.SR1())
    short = run(hess=hessx.SR1(), options={"maxiter": 5})
    for given in ({"hess": hessx.SR1()}, {"hess": optimize.SR1()}, {}):
        rest = run(resume=short, **given)
        np.testing.assert_array_equal(rest.x, whole.x)
    with pytest.raises(hessx.SettingsError):
        run(hess=hessx.BFGS(), resume=short)


def test_maximising():
    top = hessx.minimize(
        lambda x: (-(x @ x), -2.0 * x), START, jac=True, hess=hessx.BFGS(), maximize=True
    )
    np.testing.assert_allclose(top.x, 0.0, atol=1e-5)
