"""Where the variables of each element of a partially separable function are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hessx.study.backends import Backend
from hessx.study.problems.jets import Jet

__all__ = ["Grid", "Hub", "Places", "Predictor", "Smoothed", "Whole", "Windows"]


class Places:
    """N elements of k variables each: a linear map of x, and its transpose.

    Attributes
    ----------
    k, N : int
        Variables of an element, and number of elements.
    sparse : bool
        Each row of the map takes one entry of x, or none.
    """

    sparse = True

    def __init__(self, backend: Backend, k: int, N: int) -> None:
        self.xp, self.k, self.N = backend.xp, k, N
        self._units = backend.asarray(np.eye(k))
        self._none = backend.asarray(np.zeros((k, k, 1)))  # second derivatives of a variable

    def gather(self, v: Any) -> Any:
        """Give the variables of the elements, shape (k, N)."""
        raise NotImplementedError

    def scatter(self, parts: Any) -> Any:
        """Give the transpose of `gather` times an array of shape (k, N): shape (n,)."""
        raise NotImplementedError

    def variables(self, x: Any, order: int) -> Any:
        """Give the k variables, as jets of N values with derivatives up to an order."""
        u, second = self.gather(x), self._none if order > 1 else None
        return tuple(
            Jet(self.xp, u[j, :], self._units[:, j : j + 1], second) for j in range(self.k)
        )


class Whole(Places):
    """One element with all n variables, which are one jet."""

    def __init__(self, backend: Backend, n: int) -> None:
        super().__init__(backend, n, 1)

    def gather(self, v: Any) -> Any:
        """Take x as one column."""
        return v[:, None]

    def scatter(self, parts: Any) -> Any:
        """Take the column."""
        return parts[:, 0]

    def variables(self, x: Any, order: int) -> Any:
        """Give x as one jet."""
        return Jet(self.xp, x, self._units, self._none if order > 1 else None)


class Windows(Places):
    """Neighbours: x[i], x[i + 1] ... x[i + width - 1] for i = 0, step, 2 step ...

    Parameters
    ----------
    backend : Backend
        Where x is.
    n, width, step : int
        Numbers of variables; step divides width and n - width.
    before, after : int
        Zeros that x continues with at its ends.
    """

    def __init__(
        self, backend: Backend, n: int, width: int, step: int = 1, before: int = 0, after: int = 0
    ) -> None:
        length = before + n + after
        super().__init__(backend, width, (length - width) // step + 1)
        self.n, self.step, self.before, self.after = n, step, before, after
        self._zeros = backend.zeros(length)

    def gather(self, v: Any) -> Any:
        """Stack shifted slices."""
        zeros, last = self._zeros, self.step * (self.N - 1) + 1
        if self.before or self.after:
            v = self.xp.concat([zeros[: self.before], v, zeros[: self.after]])
        return self.xp.stack([v[j : j + last : self.step] for j in range(self.k)])

    def scatter(self, parts: Any) -> Any:
        """Add the slices up where they came from."""
        xp, zeros, step, total = self.xp, self._zeros, self.step, None
        for j in range(0, self.k, step):  # what step neighbours get is without gaps
            flat = xp.reshape(xp.permute_dims(parts[j : j + step, :], (1, 0)), (-1,))
            rest = zeros.shape[0] - j - flat.shape[0]
            flat = xp.concat([zeros[:j], flat, zeros[:rest]])
            total = flat if total is None else total + flat
        return total[self.before : self.before + self.n]  # type: ignore[index]


class Hub(Places):
    """Neighbours among the first n - 1, each window with the last variable."""

    def __init__(self, backend: Backend, n: int, width: int) -> None:
        self._windows = Windows(backend, n - 1, width)
        super().__init__(backend, width + 1, self._windows.N)

    def gather(self, v: Any) -> Any:
        """Put the last variable beside the windows."""
        hub = self.xp.broadcast_to(v[-1:][None, :], (1, self.N))
        return self.xp.concat([self._windows.gather(v[:-1]), hub])

    def scatter(self, parts: Any) -> Any:
        """Sum what belongs to the last variable."""
        hub = self.xp.sum(parts[-1:, :], axis=1)
        return self.xp.concat([self._windows.scatter(parts[:-1, :]), hub])


class Grid(Places):
    """Nodes of a grid that are near each other: x[i + a, j + b] for each of some shifts (a, b).

    Parameters
    ----------
    backend : Backend
        Where x is.
    rows, columns : int
        Of the nodes, x row by row.
    shifts : sequence of (int, int)
        From 0 up.
    frame : array, shape (rows + 2, columns + 2), optional
        Values on the boundary, around nodes at which it is zero; without it the nodes of x are
        all there are.
    """

    def __init__(
        self,
        backend: Backend,
        rows: int,
        columns: int,
        shifts: Sequence[tuple[int, int]],
        frame: Any = None,
    ) -> None:
        edge = self._edge = 0 if frame is None else 1
        self._inner, self._shifts = (rows, columns), shifts
        R, C = rows + 2 * edge, columns + 2 * edge
        r, c = (R - max(a for a, _ in shifts), C - max(b for _, b in shifts))
        super().__init__(backend, len(shifts), r * c)
        self._whole, self._part, self._zeros = (R, C), (r, c), backend.asarray(np.zeros((R, C)))
        self._frame = None if frame is None else self._shifted(backend.asarray(frame))

    def gather(self, v: Any) -> Any:
        """Stack shifted grids."""
        nodes = self.xp.reshape(v, self._inner)
        return self._shifted(self._padded(nodes, self._edge, self._edge))

    def variables(self, x: Any, order: int) -> Any:
        """Add the values on the boundary."""
        nodes = super().variables(x, order)
        if self._frame is None:
            return nodes
        return tuple(node + self._frame[j, :] for j, node in enumerate(nodes))

    def scatter(self, parts: Any) -> Any:
        """Add the grids up, shifted back, without the boundary."""
        xp, total, edge, (rows, columns) = self.xp, None, self._edge, self._inner
        for j, shift in enumerate(self._shifts):
            part = self._padded(xp.reshape(parts[j, :], self._part), *shift)
            total = part if total is None else total + part
        return xp.reshape(total[edge : edge + rows, edge : edge + columns], (-1,))  # type: ignore[index]

    def _shifted(self, nodes: Any) -> Any:
        r, c = self._part
        parts = [nodes[a : a + r, b : b + c] for a, b in self._shifts]
        return self.xp.reshape(self.xp.stack(parts), (self.k, -1))

    def _padded(self, part: Any, above: int, before: int) -> Any:
        """Put a part into a whole grid of zeros."""
        xp, zeros, (R, C), (r, c) = self.xp, self._zeros, self._whole, part.shape
        if (r, c) == (R, C):
            return part
        sides = zeros[:r, :before], part, zeros[:r, : C - c - before]
        return xp.concat([zeros[:above, :], xp.concat(sides, axis=1), zeros[: R - r - above, :]])


class Predictor(Places):
    """One variable of each element, a row of A times x: the linear predictor of a model.

    Parameters
    ----------
    backend : Backend
        Where x is.
    A : array, shape (N, n)
        The rows.
    """

    sparse = False

    def __init__(self, backend: Backend, A: Any) -> None:
        super().__init__(backend, 1, A.shape[0])
        self.A = backend.asarray(A)

    def gather(self, v: Any) -> Any:
        """Multiply by the rows."""
        return (self.A @ v)[None, :]

    def scatter(self, parts: Any) -> Any:
        """Multiply by the columns."""
        return parts[0, :] @ self.A


class Smoothed(Places):
    """One variable of each element: a node of the grid A X B', a smoothed picture.

    Parameters
    ----------
    backend : Backend
        Where x is, row by row.
    A, B : array, shape (rows, rows) and (columns, columns)
        Smooth columns, and rows.
    """

    sparse = False

    def __init__(self, backend: Backend, A: Any, B: Any) -> None:
        super().__init__(backend, 1, A.shape[0] * B.shape[0])
        self._A, self._B = backend.asarray(A), backend.asarray(B)
        self._At, self._Bt = backend.asarray(A.T), backend.asarray(B.T)
        self._shape = A.shape[0], B.shape[0]

    def gather(self, v: Any) -> Any:
        """Smooth."""
        return self.xp.reshape(self._A @ self.xp.reshape(v, self._shape) @ self._Bt, (1, -1))

    def scatter(self, parts: Any) -> Any:
        """Multiply by the transposes."""
        return self.xp.reshape(self._At @ self.xp.reshape(parts, self._shape) @ self._B, (-1,))
