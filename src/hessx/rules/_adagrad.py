"""Diagonals of squared gradients: Adagrad, RMSProp, Adadelta."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, ema
from hessx.core import check_flag, saved, store_real
from hessx.rules._rule import Arrays, Coefficients, Rule

__all__ = ["Adadelta", "Adagrad", "RMSProp"]


@saved
@dataclass(frozen=True, slots=True)
class Adagrad(Rule):
    """The gradient over the root of the sum of its squares.

        s = s + g^2,   d = g / (sqrt(s) + eps)

    Parameters
    ----------
    eps : float
        In units of g, >= 0.
    initial : float
        s at first, in units of g^2, >= 0.

    Raises
    ------
    SettingsError
        A number outside its range.

    Notes
    -----
    As torch.optim.Adagrad.  Memory: s.  Cost: 7 passes over vectors.

    References
    ----------
    Duchi, Hazan & Singer (2011), Adaptive subgradient methods, JMLR 12, figure 1.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Adagrad, Chain
    >>> x = np.array([3.0, -0.5])
    >>> Chain.begin(Adagrad(eps=0.0), space_of(x), x).step(1, x, x, rate=0.5)
    array([2.5, 0. ])
    """

    eps: float = 1e-10
    initial: float = 0.0

    slots = ("s",)

    def __post_init__(self) -> None:
        for name in ("eps", "initial"):
            store_real(self, name, 0.0, ends="[)")

    def start(self, xp: Any, x: Array) -> list[Array]:
        """Begin with the initial sum."""
        return [xp.full_like(x, self.initial)]

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, s: Array) -> Arrays:
        """Add the squares, and divide."""
        s = s + g * g
        return g / (xp.sqrt(s) + self.eps), s

    def diagonal(self, xp: Any, k: Coefficients, s: Array) -> Array:
        """Give 1 / (sqrt(s) + eps)."""
        return 1.0 / (xp.sqrt(s) + self.eps)


@saved
@dataclass(frozen=True, slots=True)
class RMSProp(Rule):
    """The gradient over the root of the mean of its squares, or of its variance.

        v = beta v + (1 - beta) g^2,   d = g / (sqrt(v) + eps)

        centred:  v = beta (v + (1 - beta) (g - m)^2),   m = beta m + (1 - beta) g

    With momentum it is ``[RMSProp(), SGD(0.9)]``.

    Parameters
    ----------
    beta : float
        In [0, 1).
    eps : float
        In units of g, >= 0.
    centred : bool
        Divide by the standard deviation.

    Raises
    ------
    SettingsError
        A setting outside its range.

    Notes
    -----
    As torch.optim.RMSprop.  The variance is kept, and not the mean of squares from which it would
    be a difference: under constant gradients rounding turns that negative.  Memory: v, and m
    centred.  Cost: 9 passes over vectors, 14 centred.

    References
    ----------
    Tieleman & Hinton (2012), Lecture 6.5, Coursera.  Centred: Graves (2013), Generating sequences
    with recurrent neural networks, arXiv:1308.0850, equations 38-40.  The variance: West (1979),
    Updating mean and variance estimates, Comm. ACM 22.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Chain, RMSProp
    >>> x = np.array([3.0, -0.5])
    >>> Chain.begin(RMSProp(0.75, eps=0.0), space_of(x), x).step(1, x, x, rate=0.25)
    array([2.5, 0. ])
    """

    beta: float = 0.99
    eps: float = 1e-8
    centred: bool = False

    def __post_init__(self) -> None:
        store_real(self, "beta", 0.0, 1.0, "[)")
        store_real(self, "eps", 0.0, ends="[)")
        check_flag("centred", self.centred)

    @property
    def slots(self) -> tuple[str, ...]:
        """The mean of squares; or the variance, and the mean."""
        return ("v", "m") if self.centred else ("v",)

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, *slots: Array) -> Arrays:
        """Move the means, and divide."""
        beta = self.beta
        if not self.centred:
            v = ema(beta, slots[0], g * g)
            return g / (xp.sqrt(v) + self.eps), v
        v, m = slots
        off = g - m
        v = (v + off * off * (1.0 - beta)) * beta
        return g / (xp.sqrt(v) + self.eps), v, ema(beta, m, g)

    def diagonal(self, xp: Any, k: Coefficients, *slots: Array) -> Array:
        """Give 1 / (sqrt(v) + eps)."""
        return 1.0 / (xp.sqrt(slots[0]) + self.eps)


@saved
@dataclass(frozen=True, slots=True)
class Adadelta(Rule):
    """The gradient over the root of the mean of its squares, times that of the steps.

        v = beta v + (1 - beta) g^2,   d = sqrt(u + eps) / sqrt(v + eps) g,
        u = beta u + (1 - beta) d^2

    Parameters
    ----------
    beta : float
        In [0, 1).
    eps : float
        > 0: with u = 0 at first it sets the first steps.  Added to squares of x and of g alike.

    Raises
    ------
    SettingsError
        A number outside its range.

    Notes
    -----
    As torch.optim.Adadelta; a rate of 1 is the method's own.  Memory: v and u.  Cost: 15 passes
    over vectors.

    References
    ----------
    Zeiler (2012), ADADELTA: an adaptive learning rate method, arXiv:1212.5701, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Adadelta, Chain
    >>> x = np.array([3.0, -0.5])
    >>> x = Chain.begin(Adadelta(), space_of(x), x).step(1, x, x, rate=1.0)
    >>> x.round(4)
    array([ 2.9968, -0.4968])
    """

    beta: float = 0.9
    eps: float = 1e-6

    slots = ("v", "u")

    def __post_init__(self) -> None:
        store_real(self, "beta", 0.0, 1.0, "[)")
        store_real(self, "eps", 0.0)

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, v: Array, u: Array) -> Arrays:
        """Divide by one root, multiply by the other, and keep what came of it."""
        v = ema(self.beta, v, g * g)
        d = xp.sqrt(u + self.eps) / xp.sqrt(v + self.eps) * g
        return d, v, ema(self.beta, u, d * d)
