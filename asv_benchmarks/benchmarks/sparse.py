"""Sparse Hessians of the 5-point stencil: patterns, colours, entries out of products, products."""

from __future__ import annotations

from typing import Any

import numpy as np

import hessx
from benchmarks.libraries import EAGER, large, library, wait
from hessx._xp import space_of
from hessx.operators import Compressed, SparseOperator, colour, colour_columns, probe_pattern

SIDES = [32, large(1_000)]  # of the grid: n = 1024 and 1e6


def grid(N: int) -> hessx.Pattern:
    def neighbours(i: Any) -> list[Any]:
        column = i % N
        left, right = np.where(column > 0, i - 1, -1), np.where(column < N - 1, i + 1, -1)
        return [i - N, left, i, right, i + N]

    return hessx.Pattern.of(neighbours, N * N)


class Colours:
    """The host's part, once per run."""

    params = (SIDES,)
    param_names = ("side",)
    timeout = 300

    def setup(self, side: int) -> None:
        self.pattern = grid(side)

    def time_pattern(self, side: int) -> None:
        grid(side)

    def time_colour(self, side: int) -> None:
        colour(self.pattern)

    def time_colour_columns(self, side: int) -> None:
        colour_columns(self.pattern)

    def peakmem_colour(self, side: int) -> None:
        colour(self.pattern)

    def track_colours(self, side: int) -> int:
        return colour(self.pattern).count


class Entries:
    """The device's part, at each point: entries of H, and products with it."""

    params = (EAGER, SIDES)
    param_names = ("library", "side")
    timeout = 300

    def setup(self, name: str, side: int) -> None:
        backend, pattern, rng = library(name), grid(side), np.random.default_rng(0)
        self.v = backend.asarray(rng.standard_normal(side**2))
        space, colouring = space_of(self.v), colour_columns(pattern)
        self.compressed = Compressed(space, pattern, colouring)
        self.products = [
            backend.asarray(rng.standard_normal(side**2)) for _ in range(colouring.count)
        ]
        self.H = SparseOperator(space, pattern, backend.asarray(rng.standard_normal(pattern.nnz)))
        wait(self.H @ self.v)  # moves the structure

    def time_values(self, name: str, side: int) -> None:
        wait(self.compressed.values(self.products))

    def time_product(self, name: str, side: int) -> None:
        wait(self.H @ self.v)


def track_probing_products() -> int:
    """How many products find the pattern of n = 1024."""
    pattern = grid(32)
    H = SparseOperator(space_of(np.zeros(1024)), pattern, np.ones(pattern.nnz))
    return probe_pattern(space_of(np.zeros(1024)), H.matvec).products
