"""Time of what an iteration is made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.libraries import EAGER, LIBRARIES, library, wait
from hessx._xp import fetch, make_rows, space_of
from hessx.core import Ball
from hessx.globalization import Armijo, HagerZhang, MoreThuente, Ray
from hessx.hessians._gram import Gram
from hessx.krylov import GLTR, QuadraticModel, TruncatedCG, lsmr, minres
from hessx.operators import LinearOperator

PAIRS = 10
ROWS = 2 + 2 * (PAIRS + 1)  # as in L-BFGS: two gradients, the pairs, and the candidate
STEPS = 20
MODEL_SOLVERS = {
    "cg": TruncatedCG(),
    "cg, check_every=8": TruncatedCG(check_every=8),
    "gltr": GLTR(),
}
LINEAR_SOLVERS = {"minres": minres, "lsmr": lsmr}
RULES = {"armijo": Armijo(), "more-thuente": MoreThuente(), "hager-zhang": HagerZhang()}


class Rows:
    """The two large operations of L-BFGS, in an array of 24 rows."""

    params = ([*EAGER, "jax"], [1_000, 100_000])
    param_names = ("library", "n")

    def setup(self, name: str, n: int) -> None:
        backend = library(name)
        rng = np.random.default_rng(3)
        v = backend.asarray(rng.standard_normal(n))
        self.rows = make_rows(space_of(v), ROWS)
        for i in range(ROWS):
            self.rows.set(i, v)
        self.coefficients = rng.standard_normal(ROWS)
        self.out = backend.asarray(np.zeros(n))
        self.time_products(name, n)  # JAX compiles
        self.time_combine(name, n)

    def time_products(self, name: str, n: int) -> None:
        wait(self.rows.products(0, ROWS, 1))

    def time_combine(self, name: str, n: int) -> None:
        wait(self.rows.combine(0, self.coefficients, out=self.out))


class Fetch:
    """One packet, as large as that of L-BFGS."""

    params = (LIBRARIES,)
    param_names = ("library",)

    def setup(self, name: str) -> None:
        backend = library(name)
        self.space = space_of(backend.zeros(ROWS))
        self.scalars: list[Any] = [backend.asarray(np.ones(ROWS)) for _ in range(2)]
        self.scalars += [v[0] for v in self.scalars] * 2
        self.time_fetch(name)

    def time_fetch(self, name: str) -> None:
        fetch(self.space, self.scalars)


class HostAlgebra:
    """The small products of L-BFGS: one pair in, one out, and the next coefficients."""

    def setup(self) -> None:
        rng = np.random.default_rng(5)
        slots = PAIRS + 1
        self.gram = Gram(slots)
        self.s_cross, self.y_cross = rng.standard_normal((2, slots)) / slots
        for slot in range(slots):
            self.gram.add(slot, self.s_cross, self.y_cross, 1.0, 2.0, 1.0)

    def time_gram(self) -> None:
        self.gram.remove(3)
        self.gram.add(3, self.s_cross, self.y_cross, 1.0, 2.0, 1.0)
        self.gram.weights(self.s_cross, self.y_cross, 0.5)


class LineSearch:
    """One search that accepts its first trial."""

    params = (list(RULES),)
    param_names = ("rule",)

    def setup(self, name: str) -> None:
        self.rule = RULES[name]

    def time_acceptance(self, name: str) -> None:
        ray = Ray(value=4.0, slope=-4.0, alpha=2.0, eps=2.0**-52)  # (alpha - 2)^2
        self.rule.search(ray).advance(0.0, 0.0)


class Krylov:
    """Twenty steps on the diagonal of condition 1e3, in a region that holds none of them back."""

    params = ([*EAGER, "jax"], list(MODEL_SOLVERS), [1_000, 100_000])
    param_names = ("library", "solver", "n")

    def setup(self, name: str, solver: str, n: int) -> None:
        D, g = diagonal(library(name), n)
        self.model = QuadraticModel(
            space_of(g), lambda v: D * v, g, float(n), 0.0, STEPS, Ball(1e6)
        )
        self.time_20_steps(name, solver, n)  # JAX compiles

    def time_20_steps(self, name: str, solver: str, n: int) -> None:
        wait(MODEL_SOLVERS[solver](self.model).step)


class Linear:
    """Twenty steps of the linear solvers on the same diagonal."""

    params = ([*EAGER, "jax"], list(LINEAR_SOLVERS), [1_000, 100_000])
    param_names = ("library", "solver", "n")

    def setup(self, name: str, solver: str, n: int) -> None:
        D, self.b = diagonal(library(name), n)
        self.A = LinearOperator((n, n), lambda v: D * v, diagonal=D, symmetric=True)
        self.time_20_steps(name, solver, n)  # JAX compiles

    def time_20_steps(self, name: str, solver: str, n: int) -> None:
        wait(LINEAR_SOLVERS[solver](self.A, self.b, max_iterations=STEPS).x)


def diagonal(backend: Any, n: int) -> tuple[Any, Any]:
    """A diagonal of condition 1e3, and a right-hand side of ones."""
    return backend.asarray(np.geomspace(1.0, 1e3, n)), backend.asarray(np.ones(n))
