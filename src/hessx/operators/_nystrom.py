"""The Nystrom approximation of a positive semidefinite operator, from a block of products."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from hessx._xp import Array, Space, fetch, in_rows, normal, quiet, upload
from hessx.operators._eigen import RitzPairs, multiplied, no_pairs, rayleigh_ritz
from hessx.operators._kinds import as_space
from hessx.operators._lanczos import never
from hessx.operators._orthonormal import decomposed

__all__ = ["Sketch", "nystrom", "sketched_pairs"]

_FLAT = 64.0  # a condition up to which rows are orthonormal enough: to 64 eps
_Seed = int | tuple[int, ...]


class Sketch:
    """Y = Omega A for a block of random rows, which can grow, and the small products of the two.

    Parameters
    ----------
    space : Space
        Of the vectors.
    product : callable or LinearOperator
        v -> A v.
    seed : int or tuple of int
        Of Omega.

    Attributes
    ----------
    products : int
        Taken.
    size : float
        Largest entry of Y, in units of which the rest is: no square overflows.
    nu : float
        How far the products are off: eps norm_F(Y), or the norm of the antisymmetric part of
        Y Omega' where that is more, as of products by differences.  Or what was asked for.
    s, W : NumPy array
        Omega (A + nu I) Omega' = W diag(s) W', s descending; nan where A is not finite.
    squares : NumPy array, shape (k, k)
        Of the rows of Y + nu Omega.
    """

    __slots__ = (
        "Omega", "W", "Y", "nu", "product", "products", "s", "seed", "size", "space", "squares",
    )  # fmt: skip

    def __init__(self, space: Space, product: Callable[[Array], Array], seed: _Seed) -> None:
        self.space, self.product = space, product
        self.seed = seed if isinstance(seed, tuple) else (seed,)
        self.Omega: Array = None
        self.Y: Array = None
        self.products = 0

    def extend(self, rank: int, watch: Callable[[], bool] = never) -> bool:
        """Have ``rank`` rows; all n unit vectors for rank = n.  False where ``watch`` ended it."""
        space, xp = self.space, self.space.xp
        n, have = space.n, 0 if self.Y is None else self.Y.shape[0]
        if rank >= n:  # a square random Omega would be nearly singular
            self.Omega = self.Y = None
            rows = xp.eye(n, dtype=space.dtype, device=space.device)
        else:  # of length 1, nearly
            rows = normal(space, (*self.seed, have), rank - have) * n**-0.5
        Y = multiplied(space, self.product, rows, watch)
        if Y is None:
            return False
        self.products += rows.shape[0]
        grows = self.Y is not None
        self.Omega = in_rows(space, xp.concat([self.Omega, rows]) if grows else rows)
        self.Y = in_rows(space, xp.concat([self.Y, Y])) if grows else Y
        return True

    def read(self, shift: float = 0.0) -> None:
        """Read the small products; one fetch."""
        space, xp, k = self.space, self.space.xp, self.Y.shape[0]
        with quiet():  # products need not be finite
            size = xp.maximum(xp.max(xp.abs(self.Y)), space.zeros(()) + space.smallest)
            Y = self.Y / size
            blocks = [xp.reshape(M, (-1,)) for M in (
                Y @ self.Omega.T, Y @ Y.T, self.Omega @ self.Omega.T)]  # fmt: skip
            (self.size, *found), (self.Omega, self.Y) = fetch(
                space, [size, *blocks], [self.Omega, self.Y]
            )
            S, squares, lengths = (M.reshape(k, k) for M in found)
            off = math.sqrt(np.sum((S - S.T) ** 2)) / 2.0
            self.nu = max(space.eps * math.sqrt(np.trace(squares)), off, shift / self.size)
            self.squares = squares + self.nu * (S + S.T) + self.nu**2 * lengths
            self.s, self.W = decomposed(S + self.nu * lengths)

    @property
    def finite(self) -> bool:
        """Whether all products are."""
        return math.isfinite(self.s[0])

    @property
    def definite(self) -> bool:
        """Whether A may be positive semidefinite, as far as the products tell."""
        return self.s[-1] >= -self.nu  # type: ignore[no-any-return]

    @property
    def noisy(self) -> bool:
        """Whether more rows would tell no more than how far products are off."""
        return self.s[-1] <= 4.0 * self.nu  # type: ignore[no-any-return]

    @property
    def beyond(self) -> float:
        """How large the eigenvalues are, on average, that the rows do not tell apart.

        The least eigenvalue of Omega A Omega', over that of Omega Omega' for as many random rows.
        """
        ratio = math.sqrt(self.Y.shape[0] / self.space.n)
        mean: float = self.size * max(self.s[-1] - self.nu, 0.0) / (1.0 - ratio) ** 2
        return mean

    @property
    def least(self) -> float:
        """Give the least eigenvalue found, without a fetch; inf where it is lost in rounding.

        Which it is below eps^(1/2) of the largest: these are eigenvalues of squares.
        """
        K = self._inverse_root()
        w, _ = decomposed(K @ self.squares @ K.T)
        lost = w[-1] <= _FLAT * math.sqrt(self.space.eps) * w[0]
        return math.inf if lost else self.size * (w[-1] - self.nu)

    def pairs(self) -> RitzPairs:
        """Give the eigenpairs of Y' (Omega Y')^-1 Y, but those that are rounding; two fetches.

        One where all eigenvalues are of a size.
        """
        space, xp, k = self.space, self.space.xp, self.Y.shape[0]
        Y = self.Y / self.size + self.Omega * self.nu
        B = upload(space, self._inverse_root()) @ Y
        (entries,), (B,) = fetch(space, [xp.reshape(B @ B.T, (-1,))], [B])
        w, V = decomposed(entries.reshape(k, k))
        kept = w > 2.0 * self.nu + 4.0 * space.eps * w[0]
        if not kept.any():
            return no_pairs(space, self.products, finite=math.isfinite(w[0]))
        w, V = w[kept], V[:, kept]
        U = upload(space, V.T / np.sqrt(w)[:, None]) @ B
        if w[0] > _FLAT * w[-1]:
            k = len(w)
            (entries,), (U,) = fetch(space, [xp.reshape(U @ U.T, (-1,))], [U])
            g, V = decomposed(entries.reshape(k, k))
            U = upload(space, (V / np.sqrt(np.maximum(g, 1.0 / _FLAT))) @ V.T) @ U
        return RitzPairs(self.size * (w - self.nu), U, self.products)

    def _inverse_root(self) -> np.ndarray:
        """Give K with K (Omega (A + nu I) Omega') K' = I, where that is more than rounding."""
        root = np.sqrt(np.maximum(self.s, 0.5 * self.nu))
        K: np.ndarray = self.W.T / root[:, None]
        return K


def nystrom(
    space: Space | Array,
    product: Callable[[Array], Array],
    rank: int,
    *,
    seed: _Seed = 0,
    shift: float = 0.0,
    checks: int = 0,
    watch: Callable[[], bool] = never,
) -> RitzPairs | None:
    r"""Approximate the largest eigenpairs of a positive semidefinite A, by ``rank`` products.

        Y = Omega (A + nu I),    U' diag(theta + nu) U = Y' (Omega Y')^-1 Y

    It lies below A: theta_i <= lambda_i.  nu I keeps the inverse stable and is taken off again.

    Parameters
    ----------
    space : Space or array, shape (n,)
        Of the vectors; an array of theirs says which.
    product : callable or LinearOperator
        v, shape (n,) -> A v; an operator takes the whole block at once.
    rank : int
        Rows of Omega, >= 1; with n and more the rows of I, and A as it is.
    seed : int or tuple of int
        Of Omega.
    shift : float
        Least nu, >= 0: how far products are off, where that is more than rounding and more than
        their lack of symmetry, which is seen by itself.
    checks : int
        Products for ``error``, >= 0: power steps on the difference, from below; 10 in the paper.
    watch : callable
        Asked after each product; True ends it.

    Returns
    -------
    RitzPairs or None
        Those with theta_i above nu and 4 eps theta_1.  Where A is seen to be indefinite, Ritz pairs
        on the rows of Y with their residuals, for as many products again.  None where ``watch`` has
        ended it.

    Notes
    -----
    The expected error is at most (1 + 2 p / (q - 1)) lambda_(p+1) + (2 e^2 rank / (q^2 - 1)) times
    the sum of the eigenvalues beyond the p-th, for each p and q with p + q = rank, q >= 2.

    Cost: ``rank`` + ``checks`` products, three fetches, one more with checks; 10 rank^2 n
    operations.  Memory: four blocks of ``rank`` vectors.

    References
    ----------
    Frangella, Tropp & Udell (2023), Randomized Nystrom preconditioning, SIAM J. Matrix Anal.
    Appl. 44, algorithm 2.1, algorithm E.2 and proposition 2.2.  Eigenvalues of small matrices stand
    for Cholesky's factors, which may not exist.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx.operators import nystrom
    >>> h = 10.0 ** -np.arange(100.0)
    >>> pairs = nystrom(h, lambda v: h * v, rank=12, checks=5)
    >>> pairs.values[:3].round(8), pairs.error < 1e-10
    (array([1.  , 0.1 , 0.01]), True)
    """
    space = as_space(space)
    sketch = Sketch(space, product, seed)
    if not sketch.extend(min(rank, space.n), watch):
        return None
    sketch.read(shift)
    pairs = sketched_pairs(sketch, rank, watch, residuals=True)
    if pairs is None or not checks:
        return pairs
    return _checked(space, product, pairs, checks, sketch.seed)


def sketched_pairs(
    sketch: Sketch, rank: int, watch: Callable[[], bool], *, residuals: bool = False
) -> RitzPairs | None:
    """Give the pairs of a sketch that was read; those of Rayleigh and Ritz if A is indefinite."""
    space = sketch.space
    if not (sketch.finite and sketch.nu > 0.0):
        return no_pairs(space, sketch.products, finite=sketch.finite)
    if sketch.definite:
        return sketch.pairs()
    spent = sketch.products
    return rayleigh_ritz(space, sketch.product, sketch.Y, rank, spent, watch, residuals=residuals)


def _checked(
    space: Space,
    product: Callable[[Array], Array],
    pairs: RitzPairs,
    steps: int,
    seed: tuple[int, ...],
) -> RitzPairs:
    """Estimate norm(A - U' diag(theta) U) by power steps; one fetch."""
    xp, U, theta = space.xp, pairs.vectors, upload(space, pairs.values)
    v, norm = normal(space, (*seed, 0, 0))[0, ...], space.zeros(())
    for _ in range(steps):
        v = v / xp.sqrt(v @ v)
        v = product(v) - (theta * (U @ v)) @ U
        norm = xp.sqrt(v @ v)
        v = xp.where(norm > 0.0, v, v + 1.0)
    (error,), _ = fetch(space, [norm])
    return replace(pairs, error=error, products=pairs.products + steps)
