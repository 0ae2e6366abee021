"""B = I / gamma, with gamma from the last pair."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx._xp import Array
from hessx.core import Frame, Offer, Pair, saved, store_choice
from hessx.hessians._family import Approximation, Curvature
from hessx.operators import DiagonalOperator

__all__ = ["Spectral", "SpectralCurvature"]

_KAPPA = 0.5  # of cos(s, y)^2, the short gamma over the long one


@saved
class SpectralCurvature(Curvature):
    """I / gamma; I until the first pair."""

    __slots__ = ("frame", "gamma", "pairs", "variant")

    def __init__(self, frame: Frame, variant: str) -> None:
        self.frame, self.variant = frame, variant
        self.gamma, self.pairs = 1.0, 0

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Whether a pair is known."""
        return self.pairs > 0

    @property
    def sized(self) -> bool:  # type: ignore[override]
        """Whether gamma is that of a pair."""
        return self.pairs > 0

    def update(self, pair: Pair) -> str:
        """Take gamma from the pair, unless s'y is rounding."""
        space, s_y, s, y = self.frame.space, pair.s_y, math.sqrt(pair.s_s), math.sqrt(pair.y_y)
        if not max(space.eps * (s * y), space.smallest) < abs(s_y) < math.inf:
            return "skipped"
        gamma = self._size(pair.s_s / s_y, s_y / pair.y_y) if s_y > 0.0 else s / y
        if not 1.0 / space.largest < gamma < space.largest:
            return "skipped"
        self.gamma = gamma
        self.pairs += 1
        return "" if s_y > 0.0 else "damped"

    def _size(self, long: float, short: float) -> float:
        """Choose; the first of alternating ones is the long one."""
        match self.variant:
            case "long":
                return long
            case "short":
                return short
            case "alternating":
                return short if self.pairs % 2 else long
        return short if short < _KAPPA * long else long

    def reset(self) -> bool:
        """Forget gamma."""
        had = self.active
        self.gamma, self.pairs = 1.0, 0
        return had

    def direction(self, g: Array, g_g: float) -> tuple[Array, float]:
        """-gamma g, whose slope is known."""
        return g * -self.gamma, -self.gamma * g_g

    def solve(self, v: Array) -> Array:
        """Multiply by gamma."""
        return v * self.gamma

    def matvec(self, v: Array) -> Array:
        """Divide by gamma."""
        return v / self.gamma

    def solve_shifted(self, v: Array, sigma: float) -> Array:
        """Give v / (1 / gamma + sigma)."""
        return v / (1.0 / self.gamma + sigma)

    def dense(self) -> Array:
        """I / gamma, shape (n, n)."""
        space = self.frame.space
        return space.xp.eye(space.n, dtype=space.dtype, device=space.device) / self.gamma

    def diagonal(self) -> Array:
        """1 / gamma, n times."""
        return self._times(1.0 / self.gamma)

    def operator(self, *, inverse: bool) -> DiagonalOperator:
        """Gamma I or I / gamma in x."""
        frame = self.frame
        if inverse:
            return DiagonalOperator(frame.diagonal(self._times(self.gamma)))
        return DiagonalOperator(frame.inverse_diagonal(self.diagonal()))

    def _times(self, size: float) -> Array:
        space = self.frame.space
        return space.zeros(space.n) + size


@saved
@dataclass(frozen=True, slots=True)
class Spectral(Approximation):
    r"""B = I / gamma, the multiple of I that is nearest to the secant equation B s = y.

    ============= ===============================================================================
    variant       gamma
    ============= ===============================================================================
    "long"        s's / s'y: least norm(s / gamma - y)
    "short"       s'y / y'y: least norm(s - gamma y)
    "alternating" the long one and the short one in turn
    "adaptive"    the short one where it is less than half of the long one, else the long one
    ============= ===============================================================================

    Where s'y < 0, gamma is norm(s) / norm(y), the geometric mean of the long one's and the short
    one's size, and the pair is "damped": a gamma that stayed as it was might be far too small.
    Where abs(s'y) <= eps norm(s) norm(y), the pair is "skipped".  Without a pair B is I, without a
    size.

    It is the step of Barzilai and Borwein as an approximation: alpha = 1 is natural, and it goes
    into every line search, region and preconditioner.  The rule `BarzilaiBorwein` is the same step
    as an alpha, on top of any A that is fixed, with a bound of its own for the values of f.
    ``LineSearchMethod(Spectral("long"), NonMonotone(Armijo()))`` and
    ``LineSearchMethod(Identity(), BarzilaiBorwein("long"))`` take the same steps as long as s'y > 0
    and each first trial is accepted.

    Parameters
    ----------
    variant : {"alternating", "long", "short", "adaptive"}
        Which gamma.

    Raises
    ------
    SettingsError
        Another variant.

    Notes
    -----
    f rises at times, from which the steps have their speed: in a line search it belongs with
    `NonMonotone`; one for Wolfe points takes two to four times as many evaluations.  Memory: no
    vector of its own.  Cost: s'y, y'y and s's per trial, in its one fetch.

    References
    ----------
    Barzilai & Borwein (1988), Two-point step size gradient methods, IMA J. Numer. Anal. 8, eqs. (5)
    and (6); Raydan (1997), SIAM J. Optim. 7, for the non-monotone search; Dai & Fletcher (2005),
    Projected Barzilai-Borwein methods for large-scale box-constrained quadratic programming, Numer.
    Math. 100, for taking them in turn; Zhou, Gao & Dai (2006), Gradient methods with adaptive
    step-sizes, Comput. Optim. Appl. 35, for the adaptive choice, with kappa = 1/2; Dai, Al-Baali &
    Yang (2015), A positive Barzilai-Borwein-like stepsize and an extension for symmetric linear
    systems, for s'y < 0.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> h = np.array([1.0, 10.0, 100.0])
    >>> line = hessx.LineSearchMethod(hessx.Spectral(), hessx.NonMonotone())
    >>> region = hessx.TrustRegionMethod(hessx.Spectral())
    >>> for method in (line, region):
    ...     result = hessx.minimize(lambda x: ((h * x) @ x / 2, h * x), np.ones(3), jac=True,
    ...                             method=method)
    ...     print(result.success)
    True
    True
    """

    variant: str = "alternating"
    offers = Offer.SOLVE | Offer.MATVEC | Offer.SHIFTED | Offer.DENSE | Offer.DIAGONAL

    def __post_init__(self) -> None:
        store_choice(self, "variant", "long", "short", "alternating", "adaptive")

    def begin(self, frame: Frame) -> SpectralCurvature:
        """Begin with I, until a pair gives gamma."""
        return SpectralCurvature(frame, self.variant)
