"""Memory of L-BFGS with m = 10, and of Newton's methods."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import hessx
from benchmarks.functions import quadratic
from benchmarks.libraries import large, library
from hessx.study.backends import Backend

N = large(1_000_000)
OPTIONS = {"maxiter": 15, "gtol": 0.0}
_EXACTLY = hessx.Forcing(ceiling=1e-9, floor=1e-9, last_floor=1e-9)
SOLVE = {"maxiter": 1, "gtol": 0.0, "forcing": _EXACTLY, "max_inner": 60}


class Memory:
    """Fifteen iterations, by when all rows have been written."""

    params = (["numpy", "torch", "jax"],)
    param_names = ("library",)

    def setup(self, name: str) -> None:
        backend = library(name)
        hessx.minimize(*quadratic(backend, 10), jac=True)  # what is loaded at the first use
        self.fun, self.x0 = quadratic(backend, N)

    def track_peak_vectors(self, name: str) -> float:
        before = resident("VmRSS")
        hessx.minimize(self.fun, self.x0, jac=True, method="lbfgs", options=OPTIONS)
        return (resident("VmHWM") - before) / (8 * N)

    track_peak_vectors.unit = "vectors beside x0"


class Newton:
    """One solve of sixty steps, by when the basis of GLTR is full, on the same problem."""

    params = (["numpy", "torch", "jax"], ["newton-cg", "trust-ncg", "trust-krylov"])
    param_names = ("library", "method")

    def setup(self, name: str, method: str) -> None:
        backend = library(name)
        self._solve(backend, method, 10)  # what is loaded at the first use
        self.backend = backend

    def peakmem_newton(self, name: str, method: str) -> None:
        self._solve(self.backend, method, N)

    def _solve(self, backend: Backend, method: str, n: int) -> None:
        D = backend.asarray(np.geomspace(1.0, 1e3, n))
        options = SOLVE if method == "newton-cg" else SOLVE | {"initial_trust_radius": 1e9}
        fun, x0 = quadratic(backend, n)
        hessx.minimize(fun, x0, jac=True, hessp=lambda _, v: D * v, method=method, options=options)


def resident(field: str) -> int:
    """Bytes of this process, now (VmRSS) or at most so far (VmHWM)."""
    status = Path("/proc/self/status")
    if not status.exists():
        raise NotImplementedError("the peak is read from Linux's /proc")
    lines = status.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))
