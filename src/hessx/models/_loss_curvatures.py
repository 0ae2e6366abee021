"""Second derivatives of losses by a row's outputs, and their roots."""

from __future__ import annotations

from hessx._xp import Array, Space

__all__ = ["LossCurvature", "SeparableCurvature", "SoftmaxCurvature"]


class LossCurvature:
    """H_i = c_i d^2 l / dz_i^2 of each row, and S_i with H_i = S_i S_i'; all of z's shape."""

    def apply(self, u: Array) -> Array:
        """H_i u_i."""
        raise NotImplementedError

    def root(self, u: Array) -> Array:
        """S_i' u_i."""
        raise NotImplementedError

    def root_transposed(self, t: Array) -> Array:
        """S_i t_i."""
        raise NotImplementedError

    def diagonal(self) -> Array:
        """Give the diagonals of H_i."""
        raise NotImplementedError


class SeparableCurvature(LossCurvature):
    """H_i = diag(h_i), h_i >= 0."""

    def __init__(self, space: Space, h: Array) -> None:
        self.space, self.h = space, h

    def apply(self, u: Array) -> Array:
        return u * self.h

    def root(self, u: Array) -> Array:
        return u * self.space.xp.sqrt(self.h)

    def root_transposed(self, t: Array) -> Array:
        return self.root(t)

    def diagonal(self) -> Array:
        return self.h


class SoftmaxCurvature(LossCurvature):
    """H_i = c_i (diag(p) - p p'), S_i = sqrt(c_i) (diag(q) - p q') with q = sqrt(p)."""

    def __init__(self, space: Space, p: Array, c: Array | float) -> None:
        self.space, self.p, self.c = space, p, c

    def apply(self, u: Array) -> Array:
        moved = u * self.p
        return (moved - self.p * self._sum(moved)) * self.c

    def root(self, u: Array) -> Array:
        return self._scale() * (u - self._sum(u * self.p))

    def root_transposed(self, t: Array) -> Array:
        moved = t * self._scale()
        return moved - self.p * self._sum(moved)

    def diagonal(self) -> Array:
        return self.p * (1.0 - self.p) * self.c

    def _scale(self) -> Array:
        """q_i sqrt(c_i)."""
        return self.space.xp.sqrt(self.p * self.c)

    def _sum(self, a: Array) -> Array:
        return self.space.xp.sum(a, axis=1, keepdims=True)
