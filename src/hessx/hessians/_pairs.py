"""The L-BFGS inverse of pairs that did not come from an L-BFGS run."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hessx._xp import Rows, Space, fetch
from hessx.core import Frame
from hessx.hessians._gram import Gram
from hessx.hessians._lbfgs_operator import LBFGSInverse
from hessx.hessians._pair_rows import PAIRS

__all__ = ["pairs_inverse"]


def pairs_inverse(space: Space, rows: Rows, order: Sequence[int], slots: int) -> LBFGSInverse:
    """Form A from pairs s, y with s'y > 0 that stand in rows 2 + 2 i and 3 + 2 i of slot i.

    Parameters
    ----------
    space : Space
        Of the pairs.
    rows : Rows
        Held by the operator, not copied.
    order : sequence of int
        Slots in use, the oldest first; they are 0 .. len(order) - 1 in some order.
    slots : int
        Slots in all.

    Returns
    -------
    LBFGSInverse
        With gamma = s'y / y'y of the newest pair; a pair whose products are beyond the range of
        numbers is left out.

    Notes
    -----
    Cost: one product of the rows per pair, one fetch for all.
    """
    stop = PAIRS + 2 * len(order)
    columns, _ = fetch(space, [rows.products(PAIRS, stop, PAIRS + 1 + 2 * i) for i in order])
    gram, gamma = Gram(slots), 1.0
    for slot, column in zip(order, columns, strict=True):
        cross = np.zeros(2 * slots)
        cross[: len(column)] = column
        s_y, y_y = float(cross[2 * slot]), float(cross[2 * slot + 1])
        if space.smallest <= s_y < math.inf and 0.0 < y_y < math.inf:
            gram.add(slot, cross[0::2], cross[1::2], s_y, y_y, 0.0)
            gamma = s_y / y_y
    layout = slots, len(order), (order[-1] + 1) % slots
    return LBFGSInverse(Frame(space), rows, [(0, rows.count)], gram, gamma, layout)
