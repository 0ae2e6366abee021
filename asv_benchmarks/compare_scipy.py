# ruff: noqa: T201 - a script that prints, and sets the threads before NumPy is loaded
"""hessx beside SciPy: time outside the functions, and peak memory.

    nox -s compare -- [--repeats 7] [--only lbfgs|newton|rules] [--n 10 1000000] [--no-memory]

One process, one thread, one core, the two solvers in turn.  The medians are given, in brackets
the fastest runs, and the median of SciPy's time over hessx's, each pair from neighbouring runs.
Here L-BFGS beside L-BFGS-B, m = 10, on the diagonal quadratic x'Dx/2 of condition 1e3 from x0 = 1,
all tolerances 0; peak memory is that of a run at n = 1e7 in a process of its own, beside x0 and D.
Newton-CG: compare_newton.py; rules of first order beside torch.optim: compare_rules.py.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from measuring import Stopwatch, in_a_process, resident, restart_on_one_thread

if __name__ == "__main__":
    restart_on_one_thread()

import numpy as np
import scipy.optimize
from compare_newton import compare_newton, memory_of_newton
from compare_rules import compare_rules

import hessx

M = 10
SIZES = (10, 100, 10_000, 100_000, 1_000_000)
VECTORS_ALLOWED = 2 * M + 12
MEMORY_N, MEMORY_ITERATIONS = 10**7, 2 * M


def iterations_of(n: int) -> int:
    """As many as run before rounding ends the descent (small n), or as time allows (large n)."""
    return 20 if n <= 10 else 30 if n >= 1_000_000 else 60


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


FUNCTIONS = {"plain": quadratic, "f keeps every x": keeping, "one gradient buffer": reusing}


def by_scipy(fun: Any, x0: np.ndarray, iterations: int) -> Any:
    options = {"maxcor": M, "maxiter": iterations, "ftol": 0.0, "gtol": 0.0, "maxfun": 10**6}
    return scipy.optimize.minimize(fun, x0, jac=True, method="L-BFGS-B", options=options)


def by_hessx(fun: Any, x0: Any, iterations: int, callback: Any = None) -> Any:
    options = {"maxcor": M, "maxiter": iterations, "ftol": 0.0, "gtol": 0.0}
    return hessx.minimize(fun, x0, jac=True, method="lbfgs", options=options, callback=callback)


def microseconds(solve: Callable[..., Any], make: Any, D: np.ndarray, iterations: int) -> float:
    """Solver time per iteration of one run."""
    inside = Stopwatch()
    fun = inside.around(make(D))
    x0 = np.ones_like(D)
    began = time.perf_counter()
    result = solve(fun, x0, iterations)
    seconds = time.perf_counter() - began
    if result.nit != iterations:
        raise RuntimeError(f"{result.nit} iterations instead of {iterations}: {result.message}")
    return (seconds - inside.seconds) / iterations * 1e6


def compare(n: int, repeats: int) -> None:
    """Print one line: the solvers in turn, on each function, after a run of each to warm up."""
    D, iterations = np.geomspace(1.0, 1e3, n), iterations_of(n)
    cases = [(make, solve) for make in FUNCTIONS.values() for solve in (by_scipy, by_hessx)]
    times: dict[Any, list[float]] = {case: [] for case in cases}
    short = max(1, 3000 // max(n, 100))  # short runs are averaged: a timer's tick is not small
    for repeat in range(-1, repeats):
        for make, solve in cases:
            spent = [microseconds(solve, make, D, iterations) for _ in range(short)]
            if repeat >= 0:
                times[make, solve].append(median(spent))
    columns = []
    for make in FUNCTIONS.values():
        theirs, ours = times[make, by_scipy], times[make, by_hessx]
        ratio = median(a / b for a, b in zip(theirs, ours, strict=True))
        columns.append(f"{median(theirs):9.1f} {median(ours):9.1f} [{min(ours):8.1f}] {ratio:5.3g}")
    print(f"{n:9d} {iterations:4d} " + " ".join(columns), flush=True)


def check_same_iterates(n: int) -> None:
    """A function that keeps its x, and one that reuses its gradient: the same iterates, bitwise."""
    D, iterations = np.geomspace(1.0, 1e3, n), iterations_of(n)
    runs = []
    for make in FUNCTIONS.values():
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


def compare_lbfgs(sizes: list[int], repeats: int, *, memory: bool) -> None:
    """Print the tables of L-BFGS."""
    print("L-BFGS: microseconds per iteration outside the function: medians [fastest of hessx]")
    print(f"{'n':>9} {'its':>4} " + " ".join(f"{name:>36}" for name in FUNCTIONS))
    print(" " * 15 + " ".join(f"{'SciPy':>9} {'hessx':>9} {'':10} {'ratio':>5}" for _ in FUNCTIONS))
    for n in sizes:
        check_same_iterates(min(n, 100_000))
        compare(n, repeats)
    if memory:
        print(f"peak memory at n = {MEMORY_N:.0e}, in vectors beside x0; at most {VECTORS_ALLOWED}")
        for library in ("numpy", "torch"):
            print(f"{library:>9} {in_a_process(__file__, '--memory-of', library)}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--n", type=int, nargs="*", default=SIZES)
    parser.add_argument("--only", choices=["lbfgs", "newton", "rules"])
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--memory-of", choices=["numpy", "torch"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.memory_of:
        print(f"{peak_vectors(given.memory_of):.1f}")
        return
    if given.only in (None, "lbfgs"):
        compare_lbfgs(given.n, given.repeats, memory=not given.no_memory)
    if given.only in (None, "newton"):
        compare_newton(given.repeats)
        if not given.no_memory:
            memory_of_newton()
    if given.only in (None, "rules"):
        compare_rules(given.repeats)


if __name__ == "__main__":
    main()
