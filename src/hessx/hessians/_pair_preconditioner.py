"""L-BFGS on the pairs of the CG solve before."""

from __future__ import annotations

from dataclasses import dataclass

from hessx._xp import Array
from hessx.core import Frame, Learns, Offer, PairRing, SettingsError, saved, store_integer
from hessx.hessians._family import Approximation, Curvature
from hessx.hessians._lbfgs_operator import LBFGSInverse
from hessx.hessians._pairs import pairs_inverse

__all__ = ["CollectedCurvature", "PairPreconditioner"]


@saved(fresh=("inverse",))
class CollectedCurvature(Curvature):
    """The pairs that were collected, and A as an operator once it is needed."""

    __slots__ = ("collect", "frame", "inverse", "pairs", "start")

    def __init__(self, frame: Frame, memory: int, start: LBFGSInverse | None) -> None:
        self.frame, self.collect, self.start = frame, memory, start
        self.pairs: PairRing | None = None
        self.inverse: LBFGSInverse | None = None

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Whether there are pairs, or a start."""
        return self.start is not None or self._collected

    @property
    def _collected(self) -> bool:
        return self.pairs is not None and self.pairs.count > 0

    def collected(self, pairs: PairRing) -> None:
        """Take the pairs over, in the place of those of the solve before; none leave them."""
        if pairs.count:
            self.pairs, self.inverse, self.start = pairs, None, None

    def solve(self, v: Array) -> Array:
        """A v; one fetch where the pairs are new."""
        if self.start is not None:
            return self.frame.inverse(self.start.matvec)(v)
        if not self._collected:
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
    hess_inv0 : LBFGSInverse, optional
        A until a solve has handed pairs: the ``hess_inv`` of an L-BFGS result.

    Raises
    ------
    SettingsError
        memory < 1, or another kind of hess_inv0.

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
    hess_inv0: LBFGSInverse | None = None
    offers = Offer.SOLVE
    learns = Learns.PRODUCTS

    def __post_init__(self) -> None:
        store_integer(self, "memory", 1)
        if not isinstance(self.hess_inv0, LBFGSInverse | None):
            msg = f"hess_inv0 is a {type(self.hess_inv0).__name__}: expected the hess_inv of an "
            raise SettingsError(msg + "L-BFGS result")

    def begin(self, frame: Frame) -> CollectedCurvature:
        """Begin with I, or hess_inv0, until a solve has handed pairs over."""
        return CollectedCurvature(frame, self.memory, self.hess_inv0)
