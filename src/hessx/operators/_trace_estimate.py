"""What an estimate of a trace is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["TraceEstimate"]


@dataclass(frozen=True, slots=True)
class TraceEstimate:
    """An estimate of a trace, and its standard error.

    Attributes
    ----------
    value : float
        The estimate; nan where a product was not finite.
    error : float
        Standard error, estimated from the samples: the trace lies within three of them as a rule.
        0 where the trace was computed, nan where one sample says nothing.
    products : int
        Taken.
    method : str
        "hutchinson", "hutch++", "xtrace", "lanczos", or "exact".
    """

    value: float
    error: float
    products: int
    method: str

    @classmethod
    def of_samples(
        cls, values: Any, products: int, method: str, known: float = 0.0
    ) -> TraceEstimate:
        """Give the mean of independent samples, beside what is known exactly."""
        count = len(values)
        error = math.nan
        if count > 1:
            error = float(np.std(values, ddof=1)) / math.sqrt(count)
        return cls(known + float(np.mean(values)), error, products, method)
