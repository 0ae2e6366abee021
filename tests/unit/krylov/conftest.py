"""Matrices with a given spectrum, for the linear solvers."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def spectral(rng):
    """A symmetric matrix with given eigenvalues and random eigenvectors, and the vectors."""

    def make(eigenvalues):
        Q, _ = np.linalg.qr(rng.standard_normal((len(eigenvalues),) * 2))
        A = (Q * np.asarray(eigenvalues)) @ Q.T
        return (A + A.T) / 2.0, Q

    return make


@pytest.fixture
def rectangular(rng):
    """An (m, n) matrix with given singular values."""

    def make(m, n, values):
        U, _ = np.linalg.qr(rng.standard_normal((m, m)))
        V, _ = np.linalg.qr(rng.standard_normal((n, n)))
        k = len(values)
        return (U[:, :k] * np.asarray(values)) @ V[:, :k].T

    return make
