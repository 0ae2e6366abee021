"""Adam with Nesterov's momentum, and Adam with a rectified start."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, ema
from hessx.core import saved, store_real
from hessx.rules._adam import check_moments
from hessx.rules._rule import Arrays, Coefficients, Rule

__all__ = ["NAdam", "RAdam"]

_DECAY = 0.96  # of mu, for each unit of t psi
_TRUSTED = 5.0  # degrees of freedom from which the variance of 1 / sqrt(v) is known


@saved
@dataclass(frozen=True, slots=True)
class NAdam(Rule):
    """Adam with Nesterov's momentum.

        m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
        d = ((1 - mu_t) g / (1 - P_t) + mu_(t+1) m / (1 - P_(t+1))) / (sqrt(v / c2) + eps)
        mu_t = beta1 (1 - 0.96^(t psi) / 2),   P_t = mu_1 ... mu_t,   c2 = 1 - beta2^t

    Parameters
    ----------
    beta1, beta2 : float
        In [0, 1).
    eps : float
        In units of g, >= 0.
    psi : float
        Speed at which mu grows, >= 0.

    Raises
    ------
    SettingsError
        A number outside its range.

    Notes
    -----
    As torch.optim.NAdam.  Memory: m and v.  Cost: 15 passes over vectors.

    References
    ----------
    Dozat (2016), Incorporating Nesterov momentum into Adam, ICLR workshop, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Chain, NAdam
    >>> x = np.array([3.0, -0.5])
    >>> Chain.begin(NAdam(), space_of(x), x).step(1, x, x, rate=0.5).round(3)
    array([2.472, 0.028])
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    psi: float = 0.004

    slots = ("m", "v")

    def __post_init__(self) -> None:
        check_moments(self)
        store_real(self, "psi", 0.0, ends="[)")

    def numbers(self, t: int, before: tuple[float, ...]) -> tuple[float, ...]:
        """Give weights of g and m, c2, and P_t, which the next step asks for."""
        mu, following = self._mu(t), self._mu(t + 1)
        product = mu * (before[3] if before else 1.0)
        c2 = 1.0 - self.beta2**t
        return (1.0 - mu) / (1.0 - product), following / (1.0 - product * following), c2, product

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, m: Array, v: Array) -> Arrays:
        """Move the moments, look ahead, and divide."""
        m = ema(self.beta1, m, g)
        v = ema(self.beta2, v, g * g)
        return (g * k[0] + m * k[1]) / (xp.sqrt(v / k[2]) + self.eps), m, v

    def _mu(self, t: int) -> float:
        return self.beta1 * (1.0 - 0.5 * math.pow(_DECAY, t * self.psi))


@saved
@dataclass(frozen=True, slots=True)
class RAdam(Rule):
    """Adam whose first steps, with few gradients to know their variance from, are momentum's.

        m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
        d = (m / c1) r sqrt(c2) / (sqrt(v) + eps)  if rho_t > 5, else  m / c1
        rho_t = rho - 2 t beta2^t / c2,   rho = 2 / (1 - beta2) - 1
        r^2 = (rho_t - 4) (rho_t - 2) rho / ((rho - 4) (rho - 2) rho_t)

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
    As torch.optim.RAdam; the paper has rho_t > 4 and no eps.  Memory: m and v.  Cost: 14 passes
    over vectors.

    References
    ----------
    Liu et al. (2020), On the variance of the adaptive learning rate and beyond, ICLR, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Chain, RAdam
    >>> x = np.array([3.0, -0.5])
    >>> Chain.begin(RAdam(), space_of(x), x).step(1, x, x, rate=0.5).round(12)
    array([ 1.5 , -0.25])
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    slots = ("m", "v")

    def __post_init__(self) -> None:
        check_moments(self)

    def numbers(self, t: int, before: tuple[float, ...]) -> tuple[float, ...]:
        """Give a, b and c of d = a m / (b sqrt(v) + c)."""
        c1, c2 = 1.0 - self.beta1**t, 1.0 - self.beta2**t
        rho = 2.0 / (1.0 - self.beta2) - 1.0
        rho_t = rho - 2.0 * t * self.beta2**t / c2
        if rho_t <= _TRUSTED:
            return 1.0 / c1, 0.0, 1.0
        r2 = (rho_t - 4.0) * (rho_t - 2.0) * rho / ((rho - 4.0) * (rho - 2.0) * rho_t)
        return math.sqrt(r2 * c2) / c1, 1.0, self.eps

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, m: Array, v: Array) -> Arrays:
        """Move the moments, and divide."""
        m = ema(self.beta1, m, g)
        v = ema(self.beta2, v, g * g)
        return m * k[0] / (xp.sqrt(v) * k[1] + k[2]), m, v
