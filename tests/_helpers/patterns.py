"""Sparse patterns and matrices that tests share."""

from __future__ import annotations

from typing import Any

import numpy as np

import hessx

__all__ = ["grid", "laplacian", "matrix_on", "random_symmetric"]


def grid(N: int) -> hessx.Pattern:
    """Of the 5-point stencil on N by N points."""

    def neighbours(i: Any) -> list[Any]:
        column = i % N
        left, right = np.where(column > 0, i - 1, -1), np.where(column < N - 1, i + 1, -1)
        return [i - N, left, i, right, i + N]

    return hessx.Pattern.of(neighbours, N * N)


def laplacian(N: int) -> Any:
    """Multiply by the 5-point Laplacian on N by N points, zero around them."""

    def multiply(v: Any) -> Any:
        V = np.pad(v.reshape(N, N), 1)
        inner = V[1:-1, 1:-1]
        return (4 * inner - V[:-2, 1:-1] - V[2:, 1:-1] - V[1:-1, :-2] - V[1:-1, 2:]).reshape(-1)

    return multiply


def random_symmetric(n: int, nnz: int, seed: int = 0) -> hessx.Pattern:
    """About 2 nnz random entries and the diagonal."""
    i, j = np.random.default_rng(seed).integers(0, n, (2, nnz))
    return hessx.Pattern.of((i, j), n).symmetrised()


def matrix_on(pattern: hessx.Pattern, seed: int = 0, symmetric: bool = False) -> np.ndarray:
    """Random entries, exact in float32, dense."""
    A = np.random.default_rng(seed).standard_normal(pattern.shape).astype("float32").astype(float)
    return (A + A.T if symmetric else A) * pattern.dense()
