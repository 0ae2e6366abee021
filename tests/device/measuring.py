"""What hessx costs on one backend: a row per method and size, printed as it is measured.

A process of its own, which ``report.py`` starts: a size that takes the process down costs one row.
Each line of its output is one JSON object.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import hessx
from _helpers.backends import Backend
from _helpers.registry import UnavailableError, make_backend
from hessx import _xp

__all__ = ["COLUMNS", "cases"]

HISTORY, ITERATIONS, PRODUCTS = 10, 40, 60
REPEATS, ENOUGH = 5, 3.0  # runs, and seconds after which there are no more
SIZES = [10**k for k in range(3, 8)]
CONDITION = 1e3

LBFGS = {"method": "lbfgs", "options": {"maxcor": HISTORY, "maxiter": ITERATIONS, "gtol": 0.0}}
METHODS: dict[str, dict[str, Any]] = {"lbfgs": LBFGS}
for every in (1, 8):
    limits = {"check_every": every, "max_products": PRODUCTS, "gtol": 0.0}
    METHODS[f"trust-ncg, check_every={every}"] = {"method": "trust-ncg", "options": limits}
# Passes over a vector in a step: m pairs are read and combined, written and measured; a CG step.
PASSES = {"lbfgs": 4 * HISTORY + 22, "trust-ncg": 18}

COLUMNS = {
    "steps": "steps",
    "us": "us per step outside f",
    "fetches": "fetches per step",
    "launches": "launches per step outside f",
    "rate": "GB/s",
    "copy_rate": "GB/s of a copy",
    "torch_us": "us per step of torch.optim.LBFGS",
}


def cases(largest: int) -> list[tuple[str, int]]:
    """Method and size, small sizes of all methods first."""
    return [(method, n) for n in SIZES if n <= largest for method in METHODS]


class Problem:
    """Sum of D (x^2 / 2 + x^4 / 4) from ones, D from 1 to 1e3, made on the device."""

    def __init__(self, backend: Backend, n: int) -> None:
        xp, kind = backend.xp, {"dtype": backend.dtype, "device": backend.device}
        self.D = CONDITION ** xp.linspace(0.0, 1.0, n, **kind)
        self.x0 = xp.ones(n, **kind)

    def fun(self, x: Any) -> tuple[Any, Any]:
        square, slope = x * x, self.D * x
        return (slope * (square * 0.25 + 0.5)) @ x, slope * (square + 1.0)

    def hessp(self, x: Any, v: Any) -> Any:
        return self.D * (x * x * 3.0 + 1.0) * v


def measure(backend: Backend, method: str, n: int) -> dict[str, Any]:
    """Measure one method at one size."""
    problem, settings = Problem(backend, n), METHODS[method]
    newton = settings["method"] == "trust-ncg"
    given = {"hessp": problem.hessp} if newton else {}
    run = functools.partial(hessx.minimize, problem.fun, problem.x0, jac=True, **given, **settings)
    wait = functools.partial(wait_for, backend)
    wait(run().x)  # compiles kernels
    with _xp.record_fetches() as ledger:
        result = run()
    steps = result.nhev if newton else result.nit
    calls = {functools.partial(problem.fun, problem.x0): result.nfev}
    if newton:
        calls[functools.partial(problem.hessp, problem.x0, problem.x0)] = result.nhev
    total = fastest(lambda: wait(run().x))
    alone = fastest(lambda: wait(repeated(calls)))
    seconds = (total - alone) / steps
    row = {"steps": steps, "us": 1e6 * seconds, "fetches": ledger.fetches / steps}
    row["launches"] = launches(backend, run, calls, steps)
    size = n * (8 if backend.dtype_name == "float64" else 4)
    row["rate"] = PASSES[settings["method"]] * size / seconds / 1e9
    row["copy_rate"] = 2 * size / copying(backend, problem.x0) / 1e9
    if not newton and "torch" in backend.name:
        row["torch_us"] = measure_torch(backend, problem)
    return row


def wait_for(backend: Backend, a: Any) -> None:
    """Wait until an array is computed."""
    backend.to_numpy(a[:1])


def repeated(calls: dict[Callable[[], Any], int]) -> Any:
    """Make each call as often as it says; the last array, for which to wait."""
    for call, times in calls.items():
        for _ in range(times):
            last = call()
    return last[1] if isinstance(last, tuple) else last


def fastest(run: Callable[[], Any]) -> float:
    """Seconds of the fastest of some runs."""
    times: list[float] = []
    while len(times) < REPEATS and (not times or sum(times) < ENOUGH):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times)


def launches(backend: Backend, run: Any, calls: dict[Any, int], steps: int) -> float | None:
    """Kernels that a step launches, without those of the function; None where nobody counts."""
    meter = getattr(backend, "meter", None)
    if meter is None:
        return None
    with meter.tally() as tally:
        run()
    with meter.tally() as own:
        repeated(calls)
    return (tally.launches.total() - own.launches.total()) / steps


def copying(backend: Backend, x: Any) -> float:
    """Seconds that a copy takes on the device."""
    count = 20

    def copies() -> None:
        for _ in range(count):
            copy = backend.xp.asarray(x, copy=True)
        wait_for(backend, copy)

    copies()
    return fastest(copies) / count


def measure_torch(backend: Backend, problem: Problem) -> float:
    """Microseconds per step, outside f, of torch.optim.LBFGS with the same memory."""
    import torch

    evaluations = 0

    def run() -> int:
        nonlocal evaluations
        x = problem.x0.clone().requires_grad_()
        optimizer = torch.optim.LBFGS(
            [x], max_iter=ITERATIONS, max_eval=10**6, history_size=HISTORY,
            line_search_fn="strong_wolfe", tolerance_grad=0.0, tolerance_change=0.0,
        )  # fmt: skip
        evaluations = 0

        def closure() -> Any:
            nonlocal evaluations
            evaluations += 1
            with torch.no_grad():
                value, x.grad = problem.fun(x.detach())
            return value

        optimizer.step(closure)
        wait_for(backend, x)
        return next(iter(optimizer.state.values()))["n_iter"]

    steps = run()
    total = fastest(run)
    calls = {functools.partial(problem.fun, problem.x0): evaluations}
    alone = fastest(lambda: wait_for(backend, repeated(calls)))
    return 1e6 * (total - alone) / steps


def rows(backend: Backend, largest: int, first: int, seconds: float) -> Iterator[dict[str, Any]]:
    """Measure case by case; what does not fit gives its reason."""
    deadline, spent = time.monotonic() + seconds, dict.fromkeys(METHODS, 0.0)
    for method, n in cases(largest)[first:]:
        began = time.monotonic()
        expected, left = 5.0 * spent[method], deadline - began
        if expected > left:
            yield {"left out": f"out of time: about {expected:.0f} s, {max(left, 0.0):.0f} s left"}
            continue
        try:
            yield measure(backend, method, n)
        except Exception as error:  # of any library: out of memory, or not supported
            text = str(error).splitlines()[0] if str(error) else ""
            yield {"left out": f"{type(error).__name__}: {text}"[:200]}
        spent[method] = time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backend")
    parser.add_argument("--largest", type=int, required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seconds", type=float, required=True)
    asked = parser.parse_args()
    try:
        backend = make_backend(asked.backend)
    except UnavailableError as error:
        tell({"unavailable": str(error)})
        return
    with backend.active():
        for row in rows(backend, asked.largest, asked.first, asked.seconds):
            tell(row)


def tell(row: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
