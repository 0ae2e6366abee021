"""Inverses as operators: polynomials, which are linear and symmetric."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hessx._xp import Array, Space
from hessx.core import SettingsError, check_integer, check_real
from hessx.krylov._chebyshev import ChebyshevPolynomial
from hessx.krylov._inverse_operators import Inverse
from hessx.krylov._spectral_bounds import SpectralBounds, spectral_bounds
from hessx.operators import LinearOperator

__all__ = ["ChebyshevInverse", "NeumannInverse", "definite_interval", "neumann"]

_NARROW = 1e-3  # of the upper end: the least length of an interval
_BEYOND = 4.0  # the least Ritz value over the lower end, where that is not known better


class NeumannInverse(Inverse):
    r"""Near A^-1 by Neumann's series, sum over j <= degree of scale (I - scale A)^j.

    Linear and symmetric; positive definite for positive definite A with eigenvalues below
    2 / scale.  An eigenvalue t of A becomes (1 - (1 - scale t)^(degree + 1)) / t.

    Parameters
    ----------
    A : LinearOperator, array, sparse matrix, operator of another library, or callable
        Symmetric positive definite; a callable is v -> A v, of shape (n,), and needs ``like``.
    degree : int
        >= 0.
    scale : float, optional
        > 0; by default 1 / high, with high above the largest eigenvalue as `spectral_bounds` finds
        it.
    products : int
        For these bounds, >= 1.
    like : array, optional
        A vector that says which library, dtype and device, where A holds no array.

    Raises
    ------
    SettingsError
        A setting out of range; without ``scale``, A is not finite or not positive definite.
    TypeError, ValueError
        A is no such operator, or nothing says where its vectors live.

    Notes
    -----
    Cost per apply: ``degree`` products, 5 passes over a vector for each; no fetch.  Made with
    ``products`` products and a fetch per eight of them, or none where ``scale`` is given.

    References
    ----------
    Saad (2003), Iterative methods for sparse linear systems, 2nd ed., section 12.3.1.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> d = np.array([1.0, 0.5])
    >>> hessx.NeumannInverse(np.diag(d), degree=2, scale=1.0) @ np.ones(2)
    array([1.  , 1.75])
    """

    def __init__(
        self,
        A: Any,
        degree: int,
        scale: float | None = None,
        *,
        products: int = 16,
        like: Any = None,
    ) -> None:
        super().__init__(A, like)
        self.degree = check_integer("degree", degree)
        if scale is None:
            self.scale = 1.0 / _positive_bounds(self._home, self.A, products).high
        else:
            self.scale = check_real("scale", scale, 0.0)

    def _apply(self, v: Array) -> Array:
        return neumann(self.A._apply, v, self.degree, self.scale)


class ChebyshevInverse(Inverse):
    r"""Near A^-1 by the polynomial p of A that is best on an interval [low, high].

        1 - t p(t) = T_(k+1)(x(t)) / T_(k+1)(x(0)),   x(t) = (high + low - 2 t) / (high - low)

    for an eigenvalue t of A, k the degree.  Linear and symmetric.  With c = high / low

        norm(I - A p(A)) <= 2 ((sqrt(c) - 1) / (sqrt(c) + 1))^(k+1)

    where the interval holds the spectrum; p(A) is positive definite where it lies in
    (0, low + high), and below ``low`` a direction is followed less far than by A^-1.

    Parameters
    ----------
    A : LinearOperator, array, sparse matrix, operator of another library, or callable
        Symmetric positive definite; a callable is v -> A v, of shape (n,), and needs ``like``.
    degree : int
        k >= 0: products per apply.
    bounds : (float, float), optional
        0 < low < high; by default from the extreme Ritz values and their residual norms of
        ``products`` Lanczos steps, low at most four times below the least Ritz value.
    products : int
        For these, >= 1.
    like : array, optional
        A vector that says which library, dtype and device, where A holds no array.

    Attributes
    ----------
    bounds : (float, float)
        low and high.

    Raises
    ------
    SettingsError
        A setting out of range; without ``bounds``, A is not finite or not positive definite.
    TypeError, ValueError
        A is no such operator, or nothing says where its vectors live.

    Notes
    -----
    Cost per apply: ``degree`` products, 6 passes over a vector for each; no fetch.  Memory: 4
    vectors while it is applied.  Made with ``products`` products and a fetch per eight of them, or
    none where ``bounds`` are given.

    References
    ----------
    Saad (2003), Iterative methods for sparse linear systems, 2nd ed., section 12.3.2; Golub & Varga
    (1961), Numer. Math. 3; Adams (1985), SIAM J. Sci. Stat. Comput. 6, on polynomials as
    preconditioners; Clenshaw (1955), Math. Comp. 9, for the recurrence.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> d = np.array([1.0, 2.0, 4.0])
    >>> inverse = hessx.ChebyshevInverse(np.diag(d), degree=4, bounds=(1.0, 4.0))
    >>> bool(abs(inverse @ np.ones(3) - 1.0 / d).max() < 2.0 / 3.0**5)
    True
    """

    def __init__(
        self,
        A: Any,
        degree: int,
        bounds: tuple[float, float] | None = None,
        *,
        products: int = 16,
        like: Any = None,
    ) -> None:
        super().__init__(A, like)
        check_integer("degree", degree)
        if bounds is None:
            low, high = definite_interval(_positive_bounds(self._home, self.A, products))
        else:
            low, high = _checked_bounds(bounds)
        self.bounds = low, high
        self.polynomial = ChebyshevPolynomial.of(lambda t: 1.0 / t, low, high, degree)

    def _apply(self, v: Array) -> Array:
        return self.polynomial.apply(self.A._apply, v)


def neumann(product: Callable[[Array], Array], v: Array, degree: int, scale: float) -> Array:
    """Give the sum over j <= degree of scale (I - scale A)^j v, by Horner's rule."""
    first = v * scale
    z = first
    for _ in range(degree):
        z = first + (z - product(z) * scale)
    return z


def definite_interval(bounds: SpectralBounds) -> tuple[float, float]:
    """Give 0 < low < high for what has a positive least Ritz value."""
    low = max(bounds.low, bounds.least / _BEYOND)
    return min(low, (1.0 - _NARROW) * bounds.high), bounds.high


def _checked_bounds(bounds: Any) -> tuple[float, float]:
    """Take an interval as a user gives it."""
    if isinstance(bounds, tuple | list) and len(bounds) == 2:
        low = check_real("the lower bound", bounds[0], 0.0)
        return low, check_real("the upper bound", bounds[1], low)
    msg = f"bounds = {bounds!r}: expected a pair of numbers, 0 < low < high"
    raise SettingsError(msg)


def _positive_bounds(home: Space, A: LinearOperator, products: int) -> SpectralBounds:
    """Bound the spectrum of A.

    Raises
    ------
    SettingsError
        A is not finite, or not positive definite.
    """
    check_integer("products", products, 1)
    bounds = spectral_bounds(home, A.matvec, products)
    if not bounds.least > 0.0 or not math.isfinite(bounds.high):
        found = "not finite" if math.isnan(bounds.least) else "not positive definite"
        msg = (
            f"A is {found}: it has a Ritz value {bounds.least:.3g} beside {bounds.largest:.3g}: "
            "expected a positive definite A, or hessx.MINRESInverse(A)"
        )
        raise SettingsError(msg)
    return bounds
