"""Jacobians by differences of residuals."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

from hessx._xp import Array, Space, place_indices, quiet, taken
from hessx.core import positive_vector
from hessx.objectives._jacobian import Jacobian, dense_jacobian
from hessx.operators import Compressed, Pattern, SparseOperator, SparsePlaces, colour_columns

__all__ = ["ResidualDifferences"]


class ResidualDifferences:
    r"""The Jacobian from residuals alone, column by column.

    With h_j = step * max(abs(x_j), x_scale_j), rounded so that x_j + h_j is a number:

        2-point:  J e_j = (r(x + h_j e_j) - r(x)) / h_j,               step = eps^(1/2)
        3-point:  J e_j = (r(x + h_j e_j) - r(x - h_j e_j)) / (2 h_j),  step = eps^(1/3)

    with eps that of the values which the residual returns, if it is larger than that of x.  With
    a pattern all columns of a colour, of which no two share a row, are moved together.

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
    sparsity : optional
        Where J may have entries, as `Pattern.of` takes it, of shape (m, n).

    Notes
    -----
    Cost: n residuals, 2 n for 3-point; colours in the place of n with a pattern.  No fetch.

    References
    ----------
    Nocedal & Wright (2006), section 8.1; Curtis, Powell & Reid (1974), On the estimation of sparse
    Jacobian matrices, IMA J. Appl. Math. 13.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.objectives import ResidualDifferences
    >>> x, r = np.array([1.0, 2.0]), lambda x: np.array([x[0] * x[1], x[1] ** 2, x[0]])
    >>> J, moved = ResidualDifferences(space_of(x), r, central=True)(x, r(x))
    >>> J.matrix.round(6)
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
        sparsity: Any = None,
    ) -> None:
        self.space, self.residual_at = space, residual_at
        self.central, self.rel_step, self.x_scale = central, rel_step, x_scale
        if not isinstance(x_scale, Real):
            self.x_scale = positive_vector(space, x_scale, "x_scale")
        self.index = space.xp.arange(space.n, device=space.device)
        self.sparsity = sparsity
        self._groups: _Groups | None = None  # once m is known

    def __call__(self, x: Array, r: Array, eps: float = 0.0) -> tuple[Jacobian, Array]:
        """Evaluate around x.

        Parameters
        ----------
        x, r : array, shapes (n,) and (m,)
            The point, and the residual there.
        eps : float
            The relative rounding of r, as far as it is known.

        Returns
        -------
        J : Jacobian
            A matrix, or with a pattern products with a sparse one.
        moved : 0-d array
            The largest of the changes of r'r / 2.
        """
        xp = self.space.xp
        up, down = self._points(x, eps)
        width = up - down
        width = xp.where(width > 0.0, width, width * 0.0 + 1.0)  # a step lost in x moves nothing

        def change(moves: Array) -> Array:
            above = self.residual_at(xp.where(moves, up, x))
            below = self.residual_at(xp.where(moves, down, x)) if self.central else r
            with quiet():  # of a residual that may be infinite
                return above - below

        if self.sparsity is None:
            D = xp.stack([change(self.index == j) for j in range(self.space.n)], axis=1)
            J = dense_jacobian(self.space, D / width)
            with quiet():
                return J, _largest(self.space, r @ D + 0.5 * xp.sum(D * D, axis=0))
        if self._groups is None:
            self._groups = _Groups(self.space, self.sparsity, r.shape[0])
        groups = self._groups
        d = groups.read([change(moves) for moves in groups.moves])
        with quiet():
            gain = groups.sums(d, r) + 0.5 * groups.sums(d * d, self.space.zeros(r.shape[0]) + 1.0)
            return groups.jacobian(d, width), _largest(self.space, gain)

    def _points(self, x: Array, eps: float) -> tuple[Array, Array]:
        """Give x + h, and x - h or x."""
        xp, power = self.space.xp, 1 / 3 if self.central else 1 / 2
        step = max(eps, self.space.eps) ** power if self.rel_step is None else self.rel_step
        size = xp.abs(x)
        h = step * xp.where(size > self.x_scale, size, x * 0.0 + self.x_scale)
        return x + h, x - h if self.central else x


class _Groups:
    """The columns of a sparse Jacobian by colours, at work on a device."""

    def __init__(self, space: Space, sparsity: Any, m: int) -> None:
        self.space, pattern = space, Pattern.of(sparsity, (m, space.n))
        self.compressed = Compressed(space, pattern, colour_columns(pattern))
        self.places = SparsePlaces(space, pattern)
        self.columns = place_indices(space, pattern.indices)

    @property
    def moves(self) -> list[Array]:
        """The variables of each colour."""
        return [self.compressed.colours == c for c in range(self.compressed.count)]

    def read(self, changes: list[Array]) -> Array:
        """Give the change of each entry, by its own column alone."""
        return self.compressed.values(changes)

    def sums(self, values: Array, u: Array) -> Array:
        """Give A'u for the matrix of these values."""
        return SparseOperator(self.space, self.places, values).rmatvec(u)

    def jacobian(self, d: Array, width: Array) -> Jacobian:
        """Divide by the steps."""
        values = d / taken(self.space, width, self.columns)
        J = SparseOperator(self.space, self.places, values)

        def squares() -> Array:
            return self.sums(values * values, self.space.zeros(J.shape[0]) + 1.0)

        return Jacobian(J.matvec, J.rmatvec, None, squares)


def _largest(space: Space, v: Array) -> Array:
    return space.xp.max(space.xp.abs(v))
