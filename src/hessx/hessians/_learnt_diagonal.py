"""A diagonal that is learnt from the steps: as a preconditioner, where solves are long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hessx._xp import Array, Packet
from hessx.core import Frame, Offer, Pair, saved
from hessx.hessians._family import Approximation, Curvature
from hessx.krylov import never

__all__ = ["DiagonalCurvature", "LearntDiagonal"]


@saved(fresh=("inverse",))
class DiagonalCurvature(Curvature):
    """Sums of squares of steps s and changes y, weighted by 1 / s'y."""

    __slots__ = ("changes", "frame", "inverse", "on", "steps")
    squares = False

    def __init__(self, frame: Frame, *, on: bool) -> None:
        self.frame, self.on = frame, on
        self.steps: Array = None
        self.changes: Array = None
        self.inverse: Array = None

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Whether it is in use, and something is known."""
        return self.on and self.steps is not None

    @property
    def sized(self) -> bool:  # type: ignore[override]
        """Whether A has a size."""
        return self.active

    def hold(self, packet: Packet) -> None:
        """Name the sums, which a step adds to."""
        packet.hold(self, "steps", "changes")

    def prepare(self, watch: Callable[[], bool] = never) -> bool:  # noqa: ARG002
        """Form A from the sums."""
        if self.inverse is None:
            self.inverse = self._formed()
        return True

    def solve(self, v: Array) -> Array:
        """A v; the diagonal is formed anew after a step."""
        self.prepare()
        return v * self.inverse

    def matvec(self, v: Array) -> Array:
        """B v, by the inverse of the diagonal of A."""
        return v * self.diagonal()

    def diagonal(self) -> Array:
        """The diagonal of B, 1 / m."""
        self.prepare()
        return 1.0 / self.inverse

    def solved(self, *, short: bool) -> None:
        """Change over after a solve that met its limit."""
        if short:
            self.on = not self.on

    def update(self, pair: Pair) -> str:
        """Add the squares of s and y, by 1 / s'y, while in use; not where s'y <= 0."""
        if not (self.on and pair.s_y > 0.0):
            return "skipped" if self.on else ""
        self.inverse = None  # before there are others
        self.steps = _plus_square(self.steps, pair.s, 1.0 / pair.s_y)
        self.changes = _plus_square(self.changes, pair.y, 1.0 / pair.s_y)
        return ""

    def reset(self) -> bool:
        """Forget the sums; it stays in use, or waiting, as it is."""
        had = self.active
        self.steps = self.changes = self.inverse = None
        return had

    def _formed(self) -> Array:
        """The diagonal of A, with what is not known as large as the largest entry."""
        space, s, y = self.frame.space, self.steps, self.changes
        if s is None:
            return space.zeros(space.n) + 1.0
        xp = space.xp
        known = xp.logical_and(s > 0.0, y > 0.0)
        zero = s * 0.0
        m = xp.sqrt(xp.where(known, s, zero) / xp.where(known, y, zero + 1.0))
        largest = xp.max(m)
        least = largest * space.eps
        m = xp.where(known, xp.where(m > least, m, zero + least), zero + largest)
        return xp.where(xp.isfinite(m), m, zero + 1.0)


def _plus_square(total: Array, v: Array, weight: float) -> Array:
    """Give total + weight v^2, or weight v^2; in one expression, so that NumPy reuses its parts."""
    return v * v * weight if total is None else total + v * v * weight


@saved
@dataclass(frozen=True, slots=True)
class LearntDiagonal(Approximation):
    r"""A = diag(m), m_i^2 = sum_k (s_k)_i^2 / c_k / sum_k (y_k)_i^2 / c_k with c_k = s_k'y_k.

    As a preconditioner it learns from the steps s and y = H s of the model.  A ``patient`` one
    starts once a solve has met its limit of products; it is then used until a solve with it meets
    the limit as well, and so on in turn.  Where the variables have very different scales, it finds
    them; where solves are short, nothing is done.

    Parameters
    ----------
    patient : bool
        Wait for a solve that meets its limit; False learns from the first step on, as in a line
        search.

    Notes
    -----
    Memory: none until it learns, then 3 vectors, and 2 of preconditioned CG (1 on NumPy).  Cost
    while in use: about 20 launches per accepted step, one product of vectors per CG step; no fetch.

    References
    ----------
    The condition diag(m)^2 sum y_i^2 = sum s_i^2 is the secant equation for the sizes of the
    entries, as in Gilbert & Lemarechal (1989), Some numerical experiments with variable-storage
    quasi-Newton algorithms, Math. Program. 45, section 4.

    Examples
    --------
    >>> import hessx
    >>> hessx.TrustRegionMethod().preconditioner
    LearntDiagonal(patient=True)
    """

    patient: bool = True
    offers = Offer.SOLVE | Offer.MATVEC | Offer.DIAGONAL

    @property
    def only_preconditions(self) -> bool:
        """Whether it waits for a solve that meets its limit."""
        return self.patient

    def begin(self, frame: Frame) -> DiagonalCurvature:
        """Begin with I, in use or waiting for a long solve."""
        return DiagonalCurvature(frame, on=not self.patient)
