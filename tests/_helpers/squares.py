"""The chained Rosenbrock function as a sum of squares, on any library, and in NumPy's float64."""

from __future__ import annotations

from typing import Any

import array_api_compat as compat
import numpy as np

__all__ = ["START", "Chained"]

START = np.array([1.5, 1.0, 0.8, 0.5])


class Chained:
    """norm(r)^2 / 2 = sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2; counts its calls.

    r = sqrt(2) (10 (U x - (D x)^2), 1 - D x), where D takes the first n - 1 entries and U the last.
    """

    def __init__(self, backend: Any, n: int = len(START)) -> None:
        self.n, self.m = n, 2 * (n - 1)
        self.D, self.U = (backend.asarray(np.eye(n)[rows]) for rows in (slice(0, -1), slice(1, n)))
        self.residuals = self.jacobians = 0

    def residual(self, x: Any) -> Any:
        self.residuals += 1
        xp, x = compat.array_namespace(x), _flat(x)
        head = self.D @ x
        return xp.concat([10.0 * (self.U @ x - head * head), 1.0 - head]) * 2.0**0.5

    def jacobian(self, x: Any) -> Any:
        self.jacobians += 1
        xp, x = compat.array_namespace(x), _flat(x)
        head = self.D @ x
        upper = 10.0 * self.U - 20.0 * (head[:, None] * self.D)
        return xp.concat([upper, -self.D]) * 2.0**0.5

    def both(self, x: Any) -> Any:
        return self.residual(x), self.jacobian(x)

    def pair(self, x: Any) -> Any:
        """J v and J'u, without a matrix."""
        J = self.jacobian(x)
        return lambda v: J @ _flat(v), lambda u: u @ J


def _flat(x: Any) -> Any:
    return compat.array_namespace(x).reshape(x, (-1,))
