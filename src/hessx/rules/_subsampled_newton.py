"""Newton's step on a sample of the Hessian, by a few steps of conjugate gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Packet, Space
from hessx.core import check_flag, saved, store_integer, store_real
from hessx.krylov import cg_steps
from hessx.rules._rule import Rule

__all__ = ["SubsampledNewton", "SubsampledNewtonPart"]


@saved(fresh=("hessian",))
class SubsampledNewtonPart:
    """Holds the Hessian between the lesson of a step and its turn."""

    __slots__ = ("hessian", "rule", "space")

    def __init__(self, rule: SubsampledNewton, space: Space) -> None:
        self.rule, self.space = rule, space
        self.hessian: Any = None

    @property
    def waits(self) -> bool:
        """Whether the Hessian, which is not saved, has yet to come."""
        return self.hessian is None

    def learn(self, t: int, hessian: Any) -> None:
        """Take the Hessian of a sample; nothing is evaluated yet."""
        self.hessian = hessian

    def turn(self, t: int, g: Array, x: Array) -> Array:
        """Give H^-1 g, as far as the steps come."""
        rule, hessian, self.hessian = self.rule, self.hessian, None
        return cg_steps(self.space, hessian, g, rule.steps, rule.forcing)

    def hold(self, packet: Packet) -> None:
        """Name nothing: all is formed anew in each step."""


@saved
@dataclass(frozen=True, slots=True)
class SubsampledNewton(Rule):
    r"""d near H_S^-1 g, by conjugate gradients with the Hessian H_S of a sample.

    Parameters
    ----------
    steps : int
        Of CG, >= 1, one product each.
    forcing : float
        In [0, 1): d stays as it is once norm(g - H_S d) <= forcing norm(g).
    fresh : bool
        Take a sample of its own, of ``lesson_size`` rows; else that of the gradient, or its rows.

    Raises
    ------
    SettingsError
        A setting out of range.

    Notes
    -----
    With `StochasticArmijo`, or near a minimum with rate = 1.  Gradients want more rows than the
    Hessian: with ``batch_size="full"`` and a ``lesson_size`` only the Hessian is sampled.  Where
    curvature is negative CG stays at the step before; if it is so from the first step on, d is g
    times g'g / abs(g'H g).

    Cost: ``steps`` products with the Hessian of the sample per step, whatever happens; no fetch.

    References
    ----------
    Byrd, Chin, Neveitt & Nocedal (2011), On the use of stochastic Hessian information in
    optimization methods for machine learning, SIAM J. Optim. 21, algorithm 2.1; Roosta-Khorasani &
    Mahoney (2019), Sub-sampled Newton methods, Math. Program. 174, for how many rows it takes.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx.models import LogisticRegression
    >>> draw = np.random.default_rng(0)
    >>> X = draw.standard_normal((200, 2))
    >>> y = (X @ [1.0, 2.0] + draw.standard_normal(200) > 0) * 1.0
    >>> loss = hessx.FiniteSum(LogisticRegression(X, y, l2=0.01))
    >>> method = hessx.StochasticMethod(
    ...     hessx.SubsampledNewton(fresh=True), rate=1.0, batch_size="full", lesson_size=100,
    ...     steps=8)
    >>> bool(abs(hessx.minimize(loss, np.zeros(3), method=method).jac).max() < 1e-4)
    True
    """

    steps: int = 10
    forcing: float = 0.1
    fresh: bool = False
    acts_on = "whole"
    every = 1
    samples = True

    def __post_init__(self) -> None:
        store_integer(self, "steps", 1)
        store_real(self, "forcing", 0.0, 1.0, "[)")
        check_flag("fresh", self.fresh)

    def begin(self, space: Space, x: Array) -> SubsampledNewtonPart:
        """Begin; there is a lesson before each step."""
        return SubsampledNewtonPart(self, space)
