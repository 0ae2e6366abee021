"""What `minimize` and `AskTell` are given, taken and checked, and a run of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx._xp import space_of, to_point
from hessx.core import Counts, as_checkpoint, check_flag
from hessx.hessians import Approximation
from hessx.solvers._observers import Observers
from hessx.solvers._options import plan
from hessx.solvers._run import Run
from hessx.solvers._stochastic_method import StochasticMethod
from hessx.solvers._switch_method import SwitchMethod

__all__ = ["Setup"]


class Setup:
    """The settings of a run, before there is anything to count.

    Parameters
    ----------
    x0, method, options, tol, x_scale, max_seconds, history, maximize, resume
        As given to `minimize`.
    products, residuals : bool
        Whether products with the Hessian are given, and whether fun is a sum of squares.
    learnt : Approximation, optional
        Given as hess.
    N : int, optional
        The rows of a finite sum.

    Attributes
    ----------
    space : Space
        That of x0.
    plan : Plan
        What method and options come down to.
    sign : float
        -1 to maximise.

    Raises
    ------
    TypeError, ValueError
        As `minimize`.
    """

    __slots__ = ("history", "plan", "point", "resumed", "sign", "space")

    def __init__(
        self,
        x0: Any,
        method: Any,
        options: dict[str, Any] | None,
        tol: float | None,
        *,
        x_scale: Any,
        max_seconds: float | None,
        history: bool,
        maximize: bool,
        resume: Any,
        products: bool = False,
        residuals: bool = False,
        learnt: Approximation | None = None,
        N: int | None = None,
    ) -> None:
        self.history = check_flag("history", history)
        self.sign = -1.0 if check_flag("maximize", maximize) else 1.0
        self.point = to_point(x0)
        self.space = space_of(self.point)
        self.resumed = None if resume is None else as_checkpoint(resume, "resume")
        if self.resumed is not None and method is None and learnt is None:
            method = self.resumed.method_in(self.space)
        self.plan = plan(
            method,
            options,
            tol,
            x_scale,
            max_seconds,
            n=self.space.n,
            products=products,
            residuals=residuals,
            learnt=learnt,
        )
        if isinstance(self.plan.solver, StochasticMethod | SwitchMethod):
            self.plan.solver = self.plan.solver.over(N)

    def run(
        self, counts: Counts, callback: Callable[..., Any] | None, *, progress: bool = False
    ) -> Run:
        """Begin the run, or take it up; once, for the start is let go when it is left."""
        plan, point, self.point = self.plan, self.point, None
        observers = Observers(
            self.space,
            callback,
            history=self.history,
            points=plan.points,
            progress=progress,
            limit=getattr(plan.solver, "iterations", plan.stopping.max_iterations),
        )
        run = Run(
            plan.solver,
            self.space,
            point,
            plan.stopping,
            observers,
            counts,
            self.sign,
            self.resumed,
        )
        run.chosen = plan.chosen
        return run
