"""Rows in an order of their own, and how texts refer to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from hessx.study.plan import in_order
from hessx.study.records import Row

__all__ = ["Numbering"]

_MOST = 8  # ranges in sight


class Numbering:
    """Rows numbered from 1, in the order of the registries, whatever their order was.

    Parameters
    ----------
    rows : sequence of Row
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = in_order(rows)
        self._numbers = {row.job.key: i + 1 for i, row in enumerate(self.rows)}

    def of(self, key: str) -> int:
        """Give the number of a row."""
        return self._numbers[key]

    def references(self, keys: Iterable[str]) -> str:
        """Write links to rows, neighbours as a range, in brackets; many are folded away."""
        numbers = sorted({self._numbers[key] for key in keys})
        if not numbers:
            return ""
        breaks = [i for i, (a, b) in enumerate(pairwise(numbers), 1) if b != a + 1]
        bounds = [0, *breaks, len(numbers)]
        runs = [(numbers[a], numbers[b - 1]) for a, b in pairwise(bounds)]
        links = ", ".join(
            f"[{a}](#row-{a})" if a == b else f"[{a}](#row-{a})-[{b}](#row-{b})" for a, b in runs
        )
        if len(runs) <= _MOST:
            return f"({links})"
        return f"<details><summary>{len(numbers)} rows</summary>{links}</details>"
