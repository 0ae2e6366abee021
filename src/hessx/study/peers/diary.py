"""The history of solvers that tell of no iterations: their evaluations, new least values alone."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

import hessx
from hessx.core import Record
from hessx.study.metering import BudgetSpentError, Meter

__all__ = ["Diary", "StoppedError"]


class StoppedError(Exception):
    """Ends a solver from inside the function: the time is up, or the gradient is small."""


class Diary:
    """What a solver evaluates, metered, and the best of it.

    The gradient's test is made here, at every evaluation and for all solvers alike; what they test
    themselves is switched off as far as it can be.

    Parameters
    ----------
    meter : Meter
        Of a problem on NumPy.
    gtol, seconds : float
        norm_inf of the gradient, and the time, at which the run ends.
    """

    def __init__(self, meter: Meter, gtol: float, seconds: float) -> None:
        self.meter, self.gtol, self.seconds = meter, gtol, seconds
        self.history, self.began = hessx.History(), math.nan
        self.best, self.x = math.inf, np.array(meter.problem.x0)
        self.message = ""

    def fun_and_grad(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Evaluate; ends the run where that is due."""
        x = self._point(x)
        value, grad = self.meter.fun_and_grad(x)
        self._note(x, float(value), grad)
        return float(value), grad

    def residual(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Evaluate residuals and their Jacobian, an array; ends the run where that is due."""
        x = self._point(x)
        r, J = self.meter.residual(x)
        if isinstance(J, tuple):
            J = np.stack([J[0](unit) for unit in np.eye(len(x))], axis=1)
        self._note(x, float(r @ r) / 2.0, J.T @ r)
        return r, J

    def _point(self, x: np.ndarray) -> np.ndarray:
        if math.isnan(self.began):  # what was compiled before does not count
            self.began = time.perf_counter()
        if self.message:  # a library may have caught the exception
            raise StoppedError(self.message)
        return np.array(x, dtype=self.x.dtype)

    def _note(self, x: np.ndarray, value: float, grad: np.ndarray) -> None:
        size, elapsed = float(np.abs(grad).max()), time.perf_counter() - self.began
        if value < self.best or (value == self.best and size <= self.gtol):
            self.best, self.x = value, x
            self.history.append(
                Record(len(self.history), self.meter.evaluations, elapsed, value, size)
            )
            if size <= self.gtol:
                self.message = f"gradient norm {size:.2e} <= {self.gtol:g}"
        if elapsed > self.seconds:
            self.message = self.message or f"{self.seconds:g} s are up"
        if self.message:
            raise StoppedError(self.message)

    def run(self, solve: Callable[[], Any]) -> Any:
        """Solve, and give the best point that was evaluated."""
        told = "ended by itself"
        try:
            found = solve()
            told = str(getattr(found, "message", "") or told)
        except BudgetSpentError:
            raise
        except Exception:  # what a library makes of a `StoppedError` is its own
            if not self.message:
                raise
        return SimpleNamespace(
            x=self.x,
            history=self.history,
            message=self.message or told,
            success=self.message.startswith("gradient"),
            nit=max(len(self.history) - 1, 0),
            run_seconds=time.perf_counter() - self.began,
        )
