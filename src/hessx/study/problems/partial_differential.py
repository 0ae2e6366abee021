"""Partial differential equations on a square: a surface of least area, and a reaction."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from hessx.study.backends import Backend
from hessx.study.posed import Known, Tag
from hessx.study.problems.family import Family
from hessx.study.problems.jets import Jet, exp, sqrt
from hessx.study.problems.places import Grid
from hessx.study.problems.separable import Elements

__all__ = ["PARTIAL_DIFFERENTIAL"]

_REACH = 1.2  # of Scherk's surface, which ends at pi / 2
_REACTION = 6.0  # of Bratu's problem, which has no solution above 6.808
_CELL = ((0, 0), (0, 1), (1, 0), (1, 1))
_STAR = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))


def _area(n: int, backend: Backend) -> list[Elements]:
    """Two triangles for each cell, between the values of Scherk's surface on the boundary."""
    side = math.isqrt(n)
    t = np.linspace(-_REACH, _REACH, side + 2)
    h2 = float(t[1] - t[0]) ** 2
    frame = np.log(np.cos(t) / np.cos(t)[:, None])
    frame[1:-1, 1:-1] = 0.0

    def formula(u: Sequence[Jet]) -> Sequence[Jet]:
        a, b, c, d = u
        upper = sqrt(((a - b) ** 2 + (a - c) ** 2) / h2 + 1.0)
        lower = sqrt(((d - b) ** 2 + (d - c) ** 2) / h2 + 1.0)
        return [(upper + lower) * (0.5 * h2)]

    return [Elements(Grid(backend, side, side, _CELL, frame), formula, squared=False)]


def _bratu(n: int, backend: Backend) -> list[Elements]:
    """Each node with its four neighbours, zero on the boundary."""
    side = math.isqrt(n)
    weight = _REACTION / (side + 1.0) ** 2

    def formula(u: Sequence[Jet]) -> Sequence[Jet]:
        x, above, below, left, right = u
        return [4.0 * x - above - below - left - right - weight * exp(x)]

    frame = np.zeros((side + 2, side + 2))
    return [Elements(Grid(backend, side, side, _STAR, frame), formula)]


PARTIAL_DIFFERENTIAL = {
    "minimal-surface": Family(
        "Minimal surface",
        "Area over a square grid, two triangles a cell, Scherk's surface log(cos(y) / cos(x)) on "
        f"the boundary of abs(x), abs(y) <= {_REACH:g}, from 0.",
        "Averick, Carter, Moré & Xue 1992, MINPACK-2, section 4.3",
        _area,
        (0.0,),
        n=900,
        known=(Known.PATTERN,),
        tags=(Tag.CONVEX, Tag.PDE),
        optimum=None,
        square=True,
    ),
    "bratu": Family(
        "Bratu",
        f"Squares of h² (-Δu - {_REACTION:g} exp(u)), five points, u = 0 on the boundary of the "
        "unit square, from 0.",
        "Averick, Carter, Moré & Xue 1992, MINPACK-2, section 3.7",
        _bratu,
        (0.0,),
        n=400,
        tags=(Tag.NONCONVEX, Tag.PDE),
        square=True,
    ),
}
