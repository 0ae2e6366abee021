"""The Broyden family at work: B, its inverse A, or both, changed by each pair."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from hessx._xp import Array, Packet
from hessx.core import Frame, Offer, Pair, saved, store_real
from hessx.hessians._dense import DenseCurvature, changed
from hessx.hessians._family import Approximation
from hessx.hessians._size import check_size
from hessx.hessians._start import checked_start

__all__ = ["BroydenCurvature", "BroydenFamily", "dual"]


@saved(host=("start",), fresh=("A_y",))
class BroydenCurvature(DenseCurvature):
    """B and A = B^-1 in z, one of them or both, by the members of the family."""

    __slots__ = ("A_y", "settings")

    def __init__(self, frame: Frame, settings: BroydenFamily) -> None:
        self.settings = settings
        self.A_y: Array = None
        super().__init__(frame, settings.hess_inv0)

    def focus(self, needs: Offer) -> None:
        """Change only what is asked for at each step, and A where members are chosen by y'Ay."""
        super().focus(needs | Offer.SOLVE if self.settings.reads_inverse else needs)

    def measure(self, pair: Pair, packet: Packet) -> None:
        """Ask for y'Ay, a product, where A is kept; for s'Bs where B s is unknown."""
        self.A_y = None
        if not self.sized:
            return
        if self.keeps_A:
            self.A_y = self.A @ pair.y
            packet.ask_products(y_A_y=(pair.y, self.A_y))
            packet.hold(self, "A_y")
        if self.keeps_B and pair.product is None:
            pair.product = self.B @ pair.s
            packet.ask_products(s_B_s=(pair.s, pair.product))

    def update(self, pair: Pair) -> str:
        """Make B s = y, unless s'y is rounding or, with damping, B s for a part."""
        s, y, s_y, note = pair.s, pair.y, pair.s_y, ""
        A_y = self.A_y
        wanted = self.sized and (self.keeps_B or self.settings.damping is not None)
        B_s = pair.B_s if wanted else None
        s_B_s = pair.numbers.get("s_B_s", pair.s_B_s) if self.sized else math.nan
        y_A_y = pair.numbers.get("y_A_y", math.nan)
        self.A_y, damping = None, self.settings.damping
        if damping is not None and B_s is not None and s_y < damping * s_B_s:
            t, note = (1.0 - damping) * s_B_s / (s_B_s - s_y), "damped"
            y_A_y = t * t * y_A_y + (1.0 - t) * (2.0 * t * s_y + (1.0 - t) * s_B_s)
            y, s_y = y * t + B_s * (1.0 - t), damping * s_B_s
            A_y = None if A_y is None else A_y * t + s * (1.0 - t)
        if not self._tells(pair, s_y, s_B_s, y_A_y):
            return "skipped"
        if not self.sized:
            size = s_y / pair.y_y
            self.begin(size)
            A_y, y_A_y, B_s, s_B_s = y * size, s_y, s / size, pair.s_s / size
        b, h = s_B_s / s_y, y_A_y / s_y
        tau, phi = self.settings.member(b, h, self.frame.space.n, self.pairs)
        A = B = None
        if self.keeps_A:
            psi = dual(phi, b * h)
            ss = (1.0 + psi * h / tau) / s_y
            A = changed(self.A, 1.0 / tau, s, A_y, ss, -psi / tau / s_y, (psi - 1.0) / tau / y_A_y)
        if self.keeps_B:
            yy = (1.0 + tau * phi * b) / s_y
            B = changed(self.B, tau, y, B_s, yy, -tau * phi / s_y, tau * (phi - 1.0) / s_B_s)
        self.learnt(A=A, B=B)
        return note

    def _tells(self, pair: Pair, s_y: float, s_B_s: float, y_A_y: float) -> bool:
        """Whether the curvature s'y is more than rounding, and all numbers are finite."""
        space = self.frame.space
        scale = math.sqrt(pair.s_s) * math.sqrt(pair.y_y) if math.isnan(s_B_s) else s_B_s
        finite = space.smallest <= pair.y_y < math.inf and space.smallest <= pair.s_s < math.inf
        finite = finite and (math.isnan(y_A_y) or 0.0 < y_A_y < math.inf)
        finite = finite and (math.isnan(s_B_s) or 0.0 < s_B_s < math.inf)
        if self.sized and self.keeps_A:
            finite = finite and not math.isnan(y_A_y)
        return finite and s_y > max(space.eps * scale, space.smallest)


def dual(phi: float, mu: float) -> float:
    """Give psi of A+ for phi of B+, with mu = s'Bs y'Ay / (s'y)^2; 1 - phi where mu is unknown.

    Nocedal & Wright (2006), section 6.3: BFGS, phi = 0, has psi = 1, and DFP the reverse.
    """
    if phi in (0.0, 1.0) or math.isnan(mu):
        return 1.0 - phi
    return (1.0 - phi) / (1.0 + phi * (mu - 1.0))


@dataclass(frozen=True, slots=True)
class BroydenFamily(Approximation):
    """What members of the family have in common."""

    hess_inv0: Any = None
    damping: float | None = None
    offers = Offer.SOLVE | Offer.MATVEC | Offer.DENSE | Offer.DIAGONAL
    reads_inverse: ClassVar[bool] = False  # members are chosen by y'Ay

    def __post_init__(self) -> None:
        object.__setattr__(self, "hess_inv0", checked_start("hess_inv0", self.hess_inv0))
        store_real(self, "damping", 0.0, 1.0)

    @abstractmethod
    def member(self, b: float, h: float, n: int, pairs: int) -> tuple[float, float]:
        """Choose tau > 0 and phi from b = s'Bs / s'y and h = y'Ay / s'y, nan where unknown."""

    def begin(self, frame: Frame) -> BroydenCurvature:
        """Begin with A = hess_inv0, or with I until a pair gives its size.

        Raises
        ------
        SettingsError
            A start of another size than x, or n^2 numbers take more than 4 GiB.
        """
        check_size(frame.space, f"{type(self).__name__}()", "hessx.LBFGS()")
        return BroydenCurvature(frame, self)
