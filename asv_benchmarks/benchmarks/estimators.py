"""Estimators of spectra by products, and the kind of a point: what they cost beside products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import hessx
from benchmarks.libraries import EAGER, large, library, wait
from hessx._xp import record_fetches

Params = tuple[list[str], list[str], list[int]]

ESTIMATORS: dict[str, Callable[[Any, Any], Any]] = {
    "hutchinson": lambda A, x: hessx.estimate_trace(A, x, products=32, method="hutchinson"),
    "hutch++": lambda A, x: hessx.estimate_trace(A, x, products=33, method="hutch++"),
    "xtrace": lambda A, x: hessx.estimate_trace(A, x, products=32),
    "diagonal": lambda A, x: hessx.estimate_diagonal(A, x, products=32, method="hutchinson"),
    "xdiag": lambda A, x: hessx.estimate_diagonal(A, x, products=32),
    "extremes": lambda A, x: hessx.extreme_eigenvalues(A, x, products=32, rtol=1e-12),
    "density": lambda A, x: hessx.spectral_density(A, x, steps=16, samples=2),
    "curvature": lambda A, x: hessx.curvature(
        lambda y: (y @ A(y), A(y)), x * 0.0, jac=True, hessp=lambda y, v: A(v), products=32
    ),
}


class Posed:
    """About 32 products with a diagonal matrix, in stacks where they are taken."""

    param_names = ("library", "estimator", "n")

    def setup(self, name: str, kind: str, n: int) -> None:
        backend = library(name)
        h = backend.asarray(np.linspace(-1.0, 100.0, n))
        self.x = backend.asarray(np.ones(n))
        self.A = hessx.LinearOperator((n, n), lambda v: h * v, symmetric=True, stacks=True)
        self.estimate = ESTIMATORS[kind]

    def run(self) -> Any:
        found = self.estimate(self.A, self.x)
        wait(getattr(found, "values", None))
        return found


class Estimates(Posed):
    """Time and memory."""

    params: Params = (EAGER, list(ESTIMATORS), [10**3, large(10**6)])

    def time_estimate(self, name: str, kind: str, n: int) -> None:
        self.run()

    def peakmem_estimate(self, name: str, kind: str, n: int) -> None:
        self.run()


class Fetches(Posed):
    """How often the host waits for the device."""

    params: Params = (["numpy"], list(ESTIMATORS), [10**3])

    def track_fetches(self, name: str, kind: str, n: int) -> int:
        with record_fetches() as ledger:
            self.run()
        return ledger.fetches
