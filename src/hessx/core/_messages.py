"""What travels between a solver and an oracle."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from hessx._xp import Array, eps_of
from hessx.core._kinds import EVIDENCE, Wants
from hessx.core._sample import Sample
from hessx.core._saved import saved

__all__ = ["EXACT", "Counts", "Oracle", "Precision", "Reply", "Request"]


@saved
@dataclass(slots=True)
class Request:
    """Ask for what f has at a point.

    Attributes
    ----------
    x : array, shape (n,)
        The point; in the shape of x0 where an oracle of the user's is asked.
    ticket : int
        Names the question.
    wants : Wants
        ``VALUE | GRADIENT``, or ``HESSIAN`` or ``RESIDUAL`` alone: f is evaluated at every trial
        point, what its curvature is made of where one was accepted.  Stochastic methods ask for
        ``VALUE`` alone too, or for ``PER_SAMPLE`` beside value and gradient.
    eps : float
        Relative rounding of f, as far as the run has learnt it: what differences have to pass.
    central : bool
        Gradients by differences are to be central: those to one side no longer resolve a step.
    coarse : float
        Differences of gradients, of which products with the Hessian are made, are to be longer by
        this factor.
    grad : callable, optional
        With ``HESSIAN``: gives the gradient at x, which the run has, for such differences to begin
        at.  Not part of a state.
    sample : Sample, optional
        The rows of a finite sum that it is about; None is the whole.
    evaluated : int
        Ticket of the request before, where value and gradient at this x came with its reply; else
        -1.
    """

    x: Array
    ticket: int
    wants: Wants = Wants.VALUE | Wants.GRADIENT
    eps: float = 0.0
    central: bool = False
    coarse: float = 1.0
    grad: Callable[[], Array] | None = None
    sample: Sample | None = None
    evaluated: int = -1

    @property
    def evidence(self) -> Wants:
        """``HESSIAN`` or ``RESIDUAL``, where it asks for what curvature is made of; or nothing."""
        return self.wants & EVIDENCE


@saved
@dataclass(frozen=True, slots=True)
class Precision:
    """How far value and gradient of an answer can be trusted.

    Attributes
    ----------
    eps : float
        Machine epsilon of the dtype of f, or what differences have reckoned with; 0 if unknown.
    moved : float or 0-d array
        The largest of the changes of f that make a gradient by differences; else inf.
    blur : float or 0-d array
        A step of this length, in x / x_scale where that is an array, is hidden from a gradient by
        differences: that of their steps to one side.  0 where there are none.
    refines : bool
        Whether central differences can be asked for instead.
    adapts : bool
        Whether differences take longer steps where f is said to be rounder, by ``Request.eps``.
    """

    eps: float = 0.0
    moved: Any = math.inf
    blur: Any = 0.0
    refines: bool = False
    adapts: bool = False

    @classmethod
    def of(cls, value: Any) -> Precision:
        """Tell by the dtype of a value that fun returned; a float, most often, tells nothing."""
        if isinstance(value, float):
            return EXACT
        eps = eps_of(value)
        return cls(eps) if eps else EXACT

    def read(self, moved: float, blur: float) -> Precision:
        """Give the same with the numbers that have come to the host."""
        return self if self is EXACT else replace(self, moved=moved, blur=blur)


EXACT = Precision()


@dataclass(slots=True)
class Reply:
    """Answer a request, by what it wants.

    Attributes
    ----------
    ticket : int
        That of the request.
    value : float or 0-d array, optional
        f(x); an array stays on the device.
    grad : array, shape of the request's x, optional
        May be a buffer of the user's that the next call writes again.
    hessian : optional
        What gives products v -> H v at x, any number of times; in a run a `HessianAt`.
    residual : optional
        Of a sum of squares, r(x) and products with its Jacobian; with value and gradient too, so
        that it need not be evaluated again.
    precision : Precision
        How far value and gradient can be trusted.
    per_sample : optional
        The gradients of the rows of the sample, without the penalty: an operator (rows, n) with
        ``coefficients``, of which ``mean(coefficients)`` makes the mean gradient again.
    rows : array of integers, optional
        With them: the numbers of the rows, where they are not all.
    """

    ticket: int
    value: Any = None
    grad: Array | None = None
    hessian: Any = None
    precision: Precision = EXACT
    per_sample: Any = None
    rows: Array | None = None
    residual: Any = None

    @property
    def evidence(self) -> Any:
        """What was asked for of curvature: the residual, or the Hessian."""
        return self.hessian if self.residual is None else self.residual


@dataclass(slots=True)
class Counts:
    """Evaluations by kind.

    Attributes
    ----------
    values, gradients, products : int
        Evaluations of f, of its gradient, and of Hessian products; on a sample or on the whole.
    rows : int
        Of a finite sum: over how many rows these went, all together; N are one pass over the data.

    Examples
    --------
    >>> import hessx
    >>> hessx.minimize(lambda x: (x @ x / 2, x), [3.0], jac=True).counts
    Counts(values=3, gradients=3, products=0, rows=0)
    """

    values: int = field(default=0)
    gradients: int = field(default=0)
    products: int = field(default=0)
    rows: int = field(default=0)

    def take_over(self, other: Counts) -> None:
        """Set all to those of another."""
        for name in self.__slots__:
            setattr(self, name, getattr(other, name))


class Oracle(Protocol):
    """What answers the requests of a run: the contract for one's own.

    Notes
    -----
    Given in the place of fun to `minimize`.  ``request.x`` has the shape of x0, and so has the
    gradient of a reply.  The Hessian of a reply is what ``hess`` may return: a matrix, an operator,
    or a function v -> H v of flat vectors, whose products the run counts itself.

    Examples
    --------
    A function that counts its evaluations:

    >>> import hessx
    >>> class Bowl:
    ...     offers = hessx.Wants.VALUE | hessx.Wants.GRADIENT
    ...     def __init__(self):
    ...         self.counts = hessx.Counts()
    ...     def answer(self, request):
    ...         x = request.x
    ...         self.counts.values += 1
    ...         self.counts.gradients += 1
    ...         return hessx.Reply(request.ticket, x @ x / 2, x)
    >>> result = hessx.minimize(Bowl(), [3.0, 4.0])
    >>> result.success, result.nfev
    (True, 3)
    """

    @property
    def counts(self) -> Counts:
        """What was evaluated, increased by ``answer``; the run begins it at zero and reads it."""
        ...

    @property
    def offers(self) -> Wants:
        """What can be asked for: ``VALUE | GRADIENT`` at least."""
        ...

    def answer(self, request: Request) -> Reply:
        """Evaluate what ``request.wants`` at ``request.x``; the ticket goes back with the reply."""
        ...
