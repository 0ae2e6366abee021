"""What travels between a solver and an oracle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hessx._xp import Array
from hessx.core._saved import saved

__all__ = ["Counts", "Reply", "Request"]


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
    """

    x: Array
    ticket: int


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
    """

    value: Any
    grad: Array
    ticket: int


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
