"""The function whose Hessian is approximated, and what is known of it at a point."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from hessx._xp import Array, Space, extremes, fetch, space_of, to_point
from hessx.core import Oracle, Request, Sample, SettingsError, Wants
from hessx.objectives import FiniteSum, GivenOracle, Shuffled, as_oracle, make_objective

__all__ = ["Place", "Problem"]


class Problem:
    """f with its derivatives, as given to `hessx.minimize`, or a model.

    Parameters
    ----------
    fun, x0 : object
        As for `hessx.minimize`; or a model, as those of `hessx.models`, whose Hessian is exact.
    derivatives : dict
        ``args``, ``jac``, ``hess`` and ``hessp``, those that are not None.
    batch_size : int, optional
        Rows of a finite sum from which rules, and what belongs to them, learn at a point.

    Attributes
    ----------
    space : Space
        Of x0.
    start : array, shape (n,)
        x0, flat.
    fun : object
        For runs: the function, or the oracle.
    model : object, optional
        The model, given as it is or in a `FiniteSum`.

    Raises
    ------
    TypeError, ValueError
        As `hessx.minimize`; nothing to form products with the Hessian from.
    SettingsError
        Derivatives beside a model, or batches of what is no finite sum.
    """

    def __init__(
        self, fun: Any, x0: Any, derivatives: dict[str, Any], batch_size: int | None = None
    ) -> None:
        point = to_point(x0)
        self.space: Space = space_of(point)
        self.start: Array = self.space.flat(point)
        self.derivatives = derivatives
        is_model = hasattr(fun, "gauss_newton") and hasattr(fun, "rows")
        self.fun = FiniteSum(fun) if is_model else fun
        self.model = getattr(self.fun, "model", None) if isinstance(self.fun, FiniteSum) else None
        self.batch_size = batch_size
        self.seconds: list[float] = []
        if batch_size is not None and not isinstance(self.fun, FiniteSum):
            msg = f"batch_size = {batch_size}, and fun is no finite sum: expected a hessx.FiniteSum"
            raise SettingsError(msg)
        given = as_oracle(self.fun)
        if given is not None and derivatives:
            name = next(iter(derivatives))
            what = "a model" if is_model else "an oracle"
            msg = f"{name} is given beside {what}, which has its derivatives: leave it out"
            raise SettingsError(msg)
        self.oracle: Oracle
        if given is not None:
            self.oracle = GivenOracle(given, self.space, 1.0, Wants.HESSIAN)
        else:
            args = derivatives.get("args", ())
            args = args if isinstance(args, tuple) else (args,)
            jac, hess, hessp = (derivatives.get(name) for name in ("jac", "hess", "hessp"))
            self.oracle = make_objective(fun, jac, args, self.space, hess=hess, hessp=hessp)

    def sample(self, number: int) -> Sample | None:
        """Give the rows of a step, as a stochastic method takes them; None where they are all."""
        size = self.batch_size
        if size is None:
            return None
        N = self.fun.N
        epoch, i = divmod(number, -(-N // size))
        return Sample(Shuffled(), epoch, i * size, min((i + 1) * size, N))

    def at(self, x: Array, number: int) -> Place:
        """Evaluate f and its gradient at a flat x; one fetch."""
        space, began = self.space, time.perf_counter()
        reply = self.oracle.answer(Request(x, number))
        (value, high, low), _ = fetch(space, [reply.value, *extremes(space, reply.grad)])
        self.seconds.append(time.perf_counter() - began)
        return Place(self, x, number, value, space.copy(reply.grad), max(high, -low) + 0.0)

    @property
    def gradient_seconds(self) -> float:
        """The time of a value and gradient with its fetch: the median of those that were taken."""
        return sorted(self.seconds)[len(self.seconds) // 2]

    def check_offers(self, name: str, wants: Wants) -> None:
        """Refuse an approximation that is made of what f does not offer.

        Raises
        ------
        SettingsError
            So it is.
        """
        lacking = wants & ~self.oracle.offers
        if lacking:
            parts = " and ".join(str(part.name) for part in lacking)
            msg = (
                f"{name} is made of {parts}, which fun does not offer: expected a model of "
                "hessx.models, a hessx.FiniteSum of one, or for RESIDUAL a hessx.SumOfSquares"
            )
            raise SettingsError(msg)


@dataclass
class Place:
    """A point of a run.

    Attributes
    ----------
    problem : Problem
        f.
    x, grad : array, shape (n,)
        The point and the gradient there.
    number : int
        Place on the run.
    value, grad_norm : float
        f(x), and norm_inf of the gradient.
    """

    problem: Problem
    x: Array
    number: int
    value: float
    grad: Array = field(repr=False)
    grad_norm: float

    @cached_property
    def hessian(self) -> Any:
        """A `HessianAt`: products with the Hessian, counted."""
        return self.ask(Wants.HESSIAN).hessian

    @cached_property
    def lesson(self) -> Any:
        """The Hessian on the sample of this step; that of all rows where there are no batches."""
        whole = self.problem.batch_size is None
        return self.hessian if whole else self.ask(Wants.HESSIAN, sampled=True).hessian

    def lesson_gradient(self) -> Array:
        """Give the gradient on the sample of this step."""
        if self.problem.batch_size is None:
            return self.grad
        return self.ask(Wants.VALUE | Wants.GRADIENT, sampled=True).grad

    def ask(self, wants: Wants, *, sampled: bool = False) -> Any:
        """Give the oracle's reply."""
        sample = self.problem.sample(self.number) if sampled else None
        grad = None if sampled else lambda: self.grad
        request = Request(self.x, self.number, wants, grad=grad, sample=sample)
        return self.problem.oracle.answer(request)
