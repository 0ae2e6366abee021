"""The process in which runs are made: it may be lost at any moment."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from hessx._xp import fetch, norm_inf, record_fetches, space_of
from hessx.operators import LinearOperator
from hessx.study.backends import Backend, open_backend
from hessx.study.methods import find_method
from hessx.study.peers import Solve
from hessx.study.problems import PROBLEMS, Posed
from hessx.study.records import RAISED, Curve, Job, Row

__all__ = ["PREPARED", "attempt", "serve"]

PREPARED = "prepared"  # sent before the clock of a run starts
_PERTURBATION = 1e-3


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
    row = Row.failed(job, PROBLEMS[job.problem].n, RAISED)
    meter = None
    try:
        posed = _pose(job.problem, job.backend, job.dtype)
        meter = _Meter(posed)
        solve = find_method(job.method).bind(replace(posed, hess=meter.hess))
        x0 = _start(posed, job)
        posed.fun(x0)
        connection.send(PREPARED)
        _measure(row, meter, solve, x0, job)
    except BaseException as error:
        traceback.print_exc()
        row.exception = f"{type(error).__name__}: {error}"
    if meter is not None:
        row.evaluations = row.gradients = meter.calls
        row.products = meter.products
    return row


@dataclass
class _Meter:
    """Counts and times the calls of a problem's function and the products with its Hessian."""

    posed: Posed
    calls: int = 0
    products: int = 0
    seconds: float = 0.0

    def __call__(self, x: Any) -> tuple[Any, Any]:
        self.calls += 1
        return self._timed(self.posed.fun, x)  # type: ignore[no-any-return]

    def hess(self, x: Any) -> LinearOperator:
        """Linearise; the diagonal is handed on."""
        product = self._timed(self.posed.hess, x)

        def counted(v: Any) -> Any:
            self.products += 1
            return self._timed(product, v)

        diagonal = product.diagonal() if isinstance(product, LinearOperator) else None
        return LinearOperator((len(x), len(x)), counted, diagonal=diagonal, symmetric=True)

    def _timed(self, function: Callable[[Any], Any], x: Any) -> Any:
        began = time.perf_counter()
        answer = function(x)
        self.seconds += time.perf_counter() - began
        return answer


def _measure(row: Row, meter: _Meter, solve: Solve, x0: Any, job: Job) -> None:
    began = time.perf_counter()
    with record_fetches() as ledger:
        result = solve(meter, x0, gtol=job.gtol, seconds=job.seconds)
    row.seconds = time.perf_counter() - began
    row.solver_seconds = row.seconds - meter.seconds
    row.fetches = ledger.fetches
    value, grad = meter.posed.fun(result.x)
    space = space_of(grad)
    (row.value, row.grad_norm), _ = fetch(space, [value, norm_inf(space, grad)])
    row.iterations = getattr(result, "nit", 0)
    history = getattr(result, "history", None)
    if history is not None:
        row.curve = Curve.of(history)
    row.outcome, row.message = _ending(result)


def _ending(result: Any) -> tuple[str, str]:
    """Say how a run ended: a `hessx.Outcome`, or what SciPy's ``success`` tells."""
    message = str(getattr(result, "message", ""))
    outcome = getattr(result, "outcome", None)
    if outcome is not None:
        return outcome.value, message.removeprefix(f"{outcome.value}: ")
    return "converged" if getattr(result, "success", False) else "ended", message


@cache
def _open(name: str, dtype: str) -> Backend:
    return open_backend(name, dtype)


@cache
def _pose(problem: str, backend: str, dtype: str) -> Posed:
    return PROBLEMS[problem].pose(_open(backend, dtype))


def _start(posed: Posed, job: Job) -> Any:
    """Give the start; with a seed, moved at random by 1e-3 of max(|x|, 1)."""
    if job.seed is None:
        return posed.x0
    space = space_of(posed.x0)
    (x0,), _ = fetch(space, [posed.x0])
    draw = np.random.default_rng(job.seed).standard_normal(x0.shape)
    moved = x0 + _PERTURBATION * np.maximum(np.abs(x0), 1.0) * draw
    return _open(job.backend, job.dtype).asarray(moved)
