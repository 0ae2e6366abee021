"""A diagonal preconditioner that is learnt from the steps, where solves are long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Space
from hessx.core import Frame, saved
from hessx.krylov import KrylovOutcome, ModelStep

__all__ = ["LearntDiagonal"]


@saved
class _BoundDiagonal:
    """Sums of squares of steps p and products H p, weighted by 1 / p'Hp."""

    collect, changes = 0, True

    def __init__(self, space: Space) -> None:
        self.space = space
        self.on = False
        self.steps: Array = None
        self.products: Array = None

    def at(self, hessian: Any) -> Any:  # noqa: ARG002
        """Give r -> M r while it is in use; nothing is fetched."""
        if not self.on or self.steps is None:
            return None
        xp, s, y = self.space.xp, self.steps, self.products
        known = xp.logical_and(s > 0.0, y > 0.0)
        zero = s * 0.0
        m = xp.sqrt(xp.where(known, s, zero) / xp.where(known, y, zero + 1.0))
        largest = xp.max(m)
        least = largest * self.space.eps
        m = xp.where(known, xp.where(m > least, m, zero + least), zero + largest)
        m = xp.where(xp.isfinite(m), m, zero + 1.0)
        return lambda r: r * m

    def learn(self, step: ModelStep) -> None:
        """Add an accepted step while in use; change over after a solve that met its limit."""
        if step.outcome is KrylovOutcome.LIMIT:
            self.on = not self.on
        p_H_p = -2.0 * (step.decrease + step.slope)
        if not (self.on and p_H_p > 0.0):
            return
        self.steps = _plus_square(self.steps, step.step, 1.0 / p_H_p)
        self.products = _plus_square(self.products, step.product, 1.0 / p_H_p)


def _plus_square(total: Array, v: Array, weight: float) -> Array:
    """Give total + weight v^2, or weight v^2; in one expression, so that NumPy reuses its parts."""
    return v * v * weight if total is None else total + v * v * weight


@saved
@dataclass(frozen=True, slots=True)
class LearntDiagonal:
    r"""M = diag(m), m_i^2 = sum_k (p_k)_i^2 / c_k / sum_k (H p_k)_i^2 / c_k with c_k = p_k'H p_k.

    The sums go over the accepted steps p_k since a solve met its limit of products; from then on
    M is used, until a solve with it meets the limit as well, and so on in turn.  Where the
    variables have very different scales, it finds them; where solves are short, nothing is done.

    Notes
    -----
    Memory: none until a solve meets its limit, then 3 vectors, and 2 of preconditioned CG (1 on
    NumPy).  Cost while in use: about 20 launches per accepted step, one product of vectors per CG
    step; no fetch.

    References
    ----------
    The condition diag(m)^2 sum y_i^2 = sum s_i^2 is the secant equation for the sizes of the
    entries, as in Gilbert & Lemarechal (1989), Some numerical experiments with variable-storage
    quasi-Newton algorithms, Math. Program. 45, section 4.

    Examples
    --------
    >>> import hessx
    >>> hessx.TrustRegionMethod().preconditioner
    LearntDiagonal()
    """

    def begin(self, frame: Frame) -> _BoundDiagonal:
        """Start a run."""
        return _BoundDiagonal(frame.space)
