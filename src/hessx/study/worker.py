"""The process in which runs are made: it may be lost at any moment."""

from __future__ import annotations

import os
import signal
import traceback
from dataclasses import replace
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from hessx._xp import fetch, norm_inf, space_of
from hessx.study.backends import Backend, open_backend
from hessx.study.metering import Meter
from hessx.study.methods import find_method
from hessx.study.posed import Posed
from hessx.study.problems import PROBLEMS
from hessx.study.records import CURVE_POINTS, RAISED, Curve, Job, Row
from hessx.study.running import Solve, carry_out

__all__ = ["PREPARED", "attempt", "serve"]

PREPARED = "prepared"  # sent before the clock of a run starts
_PERTURBATION = 1e-3
_MAX_ITERATIONS = 15000


def serve(connection: Connection, log: Path) -> None:
    """Answer jobs by rows until None comes; all that is printed goes to ``log``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    while (job := connection.recv()) is not None:
        connection.send(attempt(job, connection))


def attempt(job: Job, connection: Connection) -> Row:
    """Make one run; whatever it raises becomes its row."""
    row = Row.of(job, PROBLEMS[job.problem].n, RAISED)
    meter = None
    try:
        posed = _pose(job.problem, job.backend, job.dtype)
        meter = Meter(replace(posed, x0=_start(posed, job)), keep_best=False)
        solve = find_method(job.method).bind(meter, {})
        posed.fun(meter.problem.x0)
        connection.send(PREPARED)
        _measure(row, meter, solve, job)
    except BaseException as error:
        traceback.print_exc()
        row.exception = f"{type(error).__name__}: {error}"
    if meter is not None:
        row.evaluations = row.gradients = meter.evaluations
        row.products, row.passes = meter.products, meter.passes
    return row


def _measure(row: Row, meter: Meter, solve: Solve, job: Job) -> None:
    ending = carry_out(solve, meter, gtol=job.gtol, seconds=job.seconds, iterations=_MAX_ITERATIONS)
    row.seconds, row.fetches = ending.seconds, ending.fetches
    if not meter.sampled_passes:
        row.solver_seconds = ending.seconds - meter.seconds
    space = space_of(ending.grad)
    (row.value, row.grad_norm), _ = fetch(space, [ending.value, norm_inf(space, ending.grad)])
    if meter.problem.classes is not None:
        (row.accuracy,), _ = fetch(space, [meter.problem.classes.accuracy(ending.result.x)])
    row.iterations = getattr(ending.result, "nit", 0)
    history = getattr(ending.result, "history", None)
    if history is not None:
        row.curve = _curve_of(history).thinned(CURVE_POINTS)
        row.rises = history.rises
    outcome = getattr(ending.result, "outcome", None)  # a `hessx.Outcome`; SciPy has none
    row.outcome = outcome.value if outcome else "converged" if ending.success else "ended"
    row.message = ending.message.removeprefix(f"{row.outcome}: ")


def _curve_of(history: Any) -> Curve:
    nothing = [0] * len(history)
    return Curve(
        history["iteration"], history["evaluations"], nothing, nothing, history["seconds"],
        history["value"], history["grad_norm"], history["cosine"],
    )  # fmt: skip


@cache
def _open(name: str, dtype: str) -> Backend:
    return open_backend(name, dtype)


@cache
def _pose(problem: str, backend: str, dtype: str) -> Posed:
    return PROBLEMS[problem].pose(_open(backend, dtype))


def _start(posed: Posed, job: Job) -> Any:
    """Give the start; with a seed, moved at random by 1e-3 of max(|x|, 1)."""
    if job.seed == 0:
        return posed.x0
    space = space_of(posed.x0)
    (x0,), _ = fetch(space, [posed.x0])
    draw = np.random.default_rng(job.seed).standard_normal(x0.shape)
    moved = x0 + _PERTURBATION * np.maximum(np.abs(x0), 1.0) * draw
    return _open(job.backend, job.dtype).asarray(moved)
