"""The residual of a sum of squares at one point, and products with its Jacobian."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx._xp import Array, Space, quiet
from hessx.core import Counts
from hessx.objectives._jacobian import Jacobian

__all__ = ["ResidualAt", "jacobian_columns"]


class ResidualAt:
    """r(x) at one point, J v and J'u with its Jacobian J, and J'J v, which is counted.

    What an approximation that wants the residual is handed at each accepted point; it takes the
    place of the Hessian, as J'J, where one is wanted beside it.

    Parameters
    ----------
    space : Space
        Of x and v.
    r : array, shape (m,)
        The residual; not written.
    jacobian : Jacobian
        At x.
    counts : Counts
        ``products`` grows by one per product with J'J.

    Notes
    -----
    Vectors are flat and in x.  J v and J'u alone are not counted.
    """

    __slots__ = ("counts", "jacobian", "r", "space")

    def __init__(self, space: Space, r: Array, jacobian: Jacobian, counts: Counts) -> None:
        self.space, self.r, self.jacobian, self.counts = space, r, jacobian, counts

    @property
    def matrix(self) -> Array | None:
        """J as an array, shape (m, n), where it was given as one."""
        return self.jacobian.matrix

    def jvp(self, v: Array) -> Array:
        """J v, shape (m,)."""
        return self.jacobian.jvp(v)

    def vjp(self, u: Array) -> Array:
        """J'u, shape (n,)."""
        return self.jacobian.vjp(u)

    def __call__(self, v: Array) -> Array:
        """J'J v; one product."""
        self.counts.products += 1
        return self.vjp(self.jvp(v))

    def dense(
        self,
        watch: Callable[[], bool] = lambda: False,
        *,
        check: bool = True,  # noqa: ARG002
    ) -> Array | None:
        """Give J'J as an array, shape (n, n); None where ``watch`` has ended it.

        Notes
        -----
        Cost: that of `columns`, and m n^2 operations.
        """
        J = self.columns(watch)
        if J is None:
            return None
        with quiet():
            return J.T @ J

    def columns(self, watch: Callable[[], bool] = lambda: False) -> Array | None:
        """Give J as an array, shape (m, n); None where ``watch`` has ended it.

        Parameters
        ----------
        watch : callable
            Asked after each product; True ends it.

        Notes
        -----
        Cost: n products J v, each counted as one, where J was given as no array.
        """
        return jacobian_columns(self, watch)

    def diagonal(self) -> Array | None:
        """Give the diagonal of J'J, shape (n,); None where J is not known by its entries."""
        return self.jacobian.squares()


def jacobian_columns(at: Any, watch: Callable[[], bool]) -> Array | None:
    """Give J of what has ``matrix``, ``jvp``, ``space`` and ``counts``, as `ResidualAt.columns`."""
    if at.matrix is not None:
        return at.matrix
    space, columns = at.space, []
    units = space.xp.eye(space.n, dtype=space.dtype, device=space.device)
    for i in range(space.n):
        at.counts.products += 1
        columns.append(at.jvp(units[i, ...]) + 0.0)  # may be a buffer that is written again
        if watch() and i + 1 < space.n:
            return None
    return space.xp.stack(columns, axis=1)
