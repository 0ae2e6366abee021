r"""The compact forms of BFGS, DFP and SR1 after k pairs: small matrices, on the host in float64.

All are a multiple of I and [S, Y] M [S, Y]' with S and Y the pairs, the oldest first, and M of
shape (2k, 2k).  BFGS and DFP are one matrix: with u = s and v = y, X below is the B of BFGS; with
u = y and v = s it is the A of DFP.
"""

from __future__ import annotations

import math

import numpy as np

from hessx.hessians._pair_products import PairProducts

__all__ = ["Form", "bfgs_hessian", "bfgs_shifted", "dfp_hessian", "dfp_inverse", "dfp_shifted",
    "sr1_hessian", "sr1_shifted"]  # fmt: skip

Form = tuple[float, np.ndarray]  # multiple of I, and M by slots
_Gram = tuple[np.ndarray, np.ndarray, np.ndarray]  # U'U, U'V, V'V


def bfgs_hessian(products: PairProducts, size: float) -> Form:
    """Give B, on size I."""
    return size, products.placed(_first(products.ordered(), size))


def bfgs_shifted(products: PairProducts, size: float, sigma: float) -> Form:
    """Give (B + sigma I)^-1."""
    multiple, M = _resolvent(products.ordered(), size, sigma)
    return multiple, products.placed(M)


def dfp_inverse(products: PairProducts, gamma: float) -> Form:
    """Give A, on gamma I."""
    return gamma, products.placed(_swapped(_first(_dual(products), gamma)))


def dfp_hessian(products: PairProducts, gamma: float) -> Form:
    """Give B = A^-1."""
    multiple, M = _resolvent(_dual(products), gamma, 0.0)
    return multiple, products.placed(_swapped(M))


def dfp_shifted(products: PairProducts, gamma: float, sigma: float) -> Form:
    """Give (B + sigma I)^-1."""
    multiple, M = _dual_resolvent(_dual(products), gamma, sigma)
    return multiple, products.placed(_swapped(M))


def sr1_hessian(products: PairProducts, size: float, eps: float) -> tuple[Form, bool]:
    r"""Give B of SR1 on size I, and whether the newest pair takes part in it.

    Pair by pair, r = y - B s, all in combinations c of the pairs:

        B+ = B + r r' / s'r    where abs(s'r) >= eps^(1/2) norm(s) norm(r)

    and where s'r keeps half of its digits, beside the terms of which it is the sum; else B+ = B.
    That is the elimination of the middle matrix of Theorem 5.1 of Byrd, Nocedal & Schnabel (1994),
    D + L + L' - size S'S, with the s'r for pivots: pairs that would make it singular are left out.

    Parameters
    ----------
    products : PairProducts
        Of the pairs.
    size : float
        Of B at first.
    eps : float
        That of the vectors from which the products came.
    """
    s_s, s_y, y_y = products.ordered()
    k, half, fits = len(s_s), math.sqrt(eps), False
    G = np.block([[s_s, s_y], [s_y.T, y_y]])
    sizes = abs(G)
    M = np.zeros((2 * k, 2 * k))
    for i in range(k):
        with_s = G[i]
        c = -M.dot(with_s)  # y - B s = [S, Y] c
        c[i] -= size
        c[k + i] += 1.0
        s_r, r_r = float(c.dot(with_s)), float(c.dot(G).dot(c))
        least = math.sqrt(s_s[i, i]) * math.sqrt(max(r_r, 0.0))
        fits = 0.0 < half * max(least, float(abs(c).dot(sizes[i]))) <= abs(s_r) < math.inf
        if fits:
            M += np.outer(c, c / s_r)
    return (size, products.placed(M)), fits


def sr1_shifted(products: PairProducts, form: Form, sigma: float) -> Form:
    r"""Give (B + sigma I)^-1 of a B = size I + [S, Y] M [S, Y]', whatever M, by Woodbury's formula.

    With tau = size + sigma and G the products of [S, Y]:

        (B + sigma I)^-1 = I / tau - [S, Y] M (tau I + G M)^-1 [S, Y]' / tau
    """
    size, by_slot = form
    tau = size + sigma
    s_s, s_y, y_y = products.ordered()
    m = max(products.order) + 1
    places = [*products.order, *(m + i for i in products.order)]
    M = by_slot[np.ix_(places, places)]
    G = np.block([[s_s, s_y], [s_y.T, y_y]])
    inner = _inverse(tau * np.eye(len(M)) + G @ M)
    return 1.0 / tau, products.placed(_symmetric(-M @ inner / tau))


def _dual(products: PairProducts) -> _Gram:
    s_s, s_y, y_y = products.ordered()
    return y_y, s_y.T, s_s


def _first(gram: _Gram, size: float) -> np.ndarray:
    r"""Give M of X on size I with X u = v for the newest pair (Theorem 2.3 of 1994).

    With L the part of U'V below its diagonal D, u newer than v:

        X = size I - [size U, V] [[size U'U, L], [L', -D]]^-1 [size U, V]'
    """
    u_u, u_v, _ = gram
    L, D = np.tril(u_v, -1), np.diag(u_v.diagonal())
    return _weighted(-_inverse(np.block([[size * u_u, L], [L.T, -D]])), size)


def _resolvent(gram: _Gram, size: float, sigma: float) -> Form:
    r"""Give (X + sigma I)^-1, for the X of `_first`.

    Woodbury's formula, with tau = size + sigma and R the part of U'V on and above its diagonal; the
    products with which Theorem 2.3 cancels are not formed:

        I / tau + [size U, V] K^-1 [size U, V]' / tau
        K = [[size sigma U'U, sigma L - size R], [sigma L' - size R', -tau D - V'V]]
    """
    u_u, u_v, v_v = gram
    tau = size + sigma
    mixed = sigma * np.tril(u_v, -1) - size * np.triu(u_v)
    corner = -tau * np.diag(u_v.diagonal()) - v_v
    K = np.block([[size * sigma * u_u, mixed], [mixed.T, corner]])
    return 1.0 / tau, _weighted(_inverse(K) / tau, size)


def _dual_resolvent(gram: _Gram, size: float, sigma: float) -> Form:
    r"""Give (X^-1 + sigma I)^-1, for the X of `_first`, as above; X for sigma = 0.

    With rho = 1 + sigma size:

        I size / rho - [size U, V] K^-1 [size U, V]' / rho
        K = [[size U'U, L - sigma size R], [L' - sigma size R', -rho D - sigma V'V]]
    """
    u_u, u_v, v_v = gram
    rho = 1.0 + sigma * size
    mixed = np.tril(u_v, -1) - sigma * size * np.triu(u_v)
    corner = -rho * np.diag(u_v.diagonal()) - sigma * v_v
    K = np.block([[size * u_u, mixed], [mixed.T, corner]])
    return size / rho, _weighted(-_inverse(K) / rho, size)


def _weighted(K: np.ndarray, size: float) -> np.ndarray:
    """Turn a matrix of [size U, V] into one of [U, V], symmetric to the last bit."""
    weight = np.repeat([size, 1.0], len(K) // 2)
    return _symmetric(weight[:, None] * K * weight)


def _swapped(M: np.ndarray) -> np.ndarray:
    """Turn a matrix of [Y, S] into one of [S, Y]."""
    k = len(M) // 2
    return np.roll(M, (k, k), axis=(0, 1))


def _symmetric(M: np.ndarray) -> np.ndarray:
    half: np.ndarray = 0.5 * (M + M.T)
    return half


def _inverse(K: np.ndarray) -> np.ndarray:
    try:
        inverse: np.ndarray = np.linalg.inv(K)
    except np.linalg.LinAlgError:  # to rounding two pairs are one
        inverse = np.linalg.pinv(K)
    return inverse
