"""Replies of the user's, from an oracle or told, checked and brought into the run's space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from hessx._xp import Array, Space, take_gradient, take_value
from hessx.core import EXACT, Counts, Oracle, Precision, Reply, Request, Wants
from hessx.objectives._difference_product import DifferenceProduct
from hessx.objectives._hessian_at import HessianAt
from hessx.operators import Unary, as_operator

__all__ = ["GivenOracle", "as_oracle", "check_offers", "take_reply"]

_FIRST_ORDER = Wants.VALUE | Wants.GRADIENT
_ANSWERS = {
    Wants.VALUE: "value",
    Wants.GRADIENT: "grad",
    Wants.HESSIAN: "hessian",
    Wants.PER_SAMPLE: "per_sample",
    Wants.RESIDUAL: "residual",
}


def as_oracle(given: Any) -> Oracle | None:
    """Take what was given as fun for an oracle if it answers requests; None where it does not.

    Raises
    ------
    TypeError
        ``offers`` is no `Wants`, or ``counts`` are no `Counts`.
    """
    if not (hasattr(given, "answer") and hasattr(given, "offers")):
        return None
    for name, kind in (("offers", Wants), ("counts", Counts)):
        part = getattr(given, name, None)
        if not isinstance(part, kind):
            found = f"{name} of the oracle is a {type(part).__name__}"
            msg = f"{found}: expected a hessx.{kind.__name__}"
            raise TypeError(msg)
    oracle: Oracle = given
    return oracle


def check_offers(offers: Wants, wants: Wants) -> None:
    """Refuse an oracle that cannot answer what will be asked.

    Raises
    ------
    ValueError
        So it is.
    """
    wanted = _FIRST_ORDER | wants
    if wanted in offers:
        return
    if wants is Wants.HESSIAN and Wants.RESIDUAL in offers:
        msg = (
            "a sum of squares whose Jacobian is found by differences offers no Hessian: expected "
            "SumOfSquares(residual, jac), or a method that needs none, such as method='lm'"
        )
        raise ValueError(msg)
    if wants is Wants.RESIDUAL:
        msg = (
            "fun has no residual, and this method is for sums of squares, norm(r(x))^2 / 2: "
            "expected hessx.SumOfSquares(residual, jac) in the place of fun"
        )
        raise ValueError(msg)
    who = "every method asks"
    if wants is Wants.HESSIAN:
        who = "a second-order method asks"
    elif wants:
        who = "this method, with its rules and its estimate, asks"
    msg = f"the oracle offers {_named(offers)}: {who} for {_named(wanted)}"
    if Wants.PER_SAMPLE in wants or Wants.FACTORS in wants:
        msg += (
            "; models of hessx.models in hessx.FiniteSum(model) offer all, and a function with "
            'jac="autodiff" all but FACTORS'
        )
    raise ValueError(msg)


def take_reply(space: Space, reply: Reply, counts: Counts, sign: float, rows: int = 0) -> Reply:
    """Take value and gradient, or the Hessian, as users give them, and turn them to a minimum.

    Parameters
    ----------
    space : Space
        Of x.
    reply : Reply
        Gradient in the user's shape; the Hessian as ``hess`` may return it.
    counts : Counts
        Of the products to come.
    sign : float
        -1 to maximise.
    rows : int
        Those of a finite sum that a product goes over.

    Returns
    -------
    Reply
        Flat, for a solver; the gradient is not copied.  What the reply has no gradient for has
        none here.

    Raises
    ------
    TypeError, ValueError
        Something that cannot be taken, as in `minimize`.
    """
    if reply.hessian is not None:
        given, operator = reply.hessian, as_operator(space, reply.hessian, "the Hessian")
        hessian = HessianAt(
            space,
            operator.matvec,
            counts,
            sign,
            operator,
            rows=rows,
            given=given,
            differences=given if isinstance(given, DifferenceProduct) else None,
        )
        return Reply(reply.ticket, hessian=hessian)
    value = take_value(space, reply.value)
    grad = None if reply.grad is None else take_gradient(space, reply.grad)
    per_sample = reply.per_sample
    if sign < 0.0:
        value, grad = -value, None if grad is None else -grad
        per_sample = None if per_sample is None else _Negated(per_sample)
    precision = reply.precision
    precision = Precision.of(reply.value) if precision is EXACT else precision
    return Reply(reply.ticket, value, grad, None, precision, per_sample, reply.rows)


class _Negated(Unary):
    """Gradients of single rows, of -f; their coefficients are those of f."""

    @property
    def coefficients(self) -> Array:
        return self.A.coefficients  # type: ignore[attr-defined]

    def mean(self, coefficients: Array) -> Array:
        return -self.A.mean(coefficients)  # type: ignore[attr-defined]

    def matrix(self) -> Array:
        return -self.A.matrix()  # type: ignore[attr-defined]

    def _apply(self, v: Array) -> Array:
        return -self.A._apply(v)

    def _apply_transposed(self, u: Array) -> Array:
        return -self.A._apply_transposed(u)


class GivenOracle:
    """Stand between an oracle of the user's and a run.

    Requests go out with x in the user's shape, as fun is given it, and replies come back flat, with
    the sign of what is minimised.

    Parameters
    ----------
    oracle : Oracle
        The user's; its counts begin at zero.
    space : Space
        Of x.
    sign : float
        -1 to maximise.
    wants : Wants
        What will be asked for beside value and gradient.

    Raises
    ------
    ValueError
        ``offers`` lacks what will be asked for; in a run, a reply to another request, or one that
        lacks what was asked for.
    TypeError
        In a run, an answer that is no reply.

    Notes
    -----
    Cost of an answer: that of the oracle's, no fetch.
    """

    def __init__(
        self, oracle: Oracle, space: Space, sign: float = 1.0, wants: Wants = Wants.NOTHING
    ) -> None:
        self.oracle, self.space, self.sign, self._wants = oracle, space, sign, wants
        self.offers, self.counts = oracle.offers, oracle.counts
        check_offers(self.offers, wants)
        if Wants.RESIDUAL in wants and sign < 0.0:
            msg = "a method of sums of squares minimises: expected maximize = False"
            raise ValueError(msg)
        self.counts.take_over(Counts())
        self._residual: tuple[int, Any] = (-1, None)  # of the last value, and its ticket

    def answer(self, request: Request) -> Reply:
        """Have the oracle evaluate what is wanted, unless it came with the value already."""
        ticket, residual = self._residual
        if request.wants is Wants.RESIDUAL and 0 <= ticket == request.evaluated:
            return Reply(request.ticket, residual=residual)
        outside = replace(request, x=self.space.for_user(request.x))
        if request.grad is not None:
            outside.grad = partial(self._shown, request.grad)
        reply = self.oracle.answer(outside)
        if not isinstance(reply, Reply):
            msg = f"the oracle answered with a {type(reply).__name__}: expected a hessx.Reply"
            raise TypeError(msg)
        if reply.ticket != request.ticket:
            msg = f"the oracle's reply has ticket {reply.ticket}: expected {request.ticket}"
            raise ValueError(msg)
        for part in request.wants:
            if getattr(reply, _ANSWERS[part]) is None:
                wants = _named(request.wants)
                msg = f"the oracle's reply has no {_ANSWERS[part]}: the request wants {wants}"
                raise ValueError(msg)
        if Wants.HESSIAN not in request.wants:
            reply.hessian = None
        if Wants.RESIDUAL in self._wants:
            self._residual = request.ticket, reply.residual
        if request.wants is Wants.RESIDUAL:
            return reply
        sample = request.sample
        rows = getattr(self.oracle, "N", 0) if sample is None else sample.size
        return take_reply(self.space, reply, self.counts, self.sign, rows)

    def _shown(self, grad: Callable[[], Array]) -> Any:
        """The gradient that the run has, as the oracle gave it; a new array."""
        g = grad()
        return self.space.shaped(g if self.sign > 0.0 else -g)


def _named(wants: Wants) -> str:
    return " | ".join(str(part.name) for part in wants) or "NOTHING"
