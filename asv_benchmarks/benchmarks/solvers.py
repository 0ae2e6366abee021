"""Time of whole runs with a fixed number of iterations."""

from __future__ import annotations

import hessx
from benchmarks.functions import logistic, quadratic
from benchmarks.libraries import EAGER, LIBRARIES, large, library

ITERATIONS = 20
OPTIONS = {"maxiter": ITERATIONS, "gtol": 0.0, "ftol": 0.0}
WARM_UP = {"maxiter": 2 * ITERATIONS // 3}  # until all rows of L-BFGS are in use: JAX compiles
DASK_N = 1_000  # a run on dask takes seconds at any size


class LBFGS:
    """L-BFGS on the diagonal quadratic of condition 1e3."""

    params = (LIBRARIES, [10, 1_000, large(100_000)])
    param_names = ("library", "n")

    def setup(self, name: str, n: int) -> None:
        if name == "dask" and n != DASK_N:
            raise NotImplementedError(f"dask: n = {DASK_N} only")
        self.fun, self.x0 = quadratic(library(name), n)
        if name == "jax":
            hessx.minimize(self.fun, self.x0, jac=True, options=OPTIONS | WARM_UP)

    def time_20_iterations(self, name: str, n: int) -> None:
        hessx.minimize(self.fun, self.x0, jac=True, method="lbfgs", options=OPTIONS)


class Others:
    """The other methods on the same problem."""

    params = (EAGER, ["cg", "gd"], [1_000])
    param_names = ("library", "method", "n")

    def setup(self, name: str, method: str, n: int) -> None:
        self.fun, self.x0 = quadratic(library(name), n)

    def time_20_iterations(self, name: str, method: str, n: int) -> None:
        hessx.minimize(self.fun, self.x0, jac=True, method=method, options=OPTIONS)


class Logistic:
    """L-BFGS on logistic regression, 2000 x 500."""

    params = (EAGER,)
    param_names = ("library",)

    def setup(self, name: str) -> None:
        self.fun, self.x0 = logistic(library(name))

    def time_20_iterations(self, name: str) -> None:
        hessx.minimize(self.fun, self.x0, jac=True, method="lbfgs", options=OPTIONS)


class Newton:
    """Newton's methods on the same data, to norm_inf(g) <= 1e-6."""

    params = (EAGER, ["newton-cg", "trust-ncg", "trust-krylov"])
    param_names = ("library", "method")

    def setup(self, name: str, method: str) -> None:
        self.model, self.w0 = logistic(library(name))

    def time_to_gradient(self, name: str, method: str) -> None:
        hessx.minimize(
            self.model, self.w0, jac=True, hess=self.model.hessian, method=method, tol=1e-6
        )
