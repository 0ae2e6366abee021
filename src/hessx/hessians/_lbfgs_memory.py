"""What L-BFGS remembers: gradients, pairs and their small products."""

from __future__ import annotations

import copy
import math

import numpy as np

from hessx._xp import Array, Packet, Rows, make_rows
from hessx.core import Frame, saved
from hessx.hessians._gram import Gram
from hessx.hessians._lbfgs_operator import LBFGSInverse
from hessx.hessians._memory import HostNumbers, Numbers

__all__ = ["LBFGSMemory"]

_PAIRS = 2  # the first row of the pairs; rows 0 and 1 hold the gradients


@saved(host=("products", "products_trial", "weights"))
class LBFGSMemory(HostNumbers):
    """Gradients, pairs and the trial's candidate as rows of one buffer.

    Rows 0 and 1 are the current gradient and the trial's, in turn; rows 2 + 2i and 3 + 2i are
    s and y of slot i.  The candidate takes a free slot, or that of the oldest pair, which no
    direction will need again.  After a trial, one product of the rows with the new gradient
    brings slope, g'g, S'g and Y'g, one of the candidate's two rows with y brings s'y and y'y.
    The columns S'y and Y'y that a new pair adds are differences of stored products; its own s'y
    and y'y are explicit, without which float32 breaks at its noise floor.
    """

    __slots__ = (
        "alpha", "candidate", "cleared", "count", "d", "d_square", "damping", "dropped", "frame",
        "gamma", "grad_square", "gram", "h0", "lent", "now", "placed", "products",
        "products_trial", "rows", "s_y", "slope", "space", "square", "start_slope", "touched",
        "unit_step", "weights", "y_y",
    )  # fmt: skip
    needs_hessian = False

    def __init__(self, frame: Frame, m: int, h0: float | None, damping: float | None) -> None:
        self.frame, self.space, self.damping = frame, frame.space, damping
        self.rows: Rows = make_rows(frame.space, _PAIRS + 2 * m)
        self.gram = Gram(m)
        self.h0 = h0
        self.gamma = 1.0 if h0 is None else h0
        self.placed = False  # the candidate's rows hold a trial, not yet a pair
        self.cleared = False  # `operator` has put zeros there
        self.dropped = False  # the pairs are forgotten with the next that is learnt
        self.products = np.zeros(_PAIRS + 2 * m)
        self.products_trial = np.zeros_like(self.products)
        self.now = self.candidate = 0
        self._hold(0)
        self.d: Array = None
        self.lent = False  # d is the candidate's row itself, as alpha = 1
        self.weights: tuple[int, np.ndarray] | None = None  # of a d that is yet to be formed
        self.unit_step = h0 is not None
        nan = math.nan
        self.alpha = self.slope = self.start_slope = self.d_square = nan
        self.grad_square = self.square = self.s_y = self.y_y = nan

    def start(self, grad: Array, packet: Packet) -> None:
        """Take the first gradient; asks for its products with the rows."""
        self.rows.write(self.now, grad, self.frame.scale)
        packet.ask(B_g=self.rows.products(0, self.touched, self.now))
        self.frame.ask_square(packet, grad)
        self.rows.hold(packet)

    def read_start(self, numbers: Numbers) -> None:
        """Read g'g, S'g and Y'g."""
        self.products[: self.touched] = numbers["B_g"]
        self.grad_square = float(self.products[self.now])
        self.square = self.frame.square(numbers, self.grad_square)

    def place(self, alpha: float, x: Array) -> Array:
        """Write s = alpha d into the candidate's row; return x + s, in x."""
        self.alpha, self.placed, self.cleared = alpha, True, False
        if self.weights is not None:
            return self._form_step(x)
        self._write_step()
        return self.rows.moved(x, _PAIRS + 2 * self.candidate, self.frame.scale)

    def measure(self, grad: Array, packet: Packet) -> None:
        """Ask for the scalars of a trial, the extreme entries of its gradient first."""
        if self.cleared:
            self._write_step()
            self.cleared = False
        trial, y = 1 - self.now, _PAIRS + 2 * self.candidate + 1
        high, low, products, pair = self.rows.take_in(
            grad, self.frame.scale, trial, y, self.now, self._first(trial), self.touched
        )
        packet.ask(high=high, low=low, B_g=products, pair_y=pair)
        self.frame.ask_square(packet, grad)
        if math.isnan(self.d_square):
            packet.ask(d_d=self.d @ self.d)
        self.rows.hold(packet)
        packet.hold(self, "d")

    def read(self, numbers: Numbers) -> None:
        """Read slope, s'y, y'y, d'd and the products with the rows."""
        self.products_trial[self._first(1 - self.now) : self.touched] = numbers["B_g"]
        self.slope = float(self.products_trial[_PAIRS + 2 * self.candidate]) / self.alpha
        pair = numbers["pair_y"]
        self.s_y, self.y_y = float(pair[0]), float(pair[1])
        self.d_square = numbers.get("d_d", self.d_square)
        self.square = self.frame.square(numbers, float(self.products_trial[1 - self.now]))

    def take(self, *, learn: bool = True) -> str:
        """Make the candidate a pair, unless its curvature is lost in rounding."""
        if not learn:
            self._move_on()
            return ""
        if self.dropped:
            self._begin_anew()
        slot, alpha, m = self.candidate, self.alpha, len(self.gram.diagonal)
        if self.count == m:
            self.gram.remove(slot)
        self.placed = False
        cross = self.products_trial[: self.touched] - self.products[: self.touched]
        note = ""
        s_s = alpha * alpha * self.d_square
        if self.damping is not None and self.unit_step:  # else A = I has no size yet
            note, cross = self._damp(cross)
        self._move_on()
        if not math.isfinite(self.y_y + s_s):
            self._clear()
            return "dropped"
        least = max(-self.space.eps * alpha * self.start_slope, self.space.smallest)
        if not (self.s_y > least and self.y_y > 0.0):
            return "skipped"
        self.gram.add(slot, cross[_PAIRS::2], cross[_PAIRS + 1 :: 2], self.s_y, self.y_y, s_s)
        self.gamma = self.s_y / self.y_y if m <= self.space.n else self.gram.longest
        self.unit_step = True
        if self.count < m:
            self._hold(self.count + 1)
        self.candidate = (slot + 1) % m
        return note

    def direct(self) -> None:
        """Find the weights of the rows in d = -A g, and its slope, from the stored products."""
        self.d_square = math.nan
        now = self.now
        if self.count and not self.dropped:
            stop = len(self.products) if self.rows.whole else _PAIRS + 2 * self.count
            p, c = self.products[:stop], np.zeros(stop)
            c[now] = -self.gamma
            c[_PAIRS::2], c[_PAIRS + 1 :: 2] = self.gram.weights(
                p[_PAIRS::2], p[_PAIRS + 1 :: 2], self.gamma
            )
            slope = float(c.dot(p))
            if -math.inf < slope < 0.0:
                self.start_slope = slope
                self.weights = (0, c) if self.rows.whole else (now, c[now:])
                return
            self._clear()
        h = 1.0 if self.h0 is None or self.dropped else self.h0
        self.d, self.lent = -h * self.rows[now], False
        self.start_slope = -h * self.grad_square

    def drop(self) -> bool:
        """Take -g next, and forget the pairs if that is learnt from; False where there were none.

        Until then they make `operator`, and a run that ends there hands them out.
        """
        had = self.count > 0 and not self.dropped
        self.dropped, self.unit_step = True, False
        return had

    def gradient(self) -> Array:
        """Give the current gradient in x, a new array."""
        return self.frame.gradient(self.rows[self.now])

    def operator(self) -> LBFGSInverse:
        """Give A as an operator."""
        gram = self.gram
        if self.placed:  # a trial, perhaps not finite, stands in the candidate's rows
            gram = copy.deepcopy(gram)
            gram.remove(self.candidate)
            row = _PAIRS + 2 * self.candidate
            self._take_back()
            for i in (1 - self.now, row, row + 1):
                self.rows.set(i, self.space.zeros(self.space.n))
            self.cleared = True
        return LBFGSInverse(self.frame, self.rows, gram, self.gamma, self.count, self.candidate)

    def adopt(self, operator: LBFGSInverse) -> None:
        """Start from the pairs of an earlier run, copied."""
        for i in range(_PAIRS, _PAIRS + 2 * len(self.gram.diagonal)):
            self.rows.set(i, operator.rows[i])
        self.gram.copy_from(operator.gram)
        self.candidate = operator.candidate
        self._hold(operator.count)
        self.gamma, self.unit_step = operator.gamma, True

    def _move_on(self) -> None:
        """The trial's gradient becomes the current one."""
        self.products, self.products_trial = self.products_trial, self.products
        self.now = 1 - self.now
        self.grad_square = float(self.products[self.now])

    def _begin_anew(self) -> None:
        """Forget the pairs; the candidate moves to the first slot."""
        row = _PAIRS + 2 * self.candidate
        kept = self.products_trial[row : row + 2].copy()
        if self.candidate:
            for i in (0, 1):
                self.rows.set(_PAIRS + i, self.rows[row + i] + 0.0)
        self._reset()
        self.products_trial[_PAIRS : _PAIRS + 2] = kept

    def _clear(self) -> None:
        """Forget the pairs, of which some may not be finite."""
        if self.rows.whole:  # they must not meet a coefficient of zero
            for i in (1 - self.now, *range(_PAIRS, len(self.products))):
                self.rows.set(i, self.space.zeros(self.space.n))
        self._reset()

    def _reset(self) -> None:
        self.gram.clear()
        self.products[_PAIRS:] = self.products_trial[_PAIRS:] = 0.0
        self.candidate = 0
        self._hold(0)
        self.unit_step = self.dropped = False
        self.h0 = None
        self.gamma = 1.0

    def _hold(self, count: int) -> None:
        """Set the number of pairs, and with it the end of the rows in use, candidate included."""
        self.count = count
        end = len(self.products)
        self.touched = end if self.rows.whole else min(_PAIRS + 2 * (count + 1), end)

    def _form_step(self, x: Array) -> Array:
        """Form d, write s = alpha d, and give x + s, in x."""
        (start, c), self.weights = self.weights, None  # type: ignore[misc]
        row, room = _PAIRS + 2 * self.candidate, None if self.lent else self.d
        self.d, trial, d_d = self.rows.follow(start, c, row, self.alpha, x, self.frame.scale, room)
        self.lent = self.d is self.rows[row]
        if not math.isnan(d_d):
            self.d_square = d_d
        return trial

    def _write_step(self) -> None:
        """Write s = alpha d with the d that was formed."""
        self._take_back()
        self.rows.set_scaled(_PAIRS + 2 * self.candidate, self.d, self.alpha)

    def _take_back(self) -> None:
        """Give d an array of its own, before its row is written."""
        if self.lent:
            self.d, self.lent = self.space.copy(self.d), False

    def _first(self, trial: int) -> int:
        """The first row of a trial's products: damping wants g_t'g as well."""
        return trial if self.damping is None and not self.rows.whole else 0

    def _damp(self, cross: np.ndarray) -> tuple[str, np.ndarray]:
        """Mix y with Bs so that s'y >= damping s'Bs (Powell 1978).

        The step is s = -alpha A g, so that Bs = -alpha g and s'Bs = -alpha^2 slope.
        """
        s_B_s = -self.alpha * self.alpha * self.start_slope
        least = self.damping * s_B_s  # type: ignore[operator]
        if not self.s_y < least:
            return "", cross
        theta = (s_B_s - least) / (s_B_s - self.s_y)
        weight = (1.0 - theta) * self.alpha
        row = _PAIRS + 2 * self.candidate + 1
        y_g = float(self.products_trial[self.now]) - self.grad_square
        self.rows.set(row, self.rows[row] * theta - self.rows[self.now] * weight)
        self.products_trial[row] = (
            theta * self.products_trial[row] - weight * self.products_trial[self.now]
        )
        self.s_y = theta * self.s_y + (1.0 - theta) * s_B_s
        self.y_y = (
            theta * theta * self.y_y
            - 2.0 * theta * weight * y_g
            + weight * weight * self.grad_square
        )
        return "damped", theta * cross - weight * self.products[: len(cross)]
