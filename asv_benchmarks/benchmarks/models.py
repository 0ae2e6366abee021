"""Time of what is asked of a model: a perceptron on images of 784 pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.libraries import EAGER, library, wait
from hessx._xp import space_of
from hessx.models import Perceptron

INPUTS, CLASSES = 784, 10
BATCH = 256


class Model:
    """Value and gradient, and products, of 784-64-32-10 with tanh, on all rows."""

    params = (EAGER, [256, 4096])
    param_names = ("library", "rows")

    def setup(self, name: str, rows: int) -> None:
        backend = library(name)
        rng = np.random.default_rng(5)
        X, y = rng.random((rows, INPUTS)), rng.integers(0, CLASSES, rows).astype(float)
        self.model = Perceptron(backend.asarray(X), backend.asarray(y), classes=CLASSES)
        self.w = self.model.start(0)
        self.v = space_of(self.w).flat(self.model(self.w)[1])
        self.hessian = self.model.hessian(self.w)
        self.gauss_newton = self.model.gauss_newton(self.w)
        batch = rng.permutation(rows)[:BATCH]
        self.batch = backend.xp.asarray(batch, device=space_of(self.v).device)
        self.time_value_and_gradient(name, rows)  # JAX compiles
        self.time_hessian_product(name, rows)
        self.time_gauss_newton_product(name, rows)
        self.time_batch(name, rows)

    def time_value_and_gradient(self, name: str, rows: int) -> None:
        _finish(self.model(self.w)[1])

    def time_hessian_product(self, name: str, rows: int) -> None:
        wait(self.hessian.matvec(self.v))

    def time_gauss_newton_product(self, name: str, rows: int) -> None:
        wait(self.gauss_newton.matvec(self.v))

    def time_batch(self, name: str, rows: int) -> None:
        """256 rows taken, and their value and gradient."""
        _finish(self.model.rows(self.batch)(self.w)[1])


def _finish(grad: dict[str, dict[str, Any]]) -> None:
    wait(grad["layer0"]["W"])
