"""Eigenvalues on the host, eigenvectors on the device, whatever the library has."""

from __future__ import annotations

import numpy as np
import pytest

from hessx._xp import eigh, record_fetches, space_of

n = 7


@pytest.fixture
def matrix(backend, rng):
    """A symmetric matrix in float64 whose entries the backend's dtype holds."""
    B = rng.standard_normal((n, n))
    return (B + B.T).astype(backend.dtype_name).astype(float)


def test_it_decomposes(backend, rng, matrix):
    v = rng.standard_normal(n).astype(backend.dtype_name).astype(float)
    there, B = backend.asarray(v), backend.asarray(matrix)
    with record_fetches() as ledger:
        w, V, (c,) = eigh(space_of(there), B, there)
    assert ledger.fetches == 1
    backend.assert_same_kind(V, like=B)
    assert (type(w), w.dtype, c.dtype) == (np.ndarray, np.float64, np.float64)
    tol = 100 * backend.eps * np.linalg.norm(matrix)
    U = backend.to_numpy(V).astype(float)
    np.testing.assert_allclose(w, np.linalg.eigvalsh(matrix), atol=tol)
    np.testing.assert_allclose(U * w @ U.T, matrix, atol=tol)
    np.testing.assert_allclose(U.T @ U, np.eye(n), atol=100 * backend.eps)
    np.testing.assert_allclose(c, U.T @ v, atol=100 * backend.eps)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [(0, 0), (2, 5)])
def test_what_is_not_finite_has_no_eigenvalues(backend, matrix, bad, at):
    matrix[at] = matrix[at[::-1]] = bad
    w, V, coordinates = eigh(space_of(backend.asarray(np.ones(n))), backend.asarray(matrix))
    assert np.isnan(w).all()
    assert (V.shape, coordinates) == ((n, n), [])


@pytest.mark.backends("fakegpu")
def test_the_host_waits_once(backend, matrix):
    v, B = backend.asarray(np.ones(n)), backend.asarray(matrix)
    with backend.fetches() as waits:
        eigh(space_of(v), B, v)
    assert waits.count == 1
