"""B = I."""

from __future__ import annotations

from dataclasses import dataclass

from hessx._xp import Array, Space
from hessx.core import Frame, Learns, Offer, saved
from hessx.hessians._family import Approximation, Curvature

__all__ = ["Identity", "IdentityCurvature"]


@saved
class IdentityCurvature(Curvature):
    """I, whose size is that of nothing."""

    __slots__ = ("space",)
    sized, active = False, False

    def __init__(self, space: Space) -> None:
        self.space = space

    def direction(self, g: Array, g_g: float) -> tuple[Array, float]:
        """-g, whose slope is known."""
        return -g, -g_g

    def solve(self, v: Array) -> Array:
        """Give v, a copy."""
        return v + 0.0

    matvec = solve

    def solve_shifted(self, v: Array, sigma: float) -> Array:
        """Give v / (1 + sigma)."""
        return v / (1.0 + sigma)

    def dense(self) -> Array:
        """I, shape (n, n)."""
        return self.space.xp.eye(self.space.n, dtype=self.space.dtype, device=self.space.device)

    def diagonal(self) -> Array:
        """Ones, shape (n,)."""
        return self.space.zeros(self.space.n) + 1.0


@saved
@dataclass(frozen=True, slots=True)
class Identity(Approximation):
    """B = I: steepest descent.

    With an array ``x_scale`` the identity belongs to x / x_scale, that is A = diag(x_scale^2).

    Notes
    -----
    Memory: 9 vectors at the peak of a run, trial and gradients included.  Cost per trial: two
    inner products, and three more where the rule wants pairs, in one fetch; d'd once per step.

    References
    ----------
    Nocedal & Wright (2006), section 2.2, eq. (2.14).

    Examples
    --------
    >>> import hessx
    >>> method = hessx.LineSearchMethod(hessx.Identity(), hessx.FixedStep(0.5))
    >>> result = hessx.minimize(lambda x: (x @ x / 2, x), [3.0, 4.0], jac=True, method=method)
    >>> bool(abs(result.x).max() < 1e-4)
    True
    """

    offers = Offer.SOLVE | Offer.MATVEC | Offer.SHIFTED | Offer.DENSE | Offer.DIAGONAL
    learns = Learns.NOTHING

    def begin(self, frame: Frame) -> IdentityCurvature:
        """Begin with I, which stays."""
        return IdentityCurvature(frame.space)
