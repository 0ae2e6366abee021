"""d = A m for any approximation A of the inverse Hessian, and a mean m of gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Packet, Space, ema
from hessx.core import (
    Frame,
    Learns,
    Offer,
    Pair,
    SettingsError,
    Wants,
    check_flag,
    check_part,
    saved,
    store_integer,
    store_real,
)
from hessx.hessians import Approximation
from hessx.rules._rule import Rule

__all__ = ["Preconditioned", "PreconditionedPart", "lesson_seed"]

_BITS = 32  # of the step, in the seed of a lesson


def lesson_seed(seed: int, t: int) -> int:
    """Give the seed of the lesson of step t: another for each step, the same in each run."""
    return (seed << _BITS) + t


@saved
class PreconditionedPart:
    """A at work, and the mean of gradients.

    Attributes
    ----------
    curvature : Curvature
        Of the approximation.
    m : array, shape (n,)
        ema of the gradients.
    count : int
        Of the gradients in m.
    """

    __slots__ = ("count", "curvature", "m", "rule")

    def __init__(self, rule: Preconditioned, space: Space) -> None:
        self.rule, self.count = rule, 0
        self.curvature = rule.approximation.begin(Frame(space))
        self.m: Array = space.zeros(space.n)

    def turn(self, t: int, g: Array, x: Array) -> Array:
        """Give A m; 0, without a step, while A that learns from samples knows nothing."""
        rule, A = self.rule, self.curvature
        if rule.approximation.learns is Learns.GRADIENTS:
            A.update(g)
        if rule.approximation.stochastic and not A.active:
            return g * 0.0
        self.count += 1
        self.m = ema(rule.beta, self.m, g)
        m = self.m / (1.0 - rule.beta**self.count) if rule.corrected else self.m
        return A.solve(m)

    def learn(self, t: int, hessian: Any) -> None:
        """Learn from the Hessian of a sample, or from the layers it gives."""
        approximation = self.rule.approximation
        if Wants.HESSIAN in approximation.wants:
            self.curvature.leave()
            self.curvature.at(hessian)
        elif approximation.learns is Learns.HESSIAN:
            self.curvature.update(hessian)
        elif approximation.learns is Learns.FACTORS:
            given = getattr(approximation, "labels", "sampled") == "given"
            seed = None if given else lesson_seed(self.rule.seed, t)
            self.curvature.update(hessian.factors(seed))

    @property
    def waits(self) -> bool:
        """Whether the Hessian has to be handed over again, which is not saved."""
        return Wants.HESSIAN in self.rule.approximation.wants and self.curvature.waits

    def learn_rows(self, t: int, rows: Any) -> None:
        """Learn from the gradients of rows."""
        if self.rule.approximation.learns is Learns.PER_SAMPLE:
            self.curvature.update(rows)

    def measure_pair(self, pair: Pair, packet: Packet) -> None:
        """Ask for what `learn_pair` will need beyond s'y, y'y and s's."""
        if self._learns_from_steps:
            self.curvature.measure(pair, packet)

    def learn_pair(self, pair: Pair) -> str:
        """Learn from a step and the change of the gradient along it."""
        return self.curvature.update(pair) if self._learns_from_steps else ""

    def inverse_hessian(self) -> Any:
        """Give A in x, once there is more than I."""
        return self.curvature.inverse_hessian() if self.curvature.active else None

    def hold(self, packet: Packet) -> None:
        """Name the arrays."""
        packet.hold(self, "m")
        self.curvature.hold(packet)

    @property
    def _learns_from_steps(self) -> bool:
        return self.rule.pairs


@saved
@dataclass(frozen=True, slots=True)
class Preconditioned(Rule):
    r"""d = A m, m = beta m + (1 - beta) g, for an approximation A of the inverse Hessian.

    Parameters
    ----------
    approximation : Approximation
        `Shampoo` or `SOAP`, which learn from each gradient; `KFAC`, `EKFAC`, or `Fisher`, which
        learn from the layers or rows of a sample; one that learns from steps, such as `LBFGS`,
        where the estimate of the gradient finds pairs (`RepeatedSample`, `MultiBatch`); one that is
        made of the Hessian of a sample, such as `Jacobi` or `NewtonSketch`.
    beta : float
        In [0, 1); 0 is A g.
    every : int, optional
        Steps from one lesson to the next, the first before the first step, where A learns from the
        Hessian or from layers; 1 by default.
    fresh : bool
        Give lessons on samples of their own, not on those of the gradients.
    corrected : bool
        Divide m by 1 - beta^t.
    seed : int
        Of labels that are drawn for lessons: they depend on seed and step alone.

    Raises
    ------
    SettingsError
        A setting out of range, an approximation that cannot solve or is not positive, or ``every``
        where there are no lessons.

    Notes
    -----
    Where A learns from samples and knows nothing yet, as SOAP at its first gradient, the step is
    left out: d = 0, and the gradient is no part of m.

    Memory and cost: those of A, and one vector.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Chain
    >>> x = np.diag([3.0, 0.01])
    >>> space, flat = space_of(x), x.ravel()
    >>> chain = Chain.begin(hessx.Preconditioned(hessx.Shampoo()), space, flat)
    >>> chain.step(1, flat, flat, rate=1.0).round(12)
    array([ 2.  ,  0.  ,  0.  , -0.99])
    """

    approximation: Approximation
    beta: float = 0.9
    every: int | None = None  # type: ignore[assignment]
    fresh: bool = False
    corrected: bool = True
    seed: int = 0
    acts_on = "whole"

    def __post_init__(self) -> None:
        A = self.approximation
        known = "an approximation such as hessx.Shampoo(), hessx.SOAP() or hessx.KFAC()"
        check_part("approximation", A, Approximation, known)
        if not A.positive or Offer.SOLVE not in A.offers or A.only_preconditions:
            msg = (
                f"approximation = {type(A).__name__}(...): expected one that is positive definite, "
                "offers SOLVE and learns outside solves, such as hessx.Shampoo(), hessx.SOAP(), "
                "hessx.KFAC() or hessx.LBFGS()"
            )
            raise SettingsError(msg)
        taught = A.learns in (Learns.FACTORS, Learns.HESSIAN) or Wants.HESSIAN in A.wants
        if self.every and not taught:
            msg = (
                f"every = {self.every!r}: {type(A).__name__}(...) has no lessons, but learns from "
                f"{A.learns.value}: expected every = None"
            )
            raise SettingsError(msg)
        if self.every is None:
            object.__setattr__(self, "every", 1 if taught else 0)
        store_integer(self, "every", 1 if taught else 0)
        store_integer(self, "seed")
        store_real(self, "beta", 0.0, 1.0, "[)")
        check_flag("fresh", self.fresh)
        check_flag("corrected", self.corrected)

    @property
    def pairs(self) -> bool:  # type: ignore[override]
        """Whether A learns from steps, of which an estimate has to find the pairs."""
        return self.approximation.learns in (Learns.ACCEPTED, Learns.EVERY)

    @property
    def samples(self) -> bool:  # type: ignore[override]
        """Whether A is made of the Hessian on a sample."""
        return self.approximation.learns is Learns.HESSIAN

    @property
    def wants(self) -> Wants:
        """What it asks of the oracle beyond value and gradient."""
        if self.approximation.learns is Learns.PER_SAMPLE:
            return Wants.PER_SAMPLE
        if self.approximation.learns is Learns.FACTORS:
            return Wants.HESSIAN | Wants.FACTORS
        return Wants.HESSIAN if self.every else Wants.NOTHING

    def begin(self, space: Space, x: Array) -> PreconditionedPart:
        """Begin with A = I."""
        return PreconditionedPart(self, space)
