"""Sums of squares: what a point costs, what an application costs, and whole runs, counted."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np

import hessx
from benchmarks.libraries import EAGER, large, library, wait
from hessx._xp import Array, Space, space_of
from hessx.core import Counts, Frame, Offer
from hessx.hessians import Approximation
from hessx.objectives import Jacobian, ResidualAt, dense_jacobian

SMALL, LARGE = 1_000, large(1_000_000)  # variables; twice as many residuals where J is an array
SETTINGS: dict[str, Approximation] = {
    "GaussNewton": hessx.GaussNewton(),
    "GaussNewton, dense": hessx.GaussNewton(dense=True),
    "GaussNewton, dense, solves": hessx.GaussNewton(dense=True, damping=1e-3),
}
PRODUCTS = ["GaussNewton"]  # what fits a million variables


class Point:
    """A residual at a point, with an array as J or, in large, differences of neighbours."""

    params: Any = (EAGER, list(SETTINGS), [SMALL])
    param_names = ("library", "approximation", "n")

    def setup(self, name: str, kind: str, n: int) -> None:
        backend, rng = library(name), np.random.default_rng(7)
        self.settings = SETTINGS[kind]
        self.v = backend.asarray(rng.standard_normal(n))
        space = space_of(self.v)
        if n <= SMALL:
            J = dense_jacobian(space, backend.asarray(rng.standard_normal((2 * n, n))))
            r = backend.asarray(rng.standard_normal(2 * n))
        else:
            J, r = _neighbours(space), self.v
        self.frame, self.at = Frame(space), ResidualAt(space, r, J, Counts())
        self.curvature = self.settings.begin(self.frame)
        needs = Offer.SOLVE if Offer.SOLVE in self.settings.offers else Offer.MATVEC
        self.apply = getattr(self.curvature, "solve" if needs is Offer.SOLVE else "matvec")
        self.curvature.focus(needs)
        self.arrive()

    def arrive(self) -> None:
        self.curvature.leave()
        self.curvature.at(self.at)
        self.curvature.prepare()
        wait(self.apply(self.v))


def _neighbours(space: Space) -> Jacobian:
    xp, zero = space.xp, space.zeros(1)

    def jvp(v: Array) -> Array:
        return v - xp.concat([zero, v[:-1]])

    def vjp(u: Array) -> Array:
        return u - xp.concat([u[1:], zero])

    return Jacobian(jvp, vjp)


class Build(Point):
    """A new point, and the first application at it."""

    def time_build(self, name: str, kind: str, n: int) -> None:
        self.arrive()


class Apply(Point):
    """A v, or B v where there is no A, when all is formed."""

    def time_apply(self, name: str, kind: str, n: int) -> None:
        wait(self.apply(self.v))


class Peak(Point):
    """Memory of a point and an application, in vectors of n numbers, without J itself."""

    params = (["numpy"], list(SETTINGS), [SMALL])

    def track_peak_vectors(self, name: str, kind: str, n: int) -> float:
        self.curvature.leave()
        tracemalloc.start()
        self.arrive()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak / (8 * n)

    track_peak_vectors.unit = "vectors"


class LargeBuild(Build):
    params = (["numpy"], PRODUCTS, [LARGE])


class LargeApply(Apply):
    params = (["numpy"], PRODUCTS, [LARGE])


class LargePeak(Peak):
    params = (["numpy"], PRODUCTS, [LARGE])


def exponentials() -> tuple[hessx.SumOfSquares, np.ndarray]:
    """Two decays in 200 values, whose parameters are far from the start."""
    t = np.linspace(0.0, 10.0, 200)
    y = 3.0 * np.exp(-0.4 * t) + 2.0 * np.exp(-3.0 * t)

    def residual(x: np.ndarray) -> np.ndarray:
        return x[0] * np.exp(-x[1] * t) + x[2] * np.exp(-x[3] * t) - y

    def jacobian(x: np.ndarray) -> np.ndarray:
        a, b = np.exp(-x[1] * t), np.exp(-x[3] * t)
        return np.stack([a, -x[0] * t * a, b, -x[2] * t * b], axis=1)

    return hessx.SumOfSquares(residual, jacobian), np.array([1.0, 0.1, 1.0, 1.0])


class Runs:
    """Whole fits: time, evaluations and fetches."""

    params = (["lm", "lm-cg", "lbfgs"],)
    param_names = ("method",)

    def setup(self, method: str) -> None:
        self.squares, self.start = exponentials()

    def run(self, method: str) -> hessx.Result:
        return hessx.minimize(self.squares, self.start, method=method, tol=1e-8)

    def time_run(self, method: str) -> None:
        self.run(method)

    def track_evaluations(self, method: str) -> int:
        return self.run(method).nfev

    def track_fetches(self, method: str) -> int:
        with hessx._xp.record_fetches() as ledger:
            self.run(method)
        return ledger.fetches
