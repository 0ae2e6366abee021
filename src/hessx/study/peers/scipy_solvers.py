"""SciPy's solvers beside hessx's."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

import hessx
from hessx.core import Record
from hessx.study.metering import Meter
from hessx.study.peers.diary import Diary
from hessx.study.running import NO_LIMIT, Solve

__all__ = ["LARGEST_N", "bind_scipy", "bind_scipy_squares"]

# Every tolerance except gtol is off; where 0 is not allowed, tiny.
_OPTIONS: dict[str, dict[str, float]] = {
    "l-bfgs-b": {"ftol": 0.0, "maxfun": NO_LIMIT},
    "tnc": {"ftol": 0.0, "xtol": 0.0, "maxfun": NO_LIMIT},
    "slsqp": {"ftol": 1e-15},
    "newton-cg": {"xtol": 1e-10},
}
_WITHOUT = {"slsqp": "gtol", "newton-cg": "gtol", "tnc": "maxiter"}
_WITH_PRODUCTS = {"newton-cg", "trust-ncg", "trust-krylov"}
_WITH_HESSIAN = {"trust-exact", "dogleg"}
# Beyond these sizes the method's dense matrices make a run take minutes.
LARGEST_N = {"bfgs": 300, "slsqp": 200}


def bind_scipy(name: str, meter: Meter, options: Mapping[str, Any]) -> Solve:
    """Bind a method of `scipy.optimize.minimize` to a metered problem.

    f and g are asked for one by one, as SciPy does: a rejected point then costs no gradient.
    """
    from scipy.optimize import minimize

    kind = name.lower()

    def solve(*, gtol: float, seconds: float, iterations: int) -> Any:
        diary = _Diary(meter, seconds)
        limits = {"gtol": gtol, "maxiter": iterations, **_OPTIONS.get(kind, {})}
        limits.pop(_WITHOUT.get(kind, ""), None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = minimize(
                diary.fun, np.array(meter.problem.x0), jac=diary.grad, method=name,
                hessp=meter.hessp if kind in _WITH_PRODUCTS else None,
                hess=meter.dense if kind in _WITH_HESSIAN else None,
                bounds=meter.problem.bounds, options={**limits, **options}, callback=diary.write,
            )  # fmt: skip
        result.history = diary.history
        return result

    return solve


def bind_scipy_squares(name: str, meter: Meter, options: Mapping[str, Any]) -> Solve:
    """Bind a method of `scipy.optimize.least_squares` to the residuals of a metered problem.

    r and J are asked for one by one; J at a point where r is known is no evaluation more, as it is
    for f and g.
    """
    from scipy.optimize import least_squares

    if meter.problem.residual is None:
        msg = "the problem is no sum of squares"
        raise ValueError(msg)

    def solve(*, gtol: float, seconds: float, iterations: int) -> Any:
        diary = Diary(meter, gtol, seconds)
        known: dict[bytes, Any] = {}

        def residual(x: np.ndarray) -> Any:
            known.clear()
            r, known[x.tobytes()] = diary.residual(x)
            return r

        def jacobian(x: np.ndarray) -> Any:
            if x.tobytes() not in known:
                residual(x)
            return known[x.tobytes()]

        tiny = 1e-15  # the least that is allowed
        limits = {"ftol": tiny, "xtol": tiny, "gtol": tiny, "max_nfev": iterations, **options}
        x0 = np.array(meter.problem.x0)
        return diary.run(lambda: least_squares(residual, x0, jacobian, method=name, **limits))

    return solve


class _Diary:
    """The history of a solver that keeps none; SciPy tells it the point after each iteration."""

    def __init__(self, meter: Meter, seconds: float) -> None:
        self.meter, self.seconds, self.history = meter, seconds, hessx.History()
        self.began, self.noted = time.perf_counter(), 0
        self.tried: dict[bytes, tuple[float, float]] = {}  # since the last accepted point

    def fun(self, x: np.ndarray) -> Any:
        value = self.meter.fun(x)
        self._note()
        return value

    def grad(self, x: np.ndarray) -> Any:
        grad = self.meter.grad(x)
        self._note()
        return grad

    def _note(self) -> None:
        if self.meter.evaluations > self.noted:
            self.noted = self.meter.evaluations
            x, value, grad = self.meter.last
            self.tried[x.tobytes()] = float(value), float(np.abs(grad).max())
            if self.noted == 1:
                self.write(x)

    def write(self, x: np.ndarray, *_: Any) -> None:
        """Note a point if it is new; ends the run when its time is up."""
        elapsed = time.perf_counter() - self.began
        found = self.tried.get(x.tobytes())
        if found is not None:
            self.tried.clear()
            self.history.append(Record(len(self.history), self.noted, elapsed, *found))
        if elapsed > self.seconds:
            raise StopIteration
