"""What every method has between two evaluations."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from hessx._xp import Array, Packet, Space
from hessx.core import Frame, History, Outcome, Point, Precision, Reply, Request, Wants
from hessx.solvers._course import Course
from hessx.solvers._floor import Floor
from hessx.solvers._trouble import beyond_range, out_of_range

__all__ = ["RunState"]

_TRIAL = Wants.VALUE | Wants.GRADIENT
_DOUBTFUL = 0.1  # the change of g's was foretold to be ten times as large
_COARSER = 10.0
_VISIBLE = 2 / 3  # as a power of eps: a decrease that users would see, relative to f
_COARSEST = -3 / 8  # as a power of eps: then steps are eps^(1/8) of x


@dataclass(slots=True, kw_only=True)
class RunState:
    """The part of a state that driver, stopping and observers read.

    Attributes
    ----------
    request, point, first, best, value_before, iteration, accepted, alpha, step_norm, \
    scaled_step_norm, trials, cosine, note, trouble
        As in `SolverState`.
    begun : int
        The iteration at which the method began: others may have gone before.
    reply, trial : Reply and Point, optional
        The answer that is being taken in, between ``measure`` and ``absorb``, as a point.
    aside : Request, optional
        The trial under way, while the Hessian is asked for again after a load.
    frame, space : Frame, Space
        The variables of the method, and where they live.
    middle : tuple of float
        Between these squares of numbers are far from the limits of the dtype.
    evidence : Wants
        HESSIAN or RESIDUAL: what is asked for at accepted points, if anything.
    turns, sizes : bool
        Whether cosines are wanted, and norms of points.
    sign : float
        -1 where the user maximises: for messages.
    cut : bool
        The last step was cut short, by a search or a region: its length and gain tell nothing.
    floor : Floor
        Where the values of f tell no step from another.
    calm : bool
        Products of the numbers at hand are far from the limits of the dtype.
    falls : int
        Accepted steps in a row on whose way f was -inf.
    fell : bool
        Whether it was on the way to the next point.
    renewing : bool
        The next request is for the gradient at ``point`` once more, by central differences.
    restarted : bool
        The next step is along -g, after a failed search or steps without progress.
    least_bend, most_bend : float
        The extremes of the curvature d'Hd / d'd > 0 along the steps that were progress.
    longest : float
        The longest of the steps, in z.
    doubts : int
        Steps in a row along which g hardly changed where the model foretold that it would.
    coarse : float
        Differences of gradients that products are formed from are longer by this factor.
    slopes : tuple of float
        g's of the last step s, at its beginning and end.
    course : Course, optional
        What a method of two keeps of its course.
    last_step, last_length : array and float, optional
        The last step, up to a positive factor, and its norm, for the next cosine.
    """

    frame: Frame
    space: Space = field(init=False)
    middle: tuple[float, float] = field(init=False)
    request: Request
    reply: Reply | None = None
    trial: Point | None = None
    aside: Request | None = None
    point: Point = field(init=False)
    first: Point = field(init=False)
    best: Point | None = None
    value_before: float = math.nan
    iteration: int = 0
    begun: int = 0
    accepted: bool = False
    alpha: float = math.nan
    step_norm: float = math.nan
    scaled_step_norm: float = math.nan
    trials: int = 0
    evidence: Wants = Wants.HESSIAN
    turns: bool = False
    sizes: bool = False
    sign: float = 1.0
    cut: bool = False
    floor: Floor = field(init=False)
    calm: bool = False
    falls: int = 0
    fell: bool = False
    renewing: bool = False
    restarted: bool = False
    least_bend: float = math.inf
    most_bend: float = 0.0
    longest: float = 0.0
    doubts: int = 0
    coarse: float = 1.0
    slopes: tuple[float, float] = (math.nan, math.nan)
    course: Course | None = None
    last_step: Array = None
    last_length: float = math.nan
    cosine: float = math.nan
    note: str = ""
    trouble: tuple[Outcome, str] | None = None

    def __post_init__(self) -> None:
        self.space = self.frame.space
        huge = self.space.largest**0.25
        self.middle = 1.0 / huge, huge

    def ask(self, x: Array) -> None:
        """Ask for value and gradient at a point, as precisely as they have come to be needed."""
        central = self.renewing or self.request.central
        self.request = Request(x, self.request.ticket + 1, _TRIAL, self.floor.eps, central)

    def hear(self, reply: Reply) -> Packet:
        """Take an answer to the request, and give an empty packet for what is to be seen of it."""
        if reply.ticket != self.request.ticket:
            msg = f"reply {reply.ticket} to request {self.request.ticket}: this state is spent"
            raise ValueError(msg)
        self.reply = reply
        return Packet(self.space)

    @property
    def needs_hessian(self) -> bool:
        """Whether what is next asks for the Hessian, or the residual, at the current point."""
        return False

    def asks_hessian(self) -> bool:
        """Ask for the Hessian, or the residual, at the point where it is needed; True where so."""
        if not self.needs_hessian:
            return False
        last = self.request
        self.request = Request(
            self.point.x,
            last.ticket + 1,
            self.evidence,
            last.eps,
            last.central,
            self.coarse,
            evaluated=last.ticket if last.x is self.point.x else -1,
        )
        return True

    def recall(self) -> None:
        """After a load, with a trial under way: ask for what is not saved, where it is needed."""

    def resume_trial(self) -> bool:
        """Once that has come, ask for the trial again; False where there was none."""
        if self.aside is None:
            return False
        self.request = replace(self.aside, ticket=self.request.ticket + 1)
        self.aside = None
        return True

    def renew(self, promised: float) -> bool:
        """Have the gradient at the point renewed, where central differences resolve more.

        Not where f is to fall by no more than its noise: then all that is left is within it.
        """
        precision: Precision = self.point.precision
        self.renewing = precision.refines and promised > self.floor.noise(self.point.value)
        if self.renewing:
            self.calm, self.trouble = False, None
        return self.renewing

    def confirm(self, tolerance: float) -> bool:
        """Have a gradient renewed that seems to end the run, where differences may belie it.

        Those to one side hide a step of ``blur``, and with it a gradient of h blur and a decrease
        of h blur^2 / 2, at the largest curvature h met.  Where they move f no more than rounding
        does, g'g / (2 h) may be left, at the least.
        """
        point, blur = self.point, self.point.precision.blur
        if self.floor.hides(point, self.value_before):
            left, known = math.inf, self.least_bend < math.inf and self.frame.scale is None
            if known and blur > 0.0:
                norm = point.grad_norm2
                norm += self.floor.difference_noise(point.value, self.value_before) / blur
                left = 0.5 * norm * norm / self.least_bend
            return left > self.space.eps**_VISIBLE * abs(point.value) and self.renew(left)
        bias = self.most_bend * blur
        return bias > tolerance and self.renew(0.5 * bias * blur)

    def learn_bend(self, change: float, square: float) -> None:
        """Take note of the curvature along a step, from the change of g's and s's."""
        bend = change / square if square > 0.0 else math.nan
        if 0.0 < bend < self.least_bend:
            self.least_bend = bend
        if self.most_bend < bend < math.inf:
            self.most_bend = bend

    def doubt(self, foretold: float, found: float) -> None:
        """Compare the change of g's along a step with what the model foretold.

        Where it is far too small, twice and more in a row, products by differences multiply the
        noise of g: their steps become ten times longer.
        """
        if not abs(found) < _DOUBTFUL * abs(foretold):
            self.doubts = 0
            return
        self.doubts += 1
        if self.doubts > 1:
            self.coarse = min(_COARSER * self.coarse, self.space.eps**_COARSEST)

    def close(self, outcome: Outcome, message: str) -> bool:  # noqa: ARG002
        """Put an end off, where something is left to evaluate; True where that is so."""
        return False

    def reopen(self, method: Any) -> None:
        """After a load, for a method whose budget may be another than that of the saved run."""

    def mend(self, history: History) -> None:
        """After a load: make the history of an ended run that of one that goes on."""

    def arrive(self, grad_square: float) -> None:
        """After an accepted step, with g'g in z: is f falling without end, are numbers in range?"""
        self.falls, self.fell = self.falls + 1 if self.fell else 0, False
        low, high = self.middle
        norm, length = self.point.grad_norm2, self.step_norm
        self.longest = max(self.longest, length)
        self.calm = (
            low < grad_square < high
            and low < norm * norm < high
            and low < length * length < high
            and -high < self.point.value < high
        )
        self.trouble = None
        if self.falls or not self.calm:
            self.trouble = out_of_range(self, grad_square) or beyond_range(self, length)

    def compare_steps(self, product: float, length: float) -> None:
        """Set the cosine of the step of this length with the last one, from their product."""
        lengths = self.last_length * length
        self.cosine = product / lengths if lengths > 0.0 else math.nan
