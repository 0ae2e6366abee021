"""The noise of a function, from its values at equally spaced points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

__all__ = ["noise_level"]

_AGREE = 4.0  # three levels within this factor of each other see the same noise


def noise_level(values: Sequence[float]) -> float:
    r"""Estimate the standard deviation of the noise in values at equally spaced points.

    In the table T_i0 = f_i, T_i(k+1) = T_(i+1)k - T_ik a smooth part dies out and noise of standard
    deviation sigma grows by (2k)! / (k!)^2 in the square:

        sigma_k^2 = (k!)^2 / (2k)! mean_i(T_ik^2)

    Parameters
    ----------
    values : sequence of float
        f(x + i h u), i = 0 ... m; 7 to 9 are enough.

    Returns
    -------
    float
        sigma_k of the first k with changes of sign in its column, where this and the two levels
        after it agree within a factor of 4; nan where there is none, or a value is not finite:
        h is too long, or the noise is no noise.  0 where all values are equal, or on a line.

    References
    ----------
    More & Wild (2011), Estimating computational noise, SIAM J. Sci. Comput. 33, section 3;
    Hamming (1971), Introduction to Applied Numerical Analysis, chapter 6.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx.solvers._noise_level import noise_level
    >>> t, noise = np.linspace(0, 1e-4, 9), np.random.default_rng(1).standard_normal(9)
    >>> 0.5e-6 < noise_level((np.exp(t) + 1e-6 * noise).tolist()) < 2e-6
    True
    """
    column, gamma = [*values], 1.0
    if not math.isfinite(math.fsum(column)):
        return math.nan
    levels, signs = [], []
    for k in range(1, len(values)):
        column = [right - left for left, right in pairwise(column)]
        gamma *= k / (4.0 * k - 2.0)
        levels.append(math.sqrt(gamma * math.fsum(t * t for t in column) / len(column)))
        signs.append(min(column) < 0.0 < max(column))
    for k in range(len(levels) - 2):
        three = levels[k : k + 3]
        if not any(three):
            return 0.0
        if signs[k] and max(three) <= _AGREE * min(three):
            return levels[k]
    return math.nan
