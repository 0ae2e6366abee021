"""Polynomials of a symmetric matrix, by their Chebyshev coefficients on an interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hessx._xp import Array
from hessx.core import saved

__all__ = ["ChebyshevPolynomial"]


@saved
@dataclass(frozen=True, slots=True)
class ChebyshevPolynomial:
    """p(t) = sum_j c_j T_j((2 t - low - high) / (high - low)).

    Attributes
    ----------
    coefficients : list of float
        c_0 ... c_k, k the degree.
    low, high : float
        The interval.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx.krylov import ChebyshevPolynomial
    >>> p = ChebyshevPolynomial.of(lambda t: 1.0 / t, 1.0, 2.0, degree=8)
    >>> d = np.array([1.0, 1.5, 2.0])
    >>> bool(abs(p.apply(lambda v: d * v, np.ones(3)) - 1.0 / d).max() < 1e-6)
    True
    """

    coefficients: list[float]
    low: float
    high: float

    @classmethod
    def of(
        cls, function: Callable[[np.ndarray], np.ndarray], low: float, high: float, degree: int
    ) -> ChebyshevPolynomial:
        """Interpolate a function at the degree + 1 Chebyshev points of the interval.

        Of 1 / t it is the inverse by Chebyshev iteration: 1 - t p(t) is the T_(degree + 1) of the
        interval over its value at 0, the least of all on the interval.
        """
        middle, half = 0.5 * (low + high), 0.5 * (high - low)
        interpolate: Any = np.polynomial.chebyshev.chebinterpolate
        c: np.ndarray = interpolate(lambda x: function(middle + half * x), degree)
        return cls(c.tolist(), low, high)

    def apply(self, product: Callable[[Array], Array], v: Array) -> Array:
        """Give p(A) v by Clenshaw's recurrence: a product with A per degree, no fetch.

        Parameters
        ----------
        product : callable
            v -> A v; what it returns is not written to, and not kept past the next call.
        v : array, shape (..., n)
            A vector, or a stack where the product takes stacks.
        """
        first, *rest = self.coefficients
        if not rest:
            return v * first
        a, b = 2.0 / (self.high - self.low), (self.low + self.high) / (self.high - self.low)
        u, before = v * rest[-1], None
        for c in reversed(rest[:-1]):
            w = v * c + (product(u) * (2.0 * a) - u * (2.0 * b))
            u, before = (w if before is None else w - before), u
        w = v * first + (product(u) * a - u * b)
        return w if before is None else w - before
