"""Stochastic quasi-Newton and Newton methods as in the papers, dense and in plain NumPy.

``gradient(x, rows)`` is the mean over rows; so is ``hessian(x, rows)``, a matrix.
"""

from __future__ import annotations

import math

import numpy as np

from reference.quasi_newton import dense_inverse

__all__ = [
    "multi_batch",
    "newton_cg",
    "newton_sketch",
    "online_lbfgs",
    "sketching_matrix",
    "sqn",
]


def _direction(pairs, g, memory):
    """A g, by BFGS updates of s'y / y'y I with the last pairs; g before there are any."""
    if not pairs:
        return g
    s, y = pairs[-1]
    return dense_inverse(pairs[-memory:], (s @ y) / (y @ y), len(g)) @ g


def online_lbfgs(gradient, x, batches, rate, memory, damping=0.0):
    """Mokhtari & Ribeiro (2015), algorithm 1; with damping, Schraudolph et al. (2007)."""
    pairs, iterates = [], [x]
    for rows in batches:
        g = gradient(x, rows)
        before, x = x, x - rate * _direction(pairs, g, memory)
        s = x - before
        pairs.append((s, gradient(x, rows) - g + damping * s))
        iterates.append(x)
    return iterates


def multi_batch(gradient, x, epochs, overlap, rate, memory):
    """Berahas, Nocedal & Takac (2016), algorithm 1, on batches of new rows and the last of before.

    ``epochs`` holds lists of arrays of new rows; the first batch of an epoch has those alone.
    """
    pairs, iterates, common, before = [], [x], None, None
    for batches in epochs:
        for k, new in enumerate(batches):
            if common is not None:
                pairs.append((x - before, gradient(x, common) - gradient(before, common)))
            batch = np.concatenate([common, new]) if k > 0 else new
            d = _direction(pairs, gradient(x, batch), memory)
            common = new[len(new) - math.ceil(overlap * len(new)) :]
            before, x = x, x - rate * d
            iterates.append(x)
    return iterates


def sqn(gradient, hessian, x, batches, lessons, every, rate, memory):
    """Byrd, Hansen, Nocedal & Singer (2016), algorithm 1."""
    pairs, iterates = [], [x]
    t, mean, last = -1, np.zeros_like(x), None
    lessons = iter(lessons)
    for k, rows in enumerate(batches, 1):
        mean = mean + x
        g = gradient(x, rows)
        x = x - rate * (g if k <= 2 * every else _direction(pairs, g, memory))
        iterates.append(x)
        if k % every == 0 and k < len(batches):
            t, mean = t + 1, mean / every
            if t > 0:
                s = mean - last
                pairs.append((s, hessian(mean, next(lessons)) @ s))
            last, mean = mean, np.zeros_like(x)
    return iterates


def newton_cg(gradient, hessian, x, batches, lessons, steps, forcing, rate=1.0):
    """Byrd, Chin, Neveitt & Nocedal (2011), algorithm 2.1, without its search."""
    iterates = [x]
    for rows, taught in zip(batches, lessons, strict=True):
        g, H = gradient(x, rows), hessian(x, taught)
        d, r = np.zeros_like(x), g
        p = r
        for _ in range(steps):
            if np.linalg.norm(r) <= forcing * np.linalg.norm(g):
                break
            s = H @ p
            alpha = (r @ r) / (p @ s)
            d, r_next = d + alpha * p, r - alpha * s
            p, r = r_next + (r_next @ r_next) / (r @ r) * p, r_next
        x = x - rate * d
        iterates.append(x)
    return iterates


def sketching_matrix(kind, size, rows, seed):
    """S, dense, of the draws that a seed stands for."""
    draw = np.random.default_rng
    if kind == "gaussian":
        return draw(seed).standard_normal((size, rows)) / math.sqrt(size)
    if kind == "rows":
        chosen = draw(seed).permutation(rows)[:size]
        return np.eye(rows)[chosen] * math.sqrt(rows / size)
    length = 2 ** math.ceil(math.log2(rows))
    signs = np.where(draw((*seed, 0)).random(rows, dtype=np.float32) < 0.5, -1.0, 1.0)
    chosen = draw((*seed, 1)).permutation(length)[:size]
    return _hadamard(length)[chosen][:, :rows] * signs / math.sqrt(size)


def _hadamard(length: int) -> np.ndarray:
    """Sylvester's matrix of a power of two."""
    H = np.ones((1, 1))
    while len(H) < length:
        H = np.block([[H, H], [H, -H]])
    return H


def newton_sketch(gradient, root, penalty, x, matrices, rate=1.0):
    """Pilanci & Wainwright (2017), eq. (5), with a sketch S for each step."""
    iterates = [x]
    for S in matrices:
        J = S @ root(x)
        x = x - rate * np.linalg.solve(J.T @ J + np.diag(penalty), gradient(x))
        iterates.append(x)
    return iterates
