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


class Counted:
    """Figures of all classes from one process, where JAX compiles once."""

    params: tuple[list[str], ...]

    def setup_cache(self) -> dict[str, Figures]:
        found: dict[str, Figures] = {}
        for kind in (Doors(), DeviceLaunches(), NewtonDoors(), Work()):
            figures = found[type(kind).__name__] = {}
            for key in product(*kind.params):
                with contextlib.suppress(NotImplementedError):
                    figures[key] = kind.measure(*key)
        return found

    setup_cache.timeout = 600

    def setup(self, found: dict[str, Figures], *key: str) -> None:
        figures = found[type(self).__name__]
        if key not in figures:
            raise NotImplementedError("its library does not run here")
        if figures[key] is None:
            raise RuntimeError("not solved")
        self.figures = figures[key]


class Doors(Counted):
    """What passes between host and device, per evaluation and per accepted step."""

    params = (LIBRARIES, METHODS)
    param_names = ("library", "method")

    def measure(self, name: str, method: str) -> tuple[float, float]:
        fun, x0 = quadratic(library(name), 100)
        options = {"maxiter": 15, "gtol": 0.0}
        with record_fetches() as ledger:
            result = hessx.minimize(fun, x0, jac=True, method=method, options=options)
        return ledger.fetches / result.nfev, ledger.uploads / result.nit

    def track_fetches_per_trial(self, *_: Any) -> float:
        return self.figures[0]

    def track_uploads_per_step(self, *_: Any) -> float:
        return self.figures[1]

    track_fetches_per_trial.unit = "fetches"
    track_uploads_per_step.unit = "uploads"


class DeviceLaunches(Counted):
    """Kernels that a GPU would launch outside the objective, counted with PyTorch."""

    params = (METHODS,)
    param_names = ("method",)

    def measure(self, method: str) -> tuple[float]:
        fun, x0 = quadratic(library("torch"), 100)
        from benchmarks.launches import Launches

        launches = Launches()
        options = {"maxiter": 30, "gtol": 0.0}
        with launches:
            result = hessx.minimize(
                launches.without(fun), x0, jac=True, method=method, options=options
            )
        return (launches.count / result.nit,)

    def track_launches_per_iteration(self, *_: Any) -> float:
        return self.figures[0]

    track_launches_per_iteration.unit = "launches"


class NewtonDoors(Counted):
    """Fetches and launches of a run of a Newton method on logistic regression, 2000 x 500."""

    params = (list(NEWTON),)
    param_names = ("method",)

    def measure(self, name: str) -> tuple[float, float, int]:
        model, w0 = logistic(library("torch"))
        from benchmarks.launches import Launches

        launches = Launches()

        def hess(w: Any) -> Any:
            with launches.pause():
                H = model.hessian(w)
            return launches.without(H.matvec)

        method, options = name.partition(",")[0], {"gtol": 1e-6} | NEWTON[name]
        with record_fetches() as ledger, launches:
            result = hessx.minimize(
                launches.without(model), w0, jac=True, hess=hess, method=method, options=options
            )
        products = result.nhev
        return (ledger.fetches - result.nfev) / products, launches.count / products, products

    def track_fetches_per_product(self, *_: Any) -> float:
        return self.figures[0]

    def track_launches_per_product(self, *_: Any) -> float:
        return self.figures[1]

    def track_products(self, *_: Any) -> float:
        return self.figures[2]

    track_fetches_per_product.unit = "fetches beyond one per trial"
    track_launches_per_product.unit = "launches"
    track_products.unit = "products"


class Work(Counted):
    """What it takes to solve the study's problems to gtol = 1e-6."""

    params = (
        [*EAGER, "jax"],
        ["breast-cancer", "digits", "extended-rosenbrock"],
        ["lbfgs", "cg", "newton-cg", "trust-ncg", "trust-krylov"],
    )
    param_names = ("library", "problem", "method")

    def measure(self, name: str, problem: str, method: str) -> tuple[int, int, int] | None:
        posed = PROBLEMS[problem].pose(library(name))
        result = hessx.minimize(
            posed.fun, posed.x0, jac=True, hess=posed.hess, method=method, tol=1e-6
        )
        return (result.nfev, result.nit, result.nhev) if result.success else None

    def track_evaluations(self, *_: Any) -> float:
        return self.figures[0]

    def track_iterations(self, *_: Any) -> float:
        return self.figures[1]

    def track_products(self, *_: Any) -> float:
        return self.figures[2]

    track_evaluations.unit = "evaluations"
    track_iterations.unit = "iterations"
    track_products.unit = "products"
