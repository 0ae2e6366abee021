"""Kronecker approximations as dense matrices, in float64: roots and inverses by SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["ekfac", "fisher", "kfac", "shampoo", "soap_steps"]


def _scipy() -> Any:
    """Not installed everywhere: whoever compares with this skips where it is not."""
    import scipy.linalg

    return scipy.linalg


def shampoo(gradients, *, beta=None, power=0.25, epsilon=0.0, sides=(True, True)):
    """B of a matrix whose gradients are given, rows stacked: Gupta et al. (2018), algorithm 1."""
    a, b = gradients[0].shape
    L, R = np.zeros((a, a)), np.zeros((b, b))
    for G in gradients:
        keep, weight = (1.0, 1.0) if beta is None else (beta, 1.0 - beta)
        L, R = keep * L + weight * G @ G.T, keep * R + weight * G.T @ G
    seen = 1.0 if beta is None else 1.0 - beta ** len(gradients)
    L, R = L / seen + epsilon * np.eye(a), R / seen + epsilon * np.eye(b)
    root = _scipy().fractional_matrix_power
    if sides == (True, True):
        return np.kron(root(L, power), root(R, power))
    if sides == (True, False):
        return np.kron(root(L, 2.0 * power), np.eye(b))
    return np.kron(np.eye(a), root(R, 2.0 * power))


def soap_steps(x, gradient, rate, steps, *, beta1, beta2, eps, every, permuted=True):
    """Iterates of SOAP on one matrix: Vyas et al. (2024), algorithms 3 and 4, corrected as Adam.

    ``permuted`` False leaves the second moments where they are as columns are sorted: a mistake.
    """
    m, v = np.zeros_like(x), np.zeros_like(x)
    G = gradient(x)
    L, R = (1.0 - beta2) * G @ G.T, (1.0 - beta2) * G.T @ G
    Q_L, Q_R = np.linalg.eigh(L)[1], np.linalg.eigh(R)[1]
    iterates = [x]
    for t in range(1, steps):
        G = gradient(x)
        m = beta1 * m + (1.0 - beta1) * G
        v = beta2 * v + (1.0 - beta2) * (Q_L.T @ G @ Q_R) ** 2
        turned = (Q_L.T @ m @ Q_R) / (1.0 - beta1**t)
        d = Q_L @ (turned * np.sqrt(1.0 - beta2**t) / (np.sqrt(v) + eps)) @ Q_R.T
        x = x - rate * d
        iterates.append(x)
        L = beta2 * L + (1.0 - beta2) * G @ G.T
        R = beta2 * R + (1.0 - beta2) * G.T @ G
        if t % every == 0:
            rows = np.argsort(-np.diag(Q_L.T @ L @ Q_L))
            columns = np.argsort(-np.diag(Q_R.T @ R @ Q_R))
            Q_L = np.linalg.qr((L @ Q_L)[:, rows])[0]
            Q_R = np.linalg.qr((R @ Q_R)[:, columns])[0]
            v = v[np.ix_(rows, columns)] if permuted else v
    return iterates


def kfac(layers, damping):
    """B of layers (inputs, slopes): Martens & Grosse (2015), sections 3 and 6.3."""
    blocks = []
    for inputs, slopes in layers:
        A, G = inputs.T @ inputs / len(inputs), slopes.T @ slopes / len(slopes)
        pi = np.sqrt(np.trace(A) / len(A) / (np.trace(G) / len(G)))
        A = A + pi * np.sqrt(damping) * np.eye(len(A))
        blocks.append(np.kron(A, G + np.sqrt(damping) / pi * np.eye(len(G))))
    return _scipy().block_diag(*blocks)


def ekfac(layers, damping):
    """B of layers (inputs, slopes), by the dense second moments of the rows' gradients."""
    blocks = []
    for inputs, slopes in layers:
        A, G = inputs.T @ inputs / len(inputs), slopes.T @ slopes / len(slopes)
        Q = np.kron(np.linalg.eigh(A)[1], np.linalg.eigh(G)[1])
        rows = np.stack([np.kron(a, s) for a, s in zip(inputs, slopes, strict=True)])
        F = rows.T @ rows / len(rows)
        blocks.append(Q @ np.diag(np.diag(Q.T @ F @ Q) + damping) @ Q.T)
    return _scipy().block_diag(*blocks)


def fisher(rows, damping):
    """B of gradients of rows, of shape (rows, n)."""
    return rows.T @ rows / len(rows) + damping * np.eye(rows.shape[1])
