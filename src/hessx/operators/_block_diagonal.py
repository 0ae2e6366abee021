"""Operators side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import accumulate, pairwise

from hessx._xp import Array, Space
from hessx.operators._kinds import joint_space
from hessx.operators._linear_operator import LinearOperator

__all__ = ["BlockDiagonalOperator"]


class BlockDiagonalOperator(LinearOperator):
    """The operators A_1, ..., A_k on the diagonal, zeros elsewhere.

    Parameters
    ----------
    blocks : sequence of LinearOperator
        One or more, of shapes (m_i, n_i).

    Raises
    ------
    TypeError, ValueError
        None, no operators, or operators of different libraries, dtypes or devices.

    Notes
    -----
    Cost of a product: one with each, and a concatenation.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> A = hessx.BlockDiagonalOperator([hessx.IdentityOperator(1),
    ...                                  hessx.DenseOperator(np.array([[0.0, 2.0], [2.0, 0.0]]))])
    >>> A @ np.array([1.0, 2.0, 3.0])
    array([1., 6., 4.])
    """

    def __init__(self, blocks: Sequence[LinearOperator]) -> None:
        self.blocks = [*blocks]
        if not self.blocks:
            msg = "blocks is empty: expected one operator or more"
            raise ValueError(msg)
        for block in self.blocks:
            if not isinstance(block, LinearOperator):
                msg = f"blocks has a {type(block).__name__}: expected hessx.LinearOperator"
                raise TypeError(msg)
        rows, columns = zip(*(block.shape for block in self.blocks), strict=True)
        self._rows = [slice(*ends) for ends in pairwise(accumulate(rows, initial=0))]
        self._columns = [slice(*ends) for ends in pairwise(accumulate(columns, initial=0))]
        self._declare(
            (sum(rows), sum(columns)),
            reduce(joint_space, [block.space for block in self.blocks]),
            symmetric=all(block.symmetric for block in self.blocks),
            rmatvec=all(block.has_rmatvec for block in self.blocks),
            diagonal=all(block.has_diagonal for block in self.blocks),
        )

    def _apply(self, v: Array) -> Array:
        pairs = zip(self.blocks, self._columns, strict=True)
        return self._joined(v, [block._apply(v[..., span]) for block, span in pairs])

    def _apply_transposed(self, u: Array) -> Array:
        pairs = zip(self.blocks, self._rows, strict=True)
        return self._joined(u, [block._apply_transposed(u[..., span]) for block, span in pairs])

    def _diagonal(self, space: Space) -> Array:
        parts = [block._diagonal(space) for block in self.blocks]
        return parts[0] if len(parts) == 1 else space.xp.concat(parts)

    def _joined(self, v: Array, parts: list[Array]) -> Array:
        return parts[0] if len(parts) == 1 else self._where(v).xp.concat(parts, axis=-1)
