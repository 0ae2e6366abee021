"""Nielsen's damping and the weight of a cubic term beside their formulas, and in other units."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

import hessx
from hessx import Ball, Cubic, Damped
from hessx.globalization import RestraintState

STEP = {"norm": 0.5, "slope": -3.0, "decrease": 2.0, "held_back": True}
RATIOS = [-1e9, -3.0, 0.0, 5e-5, 2e-4, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0, 1.5, 9.0]
RULES = {Ball: hessx.RadiusRule, Damped: hessx.NielsenRule, Cubic: hessx.CubicRule}


@pytest.mark.parametrize("ratio", RATIOS)
def test_nielsen_s_factor(ratio):
    """Madsen, Nielsen & Tingleff (2004), algorithm 3.16, in exact arithmetic."""
    state = hessx.NielsenRule(initial=4.0).begin()
    assert state.after(ratio, **STEP) == (ratio > 1e-4)
    factor = max(Fraction(1, 3), 1 - (2 * Fraction(ratio) - 1) ** 3) if ratio > 1e-4 else 2
    assert state.sigma == pytest.approx(4.0 * float(factor), rel=1e-15)


def test_nielsen_s_damping_grows_faster_and_faster_until_a_step_is_accepted():
    state, seen = hessx.NielsenRule(initial=1.0).begin(), []
    for ratio in (-1.0, math.nan, -math.inf, 0.5, -1.0):
        state.after(ratio, **STEP)
        seen.append(state.sigma)
    assert seen == [2.0, 8.0, 64.0, 64.0, 128.0]


def test_nielsen_s_settings_are_used():
    state = hessx.NielsenRule(initial=1.0, accept=0.3, shrink=0.25, grow=4.0).begin()
    assert not state.after(0.3, **STEP)
    assert state.sigma == 4.0
    assert state.after(0.5, **STEP)
    assert state.after(1.0, **STEP)
    assert state.sigma == 1.0


def expected_sigma(ratio, sigma, norm, decrease):
    """-decrease + s norm^3 / 3 = -ratio decrease, solved for s, and clipped."""
    cube = norm**3 / 3.0
    rho = ratio * decrease / (decrease - sigma * cube)
    fit = (decrease - ratio * decrease) / cube
    if rho > 0.9:
        return rho, min(max(fit, 0.1 * sigma), 0.5 * sigma)
    return rho, min(max(fit, 2.0 * sigma), 100.0 * sigma) if rho < 0.1 else sigma


@pytest.mark.parametrize("ratio", [*RATIOS, 0.97, 0.99, 0.05])
@pytest.mark.parametrize("sigma", [0.5, 12.0])
def test_the_weight_of_the_cubic_term(ratio, sigma):
    state = hessx.CubicRule(initial=sigma).begin()
    rho, expected = expected_sigma(ratio, sigma, STEP["norm"], STEP["decrease"])
    assert state.after(ratio, **STEP) == (rho >= 0.1)
    assert state.sigma == pytest.approx(expected, rel=1e-12)


def test_the_weight_that_a_cubic_function_asks_for():
    """f = q + 6 t^3 / 3 and sigma = 2: rejected or not, the factor is 3 where it is free."""
    t, slope, curvature = 1.0, -4.0, -2.0
    decrease = -(slope * t + curvature * t * t / 2.0)
    ratio = (decrease - 6.0 * t**3 / 3.0) / decrease
    rule = hessx.CubicRule(initial=2.0, accept=0.8, good=0.85)
    state = rule.begin()
    assert not state.after(ratio, norm=t, slope=slope, decrease=decrease, held_back=True)
    assert state.sigma == pytest.approx(6.0, rel=1e-14)


@pytest.mark.parametrize("ratio", [math.nan, -math.inf])
@pytest.mark.parametrize("kind", RULES)
def test_a_trial_without_a_value_tightens(kind, ratio):
    state = RULES[kind](initial=1.0).begin()
    assert not state.after(ratio, **STEP)
    found = state.restraint(1.0)
    assert found.radius <= 0.5 if kind is Ball else found.sigma >= 2.0


@pytest.mark.parametrize("kind", RULES)
def test_a_rule_at_work(kind):
    """None until a solve has found the number; from there on it is adopted, kept, forgotten."""
    rule = RULES[kind]()
    assert rule.restraint is kind
    state = rule.begin()
    assert isinstance(state, RestraintState)
    assert state.restraint(3.0) == kind(None, 3.0)
    state.adopt(kind(2.0, 3.0))
    assert state.restraint(3.0) == kind(2.0, 3.0)
    state.after(-1.0, **STEP)
    assert state.restraint(3.0) not in (kind(2.0, 3.0), kind(None, 3.0))
    state.restart()
    assert state.restraint(3.0) == kind(None, 3.0)
    assert RULES[kind](initial=0.5).begin().restraint(1.0) == kind(0.5, 1.0)
    assert state.ratio(5.0, 3.0, 5.0, 4.0, (-8.0, 0.0), 2.0**-52) == 0.5


def test_a_restart_forgets_the_rejections_too():
    state = hessx.NielsenRule(initial=1.0).begin()
    for _ in range(5):
        state.after(-1.0, **STEP)
    state.restart()
    state.adopt(Damped(1.0))
    state.after(-1.0, **STEP)
    assert state.sigma == 2.0


@pytest.mark.parametrize(("a", "b"), [(2.0**40, 1.0), (1.0, 2.0**-20), (2.0**-9, 2.0**13)])
@pytest.mark.parametrize("kind", RULES)
def test_units_change_nothing(kind, a, b):
    unit = {Ball: b, Damped: a / b**2, Cubic: a / b**3}[kind]
    one, other = RULES[kind](initial=1.25).begin(), RULES[kind](initial=1.25 * unit).begin()
    step = {"norm": 0.5, "slope": -3.0, "decrease": 1.75, "held_back": True}
    for ratio in (0.3, 0.95, 1.0 - 1e-5, -0.7, 0.04, -20.0, 0.8, 1.3, 2.0**-20):
        units = {"norm": step["norm"] * b, "slope": -3.0 * a, "decrease": 1.75 * a}
        assert one.after(ratio, **step) == other.after(ratio, **step | units)
        numbers = [getattr(s, "radius" if kind is Ball else "sigma") for s in (one, other)]
        assert numbers[1] == numbers[0] * unit


@pytest.mark.parametrize("ratio", [1.0, -1.0])
@pytest.mark.parametrize("kind", [Damped, Cubic])
def test_sigma_never_leaves_the_range_of_floats(kind, ratio):
    state = RULES[kind](initial=1.0).begin()
    for _ in range(2000):
        state.after(ratio, **STEP)
    assert 0.0 < state.sigma < math.inf


@pytest.mark.parametrize(
    ("rule", "settings"),
    [
        (hessx.NielsenRule, {"initial": 0.0}), (hessx.NielsenRule, {"accept": 1.0}),
        (hessx.NielsenRule, {"accept": -0.1}), (hessx.NielsenRule, {"shrink": 1.0}),
        (hessx.NielsenRule, {"shrink": 0.0}), (hessx.NielsenRule, {"grow": 1.0}),
        (hessx.CubicRule, {"initial": -1.0}), (hessx.CubicRule, {"accept": 0.0}),
        (hessx.CubicRule, {"accept": 0.9}), (hessx.CubicRule, {"good": 1.0}),
        (hessx.CubicRule, {"shrink": (0.5, 0.1)}), (hessx.CubicRule, {"shrink": (0.1, 1.0)}),
        (hessx.CubicRule, {"grow": (1.0, 2.0)}), (hessx.CubicRule, {"grow": (3.0, math.inf)}),
    ],
)  # fmt: skip
def test_settings_out_of_range(rule, settings):
    with pytest.raises(hessx.SettingsError, match=next(iter(settings))):
        rule(**settings)


def test_a_cubic_term_that_was_forgotten_is_felt_after_a_rejection_or_two():
    """sigma stays where the term is 1e-12 of the decrease, and returns to a tenth of it."""
    state = hessx.CubicRule(initial=1.0).begin()
    size = STEP["norm"] ** 3 / 3
    for _ in range(400):
        assert state.after(1.0, **STEP)
    assert state.sigma * size == pytest.approx(1e-12 * STEP["decrease"], rel=1e-9)
    shorter = STEP | {"norm": 1e-3 * STEP["norm"]}
    assert not state.after(-1.0, **shorter)
    assert state.sigma * size * 1e-9 == pytest.approx(0.1 * STEP["decrease"], rel=1e-9)
