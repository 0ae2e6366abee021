"""The trust-region method beside dense NumPy, written out step by step."""

from __future__ import annotations

import math

import numpy as np
import pytest

import hessx
from _helpers.runs import PRODUCTS, chained_rosenbrock
from hessx import Outcome
from hessx._xp import space_of
from hessx.core import Reply
from hessx.krylov import KrylovOutcome, ModelStep
from reference.krylov import steihaug

START = np.array([-1.2, 1.0, 0.8, 0.5])


def dense_hessian(x):
    return np.stack([PRODUCTS[chained_rosenbrock](x, e) for e in np.eye(len(x))])


def textbook(x, eta, steps, radius):
    """Nocedal & Wright (2006), algorithms 4.1 and 7.2, with the radius rule of `RadiusRule`."""
    points = []
    f, g = chained_rosenbrock(x)
    for _ in range(steps):
        H = dense_hessian(x)
        norm = np.linalg.norm(g)
        solved = steihaug(H, g, eta * norm, 100, radius, settled=eta <= 0.1)
        p = solved.step
        ratio = (f - chained_rosenbrock(x + p)[0]) / -(g @ p + p @ H @ p / 2.0)
        if ratio < 0.25:
            slope, rise = g @ p, chained_rosenbrock(x + p)[0] - f
            t = -slope / (2.0 * (rise - slope)) if rise > slope else 0.5
            radius = min(max(t, 1.0 / 16.0), 0.5) * min(np.linalg.norm(p), radius)
        elif ratio > 0.75 and solved.outcome != "solved":
            radius *= 4.0 if abs(ratio - 1.0) <= 0.1 else 2.0
        if ratio > 1e-4:
            x = x + p
            f, g = chained_rosenbrock(x)
            points.append(x)
    return points


def accepted_points(method, **settings):
    seen = []
    hessx.minimize(
        chained_rosenbrock, START, jac=True, hessp=PRODUCTS[chained_rosenbrock], method=method,
        callback=lambda x: seen.append(x), **settings,
    )  # fmt: skip
    return seen


@pytest.mark.parametrize("eta", [0.5, 0.01])
@pytest.mark.parametrize("radius", [0.1, 1.0, 10.0])
def test_follows_the_textbook(eta, radius):
    """Iterate by iterate, until f no longer tells the steps apart."""
    forcing = hessx.Forcing(ceiling=eta, floor=eta, last_floor=eta)
    method = hessx.TrustRegionMethod(region=hessx.RadiusRule(initial=radius), forcing=forcing)
    expected = textbook(START, eta, 25, radius)
    points = accepted_points(method, options={"maxiter": 12})
    agree = min(len(points), len(expected), 8)
    assert agree >= 5
    np.testing.assert_allclose(points[:agree], expected[:agree], rtol=0.0, atol=1e-6)


def test_the_first_step_is_the_cauchy_step(backend):
    """With a loose forcing term the first trial is the minimiser along -g."""
    seen = []

    def fun(x):
        seen.append(x)
        return chained_rosenbrock(x)

    x0 = backend.asarray([1.5, 1.0, 0.8, 0.5])
    hessx.minimize(
        fun, x0, jac=True, hessp=PRODUCTS[chained_rosenbrock], method=hessx.TrustRegionMethod(),
        options={"maxfun": 2},
    )  # fmt: skip
    x = backend.to_numpy(x0).astype(float)
    g, H = chained_rosenbrock(x)[1], dense_hessian(x)
    cauchy = x - (g @ g) / (g @ H @ g) * g
    np.testing.assert_allclose(backend.to_numpy(seen[1]), cauchy, rtol=0.0, atol=1e3 * backend.eps)


def test_without_positive_curvature_the_first_step_has_length_x_scale(backend):
    """f = -cos(|x|) beyond pi / 2: g'Hg < 0."""
    a = backend.asarray([2.0, 2.0])

    def fun(x):
        return -(x @ x) / 2.0 + (x * x) @ (x * x) / 4000.0, -x + x * x * x / 1000.0

    for scale in (0.5, 4.0):
        seen = []

        def noted(x, seen=seen):
            seen.append(backend.to_numpy(x).astype(float))
            return fun(x)

        hessx.minimize(
            noted, a, jac=True, hessp=lambda x, v: -v + 3.0 * x * x * v / 1000.0,
            method="trust-ncg", x_scale=scale, options={"maxfun": 2},
        )  # fmt: skip
        step = np.linalg.norm(seen[1] - seen[0])
        assert step == pytest.approx(scale, rel=50 * backend.eps)


def test_no_step_leaves_the_region():
    norms = []

    class Recorded(hessx.Subproblem):
        def __call__(self, model):
            step = hessx.TruncatedCG()(model)
            norms.append((np.linalg.norm(step.step), step.restraint.radius))
            return step

    rule = hessx.RadiusRule(initial=0.05, largest=0.2)
    method = hessx.TrustRegionMethod(subproblem=Recorded(), region=rule)
    points = [START, *accepted_points(method)]
    assert max(radius for _, radius in norms) <= 0.2
    assert all(norm <= radius * (1.0 + 1e-12) for norm, radius in norms)
    assert np.linalg.norm(np.diff(points, axis=0), axis=1).max() <= 0.2 * (1.0 + 1e-12)
    assert abs(chained_rosenbrock(points[-1])[1]).max() <= 1e-5  # at one of its two minima


def test_a_quadratic_far_from_its_minimum_is_reached_by_leaps():
    """Steps of 1, 100, 10^4, 10^6 and the rest, where factors of four make twelve of them."""
    far = np.array([3e6, -1e6, 2e6])
    result = hessx.minimize(
        lambda x: (0.5 * (x - far) @ (x - far), x - far), np.zeros(3), jac=True,
        hessp=lambda x, v: v,
        method=hessx.TrustRegionMethod(region=hessx.RadiusRule(initial=1.0)),
    )  # fmt: skip
    assert result.success
    assert result.nfev == 1 + 5
    np.testing.assert_allclose(result.x, far, rtol=1e-8)


@pytest.mark.parametrize("preconditioner", ["jacobi", "pairs", np.diag([1e-3, 1e-2, 1e-1, 1.0])])
def test_preconditioned_steps_stay_inside_the_region_in_their_norm(preconditioner):
    """sqrt(p' M^-1 p) recomputed with the M that the model had."""
    checked = []

    class Recorded(hessx.Subproblem):
        learns = True

        def __call__(self, model):
            step = hessx.TruncatedCG()(model)
            if model.precondition is not None:
                M = np.stack([model.precondition(e) for e in np.eye(4)])
                length = math.sqrt(step.step @ np.linalg.solve(M, step.step))
                assert length == pytest.approx(step.norm, rel=1e-6)
                assert length <= step.restraint.radius * (1.0 + 1e-6)
                checked.append(length)
            return step

    method = hessx.TrustRegionMethod(subproblem=Recorded(), preconditioner=preconditioner)
    result = hessx.minimize(chained_rosenbrock, START, jac=True, hess=dense_hessian, method=method)
    assert result.success, result.message
    assert len(checked) >= 5


def test_a_rejected_step_changes_no_gradient_and_no_hessian():
    """Products at one point are asked for at this point, however many steps are rejected."""
    asked, accepted = [], [START]

    def hess(x):
        asked.append(x.copy())
        return dense_hessian(x)

    hessx.minimize(
        chained_rosenbrock, START, jac=True, hess=hess,
        method=hessx.TrustRegionMethod(region=hessx.RadiusRule(initial=100.0)),
        callback=lambda x: accepted.append(x),
    )  # fmt: skip
    assert len(asked) == len(accepted) - 1
    np.testing.assert_array_equal(asked, accepted[:-1])


def test_a_subproblem_that_can_be_solved_again_is_not_asked_for_products():
    """`again` of a model step gives the step in a smaller region."""
    calls, agains = [], []

    class Dogleg:
        """The step -t g within the region, remembered."""

        def __init__(self, model):
            self.model = model

        def step_within(self, restraint):
            agains.append(restraint)
            return self.at(restraint.radius)

        def at(self, radius):
            g = self.model.gradient
            t = radius / math.sqrt(g @ g)
            Hg = self.Hg = getattr(self, "Hg", None)
            if Hg is None:
                calls.append(1)
                Hg = self.Hg = self.model.product(g)
            t = min(t, 1.99 * (g @ g) / (g @ Hg)) if g @ Hg > 0.0 else t
            decrease = t * (g @ g) - t * t * (g @ Hg) / 2.0
            return ModelStep(
                -t * g, -t * Hg, decrease, -t * (g @ g), t * math.sqrt(g @ g),
                hessx.Ball(radius), KrylovOutcome.BOUNDARY, 1, basis=self,
            )  # fmt: skip

    class Solved(hessx.Subproblem):
        def __call__(self, model):
            radius = model.restraint.radius
            return Dogleg(model).at(10.0 if radius is None else radius)

    result = hessx.minimize(
        chained_rosenbrock, START, jac=True, hessp=PRODUCTS[chained_rosenbrock],
        method=hessx.TrustRegionMethod(subproblem=Solved()), options={"maxiter": 30},
    )  # fmt: skip
    assert agains
    assert len(calls) == result.nhev <= result.nit + 1
    assert result.fun < chained_rosenbrock(START)[0]


@pytest.mark.parametrize("scale", [1.0, np.array([1.0, 10.0, 0.1, 3.0])])
def test_x_scale_is_a_change_of_variables(scale):
    """An array x_scale gives the run on y = x / scale."""
    if np.ndim(scale) == 0:
        scale = np.full(4, scale)

    def scaled(y):
        value, grad = chained_rosenbrock(y * scale)
        return value, grad * scale

    plain = []
    hessx.minimize(
        scaled, START / scale, jac=True, method="trust-ncg", callback=lambda y: plain.append(y),
        hessp=lambda y, v: PRODUCTS[chained_rosenbrock](y * scale, v * scale) * scale,
        options={"maxiter": 10, "gtol": 0.0},
    )  # fmt: skip
    points = accepted_points(
        hessx.TrustRegionMethod(x_scale=scale), options={"maxiter": 10, "gtol": 0.0}
    )
    np.testing.assert_allclose(points[:8], np.array(plain[:8]) * scale, rtol=1e-6, atol=1e-8)


def test_a_noisy_floor_is_crossed_on_slopes():
    """f = 1e8 + small: values say nothing below 1e-8, gradients go on to 1e-10."""
    w = np.linspace(1.0, 5.0, 6)

    def fun(x):
        return 1e8 + float(w * x @ x) / 2.0 + float(np.sum(x**4)), w * x + 4.0 * x**3

    result = hessx.minimize(
        fun, np.full(6, 0.5), jac=True, hessp=lambda x, v: (w + 12.0 * x**2) * v,
        method="trust-ncg", options={"gtol": 1e-10},
    )  # fmt: skip
    assert result.success, result.message
    assert abs(w * result.x + 4.0 * result.x**3).max() <= 1e-10


def test_where_nothing_falls_the_run_ends_at_the_last_digit():
    """gtol = 0: in the end neither values nor slopes tell a step from rounding."""
    result = hessx.minimize(
        chained_rosenbrock, START, jac=True, hessp=PRODUCTS[chained_rosenbrock],
        method="trust-ncg", options={"gtol": 0.0, "maxiter": 1000},
    )  # fmt: skip
    assert result.outcome in (Outcome.CONVERGED_PRECISION, Outcome.CONVERGED_GRADIENT)
    assert abs(result.jac).max() <= 1e-9


def test_numpy_scalars_are_settings_too(backend):
    """np.float64 is a Python float to the user, and a float64 array to other libraries."""
    x0 = backend.asarray(START)
    method = hessx.TrustRegionMethod(
        region=hessx.RadiusRule(grow=np.float64(3.0), leap=np.float64(50.0))
    )
    for options in ({"initial_trust_radius": np.float64(0.5)}, {"max_trust_radius": np.float64(1)}):
        result = hessx.minimize(
            chained_rosenbrock, x0, jac=True, hessp=PRODUCTS[chained_rosenbrock],
            method="trust-ncg", options=options | {"maxiter": 4, "eta": np.float64(0.1)},
        )  # fmt: skip
        backend.assert_same_kind(result.x, x0)
    result = hessx.minimize(
        chained_rosenbrock, x0, jac=True, hessp=PRODUCTS[chained_rosenbrock],
        method=method, options={"maxiter": 4},
    )  # fmt: skip
    backend.assert_same_kind(result.x, x0)
    assert type(method.region.grow) is type(method.region.leap) is float


def test_an_answer_to_an_earlier_question_is_refused():
    space, method = space_of(START), hessx.TrustRegionMethod()
    state = method.init(space, START)
    with pytest.raises(ValueError, match="spent"):
        method.measure(state, Reply(7, *chained_rosenbrock(START)))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"subproblem": "cg"}, "subproblem is a str"),
        ({"max_inner": 0}, "max_inner = 0"),
        ({"max_inner": 2.5}, "max_inner"),
        ({"x_scale": 0.0}, "x_scale = 0"),
        ({"preconditioner": "jacobbi"}, "'jacobbi': expected .*'jacobi'.*'pairs'"),
    ],
)
def test_settings_out_of_range(settings, words):
    with pytest.raises(hessx.SettingsError, match=words):
        hessx.TrustRegionMethod(**settings)


@pytest.mark.parametrize("name", ["trust-ncg", "Trust-NCG"])
def test_same_minimiser_as_scipy(name):
    optimize = pytest.importorskip("scipy.optimize")
    given = {"jac": True, "hessp": PRODUCTS[chained_rosenbrock], "method": name}
    ours = hessx.minimize(chained_rosenbrock, START, options={"gtol": 1e-8}, **given)
    given["method"] = "trust-ncg"
    theirs = optimize.minimize(chained_rosenbrock, START, options={"gtol": 1e-8}, **given)
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-6)
