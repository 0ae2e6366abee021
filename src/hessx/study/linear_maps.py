"""Invertible linear maps of vectors, on the last axis of arrays of any library."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from hessx.study.backends import Backend

__all__ = ["Diagonal", "LinearMap", "Permutation", "Reflections"]


class LinearMap(Protocol):
    """x = T z."""

    def forward(self, z: Any) -> Any:
        """Give T z."""

    def adjoint(self, v: Any) -> Any:
        """Give T'v."""

    def inverse(self, x: Any) -> Any:
        """Give T^-1 x."""


class Permutation:
    """x_i = z_order(i)."""

    def __init__(self, backend: Backend, order: np.ndarray) -> None:
        self.xp = backend.xp
        self.order, self.back = (
            backend.xp.asarray(p, device=getattr(backend.zeros(1), "device", None))
            for p in (order, np.argsort(order))
        )

    def forward(self, z: Any) -> Any:
        """Give T z."""
        return self.xp.take(z, self.order, axis=-1)

    def adjoint(self, v: Any) -> Any:
        """Give T'v."""
        return self.xp.take(v, self.back, axis=-1)

    inverse = adjoint


class Diagonal:
    """x_i = d_i z_i."""

    def __init__(self, backend: Backend, d: np.ndarray) -> None:
        self.d = backend.asarray(d)

    def forward(self, z: Any) -> Any:
        """Give T z."""
        return self.d * z

    adjoint = forward

    def inverse(self, x: Any) -> Any:
        """Give T^-1 x."""
        return x / self.d


class Reflections:
    """x = (I - 2 u u') ... (I - 2 w w') z: orthogonal, and dense."""

    def __init__(self, backend: Backend, draws: np.ndarray) -> None:
        units = draws / np.linalg.norm(draws, axis=1, keepdims=True)
        self.units = [backend.asarray(u) for u in units]

    def forward(self, z: Any) -> Any:
        """Give T z."""
        for u in self.units:
            z = z - 2.0 * (z @ u)[..., None] * u
        return z

    def adjoint(self, v: Any) -> Any:
        """Give T'v."""
        for u in reversed(self.units):
            v = v - 2.0 * (v @ u)[..., None] * u
        return v

    inverse = adjoint
