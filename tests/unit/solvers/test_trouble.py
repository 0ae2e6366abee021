"""Where no model tells what is left of f, the slope and the lengths of the problem do."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from hessx.core import Outcome
from hessx.solvers._floor import Floor
from hessx.solvers._trouble import floor_reached

EPS = 2.0**-52


def stuck(grad_norm, *, value=1e6, length=1.0, longest=0.5, spread=1.0):
    """A run at the floor of precision: f = value, its noise 10 eps of that, and no model."""
    return SimpleNamespace(
        floor=Floor(10.0 * EPS, value, grad_norm),
        point=SimpleNamespace(value=value, grad_norm=grad_norm, grad_norm2=grad_norm),
        best=None,
        sign=1.0,
        longest=longest,
        frame=SimpleNamespace(length=length),
        space=SimpleNamespace(eps=EPS),
        least_bend=1.0,
        most_bend=spread,
    )


@pytest.mark.parametrize("power", [-30, 0, 30])
def test_a_slope_that_no_step_makes_felt_is_precision_in_any_unit(power):
    """A convex f falls by no more than its slope along a step; its noise is 2.2e-9 of f = 1e6."""
    unit = 2.0**power
    scale = {"length": 1.0 / unit, "longest": 0.5 / unit}  # of x, and g with it
    flat, steep = stuck(2.2e-10 * unit, **scale), stuck(2.3e-10 * unit, **scale)
    assert floor_reached(flat, math.inf)[0] is Outcome.CONVERGED_PRECISION
    assert floor_reached(steep, math.inf)[0] is Outcome.STALLED_PRECISION


def test_a_long_step_of_the_run_counts_and_short_ones_promise_nothing():
    assert floor_reached(stuck(1e-10, longest=3.0), math.inf)[0] is Outcome.STALLED_PRECISION
    assert floor_reached(stuck(1.0, longest=1e-12), math.inf)[0] is Outcome.STALLED_PRECISION


def test_where_curvatures_lie_too_far_apart_it_is_not_told():
    found, text = floor_reached(stuck(1e-14, spread=1e20), math.inf)
    assert found is Outcome.STALLED_PRECISION and "gradient norm 1e-14" in text
