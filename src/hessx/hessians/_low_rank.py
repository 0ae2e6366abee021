"""The eigenpairs of the Hessian with the largest absolute values, and a multiple of I."""

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
    check_flag,
    saved,
    store_choice,
    store_integer,
    store_real,
)
from hessx.hessians._family import Approximation
from hessx.hessians._ritz import RitzCurvature, check_rank, positive
from hessx.operators import RitzPairs, lanczos_eigh, randomized_eigh

__all__ = ["LowRank"]


@saved
@dataclass(frozen=True, slots=True)
class LowRank(Approximation):
    r"""B = U' diag(l) U + rest (I - U'U), in U the eigenvectors of largest absolute eigenvalues.

    With l = abs(theta), the saddle-free form, B is positive definite, and a step goes downhill
    along negative curvature: it fits line searches.  With l = theta it may be indefinite, and fits
    trust regions, which go along negative curvature to their edge.

    Parameters
    ----------
    rank : int
        Eigenpairs, from 1 to n.
    by : {"lanczos", "randomized"}
        How they are found: by 2 rank + 8 steps of Lanczos, the better for as many products, or from
        a random block of rank + 8 vectors, with one power step, where products come in stacks or
        eigenvalues are multiple.
    absolute : bool
        The saddle-free form.
    rest : float, optional
        > 0, of the unit of the Hessian; by default the least absolute value in U.
    every : int
        Accepted points from one sampling to the next, >= 1; U goes on in between.
    seed : int
        Of the random vectors: they depend on it and the number of the sampling alone.

    Raises
    ------
    SettingsError
        A setting out of range; when the run begins, a rank above n.

    Notes
    -----
    In the saddle-free form values below 16 eps of the largest are raised to it.  Where H = 0, B = I
    without a size.

    Cost per sampling, "lanczos": 2 rank + 8 products, n at most, and a fetch per 8 of them.
    "randomized": 3 (rank + 8) products and 8 fetches.  Per apply: 4 rank n operations, no fetch.
    Memory: rank vectors; while they are made 3 rank + 8, or four blocks of rank + 8.

    References
    ----------
    Halko, Martinsson & Tropp (2011), SIAM Rev. 53, algorithms 4.4 and 5.3; Pascanu, Dauphin,
    Ganguli & Bengio (2014), On the saddle point problem for non-convex optimization, where the
    Krylov space is Lanczos's too.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> h = np.array([100.0, 50.0, -1.0, 1.0, 1.0])
    >>> fun = lambda x: (x @ (h * x) / 2 + x[2] ** 4, h * x + 4 * x[2] ** 3 * np.eye(5)[2])
    >>> hessp = lambda x, v: h * v + 12 * x[2] ** 2 * v[2] * np.eye(5)[2]
    >>> line = hessx.LineSearchMethod(hessx.LowRank(3), hessx.HagerZhang())
    >>> region = hessx.TrustRegionMethod(hessx.LowRank(3, absolute=False))
    >>> for method in (line, region):
    ...     result = hessx.minimize(fun, np.full(5, 0.1), jac=True, hessp=hessp, method=method)
    ...     print(result.success, abs(result.x).round(4) + 0.0)
    True [0.  0.  0.5 0.  0. ]
    True [0.  0.  0.5 0.  0. ]
    """

    rank: int
    by: str = "lanczos"
    absolute: bool = True
    rest: float | None = None
    every: int = 1
    seed: int = 0
    learns = Learns.NOTHING
    wants = Wants.HESSIAN

    def __post_init__(self) -> None:
        store_integer(self, "rank", 1)
        store_choice(self, "by", "lanczos", "randomized")
        object.__setattr__(self, "absolute", check_flag("absolute", self.absolute))
        store_real(self, "rest", 0.0)
        store_integer(self, "every", 1)
        store_integer(self, "seed")

    @property
    def positive(self) -> bool:  # type: ignore[override]
        """Whether the values are absolute."""
        return self.absolute

    @property
    def offers(self) -> Offer:  # type: ignore[override]
        """Products, and inverses where it is positive definite."""
        products = Offer.MATVEC | Offer.DIAGONAL | Offer.COMPACT
        return products | Offer.SOLVE | Offer.SHIFTED if self.absolute else products

    def begin(self, frame: Frame) -> RitzCurvature:
        """Begin without eigenpairs: the first Hessian is asked for at x0."""
        check_rank(frame.space, self.rank)
        return RitzCurvature(frame, self)

    def sample(
        self,
        frame: Frame,
        hessian: Any,
        count: int,
        watch: Callable[[], bool],
        *,
        hard: bool,  # noqa: ARG002
    ) -> RitzPairs | None:
        """Find them."""
        find = lanczos_eigh if self.by == "lanczos" else randomized_eigh
        seed = self.seed, count
        return find(frame.space, frame.product(hessian), self.rank, seed=seed, watch=watch)

    def shaped(self, theta: np.ndarray, eps: float) -> tuple[np.ndarray, float]:
        """Take them, or their absolute values."""
        values, rest = positive(abs(theta), eps)
        return values if self.absolute else theta, self.rest or rest
