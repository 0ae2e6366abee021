"""What the gradients of one layer are made of, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["LayerFactors"]


@dataclass(frozen=True, slots=True, eq=False)
class LayerFactors:
    """Inputs and slopes of a layer that is linear in its weights, z = [W; b]' (a, 1).

    The gradient of row i is outer(inputs_i, slopes_i), that of the mean inputs' slopes / rows.

    Attributes
    ----------
    span : slice
        Where the flat x holds [W; b], shape (d_in + 1, d_out), row after row; (d_in, d_out) of a
        layer without b.
    inputs : array, shape (rows, d_in + 1)
        What the layer is given, with a column of ones for b.
    slopes : array, shape (rows, d_out)
        Derivatives of each row's loss by what the layer gives.
    """

    span: slice
    inputs: Any
    slopes: Any
