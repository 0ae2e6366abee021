"""The radius rule beside Nocedal & Wright's algorithm 4.1; its guards at the precision floor."""

from __future__ import annotations

import math

import pytest

import hessx

EPS = 2.0**-52
STEP = {"norm": 2.0, "slope": -3.0, "decrease": 2.0, "held_back": True}


def expected_radius(ratio, norm, held_back, largest=math.inf):
    """From radius 2: the parabola through f = 0, slope -3 and the trial's value, by its formula."""
    if ratio < 0.25:
        rise = -ratio * 2.0
        # phi(t) = -3 t + (rise + 3) t^2
        t = 3.0 / (2.0 * (rise + 3.0)) if rise > -3.0 else math.inf
        return min(max(t, 1.0 / 16.0), 0.5) * min(norm, 2.0)
    if ratio > 0.75 and held_back:
        error = abs(ratio - 1.0)
        times = 2.0 if error > 0.1 else 4.0
        if error < 0.25e-4:
            times = 100.0 if error < 1e-6 else 1e-4 / error
        return min(times * 2.0, largest)
    return 2.0


@pytest.mark.parametrize(
    "ratio",
    [
        -1e9, -3.0, 0.0, 5e-5, 2e-4, 0.1, 0.2499, 0.25, 0.5, 0.75, 0.76, 0.95, 1.0, 9.0,
        1.0 + 3e-5, 1.0 - 3e-5, 1.0 + 1e-5, 1.0 - 1e-5, 1.0 - 5e-6, 1.0 + 1e-7,
    ],
)  # fmt: skip
@pytest.mark.parametrize("norm", [0.5, 2.0])
@pytest.mark.parametrize("largest", [math.inf, 3.0])
def test_shrinks_by_interpolation_and_grows_by_factors(ratio, norm, largest):
    region = hessx.RadiusRule(initial=2.0, largest=largest).begin()
    step = STEP | {"norm": norm, "held_back": norm == 2.0}
    accepted = region.after(ratio, **step)
    expected = expected_radius(ratio, norm, step["held_back"], largest)
    assert region.radius == pytest.approx(expected, rel=1e-15)
    assert accepted == (ratio > 1e-4)


@pytest.mark.parametrize("ratio", [math.nan, -math.inf])
def test_a_trial_without_a_value_shrinks_the_region(ratio):
    region = hessx.RadiusRule(initial=1.0).begin()
    assert not region.after(ratio, **STEP)
    assert 0.0 < region.radius <= 0.5


def test_settings_are_used():
    rule = hessx.RadiusRule(
        initial=8.0, accept=0.2, poor=0.3, good=0.5, shrink=(0.125, 0.25), grow=4.0
    )
    region = rule.begin()
    assert not region.after(0.2, **(STEP | {"norm": 8.0}))
    assert region.radius == 2.0
    assert region.after(0.21, **(STEP | {"norm": 1.0}))
    assert region.radius == 0.25
    assert region.after(0.51, **(STEP | {"norm": 0.25}))
    assert region.radius == 1.0
    assert not region.after(-1e6, **(STEP | {"norm": 1.0}))
    assert region.radius == 0.125
    for leap, factor in ((1.0, 4.0), (20.0, 20.0), (1e6, 1e6)):
        region = hessx.RadiusRule(initial=1.0, leap=leap).begin()
        assert region.after(1.0, **(STEP | {"norm": 1.0}))
        assert region.radius == factor


def test_the_ratio_is_actual_by_predicted():
    region = hessx.RadiusRule().begin()
    assert region.ratio(5.0, 3.0, 5.0, 4.0, (-8.0, 0.0), EPS) == 0.5
    assert region.ratio(5.0, 6.0, 5.0, 4.0, (-8.0, 0.0), EPS) == -0.25
    for lost in (math.nan, math.inf):
        assert region.ratio(5.0, lost, 5.0, 4.0, (-8.0, 0.0), EPS) == -math.inf


@pytest.mark.parametrize("offset", [0.0, 1e6, -1e6, 1e12])
@pytest.mark.parametrize("step", [1e-3, 1e-6, 1e-9])
def test_slopes_stand_in_where_f_is_rounded(offset, step):
    """f = x^2 / 2 + offset from x = step to 0: predicted exactly, ratio 1, whatever f shows."""
    f, f_trial = offset + step**2 / 2.0, offset
    slopes = -(step**2), 0.0
    ratio = hessx.RadiusRule().begin().ratio(f, f_trial, f, step**2 / 2.0, slopes, EPS)
    assert abs(ratio - 1.0) <= 1e-3


def test_slopes_cannot_lead_uphill_for_long():
    """A wrong gradient promises a fall; f has risen since its lowest value by more than noise."""
    region = hessx.RadiusRule().begin()
    f, rise, foretold = 1.0, 1e-15, 1e-15
    slopes = -2.0 * foretold, 0.0
    assert region.ratio(f, f + rise, f, foretold, slopes, EPS) == 1.0
    assert region.ratio(f, f + rise, f - 1e-3, foretold, slopes, EPS) < 0.0


@pytest.mark.parametrize("unit", [2.0**-40, 2.0**40])
def test_units_change_nothing(unit):
    region = hessx.RadiusRule().begin()
    for f_trial in (2.0, 2.9999, 3.0, 3.0 - 1e-13, 3.0 + 1e-13):
        plain = region.ratio(3.0, f_trial, 3.0, 0.3, (-0.5, 0.1), EPS)
        slopes = (-0.5 * unit, 0.1 * unit)
        assert (
            region.ratio(3.0 * unit, f_trial * unit, 3.0 * unit, 0.3 * unit, slopes, EPS) == plain
        )


@pytest.mark.parametrize(
    "settings",
    [
        {"initial": 0.0}, {"initial": -1.0}, {"largest": 0.0}, {"accept": -0.1}, {"accept": 0.25},
        {"accept": 0.0, "poor": 0.0},
        {"good": 0.2}, {"good": 1.0}, {"shrink": (0.1, 1.0)}, {"shrink": (0.0, 0.5)},
        {"grow": 1.0}, {"grow": math.inf}, {"leap": 0.9}, {"leap": math.inf},
        {"initial": math.nan}, {"initial": "1"},
    ],
)  # fmt: skip
def test_settings_out_of_range(settings):
    with pytest.raises(hessx.SettingsError, match=list(settings)[-1]):
        hessx.RadiusRule(**settings)
