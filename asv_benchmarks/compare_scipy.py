# ruff: noqa: E402, T201 - a script that prints, and sets the threads before NumPy is loaded
"""L-BFGS beside SciPy's L-BFGS-B: microseconds per iteration without the function's, and memory.

    nox -s compare -- [--repeats 7] [--n 10 1000000] [--no-memory]

One process, one thread, one core, m = 10, the two solvers in turn, on the diagonal quadratic
x'Dx/2 of condition 1e3 from x0 = 1, all tolerances 0.  The medians are given and, in brackets, the
fastest runs.  Peak memory is that of a run at n = 1e7 in a process of its own, beside x0 and D.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
TUNING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def restart_on_one_thread() -> None:
    """BLAS libraries read these variables when they are loaded, so they are set before."""
    wanted = {k: v for k, v in os.environ.items() if k not in TUNING} | dict.fromkeys(THREADS, "1")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if wanted != dict(os.environ):
        os.execve(sys.executable, [sys.executable, *sys.argv], wanted)


if __name__ == "__main__":
    restart_on_one_thread()

import numpy as np
import scipy.optimize

import hessx

M = 10
SIZES = (10, 100, 10_000, 100_000, 1_000_000)
VECTORS_ALLOWED = 2 * M + 12
MEMORY_N, MEMORY_ITERATIONS = 10**7, 2 * M


def iterations_of(n: int) -> int:
    """As many as run before rounding ends the descent (small n), or as time allows (large n)."""
    return 20 if n <= 10 else 30 if n >= 1_000_000 else 60


def seconds_inside(reply: Callable[[Any], Any]) -> tuple[Callable[[Any], Any], list[float]]:
    """Wrap a function so that the time spent in it is summed up."""
    spent = [0.0]

    def timed(x: Any) -> Any:
        began = time.perf_counter()
        answer = reply(x)
        spent[0] += time.perf_counter() - began
        return answer

    return timed, spent


def quadratic(D: np.ndarray) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Value and gradient of x'Dx/2, a new gradient each time."""

    def fun(x: np.ndarray) -> tuple[float, np.ndarray]:
        g = D * x
        return 0.5 * float(x @ g), g

    return fun


def keeping(D: np.ndarray) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """The same, and every x is kept."""
    kept, fun = [], quadratic(D)

    def keeps(x: np.ndarray) -> tuple[float, np.ndarray]:
        kept.append(x)
        return fun(x)

    return keeps


def reusing(D: np.ndarray) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """The same, with every gradient in one buffer."""
    buffer = np.empty_like(D)

    def reuses(x: np.ndarray) -> tuple[float, np.ndarray]:
        np.multiply(D, x, out=buffer)
        return 0.5 * float(x @ buffer), buffer

    return reuses


def by_scipy(fun: Any, x0: np.ndarray, iterations: int) -> Any:
    options = {"maxcor": M, "maxiter": iterations, "ftol": 0.0, "gtol": 0.0, "maxfun": 10**6}
    return scipy.optimize.minimize(fun, x0, jac=True, method="L-BFGS-B", options=options)


def by_hessx(fun: Any, x0: Any, iterations: int, callback: Any = None) -> Any:
    options = {"maxcor": M, "maxiter": iterations, "ftol": 0.0, "gtol": 0.0}
    return hessx.minimize(fun, x0, jac=True, method="lbfgs", options=options, callback=callback)


def microseconds(solve: Callable[..., Any], make: Any, D: np.ndarray, iterations: int) -> float:
    """Solver time per iteration of one run."""
    fun, spent = seconds_inside(make(D))
    x0 = np.ones_like(D)
    began = time.perf_counter()
    result = solve(fun, x0, iterations)
    seconds = time.perf_counter() - began
    if result.nit != iterations:
        raise RuntimeError(f"{result.nit} iterations instead of {iterations}: {result.message}")
    return (seconds - spent[0]) / iterations * 1e6


def compare(n: int, repeats: int) -> None:
    """Print one line: both solvers in turn, after a run of each to warm up."""
    D, iterations = np.geomspace(1.0, 1e3, n), iterations_of(n)
    cases = {
        "scipy": (by_scipy, quadratic),
        "hessx": (by_hessx, quadratic),
        "keeps": (by_hessx, keeping),
        "buffer": (by_hessx, reusing),
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    short = max(1, 3000 // max(n, 100))  # short runs are averaged: a timer's tick is not small
    for repeat in range(-1, repeats):
        for name, (solve, make) in cases.items():
            spent = [microseconds(solve, make, D, iterations) for _ in range(short)]
            if repeat >= 0:
                times[name].append(median(spent))
    ratios = [a / b for a, b in zip(times["scipy"], times["hessx"], strict=True)]
    columns = [f"{median(t):10.1f} [{min(t):8.1f}]" for t in times.values()]
    print(f"{n:9d} {iterations:4d} " + " ".join(columns) + f" {median(ratios):7.2f}", flush=True)


def check_same_iterates(n: int) -> None:
    """A function that keeps its x, and one that reuses its gradient: the same iterates, bitwise."""
    D, iterations = np.geomspace(1.0, 1e3, n), iterations_of(n)
    runs = []
    for make in (quadratic, keeping, reusing):
        iterates: list[np.ndarray] = []
        by_hessx(make(D), np.ones(n), iterations, lambda x, seen=iterates: seen.append(x.copy()))
        runs.append(np.stack(iterates))
    if not all(np.array_equal(run, runs[0]) for run in runs):
        raise RuntimeError(f"n = {n}: the iterates depend on what the function keeps or reuses")


def peak_vectors(library: str) -> float:
    """Largest resident memory of one run, in vectors of 8 n bytes beside x0 and D."""
    D = np.linspace(1.0, 1e3, MEMORY_N)
    x0 = np.ones(MEMORY_N)
    if library == "torch":
        import torch

        torch.set_num_threads(1)
        D, x0 = torch.from_numpy(D), torch.from_numpy(x0)

    def fun(x: Any) -> tuple[Any, Any]:
        g = D * x
        return (x @ g) / 2, g

    before = resident("VmRSS")
    by_hessx(fun, x0, MEMORY_ITERATIONS)
    return (resident("VmHWM") - before) / (8 * MEMORY_N)


def resident(field: str) -> int:
    """Bytes of this process, now (VmRSS) or at most so far (VmHWM); Linux only."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--n", type=int, nargs="*", default=SIZES)
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--memory-of", choices=["numpy", "torch"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.memory_of:
        print(f"{peak_vectors(given.memory_of):.1f}")
        return
    print("microseconds per iteration outside the function: median [fastest]")
    print(
        f"{'n':>9} {'its':>4} {'SciPy':>21} {'hessx':>21} {'f keeps every x':>21} "
        f"{'one gradient buffer':>21}   SciPy / hessx"
    )
    for n in given.n:
        check_same_iterates(min(n, 100_000))
        compare(n, given.repeats)
    if given.no_memory:
        return
    print(f"peak memory at n = {MEMORY_N:.0e}, in vectors beside x0; at most {VECTORS_ALLOWED}")
    for library in ("numpy", "torch"):
        command = [sys.executable, __file__, "--memory-of", library]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        print(f"{library:>9} {done.stdout.strip() or done.stderr.strip().splitlines()[-1]}")


if __name__ == "__main__":
    main()
