"""Approximations beside the Hessian on the problems of a study: the rows of ``hessians.csv``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hessx.comparison import CHAIN, HessianRow, compare_hessians, write_hessian_rows
from hessx.study.backends import open_backend
from hessx.study.curvature import network
from hessx.study.problems import PROBLEMS

__all__ = ["LARGEST", "NETWORK", "compared_on", "write_hessians"]

NETWORK = "digits, 298 weights"  # its Hessian is compared with the links of a chain
LARGEST = 500  # variables of a problem whose Hessian is compared as a matrix

_LEARNT = ("gd", "spectral", "diagonal-bfgs", "lbfgs", "dfp", "bfgs", "sr1")
_OF_THE_HESSIAN = ("hutchinson", "nystrom", "newton")
_RULES = ("adagrad", "rmsprop", "adam", "adahessian")
_LAYERS = ("shampoo", "soap", "kfac")
_TIGHT = 1e-10


def compared_on(problem: str, *, iterations: int = 60, every: int = 5) -> list[HessianRow]:
    """Compare approximations on a problem with the Hessian, each along steps of its own.

    Parameters
    ----------
    problem : str
        Of `PROBLEMS`, with `LARGEST` variables at most; or `NETWORK`, where the links of a chain
        are compared along a run of L-BFGS.
    iterations, every : int
        As for `hessx.compare_hessians`.

    Returns
    -------
    list of HessianRow
        On NumPy, in float64.
    """
    names = [*_LEARNT, *_OF_THE_HESSIAN, *_RULES]
    settings: dict[str, Any] = {"iterations": iterations, "every": every, "name": problem}
    if problem == NETWORK:
        small, w = network()
        return compare_hessians(small, w, CHAIN, chain=CHAIN, **settings).rows
    posed = PROBLEMS[problem].pose(open_backend("numpy", "float64"))
    settings["options"] = {"gtol": _TIGHT}
    model: Any = posed.fun if posed.classes is None else posed.classes.model
    if hasattr(model, "gauss_newton"):
        x0 = posed.x0 if posed.classes is None else posed.classes.x0
        return compare_hessians(model, x0, [*names, *_LAYERS], **settings).rows
    settings |= {"jac": True, "hess": posed.hess}
    return compare_hessians(posed.fun, posed.x0, names, **settings).rows


def write_hessians(path: Path, problems: Iterable[str]) -> list[str]:
    """Write the rows of those problems that are small enough, and of `NETWORK`, to a file.

    Parameters
    ----------
    path : Path
        ``hessians.csv`` beside the rows of a study, for its page.
    problems : iterable of str
        Of `PROBLEMS`.

    Returns
    -------
    list of str
        The problems that are in the file.
    """
    names = [name for name in problems if PROBLEMS[name].n <= LARGEST] + [NETWORK]
    write_hessian_rows(path, [row for name in names for row in compared_on(name)])
    return names
