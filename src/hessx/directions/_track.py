"""Gradient, direction and trial as vectors: the array code of a line search."""

from __future__ import annotations

import copy
import math
from typing import Any

from hessx._xp import Array, Numbers, Packet, Space, quiet
from hessx.core import Frame, saved

__all__ = ["Track", "VectorTrack"]


class Track:
    """What stands beneath a direction.

    Attributes
    ----------
    frame, space : Frame, Space
        The variables z, and where they live.
    d : array, shape (n,)
        The direction; None where it has not been formed.
    alpha : float
        Of the trial, s = alpha d.
    slope, start_slope : float
        g'd at the trial and at the start of the ray.
    grad_square, d_square : float
        g'g at the current point, and d'd, in z.
    square : float
        g'g of the trial in x; of the current point after ``accept``.
    s_y, y_y : float
        Products of the trial's pair.
    """

    __slots__ = ()
    frame: Frame
    space: Space
    d: Array
    alpha: float
    slope: float
    start_slope: float
    grad_square: float
    d_square: float
    square: float
    s_y: float
    y_y: float

    @property
    def grad_norm2(self) -> float:
        """norm_2 of the gradient in x."""
        return math.sqrt(self.square)

    def start(self, grad: Array, packet: Packet) -> None:
        """Take the first gradient, and ask for its square."""
        raise NotImplementedError

    def read_start(self, numbers: Numbers) -> None:
        """Take the numbers of the start over."""
        raise NotImplementedError

    def place(self, alpha: float, x: Array) -> Array:
        """Form s = alpha d, and give x + s in x."""
        raise NotImplementedError

    def measure(self, grad: Array, packet: Packet) -> None:
        """Ask for the scalars of a trial, the extreme entries of its gradient first."""
        raise NotImplementedError

    def read(self, numbers: Numbers) -> None:
        """Take the numbers of a trial over."""
        raise NotImplementedError

    def accept(self) -> None:
        """Make the trial's gradient the current one."""
        raise NotImplementedError

    def gradient(self) -> Array:
        """Give the current gradient in x, a new array."""
        raise NotImplementedError


@saved
class VectorTrack(Track):
    """Gradient and direction as two vectors.

    One packet brings d'g_t, g_t'g_t and, as needed, d'd, d'g, and d'y, y'y.

    Parameters
    ----------
    frame : Frame
        The variables.
    pairs : bool
        Whether y is formed, and its products are asked for.
    steps : bool
        Whether s is kept.
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
        "s",
        "s_y",
        "slope",
        "space",
        "square",
        "start_slope",
        "steps",
        "y",
        "y_y",
    )

    def __init__(self, frame: Frame, *, pairs: bool, steps: bool = False) -> None:
        self.frame, self.space, self.pairs, self.steps = frame, frame.space, pairs, steps
        self.g: Array = None
        self.g_trial: Array = None
        self.d: Array = None
        self.s: Array = None
        self.y: Array = None
        nan = math.nan
        self.alpha = self.slope = self.start_slope = self.d_square = self.square = nan
        self.grad_square = self.grad_square_trial = self.s_y = self.y_y = nan

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
        if self.steps:
            self.s = self.d * alpha
            return x + self.frame.push(self.s)
        return x + self.frame.push(self.d * alpha)

    def measure(self, grad: Array, packet: Packet) -> None:
        """Ask for the scalars of a trial, the extreme entries of its gradient first."""
        packet.ask_extremes(grad)
        g = self.g_trial = self.frame.pull(grad)
        d = self.d
        with quiet():  # of a trial far out
            packet.ask_products(slope=(d, g), g_g=(g, g))
            if math.isnan(self.d_square):
                packet.ask_products(d_d=(d, d))
                if math.isnan(self.start_slope):
                    packet.ask_products(start_slope=(d, self.g))
            if self.pairs:
                y = self.y = g - self.g
                packet.ask_products(d_y=(d, y), y_y=(y, y))
            self.frame.ask_square(packet, grad)
        packet.hold(self, "d", "g", "g_trial", "s", "y")

    def read(self, numbers: Numbers) -> None:
        """Read slopes and squares."""
        self.slope, self.grad_square_trial = numbers["slope"], numbers["g_g"]
        self.d_square = numbers.get("d_d", self.d_square)
        self.start_slope = numbers.get("start_slope", self.start_slope)
        if self.pairs:
            self.s_y = self.alpha * numbers["d_y"]
            self.y_y = numbers["y_y"]
        self.square = self.frame.square(numbers, numbers["g_g"])

    def accept(self) -> None:
        """Make the trial's gradient the current one."""
        self.g = self.frame.keep(self.g_trial)
        self.grad_square = self.grad_square_trial
        self.g_trial = self.s = self.y = None

    def aim(self, d: Array, slope: float) -> None:
        """Set the next direction and its slope g'd (nan: to be measured)."""
        self.d, self.start_slope, self.d_square = d, slope, math.nan

    def gradient(self) -> Array:
        """Give the current gradient in x, a new array."""
        return self.frame.gradient(self.g)

    def __deepcopy__(self, memo: dict[int, Any]) -> VectorTrack:
        """Copy the arrays, share the space."""
        twin = copy.copy(self)
        for name in ("d", "g", "g_trial", "s", "y"):
            a = getattr(self, name)
            setattr(twin, name, None if a is None else self.space.copy(a))
        return twin
