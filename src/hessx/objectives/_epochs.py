"""Which rows a sample means, drawn once per epoch and moved to the device once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hessx._xp import Array, Space, upload, upload_integers
from hessx.core import Order, Sample

__all__ = ["Epochs", "Shown", "check_range"]

_KEPT = 2  # orders: that of the gradients, and that of the Hessian's samples


@dataclass(slots=True)
class Shown:
    """One epoch of one order, on the host and, as far as it was asked for, on the device."""

    order: Order
    epoch: int
    host: Any
    device: Array | None = None
    weights: Array | None = None


class Epochs:
    """The orders of the last epochs.

    Parameters
    ----------
    N : int
        Rows.

    Notes
    -----
    Cost: an order and its weights are drawn and uploaded once per epoch; a sample is a view.
    Memory: 8 N bytes on the host and on the device, for each of two epochs.
    """

    def __init__(self, N: int) -> None:
        self.N = N
        self._kept: list[Shown] = []
        self._space: Space | None = None

    def on_host(self, sample: Sample) -> Any:
        """Give the numbers of a sample's rows as a NumPy array."""
        return self._find(sample).host[sample.start : sample.stop]

    def rows(self, space: Space, sample: Sample) -> tuple[Array, Array | None]:
        """Give the numbers of a sample's rows on the device, and the factors of their losses."""
        shown = self._find(sample, space)
        if shown.device is None:
            shown.device = upload_integers(space, shown.host)
        return shown.device[sample.start : sample.stop], self._weights(space, sample, shown)

    def weights(self, space: Space, sample: Sample) -> Array | None:
        """Give the factors of the rows' losses; None where all are 1."""
        return self._weights(space, sample, self._find(sample, space))

    def _weights(self, space: Space, sample: Sample, shown: Shown) -> Array | None:
        if shown.weights is None:
            factors = sample.order.weights(self.N)
            if factors is None:
                return None
            shown.weights = upload(space, factors[shown.host])
        return shown.weights[sample.start : sample.stop]

    def _find(self, sample: Sample, space: Space | None = None) -> Shown:
        check_range(sample, self.N)
        if space is not None and space is not self._space:
            self._kept, self._space = [], space
        epoch, order = sample.epoch, sample.order
        for i, shown in enumerate(self._kept):
            if shown.epoch == epoch and (shown.order is order or shown.order == order):
                if i:
                    self._kept.insert(0, self._kept.pop(i))
                return shown
        shown = Shown(order, epoch, self._draw(sample))
        self._kept = [shown, *self._kept[: _KEPT - 1]]
        return shown

    def _draw(self, sample: Sample) -> Any:
        rows = sample.order.indices(sample.epoch, self.N)
        if not (
            isinstance(rows, np.ndarray) and rows.shape == (self.N,) and rows.dtype.kind == "i"
        ):
            kind = f"{type(rows).__name__} of shape {getattr(rows, 'shape', ())}"
            msg = (
                f"{type(sample.order).__name__}.indices returned a {kind}: expected a NumPy array "
                f"of {self.N} integers"
            )
            raise TypeError(msg)
        if rows.min() < 0 or rows.max() >= self.N:  # CuPy would wrap, JAX clamp
            msg = (
                f"{type(sample.order).__name__}.indices returned rows from {rows.min()} to "
                f"{rows.max()}: expected 0 to {self.N - 1}"
            )
            raise ValueError(msg)
        return rows


def check_range(sample: Sample, N: int) -> None:
    """Refuse positions that are not in an epoch of N rows.

    Raises
    ------
    ValueError
        So it is.
    """
    if not 0 <= sample.start < sample.stop <= N:
        msg = (
            f"rows {sample.start} to {sample.stop} of an epoch: expected 0 <= start < stop <= {N}, "
            "the number of rows; no batch is larger than the data"
        )
        raise ValueError(msg)
