"""Secular equations: a quadratic in the basis of its eigenvectors, under a restraint.

On the host in float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["Secular"]

_EPS = float(np.finfo(np.float64).eps)
_TINY = float(np.finfo(np.float64).tiny)  # divides
_LARGEST = float(np.finfo(np.float64).max)
_NEWTON_STEPS = 100


@dataclass(frozen=True, slots=True)
class Secular:
    """The problem min c'x + sum of w_i x_i^2 / 2, with (w_i + multiplier) x_i = -c_i.

    Attributes
    ----------
    w : NumPy array, shape (k,)
        Eigenvalues, ascending.
    c : NumPy array, shape (k,)
        Coordinates of the gradient.
    norm : float
        That of c.
    """

    w: np.ndarray
    c: np.ndarray
    norm: float

    def within(self, radius: float) -> tuple[np.ndarray, float]:
        """Minimise over norm(x) <= radius; x and the multiplier, 0 inside.

        With d = multiplier + w_1, Newton's method on 1 / norm(c / (w - w_1 + d)) = 1 / radius from
        a d below the root: the left side is concave, so the iterates rise to the root and never
        pass it (Conn, Gould & Toint 2000, section 7.3).  In the hard case c_1 = 0 and no d > 0
        gives so long a step: the first eigenvector fills it up.
        """
        w, c = self.w, self.c
        least = float(w[0])
        if not float(np.max(np.abs(c))) < radius * _LARGEST:  # no curvature is felt within it
            return c * (-radius / self.norm if self.norm > 0.0 else 0.0), _LARGEST
        gap = w - least
        d = max(0.0, least, float(np.max(np.abs(c) / radius - gap)))
        for _ in range(_NEWTON_STEPS):
            poles = np.where(gap + d > 0.0, gap + d, math.inf)  # where 0, c = 0 too
            x = -c / poles
            norm = math.hypot(*x)  # the square of so long an x may be inf
            if norm <= radius * (1.0 + 4.0 * _EPS):
                break
            u = x / norm
            change = (norm / radius - 1.0) / float(u @ (u / poles))
            if not change > _EPS * d:
                break
            d += change
        if d == 0.0 > least:
            room = max(0.0, (radius - norm) * (radius + norm))
            x[0] = math.copysign(math.sqrt(room), -c[0])
        elif d > least:
            x *= radius / norm
        return x, d - least

    def cubic(self, sigma: float) -> tuple[np.ndarray, float]:
        """Minimise with sigma norm(x)^3 / 3 added: multiplier = sigma norm(x).

        With multiplier = base + t and base = max(0, -w_1), Newton's method on
        1 / norm(c / (w + base + t)) = sigma / (base + t) from a t below the root: the left side
        minus the right is concave and rises, so the iterates rise to the root and never pass it
        (Cartis, Gould & Toint 2011, section 6.1).  No component of x is longer than x, which
        gives the first t.  In the hard case norm(x) < base / sigma at t = 0, where c_1 = 0: the
        first eigenvector fills it up.
        """
        w, c = self.w, self.c
        base = max(0.0, -float(w[0]))
        gap, size = w + base, np.abs(c)
        # (base + t) (gap_i + t) >= sigma abs(c_i), and for the last gap with norm(c) too
        left, right = np.append(gap, gap[-1]), sigma * np.append(size, self.norm)
        over, middle = np.maximum(right - left * base, 0.0), left + base
        roots = 2.0 * over / np.where(over > 0.0, middle + np.sqrt(middle**2 + 4.0 * over), 1.0)
        t = max(float(np.max(roots)), 0.0 if base > 0.0 else _TINY)
        for _ in range(_NEWTON_STEPS):
            poles = np.where(gap + t > 0.0, gap + t, math.inf)  # where 0, c = 0 too
            x = -c / poles
            norm, multiplier = math.hypot(*x), base + t
            share = sigma * norm / multiplier
            if share <= 1.0 + 4.0 * _EPS:
                break
            u = x / norm
            change = (share - 1.0) / (float(u @ (u / poles)) + share / multiplier)
            if not change > _EPS * t:
                break
            t += change
        if t == 0.0:
            length = base / sigma
            room = max(0.0, (length - norm) * (length + norm))
            x[0] = math.copysign(math.sqrt(room), -c[0])
        return x, base + t
