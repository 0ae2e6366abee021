"""Expressions on entries that a library may have in fewer operations, or with waits to avoid."""

from __future__ import annotations

from typing import Any

import array_api_compat as compat

from hessx._xp._namespace import Array

__all__ = ["bounded", "ema", "moved", "sign"]


def ema(beta: Any, m: Array, g: Array) -> Array:
    """Give beta m + (1 - beta) g, an exponential moving average."""
    if compat.is_torch_array(m):
        return m.lerp(g, 1.0 - beta)
    return m * beta + g * (1.0 - beta)


def moved(x: Array, rate: Any, d: Array) -> Array:
    """Give x - rate d; the rate is a float or a 0-d array."""
    if compat.is_torch_array(x) and isinstance(rate, float):
        return x.sub(d, alpha=rate)
    return x - d * rate


def sign(xp: Any, a: Array) -> Array:
    """Give -1, 0 or 1, and nan for nan.

    array_api_compat's sign writes by a mask on torch and CuPy, where the library's own takes nan
    for 0.
    """
    if compat.is_torch_array(a) or compat.is_cupy_array(a):
        return xp.where(a > 0, xp.ones_like(a), xp.where(a < 0, -xp.ones_like(a), a))
    return xp.sign(a)


def bounded(xp: Any, a: Array, low: float | None, high: float | None) -> Array:
    """Give max(low, min(a, high)), and nan for nan; None is no bound."""
    if compat.is_torch_array(a):
        return a.clamp(low, high)
    a = a if high is None else xp.minimum(a, high)
    return a if low is None else xp.maximum(a, low)
