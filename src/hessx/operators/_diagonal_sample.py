"""One random sample of a diagonal."""

from __future__ import annotations

from collections.abc import Callable

from hessx._xp import Array, Space, rademacher

__all__ = ["diagonal_sample"]


def diagonal_sample(
    space: Space, product: Callable[[Array], Array], seed: int | tuple[int, ...]
) -> Array:
    """Give z * (H z) of random signs z, whose expectation is the diagonal of H.

    The variance of entry i is that of its row, sum over j != i of H_ij^2.

    Parameters
    ----------
    space : Space
        Of the vectors.
    product : callable
        v -> H v.
    seed : int or tuple of int
        Of z.

    Returns
    -------
    array, shape (n,)
        A new vector.

    Notes
    -----
    Cost: one product and one upload; no fetch.

    References
    ----------
    Bekas, Kokiopoulou & Saad (2007), An estimator for the diagonal of a matrix, Appl. Numer.
    Math. 57, section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.operators import diagonal_sample
    >>> d = np.array([1.0, -4.0])
    >>> diagonal_sample(space_of(d), lambda v: d * v, seed=0)
    array([ 1., -4.])
    """
    z = rademacher(space, seed)[0, ...]
    return z * product(z)
