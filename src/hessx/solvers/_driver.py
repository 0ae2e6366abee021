"""The one loop that connects an oracle and a run."""

from __future__ import annotations

from dataclasses import replace

from hessx.core import Oracle, Reply, Result
from hessx.solvers._interrupts import interrupts
from hessx.solvers._keeper import Keeper
from hessx.solvers._run import Run

__all__ = ["drive"]


def drive(run: Run, oracle: Oracle, keeper: Keeper) -> Result:
    """Minimise: answer, absorb, judge, observe, propose, until something holds.

    Parameters
    ----------
    run : Run
        At its start, or taken up again.
    oracle : Oracle
        Answers its requests.
    keeper : Keeper
        Writes checkpoints; one more where the oracle raises.

    Returns
    -------
    Result
        On success a stated tolerance holds at ``x``; else ``x`` is the best point met.

    Notes
    -----
    What the user's functions raise passes through, after the observers were closed.
    """
    keeping = keeper.path is not None
    try:
        with interrupts(run.watch):
            while run.running:
                if run.answered:
                    run.go_on()
                else:
                    if keeping:
                        keeper.keep(run)
                    run.absorb(_answer(run, oracle, keeper))
            keeper.write(run)
    finally:
        run.observers.close()
    return run.result()


def _answer(run: Run, oracle: Oracle, keeper: Keeper) -> Reply:
    counts = run.counts
    before = replace(counts)
    try:
        return oracle.answer(run.request)
    except BaseException:
        counts.take_over(before)  # what was not answered will be asked again
        keeper.write(run)
        raise
