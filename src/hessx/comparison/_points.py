"""Operators that are known, or made anew of each point, in the place of approximations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx._xp import Array, Space
from hessx.comparison._learners import Learner
from hessx.comparison._place import Place
from hessx.operators import BlockDiagonalOperator, as_operator

__all__ = ["PointLearner"]


class PointLearner(Learner):
    """An operator or matrix that is known, or made anew of each point.

    Parameters
    ----------
    name : str
        Of the approximation.
    make : callable
        Place -> operator, matrix or v -> B v.
    """

    remembers = False

    def __init__(self, name: str, make: Callable[[Place], Any]) -> None:
        self.name, self.make = name, make
        self.operator: Any = None

    @property
    def live(self) -> Any:
        """The operator."""
        return self.operator

    def arrive(self, place: Place) -> None:
        """Make B."""
        space, B = place.problem.space, self.make(place)
        self.operator = as_operator(space, B, f"approximation {self.name}")

    @property
    def matvec(self) -> Callable[[Array], Array]:
        """B v."""
        return self.operator.matvec  # type: ignore[no-any-return]

    def dense(self, space: Space) -> Array:
        """B, by n products at most; of blocks by the products of each with its own vectors."""
        like, B = space.zeros(1), self.operator
        if not isinstance(B, BlockDiagonalOperator):
            return B.dense(like=like)
        start, bands = 0, []
        for block in B.blocks:
            size = block.shape[0]
            before, behind = space.zeros((size, start)), space.zeros((size, space.n - start - size))
            bands.append(space.xp.concat([before, block.dense(like=like), behind], axis=1))
            start += size
        return space.xp.concat(bands)
