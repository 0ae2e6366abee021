"""Matrices that are diagonal in a Kronecker product of bases, one for each block of the variables.

Shampoo, SOAP, K-FAC and EK-FAC are such matrices.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

from hessx._xp import Array, Packet, Space, eigenbases
from hessx.core import Frame, Offer, saved
from hessx.hessians._applied import applied
from hessx.hessians._family import Curvature
from hessx.operators import LinearOperator

__all__ = ["KRONECKER", "KroneckerBasis", "KroneckerCurvature", "blocks_of", "decompose"]

KRONECKER = Offer.SOLVE | Offer.MATVEC | Offer.SHIFTED | Offer.DENSE | Offer.DIAGONAL


@saved
class KroneckerBasis:
    r"""B V = Q_L (D * (Q_L' V Q_R)) Q_R', of one block of the variables, taken as a matrix V.

    Four methods differ in D, and in what they learn the bases from:

    ======= ====================================================
    method  D_ij
    ======= ====================================================
    Shampoo (l_i r_j)^(1/4)
    SOAP    ema((Q_L' G Q_R)_ij^2)^(1/2)
    K-FAC   (a_i + pi sqrt(damping)) (g_j + sqrt(damping) / pi)
    EK-FAC  ema(mean_k (Q_L' G_k Q_R)_ij^2) + damping
    ======= ====================================================

    Attributes
    ----------
    start, rows, columns : int
        V has the variables start to start + rows columns, row after row.
    L, R : array, shape (rows, rows) or (columns, columns), optional
        Means or sums of outer products, whose eigenvectors the bases are; None where the basis
        stays I.
    Q_L, Q_R : array, shape of L or R, optional
        Bases, in columns; None is I.
    D : array, shape (rows, columns), optional
        B in the bases; None where B is I.

    Notes
    -----
    Cost of an application: 2 rows columns (rows + columns) multiplications.  Arrays are replaced,
    never written to.
    """

    __slots__ = ("D", "L", "Q_L", "Q_R", "R", "columns", "rows", "start")

    def __init__(self, start: int, rows: int, columns: int) -> None:
        self.start, self.rows, self.columns = start, rows, columns
        self.L: Array = None
        self.R: Array = None
        self.Q_L: Array = None
        self.Q_R: Array = None
        self.D: Array = None

    def matrix(self, space: Space, v: Array) -> Array:
        """Cut V, shape (..., rows, columns), out of v, shape (..., n)."""
        V = v[..., self.start : self.start + self.rows * self.columns]
        return space.xp.reshape(V, (*V.shape[:-1], self.rows, self.columns))

    def into(self, V: Array) -> Array:
        """Q_L' V Q_R."""
        V = V if self.Q_L is None else self.Q_L.T @ V
        return V if self.Q_R is None else V @ self.Q_R

    def out_of(self, W: Array) -> Array:
        """Q_L W Q_R'."""
        W = W if self.Q_L is None else self.Q_L @ W
        return W if self.Q_R is None else W @ self.Q_R.T

    def solve(self, V: Array, sigma: float = 0.0) -> Array:
        """(B + sigma I)^-1 V."""
        if self.D is None:
            return V / (1.0 + sigma)
        return self.out_of(self.into(V) / (self.D + sigma if sigma else self.D))

    def matvec(self, V: Array) -> Array:
        """B V."""
        return V + 0.0 if self.D is None else self.out_of(self.into(V) * self.D)

    def diagonal(self, space: Space) -> Array:
        """The diagonal of B as a matrix, sum_kl (Q_L)_ik^2 D_kl (Q_R)_jl^2."""
        if self.D is None:
            return space.zeros((self.rows, self.columns)) + 1.0
        d = self.D if self.Q_L is None else (self.Q_L * self.Q_L) @ self.D
        return d if self.Q_R is None else d @ (self.Q_R * self.Q_R).T

    def learn(self, before: float, weight: float, left: Array, right: Array) -> None:
        """Add to L and R: L is before L + weight left left', R is before R + weight right'right."""
        if self.L is not None:
            self.L = self.L * before + (left @ left.T) * weight
        if self.R is not None:
            self.R = self.R * before + (right.T @ right) * weight

    def hold(self, packet: Packet) -> None:
        """Name the arrays."""
        packet.hold(self, "L", "R", "Q_L", "Q_R", "D")


class KroneckerCurvature(Curvature):
    """B in z of blocks, one after the other; I until evidence has come.

    Attributes
    ----------
    blocks : list of KroneckerBasis
        That cover the variables, in their order.
    """

    __slots__ = ("blocks", "frame")

    def __init__(self, frame: Frame, blocks: list[Any]) -> None:
        self.frame, self.blocks = frame, blocks

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Whether there is more than I."""
        return any(block.D is not None for block in self.blocks)

    @property
    def sized(self) -> bool:  # type: ignore[override]
        """Whether A has a size."""
        return self.active

    def hold(self, packet: Packet) -> None:
        """Name the arrays of the blocks."""
        for block in self.blocks:
            block.hold(packet)

    def solve(self, v: Array) -> Array:
        """A v, by products with the bases."""
        return self._apply(v, lambda block, V: block.solve(V))

    def matvec(self, v: Array) -> Array:
        """B v, by products with the bases."""
        return self._apply(v, lambda block, V: block.matvec(V))

    def solve_shifted(self, v: Array, sigma: float) -> Array:
        """(B + sigma I)^-1 v: sigma is added to D."""
        return self._apply(v, lambda block, V: block.solve(V, sigma))

    def diagonal(self) -> Array:
        """The diagonal of B, without a product of B."""
        space = self.frame.space
        return space.join([block.diagonal(space) for block in self.blocks]) + 0.0

    def dense(self) -> Array:
        """B in z, by n products."""
        space = self.frame.space
        return self.matvec(space.xp.eye(space.n, dtype=space.dtype, device=space.device))

    def operator(self, *, inverse: bool) -> LinearOperator:
        """A or B in x, as it stands."""
        return applied(self.frame, copy.deepcopy(self), inverse=inverse)

    def _apply(self, v: Array, verb: Callable[[KroneckerBasis, Array], Array]) -> Array:
        """Apply to each block, and join what comes of vectors of shape (..., n)."""
        space = self.frame.space
        parts = []
        for block in self.blocks:
            W = verb(block, block.matrix(space, v))
            parts.append(space.xp.reshape(W, (*v.shape[:-1], block.rows * block.columns)))
        return parts[0] if len(parts) == 1 else space.xp.concat(parts, axis=-1)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Share the arrays: evidence makes new ones."""
        twin = copy.copy(self)
        twin.blocks = [copy.copy(block) for block in self.blocks]
        memo[id(self)] = twin
        return twin


def blocks_of(space: Space, kind: Callable[[int, int, int], Any], max_size: int) -> list[Any]:
    """Make a block of each leaf of x, with zeros for the L and R that it is to learn.

    An array of more than two axes is a matrix by merging all but the first.  Of fewer axes it is
    one column, without L and R, and so is every side longer than ``max_size``.

    Parameters
    ----------
    space : Space
        Of x.
    kind : callable
        start, rows, columns -> a `KroneckerBasis`.
    max_size : int
        Rows of an L or R at most.

    Returns
    -------
    list
        In the order of the leaves; a leaf without entries has no block.
    """
    blocks, start = [], 0
    for shape in space.shapes:
        is_matrix = len(shape) > 1
        size = math.prod(shape)
        rows = shape[0] if is_matrix else size
        if size:
            block = kind(start, rows, size // rows)
            if is_matrix:
                sizes = block.rows, block.columns
                block.L, block.R = (space.zeros((k, k)) if k <= max_size else None for k in sizes)
            blocks.append(block)
        start += size
    return blocks


def decompose(space: Space, blocks: Sequence[KroneckerBasis]) -> list[tuple[Array, Array]]:
    """Make the eigenvectors of L and R the bases, and give the eigenvalues.

    Parameters
    ----------
    space : Space
        Of x.
    blocks : sequence of KroneckerBasis
        Whose bases are set.

    Returns
    -------
    list of (l, r)
        Eigenvalues of L and R, those below eps times the largest raised to that, shape (rows,) and
        (columns,); None where there is no L or R.

    Notes
    -----
    Cost: that of `eigenbases`.
    """
    xp = space.xp
    matrices = [M for block in blocks for M in (block.L, block.R) if M is not None]
    found = iter(eigenbases(space, matrices) if matrices else ())
    values: list[tuple[Array, Array]] = []
    for block in blocks:
        w: list[Array] = [None, None]
        for i, (M, Q) in enumerate(((block.L, "Q_L"), (block.R, "Q_R"))):
            if M is not None:
                w[i], basis = next(found)
                w[i] = xp.maximum(w[i], xp.max(w[i]) * space.eps)
                setattr(block, Q, basis)
        values.append((w[0], w[1]))
    return values
