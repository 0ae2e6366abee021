"""BFGS as the books have it: lists of pairs, dense matrices, float64."""

from __future__ import annotations

import numpy as np

__all__ = [
    "TwoLoop",
    "bfgs_hessian_update",
    "bfgs_update",
    "broyden_hessian_update",
    "broyden_inverse_update",
    "compact_hessian",
    "compact_inverse",
    "dense_dfp_inverse",
    "dense_hessian",
    "dense_inverse",
    "dense_sr1",
    "diagonal_bfgs",
    "largest_sr1_size",
    "powell_damped",
    "psb_update",
    "self_scaling_broyden",
    "spectral_size",
    "sr1_size",
    "sr1_update",
    "weak_secant",
]


class TwoLoop:
    """L-BFGS by the two-loop recursion (Nocedal & Wright 2006, algorithm 7.4).

    A pair without s'y > 0 is left out.  In a full memory it takes the room of the oldest pair.
    """

    def __init__(self, m, gamma=1.0):
        self.m, self.gamma = m, gamma
        self.pairs = []

    def add(self, s, y):
        if not s @ y > 0.0:
            self.pairs = self.pairs[max(0, len(self.pairs) - self.m + 1) :]
            return
        self.pairs = [*self.pairs, (s, y)][-self.m :]
        self.gamma = s @ y / (y @ y)

    def apply(self, g):
        """A g."""
        q, alphas = g.copy(), []
        for s, y in reversed(self.pairs):
            alphas.append(s @ q / (s @ y))
            q -= alphas[-1] * y
        q *= self.gamma
        for (s, y), alpha in zip(self.pairs, reversed(alphas), strict=True):
            q += (alpha - y @ q / (s @ y)) * s
        return q


def bfgs_update(A, s, y):
    """The BFGS inverse after one pair (Nocedal & Wright 2006, eq. 6.17)."""
    rho = 1.0 / (s @ y)
    left = np.eye(len(s)) - rho * np.outer(s, y)
    return left @ A @ left.T + rho * np.outer(s, s)


def dense_inverse(pairs, gamma, n):
    """BFGS updates of gamma I by all pairs in turn."""
    A = gamma * np.eye(n)
    for s, y in pairs:
        A = bfgs_update(A, s, y)
    return A


def bfgs_hessian_update(B, s, y):
    """The BFGS Hessian after one pair (Nocedal & Wright 2006, eq. 6.19)."""
    B_s = B @ s
    return B - np.outer(B_s, B_s) / (s @ B_s) + np.outer(y, y) / (y @ s)


def broyden_hessian_update(B, s, y, phi, tau=1.0):
    """The Broyden family (Nocedal & Wright 2006, eq. 6.32), B multiplied by tau before."""
    B_s = B @ s
    w = y / (s @ y) - B_s / (s @ B_s)
    old = B - np.outer(B_s, B_s) / (s @ B_s) + phi * (s @ B_s) * np.outer(w, w)
    return tau * old + np.outer(y, y) / (s @ y)


def broyden_inverse_update(A, s, y, psi, tau=1.0):
    """The inverse by the dual formula, with the parameter psi of its own."""
    A_y = A @ y
    v = np.sqrt(y @ A_y) * (s / (s @ y) - A_y / (y @ A_y))
    return (A - np.outer(A_y, A_y) / (y @ A_y) + psi * np.outer(v, v)) / tau + np.outer(s, s) / (
        s @ y
    )


def self_scaling_broyden(A, s, y):
    """Al-Baali & Khalfan (2005) as Urban, Stefanou & Pons (2025) have it, A from A."""
    n, b, h = len(s), s @ np.linalg.solve(A, s) / (s @ y), y @ A @ y / (s @ y)
    a = h * b - 1.0
    rho = min(1.0, h * (1.0 - np.sqrt(a / (a + 1.0))))
    theta = max((rho - 1.0) / a, min(1.0 / rho, (1.0 - b) / b))
    sigma = 1.0 + a * theta
    power = abs(sigma) ** (1.0 / (1.0 - n))
    first = min(1.0, 1.0 / b)
    tau = min(first * power, sigma) if theta <= 0.0 else first * min(power, 1.0 / theta)
    return broyden_inverse_update(A, s, y, (1.0 - theta) / (1.0 + a * theta), tau)


def psb_update(B, s, y):
    """Powell's symmetric Broyden update (Dennis & Schnabel 1983, eq. 9.1.3)."""
    r = y - B @ s
    both = np.outer(r, s) + np.outer(s, r)
    return B + both / (s @ s) - (r @ s) * np.outer(s, s) / (s @ s) ** 2


def dense_hessian(pairs, gamma, n):
    """BFGS updates of I / gamma by all pairs in turn."""
    B = np.eye(n) / gamma
    for s, y in pairs:
        B = bfgs_hessian_update(B, s, y)
    return B


def sr1_size(s, y):
    """1 / gamma, gamma = s's / s'y - ((s's / s'y)^2 - s's / y'y)^(1/2) (Osborne & Sun 1999)."""
    ratio = s @ s / abs(s @ y)
    return 1.0 / (ratio - np.sqrt(ratio**2 - s @ s / (y @ y)))


def sr1_update(B, s, y, least):
    """The SR1 matrix after one pair (Nocedal & Wright 2006, eqs. 6.24 and 6.26)."""
    r = y - B @ s
    if abs(s @ r) < least * np.linalg.norm(s) * np.linalg.norm(r):
        return B
    return B + np.outer(r, r) / (r @ s)


def dense_sr1(pairs, size, n, least):
    """SR1 updates of size I by all pairs in turn."""
    B = size * np.eye(n)
    for s, y in pairs:
        B = sr1_update(B, s, y, least)
    return B


def largest_sr1_size(pairs):
    """The largest of `sr1_size`, each at most 4 norm(y) / norm(s)."""
    lengths = [4.0 * np.linalg.norm(y) / np.linalg.norm(s) for s, y in pairs]
    return max(min(sr1_size(*pair), most) for pair, most in zip(pairs, lengths, strict=True))


def dense_dfp_inverse(pairs, gamma, n):
    """DFP updates of gamma I by all pairs in turn (Nocedal & Wright 2006, eq. 6.15)."""
    A = gamma * np.eye(n)
    for s, y in pairs:
        A_y = A @ y
        A = A - np.outer(A_y, A_y) / (y @ A_y) + np.outer(s, s) / (s @ y)
    return A


def compact_hessian(pairs, gamma, n):
    """The compact form of `dense_hessian` (Byrd, Nocedal & Schnabel 1994, theorem 2.3)."""
    sigma = 1.0 / gamma
    if not pairs:
        return sigma * np.eye(n)
    S, Y = (np.stack(vectors, axis=1) for vectors in zip(*pairs, strict=True))
    L, D = np.tril(S.T @ Y, -1), np.diag(np.diag(S.T @ Y))
    W = np.hstack([sigma * S, Y])
    K = np.block([[sigma * S.T @ S, L], [L.T, -D]])
    return sigma * np.eye(n) - W @ np.linalg.solve(K, W.T)


def compact_inverse(pairs, gamma, n):
    """The compact form of the same matrix (Byrd, Nocedal & Schnabel 1994, theorem 2.2)."""
    if not pairs:
        return gamma * np.eye(n)
    S, Y = (np.stack(vectors, axis=1) for vectors in zip(*pairs, strict=True))
    R_inverse = np.linalg.inv(np.triu(S.T @ Y))
    D = np.diag(np.diag(S.T @ Y))
    zero = np.zeros_like(D)
    M = np.block(
        [[R_inverse.T @ (D + gamma * Y.T @ Y) @ R_inverse, -R_inverse.T], [-R_inverse, zero]]
    )
    W = np.hstack([S, gamma * Y])
    return gamma * np.eye(n) + W @ M @ W.T


def powell_damped(s, y, B, least):
    """Mix y with B s until s'y >= least s'Bs (Nocedal & Wright 2006, procedure 18.2)."""
    s_B_s = s @ B @ s
    if s @ y >= least * s_B_s:
        return y
    theta = (1.0 - least) * s_B_s / (s_B_s - s @ y)
    return theta * y + (1.0 - theta) * (B @ s)


def diagonal_bfgs(b, s, y):
    """The diagonal of the dense BFGS Hessian after one pair, diag(b) sized by y'Ay / s'y before.

    The first pair changes y'y / s'y I.
    """
    B = y @ y / (s @ y) * np.eye(len(s)) if b is None else np.diag(b)
    tau = y @ np.linalg.solve(B, y) / (s @ y)
    return np.diag(bfgs_hessian_update(tau * B, s, y)).copy()


def weak_secant(b, s, y):
    """The diagonal nearest to b with s'B s = s'y: the change of least norm that solves it."""
    row = (s * s)[None, :]
    change, *_ = np.linalg.lstsq(row, np.array([s @ y - row[0] @ b]))
    return b + change


def spectral_size(s, y, variant, pairs):
    """Barzilai & Borwein's gamma by least squares; Dai, Al-Baali & Yang's where s'y < 0."""
    if s @ y < 0.0:
        return np.linalg.norm(s) / np.linalg.norm(y)
    long = 1.0 / np.linalg.lstsq(s[:, None], y)[0][0]
    short = np.linalg.lstsq(y[:, None], s)[0][0]
    if variant == "adaptive":
        return short if short / long < 0.5 else long
    odd = variant == "alternating" and pairs % 2 == 1
    return short if variant == "short" or odd else long
