"""Low-rank approximations by their definitions, dense and in float64."""

from __future__ import annotations

import numpy as np

__all__ = ["nystrom_matrix", "nystrom_preconditioner", "with_spectrum"]


def with_spectrum(rng: np.random.Generator, eigenvalues: np.ndarray) -> np.ndarray:
    """A symmetric matrix with these eigenvalues and random eigenvectors."""
    n = len(eigenvalues)
    Q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    return Q * eigenvalues @ Q.T


def nystrom_matrix(A: np.ndarray, Omega: np.ndarray) -> np.ndarray:
    """A Omega' (Omega A Omega')^+ Omega A, eq. (2.1) of Frangella, Tropp & Udell (2023)."""
    Y = Omega @ A
    return Y.T @ np.linalg.pinv(Omega @ Y.T, rcond=1e-12, hermitian=True) @ Y


def nystrom_preconditioner(A: np.ndarray, Omega: np.ndarray, mu: float) -> np.ndarray:
    """P = U (L + mu I) U' / (l_k + mu) + (I - U U'), their eq. (1.3)."""
    k = len(Omega)
    w, V = np.linalg.eigh(nystrom_matrix(A, Omega))
    w, U = w[-k:], V[:, -k:]
    return U * (w + mu) @ U.T / (w[0] + mu) + np.eye(len(A)) - U @ U.T
