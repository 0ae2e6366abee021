"""Noise by a table of differences, against noise of a known size."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hessx.solvers._noise_level import noise_level


@pytest.mark.parametrize("sigma", [1e-10, 1e-5, 1e-1])
def test_noise_is_found_within_a_factor_of_four(sigma):
    """Beside a smooth part whose first differences are far larger."""
    t = np.arange(7.0)
    found = []
    for seed in range(200):
        noise = sigma * np.random.default_rng(seed).standard_normal(7)
        found.append(noise_level((3.0 + 100 * sigma * t + noise).tolist()))
    settled = np.array([level for level in found if level == level])
    assert len(settled) > 150
    assert np.mean((sigma / 4 < settled) & (settled < 4 * sigma)) > 0.95
    assert abs(np.log(np.median(settled) / sigma)) < 0.3


def test_a_smooth_function_has_none():
    t = np.arange(7.0) / 10
    assert math.isnan(noise_level(np.exp(t).tolist()))
    assert noise_level([2.5] * 7) == 0.0
    assert noise_level((1.0 + np.arange(7.0)).tolist()) == 0.0


def test_what_is_not_finite_tells_nothing():
    assert math.isnan(noise_level([1.0, math.inf, 1.0, 1.0, 2.0, 1.0, 1.0]))
    assert math.isnan(noise_level([1.0, math.nan, 1.0, 1.0, 2.0, 1.0, 1.0]))
