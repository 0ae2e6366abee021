"""Restraints: what they are where nothing was given, in other norms, and in other units."""

from __future__ import annotations

import dataclasses
import math

import pytest

import hessx
from hessx import Ball, Cubic, Damped, Free

G, K = 3.0, 5.0  # norm(g), and g'Hg / g'g
CAUCHY = G / K


def length_along_g(restraint, g, k):
    """How far along -g / norm(g) the restrained model with slope -g and curvature k falls."""
    match restraint:
        case Ball():
            return min(restraint.radius, g / k) if k > 0.0 else restraint.radius
        case Damped():
            return g / (k + restraint.sigma)
        case Cubic():
            return 2.0 * g / (k + math.sqrt(k * k + 4.0 * restraint.sigma * g))


@pytest.mark.parametrize(
    ("kind", "share"), [(Ball, 1.0), (Damped, 0.5), (Cubic, (math.sqrt(5.0) - 1.0) / 2.0)]
)
def test_what_is_not_given_comes_of_the_cauchy_step(kind, share):
    found = kind(None, 7.0).in_force(G**2, K * G**2)
    assert found.known
    assert found.length == 7.0
    assert length_along_g(found, G, K) == pytest.approx(share * CAUCHY, rel=1e-14)


@pytest.mark.parametrize("kind", [Ball, Damped, Cubic])
@pytest.mark.parametrize("k", [0.0, -1e-3, -5.0])
def test_without_positive_curvature_the_step_has_the_given_length(kind, k):
    found = kind(None, 0.25).in_force(G**2, k * G**2)
    assert length_along_g(found, G, k) == pytest.approx(0.25, rel=1e-14)
    stretched = kind(None, 0.25).in_force(G**2, k * G**2, stretch=4.0)
    assert length_along_g(stretched, G, k) == pytest.approx(1.0, rel=1e-14)


@pytest.mark.parametrize("given", [Ball(2.0), Damped(2.0), Cubic(2.0)])
def test_another_norm_asks_for_the_same_step(given):
    """N = 9 M: norms in M^-1 are three times as long as in N^-1, and so is the step."""
    found = given.in_force(G**2, K * G**2, before=9.0 * G**2)
    # along u = -M g: norm(g) in N is 3 G, and the curvature there 9 times that in M^-1
    before = length_along_g(given, 3.0 * G, 9.0 * K)
    assert length_along_g(found, G, K) == pytest.approx(3.0 * before, rel=1e-14)
    assert given.in_force(G**2, K * G**2) is given


@pytest.mark.parametrize("kind", [Ball, Damped, Cubic])
def test_a_way_without_slope_starts_with_the_given_length(kind):
    found, length = kind(None, 0.5).along(-3.0)
    assert length == 0.5
    assert found.known
    again, same = found.along(-3.0)
    assert (again, same) == (found, 0.5)
    name = dataclasses.fields(kind)[0].name
    number = getattr(found, name)
    tighter = dataclasses.replace(found, **{name: number / 4.0 if kind is Ball else number * 4.0})
    assert tighter.along(-3.0) == (tighter, 0.125)


def test_a_free_step_is_as_long_as_its_reach():
    assert Free(3.0).along(-1.0) == (Free(3.0), 3.0)
    assert Free(3.0).in_force(1.0, 1.0) == Free(3.0)


@pytest.mark.parametrize("kind", [Ball, Damped, Cubic])
@pytest.mark.parametrize("k", [3.0, -3.0])
@pytest.mark.parametrize(("a", "b"), [(2.0**20, 1.0), (1.0, 2.0**-11), (2.0**-7, 2.0**9)])
def test_other_units_of_f_and_x_are_other_units_of_the_number(kind, k, a, b):
    """A radius is a length, sigma of damping a curvature, of a cubic term f / x^3."""
    unit = {Ball: b, Damped: a / b**2, Cubic: a / b**3}[kind]
    one = dataclasses.astuple(kind(None, 2.0).in_force(7.0, 7.0 * k))
    square = a * a / (b * b)
    other = kind(None, 2.0 * b).in_force(7.0 * square, 7.0 * k * square * a / (b * b))
    assert dataclasses.astuple(other) == (one[0] * unit, one[1] * b)
    assert kind(None, 2.0 * b).along(k * a / b**2 if k < 0.0 else -a / b**2)[1] == 2.0 * b


@pytest.mark.parametrize("kind", [Damped, Cubic])
def test_a_number_beyond_the_range_of_floats_stays_in_it(kind):
    for curvature in (1e-300, 1e300):
        found = kind(None).in_force(1e-300, curvature * 1e-300)
        assert 0.0 < found.sigma < math.inf
    for before in (5e-324, 1e308, math.inf):
        assert 0.0 < kind(1e3).in_force(1.0, 1.0, before=before).sigma < math.inf


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Ball(-1.0), "radius = -1"),
        (lambda: Ball(math.nan), "radius = nan"),
        (lambda: Ball("1"), "radius = '1'"),
        (lambda: Damped(-1e-9), "sigma = -1e-09"),
        (lambda: Cubic(-1.0), "sigma = -1"),
        (lambda: Ball(1.0, 0.0), "length = 0"),
        (lambda: Damped(None, -1.0), "length = -1"),
        (lambda: Cubic(None, math.inf), "length = inf"),
        (lambda: Free(-1.0), "reach = -1"),
        (lambda: Free(None), "reach = None"),
    ],
)
def test_numbers_out_of_range(make, words):
    with pytest.raises(hessx.SettingsError, match=words):
        make()
