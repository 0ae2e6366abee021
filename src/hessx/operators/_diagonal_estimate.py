"""The diagonal of an operator that is known by its products."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Space, fetch, quiet, rademacher, upload
from hessx.core import SettingsError, check_integer
from hessx.operators._linear_operator import LinearOperator
from hessx.operators._placed import place
from hessx.operators._sketched import left_out, sketch
from hessx.operators._trace import sign_blocks

__all__ = ["DiagonalEstimate", "estimate_diagonal"]

_ALIKE = 2  # samples of XDiag: s_1 and s_2 are one vector turned by a right angle


@dataclass(frozen=True, slots=True)
class DiagonalEstimate:
    """An estimate of a diagonal, and the standard error of each entry.

    Attributes
    ----------
    values : array, shape (n,)
        On the device.
    errors : array, shape (n,)
        Standard errors, estimated from the samples; 0 where the diagonal was computed, nan where
        one sample, or the two of "xdiag" with 4 or 5 products, say nothing.
    products : int
        Taken.
    method : str
        "hutchinson", "xdiag" or "exact".
    """

    values: Array
    errors: Array
    products: int
    method: str


def estimate_diagonal(
    A: Any, like: Any = None, *, products: int = 32, method: str = "xdiag", seed: int = 0
) -> DiagonalEstimate:
    r"""Estimate the diagonal of a symmetric A by products with random vectors.

    Parameters
    ----------
    A : LinearOperator, array, sparse matrix, operator of another library, or callable
        Square, symmetric; a callable is v, shape (n,) -> A v.
    like : array, optional
        A point x: says which library, dtype and device, and n where A is a callable; not needed
        where A holds arrays.
    products : int
        m, at most; n or more give the diagonal itself, by n unit vectors.
    method : {"xdiag", "hutchinson"}
        - "hutchinson": d = sum z * (A z) / sum z * z over m vectors z of random signs, entry by
          entry.  The variance of d_i is sum_(j != i) A_ij^2 / m; m >= 1.
        - "xdiag": diag(Q Q'A) with Q an orthonormal basis of A times m / 2 vectors of signs, and
          the same mean for the rest, each vector in it for the basis of all others; m >= 4.  The
          better where eigenvalues decay.
    seed : int
        Of the vectors.

    Returns
    -------
    DiagonalEstimate
        Values and standard errors, on the device.

    Raises
    ------
    TypeError, ValueError
        A is none of these, or is not square.
    SettingsError
        An unknown method, or too few products for it.

    Notes
    -----
    The samples of "xdiag" share their basis: of fewer than ten vectors the errors come out too
    small, by a factor of 2 as a rule; two of them differ by nothing where A is diagonal.

    Cost: m products, in stacks, with an upload for each 8 vectors of "hutchinson".  Memory: 2 m
    vectors, for "hutchinson" 19.  Fetches: none, for "xdiag" 3, or 5
    where A has decayed to eps^(1/2) of its size.

    References
    ----------
    Bekas, Kokiopoulou & Saad (2007), Appl. Numer. Math. 57, 1214-1229; Epperly, Tropp & Webber
    (2024), SIAM J. Matrix Anal. Appl. 45, section 4 (XDiag).

    Examples
    --------
    >>> import hessx, numpy as np
    >>> h = 0.8 ** np.arange(1000)
    >>> u = np.ones(1000) / 1000**0.5
    >>> A = lambda v: h * v + u * (u @ v)
    >>> found = hessx.estimate_diagonal(A, h, products=100)
    >>> bool(abs(found.values - (h + 1e-3)).max() < 1e-3)
    True
    """
    space, A = place(A, like)
    seed, products = check_integer("seed", seed), check_integer("products", products, 1)
    if method not in ("xdiag", "hutchinson"):
        msg = f"method = {method!r}: expected 'xdiag' or 'hutchinson'"
        raise SettingsError(msg)
    if products >= space.n:
        units = space.xp.eye(space.n, dtype=space.dtype, device=space.device)
        diagonal = space.xp.sum(units * A.matvec(units), axis=0)
        return DiagonalEstimate(diagonal, diagonal * 0.0, space.n, "exact")
    with quiet():
        if method == "hutchinson":
            return _hutchinson(space, A, products, seed)
        return _xdiag(space, A, check_integer("products", products, 4), seed)


def _hutchinson(space: Space, A: LinearOperator, products: int, seed: int) -> DiagonalEstimate:
    """Mean and squared deviations, block by block (Chan, Golub & LeVeque 1983)."""
    xp, count = space.xp, 0
    mean = square = space.zeros(space.n)
    size = None
    for z in sign_blocks(space, products, seed):
        samples, new = z * A.matvec(z), z.shape[0]  # z * z = 1
        here = xp.mean(samples, axis=0)
        size = _size(space, samples) if size is None else size
        gap, total = here - mean, count + new
        spread = xp.sum(((samples - here) / size) ** 2, axis=0)
        square = square + spread + (gap / size) ** 2 * (count * new / total)
        mean, count = mean + gap * (new / total), total
    factor = 1.0 / (count * (count - 1)) if count > 1 else math.nan
    return DiagonalEstimate(mean, xp.sqrt(square * factor) * size, products, "hutchinson")


def _xdiag(space: Space, A: LinearOperator, products: int, seed: int) -> DiagonalEstimate:
    k, xp = products // 2, space.xp
    signs = rademacher(space, seed, k)
    Q, Z, R = sketch(space, A, signs)
    (entries,), _ = fetch(space, [xp.reshape(R, (-1,))])
    R = entries.reshape(k, k)
    if not math.isfinite(math.fsum(entries)):
        nothing = space.zeros(space.n) + math.nan
        return DiagonalEstimate(nothing, nothing, 2 * k, "xdiag")
    S = left_out(R, space.eps)
    tables = upload(space, S)
    lost, products_lost = tables.T @ Q, tables.T @ Z  # Q s_i and A Q s_i
    along = upload(space, (S * R).sum(axis=0))  # s_i'r_i: (I - Q_i Q_i') y_i = Q s_i s_i'r_i
    samples = lost * (signs * along[:, None] - products_lost)
    mean, size = xp.mean(samples, axis=0), _size(space, samples)
    error = xp.sqrt(xp.sum(((samples - mean) / size) ** 2, axis=0) / (k * (k - 1))) * size
    if k == _ALIKE and S.any():
        error = error * math.nan
    return DiagonalEstimate(xp.sum(Q * Z, axis=0) + mean, error, 2 * k, "xdiag")


def _size(space: Space, samples: Array) -> Array:
    """Largest entry, never zero: divided by it, no square over- or underflows."""
    return space.xp.max(space.xp.abs(samples)) + space.smallest
