"""From samples to the gradient of a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Packet, Space
from hessx.core import Sample, Wants, saved, store_integer

__all__ = [
    "GRADIENT",
    "Accumulate",
    "Estimate",
    "LiveEstimate",
    "OneBatch",
    "Question",
]

GRADIENT = Wants.VALUE | Wants.GRADIENT


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask next for a step: at which point, on which rows, None being all."""

    x: Array
    sample: Sample | None
    wants: Wants = GRADIENT


class Estimate:
    """Settings of an estimate of the gradient; ``begin`` gives the part at work.

    Attributes
    ----------
    batches : int
        Samples per step, fewer where an epoch ends.
    single : bool
        The gradient is that of one sample at the point, so that others can be asked about it.
    samples, pairs : bool
        It is of use on samples of a finite sum alone; it finds pairs.
    wants : Wants
        Of the oracle.
    """

    __slots__ = ()
    batches: int = 1
    single: bool = False
    samples: bool = False
    pairs: bool = False
    wants: Wants = GRADIENT

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
        completed one: that of a sample which was asked before, at the point before.
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
