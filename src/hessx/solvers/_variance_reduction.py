"""Estimates of the gradient with less variance: SVRG, SARAH, SAGA."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Packet, Space, put_rows
from hessx.core import Sample, Wants, saved, store_integer
from hessx.solvers._estimates import GRADIENT, Estimate, LiveEstimate, Question

__all__ = ["SAGA", "SARAH", "SVRG"]


@saved
@dataclass(frozen=True, slots=True)
class SVRG(Estimate):
    r"""Stochastic variance-reduced gradient, g = g_S(x) - g_S(x~) + grad f(x~).

    Parameters
    ----------
    every : int
        Epochs between two anchors x~, >= 1, each with the gradient of the whole.

    Raises
    ------
    SettingsError
        No such number.

    Notes
    -----
    On a strongly convex sum it converges linearly at a constant rate.  Cost: two gradients of the
    sample per step, one of the whole every ``every`` epochs: (2 + 1 / every) N rows per epoch; two
    vectors.  Source: Johnson & Zhang (2013), figure 1, option I.

    Examples
    --------
    >>> import hessx
    >>> hessx.StochasticMethod([hessx.SGD()], rate=0.1, estimate=hessx.SVRG(every=2)).estimate
    SVRG(every=2)
    """

    every: int = 1

    def __post_init__(self) -> None:
        store_integer(self, "every", 1)

    def begin(self, space: Space, per_epoch: int) -> LiveEstimate:
        """Begin."""
        return _SVRG(space, self.every * per_epoch)


@saved
@dataclass(slots=True)
class _SVRG(LiveEstimate):
    """Counts the steps since the anchor was set; there the two sampled gradients cancel."""

    space: Space
    period: int
    steps: int = 0
    g: Array = None
    anchor: Array = None
    whole: Array = None

    def ask(self, i: int, x: Array, samples: list[Sample | None]) -> Question | None:
        if self.steps % self.period == 0:
            if i == 0:
                self.anchor = x
                return Question(x, None)
        elif i < 2:
            return Question(x if i == 0 else self.anchor, samples[0])
        self.steps += 1
        return None

    def take(self, i: int, reply: Any, samples: list[Sample | None]) -> None:  # noqa: ARG002
        if self.steps % self.period == 0:
            self.g = self.whole = self.space.copy(reply.grad)
        elif i == 0:
            self.g = reply.grad + self.whole
        else:
            self.g = self.g - reply.grad

    def hold(self, packet: Packet) -> None:
        packet.hold(self, "g", "anchor", "whole")


@saved
@dataclass(frozen=True, slots=True)
class SARAH(Estimate):
    r"""Recursive estimate, g = g_S(x) - g_S(x_before) + g_before.

    Parameters
    ----------
    every : int
        Epochs between two gradients of the whole, >= 1.

    Raises
    ------
    SettingsError
        No such number.

    Notes
    -----
    Cost: as `SVRG`.  Source: Nguyen, Liu, Scheinberg & Takac (2017), algorithm 1.

    Examples
    --------
    >>> import hessx
    >>> hessx.SARAH()
    SARAH(every=1)
    """

    every: int = 1

    def __post_init__(self) -> None:
        store_integer(self, "every", 1)

    def begin(self, space: Space, per_epoch: int) -> LiveEstimate:
        """Begin."""
        return _SARAH(space, self.every * per_epoch)


@saved
@dataclass(slots=True)
class _SARAH(LiveEstimate):
    space: Space
    period: int
    steps: int = 0
    g: Array = None
    here: Array = None
    before: Array = None

    def ask(self, i: int, x: Array, samples: list[Sample | None]) -> Question | None:
        whole = self.steps % self.period == 0
        if i == 0:
            self.before, self.here = self.here, x
            return Question(x, None if whole else samples[0])
        if i == 1 and not whole:
            return Question(self.before, samples[0])
        self.steps += 1
        return None

    def take(self, i: int, reply: Any, samples: list[Sample | None]) -> None:  # noqa: ARG002
        if self.steps % self.period == 0:
            self.g = self.space.copy(reply.grad)
        elif i == 0:
            self.g = self.g + reply.grad
        else:
            self.g = self.g - reply.grad

    def hold(self, packet: Packet) -> None:
        packet.hold(self, "g", "here", "before")


@saved
@dataclass(frozen=True, slots=True)
class SAGA(Estimate):
    r"""g = g_S(x) - mean over S of h_i + mean of all h_i, h_i the last gradient seen of row i.

    Notes
    -----
    On a strongly convex sum it converges linearly at a constant rate.  It needs the gradients of
    single rows: models of `hessx.models`, and ``jac="autodiff"``; and samples without repetition.
    Cost: one pass at x0, then one gradient of the sample per step; memory for the table: N numbers
    of a linear model, N k with k classes or outputs, else N n.
    Source: Defazio, Bach & Lacoste-Julien (2014), eq. (1), with samples of several rows.

    Examples
    --------
    >>> import hessx
    >>> hessx.SAGA()
    SAGA()
    """

    wants = GRADIENT | Wants.PER_SAMPLE

    def begin(self, space: Space, per_epoch: int) -> LiveEstimate:  # noqa: ARG002
        """Begin."""
        return _SAGA(space)


@saved
@dataclass(slots=True)
class _SAGA(LiveEstimate):
    """The table holds of each row what its gradient can be made of again."""

    space: Space
    g: Array = None
    mean: Array = None
    table: Array = None

    def ask(self, i: int, x: Array, samples: list[Sample | None]) -> Question | None:
        if i > 0:
            return None
        return Question(x, None if self.table is None else samples[0], SAGA.wants)

    def take(self, i: int, reply: Any, samples: list[Sample | None]) -> None:  # noqa: ARG002
        rows, now = reply.per_sample, reply.per_sample.coefficients
        if self.table is None or reply.rows is None:  # all rows, in their order
            self.table, self.mean = now, rows.mean(now)
            self.g = self.space.copy(reply.grad)
            return
        xp = self.space.xp
        # gradients need not be linear in what is kept: of networks they are products of it
        before = rows.mean(xp.take(self.table, reply.rows, axis=0))
        self.g = reply.grad - before + self.mean
        share = now.shape[0] / self.table.shape[0]
        self.mean = self.mean + (rows.mean(now) - before) * share
        self.table = put_rows(self.space, self.table, reply.rows, now)

    def hold(self, packet: Packet) -> None:
        packet.hold(self, "g", "mean", "table")
