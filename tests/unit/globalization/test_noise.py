"""The noise of f, measured where values do not return to f0 as steps shrink."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hessx.globalization import Armijo, HagerZhang, Noise, Ray, Verdict

EPS = 2.0**-52


def test_it_is_the_rounding_of_f_until_more_is_known():
    assert Noise.at(-3.0, EPS).level == 30 * EPS
    assert Noise.at(4.0, EPS, eps_f=1e-9).level == 4e-9
    assert Noise.at(3.0, 2.0**-23).level == 30 * 2.0**-23


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
def test_a_rise_that_falls_with_the_step_is_no_noise(power):
    """rise = alpha^power: linear where the gradient is wrong, quadratic beyond a minimum."""
    noise = Noise.at(1.0, EPS)
    for alpha in 0.3 ** np.arange(25):
        noise = noise.after(alpha, fall=1e-12 * alpha, rise=1e-9 * alpha**power)
    assert noise.level == 10 * EPS


def test_a_rise_that_stays_is():
    noise = Noise.at(1.0, EPS)
    for alpha in (1.0, 0.3, 0.09):
        noise = noise.after(alpha, fall=1e-12 * alpha, rise=1e-10)
    assert 1e-10 <= noise.level <= 4e-10


@pytest.mark.parametrize(
    ("fall", "rise"),
    [(1.0, 1e-10), (1e-12, 1e-3), (1e-12, math.nan), (1e-12, math.inf)],
    ids=["f was to fall visibly", "a wall", "nan", "inf"],
)
def test_what_is_no_noise(fall, rise):
    noise = Noise.at(1.0, EPS)
    for alpha in (1.0, 0.1, 0.01):
        noise = noise.after(alpha, fall=fall * alpha, rise=rise)
    assert noise.level == 10 * EPS


@pytest.mark.parametrize(("rule", "most"), [(HagerZhang(), 3.5), (Armijo(), 2.0)])
def test_searches_accept_by_slopes_within_the_noise_they_have_measured(rule, most):
    """(alpha - 1)^2 of the size 1e-13, under noise of 1e-11, with exact slopes."""
    rng, spent = np.random.default_rng(0), 0
    for _ in range(200):
        search = rule.search(Ray(value=1.0, slope=-2e-13, alpha=1.3, eps=EPS))
        verdict = Verdict.TRY
        while verdict is Verdict.TRY:
            alpha, spent = search.alpha, spent + 1
            value = 1.0 + 1e-13 * ((alpha - 1.0) ** 2 - 1.0) + 1e-11 * rng.uniform(-1.0, 1.0)
            verdict = search.advance(value, 2e-13 * (alpha - 1.0))
        assert verdict is Verdict.ACCEPTED
    assert spent / 200 <= most  # without the measure 4.5 and 2.2


def test_values_at_odds_with_the_slopes_do_not_lead_astray():
    """Slopes half of what they should be: their zero is the minimum all the same."""
    search = HagerZhang(c2=0.1).search(Ray(value=4.0, slope=-4.0, alpha=0.5, eps=EPS))
    verdict, alphas = Verdict.TRY, []
    while verdict is Verdict.TRY:
        alphas.append(search.alpha)
        e = 4.0 * (1.0 - search.alpha)
        verdict = search.advance(e * e / 4.0, -4.0 * (1.0 - search.alpha))
    assert verdict is Verdict.ACCEPTED
    assert len(alphas) <= 4
    assert abs(search.alpha - 1.0) <= 0.1


def test_a_step_that_is_lost_in_x_grows_to_the_size_of_x():
    """Value and slope are those of the start until alpha is 1e40."""
    search = HagerZhang().search(Ray(value=1.0, slope=-1.0, alpha=1.0, eps=EPS))
    trials = 0
    while search.alpha < 1e40:
        trials += 1
        assert search.advance(1.0, -1.0) is Verdict.TRY
    assert trials <= 4
