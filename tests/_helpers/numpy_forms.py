"""The forms in which users of NumPy and SciPy give numbers, besides arrays of x's dtype."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

__all__ = ["FORMS", "Series"]


class Series:
    """What pandas and its like give: no array, and becomes one when asked."""

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self.values, dtype=dtype)


def _of(make: Callable[[Any], Any]) -> Callable[[np.ndarray], Any]:
    """Nested lists of Python objects."""

    def nested(a: Any) -> Any:
        return [nested(b) for b in a] if np.ndim(a) else make(float(a))

    return nested


def _library(name: str) -> Callable[[np.ndarray], Any]:
    return lambda a: pytest.importorskip(name).asarray(a)


FORMS: dict[str, Callable[[np.ndarray], Any]] = {
    "list": lambda a: a.tolist(),
    "tuple": lambda a: tuple(a),
    "integers": lambda a: np.asarray(a, int),
    "float32": lambda a: a.astype(np.float32),
    "longdouble": lambda a: a.astype(np.longdouble),
    "big-endian": lambda a: a.astype(">f8"),
    "np.matrix": lambda a: np.asarray(a).view(np.matrix),
    "masked": lambda a: np.ma.array(a),
    "Series": Series,
    "list of NumPy numbers": lambda a: [*a],
    "strided": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "read-only": lambda a: np.broadcast_to(a, (2, *a.shape))[0],
    "objects": lambda a: a.astype(object),
    "fractions": _of(Fraction),
    "decimals": _of(Decimal),
    "torch": _library("torch"),
    "strict": _library("array_api_strict"),
}
