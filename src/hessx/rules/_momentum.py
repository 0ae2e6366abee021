"""Gradient descent with momentum, and steps by signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, ema, sign
from hessx.core import SettingsError, check_flag, saved, store_real
from hessx.rules._rule import Arrays, Coefficients, Rule

__all__ = ["SGD", "Lion", "SignSGD"]


@saved
@dataclass(frozen=True, slots=True)
class SGD(Rule):
    """Stochastic gradient descent, with or without momentum.

        b = momentum b + (1 - dampening) g,  b = g at first;   d = b, or g + momentum b (Nesterov)

    ``SGD(0.9)`` is the heavy ball, ``SGD(0.9, nesterov=True)`` Nesterov's method; with
    ``dampening=momentum`` b is a mean of gradients.

    Parameters
    ----------
    momentum : float
        In [0, 1).
    dampening : float
        In [0, 1].
    nesterov : bool
        Look ahead; needs momentum without dampening.

    Raises
    ------
    SettingsError
        A number outside its range, or Nesterov without momentum or with dampening.

    Notes
    -----
    As torch.optim.SGD: the rate is outside of b, so that b keeps its past where the rate changes.
    Memory: b, where there is momentum.  Cost: 3 passes over vectors.

    References
    ----------
    Polyak (1964), Some methods of speeding up the convergence of iteration methods, USSR Comput.
    Math. 4(5).  Sutskever, Martens, Dahl & Hinton (2013), On the importance of initialization and
    momentum in deep learning, ICML, equations 1-4.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import SGD, Chain
    >>> x = np.array([1.0])
    >>> chain = Chain.begin(SGD(0.5), space_of(x), x)
    >>> x = chain.step(1, x, x, rate=0.25)
    >>> chain.step(2, x, x, rate=0.25)
    array([0.4375])
    """

    momentum: float = 0.0
    dampening: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        store_real(self, "momentum", 0.0, 1.0, "[)")
        store_real(self, "dampening", 0.0, 1.0, "[]")
        if check_flag("nesterov", self.nesterov) and not (self.momentum and not self.dampening):
            msg = (
                f"nesterov = True, momentum = {self.momentum}, dampening = {self.dampening}: "
                "expected momentum > 0 and dampening = 0 with Nesterov"
            )
            raise SettingsError(msg)

    @property
    def slots(self) -> tuple[str, ...]:
        """The buffer b, where there is momentum."""
        return ("b",) if self.momentum else ()

    def numbers(self, t: int, before: tuple[float, ...]) -> tuple[float, ...]:
        """Give weights of b and g where there is dampening, which the first gradient is spared."""
        if not self.dampening:
            return ()
        return (0.0, 1.0) if t == 1 else (self.momentum, 1.0 - self.dampening)

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, *slots: Array) -> Arrays:
        """Give b, or g where there is no momentum."""
        if not self.momentum:
            return (g,)
        (b,) = slots
        b = b * k[0] + g * k[1] if self.dampening else b * self.momentum + g
        return (g + b * self.momentum if self.nesterov else b), b


@saved
@dataclass(frozen=True, slots=True)
class SignSGD(Rule):
    """The signs of the gradient.

        d = sign(g)

    ``[SGD(0.9), SignSGD()]`` is Signum.

    Notes
    -----
    No memory.  Cost: 2 passes over vectors, 6 where the library's sign loses nan.  nan stays nan.

    References
    ----------
    Bernstein, Wang, Azizzadenesheli & Anandkumar (2018), signSGD: compressed optimisation for
    non-convex problems, ICML, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Chain, SignSGD
    >>> x = np.array([3.0, -0.2])
    >>> Chain.begin(SignSGD(), space_of(x), x).step(1, x, x, rate=0.5)
    array([2.5, 0.3])
    """

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, *slots: Array) -> Arrays:
        """Give the signs."""
        return (sign(xp, g),)


@saved
@dataclass(frozen=True, slots=True)
class Lion(Rule):
    """Evolved sign momentum.

        d = sign(beta1 m + (1 - beta1) g),   m = beta2 m + (1 - beta2) g

    Parameters
    ----------
    beta1, beta2 : float
        In [0, 1).

    Raises
    ------
    SettingsError
        A number outside its range.

    Notes
    -----
    The rate is to be 3 to 10 times smaller than Adam's, a decay as many times larger.  Memory: m.
    Cost: 10 passes over vectors.

    References
    ----------
    Chen et al. (2023), Symbolic discovery of optimization algorithms, NeurIPS, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Chain, Decay, Lion
    >>> x = np.array([3.0, -0.5])
    >>> Chain.begin([Lion(), Decay(0.5)], space_of(x), x).step(1, x, x, rate=0.5)
    array([1.75 , 0.125])
    """

    beta1: float = 0.9
    beta2: float = 0.99

    slots = ("m",)

    def __post_init__(self) -> None:
        for name in ("beta1", "beta2"):
            store_real(self, name, 0.0, 1.0, "[)")

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, m: Array) -> Arrays:
        """Give signs of one mean, and keep another."""
        return sign(xp, ema(self.beta1, m, g)), ema(self.beta2, m, g)
