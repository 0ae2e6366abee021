"""The one loop that connects an oracle and a run."""

from __future__ import annotations

from hessx.core import Outcome, Reply, Result
from hessx.objectives import Objective
from hessx.solvers._interrupts import interrupts
from hessx.solvers._keeper import Keeper
from hessx.solvers._run import Run

__all__ = ["drive"]


def drive(run: Run, objective: Objective, keeper: Keeper) -> Result:
    """Minimise: ask, absorb, judge, observe, propose, until something holds.

    Parameters
    ----------
    run : Run
        At its start, or taken up again.
    objective : Objective
        Answers its requests.
    keeper : Keeper
        Writes checkpoints; one more where the objective raises.

    Returns
    -------
    Result
        On success a stated tolerance holds at ``x``; else ``x`` is the best point met.

    Notes
    -----
    What the user's functions raise passes through, after the observers were closed.
    """
    newton, keeping = run.solver.second_order, keeper.path is not None
    try:
        with interrupts(run.watch):
            while run.outcome is Outcome.RUNNING or run.stationary:
                if newton and run.wants_hessian:
                    x, coarse = run.state.point.x, run.state.coarse
                    run.linearise(objective.hessian(x, run.gradient, run.watch, coarse))
                elif run.answered:
                    run.go_on()
                else:
                    if keeping:
                        keeper.keep(run)
                    run.absorb(_answer(run, objective, keeper))
            keeper.write(run)
    finally:
        run.observers.close()
    return run.result()


def _answer(run: Run, objective: Objective, keeper: Keeper) -> Reply:
    counts = run.counts
    before = counts.values, counts.gradients, counts.products
    try:
        return objective.answer(run.state.request)
    except BaseException:
        run.restore_counts(*before)  # what was not answered will be asked again
        keeper.write(run)
        raise
