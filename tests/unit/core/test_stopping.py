"""Each outcome from scripted states: which test holds, at which number, in which order."""

from __future__ import annotations

import math
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

import hessx
from hessx import Outcome, SettingsError, Stopping
from hessx._xp import space_of
from hessx.core import EXACT, Counts, Point, Precision
from hessx.solvers._floor import Floor


def state(
    value=1.0,
    grad_norm=1.0,
    grad_norm2=2.0,
    *,
    first=(100.0, 200.0),
    before=2.0,
    step=1.0,
    iteration=3,
    accepted=True,
    trouble=None,
    dtype=np.float64,
    best=None,
    cut=False,
    precision=EXACT,
):
    """What stopping reads of a solver's state."""
    return SimpleNamespace(
        space=space_of(np.zeros(2, dtype)),
        point=Point(None, value, grad_norm, grad_norm2, precision=precision),
        best=best,
        cut=cut,
        sign=1.0,
        floor=Floor(10.0 * float(np.finfo(dtype).eps), value, grad_norm),
        first=Point(None, 10.0, *first),
        value_before=before,
        scaled_step_norm=step,
        iteration=iteration,
        accepted=accepted,
        trouble=trouble,
    )


def outcome(stopping, scripted, counts=0, seconds=0.0):
    return stopping.apply(scripted, Counts(values=counts, gradients=0), seconds)[0]


@pytest.mark.parametrize(
    ("settings", "scripted", "expected"),
    [
        ({"gtol": 0.5}, {"grad_norm": 0.5}, Outcome.CONVERGED_GRADIENT),
        ({"gtol": 0.5}, {"grad_norm": 0.51}, Outcome.RUNNING),
        ({"gtol": 0.0}, {"grad_norm": 1e-300}, Outcome.RUNNING),
        ({"gtol": 0.0}, {"grad_norm": 0.0}, Outcome.CONVERGED_GRADIENT),
        ({"gtol": 0.5, "norm": 2}, {"grad_norm": 0.1, "grad_norm2": 0.6}, Outcome.RUNNING),
        ({"gtol": 0.5, "norm": 2}, {"grad_norm2": 0.5}, Outcome.CONVERGED_GRADIENT),
        ({"gtol_rel": 0.01}, {"grad_norm": 1.0}, Outcome.CONVERGED_GRADIENT),
        ({"gtol_rel": 0.01}, {"grad_norm": 1.01}, Outcome.RUNNING),
        ({"gtol_rel": 0.01, "norm": 2}, {"grad_norm2": 2.0}, Outcome.CONVERGED_GRADIENT),
        ({}, {"grad_norm": 1e-5}, Outcome.CONVERGED_GRADIENT),
        ({}, {"grad_norm": 1.1e-5}, Outcome.RUNNING),
        ({}, {"grad_norm": 1e-3, "dtype": np.float32}, Outcome.CONVERGED_GRADIENT),
        ({}, {"grad_norm": 1.1e-3, "dtype": np.float32}, Outcome.RUNNING),
        ({"ftol": 0.25}, {"value": 3.0, "before": 4.0}, Outcome.CONVERGED_VALUE),
        ({"ftol": 0.24}, {"value": 3.0, "before": 4.0}, Outcome.RUNNING),
        ({"ftol": 0.25}, {"value": -0.125, "before": 0.125}, Outcome.CONVERGED_VALUE),
        ({"ftol": 0.25}, {"value": 3.0, "before": 4.0, "iteration": 0}, Outcome.RUNNING),
        ({"ftol": 0.0}, {"value": 4.0, "before": 4.0}, Outcome.RUNNING),
        ({"xtol": 1.0}, {"step": 1.0}, Outcome.CONVERGED_STEP),
        ({"xtol": 0.9}, {"step": 1.0}, Outcome.RUNNING),
        ({"lower_limit": 1.5}, {"value": 1.0}, Outcome.UNBOUNDED_BELOW),
        ({"max_iterations": 3}, {}, Outcome.LIMIT_ITERATIONS),
        ({"max_iterations": 3}, {"accepted": False}, Outcome.RUNNING),
        ({"max_iterations": 4}, {}, Outcome.RUNNING),
        ({"gtol": 1.0, "max_iterations": 3}, {}, Outcome.CONVERGED_GRADIENT),
        ({"gtol": 1.0}, {"accepted": False}, Outcome.RUNNING),
        ({}, {"trouble": (Outcome.FAILED_LINE_SEARCH, "no")}, Outcome.FAILED_LINE_SEARCH),
    ],
)
def test_what_holds(settings, scripted, expected):
    assert outcome(Stopping(**settings), state(**scripted)) is expected


def test_limits_on_evaluations_and_seconds_hold_between_iterations():
    trying = state(accepted=False)
    assert outcome(Stopping(max_evaluations=5), trying, counts=4) is Outcome.RUNNING
    assert outcome(Stopping(max_evaluations=5), trying, counts=5) is Outcome.LIMIT_EVALUATIONS
    assert outcome(Stopping(max_seconds=1.0), trying, seconds=0.9) is Outcome.RUNNING
    assert outcome(Stopping(max_seconds=1.0), trying, seconds=1.0) is Outcome.LIMIT_TIME


def test_messages_have_the_numbers():
    _, message = Stopping(gtol=0.5).apply(state(grad_norm=0.25), Counts(), 0.0)
    assert message == "gradient norm 0.25 <= 0.5"
    _, message = Stopping(xtol=2.0).apply(state(step=1.5), Counts(), 0.0)
    assert message == "step norm 1.5 <= 2"


def test_success_and_scipys_integers():
    successes = {o for o in Outcome if o.success}
    assert {o.name[:9] for o in successes} == {"CONVERGED"}
    assert all(o.status == 0 for o in successes)
    assert all(o.status != 0 for o in set(Outcome) - successes)
    limits = {o for o in Outcome if o.name.startswith("LIMIT")}
    assert {o.status for o in limits} == {1}
    assert Outcome.STOPPED_BY_USER.status == 99


@pytest.mark.parametrize("name", ["gtol", "gtol_rel", "ftol", "xtol", "max_seconds"])
@pytest.mark.parametrize("bad", [-1e-9, math.nan, -math.inf, "1", 1j, True])
def test_tolerances_are_numbers_of_at_least_0(name, bad):
    with pytest.raises(SettingsError, match=f"{name} = "):
        Stopping(**{name: bad})


@pytest.mark.parametrize("name", ["gtol", "gtol_rel", "ftol", "xtol"])
def test_tolerances_are_finite(name):
    with pytest.raises(SettingsError, match=f"{name} = inf"):
        Stopping(**{name: math.inf})


@pytest.mark.parametrize(
    "name", ["max_iterations", "max_evaluations", "max_products", "max_seconds"]
)
def test_limits_of_inf_are_none(name):
    for inf in (math.inf, np.float32(math.inf), np.inf):
        assert getattr(Stopping(**{name: inf}), name) is None


@pytest.mark.parametrize("name", ["max_iterations", "max_evaluations", "max_products"])
@pytest.mark.parametrize("limit", [3.0, 2.5, np.float64(2.1), np.int32(3), Fraction(5, 2)])
def test_counts_are_compared_with_limits_as_scipy_does(name, limit):
    """The first count with count >= limit ends the run."""
    assert getattr(Stopping(**{name: limit}), name) == 3
    assert type(getattr(Stopping(**{name: limit}), name)) is int


def test_settings_are_frozen():
    stopping = Stopping()
    with pytest.raises(AttributeError):
        stopping.gtol = 1.0


@pytest.mark.parametrize("length", [1.0, 4.0])
def test_xtol_is_in_units_of_x_scale(length):
    """alpha = 1/2 on half |x|^2: the k-th step has the norm 2^-k |x0|."""
    method = hessx.LineSearchMethod(hessx.Identity(), hessx.FixedStep(0.5), length)
    result = hessx.minimize(
        lambda x: (x @ x / 2, x),
        np.array([1.0, 0.0]),
        jac=True,
        method=method,
        options={"gtol": 0.0, "xtol": 2.0**-10},
    )
    assert result.outcome is Outcome.CONVERGED_STEP
    assert result.nit == 10 - math.log2(length)


def test_a_gradient_within_the_noise_of_its_differences_is_converged():
    """f = 1 and eps = 2^-52: two roundings are 4.4e-16, and 2.2e-15 where f did not move before."""
    for moved, before, expected in (
        (4e-16, 2.0, Outcome.CONVERGED_PRECISION),
        (5e-16, 2.0, Outcome.RUNNING),
        (2e-15, 1.0, Outcome.CONVERGED_PRECISION),
        (3e-15, 1.0, Outcome.RUNNING),
        (math.inf, 1.0, Outcome.RUNNING),
    ):
        scripted = state(before=before, precision=Precision(moved=moved))
        assert outcome(Stopping(gtol=1e-9), scripted) is expected


def test_differences_that_move_nothing_at_the_start_tell_nothing():
    scripted = state(grad_norm=0.0, iteration=0, precision=Precision(moved=0.0))
    assert outcome(Stopping(), scripted) is Outcome.RUNNING


@pytest.mark.parametrize(
    ("settings", "scripted"),
    [
        ({"ftol": 0.1}, {"before": 0.5}),  # f rose
        ({"ftol": 0.6}, {"cut": True}),
        ({"ftol": 0.6}, {"best": Point(None, 0.5, 1.0, 1.0)}),
        ({"xtol": 2.0}, {"cut": True}),
    ],
)
def test_steps_that_tell_nothing_of_the_distance(settings, scripted):
    assert outcome(Stopping(gtol=1e-9, **settings), state(**scripted)) is Outcome.RUNNING
