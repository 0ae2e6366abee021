"""Sentences with the numbers in them and the rows behind them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Statement", "listed", "median", "number", "plural", "state"]


@dataclass(frozen=True)
class Statement:
    """A sentence that rows bear out.

    Attributes
    ----------
    text : str
    keys : tuple of str
        Of the rows behind it: `hessx.study.records.Job.key`.
    numbers : dict of str to float
        Those in the text, to the three digits that it has of them.
    """

    text: str
    keys: tuple[str, ...]
    numbers: dict[str, float]


def state(template: str, keys: Iterable[str], **numbers: float) -> Statement:
    """Put numbers into a sentence, to three digits.

    Examples
    --------
    >>> state("It took {ratio} times as long.", ["a row"], ratio=12.3456).text
    'It took 12.3 times as long.'
    """
    short = {name: float(f"{x:.3g}") for name, x in numbers.items()}
    text = template.format(**{name: number(x) for name, x in short.items()})
    return Statement(text, tuple(dict.fromkeys(keys)), short)


def number(x: float) -> str:
    """Write a number as briefly as it can be read.

    Examples
    --------
    >>> number(1e-6), number(12.0), number(0.25)
    ('1e-6', '12', '0.25')
    """
    return re.sub(r"e([+-])0", r"e\1", f"{x:g}")


def listed(names: Sequence[str], most: int = 6) -> str:
    """Write names with commas, each once, so many at most.

    Examples
    --------
    >>> listed(["a", "b", "b", "c"], most=2)
    'a, b and 1 more'
    """
    names = list(dict.fromkeys(names))
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def plural(count: int, noun: str) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> plural(1, "row"), plural(3, "row")
    ('1 row', '3 rows')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def median(values: Iterable[float]) -> float:
    """Give the median of the finite ones; nan of none."""
    ordered = sorted(x for x in values if math.isfinite(x))
    if not ordered:
        return math.nan
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
