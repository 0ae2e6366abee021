"""The user's functions as an oracle that answers requests and counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx._xp import Array, Space, take_gradient, take_value
from hessx.core import Counts, Reply, Request
from hessx.objectives._differences import DifferenceGradient

__all__ = ["Objective", "make_objective"]


class Objective:
    """f and its gradient, at points of a space.

    Parameters
    ----------
    space : Space
        Where x lives; what comes back must live there too.
    evaluate : callable
        ``x -> (value, gradient)`` in the user's shape.
    counts : Counts
        Increased by the callables themselves.
    sign : float
        -1 to maximise.

    Notes
    -----
    Cost of an answer: one evaluation, no fetch; the gradient is not copied.
    """

    def __init__(
        self,
        space: Space,
        evaluate: Callable[[Array], tuple[Any, Array]],
        counts: Counts,
        sign: float,
    ) -> None:
        self.space, self.evaluate, self.counts, self.sign = space, evaluate, counts, sign

    def answer(self, request: Request) -> Reply:
        """Evaluate value and gradient at the requested point."""
        value, grad = self.evaluate(self.space.shaped(request.x))
        value, grad = take_value(self.space, value), take_gradient(self.space, grad)
        if self.sign < 0.0:
            value, grad = -value, -grad
        return Reply(value, grad, request.ticket)

    def hessian(self, x):
        x = self.space.shaped(x)
        def product(v):
            self.counts.products += 1
            return take_gradient(self.space, self.hessp(x, self.space.shaped(v)))
        return product


def make_objective(
    fun: Callable[..., Any],
    jac: Any,
    args: tuple[Any, ...],
    space: Space,
    *,
    maximize: bool = False,
    rel_step: Any = None,
    abs_step: Any = None,
    x_scale: Any = 1.0,
) -> Objective:
    """Join fun and jac, as SciPy takes them, to one oracle.

    Parameters
    ----------
    fun : callable
        ``fun(x, *args)``: the value, or (value, gradient) with ``jac=True``.
    jac : callable, True, "2-point", "3-point" or None
        ``jac(x, *args)``; None means "2-point".
    args : tuple
        Further arguments of both.
    space : Space
        Of x.
    maximize : bool
        Maximise fun instead.
    rel_step, abs_step : float, optional
        Of differences; see `DifferenceGradient`.
    x_scale : float or array
        Natural size of the variables, for differences.

    Returns
    -------
    Objective
        Answers requests and counts.

    Raises
    ------
    TypeError, ValueError
        fun is not callable, or jac is something else.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.core import Request
    >>> from hessx.objectives import make_objective
    >>> x = np.array([3.0, 4.0])
    >>> oracle = make_objective(lambda x: (x @ x, 2 * x), True, (), space_of(x))
    >>> oracle.answer(Request(x, ticket=0)).value, oracle.counts.values
    (25.0, 1)
    """
    if not callable(fun):
        msg = f"fun is a {type(fun).__name__}: expected a callable fun(x, *args)"
        raise TypeError(msg)
    counts = Counts()
    sign = -1.0 if maximize else 1.0
    if jac is True:

        def evaluate(x: Array) -> tuple[Any, Array]:
            counts.values += 1
            counts.gradients += 1
            pair = fun(x, *args)
            if not (isinstance(pair, tuple | list) and len(pair) == 2):
                msg = (
                    f"fun returned a {type(pair).__name__}: expected (value, gradient) "
                    "because of jac=True"
                )
                raise TypeError(msg)
            return pair[0], pair[1]

    elif callable(jac):

        def evaluate(x: Array) -> tuple[Any, Array]:
            counts.values += 1
            value = fun(x, *args)
            counts.gradients += 1
            return value, jac(x, *args)

    elif jac is None or jac is False or jac in ("2-point", "3-point"):

        def value_at(x: Array) -> Any:
            counts.values += 1
            return take_value(space, fun(x, *args))

        differences = DifferenceGradient(
            space, value_at, jac or "2-point", rel_step, x_scale, abs_step
        )

        def evaluate(x: Array) -> tuple[Any, Array]:
            counts.gradients += 1
            return differences(x)

    else:
        msg = f"jac = {jac!r}: expected a callable, True, '2-point', '3-point' or None"
        raise ValueError(msg)
    return Objective(space, evaluate, counts, sign)
