"""What travels between a solver and an oracle."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from hessx._xp import Array, eps_of
from hessx.core._saved import saved

__all__ = ["EXACT", "Counts", "Precision", "Reply", "Request"]


@saved
@dataclass(slots=True)
class Request:
    """Ask for value and gradient at a point.

    Attributes
    ----------
    x : array, shape (n,)
        The point.
    ticket : int
        Names the question.
    eps : float
        Relative rounding of f, as far as the run has learnt it: what differences have to pass.
    central : bool
        Gradients by differences are to be central: those to one side no longer resolve a step.
    """

    x: Array
    ticket: int
    eps: float = 0.0
    central: bool = False


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
    """Answer a request.

    Attributes
    ----------
    value : float or 0-d array
        f(x); an array stays on the device.
    grad : array, shape (n,)
        May be a buffer of the user's that the next call writes again.
    ticket : int
        That of the request.
    precision : Precision
        How far value and gradient can be trusted.
    """

    value: Any
    grad: Array
    ticket: int
    precision: Precision = EXACT


@dataclass(slots=True)
class Counts:
    """Evaluations by kind.

    Attributes
    ----------
    values, gradients, products : int
        Evaluations of f, of its gradient, and of Hessian products.

    Examples
    --------
    >>> import hessx
    >>> hessx.minimize(lambda x: (x @ x / 2, x), [3.0], jac=True).counts
    Counts(values=3, gradients=3, products=0)
    """

    values: int = field(default=0)
    gradients: int = field(default=0)
    products: int = field(default=0)
