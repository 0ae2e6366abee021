"""One run from its names to its row, in a process that may be lost at any moment."""

from __future__ import annotations

import importlib.util
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from hessx._xp import fetch, norm_inf, space_of
from hessx.study.backends import Backend, open_backend
from hessx.study.features import FEATURES
from hessx.study.memory import forget_peak, peak_memory
from hessx.study.metering import Meter
from hessx.study.methods import Method, find_method
from hessx.study.posed import Known, Posed
from hessx.study.problems import find_problem
from hessx.study.records import CURVE_POINTS, LEFT_OUT, RAISED, Curve, Job, Row
from hessx.study.running import Ending, Solve, carry_out

__all__ = ["attempt", "options_of", "pose", "prepare"]

_PERTURBATION = 1e-3
_MAX_ITERATIONS = 15000
_LONGEST = 1000  # characters of a message
_PACKAGES = {"torch-cuda": "torch"}  # of a backend, where it has another name
_KNOWN_BY = {  # of a `Posed`, None where it is not known
    Known.ROWS: "classes",
    Known.PATTERN: "pattern",
    Known.RESIDUAL: "residual",
    Known.CONSTANT_HESSIAN: "constant_hessian",
}


def attempt(job: Job, prepared: Callable[[], None]) -> Row:
    """Make one run; whatever it raises becomes its row.

    Parameters
    ----------
    job : Job
    prepared : callable
        Called before the clock of the run starts.
    """
    row = Row.of(job, find_problem(job.problem).n, RAISED)
    meter = None
    try:
        method = find_method(job.method)
        library = _PACKAGES.get(job.backend, job.backend)
        missing = "" if importlib.util.find_spec(library) else f"{library} is not installed"
        if missing or method.missing:
            return _left_out(row, missing or method.missing)
        posed, needs = prepare(job), method.needs
        if needs is not None and getattr(posed, _KNOWN_BY[needs]) is None:
            return _left_out(row, f"needs {needs}")  # which the feature has taken away
        meter = Meter(posed, keep_best=False)
        solve = method.bind(meter, options_of(job, method))
        start, _ = (posed.truth or posed.fun)(posed.x0)
        (row.start_value,), _ = fetch(space_of(posed.x0), [start])
        prepared()
        _measure(row, meter, solve, job)
    except BaseException as error:
        traceback.print_exc()
        row.exception = _on_one_line(f"{type(error).__name__}: {error}")
    if meter is not None:
        row.evaluations = row.gradients = meter.evaluations
        row.products, row.passes = meter.products, meter.passes
    return row


def prepare(job: Job) -> Posed:
    """Pose a job's problem, with its feature and from its start."""
    posed = pose(job.problem, job.backend, job.dtype)
    backend = _open(job.backend, job.dtype)
    posed = FEATURES[job.feature].apply(posed, backend, job.seed)
    return replace(posed, x0=_start(posed, job))


def options_of(job: Job, method: Method) -> dict[str, Any]:
    """Give what a method is told of its run: a rate that is asked for, and the seed of samples."""
    options: dict[str, Any] = {} if job.rate is None else {"rate": job.rate}
    return options | ({"seed": job.seed} if method.needs is Known.ROWS else {})


def _left_out(row: Row, reason: str) -> Row:
    row.outcome, row.message = LEFT_OUT, reason
    return row


def _measure(row: Row, meter: Meter, solve: Solve, job: Job) -> None:
    resident = forget_peak()
    ending = carry_out(solve, meter, gtol=job.gtol, seconds=job.seconds, iterations=_MAX_ITERATIONS)
    row.memory = peak_memory() - resident
    row.seconds, row.fetches = ending.seconds, ending.fetches
    if not meter.sampled_passes:
        row.solver_seconds = ending.seconds - meter.seconds
    space = space_of(ending.grad)
    (row.value, row.grad_norm), _ = fetch(space, [ending.value, norm_inf(space, ending.grad)])
    if meter.problem.classes is not None:
        (row.accuracy,), _ = fetch(space, [meter.problem.classes.accuracy(ending.result.x)])
    row.iterations = int(getattr(ending.result, "nit", 0))
    history = getattr(ending.result, "history", None)
    if history is not None:
        row.curve = _curve_of(history, meter, ending).thinned(CURVE_POINTS)
        row.rises = history.rises
    outcome = getattr(ending.result, "outcome", None)  # a `hessx.Outcome`; SciPy has none
    row.outcome = outcome.value if outcome else "converged" if ending.success else "ended"
    row.message = _on_one_line(ending.message.removeprefix(f"{row.outcome}: "))


def _on_one_line(text: str) -> str:
    """Keep what a file of rows can hold: a line that is torn is then a row that is torn."""
    return " ".join(text.split())[:_LONGEST].encode(errors="replace").decode()


def _curve_of(history: Any, meter: Meter, ending: Ending) -> Curve:
    """Give the accepted points with all that was spent until then.

    The evaluation that a point was accepted by has a fetch of its own where hessx made the run; on
    samples, evaluations are passes, which have the products in them.
    """
    before = [(0, 0), *meter.spent]
    spent = [before[e] if e < len(before) else (0, 0) for e in history["evaluations"]]
    return Curve(
        history["iteration"],
        history["evaluations"],
        [products for products, _ in spent],
        [min(fetches + 1, ending.fetches) for _, fetches in spent],
        history["seconds"],
        history["value"],
        history["grad_norm"],
        history["cosine"],
        *_path(history["evaluations"], meter),
    )


def _path(evaluations: list[int], meter: Meter) -> tuple[list[float], list[float]]:
    """Give the accepted points of a problem of two variables: each the last that was evaluated."""
    if not meter.points or max(evaluations) > len(meter.points):
        return [], []
    space = space_of(meter.problem.x0)
    points, _ = fetch(space, [meter.points[e - 1] for e in evaluations])
    return [float(x[0]) for x in points], [float(x[1]) for x in points]


@lru_cache(maxsize=2)
def _open(name: str, dtype: str) -> Backend:
    return open_backend(name, dtype)


@lru_cache(maxsize=4)
def pose(problem: str, backend: str, dtype: str) -> Posed:
    """Pose a problem; the last few are kept."""
    return find_problem(problem).pose(_open(backend, dtype))


def _start(posed: Posed, job: Job) -> Any:
    """Give the start; with a seed, moved at random by 1e-3 of max(|x|, 1)."""
    if job.seed == 0:
        return posed.x0
    space = space_of(posed.x0)
    (x0,), _ = fetch(space, [posed.x0])
    draw = np.random.default_rng(job.seed).standard_normal(x0.shape)
    moved = x0 + _PERTURBATION * np.maximum(np.abs(x0), 1.0) * draw
    return _open(job.backend, job.dtype).asarray(moved)
