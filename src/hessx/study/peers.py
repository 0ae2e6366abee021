"""SciPy's solvers beside hessx's."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import hessx
from hessx.core import Record
from hessx.study.problems import Posed

__all__ = ["Solve", "scipy_peer"]

# solve(fun, x0, gtol=, seconds=) with fun(x) -> (value, gradient); gives an object with x and, as
# far as it has them, outcome, message, nit, nfev, njev and history, as `hessx.minimize` does.
Solve = Callable[..., Any]

_MAX_ITERATIONS = 15000
_SECOND_ORDER = {"Newton-CG", "trust-ncg"}
_WITHOUT_GTOL = {"Newton-CG"}


def scipy_peer(name: str, **options: Any) -> Callable[[Posed], Solve]:
    """Bind a method of `scipy.optimize.minimize` to problems."""
    options = {"maxiter": _MAX_ITERATIONS} | options

    def bind(posed: Posed) -> Solve:
        from scipy.optimize import minimize

        def solve(fun: Callable[..., Any], x0: np.ndarray, *, gtol: float, seconds: float) -> Any:
            diary = _Diary(fun, seconds)
            tolerance = {} if name in _WITHOUT_GTOL else {"gtol": gtol}
            result = minimize(
                diary, x0, jac=True, method=name, callback=diary.write,
                hessp=_Products(posed.hess) if name in _SECOND_ORDER else None,
                options=options | tolerance,
            )  # fmt: skip
            result.history = diary.history
            return result

        return solve

    return bind


class _Products:
    """SciPy's hessp: linearised once per point."""

    def __init__(self, hess: Callable[[np.ndarray], Any]) -> None:
        self.hess, self.x = hess, np.empty(0)

    def __call__(self, x: np.ndarray, v: np.ndarray) -> Any:
        if not np.array_equal(x, self.x):
            self.x, self.product = x.copy(), self.hess(x)
        return self.product(v)


class _Diary:
    """The history of a solver that keeps none; SciPy tells it the point after each iteration."""

    def __init__(self, fun: Callable[..., Any], seconds: float) -> None:
        self.fun, self.seconds, self.history = fun, seconds, hessx.History()
        self.began, self.evaluations = time.perf_counter(), 0
        self.tried: dict[bytes, tuple[float, float]] = {}  # since the last accepted point

    def __call__(self, x: np.ndarray) -> tuple[Any, np.ndarray]:
        self.evaluations += 1
        value, grad = self.fun(x)
        self.tried[x.tobytes()] = float(value), float(np.abs(grad).max())
        if self.evaluations == 1:
            self.write(x)
        return value, grad

    def write(self, x: np.ndarray) -> None:
        """Note a point if it is new; ends the run when its time is up."""
        elapsed = time.perf_counter() - self.began
        found = self.tried.get(x.tobytes())
        if found is not None:
            self.tried.clear()
            self.history.append(Record(len(self.history), self.evaluations, elapsed, *found))
        if elapsed > self.seconds:
            raise StopIteration
