"""Counting evaluations of a problem, keeping the best point, and stopping at a budget."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hessx.study.cutest.lanes import Array
from hessx.study.cutest.problems import CutestProblem

__all__ = ["Budget", "BudgetSpentError", "Meter"]


@dataclass(frozen=True)
class Budget:
    """What one run may spend.

    Attributes
    ----------
    calls : int
        Calls of f plus calls of g.
    products : int
        Hessian-vector products; a dense Hessian is n of them.
    """

    calls: int = 5000
    products: int = 20000

    @property
    def total(self) -> int:
        """The cost counted for a problem that was not solved."""
        return self.calls + self.products


class BudgetSpentError(Exception):
    """Ends a solver from inside the function that it calls."""


@dataclass
class Meter:
    """A problem's functions, metered.

    A call that returns f and g together counts as a call of each. The value is known, and may
    become the best, when its own call has been counted; f and g asked for one after the other at
    the same point are evaluated once and counted each. A point outside the bounds counts but is
    never the best.

    Attributes
    ----------
    problem : CutestProblem
    budget : Budget
    fun_calls, grad_calls, products : int
        What was spent.
    best_x : ndarray or None
        The best point so far.
    improvements : list of (int, float)
        Cost and value at every new best value: costs rise, values fall.
    """

    problem: CutestProblem
    budget: Budget = field(default_factory=Budget)
    fun_calls: int = 0
    grad_calls: int = 0
    products: int = 0
    best_x: Array | None = None
    improvements: list[tuple[int, float]] = field(default_factory=list)
    _last: tuple[Array, float, Array] | None = None

    @property
    def cost(self) -> int:
        """Calls of f, calls of g and products together."""
        return self.fun_calls + self.grad_calls + self.products

    @property
    def best_fun(self) -> float:
        """The lowest value seen; infinite before the first finite one."""
        return self.improvements[-1][1] if self.improvements else float("inf")

    def fun(self, x: Array) -> float:
        """The value at `x`: one call."""
        self._spend(calls=1)
        self.fun_calls += 1
        value = self._evaluate(x)[0]
        self._note(x, value)
        return value

    def grad(self, x: Array) -> Array:
        """The gradient at `x`: one call."""
        self._spend(calls=1)
        self.grad_calls += 1
        return self._evaluate(x)[1].copy()

    def hessp(self, x: Array, p: Array) -> Array:
        """The Hessian at `x` times `p`: one product."""
        self._spend(products=1)
        self.products += 1
        return self.problem.hessp(np.asarray(x), np.asarray(p))

    def hess(self, x: Array) -> Array:
        """The dense Hessian at `x`: n products."""
        return np.stack([self.hessp(x, unit) for unit in np.eye(self.problem.n)])

    def _spend(self, calls: int = 0, products: int = 0) -> None:
        if (
            self.fun_calls + self.grad_calls + calls > self.budget.calls
            or self.products + products > self.budget.products
        ):
            raise BudgetSpentError

    def _evaluate(self, x: Array) -> tuple[float, Array]:
        if self._last is None or not np.array_equal(x, self._last[0]):
            point = np.array(x, dtype=np.float64)
            self._last = (point, *self.problem.fun_and_grad(point))
        return self._last[1:]

    def _note(self, x: Array, value: float) -> None:
        inside = np.all(x >= self.problem.lower) and np.all(x <= self.problem.upper)
        if inside and np.isfinite(value) and value < self.best_fun:
            self.best_x = np.array(x, dtype=np.float64)
            self.improvements.append((self.cost, value))
