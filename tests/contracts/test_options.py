"""Options as SciPy's users have them: numbers of NumPy, limits, bounds that bound nothing."""

from __future__ import annotations

import dataclasses
import math
import warnings

import numpy as np
import pytest

import hessx
from _helpers.resuming import METHODS
from _helpers.runs import bowl, chained_rosenbrock, product_of
from hessx import SettingsError

optimize = pytest.importorskip("scipy.optimize")

START = np.array([-1.2, 1.0, 0.8, 0.5])
NAMES = ["lbfgs", "L-BFGS-B", "BFGS", "cg", "gd", "newton-cg", "trust-ncg", "trust-krylov"]


def run(x0=START, **settings):
    given = {"jac": True, "hessp": product_of(chained_rosenbrock)} | settings
    return hessx.minimize(chained_rosenbrock, x0, **given)


# numbers of NumPy

f64, f32, i64 = np.float64, np.float32, np.int64
RULES = {
    "fixed": lambda f, i: hessx.FixedStep(f(1e-3)),
    "decaying": lambda f, i: hessx.DecayingStep(f(1e-3), rate=f(0.5), power=f(0.75)),
    "armijo": lambda f, i: hessx.Armijo(c1=f(0.125), max_trials=i(20)),
    "hager-zhang": lambda f, i: hessx.HagerZhang(
        c1=f(0.125), c2=f(0.75), max_trials=i(20), expansion=f(4.0), alpha_max=f(1e8)
    ),
    "more-thuente": lambda f, i: hessx.MoreThuente(
        c1=f(0.125), c2=f(0.75), max_trials=i(20), xtol=f(0.125), alpha_min=f(0.0), alpha_max=f(1e8)
    ),
}
PARTS = RULES | {
    "lbfgs": lambda f, i: hessx.LBFGS(memory=i(3), hess_inv0=f(0.5), damping=f(0.25)),
    "radius": lambda f, i: hessx.RadiusRule(
        initial=f(0.5), largest=f(8.0), accept=f(0.125), poor=f(0.25), good=f(0.75),
        shrink=(f(0.125), f(0.5)), grow=f(2.0), leap=f(8.0),
    ),
    "damping": lambda f, i: hessx.NielsenRule(
        initial=f(0.5), accept=f(0.125), shrink=f(0.25), grow=f(4.0)
    ),
    "cubic": lambda f, i: hessx.CubicRule(
        initial=f(0.5), accept=f(0.125), good=f(0.75), shrink=(f(0.125), f(0.5)),
        grow=(f(2.0), f(8.0)),
    ),
    "ball": lambda f, i: hessx.Ball(f(0.5), length=f(2.0)),
    "damped": lambda f, i: hessx.Damped(f(0.5), length=f(2.0)),
    "cubic term": lambda f, i: hessx.Cubic(f(0.5), length=f(2.0)),
    "free": lambda f, i: hessx.Free(f(0.5)),
    "bfgs": lambda f, i: hessx.BFGS(hess_inv0=f(0.5), damping=f(0.25)),
    "dfp": lambda f, i: hessx.DFP(hess_inv0=f(0.5), damping=f(0.25)),
    "broyden": lambda f, i: hessx.Broyden(hess_inv0=f(0.5), damping=f(0.25), phi=f(0.25)),
    "ssbroyden": lambda f, i: hessx.SSBroyden(hess_inv0=f(0.5), damping=f(0.25)),
    "psb": lambda f, i: hessx.PSB(hess0=f(0.5)),
    "lsr1": lambda f, i: hessx.LSR1(memory=i(3), hess0=f(0.5)),
    "ldfp": lambda f, i: hessx.LDFP(memory=i(3), hess_inv0=f(0.5)),
    "exact": lambda f, i: hessx.Exact(dense=True, max_bytes=i(99)),
    "gauss-newton": lambda f, i: hessx.GaussNewton(damping=f(0.125), max_bytes=i(99)),
    "known-plus": lambda f, i: hessx.KnownPlus(hessx.LSR1(i(3), f(0.0))),
    "ssm": lambda f, i: hessx.SSM(fall=f(0.125)),
    "tssm": lambda f, i: hessx.TSSM(fall=f(0.125)),
    "gnsbfgs": lambda f, i: hessx.GNSBFGS(hybrid_tol=f(0.125), fall=f(0.5)),
    "fx": lambda f, i: hessx.FX(f(0.125)),
    "newton matrix": lambda f, i: hessx.Newton(floor=f(0.125), max_bytes=i(99)),
    "largest value": lambda f, i: hessx.NonMonotone(memory=i(3)),
    "mean value": lambda f, i: hessx.NonMonotoneAverage(eta=f(0.5)),
    "sr1": lambda f, i: hessx.SR1(hess0=f(0.5)),
    "forcing": lambda f, i: hessx.Forcing(ceiling=f(0.5), floor=f(0.125), last_floor=f(0.0625)),
    "eisenstat-walker": lambda f, i: hessx.EisenstatWalker(
        first=f(0.5), ceiling=f(0.75), scale=f(0.5), power=f(1.5), threshold=f(0.125)
    ),
    "cg": lambda f, i: hessx.TruncatedCG(check_every=i(2)),
    "gltr": lambda f, i: hessx.GLTR(max_basis=i(8), boundary=f(0.5)),
    "pairs": lambda f, i: hessx.PairPreconditioner(memory=i(8)),
    "newton": lambda f, i: hessx.NewtonCG(max_inner=i(9)),
    "trust region": lambda f, i: hessx.TrustRegionMethod(max_inner=i(9), x_scale=f(0.5)),
    "line search": lambda f, i: hessx.LineSearchMethod(
        hessx.Identity(), hessx.Armijo(), x_scale=f(0.5)
    ),
    "sgd": lambda f, i: hessx.SGD(momentum=f(0.5), dampening=f(0.25)),
    "lion": lambda f, i: hessx.Lion(f(0.5), f(0.75)),
    "adagrad": lambda f, i: hessx.Adagrad(eps=f(0.125), initial=f(0.25)),
    "rmsprop": lambda f, i: hessx.RMSProp(f(0.75), eps=f(0.125)),
    "adadelta": lambda f, i: hessx.Adadelta(f(0.75), eps=f(0.125)),
    "adam": lambda f, i: hessx.Adam(f(0.5), f(0.75), eps=f(0.125)),
    "adamax": lambda f, i: hessx.Adamax(f(0.5), f(0.75), eps=f(0.125)),
    "nadam": lambda f, i: hessx.NAdam(f(0.5), f(0.75), eps=f(0.125), psi=f(0.25)),
    "radam": lambda f, i: hessx.RAdam(f(0.5), f(0.75), eps=f(0.125)),
    "decay": lambda f, i: hessx.Decay(f(0.5)),
    "clip value": lambda f, i: hessx.ClipValue(f(0.5)),
    "clip norm": lambda f, i: hessx.ClipNorm(f(0.5), eps=f(0.125)),
    "dog": lambda f, i: hessx.DoG(f(0.5), x_scale=f(2.0), eps=f(0.125)),
    "prodigy": lambda f, i: hessx.Prodigy(
        f(0.5), f(0.75), f(0.625), eps=f(0.125), d0=f(0.25), coefficient=f(2.0)
    ),
    "d-adapted sgd": lambda f, i: hessx.DAdaptSGD(f(0.5), d0=f(0.25), growth=f(2.0)),
    "d-adapted adam": lambda f, i: hessx.DAdaptAdam(
        f(0.5), f(0.75), eps=f(0.125), d0=f(0.25), growth=f(2.0)
    ),
    "muon": lambda f, i: hessx.Muon(f(0.5), iterations=i(3)),
    "adahessian": lambda f, i: hessx.AdaHessian(f(0.5), f(0.75), f(0.125), f(0.5), every=i(2)),
    "sophia-g": lambda f, i: hessx.SophiaG(f(0.5), f(0.75), f(0.25), f(0.5), f(2.0), every=i(3)),
    "sophia-h": lambda f, i: hessx.SophiaH(f(0.5), f(0.75), f(0.25), f(0.5), f(2.0), every=i(3)),
    "preconditioned": lambda f, i: hessx.Preconditioned(hessx.KFAC(), beta=f(0.5), every=i(2)),
    "k-fac": lambda f, i: hessx.KFAC(f(0.5), f(0.25), every=i(2)),
    "ek-fac": lambda f, i: hessx.EKFAC(f(0.5), f(0.25), every=i(2)),
    "fisher": lambda f, i: hessx.Fisher(f(0.5)),
    "sketch": lambda f, i: hessx.NewtonSketch(i(9), damping=f(0.5), seed=i(3)),
    "sqn": lambda f, i: hessx.SQN(every=i(9)),
    "sub-sampled": lambda f, i: hessx.SubsampledNewton(i(9), f(0.25)),
    "shampoo": lambda f, i: hessx.Shampoo(f(0.5), f(0.25), f(0.125), every=i(2), max_size=i(99)),
    "soap": lambda f, i: hessx.SOAP(f(0.5), f(0.25), f(0.125), every=i(2), max_size=i(99)),
    "low rank": lambda f, i: hessx.LowRank(i(3), rest=f(0.5), every=i(2), seed=i(7)),
    "nystrom": lambda f, i: hessx.Nystrom(i(3), f(0.5), every=i(2), max_rank=i(9), seed=i(7)),
    "hutchinson": lambda f, i: hessx.Hutchinson(i(3), f(0.5), f(0.125), seed=i(7)),
    "sparse newton": lambda f, i: hessx.SparseNewton(floor=f(0.125)),
    "truncated": lambda f, i: hessx.TruncatedInverse(
        hessx.Exact(), degree=i(3), condition=f(9.0), products=i(5), seed=i(7)
    ),
    "polyak rate": lambda f, i: hessx.PolyakRate(f(0.5), f(2.0)),
    "hypergradient": lambda f, i: hessx.Hypergradient(f(0.5), f(0.25)),
    "stochastic armijo": lambda f, i: hessx.StochasticArmijo(
        f(2.0), f(0.25), f(0.5), f(1.5), max_trials=i(9)
    ),
    "constant": lambda f, i: hessx.Constant(f(0.5)),
    "step decay": lambda f, i: hessx.StepDecay(f(0.5), every=i(9), factor=f(0.25)),
    "multi-step": lambda f, i: hessx.MultiStepDecay(f(0.5), (i(3), i(9)), f(0.25)),
    "exponential decay": lambda f, i: hessx.ExponentialDecay(f(0.5), f(0.75)),
    "inverse time": lambda f, i: hessx.InverseTimeDecay(f(0.5), f(0.25)),
    "inverse root": lambda f, i: hessx.InverseRootDecay(f(0.5), f(0.25)),
    "polynomial": lambda f, i: hessx.PolynomialDecay(f(0.5), i(9), f(2.0), f(0.125)),
    "cosine": lambda f, i: hessx.Cosine(f(0.5), i(9), f(0.125)),
    "warm restarts": lambda f, i: hessx.WarmRestarts(f(0.5), i(9), i(2), f(0.125)),
    "warm-up": lambda f, i: hessx.WarmUp(f(0.5), i(9), f(0.25)),
    "one cycle": lambda f, i: hessx.OneCycle(f(0.5), i(9), f(0.25), f(8.0), f(64.0)),
    "momentum of it": lambda f, i: hessx.OneCycleMomentum(hessx.OneCycle(0.5, 9), f(0.5), f(0.75)),
    "plateau": lambda f, i: hessx.Plateau(f(0.5), f(0.25), i(3), f(0.125), cooldown=i(2)),
    "scaled": lambda f, i: hessx.Scaled(hessx.Cosine(), f(0.5)),
    "after steps": lambda f, i: hessx.AfterSteps(i(3)),
    "gradient below": lambda f, i: hessx.GradientBelow(f(0.25)),
    "model good": lambda f, i: hessx.ModelGood(f(0.25), i(3)),
    "stalled": lambda f, i: hessx.Stalled(f(0.25), i(3)),
    "polyak": lambda f, i: hessx.Polyak(i(3)),
    "exponential": lambda f, i: hessx.Exponential(f(0.75)),
    "schedule-free": lambda f, i: hessx.ScheduleFree(f(0.75), f(1.5)),
    "accumulate": lambda f, i: hessx.Accumulate(i(3)),
    "svrg": lambda f, i: hessx.SVRG(i(3)),
    "sarah": lambda f, i: hessx.SARAH(i(3)),
    "repeated": lambda f, i: hessx.RepeatedSample(f(0.5)),
    "multi-batch": lambda f, i: hessx.MultiBatch(f(0.5), f(0.25)),
    "report": lambda f, i: hessx.Report(i(3)),
    "early": lambda f, i: hessx.EarlyStopping(max, i(3), f(0.125)),
    "shuffled": lambda f, i: hessx.Shuffled(i(3), i(9)),
    "with replacement": lambda f, i: hessx.WithReplacement(i(3)),
    "stochastic": lambda f, i: hessx.StochasticMethod(
        hessx.AdaHessian(), f(0.5), batch_size=i(8), epochs=i(3), steps=i(9), lesson_size=i(4),
        N=i(99),
    ),
}  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_settings_become_numbers_of_python(part):
    """All of them, so that none meets an array of float32 as a float64 of NumPy."""
    plain = PARTS[part](float, int)
    for f, i in ((f64, i64), (f32, np.int8), (np.longdouble, np.uint16)):
        made = PARTS[part](f, i)
        for field in dataclasses.fields(made):
            given, expected = getattr(made, field.name), getattr(plain, field.name)
            if isinstance(expected, int | float | tuple) and field.name != "rules":
                assert type(given) is type(expected), field.name
                assert np.allclose(given, expected, rtol=1e-7), field.name


def test_every_frozen_setting_is_among_them():
    """What is added later is to be found here."""
    made = {type(PARTS[part](float, int)).__name__ for part in PARTS}
    settings = {
        name for name in hessx.__all__
        if dataclasses.is_dataclass(getattr(hessx, name))
        and getattr(hessx, name).__dataclass_params__.frozen
        and any("float" in str(f.type) or "int" in str(f.type)
                for f in dataclasses.fields(getattr(hessx, name)))
    }  # fmt: skip
    assert settings - made <= {
        "Stopping",
        "CompactForm",
        "ByLeaf",
        "Sample",
        "Phases",
        "Importance",
        "Pattern",
    }  # no number of theirs meets an array


@pytest.mark.backends("numpy-float32", "torch-float32", "strict-no_float64", "fakegpu")
@pytest.mark.parametrize("part", [*RULES, "lbfgs", "radius", "trust region", "line search"])
def test_float32_stays(backend, part):
    made = PARTS[part](f64, i64)
    if part in RULES:
        method = hessx.LineSearchMethod(hessx.Identity(), made)
    elif part == "lbfgs":
        method = hessx.LineSearchMethod(made, hessx.HagerZhang(c1=f64(1e-3)), x_scale=f64(2.0))
    elif part == "radius":
        method = hessx.TrustRegionMethod(region=made)
    else:
        method = made
    seen = set()

    def fun(x):
        seen.add(x.dtype)
        return chained_rosenbrock(x)

    x0 = backend.asarray(START)
    result = hessx.minimize(
        fun, x0, jac=True, hessp=product_of(chained_rosenbrock), method=method,
        options={"maxiter": f64(5), "gtol": f64(1e-3)},
    )  # fmt: skip
    assert seen == {x0.dtype}
    backend.assert_same_kind(result.x, x0)
    assert result.nit == 5 or result.success


@pytest.mark.backends("numpy-float32", "torch-float32")
@pytest.mark.parametrize(
    "options",
    [
        {"eps": f64(1e-3)},
        {"finite_diff_rel_step": f64(1e-3)},
        {"finite_diff_rel_step": np.sqrt(np.finfo(np.float32).eps)},
        {"x_scale": f64(2.0)},
        {"x_scale": i64(2)},
    ],
)
def test_differences_of_float32_stay(backend, options):
    seen = set()

    def fun(x):
        seen.add(x.dtype)
        return bowl(x)[0]

    x0 = backend.asarray(START)
    result = hessx.minimize(fun, x0, options={"maxiter": 3} | options)
    assert seen == {x0.dtype}
    backend.assert_same_kind(result.jac, x0)


@pytest.mark.backends("numpy-float32", "torch-float32")
def test_numbers_of_models_and_linear_solvers_keep_float32(backend, rng):
    from hessx.models import LinearLeastSquares, LogisticRegression

    X, y = backend.asarray(rng.standard_normal((9, 3))), backend.asarray(np.arange(9.0) % 2)
    for model in (LinearLeastSquares(X, y, l2=f64(0.5)), LogisticRegression(X, y, l2=f64(0.5))):
        w = backend.asarray(np.ones(model.n))
        backend.assert_same_kind(model(w)[1], w)
        backend.assert_same_kind(model.hessian(w) @ w, w)
    b = backend.asarray([1.0, 2.0])
    A = hessx.DiagonalOperator(backend.asarray([3.0, 4.0]))
    backend.assert_same_kind(hessx.minres(A, b, shift=f64(0.5), rtol=f64(1e-3)).x, b)
    backend.assert_same_kind(hessx.lsmr(A, b, damp=f64(0.5), atol=f64(1e-3)).x, b)


NUMBERS = {
    "L-BFGS-B": {
        "gtol": 0.125, "gtol_rel": 0.0, "norm": 2, "ftol": 2.0**-30, "xtol": 2.0**-30,
        "maxiter": 30, "maxfun": 40, "maxcor": 3, "maxls": 20, "damping": 0.25, "hess_inv0": 0.5,
        "x_scale": 2, "lower_limit": -8, "max_seconds": 1000, "c1": 0.125, "c2": 0.75,
    },
    "BFGS": {
        "gtol": 0.125, "norm": 2, "xrtol": 2.0**-30, "hess_inv0": 0.5, "damping": 0.25,
        "maxiter": 30, "c1": 0.125, "c2": 0.75, "maxls": 20,
    },
    "newton-cg": {"max_inner": 2, "check_every": 2, "max_products": 30, "maxfev": 9, "maxls": 9},
    "trust-ncg": {"initial_trust_radius": 0.5, "max_trust_radius": 8, "eta": 0.125},
    "trust-krylov": {"max_basis": 4, "maxiter": 7},
    "cg": {"eps": 2.0**-20, "maxiter": 7, "maxls": 20},
    "gd": {"finite_diff_rel_step": 2.0**-20, "maxiter": 7},
}  # fmt: skip


@pytest.mark.parametrize("form", [np.array, float, f32, lambda number: np.array(float(number))])
@pytest.mark.parametrize("method", NUMBERS)
def test_numbers_may_be_arrays_without_axes_and_counts_floats(method, form):
    """The run is that with Python's numbers."""
    options = NUMBERS[method]
    more = {"jac": None} if options.keys() & {"eps", "finite_diff_rel_step"} else {"jac": True}

    def fun(x):
        return chained_rosenbrock(x) if more["jac"] else chained_rosenbrock(x)[0]

    results = [
        hessx.minimize(
            fun, START, method=method, options=given, hessp=product_of(chained_rosenbrock), **more
        )
        for given in (options, {name: form(number) for name, number in options.items()})
    ]
    np.testing.assert_array_equal(results[1].x, results[0].x)
    assert results[1].message == results[0].message
    assert results[1].nfev == results[0].nfev > 2


def test_arrays_without_axes_are_numbers_to_scipy_too():
    given = {"jac": optimize.rosen_der, "method": "L-BFGS-B", "tol": np.array(1e-3)}
    options = {"maxcor": np.array(5), "maxls": np.array(10)}
    for minimize in (optimize.minimize, hessx.minimize):
        assert minimize(optimize.rosen, START, options=options, **given).success
    result = hessx.minimize(
        optimize.rosen, START, x_scale=np.array(2.0), max_seconds=np.array(60), options=options
    )
    assert result.success


# limits


@pytest.mark.parametrize("limit", [7, 7.0, 6.5, f64(7), f32(6.25), i64(7), np.uint8(7)])
@pytest.mark.parametrize(
    ("name", "count"), [("maxiter", "nit"), ("maxfun", "nfev"), ("maxfev", "nfev")]
)
def test_limits_are_compared_as_scipy_does(limit, name, count):
    result = run(method="lbfgs", options={name: limit})
    assert result[count] == 7
    assert result.status == 1
    if name == "maxfun" and type(limit) is int:
        theirs = optimize.minimize(
            optimize.rosen, START, jac=optimize.rosen_der, method="L-BFGS-B", options={name: 6.5}
        )
        assert theirs.nfev >= 7 and theirs.status == 1


@pytest.mark.parametrize("name", ["maxiter", "maxfun", "maxfev", "max_products", "max_seconds"])
@pytest.mark.parametrize("limit", [math.inf, np.inf, 1e5, f64(1e9), None])
def test_limits_that_are_none(name, limit):
    assert run(options={name: limit}).success


def test_a_limit_of_inf_and_a_bar(capsys):
    assert run(options={"maxiter": np.inf, "disp": True}).success
    assert "hessx" in capsys.readouterr().err


@pytest.mark.parametrize("level", [1, 101, -1, np.int64(2), np.True_, np.array(True)])
def test_levels_of_output_are_scipys(level, capsys):
    """All but 0 print something there, in most methods."""
    assert run(options={"disp": level}).success
    assert "hessx" in capsys.readouterr().err


# return_all


@pytest.mark.parametrize("method", [*NAMES, "composition"])
def test_return_all_gives_every_accepted_point(backend, xp, method):
    """Those that the callback sees, after the start; each an array of its own."""
    composition = hessx.LineSearchMethod(hessx.NonlinearCG(), hessx.MoreThuente(c2=0.1))
    seen, x0 = [], backend.asarray(START)
    few = {"maxiter": 4, "return_all": True}
    result = run(
        x0,
        method=composition if method == "composition" else method,
        callback=lambda x: seen.append(backend.to_numpy(x).copy()),
        options=few,
    )
    points = [backend.to_numpy(x) for x in result.allvecs]
    assert len(points) == result.nit + 1
    for point, expected in zip(points, [backend.to_numpy(x0), *seen], strict=True):
        np.testing.assert_array_equal(point, expected)
    for x in result.allvecs:
        backend.assert_same_kind(x, x0)
    assert "allvecs" not in run(x0, options={"maxiter": 1})


def test_return_all_is_scipys():
    given = {"jac": optimize.rosen_der, "method": "CG", "options": {"return_all": True}}
    theirs = optimize.minimize(optimize.rosen, START, **given)
    ours = hessx.minimize(optimize.rosen, START, **given)
    assert len(theirs.allvecs) == theirs.nit + 1 and len(ours.allvecs) == ours.nit + 1
    np.testing.assert_array_equal(theirs.allvecs[0], ours.allvecs[0])
    assert type(ours.allvecs) is type(theirs.allvecs) is list
    np.testing.assert_array_equal(ours.allvecs[-1], ours.x)


@pytest.mark.parametrize("name", METHODS)
def test_points_share_nothing(name):
    x0 = np.resize(START, 7)
    result = run(x0, method=METHODS[name], options={"maxiter": 5, "return_all": True})
    arrays = [*result.allvecs, result.x, x0]
    for i, a in enumerate(arrays):
        assert not any(np.shares_memory(a, b) for b in arrays[:i])


def test_points_have_the_users_shape():
    for x0 in (np.full((2, 3), 2.0), {"a": np.full(2, 2.0), "b": [np.full((1, 2), 3.0)]}):

        def fun(x):
            if isinstance(x, dict):
                a, b = x["a"], x["b"][0]
                return (a * a).sum() + (b * b).sum(), {"a": 2 * a, "b": [2 * b]}
            return (x * x).sum(), 2 * x

        result = hessx.minimize(fun, x0, jac=True, options={"return_all": True})
        if isinstance(x0, dict):
            assert all(x["b"][0].shape == (1, 2) for x in result.allvecs)
            np.testing.assert_array_equal(result.allvecs[0]["a"], x0["a"])
        else:
            assert {x.shape for x in result.allvecs} == {(2, 3)}


@pytest.mark.backends("fakegpu", "dask")
@pytest.mark.parametrize("method", ["lbfgs", "trust-ncg"])
def test_points_cost_no_fetch(backend, method):
    counts = []
    for options in ({}, {"return_all": True}):
        with backend.fetches() as fetches:
            run(backend.asarray(START), method=method, options={"maxiter": 5} | options)
        counts.append(fetches.count)
    assert counts[0] == counts[1] > 5


def test_points_of_runs_that_never_started_or_go_on():
    with np.errstate(invalid="ignore"):
        failed = run(np.full(4, np.nan), options={"return_all": True})
    assert len(failed.allvecs) == 1 and np.isnan(failed.allvecs[0]).all()
    whole = run(options={"return_all": True, "maxiter": 9})
    short = run(options={"maxiter": 4})
    rest = run(options={"return_all": True, "maxiter": 9}, resume=short)
    assert len(rest.allvecs) == 6
    for a, b in zip(rest.allvecs, whole.allvecs[4:], strict=True):
        np.testing.assert_array_equal(a, b)


def test_ask_and_tell_return_all():
    asked = hessx.AskTell(START, options={"return_all": True, "maxiter": 5})
    while not asked.done:
        asked.tell(*chained_rosenbrock(asked.ask()))
    expected = run(method="bfgs", options={"return_all": True, "maxiter": 5}).allvecs
    np.testing.assert_array_equal(asked.result().allvecs, expected)


# bounds

NO_BOUNDS = {
    "pairs": [(-math.inf, math.inf)] * 4,
    "None": [(None, None)] * 4,
    "mixed": [(None, np.inf), (-np.inf, None), [None, None], np.array([-np.inf, np.inf])],
    "array": np.array([[-np.inf, np.inf]] * 4),
    "Bounds": optimize.Bounds(),
    "Bounds of arrays": optimize.Bounds(np.full(4, -np.inf), np.full(4, np.inf)),
    "Bounds of a number and an array": optimize.Bounds(-np.inf, [np.inf] * 4),
    "tuple": ((-np.inf, np.inf),) * 4,
    "empty list": [],
    "empty tuple": (),
    "empty array": np.zeros((0, 2)),
    "nothing": None,
    "float32": np.array([[-np.inf, np.inf]] * 4, np.float32),
}


@pytest.mark.parametrize("form", NO_BOUNDS)
def test_infinite_bounds_are_none(form):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = run(method="L-BFGS-B", bounds=NO_BOUNDS[form])
    np.testing.assert_array_equal(result.x, run(method="L-BFGS-B").x)


def test_infinite_bounds_of_a_zip():
    assert run(bounds=zip([-np.inf] * 4, [np.inf] * 4, strict=True)).success


@pytest.mark.parametrize(
    "bounds",
    [
        [(0.0, 1.0)] * 4,
        [(None, None)] * 3 + [(0, None)],
        [(None, None)] * 3 + [(None, 1e300)],
        [(-np.inf, np.nan)] * 4,
        [(np.inf, -np.inf)] * 4,
        (0.0, 1.0),
        np.array([[-np.inf, 5.0]] * 4),
        optimize.Bounds(0.0),
        optimize.Bounds(-np.inf, [np.inf, np.inf, np.inf, 1.0]),
        {"lower": 0.0},
        [(0.0, 1.0, 2.0)] * 4,
    ],
)
def test_other_bounds_are_refused(bounds):
    with pytest.raises(NotImplementedError, match=r"bounds were given.*leave bounds out"):
        run(bounds=bounds)


# options of SciPy's that mean nothing here

IGNORED = [
    ("L-BFGS-B", {"workers": map}),
    ("L-BFGS-B", {"iprint": 1}),
    ("CG", {"workers": -1}),
    ("CG", {"hess_inv0": np.eye(4)}),
    ("Newton-CG", {"workers": 2}),
    ("trust-ncg", {"subproblem_maxiter": 5}),
    ("trust-krylov", {"inexact": False}),
]


@pytest.mark.parametrize(("method", "options"), IGNORED)
def test_options_that_mean_nothing_are_named_in_a_warning(method, options):
    (name,) = options
    with pytest.warns(hessx.OptionWarning, match=f"option '{name}' of SciPy's .* ignored") as seen:
        result = run(method=method, options=options)
    assert len(seen) == 1
    assert seen[0].filename == __file__  # where minimize was called
    assert issubclass(hessx.OptionWarning, RuntimeWarning)
    np.testing.assert_array_equal(result.x, run(method=method).x)


@pytest.mark.parametrize(
    "options",
    [
        {"workers": None}, {"inexact": True}, {"subproblem_maxiter": None},
        {"iprint": -1}, {"disp": False}, {"disp": None}, {"return_all": False},
        {"eps": None}, {"finite_diff_rel_step": None}, {"maxfun": None}, {"disp": 0},
        {"return_all": None}, {"return_all": np.False_}, {"return_all": 0}, {"disp": np.array(0)},
    ],
)  # fmt: skip
def test_defaults_of_scipys_ask_for_nothing(options):
    """As callers give them that pass all of their options on."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for method in (None, "CG", "L-BFGS-B", "trust-krylov"):
            assert run(method=method, options=options).success


def test_every_option_of_scipys_is_taken():
    """No option of a method that is here raises, as SciPy's own signatures name them."""
    import inspect

    from scipy.optimize import _lbfgsb_py, _optimize, _trustregion, _trustregion_krylov

    functions = {
        "BFGS": [_optimize._minimize_bfgs],
        "CG": [_optimize._minimize_cg],
        "L-BFGS-B": [_lbfgsb_py._minimize_lbfgsb],
        "Newton-CG": [_optimize._minimize_newtoncg],
        "trust-ncg": [_trustregion._minimize_trust_region],
        "trust-krylov": [
            _trustregion._minimize_trust_region, _trustregion_krylov._minimize_trust_krylov
        ],
        None: [_optimize._minimize_bfgs],
    }  # fmt: skip
    arguments = {"fun", "x0", "args", "jac", "hess", "hessp", "bounds", "callback", "subproblem"}
    for method, given in functions.items():
        for function in given:
            for name, parameter in inspect.signature(function).parameters.items():
                if name in arguments or parameter.kind is parameter.VAR_KEYWORD:
                    continue
                value = parameter.default
                if name in ("disp", "iprint"):
                    value = -1 if name == "iprint" else False
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    hessp = None if method is None else product_of(chained_rosenbrock)
                    run(method=method, hessp=hessp, options={name: value})


@pytest.mark.parametrize("name", ["gtoll", "worker", "maxcors", "adaptive", "xatol"])
def test_names_that_are_nobodys_raise(name):
    for method in (None, "CG", hessx.TrustRegionMethod()):
        with pytest.raises(ValueError, match=f"unknown option '{name}'.*: expected one of"):
            run(method=method, options={name: 1})


def test_compositions_take_no_options_of_scipys():
    with pytest.raises(ValueError, match="unknown option 'workers'"):
        run(method=hessx.TrustRegionMethod(), options={"workers": 2})


# compositions


def test_a_scale_beside_a_composition_is_refused():
    for given in ({"x_scale": 2.0}, {"options": {"x_scale": 2.0}}, {"options": {"x_scale": None}}):
        with pytest.raises(SettingsError, match="give it to the composition itself"):
            run(method=hessx.TrustRegionMethod(), **given)
        with pytest.raises(SettingsError, match="give it to the composition itself"):
            hessx.AskTell(START, hessx.TrustRegionMethod(), **given)


class Own:
    """An approximation as a class, and no step rule: it is none by its methods alone."""

    def begin(self, frame=None):
        return self

    def search(self, ray):
        return hessx.globalization.GivenSearch(ray.alpha)


LBFGS, HZ = hessx.LBFGS(), hessx.HagerZhang()
RULE = (
    r"expected a line search or a given step, such as hessx.HagerZhang\(\) or hessx.FixedStep"
    r"\(0.1\); one's own is a subclass of hessx.StepRule"
)


@pytest.mark.parametrize(
    ("make", "name", "given"),
    [
        (lambda c: hessx.LineSearchMethod(c, HZ), "direction", hessx.LBFGS),
        (lambda c: hessx.LineSearchMethod(c, HZ), "direction", hessx.NewtonCG),
        (lambda c: hessx.LineSearchMethod(c, HZ), "direction", Own),
        (lambda c: hessx.LineSearchMethod(LBFGS, c), "rule", hessx.HagerZhang),
        (lambda c: hessx.LineSearchMethod(LBFGS, c), "rule", hessx.FixedStep),
        (lambda c: hessx.TrustRegionMethod(subproblem=c), "subproblem", hessx.GLTR),
        (lambda c: hessx.TrustRegionMethod(region=c), "region", hessx.RadiusRule),
        (lambda c: hessx.TrustRegionMethod(forcing=c), "forcing", hessx.Forcing),
        (lambda c: hessx.TrustRegionMethod(preconditioner=c), "preconditioner", hessx.Jacobi),
        (lambda c: hessx.NewtonCG(subproblem=c), "subproblem", hessx.TruncatedCG),
        (lambda c: hessx.NewtonCG(forcing=c), "forcing", hessx.EisenstatWalker),
        (lambda c: hessx.NewtonCG(preconditioner=c), "preconditioner", hessx.LearntDiagonal),
        (lambda c: run(method=c), "method", hessx.TrustRegionMethod),
        (lambda c: run(options={"preconditioner": c}), "preconditioner", hessx.Jacobi),
        (lambda c: run(options={"forcing": c}), "forcing", hessx.Forcing),
    ],
)
def test_classes_in_the_place_of_objects(make, name, given):
    kind = given.__name__
    with pytest.raises(
        SettingsError, match=rf"^{name} is the class {kind}: expected an object, {kind}\(\)$"
    ):
        make(given)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hessx.LineSearchMethod(LBFGS, 0.1), f"rule is a float: {RULE}"),
        (lambda: hessx.LineSearchMethod(LBFGS, Own()), f"rule is a Own: {RULE}"),
        (lambda: hessx.TrustRegionMethod(region=3.0), "region is a float: expected hessx.RadiusR"),
        (lambda: hessx.TrustRegionMethod(forcing="tight"), "forcing is a str: expected hessx.F"),
        (lambda: hessx.NewtonCG(forcing=None), "forcing is a NoneType: expected hessx.Forcing"),
        (lambda: hessx.NewtonCG(subproblem=3), "subproblem is a int: expected hessx.TruncatedCG"),
    ],
)
def test_parts_that_are_none(make, message):
    with pytest.raises(SettingsError, match=message):
        make()


@pytest.mark.parametrize("pairs", ["pairs", hessx.PairPreconditioner(4)])
@pytest.mark.parametrize("method", [hessx.NewtonCG, hessx.TrustRegionMethod])
def test_pairs_need_a_solver_that_hands_them_back(pairs, method):
    with pytest.raises(
        SettingsError, match=r"GLTR\(\.\.\.\) hands none back: expected hessx\.TruncatedCG\(\), or"
    ):
        method(subproblem=hessx.GLTR(), preconditioner=pairs)
    method(subproblem=hessx.TruncatedCG(), preconditioner=pairs)
    method(subproblem=hessx.GLTR(), preconditioner="jacobi")


@pytest.mark.parametrize("method", ["trust-ncg", "trust-krylov", "newton-cg"])
def test_jacobi_with_operators_that_hold_no_array(backend, method):
    """Where they are is known from x."""
    x0 = backend.asarray([3.0, 4.0, -1.0])
    for operator in (2.0 * hessx.IdentityOperator(3), hessx.IdentityOperator(3).shift(1.0)):
        result = hessx.minimize(
            lambda x: (x @ x, 2.0 * x), x0, jac=True, hess=lambda x, H=operator: H, method=method,
            options={"preconditioner": "jacobi"},
        )  # fmt: skip
        assert result.success
        backend.assert_same_kind(result.x, x0)
        given = hessx.minimize(
            lambda x: (x @ x, 2.0 * x), x0, jac=True, hess=lambda x, H=operator: H, method=method,
            options={"preconditioner": hessx.IdentityOperator(3) * 0.5},
        )  # fmt: skip
        assert given.success
