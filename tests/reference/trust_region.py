"""The trust-region problem by a full eigen-decomposition."""

from __future__ import annotations

import numpy as np
import pytest

__all__ = ["model_decrease", "trust_region_step"]


def model_decrease(H, g, p):
    """-g'p - p'Hp / 2."""
    return -(g @ p) - 0.5 * (p @ H @ p)


def trust_region_step(H, g, radius, M=None):
    """The least value of g'p + p'Hp / 2 over p'M^-1 p <= radius^2, and its multiplier.

    Nocedal & Wright (2006), section 4.3, the hard case (4.45) included.
    """
    L = np.linalg.cholesky(np.eye(len(g)) if M is None else M)
    w, V = np.linalg.eigh(L.T @ H @ L)
    c = V.T @ (L.T @ g)

    gap = w - w[0]

    def inner(d):  # d = multiplier + w_1
        shifted = gap + d
        return -np.divide(c, shifted, out=np.zeros_like(c), where=shifted > 0.0)

    if w[0] > 0.0 and np.linalg.norm(inner(w[0])) <= radius:
        return L @ V @ inner(w[0]), 0.0
    c[abs(c) < 1e-14 * np.linalg.norm(c)] = 0.0
    low, high = max(0.0, w[0], 0.99 * abs(c[0]) / radius), 1.01 * np.linalg.norm(c) / radius
    x = inner(low)
    if c[0] == 0.0 and np.linalg.norm(x) < radius:
        x[0] = np.sqrt(radius**2 - x @ x)
        return L @ V @ x, low - w[0]
    high += low
    brentq = pytest.importorskip("scipy.optimize").brentq
    d = brentq(lambda d: 1.0 / radius - 1.0 / np.linalg.norm(inner(d)), low, high, xtol=1e-300)
    return L @ V @ inner(d), d - w[0]
