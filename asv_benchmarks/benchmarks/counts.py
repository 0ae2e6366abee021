"""Figures that no noise touches; for all of them less is better."""

from __future__ import annotations

import contextlib
from itertools import product
from typing import Any

import hessx
from benchmarks.functions import logistic, quadratic
from benchmarks.libraries import EAGER, LIBRARIES, library
from hessx._xp import record_fetches
from hessx.study.problems import PROBLEMS

METHODS = ["lbfgs", "cg", "gd"]
NEWTON: dict[str, dict[str, Any]] = {
    "newton-cg": {},
    "trust-ncg": {},
    "trust-ncg, check_every=8": {"check_every": 8},
    "trust-krylov": {},
}
Figures = dict[tuple[str, ...], tuple[float, ...] | None]


class Doors:
    """What passes between host and device, per evaluation and per accepted step."""

    params = (LIBRARIES, METHODS)
    param_names = ("library", "method")

    def setup_cache(self) -> Figures:
        """All in one process, where JAX compiles once."""
        figures = {}
        for name, method in product(*self.params):
            with contextlib.suppress(NotImplementedError):
                figures[name, method] = self._measure(name, method)
        return figures

    def _measure(self, name: str, method: str) -> tuple[float, float]:
        fun, x0 = quadratic(library(name), 100)
        options = {"maxiter": 15, "gtol": 0.0}
        with record_fetches() as ledger:
            result = hessx.minimize(fun, x0, jac=True, method=method, options=options)
        return ledger.fetches / result.nfev, ledger.uploads / result.nit

    def setup(self, figures: Figures, *key: str) -> None:
        if key not in figures:
            raise NotImplementedError(f"{key[0]} does not run here")

    def track_fetches_per_trial(self, figures: Figures, *key: str) -> float:
        return figures[key][0]

    def track_uploads_per_step(self, figures: Figures, *key: str) -> float:
        return figures[key][1]

    track_fetches_per_trial.unit = "fetches"
    track_uploads_per_step.unit = "uploads"


class DeviceLaunches:
    """Kernels that a GPU would launch outside the objective, counted with PyTorch."""

    params = (METHODS,)
    param_names = ("method",)

    def setup(self, method: str) -> None:
        self.fun, self.x0 = quadratic(library("torch"), 100)

    def track_launches_per_iteration(self, method: str) -> float:
        from benchmarks.launches import Launches

        launches = Launches()

        fun, options = launches.without(self.fun), {"maxiter": 30, "gtol": 0.0}
        with launches:
            result = hessx.minimize(fun, self.x0, jac=True, method=method, options=options)
        return launches.count / result.nit

    track_launches_per_iteration.unit = "launches"


class NewtonDoors:
    """Fetches and launches of a run of a Newton method on logistic regression, 2000 x 500."""

    params = (list(NEWTON),)
    param_names = ("method",)

    def setup(self, name: str) -> None:
        self.model, self.w0 = logistic(library("torch"))

    def track_fetches_per_product(self, name: str) -> float:
        with record_fetches() as ledger:
            result = self._solve(name, self.model, self.model.hessian)
        return (ledger.fetches - result.nfev) / result.nhev

    def track_launches_per_product(self, name: str) -> float:
        from benchmarks.launches import Launches

        launches = Launches()

        def hess(w: Any) -> Any:
            with launches.pause():
                H = self.model.hessian(w)
            return launches.without(H.matvec)

        with launches:
            result = self._solve(name, launches.without(self.model), hess)
        return launches.count / result.nhev

    def track_products(self, name: str) -> float:
        return self._solve(name, self.model, self.model.hessian).nhev

    def _solve(self, name: str, fun: Any, hess: Any) -> Any:
        method, options = name.partition(",")[0], {"gtol": 1e-6} | NEWTON[name]
        return hessx.minimize(fun, self.w0, jac=True, hess=hess, method=method, options=options)

    track_fetches_per_product.unit = "fetches beyond one per trial"
    track_launches_per_product.unit = "launches"
    track_products.unit = "products"


class Work:
    """What it takes to solve the study's problems to gtol = 1e-6."""

    params = (
        [*EAGER, "jax"],
        ["breast-cancer", "digits", "extended-rosenbrock"],
        ["lbfgs", "cg", "newton-cg", "trust-ncg", "trust-krylov"],
    )
    param_names = ("library", "problem", "method")

    def setup_cache(self) -> Figures:
        """All in one process, where JAX compiles once."""
        figures = {}
        for name, problem, method in product(*self.params):
            with contextlib.suppress(NotImplementedError):
                figures[name, problem, method] = self._measure(name, problem, method)
        return figures

    def _measure(self, name: str, problem: str, method: str) -> tuple[int, int, int] | None:
        posed = PROBLEMS[problem].pose(library(name))
        result = hessx.minimize(
            posed.fun, posed.x0, jac=True, hess=posed.hess, method=method, tol=1e-6
        )
        return (result.nfev, result.nit, result.nhev) if result.success else None

    def setup(self, figures: Figures, *key: str) -> None:
        if key not in figures:
            raise NotImplementedError(f"{key[0]} does not run here")
        if figures[key] is None:
            raise RuntimeError("not solved")

    def track_evaluations(self, figures: Figures, *key: str) -> float:
        return figures[key][0]

    def track_iterations(self, figures: Figures, *key: str) -> float:
        return figures[key][1]

    def track_products(self, figures: Figures, *key: str) -> float:
        return figures[key][2]

    track_evaluations.unit = "evaluations"
    track_iterations.unit = "iterations"
    track_products.unit = "products"
