"""Where the spectrum lies, by a few Lanczos steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from hessx._xp import Array, Space, normal
from hessx.krylov._model import never
from hessx.operators import lanczos

__all__ = ["SpectralBounds", "spectral_bounds"]


@dataclass(frozen=True, slots=True)
class SpectralBounds:
    """An interval that holds the spectrum, as far as a few products tell.

    Attributes
    ----------
    low, high : float
        The extreme Ritz values, moved outwards by their residual norms; nan where a product was
        not finite.
    least, largest : float
        The Ritz values themselves: the spectrum reaches at least so far.
    products : int
        That were taken.
    """

    low: float
    high: float
    least: float
    largest: float
    products: int

    @property
    def size(self) -> float:
        """The largest absolute value in the interval."""
        return max(abs(self.low), abs(self.high))


def spectral_bounds(
    space: Space,
    product: Callable[[Array], Array],
    steps: int,
    seed: int = 0,
    watch: Callable[[], bool] = never,
) -> SpectralBounds:
    """Bound the spectrum of a symmetric matrix by Lanczos' process from a random vector.

    Parameters
    ----------
    space : Space
        Of the vectors.
    product : callable
        v -> A v.
    steps : int
        Products at most, >= 1.
    seed : int
        Of the vector.
    watch : callable
        Asked after each product; True ends the process.

    Returns
    -------
    SpectralBounds
        Within the residual norm of a Ritz value lies an eigenvalue; that none lies outside is
        likely, and certain where the process has come to its end.

    Notes
    -----
    Cost: ``steps`` products and vectors, a fetch per eight of them.

    References
    ----------
    Zhou & Li (2011), Bounding the spectrum of large Hermitian matrices, Linear Algebra Appl. 435.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.krylov import spectral_bounds
    >>> h = np.array([1.0, 2.0, 4.0])
    >>> bounds = spectral_bounds(space_of(h), lambda v: h * v, steps=3)
    >>> round(bounds.low, 12), round(bounds.high, 12)
    (1.0, 4.0)
    """
    run = lanczos(space, product, normal(space, seed)[0, ...], steps, watch=watch)
    if not run.finite:
        return SpectralBounds(math.nan, math.nan, math.nan, math.nan, run.products)
    theta, _, residuals = run.ritz()
    first, last = float(theta[0]), float(theta[-1])
    low, high = first - float(residuals[0]), last + float(residuals[-1])
    return SpectralBounds(low, high, first, last, run.products)
