"""The model with a tridiagonal matrix under a restraint, on the host in float64."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from hessx.core import saved
from hessx.krylov._secular import Secular

__all__ = ["Minimizer", "Pivots", "Tridiagonal"]


@dataclass(frozen=True, slots=True)
class Minimizer:
    """The h with (T + multiplier I) h = -gamma_1 e_1 under the restraint.

    Attributes
    ----------
    h : NumPy array, shape (k,)
        The minimiser.
    multiplier : float
        Not negative; 0 inside the region.
    slope : float
        gamma_1 h_1.
    least : float
        The least eigenvalue of T over the largest absolute one; 1 where T is known to be positive
        definite.
    """

    h: np.ndarray
    multiplier: float
    slope: float
    least: float = 1.0

    @property
    def last(self) -> float:
        """h_k."""
        return float(self.h[-1])

    @property
    def norm_square(self) -> float:
        """Of h: h'h."""
        return float(self.h @ self.h)

    @property
    def decrease(self) -> float:
        """-gamma_1 h_1 - h'Th / 2, by the equation of h."""
        return 0.5 * (self.multiplier * self.norm_square - self.slope)


@saved
@dataclass(slots=True)
class Tridiagonal:
    """T_k and gamma_1 of a Lanczos process: the problem min gamma_1 h_1 + h'Th / 2.

    Attributes
    ----------
    diagonal : list of float
        T_ii.
    norms : list of float
        gamma_1, then gamma_i = T_(i-1)i.
    """

    diagonal: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)

    def within(self, radius: float) -> Minimizer:
        """Minimise over norm(h) <= radius."""
        V, problem = self._spectrum()
        x, multiplier = problem.within(radius)
        return self._minimizer(V @ x, multiplier, problem.w)

    def cubic(self, sigma: float) -> Minimizer:
        """Minimise with sigma norm(h)^3 / 3 added: multiplier = sigma norm(h)."""
        V, problem = self._spectrum()
        x, multiplier = problem.cubic(sigma)
        return self._minimizer(V @ x, multiplier, problem.w)

    def _spectrum(self) -> tuple[np.ndarray, Secular]:
        """Give V, with T = V diag(w) V', and the problem with c = gamma_1 V'e_1."""
        side = self.norms[1:]
        w, V = np.linalg.eigh(np.diag(self.diagonal) + np.diag(side, 1) + np.diag(side, -1))
        return V, Secular(w, self.norms[0] * V[0], self.norms[0])

    def _minimizer(self, h: np.ndarray, multiplier: float, w: np.ndarray) -> Minimizer:
        least, size = float(w[0]), max(-float(w[0]), float(w[-1]))
        slope = self.norms[0] * float(h[0])
        return Minimizer(h, multiplier, slope, least / size if size else 0.0)


@dataclass(slots=True)
class Pivots:
    """The minimiser over R^k by T = L D L', while T is safely positive definite.

    That is CG: along c_k = e_k - l_k c_(k-1), with c_k'T c_k = d_k, the k-th step has length a_k.

    Attributes
    ----------
    pivot, curvature : float
        d_k, and the largest abs(d_i) / c_i'c_i.
    z : float
        (L^-1 (-gamma_1 e_1))_k = -gamma_1 c_k'e_1.
    c_c, h_c, h_h : float
        Products of c_k and the minimiser h.
    slope, decrease : float
        gamma_1 h_1, and the decrease of the model.
    lengths, factors : list of float
        a_i and l_i.
    """

    pivot: float = math.nan
    curvature: float = 0.0
    z: float = 0.0
    c_c: float = 0.0
    h_c: float = 0.0
    h_h: float = 0.0
    slope: float = 0.0
    decrease: float = 0.0
    lengths: list[float] = field(default_factory=list)
    factors: list[float] = field(default_factory=list)

    def turn(self, alpha: float, gamma: float, eps: float) -> bool:
        """Take T_kk and gamma_k, which give c_k; False where T has no safe minimum along it."""
        factor = 0.0
        if self.factors:
            factor = gamma / self.pivot
            self.z *= -factor
        else:
            self.z = -gamma
        self.factors.append(factor)
        self.pivot = alpha - factor * gamma
        self.c_c = 1.0 + factor * factor * self.c_c
        self.h_c *= -factor
        self.curvature = max(self.curvature, abs(self.pivot) / self.c_c)
        return self.pivot > eps * self.curvature * self.c_c

    def norm_square_at(self, a: float) -> float:
        """Norm of h + a c_k, squared."""
        return self.h_h + a * (2.0 * self.h_c + a * self.c_c)

    def length_to(self, radius: float) -> float:
        """The a with the sign of z and norm(h + a c_k) = radius, without cancellation."""
        sign = math.copysign(1.0, self.z)
        room, along = max(0.0, radius * radius - self.h_h), sign * self.h_c
        root = math.sqrt(along * along + self.c_c * room)
        return sign * (room / (along + root) if along > 0.0 else (root - along) / self.c_c)

    def go(self, a: float) -> None:
        """Move: h <- h + a c_k."""
        self.h_h = self.norm_square_at(a)
        self.h_c += a * self.c_c
        self.slope -= a * self.z
        self.decrease += a * (self.z - 0.5 * a * self.pivot)
        self.lengths.append(a)

    def minimizer(self) -> Minimizer:
        """Give h, from L'h = a."""
        return Minimizer(self._lift(self.lengths), 0.0, self.slope)

    def direction(self) -> np.ndarray:
        """Give c_k, from L'c = e_k."""
        return self._lift([0.0] * (len(self.factors) - 1) + [1.0])

    def _lift(self, a: list[float]) -> np.ndarray:
        """Solve L'h = a."""
        h = list(a)
        for i in range(len(h) - 2, -1, -1):
            h[i] -= self.factors[i + 1] * h[i + 1]
        return np.array(h)
