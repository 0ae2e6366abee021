"""Eigenvalues and eigenvectors of a symmetric operator from few products with it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hessx._xp import Array, Space, fetch, in_rows, normal, quiet, upload
from hessx.operators._kinds import as_space
from hessx.operators._lanczos import lanczos, never
from hessx.operators._linear_operator import LinearOperator
from hessx.operators._orthonormal import (
    decomposed,
    independent_rows,
    orthonormal_rows_and_rank,
)

__all__ = [
    "RitzPairs",
    "lanczos_eigh",
    "multiplied",
    "no_pairs",
    "randomized_eigh",
    "rayleigh_ritz",
]

_OVER = 8  # vectors of the block beyond those that are wanted; 5 to 10 by Halko et al.

_Product = Callable[[Array], Array]


@dataclass(frozen=True, slots=True, eq=False)
class RitzPairs:
    """Approximate eigenvalues and eigenvectors of a symmetric A: A u_i is near theta_i u_i.

    Attributes
    ----------
    values : NumPy array, shape (k,)
        theta, float64; those of the largest absolute value first.  Fewer than were asked for where
        the others are rounding, or A has given what is not finite.
    vectors : array, shape (k, n)
        u_i as rows, orthonormal, on the device.
    products : int
        With A that were taken.
    residuals : NumPy array, shape (k,), or None
        norm(A u_i - theta_i u_i), where it is known for no product more: within this of theta_i
        lies an eigenvalue.
    error : float or None
        Estimate of norm_2(A - sum theta_i u_i u_i'), where one was asked for.
    finite : bool
        All products were.
    """

    values: np.ndarray
    vectors: Array
    products: int
    residuals: np.ndarray | None = None
    error: float | None = None
    finite: bool = True


def multiplied(
    space: Space, product: _Product, V: Array, watch: Callable[[], bool] = never
) -> Array | None:
    """Give A v for each row v of V, a new array of shape (k, n).

    An operator of hessx takes the stack at once.  Else ``watch`` is asked before each product, for
    others may have come before; None where it has ended it.
    """
    if isinstance(product, LinearOperator):
        return in_rows(space, product.matvec(V))
    rows, k = [], V.shape[0]
    for i in range(k):
        if watch():
            return None
        rows.append(product(V[i, ...]) + 0.0)  # may be a buffer that is written again
    return in_rows(space, space.xp.stack(rows))


def no_pairs(space: Space, products: int, *, finite: bool = True) -> RitzPairs:
    """Give what is left of products that are zero, or not finite."""
    return RitzPairs(np.zeros(0), space.zeros((0, space.n)), products, np.zeros(0), finite=finite)


def _is_finite(space: Space, Y: Array) -> bool:
    """Tell rows that are zero from rows that are not finite; one fetch."""
    with quiet():
        (zero,), _ = fetch(space, [space.xp.sum(Y * 0.0)])
    return not math.isnan(zero)


def rayleigh_ritz(
    space: Space,
    product: _Product,
    Y: Array,
    rank: int,
    spent: int,
    watch: Callable[[], bool] = never,
    *,
    residuals: bool = True,
) -> RitzPairs | None:
    """Give Ritz pairs of A on the space of the rows of Y (Halko et al. 2011, algorithm 5.3).

    Parameters
    ----------
    space, product : Space, callable
        Of A.
    Y : array, shape (k, n)
        Of any rows.
    rank : int
        Pairs at most; those of the largest absolute values.
    spent : int
        Products that Y has taken.
    watch : callable
        See `multiplied`.
    residuals : bool
        Find them, for one fetch more.

    Notes
    -----
    Cost: a product per independent row of Y, three fetches, and that.
    """
    xp = space.xp
    Q, useful = orthonormal_rows_and_rank(space, Y)
    if not useful:
        return no_pairs(space, spent, finite=_is_finite(space, Y))
    Q = Q[:useful, ...]
    Z = multiplied(space, product, Q, watch)
    if Z is None:
        return None
    with quiet():  # products need not be finite
        (T,), (Q, Z) = fetch(space, [xp.reshape(Z @ Q.T, (-1,))], [Q, Z])
        theta, S = decomposed(T.reshape(useful, useful))
        if not np.isfinite(theta).all():
            return no_pairs(space, spent + useful, finite=False)
        order = np.argsort(-abs(theta), kind="stable")[:rank]
        theta, C = theta[order], upload(space, S[:, order].T)
        vectors = C @ Q
        if not residuals:
            return RitzPairs(theta, vectors, spent + useful)
        size = xp.maximum(xp.max(xp.abs(Z)), space.zeros(()) + space.smallest)
        left = (C @ Z - vectors * upload(space, theta)[:, None]) / size
        (squares, scale), (vectors,) = fetch(space, [xp.sum(left * left, axis=-1), size], [vectors])
    return RitzPairs(theta, vectors, spent + useful, scale * np.sqrt(squares))


def randomized_eigh(
    space: Space | Array,
    product: _Product,
    rank: int,
    *,
    oversampling: int = _OVER,
    power: int = 1,
    seed: int | tuple[int, ...] = 0,
    watch: Callable[[], bool] = never,
) -> RitzPairs | None:
    r"""Approximate the eigenpairs of a symmetric A, definite or not, by a random block.

        Y = Omega A^(power + 1)   by turns with orthonormalisation,   Q Q' = I,   rows(Q) = rows(Y)
        Q A Q' = S diag(theta) S',    u_i = S_i' Q

    With power = 0 the error norm_2(A - Q'Q A Q'Q) is some small multiple of sqrt(n) times the
    first absolute eigenvalue beyond the block, and each power step takes its (2 power + 1)-th root.

    Parameters
    ----------
    space : Space or array, shape (n,)
        Of the vectors; an array of theirs says which.
    product : callable or LinearOperator
        v, shape (n,) -> A v; an operator takes the whole block at once.
    rank : int
        Pairs at most, >= 1: those of the largest absolute values.
    oversampling : int
        Vectors of the block beyond ``rank``, >= 0; n in all at most.
    power : int
        Power steps, >= 0: 1 or 2 where eigenvalues decay slowly.
    seed : int or tuple of int
        Of Omega.
    watch : callable
        Asked after each product; True ends it.

    Returns
    -------
    RitzPairs or None
        With residuals; None where ``watch`` has ended it.

    Notes
    -----
    Cost with k = min(rank + oversampling, n): k (power + 2) products, power + 4 fetches, 14 k^2 n
    operations and 4 more per power step.  Memory: four blocks of k vectors.

    References
    ----------
    Halko, Martinsson & Tropp (2011), Finding structure with randomness: probabilistic algorithms
    for constructing approximate matrix decompositions, SIAM Rev. 53, algorithms 4.4 and 5.3,
    theorem 10.6 and corollary 10.10.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx.operators import randomized_eigh
    >>> h = np.array([5.0, -4.0, 0.0, 0.0, 0.0])
    >>> pairs = randomized_eigh(h, lambda v: h * v, rank=2)
    >>> pairs.values.round(12), abs(pairs.vectors).round(12)
    (array([ 5., -4.]), array([[1., 0., 0., 0., 0.],
           [0., 1., 0., 0., 0.]]))
    """
    space = as_space(space)
    k, spent = min(rank + oversampling, space.n), 0
    Y: Array | None = normal(space, seed, k)
    for step in range(power + 1):
        if step:
            rows = independent_rows(space, Y)
            if rows is None:
                return no_pairs(space, spent, finite=_is_finite(space, Y))
            Y = rows
        Y = multiplied(space, product, Y, watch)
        spent += k
        if Y is None:
            return None
    return rayleigh_ritz(space, product, Y, rank, spent, watch)


def lanczos_eigh(
    space: Space | Array,
    product: _Product,
    rank: int,
    *,
    which: str = "magnitude",
    steps: int | None = None,
    seed: int | tuple[int, ...] = 0,
    watch: Callable[[], bool] = never,
) -> RitzPairs:
    """Approximate the outermost eigenpairs of a symmetric A, definite or not, by Lanczos.

    Parameters
    ----------
    space : Space or array, shape (n,)
        Of the vectors; an array of theirs says which.
    product : callable
        v, shape (n,) -> A v.
    rank : int
        Pairs at most, >= 1.
    which : {"magnitude", "largest", "smallest"}
        Those of the largest absolute values, which come from both ends; or from one end.
    steps : int, optional
        Products, >= rank; 2 rank + 8 by default, and n at most.
    seed : int or tuple of int
        Of the first vector, which is normal.
    watch : callable
        Asked after each product; True ends it, with what there is by then.

    Returns
    -------
    RitzPairs
        With residuals: within them lie eigenvalues, but of equal ones the first alone is seen.

    Notes
    -----
    Cost: ``steps`` products and a fetch per 8 of them, 8 steps^2 n operations.  Memory:
    ``steps`` + rank vectors.

    References
    ----------
    Golub & Van Loan (2013), Matrix Computations, sections 10.1 and 10.3; Parlett (1980), The
    Symmetric Eigenvalue Problem, theorem 13.2.1 for the residuals.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx.operators import lanczos_eigh
    >>> h = np.arange(1000.0)
    >>> lanczos_eigh(h, lambda v: h * v, rank=1, steps=200).values.round(6)
    array([999.])
    """
    space = as_space(space)
    start = normal(space, seed)[0, ...]
    run = lanczos(space, product, start, 2 * rank + 8 if steps is None else steps, watch=watch)
    if not len(run.alpha):
        return no_pairs(space, run.products, finite=run.finite)
    theta, S, residuals = run.ritz()
    keys = {"magnitude": -abs(theta), "largest": -theta, "smallest": theta}
    chosen = np.argsort(keys[which], kind="stable")[:rank]
    return RitzPairs(theta[chosen], run.lift(S[:, chosen].T), run.products, residuals[chosen])
