"""Adam and what differs from it in the second moment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, ema
from hessx.core import check_flag, saved, store_real
from hessx.rules._rule import Arrays, Coefficients, Rule

__all__ = ["Adam", "Adamax", "check_moments"]


def check_moments(rule: Any) -> None:
    """Refuse beta1 and beta2 outside [0, 1), and eps below 0."""
    store_real(rule, "beta1", 0.0, 1.0, "[)")
    store_real(rule, "beta2", 0.0, 1.0, "[)")
    store_real(rule, "eps", 0.0, ends="[)")


@saved
@dataclass(frozen=True, slots=True)
class Adam(Rule):
    """Adaptive moments.

        m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
        d = (m / c1) / (sqrt(v) / sqrt(c2) + eps),   c1 = 1 - beta1^t,  c2 = 1 - beta2^t

    ``[Adam(), Decay(c)]`` is AdamW.  With ``amsgrad`` the largest v so far takes the place of v in
    d.

    Parameters
    ----------
    beta1, beta2 : float
        In [0, 1).
    eps : float
        In units of g, >= 0.
    amsgrad : bool
        Never let an entry of v fall.

    Raises
    ------
    SettingsError
        A setting outside its range.

    Notes
    -----
    As torch.optim.Adam, amsgrad with its correction too.  Memory: m and v, with amsgrad one more.
    Cost: 14 passes over vectors.

    References
    ----------
    Kingma & Ba (2015), Adam: a method for stochastic optimization, ICLR, algorithm 1.  Reddi, Kale
    & Kumar (2018), On the convergence of Adam and beyond, ICLR, algorithm 2.  Loshchilov & Hutter
    (2019), Decoupled weight decay regularization, ICLR, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Adam, Chain
    >>> x = np.array([3.0, -0.5])
    >>> Chain.begin(Adam(eps=0.0), space_of(x), x).step(1, x, x, rate=0.5)
    array([2.5, 0. ])
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    amsgrad: bool = False

    def __post_init__(self) -> None:
        check_moments(self)
        check_flag("amsgrad", self.amsgrad)

    @property
    def slots(self) -> tuple[str, ...]:
        """The moments, and the largest second one."""
        return ("m", "v", "largest") if self.amsgrad else ("m", "v")

    def numbers(self, t: int, before: tuple[float, ...]) -> tuple[float, ...]:
        """Give c1 and the root of c2."""
        return 1.0 - self.beta1**t, math.sqrt(1.0 - self.beta2**t)

    def turn(
        self, xp: Any, k: Coefficients, g: Array, x: Array, m: Array, v: Array, *largest: Array
    ) -> Arrays:
        """Move the moments, and divide."""
        m = ema(self.beta1, m, g)
        v = ema(self.beta2, v, g * g)
        largest = tuple(xp.maximum(u, v) for u in largest)
        root = xp.sqrt(largest[0] if self.amsgrad else v)
        return (m / k[0]) / (root / k[1] + self.eps), m, v, *largest

    def diagonal(self, xp: Any, k: Coefficients, *slots: Array) -> Array:
        """Give 1 / (c1 (sqrt(v) / sqrt(c2) + eps))."""
        return 1.0 / ((xp.sqrt(slots[-1]) / k[1] + self.eps) * k[0])


@saved
@dataclass(frozen=True, slots=True)
class Adamax(Rule):
    """Adam with the largest gradient in the place of the root of the second moment.

        m = beta1 m + (1 - beta1) g,   u = max(beta2 u, abs(g) + eps)
        d = (m / c1) / u,   c1 = 1 - beta1^t

    Parameters
    ----------
    beta1, beta2 : float
        In [0, 1).
    eps : float
        In units of g, >= 0.

    Raises
    ------
    SettingsError
        A number outside its range.

    Notes
    -----
    As torch.optim.Adamax; the paper has no eps.  Memory: m and u.  Cost: 11 passes over vectors.

    References
    ----------
    Kingma & Ba (2015), Adam: a method for stochastic optimization, ICLR, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Adamax, Chain
    >>> x = np.array([3.0, -0.5])
    >>> Chain.begin(Adamax(eps=0.0), space_of(x), x).step(1, x, x, rate=0.5)
    array([2.5, 0. ])
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    slots = ("m", "u")

    def __post_init__(self) -> None:
        check_moments(self)

    def numbers(self, t: int, before: tuple[float, ...]) -> tuple[float, ...]:
        """Give c1."""
        return (1.0 - self.beta1**t,)

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, m: Array, u: Array) -> Arrays:
        """Move the moments, and divide."""
        m = ema(self.beta1, m, g)
        u = xp.maximum(u * self.beta2, xp.abs(g) + self.eps)
        return (m / k[0]) / u, m, u

    def diagonal(self, xp: Any, k: Coefficients, m: Array, u: Array) -> Array:
        """Give 1 / (c1 u)."""
        return 1.0 / (u * k[0])
