"""The step of a model without curvature: closed forms, and what it costs."""

from __future__ import annotations

import math

import numpy as np
import pytest

import hessx
from hessx import Ball, Cubic, Damped, Free, _xp
from hessx._xp import space_of
from hessx.core import SettingsError
from hessx.krylov import KrylovOutcome, QuadraticModel, SteepestStep

G, M = np.array([3.0, -4.0, 12.0]), np.array([0.5, 2.0, 0.25])


def model(backend, restraint, M=None, before=None):
    g = backend.asarray(G)
    return QuadraticModel(
        space_of(g), None, g, 169.0, 0.0, 1, restraint, None if M is None else lambda r: r * M,
        before,
    )  # fmt: skip


RESTRAINTS = [Ball(2.0), Ball(None, 3.0), Damped(4.0), Damped(None, 3.0), Cubic(0.5), Cubic(None)]


@pytest.mark.parametrize("restraint", RESTRAINTS, ids=repr)
@pytest.mark.parametrize("preconditioned", [False, True])
def test_minimises_the_slope_and_the_restraint(backend, restraint, preconditioned):
    """No step nearby is lower, in g'p + sigma norm(p)^k / k, or on the edge of the ball."""
    weights = M if preconditioned else np.ones(3)
    given = backend.asarray(M) if preconditioned else None
    with _xp.record_fetches() as ledger:
        p = SteepestStep()(model(backend, restraint, given))
    assert ledger.fetches == preconditioned
    backend.assert_same_kind(p.step, backend.asarray(G))
    step, scale = backend.to_numpy(p.step).astype(float), 20 * backend.eps
    norm = math.sqrt(step @ (step / weights))
    np.testing.assert_allclose(p.norm, norm, rtol=scale)
    np.testing.assert_allclose([p.slope, -p.decrease], G @ step, rtol=scale)
    assert not backend.to_numpy(p.product).any()
    assert p.products == 0
    if not restraint.known:  # as long as a natural step
        np.testing.assert_allclose(np.linalg.norm(step), restraint.length, rtol=scale)
    in_force = p.restraint
    if isinstance(in_force, Ball):
        np.testing.assert_allclose(norm, in_force.radius, rtol=scale)
        np.testing.assert_allclose(step, G * weights * (G @ step) / (G @ (weights * G)), rtol=scale)
        assert p.outcome is KrylovOutcome.BOUNDARY
        assert p.held_back
        return
    power = 0 if isinstance(in_force, Damped) else 1
    np.testing.assert_allclose(
        G + in_force.sigma * norm**power * step / weights, 0.0, atol=scale * 13.0
    )
    assert p.newtonian
    assert not p.held_back


def test_a_sigma_meant_in_another_norm(backend):
    """Damped(sigma) for N = c I, translated to M: sigma g'Mg / g'Ng, as truncated CG has it."""
    restraint, zero = Damped(4.0), lambda v: v * 0.0
    before = backend.asarray(np.array(2.0 * 169.0))
    asked = model(backend, restraint, backend.asarray(M), before)
    asked.product = zero
    found, expected = SteepestStep()(asked), hessx.TruncatedCG()(asked)
    np.testing.assert_allclose(
        backend.to_numpy(found.step), backend.to_numpy(expected.step), rtol=50 * backend.eps
    )


@pytest.mark.parametrize("square", [0.0, math.inf, math.nan])
def test_no_step_without_a_gradient(square):
    g = np.zeros(3)
    asked = QuadraticModel(space_of(g), None, g, square, 0.0, 1, Damped(4.0))
    p = SteepestStep()(asked)
    assert p.outcome is KrylovOutcome.NONFINITE
    assert p.decrease == 0.0


def test_a_line_search_is_no_restraint():
    with pytest.raises(SettingsError, match="takes Ball, Damped, Cubic"):
        SteepestStep()(model_of_numpy(Free(1.0)))


def model_of_numpy(restraint):
    return QuadraticModel(space_of(G), None, G, 169.0, 0.0, 1, restraint)
