"""What the registries say of the names in rows; names that they lack are taken as they are."""

from __future__ import annotations

from bisect import bisect_left

from hessx.study.methods import METHODS
from hessx.study.posed import Known, Problem
from hessx.study.problems import PROBLEMS, find_problem
from hessx.study.records import Row

__all__ = [
    "SIZES",
    "family_of",
    "needs_of",
    "package_of",
    "problem_of",
    "rate_of",
    "size_of",
    "tags_of",
    "title_of",
]

_BOUNDS = (10, 100, 1000)
SIZES = ("n <= 10", "10 < n <= 100", "100 < n <= 1000", "n > 1000")


def title_of(method: str) -> str:
    """Give the title of a method."""
    return METHODS[method].title if method in METHODS else method


def family_of(method: str) -> str:
    """Give the family of a method."""
    return METHODS[method].family if method in METHODS else "other"


def package_of(method: str) -> str:
    """Give the package that a peer is of; empty for hessx's own methods."""
    if method in METHODS:
        return METHODS[method].peer_of
    return "SciPy" if method.startswith("scipy:") else ""


def needs_of(method: str) -> Known | None:
    """Give what has to be known of a problem for the method."""
    return METHODS[method].needs if method in METHODS else None


def rate_of(row: Row) -> float | None:
    """Give the rate of a run: the one it was given, or the method's own."""
    if row.rate is None and row.method in METHODS:
        return METHODS[row.method].rate
    return row.rate


def problem_of(name: str) -> Problem | None:
    """Look a problem up; CUTEst's are not loaded for what can be said without."""
    if name in PROBLEMS:
        return PROBLEMS[name]
    try:
        return None if name.startswith("cutest:") else find_problem(name)
    except ValueError:
        return None


def tags_of(name: str) -> tuple[str, ...]:
    """Give the tags of a problem."""
    problem = problem_of(name)
    return () if problem is None else problem.tags


def size_of(n: int) -> str:
    """Give the one of `SIZES` that n variables are of."""
    return SIZES[bisect_left(_BOUNDS, n)]
