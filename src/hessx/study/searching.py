"""A search for the rate of a run, in a process that may be lost at any moment."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import hessx
from hessx._xp import fetch, space_of
from hessx.study.metering import Budget, Meter
from hessx.study.methods import Method, find_method
from hessx.study.posed import Known, Posed
from hessx.study.running import NO_LIMIT, carry_out
from hessx.study.tuning import Found, Search
from hessx.study.worker import options_of, prepare

__all__ = ["search_rate"]


def search_rate(search: Search, prepared: Callable[[], None]) -> Found:
    """Try rates, each in a run of its own from the start; whatever is raised is its message.

    Parameters
    ----------
    search : Search
    prepared : callable
        Called before the clock of the search starts.
    """
    found, job = Found(search), search.job
    try:
        method, posed = find_method(job.method), prepare(job)
        if method.rate is None:
            msg = f"{method.name} has no rate"
            raise ValueError(msg)
        posed.fun(posed.x0)
        prepared()

        def run(settings: dict[str, Any], size: int, _: Any) -> float:
            value, evaluations = _trial(method, posed, search, settings["rate"], size)
            found.evaluations += evaluations
            found.tried.append((settings["rate"], value))
            return value

        rates = {"rate": (method.rate / search.width, method.rate * search.width)}
        best = hessx.tune_runs(
            run, rates, trials=search.trials, budget=search.budget, halving=None, seed=job.seed
        ).best
        if best.score < float("inf"):
            found.rate = best.settings["rate"]
        else:
            found.message = "no rate gave a finite value"
    except BaseException as error:
        traceback.print_exc()
        found.message = f"{type(error).__name__}: {error}"
    return found


def _trial(
    method: Method, posed: Posed, search: Search, rate: float, size: int
) -> tuple[float, int]:
    """Run with a rate for so many evaluations, or epochs; give the value and what was spent."""
    meter, job = Meter(posed, Budget(2 * size, NO_LIMIT)), search.job
    options = options_of(replace(job, rate=rate), method)
    if method.needs is Known.ROWS:
        options["epochs"] = size
    solve = method.bind(meter, options)
    ending = carry_out(solve, meter, gtol=job.gtol, seconds=job.seconds, iterations=size)
    (value,), _ = fetch(space_of(posed.x0), [ending.value])
    return value, round(meter.passes)
