"""The way out of a saddle: halved until f falls."""

from __future__ import annotations

import math

import pytest

from hessx.globalization import LeavingSearch, Ray, Verdict


def follow(phi, alpha):
    """Values are asked for along the ray until a verdict; the trials."""
    search = LeavingSearch.along(Ray(value=phi(0.0), slope=0.0, alpha=alpha, eps=2.0**-52))
    trials, verdict = [], Verdict.TRY
    while verdict is Verdict.TRY:
        trials.append(search.alpha)
        verdict = search.advance(phi(search.alpha), 0.0)
    return trials, verdict


@pytest.mark.parametrize(("alpha", "count"), [(1.0, 1), (2.0, 2), (100.0, 8)])
def test_halves_until_f_falls(alpha, count):
    """a^4 - a^2 is below 0 before 1."""
    trials, verdict = follow(lambda a: a**4 / 1.5 - a**2, alpha)
    assert verdict is Verdict.ACCEPTED
    assert trials == [alpha * 0.5**i for i in range(count)]
    assert trials[-1] ** 2 < 1.5


@pytest.mark.parametrize("hole", [math.nan, math.inf])
def test_holes_are_stepped_away_from(hole):
    trials, verdict = follow(lambda a: hole if a > 0.1 else -(a**2), 1.0)
    assert verdict is Verdict.ACCEPTED
    assert trials[-1] <= 0.1


@pytest.mark.parametrize("phi", [lambda a: a**2, lambda a: 1.0])
def test_gives_up_where_nothing_falls(phi):
    trials, verdict = follow(phi, 1.0)
    assert verdict is Verdict.FAILED
    assert 10 <= len(trials) <= 60
