"""Gradients, pairs and the trial's candidate as rows, and d as a combination of them."""

from __future__ import annotations

import math

import numpy as np

from hessx._xp import Array, Numbers, Packet
from hessx.core import Frame, saved
from hessx.directions._track import Track
from hessx.hessians import PAIRS, PairRows

__all__ = ["RowTrack"]


@saved(host=("products", "products_trial", "weights"))
class RowTrack(Track):
    """Gradients, pairs and the trial's candidate as rows B, and their products with g, B g.

    After a trial, one product of the rows with the new gradient brings slope, g'g, S'g and Y'g, one
    of the candidate's two rows with y brings s'y and y'y.

    Parameters
    ----------
    frame : Frame
        The variables.
    pairs : PairRows
        The rows.
    whole : bool
        Whether a trial's products with all rows are wanted, the current gradient's too.
    """

    __slots__ = (
        "alpha", "d", "d_square", "frame", "grad_square", "lent", "pairs", "placed", "products",
        "products_trial", "s_y", "slope", "space", "square", "start_slope", "weights", "whole",
        "y_y",
    )  # fmt: skip

    def __init__(self, frame: Frame, pairs: PairRows, *, whole: bool) -> None:
        self.frame, self.space, self.pairs = frame, frame.space, pairs
        self.whole = whole or pairs.rows.whole
        self.products = np.zeros(PAIRS + 2 * pairs.limit)  # B g
        self.products_trial = np.zeros_like(self.products)
        self.d: Array = None
        self.weights: tuple[int, np.ndarray] | None = None  # of the rows in a d yet to be formed
        self.lent = False  # d is the candidate's row itself, as alpha = 1
        self.placed = False  # the candidate's rows hold a trial, not yet a pair
        nan = math.nan
        self.alpha = self.slope = self.start_slope = self.d_square = nan
        self.grad_square = self.square = self.s_y = self.y_y = nan

    def start(self, grad: Array, packet: Packet) -> None:
        """Take the first gradient; asks for its products with the rows."""
        pairs, rows = self.pairs, self.pairs.rows
        rows.write(pairs.now, grad, self.frame.scale)
        packet.ask(B_g=rows.products(0, pairs.stop, pairs.now))
        self.frame.ask_square(packet, grad)
        rows.hold(packet)

    def read_start(self, numbers: Numbers) -> None:
        """Read g'g, S'g and Y'g."""
        self.products[: self.pairs.stop] = numbers["B_g"]
        self.grad_square = float(self.products[self.pairs.now])
        self.square = self.frame.square(numbers, self.grad_square)

    def place(self, alpha: float, x: Array) -> Array:
        """Write s = alpha d into the candidate's row; return x + s, in x."""
        self.alpha, self.placed = alpha, True
        if self.weights is not None:
            return self._form_step(x)
        if self.lent:  # d needs an array of its own before its row is written
            self.d, self.lent = self.space.copy(self.d), False
        self.pairs.rows.set_scaled(self.pairs.s, self.d, alpha)
        return self.pairs.rows.moved(x, self.pairs.s, self.frame.scale)

    def measure(self, grad: Array, packet: Packet) -> None:
        """Ask for the scalars of a trial, the extreme entries of its gradient first."""
        pairs, rows = self.pairs, self.pairs.rows
        high, low, products, pair = rows.take_in(
            grad, self.frame.scale, pairs.trial, pairs.y, pairs.now, self._first, pairs.stop
        )
        packet.ask(high=high, low=low, B_g=products, pair_y=pair)
        self.frame.ask_square(packet, grad)
        if math.isnan(self.d_square):
            packet.ask(d_d=self.d @ self.d)
        rows.hold(packet)
        packet.hold(self, "d")

    def read(self, numbers: Numbers) -> None:
        """Read slope, s'y, y'y, d'd and the products with the rows."""
        pairs, pair = self.pairs, numbers["pair_y"]
        self.products_trial[self._first : pairs.stop] = numbers["B_g"]
        self.slope = float(self.products_trial[pairs.s]) / self.alpha
        self.s_y, self.y_y = float(pair[0]), float(pair[1])
        self.d_square = numbers.get("d_d", self.d_square)
        self.square = self.frame.square(numbers, float(self.products_trial[pairs.trial]))

    def accept(self) -> None:
        """Make the trial's gradient the current one."""
        self.products, self.products_trial = self.products_trial, self.products
        self.pairs.swap()
        self.grad_square = float(self.products[self.pairs.now])

    def combine(self, c: np.ndarray, slope: float) -> None:
        """Set d = c B, to be formed when it is first needed, and its slope."""
        now, self.d_square, self.start_slope = self.pairs.now, math.nan, slope
        self.weights = (0, c) if self.pairs.rows.whole else (now, c[now:])

    def descend(self, gamma: float) -> None:
        """Set d = -gamma g."""
        self.d, self.lent = -gamma * self.pairs.rows[self.pairs.now], False
        self.d_square, self.start_slope = math.nan, -gamma * self.grad_square

    def gradient(self) -> Array:
        """Give the current gradient in x, a new array."""
        return self.frame.gradient(self.pairs.rows[self.pairs.now])

    @property
    def _first(self) -> int:
        """The first row of a trial's products."""
        return 0 if self.whole else self.pairs.trial

    def _form_step(self, x: Array) -> Array:
        """Form d, write s = alpha d, and give x + s, in x."""
        (start, c), self.weights = self.weights, None  # type: ignore[misc]
        rows, s, room = self.pairs.rows, self.pairs.s, None if self.lent else self.d
        self.d, trial, d_d = rows.follow(start, c, s, self.alpha, x, self.frame.scale, room)
        self.lent = self.d is rows[s]
        if not math.isnan(d_d):
            self.d_square = d_d
        return trial
