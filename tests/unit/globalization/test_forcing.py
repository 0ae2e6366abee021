"""Forcing terms beside their formulas as published."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

import hessx


def test_the_root_of_the_gradient_norm():
    forcing = hessx.Forcing().begin()
    norms = np.geomspace(10.0, 1e-8, 20)
    expected = [min(0.5, max(0.1, math.sqrt(norm / norms[0]))) for norm in norms]
    assert [forcing.term(norm) for norm in norms] == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("ratio", [0.91, 1.0, 1.09])
def test_the_floor_drops_after_two_foretold_steps(ratio):
    forcing = hessx.Forcing().begin()
    forcing.term(1.0)
    for foretold in range(4):
        assert forcing.term(1e-4) == (0.1 if foretold < 2 else 0.01)
        assert forcing.term(1e-12) == (0.1 if foretold < 2 else 1e-3)
        forcing.after(ratio, newtonian=True)
    forcing.after(ratio, newtonian=False)
    assert forcing.term(1e-12) == 0.1


@pytest.mark.parametrize(
    "between",
    [
        {"ratio": 0.89, "newtonian": True},
        {"ratio": 1.11, "newtonian": True},
        {"ratio": math.nan, "newtonian": True},
        {"ratio": 1.0, "newtonian": False},
    ],
)
def test_two_in_a_row(between):
    forcing = hessx.Forcing().begin()
    forcing.term(1.0)
    forcing.after(1.0, newtonian=True)
    forcing.after(**between)
    forcing.after(1.0, newtonian=True)
    assert forcing.term(1e-12) == 0.1
    forcing.after(1.0, newtonian=True)
    assert forcing.term(1e-12) == 1e-3


def published(norms, gamma, alpha, first, ceiling, threshold):
    """Eisenstat & Walker (1996), eq. (2.6) with the safeguard of section 2.1."""
    etas = [first]
    for last, norm in pairwise(norms):
        eta = gamma * (norm / last) ** alpha
        if gamma * etas[-1] ** alpha > threshold:
            eta = max(eta, gamma * etas[-1] ** alpha)
        etas.append(min(eta, ceiling))
    return etas


@pytest.mark.parametrize(("gamma", "alpha"), [(1.0, 2.0), (0.9, 2.0), (1.0, (1 + 5**0.5) / 2)])
def test_eisenstat_and_walkers_second_choice(gamma, alpha):
    rng = np.random.default_rng(6)
    for _ in range(20):
        norms = np.cumprod(rng.uniform(0.05, 1.3, 15))
        forcing = hessx.EisenstatWalker(scale=gamma, power=alpha).begin()
        expected = published(norms, gamma, alpha, 0.3, 0.9, 0.1)
        assert [forcing.term(norm) for norm in norms] == pytest.approx(expected, rel=1e-14)
        forcing.after(1.0, newtonian=True)


@pytest.mark.parametrize("rule", [hessx.Forcing(), hessx.EisenstatWalker(power=2.0)])
@pytest.mark.parametrize("unit", [2.0**-40, 2.0**40])
def test_units_change_nothing(rule, unit):
    one, other = rule.begin(), rule.begin()
    for norm in (3.0, 2.0, 2.5, 0.1, 1e-3):
        assert one.term(norm) == other.term(norm * unit)


@pytest.mark.parametrize(
    ("rule", "settings"),
    [
        (hessx.Forcing, {"ceiling": 1.0}),
        (hessx.Forcing, {"ceiling": 0.0}),
        (hessx.Forcing, {"floor": 0.6}),
        (hessx.Forcing, {"last_floor": 0.2}),
        (hessx.Forcing, {"floor": math.nan}),
        (hessx.EisenstatWalker, {"first": 1.0}),
        (hessx.EisenstatWalker, {"ceiling": 1.0}),
        (hessx.EisenstatWalker, {"scale": 1.1}),
        (hessx.EisenstatWalker, {"power": 2.1}),
        (hessx.EisenstatWalker, {"power": 1.0}),
        (hessx.EisenstatWalker, {"threshold": 0.0}),
    ],
)
def test_settings_out_of_range(rule, settings):
    with pytest.raises(hessx.SettingsError, match=next(iter(settings))):
        rule(**settings)
