"""Conjugate gradients that the host never looks at."""

from __future__ import annotations

import numpy as np
import pytest

from hessx import _xp
from hessx.krylov import cg_steps
from reference.krylov import conjugate_gradients

n = 7


def matrix(seed=0):
    A = np.random.default_rng(seed).standard_normal((n, n))
    return A @ A.T / n + 0.1 * np.eye(n)


b = np.random.default_rng(1).standard_normal(n)


def solve(backend, H, v, steps, forcing=0.0):
    """On a backend, without a fetch."""
    H, v = backend.asarray(H), backend.asarray(v)
    space = _xp.space_of(v)
    with _xp.record_fetches() as ledger, _xp.quiet():
        z = cg_steps(space, lambda p: H @ p, v, steps, forcing)
    assert ledger.fetches == ledger.uploads == 0
    backend.assert_same_kind(z, v)
    return backend.to_numpy(z)


def textbook(H, v, steps):
    """The iterates for H z = v, up to the step before a direction without positive curvature."""
    return conjugate_gradients(H, -v, steps)


@pytest.mark.parametrize("steps", [1, 3])
def test_the_steps_are_the_textbooks(backend, steps):
    expected = textbook(matrix(), b, steps)[-1]
    z = solve(backend, matrix(), b, steps)
    np.testing.assert_allclose(z, expected, rtol=0.0, atol=1e3 * backend.eps)


def test_it_stays_where_the_residual_is_small_enough(backend):
    """All that comes after is of no use, and does no harm."""
    norm = np.linalg.norm
    iterates = textbook(matrix(), b, n)
    expected = next(z for z in iterates if norm(b - matrix() @ z) <= 0.3 * norm(b))
    assert 0 < [z is expected for z in iterates].index(True) < n - 1
    z = solve(backend, matrix(), b, n, 0.3)
    np.testing.assert_allclose(z, expected, rtol=0.0, atol=1e3 * backend.eps)
    exact, tolerance = solve(backend, matrix(), b, 3 * n), 1e5 * backend.eps
    np.testing.assert_allclose(exact, np.linalg.solve(matrix(), b), rtol=0.0, atol=tolerance)


def test_negative_curvature(backend):
    """Later on it ends the steps; at the first one its size is that of the step."""
    np.testing.assert_allclose(solve(backend, -2.0 * np.eye(n), b, 4), b / 2.0, rtol=1e-5)
    H, v = np.diag([1.0, 3.0, -0.1, 2.0, 2.0, 2.0, 2.0]), np.ones(n) * [1, 1, 0.1, 0, 0, 0, 0]
    iterates = textbook(H, v, 9)
    assert 1 <= len(iterates) < 3
    z = solve(backend, H, v, 9)
    np.testing.assert_allclose(z, iterates[-1], rtol=0.0, atol=1e3 * backend.eps)


def test_nothing_to_divide_by(backend):
    np.testing.assert_array_equal(solve(backend, matrix(), np.zeros(n), 3), 0.0)
    np.testing.assert_allclose(solve(backend, np.zeros((n, n)), b, 3), b, rtol=1e-6)


@pytest.mark.backends("numpy")
def test_powers_of_two_change_no_bit(backend):
    z = solve(backend, matrix(), b, 4, 0.1)
    scaled = solve(backend, matrix() * 2.0**40, b * 2.0**-9, 4, 0.1)
    np.testing.assert_array_equal(scaled, z * 2.0**-49)
