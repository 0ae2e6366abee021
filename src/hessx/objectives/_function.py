"""The user's functions as an oracle that answers requests and counts."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hessx._xp import Array, Space, eps_of, take_gradient, take_value
from hessx.core import Counts, Precision, Reply, Request, Wants
from hessx.objectives._differences import DifferenceGradient, Evaluation, take_step
from hessx.objectives._hessian import check_hessian, make_hessian, shown
from hessx.objectives._hessian_at import HessianAt
from hessx.objectives._stacked import Stacked, gradients_of

__all__ = ["Objective", "make_objective"]

_FIRST_ORDER = Wants.VALUE | Wants.GRADIENT
_SECOND_ORDER = _FIRST_ORDER | Wants.HESSIAN
_Take = Callable[[], Any]  # gives x in the user's shape, anew at each call


class Objective:
    """f, its gradient and its Hessian, at points of a space: the oracle of the user's callables.

    Parameters
    ----------
    space : Space
        Where x lives; what comes back must live there too.
    evaluate : callable
        ``(take, request) -> Evaluation``; ``take()`` gives x in the user's shape, for one function
        to keep and, on NumPy, to write to.
    counts : Counts
        Increased by the callables themselves.
    sign : float
        -1 to maximise.
    make_hessian_at : callable
        Gives what makes the Hessian at a point, see `make_hessian`; called when it is first needed.
    offers : Wants
        What can be asked for.

    Notes
    -----
    Cost of an answer: one evaluation, no fetch; the gradient is not copied.
    """

    def __init__(
        self,
        space: Space,
        evaluate: Callable[[_Take, Request], Evaluation],
        counts: Counts,
        sign: float,
        make_hessian_at: Callable[[], Callable[[Request], HessianAt]],
        offers: Wants,
    ) -> None:
        self.space, self.evaluate, self.counts, self.sign = space, evaluate, counts, sign
        self.offers = offers
        self._make = make_hessian_at
        self._hessian_at: Callable[[Request], HessianAt] | None = None

    def prepare(self) -> None:
        """Make ready for Hessians.

        Raises
        ------
        ValueError
            Neither hess nor hessp nor a gradient was given.
        """
        if self._hessian_at is None:
            self._hessian_at = self._make()

    def answer(self, request: Request) -> Reply:
        """Evaluate value and gradient at the requested point, or its Hessian.

        Raises
        ------
        ValueError
            The Hessian is wanted, and neither hess nor hessp nor a gradient was given.
        """
        if request.wants is Wants.HESSIAN:
            self.prepare()
            return Reply(request.ticket, hessian=self._hessian_at(request))  # type: ignore[misc]
        space = self.space
        take = partial(space.for_user, request.x)
        value, grad, precision = self.evaluate(take, request)
        value, grad = take_value(space, value), take_gradient(space, grad)
        if self.sign < 0.0:
            value, grad = -value, -grad
        return Reply(request.ticket, value, grad, None, precision)


class _Joint:
    """fun gives value and gradient together."""

    def __init__(self, fun: Callable[..., Any], args: tuple[Any, ...], counts: Counts) -> None:
        self.fun, self.args, self.counts = fun, args, counts

    def __call__(self, take: _Take, request: Request | None = None) -> Evaluation:  # noqa: ARG002
        self.counts.values += 1
        self.counts.gradients += 1
        pair = self.fun(take(), *self.args)
        if not (isinstance(pair, tuple | list) and len(pair) == 2):
            msg = (
                f"fun returned a {type(pair).__name__}: expected (value, gradient) "
                "because of jac=True"
            )
            raise TypeError(msg)
        return Evaluation(pair[0], pair[1], Precision.of(pair[0]))

    def gradient(self, take: _Take) -> Array:
        return self(take).grad


class _Separate:
    """fun gives the value, jac the gradient."""

    def __init__(
        self,
        fun: Callable[..., Any],
        jac: Callable[..., Any],
        args: tuple[Any, ...],
        counts: Counts,
    ) -> None:
        self.fun, self.jac, self.args, self.counts = fun, jac, args, counts

    def __call__(self, take: _Take, request: Request | None = None) -> Evaluation:  # noqa: ARG002
        self.counts.values += 1
        value = self.fun(take(), *self.args)
        return Evaluation(value, self.gradient(take), Precision.of(value))

    def gradient(self, take: _Take) -> Array:
        self.counts.gradients += 1
        return self.jac(take(), *self.args)


def make_objective(
    fun: Any,
    jac: Any,
    args: tuple[Any, ...],
    space: Space,
    *,
    hess: Any = None,
    hessp: Any = None,
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
        ``jac(x, *args)``; None means "2-point", and "3-point" where a run no longer gets on.  A
        `Stacked` one takes stacks of points.
    args : tuple
        Further arguments of both.
    space : Space
        Of x.
    hess, hessp : optional
        See `make_hessian`; looked at when the first product is needed.
    maximize : bool
        Maximise fun instead.
    rel_step, abs_step : float, optional
        Of differences; see `take_step`.
    x_scale : float or array
        Natural size of the variables, for differences.

    Returns
    -------
    Objective
        Answers requests and counts.

    Raises
    ------
    TypeError, ValueError
        fun is not callable, or jac, hess or hessp is something else.

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
    check_hessian(hess, hessp)
    # a callable jac needs no steps, but what is wrong with them is to be told all the same
    rel_step = take_step(space, rel_step, "finite_diff_rel_step")
    abs_step = take_step(space, abs_step, "eps")
    counts = Counts()
    sign = -1.0 if maximize else 1.0
    evaluate: Any
    if jac is True:
        evaluate = _Joint(fun, args, counts)
    elif callable(jac):
        evaluate = _Separate(fun, jac, args, counts)
    elif jac is None or jac is False or (isinstance(jac, str) and jac in ("2-point", "3-point")):

        def value_at(x: Array) -> tuple[Any, float]:
            counts.values += 1
            value = fun(x, *args)
            return take_value(space, value), eps_of(value)

        differences = DifferenceGradient(space, value_at, jac or None, rel_step, x_scale, abs_step)

        def evaluate(take: _Take, request: Request) -> Evaluation:  # noqa: ARG001
            counts.gradients += 1
            return differences(space.shaped(request.x), request.eps, request.central)

    else:
        msg = f"{shown('jac', jac)}: expected a callable, True, '2-point', '3-point' or None"
        raise ValueError(msg)

    def gradient_at(x: Array) -> Array:
        grad = take_gradient(space, evaluate.gradient(partial(space.shaped, x)))
        return grad if sign > 0.0 else -grad

    known = gradient_at if hasattr(evaluate, "gradient") else None

    second = known is not None or callable(hess) or hessp is not None
    offers = _SECOND_ORDER if second else _FIRST_ORDER
    stacks = gradients_of(space, jac, args, counts, sign) if isinstance(jac, Stacked) else None
    make = partial(make_hessian, space, hess, hessp, args, known, counts, sign, x_scale, stacks)
    return Objective(space, evaluate, counts, sign, make, offers)
