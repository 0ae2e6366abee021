"""How many eigenvalues are positive, negative and zero."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hessx.core import check_integer, check_real
from hessx.operators._placed import DEFAULT_BYTES, eigenvalues, place

__all__ = ["Inertia", "count_signs", "inertia"]


@dataclass(frozen=True, slots=True)
class Inertia:
    """The signs of the eigenvalues of a symmetric matrix.

    Attributes
    ----------
    positive, negative, zero : int
        How many; n together.
    threshold : float
        Eigenvalues within it of 0 are counted as zero.
    """

    positive: int
    negative: int
    zero: int
    threshold: float


def inertia(
    A: Any, like: Any = None, *, threshold: float | None = None, max_bytes: int = DEFAULT_BYTES
) -> Inertia:
    """Count the positive, negative and zero eigenvalues of a symmetric A.

    Parameters
    ----------
    A : LinearOperator, array, sparse matrix, operator of another library, or callable
        Square, symmetric; a callable is v, shape (n,) -> A v.
    like : array, optional
        A point x: says which library, dtype and device, and n where A is a callable; not needed
        where A holds arrays.
    threshold : float, optional
        >= 0; by default n eps times the largest absolute eigenvalue, the rounding of an
        eigen-decomposition.
    max_bytes : int
        What the matrix may take.

    Returns
    -------
    Inertia
        The three counts.

    Raises
    ------
    TypeError, ValueError
        A is none of these, is not square, or is not finite.
    SettingsError
        The matrix takes more than ``max_bytes``.

    Notes
    -----
    Cost: n products, about 9 n^3 operations, one fetch; n^2 numbers of memory, on libraries
    without an eigh (dask, the standard without extensions) on the host.

    References
    ----------
    Sylvester (1852); Golub & Van Loan (2013), Matrix Computations, section 8.1.5.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> hessx.inertia(np.array([[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    Inertia(positive=1, negative=1, zero=1, threshold=1.99...e-15)
    """
    space, A = place(A, like)
    w = eigenvalues(space, A, check_integer("max_bytes", max_bytes, 1))
    largest = max(-w[0], w[-1])
    if not math.isfinite(largest):
        msg = "A has entries that are not finite: expected a finite matrix"
        raise ValueError(msg)
    if threshold is None:
        threshold = space.n * space.eps * float(largest)
    threshold = check_real("threshold", threshold, 0.0, ends="[)")
    return count_signs(w, threshold)


def count_signs(w: Any, threshold: float) -> Inertia:
    """Count eigenvalues, of the host, by their signs."""
    positive = sum(1 for value in w if value > threshold)
    negative = sum(1 for value in w if value < -threshold)
    return Inertia(positive, negative, len(w) - positive - negative, threshold)
