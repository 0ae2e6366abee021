"""The trace of an operator that is known by its products."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from hessx._xp import Array, Space, dot, fetch, normal, rademacher
from hessx.core import SettingsError, check_integer
from hessx.operators._linear_operator import LinearOperator
from hessx.operators._placed import place
from hessx.operators._sketched import basis, left_out, sketch
from hessx.operators._trace_estimate import TraceEstimate

__all__ = ["estimate_trace", "sign_blocks"]

_BLOCK = 8  # vectors that are multiplied at once


def estimate_trace(
    A: Any, like: Any = None, *, products: int = 32, method: str = "xtrace", seed: int = 0
) -> TraceEstimate:
    r"""Estimate the trace of a symmetric A by products with random vectors.

    Parameters
    ----------
    A : LinearOperator, array, sparse matrix, operator of another library, or callable
        Square, symmetric; a callable is v, shape (n,) -> A v.
    like : array, optional
        A point x: says which library, dtype and device, and n where A is a callable; not needed
        where A holds arrays.
    products : int
        m, at most; n or more give the trace itself, by n unit vectors.
    method : {"xtrace", "hutch++", "hutchinson"}
        - "hutchinson": the mean of z'A z over m vectors z of random signs.  Standard deviation
          (2 / m)^(1/2) times the norm of what is off the diagonal; m >= 1.
        - "hutch++": tr(Q'A Q), with Q an orthonormal basis of A times m / 3 vectors of signs, and
          Hutchinson's mean of m / 3 vectors for the rest, (I - QQ') A (I - QQ').  Deviation
          about 1 / m times the trace where A is semidefinite; m >= 3.
        - "xtrace": the same with m / 2 vectors of length n^(1/2), uniform on the sphere, each of
          which is in the mean for the basis of all others; m >= 4.  The best where eigenvalues
          decay.
    seed : int
        Of the vectors.

    Returns
    -------
    TraceEstimate
        Value, standard error, and the products taken.

    Raises
    ------
    TypeError, ValueError
        A is none of these, or is not square.
    SettingsError
        An unknown method, or too few products for it.

    Notes
    -----
    XTrace divides each residual by its expected length, as its authors recommend:

        tr_i = tr(Q_i'A Q_i) + (n - k + 1) mu_i'A mu_i / mu_i'mu_i,    mu_i = (I - Q_i Q_i') omega_i

    with k = m / 2 and Q_i the basis without vector i; the standard error is that of these k as if
    they were independent.

    Cost: m products, in stacks; m vectors of memory for "xtrace" and "hutch++", 16 for
    "hutchinson", with an upload for each 8 vectors.  Fetches: 1, with a basis 3, or 5
    where A has decayed to eps^(1/2) of its size.

    References
    ----------
    Hutchinson (1990), Commun. Statist. Simul. 19, 433-450; Meyer, Musco, Musco & Woodruff (2021),
    SOSA, algorithm 1; Epperly, Tropp & Webber (2024), SIAM J. Matrix Anal. Appl. 45, 1-23.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> h = 0.8 ** np.arange(1000)  # the sum is 5
    >>> found = hessx.estimate_trace(lambda v: h * v, h, products=40)
    >>> abs(found.value - 5.0) < 3.0 * found.error, found.error < 0.1, found.products
    (True, True, 40)
    """
    space, A = place(A, like)
    if method not in _METHODS:
        expected = ", ".join(map(repr, _METHODS))
        msg = f"method = {method!r}: expected one of {expected}"
        raise SettingsError(msg)
    least, estimate = _METHODS[method]
    seed, products = check_integer("seed", seed), check_integer("products", products, 1)
    if products >= space.n:
        units = space.xp.eye(space.n, dtype=space.dtype, device=space.device)
        (diagonal,), _ = fetch(space, [dot(units, A.matvec(units))])
        value = math.fsum(diagonal) if np.isfinite(diagonal).all() else math.nan
        return TraceEstimate(value, value * 0.0, space.n, "exact")
    return estimate(space, A, check_integer("products", products, least), seed)


def sign_blocks(space: Space, count: int, seed: int) -> Any:
    """Draw vectors of random signs, some at a time; one upload for each block."""
    for i in range(0, count, _BLOCK):
        yield rademacher(space, (seed, i), min(_BLOCK, count - i))


def _hutchinson(space: Space, A: LinearOperator, products: int, seed: int) -> TraceEstimate:
    blocks = [dot(z, A.matvec(z)) for z in sign_blocks(space, products, seed)]
    samples, _ = fetch(space, blocks)
    return TraceEstimate.of_samples(np.concatenate(samples), products, "hutchinson", eps=space.eps)


def _hutch_plus_plus(space: Space, A: LinearOperator, products: int, seed: int) -> TraceEstimate:
    """Give tr(Q'A Q) + tr((I - QQ') A (I - QQ')), the second by Hutchinson."""
    k = products // 3
    signs = rademacher(space, seed, products - k)
    Q = basis(space, A.matvec(signs[:k, :]))
    rest = signs[k:, :]
    rest = rest - (rest @ Q.T) @ Q
    (known, samples), _ = fetch(space, [dot(Q, A.matvec(Q)), dot(rest, A.matvec(rest))])
    return TraceEstimate.of_samples(
        samples, products, "hutch++", eps=space.eps, known=math.fsum(known)
    )


def _xtrace(space: Space, A: LinearOperator, products: int, seed: int) -> TraceEstimate:
    k, n, xp = products // 2, space.n, space.xp
    omega = _on_sphere(space, k, seed)
    Q, Z, R = sketch(space, A, omega)
    tables = [R, Q @ omega.T, Z @ omega.T, Z @ Q.T]  # W = Q'omega, T = Z'omega, H = Q'A Q
    flat, _ = fetch(space, [xp.reshape(table, (-1,)) for table in tables])
    R, W, T, H = (entries.reshape(k, k) for entries in flat)
    if not np.isfinite(R + W + T + H).all():
        return TraceEstimate(math.nan, math.nan, 2 * k, "xtrace")
    S = left_out(R, space.eps)
    V = W - S * _columns(S, W)  # coordinates of omega_i in the basis without vector i
    # mu'A mu with mu = omega - Q v and A omega = Q r
    squares = _columns(W - V, R) - _columns(T, V) + _columns(V, H @ V)
    rank = k - 1 if S.any() else k
    lengths = n - _columns(V, V)
    estimates = np.trace(H) - _columns(S, H @ S) + (n - rank) * squares / lengths
    return TraceEstimate.of_samples(estimates, 2 * k, "xtrace", eps=space.eps)


def _on_sphere(space: Space, count: int, seed: int) -> Array:
    """Draw vectors of length n^(1/2), in uniform directions."""
    g = normal(space, seed, count)
    return g * (space.n**0.5 / space.xp.sqrt(dot(g, g)))[:, None]


def _columns(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Give a_i'b_i of the columns of two matrices."""
    products: np.ndarray = np.einsum("ji,ji->i", A, B)
    return products


_Method = Callable[[Space, LinearOperator, int, int], TraceEstimate]
_METHODS: dict[str, tuple[int, _Method]] = {
    "xtrace": (4, _xtrace),
    "hutch++": (3, _hutch_plus_plus),
    "hutchinson": (1, _hutchinson),
}
