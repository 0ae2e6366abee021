"""Preconditioned CG is CG on L'HL, M = L L', and its region is measured in M^-1."""

from __future__ import annotations

import numpy as np
import pytest

from _helpers.quadratics import Quadratic, symmetric
from hessx.core import Ball
from hessx.krylov import KrylovOutcome
from reference.krylov import conjugate_gradients, steihaug

n = 12
every = pytest.mark.parametrize("check_every", [1, 3])


@pytest.fixture
def posed(backend, rng):
    H = symmetric(rng, np.linspace(1.0, 20.0, n))
    return Quadratic(backend, H, rng.standard_normal(n), symmetric(rng, np.linspace(0.5, 2.0, n)))


@pytest.fixture
def bent(backend, rng):
    values = np.append([-0.5, -0.25], np.linspace(1.0, 5.0, n - 2))
    M = symmetric(rng, np.linspace(0.5, 2.0, n))
    return Quadratic(backend, symmetric(rng, values), rng.standard_normal(n), M)


def transformed(posed):
    """L, L'HL and L'g."""
    L = np.linalg.cholesky(posed.M)
    return L, L.T @ posed.H @ L, L.T @ posed.g


def close(posed, step, expected, factor=1e3):
    scale = factor * posed.backend.eps * np.linalg.norm(expected)
    np.testing.assert_allclose(posed.step_of(step), expected, rtol=0.0, atol=scale)


@every
def test_the_first_five_steps(posed, check_every):
    L, H, g = transformed(posed)
    for steps, y in enumerate(conjugate_gradients(H, g, 5), start=1):
        solved = posed.solve(check_every, limit=steps)
        posed.check(solved)
        close(posed, solved, L @ y)


@every
@pytest.mark.parametrize("fraction", [0.05, 0.5, 0.9])
def test_the_boundary(posed, check_every, fraction):
    L, H, g = transformed(posed)
    radius = fraction * float(np.linalg.norm(np.linalg.solve(H, g)))
    solved = posed.solve(check_every, restraint=Ball(radius))
    posed.check(solved)
    expected = steihaug(H, g, 0.0, n, radius)
    assert solved.outcome is KrylovOutcome.BOUNDARY
    assert expected.outcome == "boundary"
    close(posed, solved, L @ expected.step)
    length = np.linalg.norm(np.linalg.solve(L, posed.step_of(solved)))
    assert length == pytest.approx(radius, rel=100.0 * posed.backend.eps)


@every
@pytest.mark.parametrize("radius", [3.0, 20.0])
def test_negative_curvature(bent, check_every, radius):
    L, H, g = transformed(bent)
    expected = steihaug(H, g, 0.0, 2 * n, radius)
    solved = bent.solve(check_every, restraint=Ball(radius))
    bent.check(solved)
    assert solved.outcome.value == expected.outcome
    close(bent, solved, L @ expected.step, 1e4)


@every
def test_the_tolerance_is_of_the_plain_residual(posed, check_every):
    tolerance = 1e-2 * np.linalg.norm(posed.g)
    solved = posed.solve(check_every, tolerance=tolerance)
    assert solved.outcome is KrylovOutcome.SOLVED
    r = posed.g + posed.H @ posed.step_of(solved)
    assert np.linalg.norm(r) <= 1.01 * tolerance
    L, H, g = transformed(posed)
    before = L @ conjugate_gradients(H, g, 2 * n)[solved.products - 2]
    if check_every == 1:
        assert np.linalg.norm(posed.g + posed.H @ before) > tolerance


@every
def test_the_first_radius_is_the_cauchy_step_in_the_same_norm(posed, check_every):
    L, H, g = transformed(posed)
    solved = posed.solve(check_every, restraint=Ball(None))
    posed.check(solved)
    length = np.linalg.norm(g) ** 3 / (g @ H @ g)
    assert solved.restraint.radius == pytest.approx(length, rel=100.0 * posed.backend.eps)
    close(posed, solved, -length * (L @ g) / np.linalg.norm(g))


@every
def test_a_radius_of_another_norm_is_translated(posed, check_every):
    """By sqrt(g'Ng / g'Mg): exactly the ratio of lengths where N and M differ by a factor."""
    N = 9.0 * posed.M
    before = posed.backend.asarray(posed.g @ N @ posed.g)
    solved = posed.solve(check_every, restraint=Ball(0.1), grad_square_before=before)
    posed.check(solved)
    assert solved.restraint.radius == pytest.approx(0.3, rel=100.0 * posed.backend.eps)
    assert solved.norm == pytest.approx(0.3, rel=100.0 * posed.backend.eps)


@every
def test_the_exact_inverse_solves_in_one_product(backend, rng, check_every):
    H = symmetric(rng, np.linspace(1.0, 20.0, n))
    posed = Quadratic(backend, H, rng.standard_normal(n), np.linalg.inv(H))
    norm = np.linalg.norm(posed.g)
    solved = posed.solve(check_every, tolerance=1e3 * backend.eps * norm)
    assert solved.outcome is KrylovOutcome.SOLVED
    assert solved.products <= check_every
    close(posed, solved, np.linalg.solve(posed.H, -posed.g))


@every
def test_a_diagonal_that_spans_eight_decades(backend, check_every):
    """Jacobi's M makes H = diag(d) the identity: one step, whatever the condition."""
    d = np.geomspace(1.0, 1e8, n)
    posed = Quadratic(backend, np.diag(d), np.ones(n), np.diag(1.0 / d))
    solved = posed.solve(check_every, tolerance=100.0 * backend.eps)
    assert solved.outcome is KrylovOutcome.SOLVED
    np.testing.assert_allclose(posed.step_of(solved), -1.0 / d, rtol=100.0 * backend.eps)
