"""Numbers in a page: short, and packed."""

from __future__ import annotations

import base64
import gzip
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from hessx.study.records import CURVE_POINTS, PLAIN, Curve, Row

__all__ = ["curves_of", "finite", "packed", "short", "table_of"]

_FIELDS = tuple(f.name for f in fields(Row) if f.name != "curve")
_POINTS = (CURVE_POINTS, 120, 60, 30, 15)  # of a curve, as far as there is room


def table_of(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Give rows without curves, column by column."""
    return {name: [finite(getattr(row, name)) for row in rows] for name in _FIELDS}


def curves_of(
    rows: Sequence[Row], best: Mapping[str, float], room: int
) -> list[dict[str, list[Any]] | None]:
    """Give the curve of each row, or None; of values what they are above the best.

    Parameters
    ----------
    rows : sequence of Row
    best : mapping
        The best value of each problem.
    room : int
        Bytes, packed; for more the curves are thinned, and then those of features left out.
    """
    for most in _POINTS:
        found = [
            _columns(row.curve.thinned(most), best[row.problem]) if len(row.curve) else None
            for row in rows
        ]
        if len(packed(found)) <= room:
            return found
    return [
        curve if row.feature == PLAIN and row.seed == 0 else None
        for row, curve in zip(rows, found, strict=True)
    ]


def packed(data: Any) -> str:
    """Write as JSON, compressed, in letters: the same bytes for the same data."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def short(x: float, digits: int = 4) -> float | None:
    """Round to so many digits; None for what JSON has no number for."""
    if isinstance(x, int) or not math.isfinite(x):
        return x if isinstance(x, int) else None
    return float(f"{x:.{digits}g}")


def finite(x: Any) -> Any:
    """Leave all as it is but floats that are not finite, which become None."""
    return None if isinstance(x, float) and not math.isfinite(x) else x


def _columns(curve: Curve, best: float) -> dict[str, list[Any]]:
    return {
        "iteration": curve.iteration,
        "evaluation": [short(x) for x in curve.evaluation],
        "product": [short(x) for x in curve.product],
        "fetch": curve.fetch,
        "second": [short(x) for x in curve.second],
        "gap": [short(max(x - best, 0.0)) if math.isfinite(x) else None for x in curve.value],
        "grad_norm": [short(x) for x in curve.grad_norm],
    }
