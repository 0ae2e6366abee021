"""Conjugate gradients on the device beside a dense solution."""

from __future__ import annotations

import numpy as np

from hessx._xp import record_fetches, space_of
from hessx.krylov import device_cg

n = 6
D = 2.0 ** np.linspace(-4.0, 4.0, n)
B = np.diag(D) + 0.03125  # exact in float32


def test_it_is_the_dense_solution_without_a_fetch(backend):
    matrix, jacobi = backend.asarray(B), backend.asarray(1.0 / B.diagonal())
    V = np.stack([np.ones(n), np.zeros(n), 2.0**-60 * np.arange(n)])
    there = backend.asarray(V)
    with record_fetches() as ledger:
        X = device_cg(space_of(there[0, ...]), lambda P: P @ matrix, there, jacobi, 2 * n)
    assert ledger.fetches == 0
    backend.assert_same_kind(X, there)
    expected = np.linalg.solve(B, V.T).T
    for found, x in zip(backend.to_numpy(X), expected, strict=True):
        np.testing.assert_allclose(found, x, rtol=0.0, atol=1e3 * backend.eps * abs(x).max())


def test_negative_curvature_ends_it_in_a_direction_of_descent(backend):
    matrix = backend.asarray(B - 1.5 * np.eye(n))
    v = backend.asarray(np.ones(n))
    x = device_cg(space_of(v), lambda p: p @ matrix, v, v * 1.0, 2 * n)
    found = backend.to_numpy(x)
    assert np.isfinite(found).all()
    assert found.sum() >= 0.0  # v'x
