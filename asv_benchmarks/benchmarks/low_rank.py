"""Low rank: what a few eigenpairs cost, and the products that they save."""

from __future__ import annotations

from typing import Any

import numpy as np

import hessx
from benchmarks.libraries import EAGER, large, library, wait
from hessx._xp import record_fetches, space_of
from hessx.operators import (
    LowRankPlusDiagonal,
    lanczos_eigh,
    nystrom,
    orthonormal_rows,
    randomized_eigh,
)

LARGE, RANK = large(100_000), 32
KERNEL, RIDGES = 500, [1e-3, 1e-6, 1e-8]
METHODS = {"nystrom": nystrom, "randomized": randomized_eigh, "lanczos": lanczos_eigh}
PRECONDITIONERS = {"none": None, "learnt": "learnt", "nystrom": "nystrom"}


class Eigenpairs:
    """32 pairs of a diagonal with a thousand large entries: products cost next to nothing."""

    params = (EAGER, list(METHODS))
    param_names = ("library", "method")

    def setup(self, name: str, method: str) -> None:
        self.h = library(name).asarray(1.0 / (1.0 + np.arange(LARGE)))
        self.space, self.find = space_of(self.h), METHODS[method]

    def _pairs(self) -> Any:
        return self.find(self.space, lambda v: self.h * v, RANK)

    def time_pairs(self, name: str, method: str) -> None:
        wait(self._pairs().vectors)

    def peakmem_pairs(self, name: str, method: str) -> None:
        wait(self._pairs().vectors)

    def track_fetches(self, name: str, method: str) -> int:
        with record_fetches() as ledger:
            self._pairs()
        return ledger.fetches

    def track_products(self, name: str, method: str) -> int:
        return self._pairs().products  # type: ignore[no-any-return]


class Rows:
    """A block of 32 vectors: orthonormal rows, and the inverse of a low rank plus a diagonal."""

    params = (EAGER,)
    param_names = ("library",)

    def setup(self, name: str) -> None:
        backend, draw = library(name), np.random.default_rng(0)
        self.block = backend.asarray(draw.standard_normal((RANK, LARGE)) / LARGE**0.5)
        self.space = space_of(self.block[0, ...])
        ones = backend.asarray(np.ones(LARGE))
        self.B = LowRankPlusDiagonal(ones, self.block, ones[:RANK] * 1.0)
        self.A, self.v = self.B.inverse(), ones

    def time_orthonormal(self, name: str) -> None:
        wait(orthonormal_rows(self.space, self.block))

    def time_inverse(self, name: str) -> None:
        wait(self.B.inverse() @ self.v)

    def time_apply(self, name: str) -> None:
        wait(self.A @ self.v)


class Kernel:
    """Products of a run on the features of a Gaussian kernel, those of the preconditioner too."""

    params = (list(PRECONDITIONERS), RIDGES)
    param_names = ("preconditioner", "ridge")

    def track_products(self, kind: str, ridge: float) -> int:
        draw = np.random.default_rng(0)
        X = draw.standard_normal((KERNEL, 4))
        K = np.exp(-((X[:, None] - X[None]) ** 2).sum(-1) / 8.0)
        y = np.sin(X.sum(1)) + 0.1 * draw.standard_normal(KERNEL)
        H, b = K @ K / KERNEL + ridge * np.eye(KERNEL), K @ y / KERNEL
        options = {"gtol": 0, "gtol_rel": 1e-6, "preconditioner": PRECONDITIONERS[kind]}
        result = hessx.minimize(
            lambda w: (w @ (H @ w) / 2 - b @ w, H @ w - b), np.zeros(KERNEL), jac=True,
            hessp=lambda w, v: H @ v, method="trust-ncg", options=options,
        )  # fmt: skip
        return result.counts.products  # type: ignore[no-any-return]
