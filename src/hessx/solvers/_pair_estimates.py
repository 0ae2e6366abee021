"""Estimates that find pairs (s, y): the same rows at two points, so that y is free of their noise.

A difference of gradients on two different samples is mostly the difference of the samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from hessx._xp import Array, Packet, Space
from hessx.core import Sample, saved, store_real
from hessx.solvers._estimates import Estimate, LiveEstimate, Question

__all__ = ["MultiBatch", "RepeatedSample"]


@saved
@dataclass(frozen=True, slots=True)
class RepeatedSample(Estimate):
    r"""The gradient of one sample, and that of the sample before once more, for a pair.

        s = x - x_before,   y = g_S(x) - g_S(x_before) + damping s

    S is the sample of the step before.

    Parameters
    ----------
    damping : float
        >= 0, of the unit of the Hessian: makes s'y positive where f is not convex.

    Raises
    ------
    SettingsError
        A negative damping.

    Notes
    -----
    For `Preconditioned` around an approximation that learns from steps, such as `LBFGS`: online
    L-BFGS.  Cost: two gradients per step, and one fetch; two vectors.

    References
    ----------
    Schraudolph, Yu & Guenter (2007), A stochastic quasi-Newton method for online convex
    optimization, section 3.2; Mokhtari & Ribeiro (2015), Global convergence of online limited
    memory BFGS, algorithm 1, where damping = 0.

    Examples
    --------
    >>> import hessx
    >>> rule = hessx.Preconditioned(hessx.LBFGS(memory=10), beta=0.0)
    >>> hessx.StochasticMethod(rule, rate=0.1, estimate=hessx.RepeatedSample()).estimate
    RepeatedSample(damping=0.0)
    """

    damping: float = 0.0
    samples = True
    pairs = True

    def __post_init__(self) -> None:
        store_real(self, "damping", 0.0, ends="[)")

    def begin(self, space: Space, per_epoch: int) -> LiveEstimate:  # noqa: ARG002
        """Begin."""
        return _RepeatedSample(space, self.damping)


class _Paired(LiveEstimate):
    """What both have: a sample that is asked for at two points."""

    __slots__ = ()
    space: Space
    damping: float
    before: Array
    grad: Array

    def _difference(self, x: Array, grad: Array) -> tuple[Array, Array]:
        """Give s and y, with the gradient of the rows at x."""
        s, y = x - self.before, grad - self.grad
        return s, y + s * self.damping if self.damping else y


@saved(fresh=("pair",))
@dataclass(slots=True)
class _RepeatedSample(_Paired):
    """Keeps the sample of the step before, and its gradient there."""

    space: Space
    damping: float
    g: Array = None
    here: Array = None
    before: Array = None
    rows: Sample | None = None
    grad: Array = None
    pair: tuple[Array, Array] | None = None

    def ask(self, i: int, x: Array, samples: list[Sample | None]) -> Question | None:
        if i == 0:
            self.before, self.here = self.here, x
        repeated = self.before is not None
        if i == 0 and repeated:
            return Question(x, self.rows)
        return Question(x, samples[0]) if i == repeated else None

    def take(self, i: int, reply: Any, samples: list[Sample | None]) -> None:
        self.pair = None
        if i == 0 and self.before is not None:
            self.pair = self._difference(self.here, reply.grad)
        else:
            self.g = self.grad = self.space.copy(reply.grad)
            self.rows = samples[0]

    def hold(self, packet: Packet) -> None:
        packet.hold(self, "g", "here", "before", "grad")


@saved
@dataclass(frozen=True, slots=True)
class MultiBatch(Estimate):
    r"""Batches that overlap with the one before, on whose common rows pairs are found.

        batch = [O | own | O+],   g = mean over the batch
        s = x - x_before,   y = g_O(x) - g_O(x_before) + damping s

    O+, the last rows of a batch, are the O of the next.  The three parts are asked for apart, so
    that no row is evaluated twice at a point.

    Parameters
    ----------
    overlap : float
        In (0, 1]: O+ by the rows that are new in a batch, own and O+; at least one row.
    damping : float
        >= 0, of the unit of the Hessian.

    Raises
    ------
    SettingsError
        A setting out of range.

    Notes
    -----
    ``batch_size`` of the method is that of the new rows, each of which comes once per epoch; the
    gradient is of (1 + overlap) as many.  In another epoch's order the rows of O may come again
    among the new ones.  So the first batch of an epoch is of new rows alone, and O is asked for
    beside it, for the pair.

    Cost: (1 + overlap) N rows per epoch, in three evaluations and one fetch per step; three
    vectors.

    References
    ----------
    Berahas, Nocedal & Takac (2016), A multi-batch L-BFGS method for machine learning, section 2.2,
    whose batches are of a part of the rows in each step.

    Examples
    --------
    >>> import hessx
    >>> rule = hessx.Preconditioned(hessx.LBFGS(memory=10), beta=0.0)
    >>> method = hessx.StochasticMethod(rule, rate=0.1, estimate=hessx.MultiBatch(overlap=0.5))
    >>> method.estimate
    MultiBatch(overlap=0.5, damping=0.0)
    """

    overlap: float = 0.25
    damping: float = 0.0
    samples = True
    pairs = True

    def __post_init__(self) -> None:
        store_real(self, "overlap", 0.0, 1.0, "(]")
        store_real(self, "damping", 0.0, ends="[)")

    def begin(self, space: Space, per_epoch: int) -> LiveEstimate:  # noqa: ARG002
        """Begin."""
        return _MultiBatch(space, self.overlap, self.damping)


@saved(fresh=("pair",))
@dataclass(slots=True)
class _MultiBatch(_Paired):
    """Keeps the new rows of this batch, O, and the gradient on O at the point before."""

    space: Space
    overlap: float
    damping: float
    g: Array = None
    here: Array = None
    before: Array = None
    new: Sample | None = None
    rows: Sample | None = None
    grad: Array = None
    pair: tuple[Array, Array] | None = None

    def ask(self, i: int, x: Array, samples: list[Sample | None]) -> Question | None:
        if i == 0:
            self.before, self.here = self.here, x
            self.rows = None if self.new is None else self._cut(self.new)[-1]
            self.new, self.g = samples[0], None
        parts = self._parts()
        return Question(x, parts[i]) if i < len(parts) else None

    def take(self, i: int, reply: Any, samples: list[Sample | None]) -> None:  # noqa: ARG002
        parts, grad, epoch = self._parts(), reply.grad, self.new.epoch  # type: ignore[union-attr]
        known = i == 0 and self.rows is not None
        self.pair = self._difference(self.here, grad) if known else None
        if parts[i].epoch == epoch:
            weighed = grad * (parts[i].size / sum(p.size for p in parts if p.epoch == epoch))
            self.g = weighed if self.g is None else self.g + weighed
        if i == len(parts) - 1:
            self.grad = self.space.copy(grad)

    def hold(self, packet: Packet) -> None:
        packet.hold(self, "g", "here", "before", "grad")

    def _parts(self) -> list[Sample]:
        """Give O, where there was a batch before, own rows, and O+."""
        own: Sample = self.new  # type: ignore[assignment]
        return ([] if self.rows is None else [self.rows]) + self._cut(own)

    def _cut(self, new: Sample) -> list[Sample]:
        """Cut new rows into the batch's own, if there are any left, and O+."""
        start = new.stop - math.ceil(self.overlap * new.size)
        common = replace(new, start=start)
        return [common] if start == new.start else [replace(new, stop=start), common]
