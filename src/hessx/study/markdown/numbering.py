"""Rows by their numbers, and how texts refer to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

__all__ = ["Numbering"]

_MOST = 8  # ranges in sight


class Numbering:
    """Rows numbered from 1.

    Parameters
    ----------
    keys : sequence of str
        Of the rows, in their order.
    anchor : str
        With which the names of places in the text begin.
    """

    def __init__(self, keys: Sequence[str], anchor: str = "row-") -> None:
        self._numbers = {key: i for i, key in enumerate(keys, 1)}
        self._anchor = anchor

    def place(self, key: str) -> str:
        """Write the number of a row, for others to lead to."""
        number = self._numbers[key]
        return f'<a id="{self._anchor}{number}"></a>{number}'

    def references(self, keys: Iterable[str]) -> str:
        """Write links to rows, neighbours as a range, in brackets; many are folded away."""
        numbers = sorted({self._numbers[key] for key in keys})
        if not numbers:
            return ""
        breaks = [i for i, (a, b) in enumerate(pairwise(numbers), 1) if b != a + 1]
        bounds = [0, *breaks, len(numbers)]
        runs = [(numbers[a], numbers[b - 1]) for a, b in pairwise(bounds)]
        links = ", ".join(
            self._link(a) if a == b else f"{self._link(a)}-{self._link(b)}" for a, b in runs
        )
        if len(runs) <= _MOST:
            return f"({links})"
        return f"<details><summary>{len(numbers)} rows</summary>{links}</details>"

    def _link(self, number: int) -> str:
        return f"[{number}](#{self._anchor}{number})"
