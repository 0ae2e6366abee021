"""AdaHessian: Adam with an estimate of the Hessian's diagonal; and how that is estimated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Space, ema
from hessx.core import check_flag, saved, store_integer, store_real
from hessx.operators import diagonal_sample
from hessx.rules._preconditioned import lesson_seed
from hessx.rules._rule import Arrays, Coefficients, Rule

__all__ = ["AdaHessian", "check_lessons", "hutchinson"]


def check_lessons(rule: Any) -> None:
    """Refuse means, steps or seeds out of range."""
    for beta in ("beta1", "beta2"):
        store_real(rule, beta, 0.0, 1.0, "[)")
    store_integer(rule, "every", 1)
    store_integer(rule, "seed")
    check_flag("fresh", rule.fresh)


def hutchinson(rule: Any, t: int, hessian: Any) -> Array:
    """Z * (H z) of random signs z, whose expectation is the diagonal of H; one product."""
    return diagonal_sample(hessian.space, hessian, lesson_seed(rule.seed, t))


@saved
@dataclass(frozen=True, slots=True)
class AdaHessian(Rule):
    r"""Adam with an estimate h of the Hessian's diagonal in the place of g in the second moment.

        m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) h^2,   h = z * (H z)
        d = (m / c1) / ((v / c2)^(power / 2) + eps),   c1 = 1 - beta1^t,  c2 = 1 - beta2^l

    z are random signs, drawn anew for each of the l lessons up to step t.

    Parameters
    ----------
    beta1, beta2 : float
        In [0, 1).
    eps : float
        >= 0, of the unit of H^power.
    power : float
        In [0, 1]: of the Hessian; 1 is Newton's.
    every : int
        Steps from one lesson to the next, the first before the first step.
    fresh : bool
        Give lessons on samples of their own.
    spatial : bool
        Replace h of a leaf of more than two axes by the mean of abs(h) over all but the first two,
        as for the kernels of convolutions.
    seed : int
        Of z: they depend on seed and step alone.

    Raises
    ------
    SettingsError
        A setting outside its range.

    Notes
    -----
    As the authors' program, with every = 1.  Memory: two vectors.  Cost: one product with the
    Hessian of a sample and one upload of z per lesson; about 14 passes over vectors per step; no
    fetch.

    References
    ----------
    Yao, Gholami, Shen, Mustafa, Keutzer & Mahoney (2021), ADAHESSIAN: an adaptive second order
    optimizer for machine learning, AAAI, algorithm 1 and eqs. (8) to (12).

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx._xp import space_of
    >>> from hessx.core import Counts
    >>> from hessx.objectives import HessianAt
    >>> from hessx.rules import Chain
    >>> H, x = np.array([1.0, 100.0]), np.array([1.0, 1.0])
    >>> chain = Chain.begin(hessx.AdaHessian(eps=0.0), space_of(x), x)
    >>> chain.learn(1, HessianAt(space_of(x), lambda v: H * v, Counts(), 1.0))
    >>> chain.step(1, H * x, x, rate=1.0).round(12)
    array([0., 0.])
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-4
    power: float = 1.0
    every: int = 1
    fresh: bool = False
    spatial: bool = True
    seed: int = 0
    slots = ("m", "v")

    def __post_init__(self) -> None:
        check_lessons(self)
        store_real(self, "eps", 0.0, ends="[)")
        store_real(self, "power", 0.0, 1.0, "[]")
        check_flag("spatial", self.spatial)

    def numbers(self, t: int, before: tuple[float, ...]) -> tuple[float, ...]:
        """Give c1 and the root of c2."""
        lessons = (t - 1) // self.every + 1
        return 1.0 - self.beta1**t, math.sqrt(1.0 - self.beta2**lessons)

    def lesson(self, t: int, hessian: Any) -> Array:
        """Estimate the diagonal; one product."""
        h = hutchinson(self, t, hessian)
        return _averaged(hessian.space, h) if self.spatial else h

    def learn(self, xp: Any, k: Coefficients, h: Array, m: Array, v: Array) -> Arrays:
        """Take an estimate into the second moment."""
        return m, ema(self.beta2, v, h * h)

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, m: Array, v: Array) -> Arrays:
        """Move the mean, and divide."""
        m = ema(self.beta1, m, g)
        return (m / k[0]) / (self._size(xp, k, v) + self.eps), m, v

    def diagonal(self, xp: Any, k: Coefficients, m: Array, v: Array) -> Array:
        """Give A of d = A m."""
        return 1.0 / ((self._size(xp, k, v) + self.eps) * k[0])

    def _size(self, xp: Any, k: Coefficients, v: Array) -> Array:
        size = xp.sqrt(v) / k[1]
        return size if self.power == 1.0 else size**self.power


def _averaged(space: Space, h: Array) -> Array:
    """Give each leaf's means over all but the first two axes, as large as the leaf."""
    xp = space.xp
    if all(len(shape) <= 2 for shape in space.shapes):
        return h
    leaves = []
    for leaf in space.leaves(h):
        if leaf.ndim > 2:
            mean = xp.mean(xp.abs(leaf), axis=tuple(range(2, leaf.ndim)), keepdims=True)
            leaf = mean + xp.zeros_like(leaf)
        leaves.append(leaf)
    return space.join(leaves)
