"""What steps tell of the Hessian."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from hessx._xp import Array, Rows, Space, make_rows
from hessx.core._saved import saved

__all__ = ["Pair", "PairRing"]


@dataclass(slots=True)
class Pair:
    """A step s and the change y of the gradient along it: y = H s, on the average.

    Attributes
    ----------
    s, y : array, shape (n,)
        In z, x = scale z; they are not to be written to.
    s_y, y_y, s_s : float
        Products.
    s_B_s : float
        s'Bs with the approximation's own B; nan where that is not known, or B has no size yet.
    accepted : bool
        Whether the run goes on from the end of the step.
    product : array, shape (n,), optional
        B s, or B s / multiple.
    multiple : float
        See ``product``: of -g in a line search, where s = -alpha A g.
    numbers : dict
        What `Curvature.measure` has asked for, by name.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx.core import Pair
    >>> s, H = np.array([1.0, -1.0]), np.diag([2.0, 3.0])
    >>> pair = Pair(s, H @ s, s_y=5.0, y_y=13.0, s_s=2.0)
    >>> pair.y, pair.B_s
    (array([ 2., -3.]), None)
    """

    s: Array
    y: Array
    s_y: float = math.nan
    y_y: float = math.nan
    s_s: float = math.nan
    s_B_s: float = math.nan  # noqa: N815
    accepted: bool = True
    product: Array | None = None
    multiple: float = 1.0
    numbers: dict[str, Any] = field(default_factory=dict)

    @property
    def B_s(self) -> Array | None:  # noqa: N802
        """B s with the approximation's own B; None where it costs a product."""
        product, multiple = self.product, self.multiple
        return product if product is None or multiple == 1.0 else product * multiple


@saved
class PairRing:
    """The last directions of a CG solve with their products, oldest first.

    Parameters
    ----------
    space : Space
        Of the directions.
    slots : int
        Pairs kept.

    Attributes
    ----------
    rows : Rows
        p and H p of slot i in rows 2 + 2 i and 3 + 2 i, as in an L-BFGS buffer.
    count, first : int
        Pairs held, and the slot of the oldest.
    """

    __slots__ = ("count", "first", "rows", "slots")

    def __init__(self, space: Space, slots: int) -> None:
        self.rows: Rows = make_rows(space, 2 + 2 * slots)
        self.slots, self.count, self.first = slots, 0, 0

    def add(self, p: Array, product: Array) -> None:
        """Take one more pair, in the place of the oldest where all are in use."""
        slot = (self.first + self.count) % self.slots
        self.rows.set(2 + 2 * slot, p + 0.0)  # p may be a row that is written again
        self.rows.set(3 + 2 * slot, product + 0.0)
        if self.count < self.slots:
            self.count += 1
        else:
            self.first = (self.first + 1) % self.slots

    @property
    def order(self) -> list[int]:
        """Slots in use, the oldest first."""
        return [(self.first + i) % self.slots for i in range(self.count)]
