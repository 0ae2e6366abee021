"""Newton directions by conjugate gradients, for line searches."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hessx.core import Frame, Outcome, saved
from hessx.globalization import Forcing, ForcingRule
from hessx.hessians import Needs, VectorMemory
from hessx.krylov import KrylovOutcome, ModelStep, QuadraticModel, TruncatedCG
from hessx.solvers._inner import inner_limit, settle_inner
from hessx.solvers._learnt_diagonal import LearntDiagonal
from hessx.solvers._preconditioners import BoundPreconditioner
from hessx.solvers._probe import probe

__all__ = ["NewtonCG", "NewtonMemory"]


_FORETOLD = 0.75  # of the fall of f: along negative curvature the next step may be longer
_EXPANSION = 5.0
_SHORT, _LONGER = 1e-2, 10.0  # of Newton's step: then it is out of the model's reach


@saved(fresh=("hessian", "precondition"))
class NewtonMemory(VectorMemory):
    """Gradient, direction, and the Hessian at the point, of which nothing is remembered."""

    __slots__ = (
        "bent",
        "fallback",
        "forcing",
        "hessian",
        "leaving",
        "model_step",
        "precondition",
        "preconditioner",
        "reach",
        "settings",
    )

    def __init__(self, frame: Frame, settings: NewtonCG, needs: Needs) -> None:
        super().__init__(frame, pairs=needs.pair)
        self.settings, self.forcing = settings, settings.forcing.begin()
        part = settings.preconditioner
        self.preconditioner: BoundPreconditioner | None = (
            None if part is None else part.begin(frame)
        )
        self.hessian: Any = None
        self.precondition: Any = None
        self.model_step: ModelStep | None = None
        self.reach = frame.length  # of the last step, and before the first
        self.bent = False  # reach is of the last step along negative curvature, well foretold
        self.unit_step = True
        self.fallback = False  # the next direction is -g: a search along Newton's has failed
        self.leaving = False  # the direction leads out of a stationary start

    @property
    def needs_hessian(self) -> bool:  # type: ignore[override]
        """Whether the next direction asks for products at the current point."""
        return self.hessian is None and not self.fallback

    @property
    def promised(self) -> float:
        """By how much f falls by the model; inf where d does not minimise it."""
        p = self.model_step
        return p.decrease if p is not None and p.newtonian else math.inf

    def first_alpha(self, alpha: float, length: float) -> float:
        """Give 1, or ten times the last step where that was far shorter than Newton's."""
        p = self.model_step
        if p is None or self.precondition is not None or not alpha < _SHORT:
            return 1.0
        return min(1.0, _LONGER * length / p.norm)

    @property
    def foretold(self) -> float | None:  # type: ignore[override]
        """The change of g'd along d, by the model; None where there is none."""
        return None if self.model_step is None else self.model_step.slope_change

    def linearise(self, hessian: Any) -> None:
        """Take the Hessian at the current point, and what preconditions it there."""
        self.hessian = hessian
        if self.preconditioner is not None:
            self.precondition = self.preconditioner.at(hessian)

    def direct(self, watch: Callable[[], bool]) -> tuple[Outcome, str] | None:
        """Minimise the model, to the forcing term or past negative curvature."""
        if self.leaving:
            self.leaving = False
            return None
        if self.fallback:
            self.unit_step, self.model_step = False, None
            self.aim(-self.g, -self.grad_square)
            return None
        norm = math.sqrt(self.grad_square)
        self.d = None  # room for the next
        p = self.model_step = self.settings.subproblem(self._model(norm, watch))
        self.unit_step = True
        self.aim(p.step, p.slope)
        if p.decrease > 0.0 and p.slope < 0.0:
            return None
        return Outcome.FAILED_NONFINITE, f"no direction from the model ({p.outcome.value})"

    def leave(self, watch: Callable[[], bool]) -> tuple[bool, str]:
        """Turn to a direction of negative curvature, if one is met."""
        product = self.frame.product(self.hessian)
        found, text = probe(self.space, product, self.reach, watch)
        if found is not None:
            self.model_step, self.leaving = found, True
            self.aim(found.step, 0.0)
        return found is not None, text

    def accept(self, *, learn: bool = True) -> str:
        """Learn how well the step was foretold; the Hessian is left behind."""
        p, note = self.model_step, ""
        length, negative = abs(self.alpha) * math.sqrt(self.d_square), False
        if p is not None and learn:
            ratio = -0.5 * (self.start_slope + self.slope) / p.decrease
            negative = p.outcome is KrylovOutcome.NEGATIVE
            length *= _EXPANSION if negative and ratio > _FORETOLD else 1.0
            self.forcing.after(ratio, newtonian=p.newtonian and self.alpha == 1.0)
            note = "" if p.newtonian else p.outcome.value
            if self.preconditioner is not None:
                self.preconditioner.learn(p)
        if negative or not self.bent:
            self.reach, self.bent = length, negative
        super().accept()
        self.hessian = self.precondition = self.model_step = None
        self.fallback = False
        return note

    def reset(self) -> bool:
        """Leave the model out of the next direction; False where it was left out already."""
        had, self.fallback = not self.fallback, True
        return had

    def _model(self, norm: float, watch: Callable[[], bool]) -> QuadraticModel:
        part = self.preconditioner
        return QuadraticModel(
            self.space,
            self.frame.product(self.hessian),
            self.g,
            self.grad_square,
            tolerance=self.forcing.term(norm) * norm,
            settled=True,
            limit=inner_limit(self.settings.max_inner, self.space.n),
            reach=self.reach,
            precondition=self.precondition,
            collect=0 if part is None else part.collect,
            watch=watch,
        )


@saved
@dataclass(frozen=True, slots=True, kw_only=True)
class NewtonCG:
    r"""d = the truncated CG solution of H d = -g, for line searches.

    CG stops where norm(g + H d) <= eta norm(g).  Where it meets negative curvature along p, d is
    what it has, z, and a piece along p on which the model falls, of the length of z or of the last
    step, whichever is longer; five times that of the last such piece where f fell as foretold.

    Parameters
    ----------
    subproblem : callable
        Solves the model: `TruncatedCG`.
    forcing : Forcing or EisenstatWalker
        Gives eta.
    preconditioner : optional
        None, "jacobi", "pairs", a `Preconditioner`, or M itself: an operator, a matrix or r -> M r.
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

    subproblem: Any = field(default_factory=TruncatedCG)
    forcing: ForcingRule = field(default_factory=Forcing)
    preconditioner: Any = field(default_factory=LearntDiagonal)
    max_inner: int | None = None

    def __post_init__(self) -> None:
        settle_inner(self)

    @property
    def second_order(self) -> bool:
        """Products with the Hessian are used."""
        return True

    def remember(self, frame: Frame, needs: Needs) -> NewtonMemory:
        """Make the memory of a run."""
        return NewtonMemory(frame, self, needs)
