"""Estimators of traces and diagonals as their papers define them: dense, and term by term."""

from __future__ import annotations

import numpy as np

__all__ = ["hutch_plus_plus", "xdiag", "xtrace"]


def hutch_plus_plus(A: np.ndarray, S: np.ndarray, G: np.ndarray) -> float:
    """Meyer, Musco, Musco & Woodruff (2021), algorithm 1; vectors are columns."""
    Q, _ = np.linalg.qr(A @ S)
    rest = G - Q @ (Q.T @ G)
    return np.trace(Q.T @ A @ Q) + np.trace(rest.T @ A @ rest) / G.shape[1]


def xtrace(A: np.ndarray, omega: np.ndarray) -> tuple[float, float]:
    """Epperly, Tropp & Webber (2024), section 2: the basis is made anew without each vector.

    The residual of each vector is given the length that it has in the mean.
    """
    n, k = omega.shape
    estimates = []
    for i in range(k):
        Q, _ = np.linalg.qr(A @ np.delete(omega, i, axis=1))
        mu = omega[:, i] - Q @ (Q.T @ omega[:, i])
        mu *= ((n - k + 1) / (mu @ mu)) ** 0.5
        estimates.append(np.trace(Q.T @ A @ Q) + mu @ A @ mu)
    return np.mean(estimates), np.std(estimates, ddof=1) / k**0.5


def xdiag(A: np.ndarray, omega: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same of the diagonal, section 4, with omega of signs."""
    k, estimates = omega.shape[1], []
    for i in range(k):
        Q, _ = np.linalg.qr(A @ np.delete(omega, i, axis=1))
        low_rank = Q @ Q.T @ A
        estimates.append(np.diag(low_rank) + omega[:, i] * ((A - low_rank) @ omega[:, i]))
    return np.mean(estimates, axis=0), np.std(estimates, axis=0, ddof=1) / k**0.5
