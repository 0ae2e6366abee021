"""From samples to the gradient of a step: as it comes, accumulated, or with less variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Packet, Space, put_rows
from hessx.core import Sample, Wants, saved, store_integer

__all__ = [
    "SAGA",
    "SARAH",
    "SVRG",
    "Accumulate",
    "Estimate",
    "LiveEstimate",
    "OneBatch",
    "Question",
]

_GRADIENT = Wants.VALUE | Wants.GRADIENT


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask next for a step: at which point, on which rows, None being all."""

    x: Array
    sample: Sample | None
    wants: Wants = _GRADIENT


class Estimate:
    """Settings of an estimate of the gradient; ``begin`` gives the part at work.

    Attributes
    ----------
    batches : int
        Samples per step, fewer where an epoch ends.
    single : bool
        The gradient is that of one sample at the point, so that others can be asked about it.
    wants : Wants
        Of the oracle.
    """

    __slots__ = ()
    batches: int = 1
    single: bool = False
    wants: Wants = _GRADIENT

    def begin(self, space: Space, per_epoch: int) -> LiveEstimate:
        """Begin a run of this many steps per epoch."""
        raise NotImplementedError


class LiveEstimate:
    """An estimate at work: asks question after question, until it has the gradient of a step.

    Attributes
    ----------
    g : array, shape (n,)
        The gradient, once ``ask`` gives None; it may be a buffer of the user's.
    pair : tuple of arrays, optional
        A step s and the change y of one sampled gradient along it, where the last answer has
        completed one.
    """

    __slots__ = ()
    g: Array
    pair: tuple[Array, Array] | None = None

    def ask(self, i: int, x: Array, samples: list[Sample | None]) -> Question | None:
        """Give the i-th question of the step from x, or None after the last one."""
        raise NotImplementedError

    def take(self, i: int, reply: Any, samples: list[Sample | None]) -> None:
        """Take the answer to the i-th question."""
        raise NotImplementedError

    def hold(self, packet: Packet) -> None:
        """Name the arrays that change."""


@saved
@dataclass(frozen=True, slots=True)
class OneBatch(Estimate):
    """The gradient of one sample, as it comes.

    Examples
    --------
    >>> import hessx
    >>> hessx.StochasticMethod([hessx.SGD()], rate=0.1, estimate=hessx.OneBatch()).estimate
    OneBatch()
    """

    single = True

    def begin(self, space: Space, per_epoch: int) -> LiveEstimate:  # noqa: ARG002
        """Begin."""
        return _OneBatch()


@saved
@dataclass(slots=True)
class _OneBatch(LiveEstimate):
    g: Array = None

    def ask(self, i: int, x: Array, samples: list[Sample | None]) -> Question | None:
        return Question(x, samples[0]) if i == 0 else None

    def take(self, i: int, reply: Any, samples: list[Sample | None]) -> None:  # noqa: ARG002
        self.g = reply.grad


@saved
@dataclass(frozen=True, slots=True)
class Accumulate(Estimate):
    """The mean gradient of several samples, asked for one after the other.

    A batch of k times the size where memory holds one: k evaluations per step.

    Parameters
    ----------
    batches : int
        Samples per step, >= 1; what an epoch leaves over is a step of fewer.

    Raises
    ------
    SettingsError
        No such number.

    Examples
    --------
    >>> import hessx
    >>> hessx.Accumulate(4)
    Accumulate(batches=4)
    """

    batches: int = 2

    def __post_init__(self) -> None:
        store_integer(self, "batches", 1)

    def begin(self, space: Space, per_epoch: int) -> LiveEstimate:  # noqa: ARG002
        """Begin."""
        return _Accumulate()


@saved
@dataclass(slots=True)
class _Accumulate(LiveEstimate):
    g: Array = None

    def ask(self, i: int, x: Array, samples: list[Sample | None]) -> Question | None:
        return Question(x, samples[i]) if i < len(samples) else None

    def take(self, i: int, reply: Any, samples: list[Sample | None]) -> None:
        share = _size(samples[i]) / sum(map(_size, samples))
        g = reply.grad * share
        self.g = g if i == 0 else self.g + g

    def hold(self, packet: Packet) -> None:
        packet.hold(self, "g")


def _size(sample: Sample | None) -> int:
    return 1 if sample is None else sample.size


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

    wants = _GRADIENT | Wants.PER_SAMPLE

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
        if self.table is None:
            self.table, self.mean = now, rows.mean(now)
            self.g = self.space.copy(reply.grad)
            return
        xp = self.space.xp
        change = now - xp.take(self.table, rows.rows, axis=0)
        new = rows.mean(now)
        moved = rows.mean(change)
        self.g = reply.grad - (new - moved) + self.mean
        self.mean = self.mean + moved * (now.shape[0] / self.table.shape[0])
        self.table = put_rows(self.space, self.table, rows.rows, now)

    def hold(self, packet: Packet) -> None:
        packet.hold(self, "g", "mean", "table")
