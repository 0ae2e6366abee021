"""Minimisers of the quadratic and the cubic through two points of a ray.

Each answers nan where its polynomial has no minimiser, so that one comparison with the safeguarding
interval settles every bad case.  Only products, quotients and square roots of ratios occur: scaling
f or alpha by a power of two scales the answer bitwise.
"""

from __future__ import annotations

import math

__all__ = ["clamp", "cubic_minimizer", "quadratic_minimizer", "secant_minimizer", "value_minimizer"]


def secant_minimizer(u: float, slope_u: float, v: float, slope_v: float) -> float:
    """Minimiser of the quadratic with the slopes slope_u at u and slope_v at v.

    v + slope_v / (slope_v - slope_u) * (u - v), from the point with the smaller slope, so that
    nothing cancels; nan where the slopes do not increase.

    Parameters
    ----------
    u, v : float
        Two different points.
    slope_u, slope_v : float
        The slopes there.

    Returns
    -------
    float
        The minimiser, or nan.

    Examples
    --------
    >>> secant_minimizer(0.0, -4.0, 1.0, -2.0)  # f = (alpha - 2)^2
    2.0
    """
    change = slope_v - slope_u
    if not change or (change > 0.0) is not (v > u):
        return math.nan
    if abs(slope_u) < abs(slope_v):
        return u - slope_u / change * (v - u)
    return v + slope_v / change * (u - v)


def quadratic_minimizer(
    u: float, value_u: float, slope_u: float, v: float, value_v: float
) -> float:
    """Minimiser of the quadratic with value_u and slope_u at u, and value_v at v.

    u + slope_u / (2 (slope_u - (value_v - value_u) / (v - u))) * (v - u); nan where the quadratic
    is not convex.

    Parameters
    ----------
    u, v : float
        Two different points.
    value_u, slope_u, value_v : float
        Value and slope at u, value at v.

    Returns
    -------
    float
        The minimiser, or nan.

    Examples
    --------
    >>> quadratic_minimizer(0.0, 4.0, -4.0, 1.0, 1.0)  # f = (alpha - 2)^2
    2.0
    """
    change = (value_u - value_v) / (v - u) + slope_u
    if not change or (change < 0.0) is not (v > u):
        return math.nan
    return u + slope_u / change / 2.0 * (v - u)


def cubic_minimizer(
    u: float, value_u: float, slope_u: float, v: float, value_v: float, slope_v: float
) -> float:
    """Local minimiser of the cubic with the given values and slopes at u and v.

    Moré & Thuente (1994, section 4): with theta = 3 (value_u - value_v) / (v - u) + slope_u +
    slope_v and gamma = sign(v - u) sqrt(theta^2 - slope_u slope_v), it is
    u + (gamma - slope_u + theta) / (2 gamma - slope_u + slope_v) * (v - u); nan where the cubic is
    monotone (Nocedal & Wright 2006, eq. 3.59).

    Parameters
    ----------
    u, v : float
        Two different points.
    value_u, slope_u, value_v, slope_v : float
        Values and slopes there.

    Returns
    -------
    float
        The minimiser, or nan.

    Examples
    --------
    >>> cubic_minimizer(0.0, 0.0, -3.0, 2.0, 2.0, 9.0)  # f = alpha^3 - 3 alpha
    1.0
    """
    theta = 3.0 * (value_u - value_v) / (v - u) + slope_u + slope_v
    scale = max(abs(theta), abs(slope_u), abs(slope_v))
    if not 0.0 < scale < math.inf:
        return math.nan
    square = (theta / scale) * (theta / scale) - (slope_u / scale) * (slope_v / scale)
    if not square > 0.0:
        return math.nan
    gamma = math.copysign(scale * math.sqrt(square), v - u)
    divisor = gamma - slope_u + gamma + slope_v
    return u + (gamma - slope_u + theta) / divisor * (v - u) if divisor else math.nan


def value_minimizer(slope_0: float, u: float, rise_u: float, v: float, rise_v: float) -> float:
    """Local minimiser of the cubic with slope_0 at 0 that rises by rise_u at u and rise_v at v.

    With f = f(0) + slope_0 alpha + b alpha^2 + a alpha^3 it is
    -slope_0 / (b + sqrt(b^2 - 3 a slope_0)); nan where that is no positive number
    (Nocedal & Wright 2006, section 3.5, in a form that does not cancel).

    Parameters
    ----------
    slope_0 : float
        The slope at 0.
    u, v : float
        Two different points > 0.
    rise_u, rise_v : float
        f(u) - f(0) and f(v) - f(0).

    Returns
    -------
    float
        The minimiser, or nan.

    Examples
    --------
    >>> value_minimizer(-3.0, 2.0, 2.0, 4.0, 52.0)  # f = alpha^3 - 3 alpha
    1.0
    """
    bend_u, bend_v = (rise_u / u - slope_0) / u, (rise_v / v - slope_0) / v
    a = (bend_v - bend_u) / (v - u)
    b = bend_u - a * u
    square = b * b - 3.0 * a * slope_0
    if not square >= 0.0:
        return math.nan
    divisor = b + math.sqrt(square)
    return -slope_0 / divisor if divisor > 0.0 else math.nan


def clamp(alpha: float, low: float, high: float) -> float:
    """The number of [low, high] nearest to alpha; ``high`` for nan.

    Parameters
    ----------
    alpha : float
        Any number.
    low, high : float
        The interval.

    Returns
    -------
    float
        In [low, high].

    Examples
    --------
    >>> clamp(float("nan"), 0.1, 0.5)
    0.5
    """
    if alpha < low:
        return low
    return alpha if alpha < high else high
