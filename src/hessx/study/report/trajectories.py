"""Paths in the plane over the level sets of f."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hessx._xp import fetch, space_of
from hessx.study.backends import open_backend
from hessx.study.problems import PROBLEMS
from hessx.study.records import PLAIN, Row
from hessx.study.report.embedding import short

__all__ = ["trajectories_of"]

_GRID = 56  # points along each side
_MARGIN = 0.15  # of the width, around the paths
_SHARE = 0.9  # of the points that the picture is made for: a method may go astray


def trajectories_of(rows: Sequence[Row]) -> dict[str, Any]:
    """Give, by problem, f on a grid around the paths, and the paths by the place of their row."""
    found: dict[str, dict[int, tuple[list[float], list[float]]]] = {}
    for i, row in enumerate(rows):
        if row.curve.x0 and row.feature == PLAIN:
            found.setdefault(row.problem, {})[i] = row.curve.x0, row.curve.x1
    return {
        name: _contours(name, list(paths.values()))
        | {"paths": {i: [_shortened(x), _shortened(y)] for i, (x, y) in paths.items()}}
        for name, paths in found.items()
        if name in PROBLEMS
    }


def _contours(name: str, paths: Sequence[tuple[list[float], list[float]]]) -> dict[str, Any]:
    """Evaluate f; levels are to be taken of log(f - least)."""
    x, y = (_side([path[axis] for path in paths]) for axis in (0, 1))
    posed = PROBLEMS[name].pose(open_backend("numpy", "float64"))
    space = space_of(posed.x0)
    with np.errstate(all="ignore"):
        values = [[posed.fun(np.array([a, b]))[0] for a in x] for b in y]
    (heights,), _ = fetch(space, [np.asarray(values)])
    return {"x": _shortened(x), "y": _shortened(y), "f": [_shortened(line) for line in heights]}


def _side(paths: Sequence[Sequence[float]]) -> list[float]:
    """Spread points over the starts, the middle of all points, and a margin."""
    known = sorted(p for path in paths for p in path if math.isfinite(p))
    cut = round((1.0 - _SHARE) / 2 * len(known))
    starts = [path[0] for path in paths]
    low, high = min(known[cut], *starts), max(known[len(known) - 1 - cut], *starts)
    margin = _MARGIN * (high - low) or 1.0
    return list(map(float, np.linspace(low - margin, high + margin, _GRID)))


def _shortened(column: Sequence[float]) -> list[float | None]:
    return [short(float(x), 5) for x in column]
