"""The trust-region problem and that with a cubic term by a full eigen-decomposition."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

__all__ = ["cubic_step", "dogleg_step", "model_decrease", "trust_region_step"]


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


def cubic_step(H, g, sigma, M=None):
    """The least value of g'p + p'Hp / 2 + sigma norm(p)^3 / 3, norm in M^-1, and its multiplier.

    Cartis, Gould & Toint (2011), theorem 3.1: (H + multiplier M^-1) p = -g with multiplier = sigma
    norm(p) and no negative eigenvalue on the left; the first eigenvector fills up the hard case.
    """
    L = np.linalg.cholesky(np.eye(len(g)) if M is None else M)
    w, V = np.linalg.eigh(L.T @ H @ L)
    c = V.T @ (L.T @ g)
    c[abs(c) < 1e-14 * np.linalg.norm(c)] = 0.0
    base = max(0.0, -w[0])

    def inner(t):  # t = multiplier - base
        shifted = w + base + t
        return -np.divide(c, shifted, out=np.zeros_like(c), where=shifted > 0.0)

    x = inner(0.0)
    if c[0] == 0.0 and sigma * np.linalg.norm(x) <= base:
        x[0] = np.sqrt((base / sigma) ** 2 - x @ x)
        return L @ V @ x, base
    brentq = pytest.importorskip("scipy.optimize").brentq
    high = 1.01 * np.sqrt(sigma * np.linalg.norm(c))
    # the first component alone is longer than multiplier / sigma below half of this
    b = base + w[0] + base
    low = sigma * abs(c[0]) / (b + np.sqrt(b * b + 4.0 * sigma * abs(c[0])))
    t = brentq(lambda t: sigma * np.linalg.norm(inner(t)) - base - t, low, high, xtol=1e-300)
    return L @ V @ inner(t), base + t


def dogleg_step(B, g, radius, double=False):
    """Where the path 0, C, (eta N,) N leaves the ball, by bisection along it.

    Powell (1970); Dennis & Mei (1979), with gamma = (g'g)^2 / (g'B g g'B^-1 g) and eta = 0.2 + 0.8
    gamma.
    """
    N = -np.linalg.solve(B, g)
    C = -(g @ g) / (g @ B @ g) * g
    corners = [np.zeros_like(g), C, N]
    if double:
        gamma = (g @ g) ** 2 / ((g @ B @ g) * (-g @ N))
        corners.insert(2, (0.2 + 0.8 * gamma) * N)
    for start, end in pairwise(corners):
        if np.linalg.norm(end) > radius:
            low, high = 0.0, 1.0
            for _ in range(200):
                t = 0.5 * (low + high)
                inside = np.linalg.norm(start + t * (end - start)) <= radius
                low, high = (t, high) if inside else (low, t)
            return start + low * (end - start)
    return N
