"""Factors by which B is sized before a pair changes it, from b = s'Bs / s'y and h = y'Ay / s'y."""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["SCALINGS", "al_baali_khalfan"]


def _oren_luenberger(b: float, h: float, *, early: bool) -> float:  # noqa: ARG001
    """Size by s'y / s'Bs: the curvature along s before and after is the same."""
    return 1.0 if math.isnan(b) else 1.0 / b


def _al_baali(b: float, h: float, *, early: bool) -> float:  # noqa: ARG001
    """Do the same, where it makes B smaller."""
    return 1.0 if math.isnan(b) else min(1.0, 1.0 / b)


def _growing(b: float, h: float, *, early: bool) -> float:  # noqa: ARG001
    """Size by y'Ay / s'y, where it makes B smaller: A grows in the first pairs."""
    return h if early and h < 1.0 else 1.0


SCALINGS: dict[str, Callable[..., float]] = {
    "growing": _growing,
    "oren-luenberger": _oren_luenberger,
    "al-baali": _al_baali,
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

    References
    ----------
    Al-Baali & Khalfan (2005), Wide interval for efficient self-scaling quasi-Newton algorithms,
    Optim. Methods Softw. 20; Urban, Stefanou & Pons (2025), Unveiling the optimization process of
    physics informed neural networks, J. Comput. Phys. 523, which takes 1 / (1 - n) for the power.
    """
    a = max(b * h - 1.0, 0.0)  # >= 0 by Cauchy and Schwarz
    rho = min(1.0, h / (1.0 + a) / (1.0 + math.sqrt(a / (1.0 + a))))
    least = (rho - 1.0) / a if a > 0.0 else -math.inf
    phi = max(least, min(1.0 / rho, (1.0 - b) / b))
    sigma = 1.0 + a * phi
    size = sigma ** (1.0 / (1.0 - n)) if n > 1 and sigma > 0.0 else 1.0
    scale = min(1.0, 1.0 / b)
    tau = min(scale * size, sigma) if phi <= 0.0 else scale * min(size, 1.0 / phi)
    return tau, phi
