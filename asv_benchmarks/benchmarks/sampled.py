"""Approximations that learn from samples: what a batch and an application cost."""

from __future__ import annotations

from typing import Any

import numpy as np

import hessx
from benchmarks.libraries import library, wait
from hessx._xp import space_of
from hessx.core import Frame, LayerFactors, Learns
from hessx.hessians import Approximation

Params = tuple[list[str], list[str]]
ROWS, COLUMNS, BATCH = 256, 128, 64  # of the matrix that is learnt, and of a batch

SETTINGS: dict[str, Approximation] = {
    "Shampoo": hessx.Shampoo(),
    "Shampoo, every 20": hessx.Shampoo(every=20),
    "SOAP": hessx.SOAP(),
    "KFAC": hessx.KFAC(),
    "EKFAC": hessx.EKFAC(),
    "Fisher": hessx.Fisher(),
    "NewtonSketch": hessx.NewtonSketch(size=BATCH // 2, kind="rows"),
}


class Rows:
    """Gradients of the rows of a batch."""

    def __init__(self, J: Any) -> None:
        self.J = J

    def matrix(self) -> Any:
        return self.J


class Root(Rows):
    """The Hessian of a batch that is the square of a matrix."""

    def root(self) -> Any:
        return hessx.DenseOperator(self.J)

    def penalty(self) -> Any:
        return self.J[0, :] * 0.0

    def spend(self, products: int) -> None:
        pass


class Taught:
    """An approximation that has seen two batches."""

    params: Params = (["numpy"], list(SETTINGS))
    param_names = ("library", "approximation")

    def setup(self, name: str, kind: str) -> None:
        backend, rng = library(name), np.random.default_rng(7)
        n, self.settings = ROWS * COLUMNS, SETTINGS[kind]
        self.v = backend.asarray(rng.standard_normal(n))
        X, slopes, J = (
            backend.asarray(rng.standard_normal((BATCH, k))) for k in (ROWS, COLUMNS, n)
        )
        self.evidence = {
            Learns.GRADIENTS: self.v,
            Learns.FACTORS: [LayerFactors(slice(0, n), X, slopes)],
            Learns.PER_SAMPLE: Rows(J),
            Learns.HESSIAN: Root(J),
        }[self.settings.learns]
        x = backend.asarray(np.zeros((ROWS, COLUMNS)))
        self.curvature = self.settings.begin(Frame(space_of(x)))
        self.curvature.update(self.evidence)
        self.curvature.update(self.evidence)


class Update(Taught):
    """Twenty batches, so that what is done every so often counts as it should."""

    def time_20_updates(self, name: str, kind: str) -> None:
        for _ in range(20):
            self.curvature.update(self.evidence)
        wait(self.curvature.diagonal())


class Apply(Taught):
    """A v."""

    def time_apply(self, name: str, kind: str) -> None:
        wait(self.curvature.solve(self.v))
