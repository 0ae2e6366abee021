"""L-BFGS on the pairs of the CG solve before."""

from __future__ import annotations

from dataclasses import dataclass

from hessx._xp import Array
from hessx.core import Frame, Learns, Offer, PairRing, saved, store_integer
from hessx.hessians._family import Approximation, Curvature
from hessx.hessians._lbfgs_operator import LBFGSInverse
from hessx.hessians._pairs import pairs_inverse

__all__ = ["CollectedCurvature", "PairPreconditioner"]


@saved(fresh=("inverse",))
class CollectedCurvature(Curvature):
    """The pairs that were collected, and A as an operator once it is needed."""

    __slots__ = ("collect", "frame", "inverse", "pairs")

    def __init__(self, frame: Frame, memory: int) -> None:
        self.frame, self.collect = frame, memory
        self.pairs: PairRing | None = None
        self.inverse: LBFGSInverse | None = None

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Whether there are pairs."""
        return self.pairs is not None and self.pairs.count > 0

    def collected(self, pairs: PairRing) -> None:
        """Take the pairs over, in the place of those of the solve before; none leave them."""
        if pairs.count:
            self.pairs, self.inverse = pairs, None

    def solve(self, v: Array) -> Array:
        """A v; one fetch where the pairs are new."""
        if not self.active:
            return v + 0.0
        if self.inverse is None:
            pairs: PairRing = self.pairs  # type: ignore[assignment]
            space = self.frame.space
            self.inverse = pairs_inverse(space, pairs.rows, pairs.order, pairs.slots)
        return self.inverse.matvec(v)


@saved
@dataclass(frozen=True, slots=True)
class PairPreconditioner(Approximation):
    """A = the L-BFGS inverse on the last directions of the CG solve before, and their products.

    Parameters
    ----------
    memory : int
        Pairs kept, >= 1.

    Raises
    ------
    SettingsError
        memory < 1.

    Notes
    -----
    Cost: one fetch and ``memory`` products with the pairs per accepted point, two per CG step.
    Memory: 4 ``memory`` vectors, those in use and those collected.

    References
    ----------
    Morales & Nocedal (2000), Automatic preconditioning by limited memory quasi-Newton updating,
    SIAM J. Optim. 10.

    Examples
    --------
    >>> import hessx
    >>> method = hessx.TrustRegionMethod(preconditioner=hessx.PairPreconditioner(8))
    """

    memory: int = 20
    offers = Offer.SOLVE
    learns = Learns.PRODUCTS

    def __post_init__(self) -> None:
        store_integer(self, "memory", 1)

    def begin(self, frame: Frame) -> CollectedCurvature:
        """Begin with I, until a solve has handed pairs over."""
        return CollectedCurvature(frame, self.memory)
