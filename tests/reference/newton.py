"""Newton's matrix made positive definite, and Newton's method, dense and in float64."""

from __future__ import annotations

import numpy as np

__all__ = ["flipped", "newton_iterates", "shifted"]


def flipped(H, floor):
    """V diag(max(abs(w), floor max abs(w))) V': Nocedal & Wright (2006), section 3.4."""
    w, V = np.linalg.eigh(H)
    size = abs(w)
    return V @ np.diag(np.maximum(size, floor * size.max())) @ V.T


def shifted(H, floor):
    """H + tau I: Nocedal & Wright (2006), algorithm 3.3, with 0.001 max abs(H_ij) for beta.

    Positive definite is what has positive eigenvalues, and norm_F(B) norm_F(B^-1) <= n / floor.
    """
    n, beta = len(H), 1e-3 * abs(H).max()
    tau = 0.0 if H.diagonal().min() > 0.0 else beta - H.diagonal().min()
    while True:
        w = np.linalg.eigvalsh(H) + tau
        if w[0] > 0.0 and np.linalg.norm(w) * np.linalg.norm(1.0 / w) <= n / floor:
            return H + tau * np.eye(n)
        tau = max(2.0 * tau, beta)


def newton_iterates(derivatives, x, repair, steps, alpha=1.0):
    """x+ = x - alpha B^-1 g."""
    points = []
    for _ in range(steps):
        g, H = derivatives(x)
        x = x - alpha * np.linalg.solve(repair(H), g)
        points.append(x)
    return np.stack(points)


def shifted_on_pattern(H: np.ndarray) -> float:
    """tau of Nocedal & Wright's algorithm 3.3, at most what Gershgorin's discs ask for.

    By eigenvalues, where factors are what is asked for elsewhere.
    """
    size = abs(H).max()
    M = H / size
    diagonal = M.diagonal()
    most = (abs(M).sum(axis=1) - abs(diagonal) - diagonal).max() + 1e-3
    tau = 0.0 if diagonal.min() > 0.0 else min(1e-3 - diagonal.min(), most)
    while tau < most and np.linalg.eigvalsh(M)[0] + tau <= 0.0:
        tau = min(max(2.0 * tau, 1e-3), most)
    return float(tau * size)
