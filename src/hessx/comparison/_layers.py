"""The chain from the Hessian of a model to a diagonal, each link made of the one before."""

from __future__ import annotations

import math
from typing import Any

from hessx._xp import Array, dot
from hessx.comparison._place import Place
from hessx.core import LayerFactors
from hessx.operators import BlockDiagonalOperator, DiagonalOperator, LinearOperator

__all__ = [
    "CHAIN",
    "drawn_factors",
    "expected_factors",
    "gauss_newton_of",
    "layers_of",
    "squared_diagonal_of",
]

CHAIN = ("gauss-newton", "layers", "kfac", "diagonal")


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


def expected_factors(place: Place) -> list[LayerFactors]:
    r"""Give inputs and slopes of each layer in expectation over the labels of the model.

    With H_i = S_i S_i' of the loss of row i by its k outputs, the columns of (rows k)^(1/2) S_i
    stand for k rows: the mean of their outer products is what the mean over drawn labels tends to.
    It costs as much as k gradients, and k times the memory of `HessianAt.factors`.
    """
    at, curvature = place.lesson.given.at, place.lesson.given.curvature
    z, xp = at.outputs, place.problem.space.xp
    rows, k = z.shape[0], 1 if z.ndim == 1 else z.shape[1]
    units = xp.eye(k, dtype=z.dtype, device=place.problem.space.device)
    slopes: list[list[Array]] = []
    for j in range(k):
        t = z * 0.0 + (1.0 if z.ndim == 1 else units[j, ...])
        slopes.append(at.slopes(curvature.root_transposed(t) * math.sqrt(rows * k)))
    place.problem.oracle.counts.gradients += k
    found = []
    for i, (layer, a) in enumerate(zip(at.network.layers, at.inputs, strict=True)):
        inputs, columns = layer.with_ones(a), [layer.columns(part[i]) for part in slopes]
        found.append(LayerFactors(layer.span, xp.concat([inputs] * k), xp.concat(columns)))
    return found


def drawn_factors(place: Place, seeds: list[int | None]) -> list[LayerFactors]:
    """Give inputs and slopes of each layer for labels of several draws, as if each were rows."""
    xp, draws = place.problem.space.xp, [place.lesson.factors(seed) for seed in seeds]
    return [
        LayerFactors(
            parts[0].span,
            xp.concat([part.inputs for part in parts]),
            xp.concat([part.slopes for part in parts]),
        )
        for parts in zip(*draws, strict=True)
    ]
