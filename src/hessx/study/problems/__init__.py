"""The problems of a study, by name."""

from __future__ import annotations

from hessx.study.posed import Problem, Tag
from hessx.study.problems.squares import SQUARES
from hessx.study.problems.ten_digits import TEN_DIGITS
from hessx.study.problems.two_classes import TWO_CLASSES

__all__ = ["PROBLEMS", "QUICK", "find_problem"]

PROBLEMS: dict[str, Problem] = {**SQUARES, **TWO_CLASSES, **TEN_DIGITS}
QUICK = tuple(name for name, problem in PROBLEMS.items() if Tag.QUICK in problem.tags)


def find_problem(name: str) -> Problem:
    """Look a problem up in `PROBLEMS`.

    Raises
    ------
    ValueError
        There is none of this name.
    """
    if name not in PROBLEMS:
        msg = f"unknown problem {name!r}: expected one of {', '.join(PROBLEMS)}"
        raise ValueError(msg)
    return PROBLEMS[name]
