"""What travels between a solver and an oracle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hessx._xp import Array

__all__ = ["Counts", "Reply", "Request"]


@dataclass(slots=True)
class Request:
    """Ask for value and gradient at x (flat); the ticket names the question."""

    x: Array
    ticket: int


@dataclass(slots=True)
class Reply:
    """Answer a request: the value (a float, or 0-d on the device) and the flat gradient.

    The gradient may be a buffer of the user's that the next call writes again.
    """

    value: Any
    grad: Array
    ticket: int


@dataclass(slots=True)
class Counts:
    """Evaluations by kind: of f, of its gradient, of Hessian products."""

    values: int = field(default=0)
    gradients: int = field(default=0)
    products: int = field(default=0)
