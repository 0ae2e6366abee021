"""When a second method takes over: by the numbers of steps whose f is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hessx import AfterSteps, GradientBelow, ModelGood, SettingsError, Stalled, StepTaken
from hessx.globalization import as_switch_rules


def steps(points, value, slope):
    """The steps between points of a function of one variable."""
    before = points[0]
    for k, x in enumerate(points):
        slopes = (slope(before) * (x - before), slope(x) * (x - before)) if k else (math.nan,) * 2
        yield StepTaken(k, value(x), abs(slope(x)), slopes)
        before = x


def first_reason(rule, taken):
    live = rule.begin()
    for step in taken:
        if reason := live.after(step):
            return step.iteration, reason
    return None, ""


@pytest.mark.parametrize(("tolerance", "holds"), [(0.0501, True), (0.0499, False)])
def test_a_parabola_is_told_from_a_cubic(tolerance, holds):
    """Along a step to x = s the change of q(x) + e x^3, q of degree 2, misses the parabola's.

    The change is q(s) + e s^3 and the mean slope gives q(s) + 3 e s^3 / 2, so that the relative
    error is 1 / 20 where e s^3 = -q(s) / 20 / (1 / 2 + 3 / 40).
    """
    s = 0.5
    e = (s - s * s / 2) / 20 / (1 / 2 + 3 / 40) / s**3
    cubic = steps([0.0, s], lambda x: -x + x * x / 2 + e * x**3, lambda x: -1 + x + 3 * e * x * x)
    assert (first_reason(ModelGood(tolerance, steps=1), cubic)[0] == 1) is holds


def test_so_many_good_steps_in_a_row():
    points = [4.0, 3.0, 2.0, 1.0, 0.5, 0.25]
    square = steps(points, lambda x: x * x, lambda x: 2 * x)
    assert first_reason(ModelGood(1e-12, steps=3), square)[0] == 3
    kinked = steps(points, lambda x: x**8, lambda x: 8 * x**7)
    assert first_reason(ModelGood(), kinked) == (None, "")
    rising = steps(points[::-1], lambda x: x * x, lambda x: 2 * x)
    assert first_reason(ModelGood(), rising) == (None, "")


def test_steps_without_slopes_are_no_reason():
    assert first_reason(ModelGood(), [StepTaken(k, -k, 1.0) for k in range(9)]) == (None, "")


def test_a_gradient_that_has_fallen():
    taken = [StepTaken(k, 1.0, norm) for k, norm in enumerate([8.0, 9.0, 2.0, 0.8, 0.7])]
    assert first_reason(GradientBelow(0.1), taken)[0] == 3
    nothing = [StepTaken(k, 1.0, math.nan) for k in range(4)]
    assert first_reason(GradientBelow(0.1), nothing) == (None, "")


def test_little_gained():
    """f = 2^-k halves: k steps bring 2^k - 1 times what is left."""
    values = [2.0**-k for k in range(12)]
    taken = [StepTaken(k, value, 1.0) for k, value in enumerate(values)]
    stop = next(k for k in range(2, 12) if values[k - 2] - values[k] <= 0.05 * (1 - values[k]))
    assert first_reason(Stalled(0.05, steps=2), taken)[0] == stop
    shifted = [StepTaken(k, 8.0 * value + 3.0, 1.0) for k, value in enumerate(values)]
    assert first_reason(Stalled(0.05, steps=2), shifted)[0] == stop  # of no units
    rising = [StepTaken(k, float(k), 1.0) for k in range(9)]
    assert first_reason(Stalled(), rising)[0] is not None


def test_what_a_setting_may_be():
    assert as_switch_rules(3) == as_switch_rules(np.int8(3)) == (AfterSteps(3),)
    assert as_switch_rules([2, Stalled()]) == (AfterSteps(2), Stalled())
    assert as_switch_rules(()) == ()
    for given in (0.5, "soon", None, [None]):
        with pytest.raises(SettingsError, match="when = "):
            as_switch_rules(given)
