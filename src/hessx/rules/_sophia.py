"""Sophia: Newton's step by the diagonal of the Hessian, with its entries cut off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, bounded, ema
from hessx.core import Wants, check_flag, saved, store_real
from hessx.rules._diagonal_hessian import check_lessons, hutchinson
from hessx.rules._preconditioned import lesson_seed
from hessx.rules._rule import Arrays, Coefficients, Rule

__all__ = ["SophiaG", "SophiaH"]


@dataclass(frozen=True, slots=True)
class _Sophia(Rule):
    """What the two have in common: all but the estimate."""

    beta1: float = 0.965
    beta2: float = 0.99
    gamma: float = 0.01
    eps: float = 1e-12
    limit: float = 1.0
    every: int = 10
    fresh: bool = False
    corrected: bool = False
    seed: int = 0
    slots = ("m", "h")

    def __post_init__(self) -> None:
        check_lessons(self)
        store_real(self, "gamma", 0.0)
        store_real(self, "eps", 0.0)
        store_real(self, "limit", 0.0)
        check_flag("corrected", self.corrected)

    def numbers(self, t: int, before: tuple[float, ...]) -> tuple[float, ...]:
        """Give what m is divided by."""
        return (1.0 - self.beta1**t if self.corrected else 1.0,)

    def learn(self, xp: Any, k: Coefficients, estimate: Array, m: Array, h: Array) -> Arrays:
        """Take an estimate into the mean."""
        return m, ema(self.beta2, h, estimate)

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, m: Array, h: Array) -> Arrays:
        """Move the mean, divide, and cut."""
        m = ema(self.beta1, m, g)
        size = bounded(xp, h * self.gamma, self.eps, None)
        return bounded(xp, (m / k[0]) / size, -self.limit, self.limit), m, h

    def diagonal(self, xp: Any, k: Coefficients, m: Array, h: Array) -> Array:
        """Give 1 / (c1 max(gamma h, eps)), the A of entries that are not cut off."""
        return 1.0 / (bounded(xp, h * self.gamma, self.eps, None) * k[0])


@saved
@dataclass(frozen=True, slots=True)
class SophiaH(_Sophia):
    r"""Newton's step by the Hessian's diagonal, entries cut off: a sign where curvature is small.

        m = beta1 m + (1 - beta1) g,   h = beta2 h + (1 - beta2) z * (H z)
        d = max(-limit, min(m / max(gamma h, eps), limit))

    z are random signs, drawn anew for each lesson.

    Parameters
    ----------
    beta1, beta2 : float
        In [0, 1).
    gamma : float
        > 0: the smaller, the more entries are cut off.
    eps : float
        > 0, of the unit of H.
    limit : float
        > 0, of d's entries.
    every : int
        Steps from one lesson to the next, the first before the first step.
    fresh : bool
        Give lessons on samples of their own.
    corrected : bool
        Divide m by 1 - beta1^t, as optax does; the paper does not.
    seed : int
        Of z: they depend on seed and step alone.

    Raises
    ------
    SettingsError
        A setting outside its range.

    Notes
    -----
    Memory: two vectors.  Cost: one product with the Hessian of a sample and one upload of z per
    lesson; about 10 passes over vectors per step; no fetch.  optax learns after the step, and so
    one step later.

    References
    ----------
    Liu, Li, Hall, Liang & Ma (2024), Sophia: a scalable stochastic second-order optimizer for
    language model pre-training, ICLR, algorithms 1 and 3.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx._xp import space_of
    >>> from hessx.core import Counts
    >>> from hessx.objectives import HessianAt
    >>> from hessx.rules import Chain
    >>> H, x = np.array([1.0, -1.0, 100.0]), np.array([1.0, 1.0, 1.0])
    >>> chain = Chain.begin(hessx.SophiaH(beta1=0.0, beta2=0.0, gamma=2.0), space_of(x), x)
    >>> chain.learn(1, HessianAt(space_of(x), lambda v: H * v, Counts(), 1.0))
    >>> chain.step(1, H * x, x, rate=1.0)
    array([0.5, 2. , 0.5])
    """

    def lesson(self, t: int, hessian: Any) -> Array:
        """Estimate the diagonal; one product."""
        return hutchinson(self, t, hessian)


@saved
@dataclass(frozen=True, slots=True)
class SophiaG(_Sophia):
    r"""Sophia with the squares of a sampled gradient for the diagonal, which are never negative.

        h = beta2 h + (1 - beta2) rows s^2

    s is the mean gradient of the rows of a sample, with labels drawn from the model: rows s^2 is,
    in expectation, the diagonal of Fisher's matrix.  All else as in `SophiaH`.

    Parameters
    ----------
    beta1, beta2 : float
        In [0, 1).
    gamma : float
        > 0: the smaller, the more entries are cut off.
    eps : float
        > 0, of the unit of H.
    limit : float
        > 0, of d's entries.
    every : int
        Steps from one lesson to the next, the first before the first step.
    fresh : bool
        Give lessons on samples of their own.
    corrected : bool
        Divide m by 1 - beta1^t.
    seed : int
        Of the labels: they depend on seed and step alone.

    Raises
    ------
    SettingsError
        A setting outside its range.

    Notes
    -----
    Memory: two vectors.  Cost: a gradient of a sample per lesson.

    References
    ----------
    Liu, Li, Hall, Liang & Ma (2024), as `SophiaH`, algorithm 2 (Gauss-Newton-Bartlett).

    Examples
    --------
    >>> import hessx
    >>> hessx.SophiaG(gamma=0.05).every
    10
    """

    gamma: float = 0.05

    @property
    def wants(self) -> Wants:
        """What it asks of the oracle beyond value and gradient."""
        return Wants.HESSIAN | Wants.FACTORS

    def lesson(self, t: int, hessian: Any) -> Array:
        """Estimate the diagonal; a gradient of the sample."""
        s = hessian.sampled_gradient(lesson_seed(self.seed, t))
        return s * s * (1.0 * hessian.rows)
