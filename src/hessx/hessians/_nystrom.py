"""The Nystrom approximation: the large eigenvalues of the Hessian, from a random block."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hessx.core import (
    Frame,
    Learns,
    Offer,
    Wants,
    saved,
    store_integer,
    store_real,
)
from hessx.hessians._family import Approximation
from hessx.hessians._ritz import RitzCurvature, check_rank, positive
from hessx.operators import RitzPairs, Sketch, sketched_pairs

__all__ = ["Nystrom"]

_FIRST, _SECOND = 4, 16  # rows of a sketch that grows; from there on it doubles
_NEAR = 10.0  # shifts: smaller eigenvalues would change the condition by no more than that
_FLAT = 3.0  # the least eigenvalue found over the mean of those beyond: CG does as well without
_FALL = 2.0  # of that mean, from one size to the next, where the least is lost in rounding


@saved
@dataclass(frozen=True, slots=True)
class Nystrom(Approximation):
    r"""B near abs(H) + shift I: the large eigenvalues of H, from a block of random products.

        Y = Omega H,   U' diag(theta) U = Y' (Omega Y')^-1 Y,   U U' = I
        l = abs(theta) + shift,   rest = min(l)
        B = U' diag(l) U + rest (I - U'U)

    As a preconditioner A = B^-1 makes the large eigenvalues one with those that are not known: the
    condition becomes about rest over the least eigenvalue of H.  That is worth as much as the
    eigenvalues fall: the products with H that A takes are those that CG no longer needs.

    Parameters
    ----------
    rank : int, optional
        Rows of Omega, from 1 to n.  By default 4, then 16, and from there on twice as many, until

        - the least theta is within 10 ``shift``, or as small as products are off; or
        - it is within 3 of the mean of the eigenvalues beyond, which the least eigenvalue of
          Omega H Omega' tells: they are flat, unless a solve has met its limit since; or
        - there are ``max_rank``, or n; 16 where H is indefinite.
    shift : float, optional
        > 0, of the unit of the Hessian: what H is known to have on all of its diagonal, such as a
        ridge, or a damping in a line search; none by default.  Of the Hessian in x / x_scale where
        x_scale is an array.
    every : int
        Accepted points from one sampling to the next, >= 1; U goes on in between.  One comes early
        where a solve has met its limit of products.
    max_rank : int
        Rows at most, >= 1.
    seed : int
        Of Omega: it depends on the seed and the number of the sampling alone.

    Raises
    ------
    SettingsError
        A setting out of range; when the run begins, a rank above n.

    Notes
    -----
    Where H is seen to be indefinite, U are Ritz vectors on the rows of Y, for as many products
    again, and l their absolute values: a step goes downhill along negative curvature (saddle-free).
    Eigenvalues below 16 eps of the largest are raised to it.  Where H = 0, B = I without a size.

    Cost per sampling of k rows: k products, three fetches, one more for each size before the
    last, two for all where nothing decays; 10 k^2 n operations.  Per apply: 4 k n operations, no
    fetch.  Memory: k vectors, four times that while they are made.

    References
    ----------
    Frangella, Tropp & Udell (2023), Randomized Nystrom preconditioning, SIAM J. Matrix Anal.
    Appl. 44, algorithm 2.1 and eq. (1.3), whose preconditioner is B / rest.  Their adaptive rank
    doubles too; the test there is an estimate of the error, which takes products, here it is theta.
    Pascanu, Dauphin, Ganguli & Bengio (2014), On the saddle point problem for non-convex
    optimization, for the absolute values.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> h = 1e-6 + 0.7 ** np.arange(200.0)
    >>> fun = lambda x: (x @ (h * x) / 2 - x.sum(), h * x - 1.0)
    >>> def products(preconditioner):
    ...     result = hessx.minimize(fun, np.zeros(200), jac=True, hessp=lambda x, v: h * v,
    ...         method="trust-ncg", options={"preconditioner": preconditioner})
    ...     return result.counts.products
    >>> products("nystrom") < products(None) / 3
    True
    """

    rank: int | None = None
    shift: float | None = None
    every: int = 10
    max_rank: int = 64
    seed: int = 0
    offers = Offer.SOLVE | Offer.MATVEC | Offer.SHIFTED | Offer.DIAGONAL | Offer.COMPACT
    learns = Learns.NOTHING
    wants = Wants.HESSIAN

    def __post_init__(self) -> None:
        store_integer(self, "rank", 1)
        store_real(self, "shift", 0.0)
        store_integer(self, "every", 1)
        store_integer(self, "max_rank", 1)
        store_integer(self, "seed")

    def begin(self, frame: Frame) -> RitzCurvature:
        """Begin without eigenvalues: the first Hessian is asked for at x0."""
        check_rank(frame.space, self.rank)
        return RitzCurvature(frame, self)

    def sample(
        self, frame: Frame, hessian: Any, count: int, watch: Callable[[], bool], *, hard: bool
    ) -> RitzPairs | None:
        """Sketch the Hessian, and more of it as long as that pays."""
        sketch = Sketch(frame.space, frame.product(hessian), (self.seed, count))
        rank, before = self.rank or self._size(_FIRST, frame.space.n), math.inf
        while True:
            if not sketch.extend(rank, watch):
                return None
            sketch.read()
            more = self._next(sketch, rank, before, hard)
            if more <= rank:
                return sketched_pairs(sketch, rank, watch)
            rank, before = more, sketch.beyond

    def _next(self, sketch: Sketch, rank: int, before: float, hard: bool) -> int:
        """Give the rows that would be worth their products; ``rank`` where these will do."""
        n = sketch.space.n
        if self.rank is not None or rank >= min(n, self.max_rank) or not sketch.finite:
            return rank
        if not sketch.definite:  # theta that cancel do not tell what is beyond them
            return self._size(_SECOND, n)
        if sketch.noisy:
            return rank
        least, beyond = sketch.least, sketch.beyond
        flat = least <= _FLAT * beyond if least < math.inf else before < _FALL * beyond
        if least <= _NEAR * (self.shift or 0.0) or (flat and not hard):
            return rank
        return self._size(max(_SECOND, 2 * rank), n)

    def _size(self, rank: int, n: int) -> int:
        """Give that many rows; all, where they would be more than half of all."""
        most = min(self.max_rank, n)
        return most if 2 * rank > n else min(rank, most)

    def shaped(self, theta: np.ndarray, eps: float) -> tuple[np.ndarray, float]:
        """Take absolute values, and the least of them for what is not known."""
        return positive(abs(theta) + (self.shift or 0.0), eps)
