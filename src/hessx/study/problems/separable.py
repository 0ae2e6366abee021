"""Partially separable functions: sums of elements of few variables each, or of their squares."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from hessx.operators import Pattern
from hessx.study.backends import Backend, open_backend
from hessx.study.posed import Posed
from hessx.study.problems.jets import Jet, join
from hessx.study.problems.places import Places, Whole

__all__ = ["Elements", "pose"]

_ROOT_2 = math.sqrt(2.0)  # f is the sum of squares, and not half of it


@dataclass(frozen=True)
class Elements:
    """The sum of a formula's values over elements, or of their squares.

    Attributes
    ----------
    places : Places
        Where the variables are.
    formula : callable
        ``formula(u, *data)`` gives jets of the variables u.
    data : tuple of arrays
        Numbers of the formula.
    squared : bool
        Whether the squares are summed.
    """

    places: Places
    formula: Callable[..., Sequence[Jet]]
    data: tuple[Any, ...] = ()
    squared: bool = True

    def at(self, x: Any, order: int) -> Jet:
        """Give all values, with derivatives up to an order."""
        jets = self.formula(self.places.variables(x, order), *self.data)
        return join(jets, self.places.N)

    def value_and_grad(self, x: Any) -> tuple[Any, Any]:
        """Give the sum and its gradient."""
        xp, jet = self.places.xp, self.at(x, 1)
        if self.squared:
            r = jet.value
            return r @ r, self.places.scatter(self.folded(2.0 * r * jet.first))
        return xp.sum(jet.value), self.places.scatter(self.folded(jet.first))

    def blocks(self, x: Any) -> Any:
        """Give the second derivatives by the variables of each element, shape (k, k, N)."""
        jet = self.at(x, 2)
        if not self.squared:
            return self.folded(jet.second)
        J = jet.first
        return self.folded(2.0 * (J[:, None, :] * J[None, :, :] + jet.value * jet.second))

    def folded(self, a: Any) -> Any:
        """Sum what belongs to one element: (..., M) becomes (..., N)."""
        xp, N = self.places.xp, self.places.N
        if a.shape[-1] == N:
            return a
        return xp.sum(xp.reshape(a, (*a.shape[:-1], -1, N)), axis=-2)


def pose(
    backend: Backend,
    start: Any,
    elements: Callable[[Backend], Sequence[Elements]],
    constant: bool = False,
) -> Posed:
    """Pose the sum of groups of elements; of squares alone with its residuals.

    Parameters
    ----------
    backend : Backend
        Where to.
    start : array_like, shape (n,)
        The start.
    elements : callable
        ``elements(backend)`` gives the groups.
    constant : bool
        Whether the Hessian is the same everywhere.
    """
    groups = elements(backend)

    def fun(x: Any) -> tuple[Any, Any]:
        value, grad = groups[0].value_and_grad(x)
        for group in groups[1:]:
            more = group.value_and_grad(x)
            value, grad = value + more[0], grad + more[1]
        return value, grad

    @backend.compiled
    def blocks_at(x: Any) -> list[Any]:
        return [group.blocks(x) for group in groups]

    @backend.compiled
    def product_of(blocks: list[Any], v: Any) -> Any:
        total = None
        for group, block in zip(groups, blocks, strict=True):
            places = group.places
            local = places.xp.sum(block * places.gather(v)[None, :, :], axis=1)
            part = places.scatter(local)
            total = part if total is None else total + part
        return total

    def hess(x: Any) -> Callable[[Any], Any]:
        return partial(product_of, blocks_at(x))

    def dense() -> Any:
        product, units = hess(x0), backend.asarray(np.eye(len(start)))
        return backend.xp.stack([product(units[i, :]) for i in range(len(start))])

    x0 = backend.asarray(start)
    sparse = all(g.places.sparse and not isinstance(g.places, Whole) for g in groups)
    return Posed(
        backend.compiled(fun),
        x0,
        hess,
        constant_hessian=dense if constant else None,
        pattern=_pattern(elements, len(start)) if sparse else None,
        residual=_residual(backend, groups) if all(group.squared for group in groups) else None,
    )


def _residual(backend: Backend, groups: Sequence[Elements]) -> Callable[[Any], tuple[Any, Any]]:
    """Give residuals with their Jacobian: dense where each depends on all variables."""
    xp = backend.xp

    @backend.compiled
    def linearised(x: Any) -> tuple[Any, list[Any]]:
        jets = [group.at(x, 1) * _ROOT_2 for group in groups]
        return xp.concat([jet.value for jet in jets]), [jet.first for jet in jets]

    @backend.compiled
    def jvp(slopes: list[Any], v: Any) -> Any:
        moved = []
        for group, slope in zip(groups, slopes, strict=True):
            k, N = group.places.k, group.places.N
            J = xp.reshape(slope, (k, -1, N))
            along = xp.sum(J * group.places.gather(v)[:, None, :], axis=0)
            moved.append(xp.reshape(along, (-1,)))
        return xp.concat(moved)

    @backend.compiled
    def vjp(slopes: list[Any], u: Any) -> Any:
        total, begin = None, 0
        for group, slope in zip(groups, slopes, strict=True):
            end = begin + slope.shape[-1]
            part = group.places.scatter(group.folded(slope * u[begin:end]))
            total, begin = part if total is None else total + part, end
        return total

    def residual(x: Any) -> tuple[Any, Any]:
        r, slopes = linearised(x)
        if isinstance(groups[0].places, Whole):
            return r, xp.permute_dims(slopes[0], (1, 0))
        return r, (partial(jvp, slopes), partial(vjp, slopes))

    return residual


def _pattern(elements: Callable[[Backend], Sequence[Elements]], n: int) -> Pattern:
    """Find where second derivatives are not zero, at a point at which none is so by chance."""
    point = np.random.default_rng(0).uniform(0.5, 1.5, n)
    rows, columns = [], []
    for group in elements(open_backend("numpy", "float64")):
        which = group.places.gather(np.arange(1.0, n + 1.0)).astype(int) - 1  # -1: no variable
        with np.errstate(all="ignore"):
            block = np.broadcast_to(group.blocks(point), (len(which), *which.shape))
        i, j = np.broadcast_arrays(which[:, None, :], which[None, :, :])
        there = (block != 0.0) & (i >= 0) & (j >= 0)
        rows.append(i[there])
        columns.append(j[there])
    return Pattern.of((np.concatenate(rows), np.concatenate(columns)), n)
