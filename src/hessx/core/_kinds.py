"""What parts say of themselves: sets that are compared where parts are put together."""

from __future__ import annotations

import enum

from hessx.core._saved import saved

__all__ = ["EVIDENCE", "Learns", "Offer", "Wants"]


class Offer(enum.Flag):
    """What an approximation B of the Hessian can do, at work; A is its inverse.

    Examples
    --------
    >>> from hessx import Offer
    >>> Offer.SOLVE in Offer.SOLVE | Offer.MATVEC
    True
    """

    SOLVE = enum.auto()
    """A v"""
    MATVEC = enum.auto()
    """B v"""
    SHIFTED = enum.auto()
    """(B + sigma I)^-1 v"""
    DENSE = enum.auto()
    """B as an array of shape (n, n)"""
    DIAGONAL = enum.auto()
    """The diagonal of B"""
    COMPACT = enum.auto()
    """B = D + U' C U with D diagonal and few rows in U, see `CompactForm`"""


@saved
class Learns(enum.Enum):
    """From what an approximation learns: pairs (s, y) of steps, or evidence of other kinds.

    Those after ``PRODUCTS`` belong to stochastic methods.
    """

    NOTHING = "nothing"
    ACCEPTED = "accepted steps"
    EVERY = "every trial"
    PRODUCTS = "products (p, H p) inside the solve before"
    GRADIENTS = "the gradient of every step"
    HESSIAN = "the Hessian on a sample"
    FACTORS = "inputs and slopes of the layers, see `LayerFactors`"
    PER_SAMPLE = "the gradients of single rows"


@saved
class Wants(enum.Flag):
    """What an oracle is asked for at a point.

    ``PER_SAMPLE`` comes with value and gradient; ``FACTORS`` is offered, not asked for: the Hessian
    of a reply then has ``factors`` and ``sampled_gradient``.  ``RESIDUAL`` is r(x) with products
    with its Jacobian, of a sum of squares.
    """

    NOTHING = 0
    VALUE = enum.auto()
    GRADIENT = enum.auto()
    HESSIAN = enum.auto()
    PER_SAMPLE = enum.auto()
    FACTORS = enum.auto()
    RESIDUAL = enum.auto()


EVIDENCE = Wants.HESSIAN | Wants.RESIDUAL  # what curvature is made of
