"""Problems by name: tables put together, and how a name is looked up."""

from __future__ import annotations

import importlib

from hessx.study.posed import Problem, Tag
from hessx.study.problems.families import FAMILIES
from hessx.study.problems.more_garbow_hillstrom import MORE_GARBOW_HILLSTROM
from hessx.study.problems.partial_differential import PARTIAL_DIFFERENTIAL
from hessx.study.problems.pictures import PICTURES
from hessx.study.problems.regressions import REGRESSIONS
from hessx.study.problems.squares import SQUARES
from hessx.study.problems.ten_digits import TEN_DIGITS
from hessx.study.problems.two_classes import TWO_CLASSES

__all__ = ["PROBLEMS", "QUICK", "SIZED", "find_problem"]

SIZED = {**FAMILIES, **PARTIAL_DIFFERENTIAL}
PROBLEMS: dict[str, Problem] = {
    **SQUARES,
    **TWO_CLASSES,
    **TEN_DIGITS,
    **REGRESSIONS,
    **PICTURES,
    **MORE_GARBOW_HILLSTROM,
    **{name: family.problem(family.n) for name, family in SIZED.items()},
}
QUICK = tuple(name for name, problem in PROBLEMS.items() if Tag.QUICK in problem.tags)


def find_problem(name: str) -> Problem:
    """Look a problem up: in `PROBLEMS`, ``NAME:n``, ``cutest:NAME``, or ``module:attribute``.

    ``NAME:n`` is one of `SIZED` with n variables, ``cutest:NAME`` one of CUTEst, and the attribute
    a `Problem`.

    Raises
    ------
    ValueError
        There is none of this name, or of so many variables; the attribute is something else.
    ImportError, AttributeError
        There is no such module or attribute; CUTEst's problems are not installed.

    Examples
    --------
    >>> from hessx.study.problems import find_problem
    >>> find_problem("rosenbrock").optimum, find_problem("broyden-banded:50").n
    (0.0, 50)
    """
    if name in PROBLEMS:
        return PROBLEMS[name]
    before, colon, after = name.partition(":")
    if before in SIZED and after.isdecimal():
        return SIZED[before].problem(int(after))
    if before == "cutest":
        from hessx.study.problems.from_cutest import cutest_problem

        return cutest_problem(after)
    if not colon or before in PROBLEMS:
        sized = f"NAME:n with NAME of {', '.join(SIZED)}"
        known = f"{', '.join(PROBLEMS)}; {sized}; cutest:NAME; module:attribute"
        msg = f"unknown problem {name!r}: expected one of {known}"
        raise ValueError(msg)
    found = getattr(importlib.import_module(before), after)
    if not isinstance(found, Problem):
        msg = f"{name} is a {type(found).__name__}: expected a hessx.study.posed.Problem"
        raise ValueError(msg)
    return found
