"""Run the suites on this machine's CUDA device and write one report.

``python tests/device/report.py --output report.md`` measures every CUDA backend that is installed;
``--backend torch`` measures another one, to try the script on a machine without a GPU.
"""

from __future__ import annotations

import argparse
import functools
import importlib.metadata
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

import hessx  # noqa: E402
from _helpers.backends import Backend  # noqa: E402
from _helpers.registry import UnavailableError, make_backend  # noqa: E402
from _helpers.runs import chained_rosenbrock  # noqa: E402
from hessx import _xp  # noqa: E402
from hessx.models import LogisticRegression  # noqa: E402

CUDA_BACKENDS = ["cupy", "cupy-float32", "cuda-torch", "cuda-torch-float32"]
PACKAGES = ["hessx", "numpy", "array-api-compat", "cupy-cuda12x", "cupy-cuda13x", "torch"]
ITERATIONS, HISTORY, REPEATS = 100, 10, 3

Objective = Callable[[Any], tuple[Any, Any]]


class Tally:
    """A pytest plugin that counts outcomes and keeps the names of failures."""

    def __init__(self) -> None:
        self.counts = {"passed": 0, "failed": 0, "skipped": 0}
        self.failures: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self.counts[report.outcome] += 1
            if report.failed:
                self.failures.append(report.nodeid)


def problems(backend: Backend) -> dict[str, tuple[Objective, Any]]:
    """Objectives with their gradients, and where to start."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 500))
    labels = (X @ rng.standard_normal(500) + rng.standard_normal(2000) > 0).astype(float)
    logistic = LogisticRegression(backend.asarray(X), backend.asarray(labels), l2=1e-3)
    start = np.tile([-1.2, 1.0], 50_000)
    return {
        "logistic 2000 x 500": (logistic, backend.asarray(np.zeros(logistic.n))),
        "chained Rosenbrock n = 1e5": (chained_rosenbrock, backend.asarray(start)),
    }


def measure(backend: Backend, fun: Objective, x0: Any) -> dict[str, float]:
    """Fetches per evaluation and microseconds per iteration of L-BFGS, without the function's."""
    options = {"maxiter": ITERATIONS, "maxcor": HISTORY, "gtol": 0.0}
    run = functools.partial(hessx.minimize, jac=True, method="lbfgs", options=options)
    run(fun, x0)  # compiles kernels
    with _xp.record_fetches() as ledger:
        result = run(fun, x0)
    total = min(timed(lambda: run(fun, x0)) for _ in range(REPEATS))
    alone = min(timed(lambda: evaluate(backend, fun, x0, result.nfev)) for _ in range(REPEATS))
    return {
        "iterations": result.nit,
        "evaluations": result.nfev,
        "fetches per evaluation": ledger.fetches / result.nfev,
        "us per iteration": 1e6 * total / result.nit,
        "us per iteration, solver": 1e6 * (total - alone) / result.nit,
    }


def evaluate(backend: Backend, fun: Objective, x0: Any, times: int) -> None:
    """Evaluate as often as the solver did, and wait for the device at each, as it must."""
    for _ in range(times):
        value, _ = fun(x0)
        backend.to_numpy(value)


def measure_torch(backend: Backend, fun: Objective, x0: Any) -> float:
    """Microseconds per iteration of torch.optim.LBFGS with the same function and history."""
    import torch

    x = x0.clone().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [x], max_iter=ITERATIONS, history_size=HISTORY, line_search_fn="strong_wolfe",
        tolerance_grad=0.0, tolerance_change=0.0,
    )  # fmt: skip

    def closure() -> Any:
        with torch.no_grad():
            value, x.grad = fun(x.detach())
        return value

    def run() -> None:
        optimizer.step(closure)
        backend.to_numpy(x)

    seconds = timed(run)
    return 1e6 * seconds / next(iter(optimizer.state.values()))["n_iter"]


def timed(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def card() -> str:
    """The GPU and its driver, or the processor."""
    try:
        query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return f"no CUDA device; {platform.machine()}"


def versions() -> list[str]:
    lines = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            lines.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return lines


def measurements(backend: Backend) -> list[str]:
    """A table of every problem on one backend."""
    lines = []
    for name, (fun, x0) in problems(backend).items():
        row = measure(backend, fun, x0)
        if not lines:
            heads = ["problem", *row, "us per iteration, torch.optim.LBFGS"]
            lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
        beside = f"{measure_torch(backend, fun, x0):.0f}" if "torch" in backend.name else "-"
        cells = [name, *(f"{value:.4g}" for value in row.values()), beside]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("device-report.md"))
    parser.add_argument("--backend", action="append", help="default: " + ", ".join(CUDA_BACKENDS))
    asked = parser.parse_args()
    report = ["# hessx on a device", "", card(), "", *(f"- {line}" for line in versions()), ""]
    failed = ran = 0
    for name in asked.backend or CUDA_BACKENDS:
        report += [f"## {name}", ""]
        try:
            backend = make_backend(name)
        except UnavailableError as error:
            report += [f"Not run: {error}.", ""]
            continue
        tally = Tally()
        pytest.main([str(TESTS), "--backend", name], plugins=[tally])
        ran += tally.counts["passed"]
        failed += tally.counts["failed"]
        report += [", ".join(f"{n} {what}" for what, n in tally.counts.items()), ""]
        report += [*(f"- failed: {nodeid}" for nodeid in tally.failures), ""]
        with backend.active():
            report += [*measurements(backend), ""]
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_text("\n".join(report), encoding="utf-8")
    sys.stdout.write(f"{asked.output}\n")
    return 1 if failed or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
