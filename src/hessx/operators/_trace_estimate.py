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
        nan where one sample says nothing.  With what rounding may do to the samples.
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
        cls, values: Any, products: int, method: str, *, eps: float = 0.0, known: float = 0.0
    ) -> TraceEstimate:
        """Give the mean of independent samples, rounded by 4 eps, beside what is known."""
        count = len(values)
        mean, error = float(np.mean(values)), math.nan
        if count > 1:
            size = float(np.max(np.abs(values))) or 1.0  # so that no square over- or underflows
            error = size * float(np.std(values / size, ddof=1)) / math.sqrt(count)
        error = math.hypot(error, 4.0 * eps * (abs(known) + float(np.mean(np.abs(values)))))
        return cls(known + mean, error, products, method)
