"""Rules that find their rate themselves, from distances and gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, divisor, ema
from hessx.core import check_flag, saved, store_real
from hessx.rules._adam import check_moments
from hessx.rules._rule import Arrays, Coefficients, Rule

__all__ = ["DoG", "Prodigy", "first_estimate"]


def first_estimate(xp: Any, like: Array, d0: float) -> Array:
    """Put a number beside scalars of the device, without an upload."""
    return xp.zeros_like(like) + d0


@saved
@dataclass(frozen=True, slots=True)
class DoG(Rule):
    """Distance over gradients: a rate of its own.

        r = max(r, norm(x - x0)),  r0 = share (x_scale + norm(x0));   G = G + norm(g)^2
        d = r / sqrt(G + eps) g

    Parameters
    ----------
    share : float
        Of the size of x that the first step is, > 0.
    x_scale : float
        The size of x where x0 = 0, >= 0.
    eps : float
        >= 0, in units of g^2.

    Raises
    ------
    SettingsError
        A number outside its range.

    Notes
    -----
    For a rate of 1, and the average of the iterates.  Memory: x0.  Cost: 8 passes over vectors, no
    fetch.

    References
    ----------
    Ivgi, Hinder & Carmon (2023), DoG is SGD's best friend: a parameter-free dynamic step size
    schedule, ICML, equation 1.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Chain, DoG
    >>> x = np.array([3.0, -4.0])
    >>> chain = Chain.begin(DoG(), space_of(x), x)
    >>> for t in range(1, 151):
    ...     x = chain.step(t, x, x, rate=1.0)
    >>> bool(abs(x).max() < 0.1)
    True
    """

    share: float = 1e-6
    x_scale: float = 1.0
    eps: float = 1e-8

    slots = ("x0",)

    def __post_init__(self) -> None:
        store_real(self, "share", 0.0)
        store_real(self, "x_scale", 0.0, ends="[)")
        store_real(self, "eps", 0.0, ends="[)")

    def start(self, xp: Any, x: Array) -> list[Array]:
        """Keep x0."""
        return [xp.asarray(x, copy=True)]

    def measure(
        self, xp: Any, before: Arrays, k: Coefficients, g: Array, x: Array, x0: Array
    ) -> Arrays:
        """Give r and G."""
        off, g_g = x - x0, g @ g
        if not before:
            return (xp.sqrt(x @ x) + self.x_scale) * self.share, g_g
        r, G = before
        return xp.maximum(r, xp.sqrt(off @ off)), G + g_g

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, x0: Array) -> Arrays:
        """Scale the gradient."""
        r, G = k
        return g * (r / xp.sqrt(G + self.eps)), x0


@saved
@dataclass(frozen=True, slots=True)
class Prodigy(Rule):
    """Adam with an estimate D of the distance from x0 to the solution as its rate.

        m = beta1 m + (1 - beta1) D g,   v = beta2 v + (1 - beta2) (D g)^2
        d = c D m / (sqrt(v) + D+ eps)
        r = beta3 r + c D^2 g'(x0 - x),   s = beta3 s + c D^2 g
        D+ = max(D, coefficient r / norm_1(s))

    c is 1, or sqrt(1 - beta2^t) / (1 - beta1^t) with the correction of bias.

    Parameters
    ----------
    beta1, beta2 : float
        In [0, 1).
    beta3 : float, optional
        In [0, 1); sqrt(beta2) by default.
    eps : float
        In units of g, >= 0.
    d0 : float
        The first estimate, > 0, in units of x.
    coefficient : float
        > 0.
    bias_correction : bool
        As Adam's.

    Raises
    ------
    SettingsError
        A setting outside its range.

    Notes
    -----
    For a rate of 1, or a schedule about 1, which the estimate does not see.  Memory: m, v, s and
    x0.  Cost: 26 passes over vectors, no fetch.

    References
    ----------
    Mishchenko & Defazio (2024), Prodigy: an expeditiously adaptive parameter-free learner, ICML,
    algorithm 4.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Chain, Prodigy
    >>> x = np.array([3.0, -4.0])
    >>> chain = Chain.begin(Prodigy(), space_of(x), x)
    >>> for t in range(1, 201):
    ...     x = chain.step(t, x, x, rate=1.0)
    >>> bool(abs(x).max() < 0.1)
    True
    """

    beta1: float = 0.9
    beta2: float = 0.999
    beta3: float | None = None
    eps: float = 1e-8
    d0: float = 1e-6
    coefficient: float = 1.0
    bias_correction: bool = False

    slots = ("m", "v", "s", "x0")

    def __post_init__(self) -> None:
        check_moments(self)
        store_real(self, "beta3", 0.0, 1.0, "[)")
        store_real(self, "d0", 0.0)
        store_real(self, "coefficient", 0.0)
        check_flag("bias_correction", self.bias_correction)

    def start(self, xp: Any, x: Array) -> list[Array]:
        """Begin with zeros, and keep x0."""
        return [*(xp.zeros_like(x) for _ in range(3)), xp.asarray(x, copy=True)]

    def numbers(self, t: int, before: tuple[float, ...]) -> tuple[float, ...]:
        """Give beta3, and c."""
        beta3 = math.sqrt(self.beta2) if self.beta3 is None else self.beta3
        if not self.bias_correction:
            return beta3, 1.0
        return beta3, math.sqrt(1.0 - self.beta2**t) / (1.0 - self.beta1**t)

    def measure(
        self, xp: Any, before: Arrays, k: Coefficients, g: Array, x: Array, *slots: Array
    ) -> Arrays:
        """Give D, D+ and r, which is over d0 as s is."""
        *_, s, x0 = slots
        beta3, c = k
        g_off = g @ (x0 - x)
        _, D, r = before or (None, first_estimate(xp, g_off, self.d0), xp.zeros_like(g_off))
        weight = D * D * (c / self.d0)
        r = r * beta3 + weight * g_off
        total = xp.sum(xp.abs(s * beta3 + g * weight))
        found = r * self.coefficient
        return D, xp.where(found > D * total, found / divisor(xp, total), D), r

    def turn(
        self, xp: Any, k: Coefficients, g: Array, x: Array, m: Array, v: Array, s: Array, x0: Array
    ) -> Arrays:
        """Move the moments and the sum, and divide."""
        beta3, c, D, following, _ = k
        of_D = g * D
        m = ema(self.beta1, m, of_D)
        v = ema(self.beta2, v, of_D * of_D)
        s = s * beta3 + g * (D * D * (c / self.d0))
        return m * (D * c) / (xp.sqrt(v) + following * self.eps), m, v, s, x0
