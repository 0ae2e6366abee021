"""A run's way through the rows of a finite sum."""

from __future__ import annotations

from dataclasses import dataclass

from hessx.core import Order, Sample, saved

__all__ = ["Walk"]


@saved
@dataclass(slots=True)
class Walk:
    """Gives sample after sample, epoch after epoch.

    Attributes
    ----------
    order : Order
        Of the rows in an epoch.
    N, size : int
        Rows of the sum, and of a sample; 0 where there are none: then a sample is None, the whole.
    epoch, start : int
        Where the next sample begins.
    """

    order: Order
    N: int
    size: int
    epoch: int = 0
    start: int = 0

    @property
    def per_epoch(self) -> int:
        """Samples in an epoch, the last one maybe smaller."""
        return -(-self.N // self.size) if self.size else 1

    def next(self) -> Sample | None:
        """Give a sample and move behind it."""
        if not self.size:
            self.epoch += 1
            return None
        start, stop = self.start, min(self.start + self.size, self.N)
        sample = Sample(self.order, self.epoch, start, stop)
        self.start = stop
        if stop == self.N:
            self.epoch, self.start = self.epoch + 1, 0
        return sample

    def take(self, count: int) -> list[Sample | None]:
        """Give as many samples, or what this epoch has left."""
        epoch, samples = self.epoch, [self.next()]
        while len(samples) < count and self.epoch == epoch:
            samples.append(self.next())
        return samples
