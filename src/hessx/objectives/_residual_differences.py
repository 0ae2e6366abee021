"""Jacobians by differences of residuals."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

from hessx._xp import Array, Space, quiet
from hessx.core import positive_vector

__all__ = ["ResidualDifferences"]


class ResidualDifferences:
    r"""The Jacobian from residuals alone, column by column.

    With h_j = step * max(abs(x_j), x_scale_j), rounded so that x_j + h_j is a number:

        2-point:  J e_j = (r(x + h_j e_j) - r(x)) / h_j,               step = eps^(1/2)
        3-point:  J e_j = (r(x + h_j e_j) - r(x - h_j e_j)) / (2 h_j),  step = eps^(1/3)

    with eps that of the values which the residual returns, if it is larger than that of x.

    Parameters
    ----------
    space : Space
        Of x.
    residual_at : callable
        Flat x -> r, a new array of shape (m,).
    central : bool
        3-point.
    rel_step : float, optional
        In place of ``step``.
    x_scale : float or array
        Natural size of the variables.

    Notes
    -----
    Cost: n residuals, 2 n for 3-point.  No fetch.

    References
    ----------
    Nocedal & Wright (2006), section 8.1.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.objectives import ResidualDifferences
    >>> x, r = np.array([1.0, 2.0]), lambda x: np.array([x[0] * x[1], x[1] ** 2, x[0]])
    >>> J, moved = ResidualDifferences(space_of(x), r, central=True)(x, r(x))
    >>> J.round(6)
    array([[2., 1.],
           [0., 4.],
           [1., 0.]])
    """

    def __init__(
        self,
        space: Space,
        residual_at: Callable[[Array], Array],
        central: bool = False,
        rel_step: float | None = None,
        x_scale: Any = 1.0,
    ) -> None:
        self.space, self.residual_at = space, residual_at
        self.central, self.rel_step, self.x_scale = central, rel_step, x_scale
        if not isinstance(x_scale, Real):
            self.x_scale = positive_vector(space, x_scale, "x_scale")
        self.index = space.xp.arange(space.n, device=space.device)

    def __call__(self, x: Array, r: Array, eps: float = 0.0) -> tuple[Array, Array]:
        """Evaluate around x.

        Parameters
        ----------
        x, r : array, shapes (n,) and (m,)
            The point, and the residual there.
        eps : float
            The relative rounding of r, as far as it is known.

        Returns
        -------
        J : array, shape (m, n)
            The Jacobian.
        moved : 0-d array
            The largest of the changes of r'r / 2.
        """
        xp = self.space.xp
        up, down = self.points(x, eps)
        changes = [self.change(x, r, self.index == j, up, down) for j in range(self.space.n)]
        D = xp.stack(changes, axis=1)
        return D / self.widths(up, down), self.moved(D, r)

    def points(self, x: Array, eps: float) -> tuple[Array, Array]:
        """Give x + h, and x - h or x."""
        xp, power = self.space.xp, 1 / 3 if self.central else 1 / 2
        step = max(eps, self.space.eps) ** power if self.rel_step is None else self.rel_step
        size = xp.abs(x)
        h = step * xp.where(size > self.x_scale, size, x * 0.0 + self.x_scale)
        return x + h, x - h if self.central else x

    def widths(self, up: Array, down: Array) -> Array:
        """Give the steps as they came out; 1 for one that was lost in x, which moves nothing."""
        width = up - down
        return self.space.xp.where(width > 0.0, width, width * 0.0 + 1.0)

    def change(self, x: Array, r: Array, moves: Array, up: Array, down: Array) -> Array:
        """Give the change of r where the variables in ``moves`` go from down to up."""
        where = self.space.xp.where
        above = self.residual_at(where(moves, up, x))
        below = self.residual_at(where(moves, down, x)) if self.central else r
        with quiet():  # of a residual that may be infinite
            return above - below

    def moved(self, D: Array, r: Array) -> Array:
        """Give the largest change of r'r / 2, where the changes of r are the columns of D."""
        xp = self.space.xp
        with quiet():
            return xp.max(xp.abs(r @ D + 0.5 * xp.sum(D * D, axis=0)))
