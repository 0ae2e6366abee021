"""Links to the rows behind a number or a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from hessx.study.analysis.statements import Statement

__all__ = ["Said", "link_to", "ranges", "said"]

# Text, address of the rows behind it, and their number.
Said = tuple[str, str, int]


def link_to(keys: Iterable[str], places: Mapping[str, int]) -> str:
    """Give the address, within the page, of rows by their keys."""
    return f"#rows-{ranges(places[key] for key in keys if key in places)}"


def ranges(places: Iterable[int]) -> str:
    """Write places as ranges.

    Examples
    --------
    >>> ranges([3, 1, 2, 7])
    '1-3.7'
    """
    found = []
    for _, run in groupby(enumerate(sorted(set(places))), lambda pair: pair[1] - pair[0]):
        places_of_run = [place for _, place in run]
        first, last = places_of_run[0], places_of_run[-1]
        found.append(str(first) if first == last else f"{first}-{last}")
    return ".".join(found)


def said(statements: Iterable[Statement], places: Mapping[str, int]) -> list[Said]:
    """Give sentences with their links."""
    return [
        (statement.text, link_to(statement.keys, places), len(statement.keys))
        for statement in statements
    ]
