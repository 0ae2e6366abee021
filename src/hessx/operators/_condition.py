"""The condition number of a symmetric operator, between bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hessx._xp import Space
from hessx.core import check_integer, check_real
from hessx.operators._extremes import DEFAULT_PRODUCTS, rounding, search
from hessx.operators._lanczos import LanczosRun
from hessx.operators._placed import eigenvalues, place

__all__ = ["ConditionNumber", "condition_number"]


@dataclass(frozen=True, slots=True)
class ConditionNumber:
    """max abs(lambda_i) / min abs(lambda_i), and how sure it is.

    Attributes
    ----------
    value : float
        The estimate; inf where A is singular up to rounding, nan where it is not finite.
    low, high : float
        The condition number lies between them.  high is inf where no lower bound of
        min abs(lambda_i) is known: where A is singular up to rounding, and where it is indefinite
        and not ``exact``, for eigenvalues in the midst of the spectrum may be missed.
    products : int
        Taken.
    exact : bool
        By all n eigenvalues.
    message : str
        The same in a sentence.
    """

    value: float
    low: float
    high: float
    products: int
    exact: bool
    message: str


def condition_number(
    A: Any,
    like: Any = None,
    *,
    products: int = DEFAULT_PRODUCTS,
    rtol: float = 0.01,
    seed: int = 0,
) -> ConditionNumber:
    """Estimate the condition number of a symmetric A in the 2-norm.

    With n products or more by all eigenvalues, otherwise by k Lanczos steps, A V' = V' T +
    beta_k v_(k+1) e_k': the Ritz values bound max abs(lambda_i) from below, and the least singular
    value of T with the row beta_k e_k' below it, the least of norm(A v) / norm(v) over the Krylov
    space, bounds min abs(lambda_i) from above.  The errors of the outermost Ritz values bound both
    from the other side where all of them have one sign.

    Parameters
    ----------
    A : LinearOperator, array, sparse matrix, operator of another library, or callable
        Square, symmetric; a callable is v, shape (n,) -> A v.
    like : array, optional
        A point x: says which library, dtype and device, and n where A is a callable; not needed
        where A holds arrays.
    products : int
        At most.
    rtol : float
        Ends where the bounds differ by less than this, relative to the estimate; in (0, 1).
    seed : int
        Of the start.

    Returns
    -------
    ConditionNumber
        Estimate, bounds and a message.

    Raises
    ------
    TypeError, ValueError
        A is none of these, or is not square.
    SettingsError
        A setting is out of range.

    Notes
    -----
    The upper bound of a run that is not ``exact`` takes it that nothing lies beyond the outermost
    Ritz values, which is as good as certain, and not more, where they have converged.  About
    condition^(1/2) products are needed.

    Cost: at most ``products`` products, one fetch for every 8; memory of as many vectors.

    References
    ----------
    Parlett (1998), The Symmetric Eigenvalue Problem, sections 10.1 and 13.2.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> hessx.condition_number(np.diag([1.0, -4.0, 100.0])).value
    100.0
    >>> h = np.linspace(1.0, 50.0, 10**4)
    >>> kappa = hessx.condition_number(lambda v: h * v, h, products=300)
    >>> kappa.low <= 50.0 <= kappa.high < 51.0
    True
    """
    space, A = place(A, like)
    most, seed = check_integer("products", products, 1), check_integer("seed", seed)
    rtol = check_real("rtol", rtol, 0.0, 1.0)
    if most >= space.n:
        w = eigenvalues(space, A)
        size = np.abs(w)
        largest, least = float(size.max()), float(size.min())
        bounds = _Bounds(largest, least, least, rounding(space, w))
        return bounds.summary(space.n, exact=True)
    run = search(space, A.matvec, most, seed, lambda run: _bounds(space, run).within(rtol))
    return _bounds(space, run).summary(run.products, exact=False)


@dataclass(frozen=True, slots=True)
class _Bounds:
    """largest <= max abs(lambda_i), and lower <= min abs(lambda_i) <= least, up to rounding."""

    largest: float
    least: float
    lower: float
    error: float
    beyond: float = 0.0  # max abs(lambda_i) is at most so much larger

    @property
    def low(self) -> float:
        room = self.least + self.error
        return max(self.largest - self.error, 0.0) / room if room > 0.0 else math.inf

    @property
    def high(self) -> float:
        room = self.lower - self.error
        return (self.largest + self.beyond + self.error) / room if room > 0.0 else math.inf

    @property
    def singular(self) -> bool:
        return self.least <= self.error

    def within(self, rtol: float) -> bool:
        """Whether nothing is to be gained, or the bounds are close."""
        return self.singular or self.high - self.low <= rtol * self.low

    def summary(self, products: int, *, exact: bool) -> ConditionNumber:
        """Say it."""
        by = "all eigenvalues" if exact else f"{products} products"
        if math.isnan(self.largest + self.least):
            message = "A is not finite"
            return ConditionNumber(math.nan, math.nan, math.nan, products, exact, message)
        low, high = self.low, self.high
        if self.singular:
            message = f"singular to rounding: at least {low:.3g}, by {by}"
            return ConditionNumber(math.inf, low, math.inf, products, exact, message)
        value = self.largest / self.least
        message = f"{value:.6g}, in [{low:.6g}, {high:.6g}], by {by}"
        if math.isinf(high):
            message = f"at least {low:.3g}, by {by}; an upper bound was not found"
        return ConditionNumber(value, low, high, products, exact, message)


def _bounds(space: Space, run: LanczosRun) -> _Bounds:
    """Bounds by the Ritz values, and by T with one more row."""
    theta, _, residuals = run.ritz()
    if not run.finite:
        return _Bounds(math.nan, math.nan, math.nan, math.nan)
    size, k, error = np.abs(theta), len(theta), rounding(space, theta)
    largest, least = float(size.max()), float(size.min())
    if run.invariant:
        return _Bounds(largest, least, least, error)
    T = np.zeros((k + 1, k))
    T[np.arange(k), np.arange(k)] = run.alpha
    T[np.arange(1, k + 1), np.arange(k)] = run.beta
    T[np.arange(k - 1), np.arange(1, k)] = run.beta[:-1]
    beyond = float(residuals[size.argmax()])
    if theta[0] < 0.0 < theta[-1]:
        least = float(np.linalg.svd(T, compute_uv=False)[-1])
        return _Bounds(largest, least, 0.0, error, beyond)
    return _Bounds(largest, least, least - float(residuals[size.argmin()]), error, beyond)
