"""Line searches that let f rise: whose values count, where decrease is measured, what is kept."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest

import hessx
from _helpers.runs import chained_rosenbrock
from hessx import Armijo, HagerZhang, MoreThuente, NonMonotone, NonMonotoneAverage, Ray, Verdict
from hessx.core import SettingsError
from reference.descent import highest_of_last, spectral_gradient, weighted_average

START = np.tile([-1.2, 1.0], 3)
RULES = {"armijo": Armijo(), "hager-zhang": HagerZhang(), "more-thuente": MoreThuente(c2=0.5)}
REFERENCES = {
    "max of 1": (lambda rule: NonMonotone(rule, memory=1), highest_of_last(1)),
    "max of 4": (lambda rule: NonMonotone(rule, memory=4), highest_of_last(4)),
    "average": (lambda rule: NonMonotoneAverage(rule), weighted_average(0.85)),
    "mean": (lambda rule: NonMonotoneAverage(rule, eta=1.0), weighted_average(1.0)),
}
ENDS = {hessx.Outcome.CONVERGED_PRECISION, hessx.Outcome.STALLED_PRECISION}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
every_reference = pytest.mark.parametrize("name", REFERENCES)


def trail(direction, rule, x0=START, **options):
    """All that was evaluated, and the result."""
    seen = []

    def fun(x):
        seen.append(x.copy())
        return chained_rosenbrock(x)

    method = hessx.LineSearchMethod(direction, rule)
    options = {"maxiter": 40, "return_all": True, **options}
    result = hessx.minimize(fun, x0, jac=True, method=method, history=True, options=options)
    return np.stack(seen), result


@every_reference
def test_the_reference_is_that_of_the_source(name, rng):
    make, reference = REFERENCES[name]
    steps, values = make(Armijo()).begin(), []
    for value in rng.standard_normal(20):
        values.append(value)
        ray = Ray(value, -1.0, 1.0, 2.0**-52)
        found = steps.search(ray).reference
        assert steps.search(ray).reference == found  # to look changes nothing
        # of an average, f itself where that is higher
        np.testing.assert_allclose(found, max(value, reference(np.array(values))), rtol=1e-14)
        steps.after(ray, 1.0, math.nan, math.nan)


@pytest.mark.parametrize("variant", ["long", "short", "alternating", "adaptive"])
@every_reference
def test_spectral_gradients_step_by_step(name, variant):
    """With Armijo's rule along -gamma g: the trials of the books, from the values so far."""
    make, reference = REFERENCES[name]
    method = hessx.LineSearchMethod(hessx.Spectral(variant), make(Armijo()), x_scale=0.3)
    result = hessx.minimize(
        chained_rosenbrock, START, jac=True, method=method, history=True,
        options={"maxiter": 25, "return_all": True},
    )  # fmt: skip
    points, values = spectral_gradient(chained_rosenbrock, START, 0.3, 25, variant, reference)
    np.testing.assert_allclose(result.allvecs, points, rtol=1e-6, atol=1e-8)
    assert result.history.rises == np.sum(np.diff(values) > 0.0)


def test_values_do_rise():
    """So the runs above tell the rules apart."""
    rises = {
        name: trail(hessx.Spectral("long"), make(Armijo()))[1].history.rises
        for name, (make, _) in REFERENCES.items()
    }
    assert rises["max of 1"] == 0
    assert min(rises["max of 4"], rises["average"], rises["mean"]) > 1


@every_rule
@pytest.mark.parametrize("direction", [hessx.LBFGS(), hessx.Spectral(), hessx.NonlinearCG()])
@pytest.mark.parametrize(
    "wrapped", [lambda rule: NonMonotone(rule, memory=1), lambda rule: NonMonotoneAverage(rule, 0)]
)
def test_without_a_past_it_is_the_rule_itself(rule, direction, wrapped):
    """Bitwise."""
    plain, expected = trail(direction, rule)
    seen, result = trail(direction, wrapped(rule))
    np.testing.assert_array_equal(seen, plain)
    assert list(result.history["alpha"][1:]) == list(expected.history["alpha"][1:])


@every_reference
@every_rule
def test_accepted_steps_decrease_below_the_reference(rule, name):
    make, reference = REFERENCES[name]
    _, result = trail(hessx.LBFGS(memory=3), make(rule))
    assert result.nit > 15
    points = [(x, *chained_rosenbrock(x)) for x in result.allvecs]
    values = np.array([f for _, f, _ in points])
    for k, ((x, f, g), (x_new, f_new, g_new)) in enumerate(pairwise(points)):
        slope, end = g @ (x_new - x), g_new @ (x_new - x)
        r = max(f, reference(values[: k + 1]))
        assert f_new <= r + rule.c1 * slope + 1e-13 * abs(r) + 1e-14
        if isinstance(rule, HagerZhang):
            assert end >= rule.c2 * slope - 1e-10 * abs(slope)
        elif isinstance(rule, MoreThuente):
            assert abs(end) <= (rule.c2 + 1e-10) * abs(slope)


@every_rule
def test_the_first_trial_that_decreases_below_the_reference_is_taken(rule, slices):
    """And interpolation knows f0 alone: until then the trials are those of the rule."""
    taken = 0
    for piece in slices[::3]:
        f0, slope0 = piece.phi(0.0)
        ray = Ray(f0, slope0, piece.alpha, piece.eps)
        lifted = dataclasses.replace(ray, reference=f0 + 0.3 * abs(f0) - slope0 * piece.alpha)
        plain, search = rule.search(ray), rule.search(lifted)
        for _ in range(30):
            assert search.alpha == plain.alpha, piece.name
            value, slope = piece.phi(search.alpha)
            decreased = value <= lifted.reference + rule.c1 * search.alpha * slope0
            curved = {
                Armijo: True,
                HagerZhang: slope >= getattr(rule, "c2", 1.0) * slope0,
                MoreThuente: abs(slope) <= getattr(rule, "c2", 1.0) * abs(slope0),
            }[type(rule)]
            verdict, expected = search.advance(value, slope), plain.advance(value, slope)
            if decreased and curved and value < lifted.reference and math.isfinite(value + slope):
                taken += expected is Verdict.TRY
                assert verdict is Verdict.ACCEPTED, piece.name
            assert verdict is expected or verdict is Verdict.ACCEPTED
            if verdict is not Verdict.TRY:
                break
    assert taken > 0  # where the rule itself goes on


@every_reference
def test_the_lowest_point_is_returned(name):
    make, _ = REFERENCES[name]
    for maxiter in range(1, 30):
        _, result = trail(hessx.Spectral("long"), make(Armijo()), maxiter=maxiter)
        assert not result.success
        assert result.fun == min(result.history["value"])
        assert chained_rosenbrock(result.x)[0] == result.fun


@every_rule
@every_reference
@pytest.mark.parametrize("direction", [hessx.LBFGS(), hessx.DiagonalBFGS()])
def test_the_floor_of_precision_is_reached_and_seen(direction, rule, name):
    """With gtol = 0, on a loss whose gradient is rounding at its minimum."""
    A = np.random.default_rng(3).standard_normal((30, 6))

    def fun(x):
        m = A @ x
        pull = np.tanh(m / 2.0) / 2.0 - 0.3
        return float(np.sum(np.logaddexp(0.0, m) - 0.8 * m) + x @ x / 2.0), A.T @ pull + x

    method = hessx.LineSearchMethod(direction, REFERENCES[name][0](rule))
    options = {"gtol": 0.0, "maxfun": 400}
    result = hessx.minimize(fun, START, jac=True, method=method, options=options)
    assert result.outcome in ENDS, result.message
    assert result.success or isinstance(rule, Armijo)  # it does not lengthen what tells nothing
    lowest = hessx.minimize(fun, START, jac=True, options={"gtol": 1e-9}).fun
    assert abs(result.fun - lowest) <= 1e-14 * abs(lowest)


@pytest.mark.parametrize("make", [NonMonotone, NonMonotoneAverage])
@pytest.mark.parametrize(
    "rule",
    [hessx.FixedStep(0.1), hessx.BarzilaiBorwein(), NonMonotone(), NonMonotoneAverage(), 1.0],
)
def test_only_searches_can_be_given(make, rule):
    with pytest.raises(SettingsError, match=r"expected a line search: hessx.Armijo\(\)"):
        make(rule)


@pytest.mark.parametrize(
    ("make", "setting"),
    [
        (NonMonotone, {"memory": 0}),
        (NonMonotone, {"memory": 1.5}),
        (NonMonotoneAverage, {"eta": -0.1}),
        (NonMonotoneAverage, {"eta": 1.1}),
        (NonMonotoneAverage, {"eta": math.nan}),
    ],
)
def test_settings_out_of_range_are_refused(make, setting):
    with pytest.raises(SettingsError, match=next(iter(setting))):
        make(**setting)
