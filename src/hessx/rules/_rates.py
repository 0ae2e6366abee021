"""Rates that the device finds, from value, gradient and direction: no fetch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Packet, Space, quiet
from hessx.core import saved, store_real

__all__ = [
    "DeviceRate",
    "Hypergradient",
    "HypergradientRate",
    "LiveRate",
    "PolyakRate",
    "PolyakRates",
]


class LiveRate:
    """A rate at work on the device."""

    __slots__ = ()

    def at(self, t: int, value: Any, g: Array, d: Array) -> Array:
        """Give the rate of step t = 1, 2, ... as a 0-d array of the device, without a fetch.

        Parameters
        ----------
        t : int
            The step about to be taken.
        value : 0-d array or float
            f of the sample at x.
        g, d : array, shape (n,)
            Its gradient, and the direction of the step x+ = x - rate d.  They may be kept, and must
            not be written to later.
        """
        raise NotImplementedError

    def hold(self, packet: Packet) -> None:
        """Name what it keeps, for lazy libraries."""


class DeviceRate:
    """Settings of a rate that the device finds: the base of one's own."""

    __slots__ = ()

    def begin(self, space: Space) -> LiveRate:
        """Start a run."""
        raise NotImplementedError


@saved
@dataclass(frozen=True, slots=True)
class PolyakRate(DeviceRate):
    r"""Polyak's rate: the linear model of f along d reaches the lowest value.

        rate = min((f(x) - lowest) / g'd, largest)

    With d = g that is (f - lowest) / g'g.  Where d does not lead down, g'd <= 0, or f is below
    ``lowest`` already, the rate is 0.

    Parameters
    ----------
    lowest : float
        The lowest value that f, or a sample's part of it, can have.
    largest : float
        Bound of the rate, > 0; inf where there is none.

    Raises
    ------
    SettingsError
        A setting out of range.

    Notes
    -----
    With samples of a sum the steps converge where all samples have their minimum at one point
    (interpolation), else to a neighbourhood of it, which ``largest`` narrows.  Loizou et al. divide
    by c besides: multiply d, or bound the rate.  Cost: one inner product, no fetch.

    References
    ----------
    Polyak (1987), Introduction to Optimization, section 5.3.2; Loizou, Vaswani, Laradji &
    Lacoste-Julien (2021), Stochastic Polyak step-size for SGD, AISTATS, eq. (3), SPS_max with
    gamma_b = ``largest`` and c = 1.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx._xp import space_of
    >>> x = np.array([3.0, 4.0])
    >>> rates = hessx.PolyakRate().begin(space_of(x))
    >>> float(rates.at(1, x @ x / 2, x, x))  # half of x is left after each step
    0.5
    """

    lowest: float = 0.0
    largest: float = math.inf

    def __post_init__(self) -> None:
        store_real(self, "lowest")
        store_real(self, "largest", 0.0, math.inf, "(]")

    def begin(self, space: Space) -> PolyakRates:
        """Start a run."""
        return PolyakRates(self, space)


@saved
@dataclass(slots=True)
class PolyakRates(LiveRate):
    """`PolyakRate` at work."""

    rule: PolyakRate
    space: Space

    def at(self, t: int, value: Any, g: Array, d: Array) -> Array:
        """Give (f - lowest) / g'd, within its bounds."""
        rule, xp = self.rule, self.space.xp
        slope, gap = g @ d, _placed(self.space, value) - rule.lowest
        none = (slope <= 0.0) | (gap <= 0.0)  # of a NaN neither holds, and the rate is NaN too
        with quiet():
            rate = gap / xp.where(none, xp.ones_like(slope), slope)
        rate = xp.where(none, xp.zeros_like(slope), rate)
        if rule.largest < math.inf:
            rate = xp.minimum(rate, xp.full_like(slope, rule.largest))
        return rate


@saved
@dataclass(frozen=True, slots=True)
class Hypergradient(DeviceRate):
    r"""Descend in the rate too, by the derivative of f with respect to it.

        rate_t = rate_(t-1) + beta g_t'd_(t-1),   rate_1 = rate

    For f(x_(t-1) - rate d_(t-1)) falls by g_t'd_(t-1) per unit of the rate.

    Parameters
    ----------
    rate : float
        The first rate, > 0.
    beta : float
        Rate of the rate, > 0; its unit is that of rate^2 / f.

    Raises
    ------
    SettingsError
        A setting out of range.

    Notes
    -----
    As published the rate has no bounds: with a large ``beta`` it can fall below 0.  With d = g it
    is SGD-HD, with momentum's or Nesterov's d SGDN-HD, with Adam's d Adam-HD.  Memory: the last
    direction.  Cost: one inner product, no fetch.

    References
    ----------
    Baydin, Cornish, Martinez Rubio, Schmidt & Wood (2018), Online learning rate adaptation with
    hypergradient descent, ICLR, algorithms 4 to 6.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx._xp import space_of
    >>> x = np.array([1.0])
    >>> rates = hessx.Hypergradient(0.25, beta=0.5).begin(space_of(x))
    >>> for t in (1, 2):
    ...     rate = rates.at(t, x @ x / 2, x, x)
    ...     x = x - rate * x
    >>> float(rate)  # 0.25 + 0.5 * 0.75
    0.625
    """

    rate: float
    beta: float

    def __post_init__(self) -> None:
        store_real(self, "rate", 0.0)
        store_real(self, "beta", 0.0)

    def begin(self, space: Space) -> HypergradientRate:
        """Start a run."""
        return HypergradientRate(self.beta, _placed(space, self.rate))


@saved
@dataclass(slots=True)
class HypergradientRate(LiveRate):
    """`Hypergradient` at work: the rate, and the direction of the last step."""

    beta: float
    rate: Array
    d: Array = None

    def at(self, t: int, value: Any, g: Array, d: Array) -> Array:
        """Give the last rate and beta times g'd_last."""
        if self.d is not None:
            self.rate = self.rate + (g @ self.d) * self.beta
        self.d = d + 0.0  # it may be a buffer of the user's, or an array of the chain
        return self.rate

    def hold(self, packet: Packet) -> None:
        """Name the rate and the last direction."""
        packet.hold(self, "rate", "d")


def _placed(space: Space, number: Any) -> Array:
    """Give a number, or a 0-d array of whatever dtype, as a 0-d array of the space."""
    xp = space.xp
    if isinstance(number, float):
        return xp.full((), number, dtype=space.dtype, device=space.device)
    return xp.astype(number, space.dtype, copy=False)
