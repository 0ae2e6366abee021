"""The Nystrom approximation: the large eigenvalues of the Hessian, from a random block."""

from __future__ import annotations

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
_SLOPE = 2.0  # of the first eigenvalues: what falls less is flat
_FALL = 4.0  # of the least eigenvalue: CG then takes half the steps, which is worth another size


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
        - the theta of the first 4 differ by less than 2, or the least theta falls by less than 4:
          nothing decays, unless a solve has met its limit since; or
        - there are ``max_rank``, or n.
    shift : float, optional
        > 0, of the unit of the Hessian: what H is known to have on all of its diagonal, such as a
        ridge, or a damping in a line search; none by default.
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
        n = frame.space.n
        sketch = Sketch(frame.space, frame.product(hessian), (self.seed, count))
        rank, most = self.rank or min(_FIRST, self.max_rank), min(self.rank or self.max_rank, n)
        before: float | None = None  # the least eigenvalue of the size before
        while True:
            if self.rank is None and 2 * rank > n:
                rank = most
            if not sketch.extend(rank, watch):
                return None
            sketch.read()
            if rank >= most or not sketch.definite or sketch.noisy:
                break
            w = sketch.guess()
            falls = w[-1] * _SLOPE <= w[0] if before is None else w[-1] * _FALL <= before
            if w[-1] <= _NEAR * (self.shift or 0.0) or not (falls or hard):
                break
            before, rank = w[-1], min(max(_SECOND, 2 * rank), most)
        return sketched_pairs(sketch, rank, watch)

    def shaped(self, theta: np.ndarray, eps: float) -> tuple[np.ndarray, float]:
        """Take absolute values, and the least of them for what is not known."""
        return positive(abs(theta) + (self.shift or 0.0), eps)
