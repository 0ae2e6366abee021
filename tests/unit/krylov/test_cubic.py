"""GLTR with a cubic term beside the dense minimiser of g'p + p'Hp / 2 + sigma norm(p)^3 / 3."""

from __future__ import annotations

import math

import numpy as np
import pytest

from _helpers.quadratics import Quadratic, symmetric
from _helpers.registry import make_backend
from hessx._xp import record_fetches
from hessx.core import Ball, Cubic, Damped, Free, SettingsError
from hessx.krylov import GLTR, KrylovOutcome
from hessx.krylov._tridiagonal import Tridiagonal
from reference.trust_region import cubic_step, model_decrease

n = 12
SPECTRA = {
    "convex": np.linspace(0.5, 4.0, n),
    "indefinite": np.linspace(-1.0, 3.0, n),
    "negative": np.linspace(-3.0, -1.0, n),
    "near-singular": np.array([1e-9, 1e-3, *np.linspace(0.5, 4.0, n - 2)]),
}
SIGMAS = [1e-2, 1.0, 30.0]


def pose(backend, H, g, conditioned=False):
    M = symmetric(np.random.default_rng(8), np.geomspace(0.3, 3.0, len(g)))
    return Quadratic(backend, H, g, M if conditioned else None)


def random(backend, spectrum, conditioned=False):
    rng = np.random.default_rng(3)
    H = symmetric(rng, SPECTRA[spectrum])
    return pose(backend, H, rng.standard_normal(n), conditioned)


def solve(posed, sigma, tolerance=None, **settings):
    posed.calls = 0
    tolerance = 100.0 * posed.backend.eps if tolerance is None else tolerance
    settings["tolerance"] = tolerance * np.linalg.norm(posed.g)
    restraint = settings.pop("restraint", None) or Cubic(sigma)
    return GLTR()(posed.model(restraint=restraint, **settings))


def check(posed, step, sigma, loss=1e4):
    """As low as the dense step, its multiplier sigma norm(p), and true of itself."""
    posed.check(step)
    tol, p = loss * posed.backend.eps, posed.step_of(step)
    best, multiplier = cubic_step(posed.H, posed.g, sigma, posed.M)

    def decrease(p):
        norm = np.sqrt(p @ p if posed.M is None else p @ np.linalg.solve(posed.M, p))
        return model_decrease(posed.H, posed.g, p) - sigma * norm**3 / 3.0

    assert decrease(p) >= decrease(best) * (1.0 - tol)
    assert sigma * step.norm == pytest.approx(multiplier, rel=tol)
    W = np.eye(len(p)) if posed.M is None else np.linalg.inv(posed.M)
    error = np.linalg.norm(posed.H @ p + sigma * step.norm * W @ p + posed.g)
    # a solve ends where the model falls no further, which is of second order in the residual
    small = max(tol, math.sqrt(posed.backend.eps))
    assert error <= small * (1.0 + np.linalg.norm(p)) * np.linalg.norm(posed.g)


@pytest.mark.parametrize("conditioned", [False, True])
@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("spectrum", SPECTRA)
def test_the_step_is_the_dense_one(backend, spectrum, sigma, conditioned):
    posed = random(backend, spectrum, conditioned)
    step = solve(posed, sigma)
    check(posed, step, sigma)
    assert step.products == posed.calls
    assert step.restraint == Cubic(sigma)


@pytest.mark.parametrize("conditioned", [False, True])
@pytest.mark.parametrize("spectrum", SPECTRA)
def test_another_sigma_asks_for_no_product(backend, spectrum, conditioned):
    posed = random(backend, spectrum, conditioned)
    step = solve(posed, 0.1)
    asked = posed.calls
    for sigma in (0.4, 3.0, 1e3):
        step = step.again(Cubic(sigma))
        check(posed, step, sigma)
        assert step.restraint == Cubic(sigma)
    assert posed.calls == asked
    assert step.products == 0


def test_a_basis_without_an_answer(backend):
    step = solve(random(backend, "indefinite"), 1.0)
    assert step.again(Free()) is None
    assert step.again(Ball(0.5)).norm == pytest.approx(0.5, rel=100.0 * backend.eps)


def test_what_holds_the_step_back(backend):
    negative = solve(random(backend, "indefinite"), 1.0)
    assert negative.outcome is KrylovOutcome.NEGATIVE
    felt = solve(random(backend, "convex"), 30.0)
    assert felt.outcome is KrylovOutcome.RESTRAINED
    slight = solve(random(backend, "convex"), 1e-2)
    assert slight.outcome in (KrylovOutcome.SOLVED, KrylovOutcome.STAGNATED)
    assert (negative.held_back, felt.held_back, slight.held_back) == (True, True, False)
    assert (negative.newtonian, felt.newtonian, slight.newtonian) == (False, False, True)


@pytest.mark.parametrize("part", [0.0, 1e-9, 1e-4, 1e-2])
def test_nearly_the_hard_case(backend, part):
    """g hardly knows of the one negative direction; where it does not, no Krylov space does."""
    w = np.array([-1.0, *np.linspace(0.5, 4.0, n - 1)])
    g = np.array([part, *np.random.default_rng(1).uniform(0.5, 1.0, n - 1)])
    posed = pose(backend, np.diag(w), g)
    step = solve(posed, 0.05)
    p = posed.step_of(step)
    posed.check(step)
    assert model_decrease(posed.H, posed.g, p) > 0.0
    if part == 0.0:
        assert p[0] == 0.0
    if part >= 1e-4:
        check(posed, step, 0.05, loss=1e6)
        assert step.outcome is KrylovOutcome.NEGATIVE


@pytest.mark.parametrize("coupling", [0.0, 1e-200, 1e-12, 1e-6])
@pytest.mark.parametrize("sigma", [1e-3, 0.1, 0.5, 10.0])
def test_the_hard_case_of_a_tridiagonal_matrix(coupling, sigma):
    """diag(2, 3, -1) whose last entry is all but cut off from g = e_1."""
    T = Tridiagonal([2.0, 3.0, -1.0], [1.0, 0.5, coupling])
    dense = np.diag([2.0, 3.0, -1.0]) + np.diag([0.5, coupling], 1) + np.diag([0.5, coupling], -1)
    g = np.array([1.0, 0.0, 0.0])
    found = T.cubic(sigma)
    norm = np.linalg.norm(found.h)
    assert sigma * norm == pytest.approx(found.multiplier, rel=1e-12)
    assert found.multiplier >= 1.0 - 1e-12  # T + multiplier I has no negative eigenvalue
    error = (dense + found.multiplier * np.eye(3)) @ found.h + g
    assert np.linalg.norm(error) <= 1e-12 * (1.0 + norm)
    best, multiplier = cubic_step(dense, g, sigma)
    assert found.multiplier == pytest.approx(multiplier, rel=1e-10)
    assert np.linalg.norm(best) == pytest.approx(norm, rel=1e-10)
    assert found.decrease == pytest.approx(model_decrease(dense, g, best), rel=1e-10)


@pytest.mark.parametrize("sigma", [1e-12, 1e-3, 1.0, 1e12])
@pytest.mark.parametrize("diagonal", [[3.0], [0.0], [-2.0], [1.0, 1e9], [1e-9, -1e-9], [-1e9, 5.0]])
def test_extreme_tridiagonal_matrices(diagonal, sigma):
    norms = [0.7] * len(diagonal)
    found = Tridiagonal(diagonal, norms).cubic(sigma)
    off = np.full(len(diagonal) - 1, 0.7)
    dense = np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1)
    g = np.append(0.7, np.zeros(len(diagonal) - 1))
    assert sigma * np.linalg.norm(found.h) == pytest.approx(found.multiplier, rel=1e-6)
    best, multiplier = cubic_step(dense, g, sigma)
    assert found.multiplier == pytest.approx(multiplier, rel=1e-6)
    size = np.linalg.norm(dense, 2) + found.multiplier
    error = (dense + found.multiplier * np.eye(len(g))) @ found.h + g
    assert np.linalg.norm(error) <= 1e-12 * size * np.linalg.norm(found.h)
    assert np.linalg.norm(best) == pytest.approx(np.linalg.norm(found.h), rel=1e-6)


@pytest.mark.parametrize("conditioned", [False, True])
def test_sigma_is_found_with_the_first_product(backend, conditioned):
    posed = random(backend, "convex", conditioned)
    u = posed.g if posed.M is None else posed.M @ posed.g
    curvature = (u @ posed.H @ u) / (posed.g @ u)
    sigma = curvature**2 / math.sqrt(posed.g @ u)
    step = solve(posed, None)
    assert step.restraint.sigma == pytest.approx(sigma, rel=100.0 * backend.eps)
    check(posed, step, step.restraint.sigma)
    bent = Quadratic(backend, -posed.H, posed.g, posed.M)
    along = solve(bent, None, restraint=Cubic(None, 0.25), limit=1)
    assert np.linalg.norm(bent.step_of(along)) == pytest.approx(0.25, rel=1e3 * backend.eps)


def test_a_term_meant_for_another_preconditioner(backend):
    """N = 9 M: sigma (p'N^-1 p)^(3/2) is sigma / 27 (p'M^-1 p)^(3/2)."""
    posed = random(backend, "indefinite", True)
    before = posed.backend.asarray(posed.g @ (9.0 * posed.M) @ posed.g)
    step = solve(posed, 54.0, grad_square_before=before)
    assert step.restraint.sigma == pytest.approx(2.0, rel=100.0 * backend.eps)
    check(posed, step, step.restraint.sigma)


def test_it_stops_at_the_residual_that_was_asked_for(backend):
    rng = np.random.default_rng(4)
    posed = pose(backend, symmetric(rng, np.geomspace(1e-2, 4.0, 40)), rng.standard_normal(40))
    for tolerance in (0.3, 1e-2):
        step = solve(posed, 1e-3, tolerance)
        p = posed.step_of(step)
        residual = np.linalg.norm(posed.H @ p + 1e-3 * step.norm * p + posed.g)
        assert 1e-3 * tolerance < residual / np.linalg.norm(posed.g) <= 1.01 * tolerance
    assert step.products < 40


def test_a_full_basis_ends_the_solve(backend):
    rng = np.random.default_rng(4)
    posed = pose(backend, symmetric(rng, np.geomspace(1e-3, 4.0, 40)), rng.standard_normal(40))
    model = posed.model(restraint=Cubic(1e-6), tolerance=1e-6)
    step = GLTR(max_basis=8)(model)
    posed.check(step)
    assert step.products < 9
    assert step.outcome is KrylovOutcome.LIMIT
    heavier = step.again(Cubic(10.0))
    posed.check(heavier)
    assert 10.0 * heavier.norm**2 < -heavier.slope / heavier.norm  # nor does the term take more


@pytest.mark.parametrize("sigma", [0.1, None])
@pytest.mark.parametrize(("j", "k"), [(20, -15), (-24, 9)])
@pytest.mark.parametrize("spectrum", ["convex", "indefinite"])
@pytest.mark.backends("numpy")
def test_scale_free_to_the_bit(backend, spectrum, sigma, j, k):
    small = random(backend, spectrum)
    big = Quadratic(backend, small.H * 2.0**k, small.g * 2.0**j)
    unit = 2.0 ** (2 * k - j)
    one = solve(small, sigma)
    two = solve(big, None if sigma is None else sigma * unit)
    assert one.products == two.products
    assert two.restraint.sigma == one.restraint.sigma * unit
    np.testing.assert_array_equal(two.step, one.step * 2.0 ** (j - k))
    np.testing.assert_array_equal(two.product, one.product * 2.0**j)
    assert two.decrease == one.decrease * 2.0 ** (2 * j - k)


@pytest.mark.parametrize("good", [0, 1, 5])
def test_a_product_that_is_not_finite(backend, good):
    posed, calls = random(backend, "convex"), []

    def product(v):
        calls.append(1)
        return posed._H @ v * (math.nan if len(calls) > good else 1.0)

    step = solve(posed, None, product=product)
    assert step.outcome is KrylovOutcome.NONFINITE
    assert step.products == good + 1
    assert step.restraint.known == (good > 0)
    if good:
        posed.check(step)
        sigma = step.restraint.sigma
        best = solve(posed, sigma, limit=good)
        np.testing.assert_array_equal(posed.step_of(step), posed.step_of(best))


@pytest.mark.backends("fakegpu")
def test_one_wait_per_product(backend):
    model = random(backend, "indefinite").model(restraint=Cubic(None), tolerance=1e-3)
    with record_fetches() as ledger, backend.fetches() as waits:
        step = GLTR()(model)
    assert ledger.fetches == step.products > 4
    assert waits.count == ledger.fetches + ledger.uploads
    with record_fetches() as ledger:
        step.again(Cubic(1e3))
    assert ledger.fetches == 0


def test_a_restraint_that_it_does_not_take():
    posed = random(make_backend("numpy"), "convex")
    with pytest.raises(SettingsError, match=r"^restraint = Damped\(.*GLTR takes Ball, Cubic, Free"):
        GLTR()(posed.model(restraint=Damped(1.0)))
