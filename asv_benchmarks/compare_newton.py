# ruff: noqa: T201 - a script that prints
"""Trust-region Newton-CG beside SciPy's trust-ncg, to the same norm of the gradient.

What is given is the time outside the function and the products: in all, and per CG step, of which
the two solvers take different numbers.  Peak memory, as NumPy reports it, is that of a run with
accepted and rejected steps, beside x0; gradient and product are new arrays at each call.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import scipy.optimize
from measuring import Stopwatch

import hessx
from hessx.models import LogisticRegression

__all__ = ["compare_newton", "memory_of_newton"]

MEMORY_N, MEMORY_ITERATIONS = 4 * 10**6, 30
GLTR_BASIS = hessx.GLTR().max_basis
MEMORY = [  # method, products per solve, vectors allowed; short solves set the learning off
    ("newton-cg", None, 13),
    ("newton-cg", 2, 14),
    ("trust-ncg", None, 10),
    ("trust-ncg", 2, 13),
    ("trust-krylov", None, GLTR_BASIS + 11),
]


@dataclass(frozen=True)
class Case:
    """A problem; SciPy's time is to be ``least`` times that of hessx."""

    name: str
    fun: Callable[[np.ndarray], tuple[float, np.ndarray]]
    linearise: Callable[[np.ndarray], Callable[[np.ndarray], np.ndarray]]
    x0: np.ndarray
    gtol: float  # norm_2
    least: float


def logistic() -> Case:
    """Logistic regression, 20000 observations of 500 features, condition 1e4."""
    rng = np.random.default_rng(11)
    X = rng.standard_normal((20000, 500)) * np.geomspace(1.0, 1e-2, 500)
    y = X @ rng.standard_normal(500) + rng.standard_normal(20000) > 0.0
    model = LogisticRegression(X, y, l2=1e-6, intercept=False)
    return Case("logistic", model, lambda x: model.hessian(x).matvec, np.zeros(500), 1e-6, 1.0)


def bratu(m: int = 316, c: float = 5.0) -> Case:
    """Bratu's problem: h^2 sum of (|grad u|^2 / 2 - c exp(u)) on m x m points, 0 at the edge."""
    h2 = 1.0 / (m + 1) ** 2

    def laplacian(u: np.ndarray) -> np.ndarray:
        Au = 4.0 * u
        Au[1:] -= u[:-1]
        Au[:-1] -= u[1:]
        Au[:, 1:] -= u[:, :-1]
        Au[:, :-1] -= u[:, 1:]
        return Au

    def fun(x: np.ndarray) -> tuple[float, np.ndarray]:
        u = x.reshape(m, m)
        Au, force = laplacian(u), c * h2 * np.exp(u)
        value = 0.5 * float(x @ Au.ravel()) - float(force.sum())
        return value, (Au - force).ravel()

    def linearise(x: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        force = c * h2 * np.exp(x)
        return lambda v: laplacian(v.reshape(m, m)).ravel() - force * v

    return Case("Bratu", fun, linearise, np.zeros(m * m), 1e-7, 2.0)


class Products:
    """hessp, linearised once per point."""

    def __init__(self, linearise: Callable[[np.ndarray], Any]) -> None:
        self.linearise, self.x = linearise, np.empty(0)

    def __call__(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        if not np.array_equal(x, self.x):
            self.x, self.product = x.copy(), self.linearise(x)
        return self.product(v)


@dataclass
class Run:
    """Seconds outside the functions, products and evaluations."""

    seconds: float
    products: int
    evaluations: int

    @property
    def microseconds_per_step(self) -> float:
        return self.seconds / self.products * 1e6


def run(case: Case, library: str) -> Run:
    """Minimise once."""
    values, products = Stopwatch(), Stopwatch()
    functions = {
        "fun": values.around(case.fun),
        "hessp": products.around(Products(case.linearise)),
        "jac": True,
        "method": "trust-ncg",
    }
    options: dict[str, Any] = {"gtol": case.gtol, "maxiter": 1000}
    solver = scipy.optimize.minimize
    if library == "hessx":
        solver = hessx.minimize
        options["norm"] = 2
    began = time.perf_counter()
    result = solver(x0=case.x0, options=options, **functions)
    seconds = time.perf_counter() - began
    norm = np.linalg.norm(case.fun(result.x)[1])
    if not (result.success and norm <= case.gtol):
        raise RuntimeError(f"{library}, {case.name}: |g| = {norm:g}, {result.message}")
    return Run(seconds - values.seconds - products.seconds, products.calls, values.calls)


def compare_newton(repeats: int) -> None:
    """Print a line per problem and solver: both in turn, after a run of each to warm up."""
    print("trust-region Newton-CG: time outside function and products: median [fastest]")
    print(
        f"{'problem':>9} {'n':>7} {'':>6} {'evals':>6} {'products':>9} {'ms in all':>17} "
        f"{'us per CG step':>17}   SciPy / hessx"
    )
    for case in (logistic(), bratu()):
        runs: dict[str, list[Run]] = {"scipy": [], "hessx": []}
        for repeat in range(-1, repeats):
            for library, made in runs.items():
                done = run(case, library)
                if repeat >= 0:
                    made.append(done)
        ratio = median(
            a.seconds / b.seconds for a, b in zip(runs["scipy"], runs["hessx"], strict=True)
        )
        for library, made in runs.items():
            ms = [r.seconds * 1e3 for r in made]
            us = [r.microseconds_per_step for r in made]
            last = f" {ratio:7.2f}, at least {case.least:g}" if library == "hessx" else ""
            print(
                f"{case.name:>9} {len(case.x0):7d} {library:>6} {made[0].evaluations:6d} "
                f"{made[0].products:9d} {median(ms):8.2f} [{min(ms):6.2f}] "
                f"{median(us):8.1f} [{min(us):6.1f}] {last}",
                flush=True,
            )


def peak_vectors(method: str, max_inner: int | None = None) -> float:
    """Largest memory of a run on sum D (x^4 / 4 - x^2 / 2), in vectors beside x0 and D."""
    D = np.linspace(1.0, 1e2, MEMORY_N)
    x0 = np.linspace(-0.1, 0.2, MEMORY_N)

    def fun(x: np.ndarray) -> tuple[float, np.ndarray]:
        g = x * x
        value = 0.25 * float(np.einsum("i,i,i", D, g, g)) - 0.5 * float(D @ g)
        g -= 1.0
        g *= x
        g *= D
        return value, g

    def hessp(x: np.ndarray, v: np.ndarray) -> np.ndarray:
        Hv = x * x
        Hv *= 3.0
        Hv -= 1.0
        Hv *= D
        Hv *= v
        return Hv

    options = {"maxiter": MEMORY_ITERATIONS, "gtol": 1e-10, "max_inner": max_inner}
    tracemalloc.start()
    try:
        hessx.minimize(fun, x0, jac=True, hessp=hessp, method=method, options=options)
        return tracemalloc.get_traced_memory()[1] / x0.nbytes
    finally:
        tracemalloc.stop()


def memory_of_newton() -> None:
    """Print the peaks."""
    print(f"peak memory at n = {MEMORY_N:.0e}, in vectors beside x0")
    for method, max_inner, allowed in MEMORY:
        learning = "" if max_inner is None else ", a diagonal being learnt"
        print(f"{method:>13} {peak_vectors(method, max_inner):5.1f}, at most {allowed}{learning}")
