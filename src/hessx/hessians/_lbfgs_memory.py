"""L-BFGS along rays: d = -A g as a combination of rows, and what a trial tells of them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from hessx._xp import Array, Packet
from hessx.core import Frame, saved
from hessx.hessians._lbfgs_curvature import LBFGSCurvature
from hessx.hessians._lbfgs_operator import LBFGSInverse
from hessx.hessians._memory import HostNumbers, Numbers
from hessx.hessians._pair_rows import PAIRS, PairRows

__all__ = ["LBFGSMemory"]


@saved(host=("products", "products_trial", "weights"))
class LBFGSMemory(HostNumbers):
    """Gradients, pairs and the trial's candidate as rows B, and their products with g, B g.

    After a trial, one product of the rows with the new gradient brings slope, g'g, S'g and Y'g, one
    of the candidate's two rows with y brings s'y and y'y.  The columns S'y and Y'y that a new pair
    adds are differences of stored products; its own s'y and y'y are explicit, without which float32
    breaks at its noise floor.

    Parameters
    ----------
    frame : Frame
        The variables.
    limit : int
        Pairs at most.
    gamma : float, optional
        A = gamma I to start with; by default the first direction is -g, of any length.
    damping : float, optional
        Powell's.
    """

    __slots__ = (
        "alpha", "curvature", "d", "d_square", "damping", "dropped", "frame", "grad_square",
        "lent", "pairs", "placed", "products", "products_trial", "s_y", "slope", "space",
        "square", "start_slope", "unit_step", "weights", "y_y",
    )  # fmt: skip
    needs_hessian = False

    def __init__(
        self, frame: Frame, limit: int, gamma: float | None, damping: float | None
    ) -> None:
        self.frame, self.space, self.damping = frame, frame.space, damping
        self.pairs = PairRows(frame.space, limit)
        self.curvature = LBFGSCurvature(limit, self.pairs.slots, frame.space.n, gamma)
        self.products = np.zeros(PAIRS + 2 * limit)  # B g
        self.products_trial = np.zeros_like(self.products)
        self.d: Array = None
        self.weights: tuple[int, np.ndarray] | None = None  # of the rows in a d yet to be formed
        self.lent = False  # d is the candidate's row itself, as alpha = 1
        self.placed = False  # the candidate's rows hold a trial, not yet a pair
        self.dropped = False  # the pairs are forgotten with the next that is learnt
        self.unit_step = self.curvature.sized
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

    def accept(self, *, learn: bool = True) -> str:
        """Go on from the trial; make the candidate a pair, unless its curvature is rounding."""
        if not learn:
            self._go_on()
            return ""
        pairs, curvature = self.pairs, self.curvature
        if self.dropped:
            self._begin_anew()
        if pairs.count == pairs.limit:
            curvature.gram.remove(pairs.candidate)
        self.placed, note = False, ""
        s_s = self.alpha * self.alpha * self.d_square
        cross = self.products_trial[: pairs.stop] - self.products[: pairs.stop]
        if self.damping is not None and self.unit_step:  # else A = I has no size yet
            note, cross = self._damp(cross)
        self._go_on()
        if not math.isfinite(self.y_y + s_s):
            self._forget()
            return "dropped"
        least = max(-self.space.eps * self.alpha * self.start_slope, self.space.smallest)
        if not (self.s_y > least and self.y_y > 0.0):
            return "skipped"
        curvature.learn(pairs.candidate, cross, self.s_y, self.y_y, s_s)
        pairs.keep()
        if pairs.slots > len(curvature.gram.diagonal):
            curvature.gram = curvature.gram.copy(pairs.slots)
        self.unit_step = True
        return note

    def direct(self, watch: Callable[[], bool]) -> None:  # noqa: ARG002
        """Turn to d = -A g; without pairs to -gamma g."""
        self.d_square = math.nan
        pairs, now = self.pairs, self.pairs.now
        if pairs.count and not self.dropped:
            whole = pairs.rows.whole
            stop = pairs.stop if whole else PAIRS + 2 * pairs.count
            c, slope = self.curvature.direction(self.products[:stop], now)
            if -math.inf < slope < 0.0:
                self.start_slope = slope
                self.weights = (0, c) if whole else (now, c[now:])
                return
            self._forget()
        gamma = 1.0 if pairs.count or self.dropped else self.curvature.gamma
        self.d, self.lent = -gamma * pairs.rows[now], False
        self.start_slope = -gamma * self.grad_square

    def reset(self) -> bool:
        """Take -g next, and forget the pairs if that is learnt from; False where there were none.

        Until then they make `operator`, and a run that ends there hands them out.
        """
        had = self.pairs.count > 0 and not self.dropped
        self.dropped, self.unit_step = True, False
        return had

    def gradient(self) -> Array:
        """Give the current gradient in x, a new array."""
        return self.frame.gradient(self.pairs.rows[self.pairs.now])

    def operator(self) -> LBFGSInverse:
        """Give A as an operator on the rows of the run, which it leaves as they are."""
        pairs, gram = self.pairs, self.curvature.gram.copy()
        if self.placed:  # a trial, perhaps not finite, stands in the candidate's rows
            gram.remove(pairs.candidate)
        pieces = pairs.pieces(without_candidate=self.placed)
        layout = pairs.limit, pairs.count, pairs.candidate
        return LBFGSInverse(self.frame, pairs.rows, pieces, gram, self.curvature.gamma, layout)

    def adopt(self, operator: LBFGSInverse) -> None:
        """Start from the pairs of an earlier run, copied."""
        pairs, curvature = self.pairs, self.curvature
        _, count, candidate = operator.layout
        pairs.hold(count, candidate)
        for first, last in operator.pieces:
            for i in range(max(first, PAIRS), last):
                pairs.rows.set(i, operator.rows[i])
        curvature.gram = operator.gram.copy(pairs.slots)
        curvature.gamma, curvature.sized, self.unit_step = operator.gamma, True, True

    @property
    def _first(self) -> int:
        """The first row of a trial's products: damping wants g_t'g as well."""
        pairs = self.pairs
        return pairs.trial if self.damping is None and not pairs.rows.whole else 0

    def _form_step(self, x: Array) -> Array:
        """Form d, write s = alpha d, and give x + s, in x."""
        (start, c), self.weights = self.weights, None  # type: ignore[misc]
        rows, s, room = self.pairs.rows, self.pairs.s, None if self.lent else self.d
        self.d, trial, d_d = rows.follow(start, c, s, self.alpha, x, self.frame.scale, room)
        self.lent = self.d is rows[s]
        if not math.isnan(d_d):
            self.d_square = d_d
        return trial

    def _go_on(self) -> None:
        """The trial's gradient becomes the current one."""
        self.products, self.products_trial = self.products_trial, self.products
        self.pairs.swap()
        self.grad_square = float(self.products[self.pairs.now])

    def _begin_anew(self) -> None:
        """Forget the pairs; the candidate moves to the first slot."""
        kept = self.products_trial[self.pairs.s : self.pairs.s + 2].copy()
        self._forget(but_candidate=True)
        self.products_trial[PAIRS : PAIRS + 2] = kept

    def _forget(self, *, but_candidate: bool = False) -> None:
        """Forget the pairs, of which some may not be finite."""
        self.pairs.forget(but_candidate=but_candidate)
        self.curvature.forget()
        self.products[PAIRS:] = self.products_trial[PAIRS:] = 0.0
        self.unit_step = self.dropped = False

    def _damp(self, cross: np.ndarray) -> tuple[str, np.ndarray]:
        """Mix y with B s so that s'y >= damping s'Bs (Powell 1978).

        The step is s = -alpha A g, so that B s = -alpha g and s'Bs = -alpha^2 slope.
        """
        s_B_s = -self.alpha * self.alpha * self.start_slope
        least = self.damping * s_B_s  # type: ignore[operator]
        if not self.s_y < least:
            return "", cross
        theta = (s_B_s - least) / (s_B_s - self.s_y)
        weight = (1.0 - theta) * self.alpha
        rows, y, now, g_g = self.pairs.rows, self.pairs.y, self.pairs.now, self.grad_square
        y_g = float(self.products_trial[now]) - g_g
        rows.set(y, rows[y] * theta - rows[now] * weight)
        trial = self.products_trial
        trial[y] = theta * trial[y] - weight * trial[now]
        self.s_y = theta * self.s_y + (1.0 - theta) * s_B_s
        self.y_y = theta * theta * self.y_y - 2.0 * theta * weight * y_g + weight * weight * g_g
        return "damped", theta * cross - weight * self.products[: len(cross)]
