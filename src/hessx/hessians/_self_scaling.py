"""Factors by which B is sized before a pair changes it, from b = s'Bs / s'y and h = y'Ay / s'y."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

__all__ = ["SCALINGS", "al_baali_khalfan"]

_TINY = sys.float_info.min  # divides


def _none(b: float, h: float, *, early: bool) -> float:  # noqa: ARG001
    """Leave B as it is."""
    return 1.0


def _oren_luenberger(b: float, h: float, *, early: bool) -> float:  # noqa: ARG001
    """Size by s'y / s'Bs: the curvature along s before and after is the same."""
    return 1.0 / b if _TINY <= b < math.inf else 1.0  # nan, or out of range


def _al_baali(b: float, h: float, *, early: bool) -> float:
    """Do the same, where it makes B smaller."""
    return min(1.0, _oren_luenberger(b, h, early=early))


def _growing(b: float, h: float, *, early: bool) -> float:
    """Let A grow at once, by s'y / y'Ay, where it is early and A too small along y."""
    return h if early and 0.0 < h < 1.0 else _al_baali(b, h, early=early)


SCALINGS: dict[str, Callable[..., float]] = {
    "growing": _growing,
    "al-baali": _al_baali,
    "oren-luenberger": _oren_luenberger,
    "none": _none,
}


def al_baali_khalfan(b: float, h: float, n: int) -> tuple[float, float]:
    """Choose the factor tau and the parameter phi of the self-scaling Broyden method.

    Parameters
    ----------
    b, h : float
        s'Bs / s'y and y'Ay / s'y.
    n : int
        Variables.

    Returns
    -------
    tau, phi : float
        B+ = tau (B - B s s'B / s'Bs + phi s'Bs w w') + y y' / s'y, w = y / s'y - B s / s'Bs.
        Those of BFGS, 1 and 0, where b h is unknown or out of range.

    References
    ----------
    Al-Baali & Khalfan (2005), Wide interval for efficient self-scaling quasi-Newton algorithms,
    Optim. Methods Softw. 20; Urban, Stefanou & Pons (2025), Unveiling the optimization process of
    physics informed neural networks, J. Comput. Phys. 523, which takes 1 / (1 - n) for the power.
    """
    if not 0.0 < b * h < math.inf:
        return 1.0, 0.0
    a = max(b * h - 1.0, 0.0)  # >= 0 by Cauchy and Schwarz
    rho = min(1.0, h / (1.0 + a) / (1.0 + math.sqrt(a / (1.0 + a))))
    least = (rho - 1.0) / a if a > 0.0 else -math.inf
    phi = max(least, min(1.0 / rho, (1.0 - b) / b))
    sigma = 1.0 + a * phi
    size = sigma ** (1.0 / (1.0 - n)) if n > 1 and sigma > 0.0 else 1.0
    scale = min(1.0, 1.0 / b)
    tau = min(scale * size, sigma) if phi <= 0.0 else scale * min(size, 1.0 / phi)
    return tau, phi
