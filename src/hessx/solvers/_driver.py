"""The one loop that connects an oracle and a solver."""

from __future__ import annotations

from hessx._xp import Array, Space
from hessx.core import Outcome, Result, Solver, Stopping
from hessx.objectives import Objective
from hessx.solvers._interrupts import interrupts
from hessx.solvers._observers import Observers
from hessx.solvers._run import Run

__all__ = ["run"]


def run(
    solver: Solver,
    objective: Objective,
    space: Space,
    x0: Array,
    stopping: Stopping,
    observers: Observers,
) -> Result:
    """Minimise: ask, absorb, judge, observe, propose, until something holds.

    Parameters
    ----------
    solver : Solver
        The method.
    objective : Objective
        Answers its requests.
    space, x0 : Space, array
        Where the run lives and starts; x0 has the user's shape.
    stopping : Stopping
        Judges each reply.
    observers : Observers
        See each accepted point; closed at the end.

    Returns
    -------
    Result
        On success a stated tolerance holds at ``x``; else ``x`` is the best point met.

    Raises
    ------
    ValueError
        x0 is not finite.  What the user's functions raise passes through, after the observers were
        closed.
    """
    run = Run(solver, objective, space, x0, stopping, observers)
    try:
        with interrupts(run.watch):
            while run.outcome is Outcome.RUNNING:
                run.take(objective.answer(run.state.request))
                if run.outcome is Outcome.RUNNING:
                    run.go_on()
    finally:
        observers.close()
    return run.result()
