"""Which rows of a finite sum a request is about, in three integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hessx.core._saved import saved

__all__ = ["Order", "Sample"]


class Order:
    """In which order an epoch goes through the rows: frozen settings, the base of every order.

    A pure function of the epoch: a run's place is three integers, and no random state is saved.

    Attributes
    ----------
    repeats : bool
        A row may be twice in an epoch.
    """

    __slots__ = ()
    repeats: bool = False

    def indices(self, epoch: int, N: int) -> Any:
        """Give the rows of an epoch in their order.

        Parameters
        ----------
        epoch : int
            From 0.
        N : int
            How many rows there are.

        Returns
        -------
        NumPy array of int64, shape (N,)
            Numbers of rows, each from 0 to N - 1.
        """
        msg = f"{type(self).__name__} has no indices(epoch, N), which gives the rows in order"
        raise NotImplementedError(msg)

    def weights(self, N: int) -> Any:  # noqa: ARG002
        """Give the factors of the rows' losses that keep the mean of a sample unbiased.

        Returns
        -------
        NumPy array of float64, shape (N,), or None
            None where all are 1.
        """
        return None


@saved
@dataclass(frozen=True, slots=True)
class Sample:
    """The rows ``order.indices(epoch, N)[start:stop]`` of a finite sum.

    Attributes
    ----------
    order : Order
        Of the rows in an epoch.
    epoch, start, stop : int
        Positions in that order; start < stop <= N.
    """

    order: Order
    epoch: int
    start: int
    stop: int

    @property
    def size(self) -> int:
        """How many rows."""
        return self.stop - self.start
