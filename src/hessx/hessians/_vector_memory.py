"""Gradient and direction as two vectors: what most memories are made of."""

from __future__ import annotations

import copy
import math
from typing import Any

from hessx._xp import Array, Packet, quiet
from hessx.core import Frame
from hessx.hessians._memory import HostNumbers, Numbers

__all__ = ["VectorMemory"]


class VectorMemory(HostNumbers):
    """Keep gradient and direction as two vectors; the base for d = -A g and nonlinear CG.

    One packet brings d'g_t, g_t'g_t and, as needed, d'd, d'g, and d'y, y'y, y'g_t.
    """

    __slots__ = (
        "alpha",
        "d",
        "d_square",
        "frame",
        "g",
        "g_trial",
        "grad_square",
        "grad_square_trial",
        "pairs",
        "s_y",
        "slope",
        "space",
        "square",
        "start_slope",
        "unit_step",
        "y",
        "y_g",
        "y_y",
    )
    needs_hessian = False

    def __init__(self, frame: Frame, *, pairs: bool) -> None:
        self.frame, self.space, self.pairs = frame, frame.space, pairs
        self.g: Array = None
        self.g_trial: Array = None
        self.d: Array = None
        self.y: Array = None
        self.unit_step = False
        nan = math.nan
        self.alpha = self.slope = self.start_slope = self.d_square = nan
        self.square = nan  # g'g in x
        self.grad_square = self.grad_square_trial = self.s_y = self.y_y = self.y_g = nan

    def start(self, grad: Array, packet: Packet) -> None:
        """Take the first gradient; asks for g'g."""
        self.g = self.frame.keep(self.frame.pull(grad))
        packet.ask(g_g=self.g @ self.g)
        self.frame.ask_square(packet, grad)
        packet.hold(self, "g")

    def read_start(self, numbers: Numbers) -> None:
        """Read g'g."""
        self.grad_square = numbers["g_g"]
        self.square = self.frame.square(numbers, numbers["g_g"])

    def place(self, alpha: float, x: Array) -> Array:
        """Form the step s = alpha d; return x + s, in x."""
        self.alpha = alpha
        return x + self.frame.push(self.d * alpha)

    def measure(self, grad: Array, packet: Packet) -> None:
        """Ask for the scalars of a trial, the extreme entries of its gradient first."""
        packet.ask_extremes(grad)
        g = self.g_trial = self.frame.pull(grad)
        d = self.d
        with quiet():  # of a trial far out
            packet.ask(slope=d @ g, g_g=g @ g)
            if math.isnan(self.d_square):
                packet.ask(d_d=d @ d)
                if math.isnan(self.start_slope):
                    packet.ask(start_slope=d @ self.g)
            if self.pairs:
                y = self.y = g - self.g
                packet.ask(d_y=d @ y, y_y=y @ y, y_g=y @ g)
            self.frame.ask_square(packet, grad)
        packet.hold(self, "d", "g", "g_trial", "y")

    def read(self, numbers: Numbers) -> None:
        """Take the numbers of a trial over."""
        self.slope, self.grad_square_trial = numbers["slope"], numbers["g_g"]
        self.d_square = numbers.get("d_d", self.d_square)
        self.start_slope = numbers.get("start_slope", self.start_slope)
        if self.pairs:
            self.s_y = self.alpha * numbers["d_y"]
            self.y_y, self.y_g = numbers["y_y"], numbers["y_g"]
        self.square = self.frame.square(numbers, numbers["g_g"])

    def accept(self, *, learn: bool = True) -> str:  # noqa: ARG002
        """Make the trial's gradient the current one."""
        self.g = self.frame.keep(self.g_trial)
        self.grad_square = self.grad_square_trial
        self.g_trial = self.y = None
        return ""

    def aim(self, d: Array, slope: float) -> None:
        """Set the next direction and its slope g'd (nan: to be measured)."""
        self.d, self.start_slope, self.d_square = d, slope, math.nan

    def reset(self) -> bool:
        """Forget the past; False where there was none."""
        return False

    def gradient(self) -> Array:
        """Give the current gradient in x, a new array."""
        return self.frame.gradient(self.g)

    def operator(self) -> Any:
        """Give A as an operator; none here."""
        return None

    def __deepcopy__(self, memo: dict[int, Any]) -> VectorMemory:
        """Copy the arrays, share the space."""
        twin = copy.copy(self)
        for name in ("d", "g", "g_trial", "y"):
            a = getattr(self, name)
            setattr(twin, name, None if a is None else self.space.copy(a))
        return twin
