"""What check_every may change: fetches, and a few products beyond the end; nothing else."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

import hessx
from _helpers.quadratics import Quadratic, symmetric
from _helpers.registry import make_backend
from hessx import _xp
from hessx.core import Ball, Damped, Free
from hessx.krylov import KrylovOutcome, TruncatedCG

n = 16
every = pytest.mark.parametrize("check_every", [2, 5, 8])
SPECTRA = {
    "convex": np.linspace(1.0, 20.0, n),
    "bent": np.append([-2.0, -0.5], np.linspace(1.0, 20.0, n - 2)),
    "concave": -np.linspace(1.0, 3.0, n),
}
SETTINGS = {
    "loose": {"tolerance": 0.1},
    "tight": {"tolerance": 1e-2},
    "narrow": {"tolerance": 1e-2, "restraint": Ball(0.02)},
    "wide": {"tolerance": 1e-2, "restraint": Ball(2.0)},
    "cauchy": {"tolerance": 1e-2, "restraint": Ball(None)},
    "damped": {"tolerance": 1e-2, "restraint": Damped(3.0, 5.0)},
    "damping found": {"tolerance": 1e-2, "restraint": Damped(None, 5.0)},
    "limited": {"tolerance": 0.0, "limit": 7},
}


def pose(backend, spectrum, conditioned):
    rng = np.random.default_rng(11)
    H, g = symmetric(rng, SPECTRA[spectrum]), rng.standard_normal(n)
    M = symmetric(rng, np.linspace(0.5, 2.0, n)) if conditioned else None
    return Quadratic(backend, H, g, M)


def solves(posed, check_every, **settings):
    settings["tolerance"] *= np.linalg.norm(posed.g)
    return posed.solve(1, **settings), posed.solve(check_every, **settings)


@every
@pytest.mark.parametrize("conditioned", [False, True])
@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("spectrum", SPECTRA)
def test_the_result_does_not_depend_on_it(backend, spectrum, name, conditioned, check_every):
    posed = pose(backend, spectrum, conditioned)
    one, many = solves(posed, check_every, **SETTINGS[name])
    posed.check(one)
    posed.check(many)
    assert type(many.restraint) is type(one.restraint)
    numbers = dataclasses.astuple(one.restraint)
    assert dataclasses.astuple(many.restraint) == pytest.approx(numbers, rel=1e3 * backend.eps)
    assert many.norm == pytest.approx(one.norm, rel=1e4 * backend.eps)
    difference = posed.step_of(many) - posed.step_of(one)
    assert np.linalg.norm(difference) <= 1e5 * backend.eps * np.linalg.norm(posed.step_of(one))
    if name != "cauchy":  # there rounding says whether the first step has reached the boundary
        assert many.outcome is one.outcome
        assert one.products <= many.products <= one.products + check_every - 1
    assert many.products % check_every == 0 or name == "limited"


@pytest.mark.parametrize("check_every", [1, 4, 7])
@pytest.mark.backends("numpy", "numpy-float32", "torch-float32", "fakegpu")
@pytest.mark.parametrize("condition", [1e1, 1e2, 1e4])
def test_a_solve_to_the_last_digit(backend, condition, check_every):
    """Far beyond what rounding lets r show, where the residual is formed anew every 50 steps.

    q at the end is that of the dense solution, and so is the decrease that is handed out.
    """
    rng = np.random.default_rng(5)
    for values in (np.geomspace(1.0, condition, 60), np.linspace(1.0, condition, 60)):
        posed = Quadratic(backend, symmetric(rng, values), rng.standard_normal(60))
        lowest = posed.q(np.linalg.solve(posed.H, -posed.g))
        solved = posed.solve(check_every, tolerance=0.0, limit=600)
        digits = 30.0 * backend.eps * condition
        assert posed.q(posed.step_of(solved)) == pytest.approx(lowest, rel=digits)
        assert -solved.decrease == pytest.approx(lowest, rel=digits)
        if check_every > 1:
            one = posed.solve(1, tolerance=0.0, limit=600)
            assert solved.outcome is one.outcome
            np.testing.assert_array_equal(posed.step_of(solved), posed.step_of(one))


@every
def test_the_bend_is_the_same(backend, check_every):
    posed = pose(backend, "bent", False)
    one, many = solves(posed, check_every, tolerance=0.0, restraint=Ball(50.0))
    assert one.outcome is many.outcome is KrylovOutcome.NEGATIVE
    a, b = posed.host(one.bend), posed.host(many.bend)
    np.testing.assert_allclose(b, a, rtol=0.0, atol=1e4 * backend.eps * np.linalg.norm(a))
    assert many.curvature == pytest.approx(one.curvature, rel=1e4 * backend.eps)


@pytest.mark.parametrize("check_every", [1, 2, 5, 8])
@pytest.mark.parametrize("collect", [3, 20])
@pytest.mark.parametrize("restraint", [Free(), Ball(1.0)])
def test_the_last_directions_are_collected(backend, check_every, collect, restraint):
    """Conjugate directions with their products, oldest first, of this solve alone."""
    posed = pose(backend, "convex", False)
    limits = {"limit": 6, "collect": collect, "restraint": restraint}
    solved = posed.solve(check_every, **limits)
    pairs = solved.pairs
    steps = 6 if restraint == Free() else posed.solve(1, **limits).products
    assert pairs.count == min(collect, steps)
    order = [(pairs.first + i) % pairs.slots for i in range(pairs.count)]
    P = np.stack([posed.host(pairs.rows[2 + 2 * slot]) for slot in order])
    S = np.stack([posed.host(pairs.rows[3 + 2 * slot]) for slot in order])
    sizes = np.linalg.norm(P, axis=1)
    np.testing.assert_allclose(S, P @ posed.H, atol=1e4 * backend.eps * sizes.max())
    unit = P / np.sqrt(np.sum(S * P, axis=1))[:, None]
    np.testing.assert_allclose(unit @ posed.H @ unit.T, np.eye(len(P)), atol=1e4 * backend.eps)
    if collect < steps:
        # the steps walk along the directions: the last is a multiple of the newest
        full, short = posed.solve(1, limit=steps), posed.solve(1, limit=steps - 1)
        move = posed.step_of(full) - posed.step_of(short)
        if restraint == Free():
            cosine = move @ P[-1] / np.linalg.norm(move) / sizes[-1]
            assert cosine == pytest.approx(1.0, abs=1e5 * backend.eps)


@pytest.mark.parametrize("conditioned", [False, True])
@pytest.mark.parametrize("check_every", [1, 2, 5, 8])
@pytest.mark.backends("fakegpu")
def test_one_fetch_per_check(backend, check_every, conditioned):
    posed = pose(backend, "convex", conditioned)
    model = posed.model(tolerance=1e-4 * np.linalg.norm(posed.g))
    with (
        backend.meter.tally() as tally,
        _xp.record_fetches() as ledger,
        backend.meter.forbid_waits(_xp.fetch, _xp.upload),
    ):
        solved = TruncatedCG(check_every=check_every)(model)
    assert solved.outcome is KrylovOutcome.SOLVED
    assert tally.reads.total() == ledger.fetches == math.ceil(solved.products / check_every)
    assert tally.uploads.total() == ledger.uploads


@pytest.mark.parametrize(("check_every", "most"), [(1, 10), (2, 16), (5, 16), (8, 16)])
@pytest.mark.backends("fakegpu")
def test_launches_per_step(backend, check_every, most):
    """Outside the product, over the whole of a solve of forty steps."""
    rng = np.random.default_rng(3)
    posed = Quadratic(backend, symmetric(rng, np.geomspace(1.0, 1e3, 80)), rng.standard_normal(80))
    inside = []

    def product(v):
        with backend.meter.tally() as tally:
            s = posed.product(v)
        inside.append(tally.launches.total())
        return s

    model = posed.model(product=product, limit=40)
    with backend.meter.tally() as tally:
        solved = TruncatedCG(check_every=check_every)(model)
    assert solved.products == 40
    assert (tally.launches.total() - sum(inside)) / 40 <= most, tally.launches


def test_bad_settings_are_refused():
    for wrong in (0, -1, 1.5, "2"):
        with pytest.raises(hessx.SettingsError, match="check_every"):
            TruncatedCG(check_every=wrong)


def test_what_happens_beyond_the_end_raises_nothing(check_every=8):
    """CG on two eigenvalues ends after two steps; six more divide zero by zero."""
    posed = Quadratic(make_backend("numpy"), np.diag([1.0, 4.0]), [1.0, 1.0])
    with np.errstate(all="raise"):
        solved = TruncatedCG(check_every=check_every)(posed.model(tolerance=1e-12, limit=50))
    np.testing.assert_allclose(solved.step, [-1.0, -0.25], rtol=1e-12)
