"""Conjugate gradients as the books have them, in the library and precision of the arrays given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Steihaug", "conjugate_gradients", "steihaug"]


@dataclass
class Steihaug:
    """A truncated solve: the step, why it ended there, products, and the iterates on the way."""

    step: Any
    outcome: str
    products: int
    iterates: list[Any]
    directions: list[Any]


def steihaug(H, g, tolerance, limit, radius=np.inf, settled=False):
    """CG-Steihaug: Nocedal & Wright (2006), algorithm 7.2, with r'r formed at every step.

    With ``settled`` the end waits until the k-th step adds at most 1 / (2 k) of the decrease, or
    the residual is a hundredth of the tolerance.
    """
    z, r, p = 0.0 * g, g, -g
    decrease = 0.0
    iterates, directions = [], []

    def norm(v):
        return (v @ v) ** 0.5

    def ended(step, outcome):
        return Steihaug(step, outcome, len(directions), iterates, directions)

    while len(directions) < limit:
        directions.append(p)
        curvature = p @ (H @ p)
        if curvature <= 0.0:
            tau = _to_boundary(z, p, radius) if np.isfinite(radius) else 0.0
            return ended(z + tau * p, "negative curvature")
        alpha = r @ r / curvature
        if norm(z + alpha * p) >= radius:
            return ended(z + _to_boundary(z, p, radius) * p, "boundary")
        z = z + alpha * p
        iterates.append(z)
        r, before = r + alpha * (H @ p), r
        gain = alpha * (before @ before) / 2.0
        decrease += gain
        deep = norm(r) <= tolerance / 100.0
        added_little = not settled or deep or 2.0 * len(directions) * gain <= decrease
        if norm(r) <= tolerance and added_little:
            return ended(z, "solved")
        p = -r + (r @ r) / (before @ before) * p
    return ended(z, "limit of products")


def conjugate_gradients(H, g, steps):
    """The first iterates of CG for H z = -g: Nocedal & Wright (2006), algorithm 5.2."""
    return steihaug(H, g, 0.0, steps).iterates


def _to_boundary(z, p, radius):
    """The positive root tau of norm(z + tau p) = radius."""
    return max(np.roots([p @ p, 2.0 * (z @ p), z @ z - radius**2]).real)
