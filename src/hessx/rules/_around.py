"""What stands around a rule: decay of weights, clipping, and lengths of steps by leaf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, bounded, divisor
from hessx.core import saved, store_real
from hessx.rules._rule import Arrays, Coefficients, Rule

__all__ = ["ClipNorm", "ClipValue", "Decay", "TrustRatio"]


@saved
@dataclass(frozen=True, slots=True)
class Decay(Rule):
    """Decay of weights.

        d = g + c x

    Before a rule it is coupled, the gradient of c x'x / 2: ``[Decay(c), SGD(0.9)]``.  After it, it
    is decoupled, x+ = x - rate (d + c x): ``[Adam(), Decay(c)]`` is AdamW.

    Parameters
    ----------
    c : float
        >= 0; coupled in units of g / x, decoupled of 1 / rate.

    Raises
    ------
    SettingsError
        c is no such number.

    Notes
    -----
    As weight_decay of torch.optim.  No memory.  Cost: 3 passes over vectors.

    References
    ----------
    Loshchilov & Hutter (2019), Decoupled weight decay regularization, ICLR, where it is not times
    the rate.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Chain, Decay
    >>> x = np.array([2.0])
    >>> Chain.begin(Decay(0.5), space_of(x), x).step(1, x, x, rate=0.25)
    array([1.25])
    """

    c: float

    def __post_init__(self) -> None:
        store_real(self, "c", 0.0, ends="[)")

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, *slots: Array) -> Arrays:
        """Add c x."""
        return (g + x * self.c,)


@saved
@dataclass(frozen=True, slots=True)
class ClipValue(Rule):
    """Entries of at most a limit.

        d = max(-limit, min(limit, g))

    Parameters
    ----------
    limit : float
        > 0, in units of g.

    Raises
    ------
    SettingsError
        The limit is no such number.

    Notes
    -----
    As torch.nn.utils.clip_grad_value_; nan stays nan.  No memory.  Cost: 4 passes over vectors.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Chain, ClipValue
    >>> x = np.array([3.0, -0.5])
    >>> Chain.begin(ClipValue(1.0), space_of(x), x).direction(1, x, x)
    array([ 1. , -0.5])
    """

    limit: float

    def __post_init__(self) -> None:
        store_real(self, "limit", 0.0)

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, *slots: Array) -> Arrays:
        """Clip."""
        return (bounded(xp, g, -self.limit, self.limit),)


@saved
@dataclass(frozen=True, slots=True)
class ClipNorm(Rule):
    """A gradient whose norm is at most a limit.

        d = min(1, limit / (norm(g) + eps)) g,   norm(g) of the whole

    Parameters
    ----------
    limit : float
        > 0, in units of g.
    eps : float
        >= 0, in units of g.

    Raises
    ------
    SettingsError
        A number outside its range.

    Notes
    -----
    As torch.nn.utils.clip_grad_norm_.  No memory, no fetch.  Cost: 4 passes over vectors.

    References
    ----------
    Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks,
    ICML, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Chain, ClipNorm
    >>> x = np.array([3.0, -4.0])
    >>> Chain.begin(ClipNorm(2.5, eps=0.0), space_of(x), x).direction(1, x, x)
    array([ 1.5, -2. ])
    """

    limit: float
    eps: float = 1e-6

    def __post_init__(self) -> None:
        store_real(self, "limit", 0.0)
        store_real(self, "eps", 0.0, ends="[)")

    def measure(
        self, xp: Any, before: Arrays, k: Coefficients, g: Array, x: Array, *slots: Array
    ) -> Arrays:
        """Give the factor."""
        return (bounded(xp, self.limit / (xp.sqrt(g @ g) + self.eps), None, 1.0),)

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, *slots: Array) -> Arrays:
        """Shorten."""
        return (g * k[0],)


@saved
@dataclass(frozen=True, slots=True)
class TrustRatio(Rule):
    """A step whose length in each leaf is that of the leaf.

        d = norm(x) / norm(g) g for each leaf;   g where a norm is 0

    ``[Adam(eps=1e-6), Decay(c), TrustRatio()]`` is LAMB, ``[Decay(c), TrustRatio(), SGD(0.9)]``
    LARS.

    Notes
    -----
    No memory, no fetch.  Cost: 5 passes over vectors, about 10 launches for each leaf.

    References
    ----------
    You et al. (2020), Large batch optimization for deep learning: training BERT in 76 minutes,
    ICLR, algorithm 2, where norm(x) is bounded.  LARS: You, Gitman & Ginsburg (2017), Large batch
    training of convolutional networks, arXiv:1708.03888.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Chain, TrustRatio
    >>> x, g = np.array([3.0, -4.0]), np.array([0.0, 0.5])
    >>> Chain.begin(TrustRatio(), space_of(x), x).direction(1, g, x)
    array([0., 5.])
    """

    acts_on = "leaf"

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, *slots: Array) -> Arrays:
        """Stretch the leaf's direction."""
        of_x, of_g = xp.sqrt(xp.sum(x * x)), xp.sqrt(xp.sum(g * g))
        ratio = of_x / divisor(xp, of_g)
        return (g * xp.where(of_x * of_g > 0, ratio, xp.ones_like(ratio)),)
