"""Newton directions by conjugate gradients, for line searches."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hessx._xp import Array, Numbers, Packet, quiet
from hessx.core import Frame, Free, Outcome, Wants, saved
from hessx.directions._direction import Direction, DirectionRule, Needs
from hessx.directions._fitting import evidence_of, settle_newton
from hessx.directions._newton_part import NewtonPart
from hessx.directions._probe import way_out
from hessx.directions._track import VectorTrack
from hessx.globalization import Forcing, ForcingRule
from hessx.hessians import Approximation, Exact, LearntDiagonal
from hessx.krylov import KrylovOutcome, ModelStep, Subproblem, TruncatedCG

__all__ = ["NewtonCG", "NewtonDirection"]


_FORETOLD = 0.75  # of the fall of f: along negative curvature the next step may be longer
_EXPANSION = 5.0
_SHORT, _LONGER = 1e-2, 10.0  # of Newton's step: then it is out of the model's reach


@saved
class NewtonDirection(Direction):
    """d minimises a model, to its forcing term or past negative curvature."""

    __slots__ = (
        "bent", "fallback", "leaving", "model_step", "part", "reach", "settings", "sized", "track",
    )  # fmt: skip
    track: VectorTrack

    def __init__(self, frame: Frame, settings: NewtonCG, needs: Needs) -> None:
        part = self.part = NewtonPart(frame, settings)
        steps = part.from_steps
        self.settings = settings
        self.track = VectorTrack(frame, pairs=needs.pair or steps, steps=steps)
        self.model_step: ModelStep | None = None
        self.reach = frame.length  # of the last step, and before the first
        self.bent = False  # reach is of the last step along negative curvature, well foretold
        self.sized = True
        self.fallback = False  # the next direction is -g: a search along Newton's has failed
        self.leaving = False  # the direction leads out of a stationary start

    @property
    def waits(self) -> bool:  # type: ignore[override]
        """Whether the next direction asks for products at the current point."""
        return not self.fallback and self.part.waits

    @property
    def promised(self) -> float:
        """By how much f falls by the model; inf where d does not minimise it."""
        p = self.model_step
        return p.decrease if p is not None and p.newtonian else math.inf

    @property
    def foretold(self) -> float | None:  # type: ignore[override]
        """The change of g'd along d, by the model; None where there is none."""
        return None if self.model_step is None else self.model_step.slope_change

    def first_alpha(self, alpha: float, length: float) -> float:
        """Give 1, or ten times the last step where that was far shorter than Newton's."""
        p = self.model_step
        if p is None or not alpha < _SHORT or self.part.precondition is not None:
            return 1.0
        if not p.norm > 0.0:  # its square has left the range of x's dtype
            return 1.0
        return min(1.0, _LONGER * length / p.norm)

    def at(self, evidence: Any) -> None:
        """Take the Hessian, or the residual, at the current point."""
        self.part.at(evidence)

    def measure(self, grad: Array, packet: Packet) -> None:
        """Ask for the scalars of a trial, and for those that the parts learn from."""
        track = self.track
        track.measure(grad, packet)
        step = (track.s, track.y) if track.steps else None
        with quiet():  # of a trial far out
            self.part.measure(self.model_step, step, track.alpha, packet)

    def read(self, numbers: Numbers) -> None:
        """Take the numbers of the trial over: the track's, and those of the pairs, s = alpha d."""
        t, p = self.track, self.model_step
        t.read(numbers)
        square = t.alpha * t.alpha
        s_B_s = math.nan if p is None else square * p.slope_change
        self.part.read(numbers, t.s_y, t.y_y, square * t.d_square, s_B_s)

    def turn(self, watch: Callable[[], bool]) -> tuple[Outcome, str] | None:
        """Minimise the model, to the forcing term or past negative curvature."""
        track = self.track
        if self.leaving:
            self.leaving = False
            return None
        if self.fallback:
            self.sized, self.model_step = False, None
            track.aim(-track.g, -track.grad_square)
            return None
        track.d = None  # room for the next
        g_g, reach = track.grad_square, self.reach
        model = self.part.model(track.g, g_g, Free(reach), watch, tight=math.inf, length=reach)
        p = self.model_step = self.settings.subproblem(model)
        self.sized = True
        track.aim(p.step, p.slope)
        if p.decrease > 0.0 and p.slope < 0.0:
            return None
        return Outcome.FAILED_NONFINITE, f"no direction from the model ({p.outcome.value})"

    def leave(self, watch: Callable[[], bool]) -> tuple[bool, str]:
        """Turn to a direction of negative curvature, if one is met."""
        track = self.track
        found, text = way_out(track.frame, self.part.curvature, Free(self.reach), watch)
        if found is not None:
            self.model_step, self.leaving = found, True
            track.aim(found.step, 0.0)
        return found is not None, text

    def accept(self, *, learn: bool = True) -> str:
        """Learn how well the step was foretold; the Hessian is left behind."""
        t, p, note = self.track, self.model_step, ""
        length, negative = abs(t.alpha) * math.sqrt(t.d_square), False
        if p is not None and learn:
            ratio = -0.5 * (t.start_slope + t.slope) / p.decrease
            negative = p.outcome is KrylovOutcome.NEGATIVE
            length *= _EXPANSION if negative and ratio > _FORETOLD else 1.0
            self.part.forcing.after(ratio, newtonian=p.newtonian and t.alpha == 1.0)
            note = "" if p.newtonian else p.outcome.value
        if learn:
            note = self.part.accept(p) or note
        else:  # what rounding has made
            self.reject()
            self.part.leave()
        if negative or not self.bent:
            self.reach, self.bent = length, negative
        t.accept()
        self.model_step, self.fallback = None, False
        return note

    def reject(self) -> None:
        """Forget what would have been learnt from the trial."""
        self.part.pair = self.part.pair_of_M = None

    def reset(self) -> bool:
        """Leave the model out of the next direction; False where it was left out already."""
        had, self.fallback = not self.fallback, True
        return had

    def inverse_hessian(self) -> Any:
        """Give A, where there is one."""
        return self.part.curvature.inverse_hessian()


@saved
@dataclass(frozen=True, slots=True, kw_only=True)
class NewtonCG(DirectionRule):
    r"""d = the truncated CG solution of H d = -g, for line searches.

    CG stops where norm(g + H d) <= eta norm(g).  Where it meets negative curvature along p, d is
    what it has, z, and a piece along p on which the model falls, of the length of z or of the last
    step, whichever is longer; five times that of the last such piece where f fell as foretold.

    Parameters
    ----------
    approximation : Approximation
        What B is, for H: `Exact`, or any other; it may be indefinite.
    subproblem : Subproblem
        Solves the model: `TruncatedCG`, or another that takes `Free`.
    forcing : Forcing or EisenstatWalker
        Gives eta.
    preconditioner : optional
        None, "jacobi", "pairs", an `Approximation`, or M itself: an operator, a matrix or r -> M r.
        By default `LearntDiagonal`, which does nothing while solves are short.
    max_inner : int, optional
        Products at most per direction; by default max(2 n, 50), but at most max(200, 4 sqrt(n)):
        on a grid of two dimensions CG takes a multiple of sqrt(n) steps.

    Raises
    ------
    SettingsError
        Parts that do not fit together, or a setting out of range.

    Notes
    -----
    Cost: one product and one fetch per CG step.  Memory on NumPy: 13 vectors beside x0, 14 while a
    diagonal is learnt.

    References
    ----------
    Nocedal & Wright (2006), algorithm 7.1; Royer, O'Neill & Wright (2020), Math. Program. 180, on
    directions of negative curvature.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> method = hessx.LineSearchMethod(hessx.NewtonCG(), hessx.HagerZhang())
    >>> d = np.array([1.0, 100.0])
    >>> result = hessx.minimize(lambda x: (d * x) @ x / 2, [1.0, 1.0], jac=lambda x: d * x,
    ...                         hessp=lambda x, p: d * p, method=method)
    >>> result.success
    True
    """

    approximation: Approximation = field(default_factory=Exact)
    subproblem: Subproblem = field(default_factory=TruncatedCG)
    forcing: ForcingRule = field(default_factory=Forcing)
    preconditioner: object = field(default_factory=LearntDiagonal)
    max_inner: int | None = None

    def __post_init__(self) -> None:
        settle_newton(self, Free)

    @property
    def wants(self) -> Wants:
        """What is asked for at accepted points: the Hessian, the residual, or nothing."""
        return evidence_of(self)

    def begin(self, frame: Frame, needs: Needs) -> NewtonDirection:
        """Begin with live parts; pairs are formed where B or the step rule asks for them."""
        return NewtonDirection(frame, self, needs)
