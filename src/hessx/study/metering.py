"""Counting what a method asks of a problem, keeping the best point, and stopping at a budget."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from hessx._xp import Ledger, space_of, upload
from hessx.core import Counts
from hessx.operators import LinearOperator
from hessx.study.posed import Posed

__all__ = ["Budget", "BudgetSpentError", "Meter"]

_PLANE = 2  # variables of a problem whose path can be drawn


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
    """A problem's functions, metered, on any array library.

    A call that returns f and g together counts as a call of each. The value is known, and may
    become the best, when its own call has been counted; f and g asked for one after the other at
    the same point are evaluated once and counted each. A point outside the bounds counts but is
    never the best.

    Attributes
    ----------
    problem : Posed
    budget : Budget, optional
        None for no limit.
    keep_best : bool
        Whether to look for the best value: the host then waits for each value.
    fun_calls, grad_calls, products : int
        What was spent.
    evaluations : int
        Evaluations of the problem's function, which gives f and g together.
    seconds : float
        Time spent in the problem's functions.
    sampled_passes : float
        Over the rows of a sum, by a method that sees samples.
    last : (array, value, array), optional
        The point, value and gradient of the last call of `fun` or `grad`.
    best_x : array or None
        The best point so far.
    improvements : list of (int, float)
        Cost and value at every new best value: costs rise, values fall.
    ledger : Ledger
        Of the run: its fetches so far.
    elsewhere : Counts
        Of an objective that counts products itself, until they are added to ``products``.
    spent : list of (int, int)
        For each evaluation the products and fetches before it.
    points : list of array
        Where the evaluations were, on problems of two variables.
    """

    problem: Posed
    budget: Budget | None = None
    keep_best: bool = True
    fun_calls: int = 0
    grad_calls: int = 0
    products: int = 0
    evaluations: int = 0
    seconds: float = 0.0
    sampled_passes: float = 0.0
    last: Any = None
    best_x: Any = None
    improvements: list[tuple[int, float]] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    elsewhere: Counts = field(default_factory=Counts)
    spent: list[tuple[int, int]] = field(default_factory=list)
    points: list[Any] = field(default_factory=list)
    _linear: tuple[Any, LinearOperator] | None = None

    def __post_init__(self) -> None:
        space, bounds = space_of(self.problem.x0), self.problem.bounds
        self._space, self._xp = space, space.xp
        self._box = bounds if bounds is None else upload(space, np.asarray(bounds))

    @property
    def cost(self) -> int:
        """Calls of f, calls of g and products together."""
        return self.fun_calls + self.grad_calls + self.products

    @property
    def passes(self) -> float:
        """Evaluations and products on the whole, and on samples by their share of the rows."""
        return self.sampled_passes or self.evaluations + self.products

    def take(self, counts: Counts, rows: int) -> None:
        """Take over what was counted of a sum of so many rows."""
        self.evaluations += counts.gradients
        self.products += counts.products
        self.sampled_passes += counts.rows / rows

    @property
    def best_fun(self) -> float:
        """The lowest value seen; infinite before the first finite one."""
        return self.improvements[-1][1] if self.improvements else math.inf

    def fun_and_grad(self, x: Any) -> tuple[Any, Any]:
        """Value and gradient at `x`: a call of each."""
        self._spend(fun=1)
        value, grad = self._evaluate(x)
        self._note(x, value)
        self._spend(grad=1)
        return value, grad

    def fun(self, x: Any) -> Any:
        """The value at `x`: one call."""
        self._spend(fun=1)
        value, _ = self._known(x)
        self._note(x, value)
        return value

    def grad(self, x: Any) -> Any:
        """The gradient at `x`: one call."""
        self._spend(grad=1)
        return self._copy(self._known(x)[1])

    def residual(self, x: Any) -> tuple[Any, Any]:
        """Residual and Jacobian at `x`, which give f and g: a call of each."""
        self._spend(fun=1)
        self._count_evaluation(x)
        r, J = self._timed(self.problem.residual, x)  # type: ignore[arg-type]
        self._note(x, r @ r / 2.0)
        self._spend(grad=1)
        products = isinstance(J, tuple)
        return r, tuple(partial(self._timed, product) for product in J) if products else J

    def hess(self, x: Any) -> LinearOperator:
        """The Hessian at `x`, linearised once: one product each time it is applied."""
        product, n = self._timed(self.problem.hess, x), self._space.n

        def counted(v: Any) -> Any:
            self._spend(products=1)
            return self._timed(product, v)

        diagonal = product.diagonal() if isinstance(product, LinearOperator) else None
        return LinearOperator((n, n), counted, diagonal=diagonal, symmetric=True)

    def hessp(self, x: Any, v: Any) -> Any:
        """The Hessian at `x` times `v`: one product; linearised once for products at one point."""
        if self._linear is None or not self._same(x, self._linear[0]):
            point = self._copy(x)
            self._linear = point, self.hess(point)
        return self._linear[1](v)

    def dense(self, x: Any) -> Any:
        """The dense Hessian at `x`: n products."""
        space = self._space
        units = self._xp.eye(space.n, dtype=space.dtype, device=space.device)
        return self._xp.stack([self.hessp(x, units[i, :]) for i in range(space.n)])

    def _spend(self, fun: int = 0, grad: int = 0, products: int = 0) -> None:
        calls, products = self.fun_calls + self.grad_calls + fun + grad, self.products + products
        budget = self.budget
        if budget is not None and (calls > budget.calls or products > budget.products):
            raise BudgetSpentError
        self.fun_calls, self.grad_calls = self.fun_calls + fun, self.grad_calls + grad
        self.products = products

    def _known(self, x: Any) -> tuple[Any, Any]:
        if self.last is None or not self._same(x, self.last[0]):
            point = self._copy(x)
            self.last = (point, *self._evaluate(point))
        return self.last[1:]  # type: ignore[no-any-return]

    def _count_evaluation(self, x: Any) -> None:
        self.spent.append((self.products + self.elsewhere.products, self.ledger.fetches))
        self.evaluations += 1
        if self._space.n == _PLANE:
            self.points.append(self._copy(x))

    def _evaluate(self, x: Any) -> tuple[Any, Any]:
        self._count_evaluation(x)
        return self._timed(self.problem.fun, x)  # type: ignore[no-any-return]

    def _note(self, x: Any, value: Any) -> None:
        if not self.keep_best:
            return
        value = float(value)
        if math.isfinite(value) and value < self.best_fun and self._inside(x):
            self.best_x = self._copy(x)
            self.improvements.append((self.cost, value))

    def _inside(self, x: Any) -> bool:
        box, xp = self._box, self._xp
        return box is None or bool(xp.all((box[:, 0] <= x) & (x <= box[:, 1])))

    def _timed(self, function: Callable[[Any], Any], x: Any) -> Any:
        began = time.perf_counter()
        answer = function(x)
        self.seconds += time.perf_counter() - began
        return answer

    def _same(self, x: Any, y: Any) -> bool:
        return bool(self._xp.all(x == y))

    def _copy(self, x: Any) -> Any:
        return self._xp.asarray(x, copy=True)
