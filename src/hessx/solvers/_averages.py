"""Averages of the iterates: where gradients are asked for, and what a run returns."""

from __future__ import annotations

from dataclasses import dataclass

from hessx._xp import Array, Packet, Space, plus_scaled
from hessx.core import saved, store_integer, store_real

__all__ = ["Average", "Exponential", "LiveAverage", "Polyak", "ScheduleFree"]


class Average:
    """Settings of an average; ``begin`` gives the part at work."""

    __slots__ = ()

    def begin(self, space: Space, x: Array) -> LiveAverage:
        """Begin at x0."""
        raise NotImplementedError


class LiveAverage:
    """An average at work.

    Attributes
    ----------
    mean : array, shape (n,)
        The average, which the run returns.
    """

    __slots__ = ()
    mean: Array

    def asks_at(self, x: Array) -> Array:
        """Give the point at which gradients are asked for, of the iterate x."""
        return x

    def after(self, x: Array, rate: float) -> None:
        """Take in the next iterate, to which a step of this rate has led."""
        raise NotImplementedError

    def hold(self, packet: Packet) -> None:
        """Name the arrays that change."""
        packet.hold(self, "mean")


@saved
@dataclass(frozen=True, slots=True)
class Polyak(Average):
    """The mean of the iterates, mean_t = (x_1 + .. + x_t) / t.

    Parameters
    ----------
    start : int
        Steps that are left out at first, >= 0.

    Raises
    ------
    SettingsError
        No such number.

    Notes
    -----
    Cost: three launches per step and one vector.  Source: Polyak & Juditsky (1992).

    Examples
    --------
    >>> import hessx
    >>> hessx.Polyak(start=100)
    Polyak(start=100)
    """

    start: int = 0

    def __post_init__(self) -> None:
        store_integer(self, "start", 0)

    def begin(self, space: Space, x: Array) -> LiveAverage:
        """Begin."""
        return _Mean(space, x, self.start)


@saved
@dataclass(slots=True)
class _Mean(LiveAverage):
    space: Space
    mean: Array
    wait: int
    count: int = 0

    def after(self, x: Array, rate: float) -> None:  # noqa: ARG002
        if self.wait > 0:
            self.wait, self.mean = self.wait - 1, x
            return
        self.count += 1
        last = self.mean
        self.mean = (
            x if self.count == 1 else plus_scaled(self.space, last, x - last, 1 / self.count)
        )


@saved
@dataclass(frozen=True, slots=True)
class Exponential(Average):
    """mean_t = decay mean_(t-1) + (1 - decay) x_t, from mean_1 = x_1.

    Parameters
    ----------
    decay : float
        In (0, 1).

    Raises
    ------
    SettingsError
        No such number.

    Notes
    -----
    Cost: three launches per step and one vector.  As ``torch.optim.swa_utils.AveragedModel`` with
    ``get_ema_multi_avg_fn(decay)``.

    Examples
    --------
    >>> import hessx
    >>> hessx.Exponential(0.99)
    Exponential(decay=0.99)
    """

    decay: float = 0.999

    def __post_init__(self) -> None:
        store_real(self, "decay", 0.0, 1.0)

    def begin(self, space: Space, x: Array) -> LiveAverage:
        """Begin."""
        return _Exponential(space, x, self.decay)


@saved
@dataclass(slots=True)
class _Exponential(LiveAverage):
    space: Space
    mean: Array
    decay: float
    begun: bool = False

    def after(self, x: Array, rate: float) -> None:  # noqa: ARG002
        last = self.mean
        self.mean = plus_scaled(self.space, last, x - last, 1.0 - self.decay) if self.begun else x
        self.begun = True


@saved
@dataclass(frozen=True, slots=True)
class ScheduleFree(Average):
    r"""In the place of a schedule: gradients at y between the iterate and its average.

        y = beta mean + (1 - beta) z,    z+ = z - rate d(y),    mean+ = (1 - c) mean + c z+

    with c = w / (sum of w so far), w = (largest rate so far)^power.

    Parameters
    ----------
    beta : float
        In [0, 1); takes the place of momentum, so that a rule is to have none: `Adam` with
        ``beta1=0``.
    power : float
        Of the rate in the weights, >= 0.

    Raises
    ------
    SettingsError
        No such number.

    Notes
    -----
    Cost: six launches per step and two vectors.  Results are the average: there is no mode to
    switch.  Source: Defazio et al. (2024), The Road Less Scheduled, eqs. (1)-(3) and algorithm 1,
    as optax's ``schedule_free``.

    Examples
    --------
    >>> import hessx
    >>> hessx.StochasticMethod([hessx.SGD()], rate=0.5, average=hessx.ScheduleFree()).average
    ScheduleFree(beta=0.9, power=2.0)
    """

    beta: float = 0.9
    power: float = 2.0

    def __post_init__(self) -> None:
        store_real(self, "beta", 0.0, 1.0, ends="[)")
        store_real(self, "power", 0.0, ends="[)")

    def begin(self, space: Space, x: Array) -> LiveAverage:
        """Begin."""
        return _ScheduleFree(space, x, self.beta, self.power)


@saved
@dataclass(slots=True)
class _ScheduleFree(LiveAverage):
    space: Space
    mean: Array
    beta: float
    power: float
    largest: float = 0.0
    total: float = 0.0

    def asks_at(self, x: Array) -> Array:
        return plus_scaled(self.space, x, self.mean - x, self.beta)

    def after(self, x: Array, rate: float) -> None:
        self.largest = max(self.largest, rate)
        weight = self.largest**self.power
        self.total += weight
        share = weight / self.total if self.total > 0.0 else 0.0
        self.mean = plus_scaled(self.space, self.mean, x - self.mean, share)
