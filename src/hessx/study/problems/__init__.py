"""The problems of a study, by name."""

from __future__ import annotations

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
    """Look a problem up: in `PROBLEMS`, or ``NAME:n`` of `SIZED`, or ``cutest:NAME``.

    Raises
    ------
    ValueError
        There is none of this name, or of so many variables.
    ModuleNotFoundError
        CUTEst's problems are not installed.
    """
    if name in PROBLEMS:
        return PROBLEMS[name]
    family, _, rest = name.partition(":")
    if family in SIZED and rest.isdecimal():
        return SIZED[family].problem(int(rest))
    if family == "cutest":
        from hessx.study.problems.from_cutest import cutest_problem

        return cutest_problem(rest)
    known = f"{', '.join(PROBLEMS)}, NAME:n with NAME of {', '.join(SIZED)}, or cutest:NAME"
    msg = f"unknown problem {name!r}: expected one of {known}"
    raise ValueError(msg)
