"""The chain from the Hessian of a model to a diagonal, each link made of the one before."""

from __future__ import annotations

from typing import Any

from hessx._xp import Array, dot
from hessx.comparison._place import Place
from hessx.operators import BlockDiagonalOperator, DiagonalOperator, LinearOperator

__all__ = ["CHAIN", "gauss_newton_of", "layers_of", "squared_diagonal_of"]

CHAIN = ("gauss-newton", "layers", "kfac", "gauss-newton-diagonal")


def gauss_newton_of(place: Place) -> Any:
    """Give J' H_L J + l2 I of the model, which leaves out what the outputs' own curvature adds."""
    return place.problem.model.gauss_newton(place.problem.space.shaped(place.x))  # type: ignore[union-attr]


def layers_of(place: Place) -> LinearOperator:
    """Give the diagonal blocks of the Gauss-Newton matrix that belong to one layer each.

    A product costs as many of the whole matrix as there are layers.
    """
    whole, space = gauss_newton_of(place), place.problem.space
    spans = sorted((layer.span for layer in whole.factors()), key=lambda span: span.start)
    return BlockDiagonalOperator([_block(whole, space, span) for span in spans])


def _block(whole: Any, space: Any, span: slice) -> LinearOperator:
    size = span.stop - span.start
    before, behind = space.zeros(span.start), space.zeros(space.n - span.stop)

    def product(v: Array) -> Array:
        return whole.matvec(space.xp.concat([before, v, behind]))[span]

    return LinearOperator((size, size), product, symmetric=True)


def squared_diagonal_of(place: Place) -> LinearOperator:
    """Give the diagonal of the Gauss-Newton matrix: n products, unless it is known."""
    whole, space = gauss_newton_of(place), place.problem.space
    if whole.has_diagonal:
        return DiagonalOperator(whole.diagonal())
    units = space.xp.eye(space.n, dtype=space.dtype, device=space.device)
    return DiagonalOperator(dot(units, whole.matvec(units)))
