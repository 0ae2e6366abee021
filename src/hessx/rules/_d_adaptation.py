"""D-adaptation: rates from a lower bound on the distance from x0 to the solution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, divisor, ema
from hessx.core import check_flag, saved, store_real
from hessx.rules._adam import check_moments
from hessx.rules._free import first_estimate
from hessx.rules._rule import Arrays, Coefficients, Rule

__all__ = ["DAdaptAdam", "DAdaptSGD"]


def _larger(xp: Any, D: Array, found: Array, over: Array, growth: float) -> Array:
    """Give max(D, min(found / over, growth D)); D where over is 0 or found is nan."""
    grown = xp.where(found > D * over, found / divisor(xp, over), D)
    return grown if growth == math.inf else xp.minimum(grown, D * growth)


@saved
@dataclass(frozen=True, slots=True)
class DAdaptSGD(Rule):
    """Gradient descent with an estimate D of the distance from x0 to the solution as its rate.

        lambda = D / norm(g_1);   w = momentum w + lambda g,   d = (1 - momentum) w
        r = r + lambda g's,   s = s + lambda g,   D+ = max(D, min(2 r / norm(s), growth D))

    Parameters
    ----------
    momentum : float
        In [0, 1).
    d0 : float
        The first estimate, > 0, in units of x.
    growth : float
        Of D from step to step, > 1; inf is no bound.

    Raises
    ------
    SettingsError
        A number outside its range.

    Notes
    -----
    For a rate of 1, or a schedule about 1, which the estimate does not see.  w is z - x of the
    paper's form with an average, x+ = momentum x + (1 - momentum) z.  Memory: s, and w.  Cost: 10
    passes over vectors, no fetch.

    References
    ----------
    Defazio & Mishchenko (2023), Learning-rate-free learning by D-adaptation, ICML, algorithm 4.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Chain, DAdaptSGD
    >>> x = np.array([3.0, -4.0])
    >>> chain = Chain.begin(DAdaptSGD(), space_of(x), x)
    >>> for t in range(1, 201):
    ...     x = chain.step(t, x, x, rate=1.0)
    >>> bool(abs(x).max() < 0.1)
    True
    """

    momentum: float = 0.0
    d0: float = 1e-6
    growth: float = math.inf

    def __post_init__(self) -> None:
        store_real(self, "momentum", 0.0, 1.0, "[)")
        store_real(self, "d0", 0.0)
        store_real(self, "growth", 1.0, ends="(]")

    @property
    def slots(self) -> tuple[str, ...]:
        """The sum s, and w where there is momentum."""
        return ("s", "w") if self.momentum else ("s",)

    def measure(
        self, xp: Any, before: Arrays, k: Coefficients, g: Array, x: Array, *slots: Array
    ) -> Arrays:
        """Give lambda, D+, r and norm(g_1), of the first gradient that is not 0."""
        s, g_s = slots[0], g @ slots[0]
        zero = xp.zeros_like(g_s)
        _, D, r, first = before or (None, first_estimate(xp, g_s, self.d0), zero, zero)
        first = xp.where(first > 0, first, xp.sqrt(g @ g))
        rate = xp.where(first > 0, D / divisor(xp, first), zero)
        r = r + rate * g_s
        s = s + g * rate
        return rate, _larger(xp, D, 2.0 * r, xp.sqrt(s @ s), self.growth), r, first

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, *slots: Array) -> Arrays:
        """Move s and w."""
        moved = g * k[0]
        s = slots[0] + moved
        if not self.momentum:
            return moved, s
        w = slots[1] * self.momentum + moved
        return w * (1.0 - self.momentum), s, w


@saved
@dataclass(frozen=True, slots=True)
class DAdaptAdam(Rule):
    """Adam with an estimate D of the distance from x0 to the solution as its rate.

        m = beta1 m + (1 - beta1) c D g,   v = beta2 v + (1 - beta2) g^2,   d = m / (sqrt(v) + eps)
        r = b r + (1 - b) c D g'(s / (sqrt(v) + eps)),   s = b s + (1 - b) c D g,   b = sqrt(beta2)
        D+ = max(D, min(r / ((1 - b) norm_1(s)), growth D))

    with the v of before in r; c is 1, or sqrt(1 - beta2^t) / (1 - beta1^t) with the correction of
    bias.

    Parameters
    ----------
    beta1, beta2 : float
        In [0, 1).
    eps : float
        In units of g, > 0: v is 0 at first.
    d0 : float
        The first estimate, > 0, in units of x.
    growth : float
        Of D from step to step, > 1; inf is no bound.
    bias_correction : bool
        As Adam's.

    Raises
    ------
    SettingsError
        A setting outside its range.

    Notes
    -----
    For a rate of 1, or a schedule about 1, which the estimate does not see.  Memory: m, v and s.
    Cost: 25 passes over vectors, no fetch.

    References
    ----------
    Defazio & Mishchenko (2023), Learning-rate-free learning by D-adaptation, ICML, algorithm 5.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Chain, DAdaptAdam
    >>> x = np.array([3.0, -4.0])
    >>> chain = Chain.begin(DAdaptAdam(), space_of(x), x)
    >>> for t in range(1, 201):
    ...     x = chain.step(t, x, x, rate=1.0)
    >>> bool(abs(x).max() < 0.5)
    True
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    d0: float = 1e-6
    growth: float = math.inf
    bias_correction: bool = False

    slots = ("m", "v", "s")

    def __post_init__(self) -> None:
        check_moments(self)
        store_real(self, "eps", 0.0)
        store_real(self, "d0", 0.0)
        store_real(self, "growth", 1.0, ends="(]")
        check_flag("bias_correction", self.bias_correction)

    def numbers(self, t: int, before: tuple[float, ...]) -> tuple[float, ...]:
        """Give b, and c."""
        b = math.sqrt(self.beta2)
        if not self.bias_correction:
            return b, 1.0
        return b, math.sqrt(1.0 - self.beta2**t) / (1.0 - self.beta1**t)

    def measure(
        self, xp: Any, before: Arrays, k: Coefficients, g: Array, x: Array, *slots: Array
    ) -> Arrays:
        """Give c D, D+ and r."""
        _, v, s = slots
        b, c = k
        along = g @ (s / (xp.sqrt(v) + self.eps))
        _, D, r = before or (None, first_estimate(xp, along, self.d0), xp.zeros_like(along))
        rate = D * c
        r = r * b + rate * along * (1.0 - b)
        total = xp.sum(xp.abs(s * b + g * (rate * (1.0 - b))))
        return rate, _larger(xp, D, r, total * (1.0 - b), self.growth), r

    def turn(
        self, xp: Any, k: Coefficients, g: Array, x: Array, m: Array, v: Array, s: Array
    ) -> Arrays:
        """Move the moments and the sum, and divide."""
        b, _, rate = k[:3]
        m = m * self.beta1 + g * (rate * (1.0 - self.beta1))
        v = ema(self.beta2, v, g * g)
        s = s * b + g * (rate * (1.0 - b))
        return m / (xp.sqrt(v) + self.eps), m, v, s
