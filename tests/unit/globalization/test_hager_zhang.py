"""Hager and Zhang's search beside their algorithm as published, on slopes alone."""

import math

import pytest

from hessx.globalization import HagerZhang, Ray, Verdict

GAMMA = 0.66


class FoundError(Exception):
    """The approximate Wolfe conditions hold."""


def published(slope_at, start, c1, c2):
    """Steps of L0 to L3 of Hager & Zhang (2005) where every value is low enough.

    The first step is an upper end, and step U3, which is for values, never occurs.
    """
    slope0 = slope_at(0.0)
    steps = []

    def slope(alpha):
        steps.append(alpha)
        answer = slope_at(alpha)
        if c2 * slope0 <= answer <= (2 * c1 - 1) * slope0:
            raise FoundError
        return answer

    def update(a, b, c):
        if not a[0] < c < b[0]:
            return a, b
        point = c, slope(c)
        return (a, point) if point[1] >= 0 else (point, b)

    def secant(u, v):
        change = v[1] - u[1]
        return (u[0] * v[1] - v[0] * u[1]) / change if change else math.nan

    try:
        a, b = (0.0, slope0), (start, slope(start))
        while len(steps) < 25:
            c = secant(a, b)
            lower, upper = update(a, b, c)
            if c == upper[0]:
                lower, upper = update(lower, upper, secant(b, upper))
            elif c == lower[0]:
                lower, upper = update(lower, upper, secant(a, lower))
            if upper[0] - lower[0] > GAMMA * (b[0] - a[0]):
                lower, upper = update(lower, upper, (lower[0] + upper[0]) / 2)
            a, b = lower, upper
    except FoundError:
        pass
    return steps


@pytest.mark.parametrize(("c1", "c2"), [(1e-9, 1e-9), (0.4999, 0.4999)])
def test_takes_the_published_steps_where_values_say_nothing(slices, c1, c2):
    """The values given to the search are equal, so that slopes alone decide."""
    rule = HagerZhang(c1=c1, c2=c2)
    lengths = []
    for piece in slices:
        for start in (3.0 * piece.alpha, 30.0 * piece.alpha):
            _, slope0 = piece.phi(0.0)
            if not 0.0 < piece.phi(start)[1] < 1e100:
                continue
            search = rule.search(Ray(value=1.0, slope=slope0, alpha=start, eps=2.0**-52))
            steps, verdict = [], Verdict.TRY
            while verdict is Verdict.TRY and len(steps) < 25:
                steps.append(search.alpha)
                verdict = search.advance(1.0, piece.phi(search.alpha)[1])
            expected = published(lambda alpha, piece=piece: piece.phi(alpha)[1], start, c1, c2)
            # rounding in the published formula of the secant is felt after some eight steps
            assert steps[:8] == pytest.approx(expected[:8], rel=1e-6), piece.name
            lengths.append(len(steps))
    assert sum(length >= 4 for length in lengths) > 30


@pytest.mark.parametrize(("value", "slope"), [(1e6, -1e-6), (1e-3, -5.0), (1e-9, -0.9)])
def test_a_rise_that_ends_in_a_fall_is_left_by_at_least_half(value, slope):
    """Step U3: f(1) is too high, so that a minimum lies before, whatever f'(1) < 0 says."""
    search = HagerZhang().search(Ray(value=0.0, slope=-1.0, alpha=1.0, eps=2.0**-52))
    assert search.advance(value, slope) is Verdict.TRY
    assert 0.1 <= search.alpha <= 0.5


def test_expands_by_no_more_than_its_setting(slice_of, run):
    end = run(HagerZhang(expansion=3.0, max_trials=4), slice_of(lambda a: (-a, -1.0), 2.0))
    assert [alpha for alpha, _, _ in end.trials] == [2.0, 6.0, 18.0, 54.0]


def test_stops_at_the_largest_step_of_an_unbounded_ray(slice_of, run):
    end = run(HagerZhang(alpha_max=50.0), slice_of(lambda a: (-a, -1.0), 1.0))
    assert (end.verdict, end.trials[-1][0], end.search.settled) == (Verdict.ACCEPTED, 50.0, True)


def parabola(alpha):
    """(alpha - 1)^2 / 2, whose cubic is itself."""
    return 0.5 * (alpha - 1.0) ** 2, alpha - 1.0


def alphas(phi, first, iteration):
    """The trials on a ray of the given iteration."""
    value, slope = phi(0.0)
    search = HagerZhang().search(Ray(value, slope, first, 2.0**-52, iteration))
    trials, verdict = [], Verdict.TRY
    while verdict is Verdict.TRY:
        trials.append(search.alpha)
        verdict = search.advance(*phi(search.alpha))
    assert verdict is Verdict.ACCEPTED
    return trials


def test_two_forecasts_that_agree_are_followed_on_the_first_ray_only():
    first, second, *others = alphas(parabola, 1e-3, iteration=0)
    assert (first, second) == pytest.approx((1e-3, 5e-3))
    assert others == pytest.approx([1.0], rel=1e-6)
    later = alphas(parabola, 1e-3, iteration=1)  # accepted once the slope is above c2 = 0.9 of -1
    assert later == pytest.approx([1e-3, 5e-3, 0.025, 0.125])


def test_forecasts_that_differ_are_not_followed():
    """f = exp(alpha) - 1000 alpha: the cubics foretell 39, then 21, for log(1000)."""
    trials = alphas(lambda a: (math.exp(a) - 1e3 * a, math.exp(a) - 1e3), 0.5, iteration=0)
    assert trials[:3] == pytest.approx([0.5, 2.5, 12.5])
    assert all(alpha < 12.5 for alpha in trials[3:])
