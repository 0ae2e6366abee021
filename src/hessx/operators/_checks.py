"""Checks of a user's operator."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from hessx._xp import Array, Space, dot, fetch, is_array, normal
from hessx.core import check_integer
from hessx.operators._as_operator import as_operator
from hessx.operators._kinds import kind_of
from hessx.operators._linear_operator import LinearOperator

__all__ = ["OperatorCheck", "check_adjoint", "check_linearity", "check_symmetry"]


@dataclass(frozen=True, slots=True)
class OperatorCheck:
    """What a check of an operator found.

    Attributes
    ----------
    error : float
        The largest over the random vectors, relative: a few eps for a right operator, near 1 for
        noise, inf where a product is not finite.
    tolerance : float
        1000 eps of the dtype.  Products that are themselves approximate, by differences or an
        inner iteration, exceed it: compare ``error`` with their own accuracy.
    ok : bool
        error <= tolerance.

    Examples
    --------
    >>> from hessx.operators import OperatorCheck
    >>> OperatorCheck(error=1e-15, tolerance=2e-13).ok
    True
    """

    error: float
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether the property holds, up to rounding."""
        return self.error <= self.tolerance


def check_adjoint(
    A: LinearOperator, like: Array | None = None, *, directions: int = 5, seed: int = 0
) -> OperatorCheck:
    """Compare u'(A v) with (A'u)'v for random u and v: the test of rmatvec.

    error = max abs(u'Av - v'A'u) / (norm(Av) + norm(A'u)).

    Parameters
    ----------
    A : LinearOperator
        With rmatvec.
    like : array, optional
        Says which library, dtype and device; not needed where A holds arrays.
    directions : int
        Pairs of random normal vectors, >= 1.
    seed : int
        Of the vectors.

    Returns
    -------
    OperatorCheck
        ``.ok`` and the error.

    Raises
    ------
    TypeError, ValueError
        A is no operator, has no rmatvec, or a product has another library, dtype or size.
    SettingsError
        directions < 1.

    Notes
    -----
    Cost: ``directions`` products with A and with A', one upload, one fetch.

    References
    ----------
    Claerbout (1992), Earth Soundings Analysis: Processing versus Inversion, chapter 5, the
    dot-product test.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> A = hessx.LinearOperator((2, 3), lambda v: v[:2], lambda u: np.append(u, 0.0))
    >>> hessx.check_adjoint(A, np.ones(1)).ok
    True
    >>> A = hessx.LinearOperator((2, 3), lambda v: v[:2], lambda u: np.append(u, 1.0))
    >>> hessx.check_adjoint(A, np.ones(1)).ok
    False
    """
    if not isinstance(A, LinearOperator):
        msg = f"A is a {type(A).__name__}: expected a hessx.LinearOperator, which knows A and A'"
        raise TypeError(msg)
    space, v, u = _draws(A, like, A.shape[::-1], directions, seed)
    return _compare(space, u, A.matvec(v), v, A.rmatvec(u))


def check_symmetry(
    A: Any, like: Array | None = None, *, directions: int = 5, seed: int = 0
) -> OperatorCheck:
    """Compare u'(A v) with v'(A u) for random u and v: whether A' = A.

    error = max abs(u'Av - v'Au) / (norm(Av) + norm(Au)).

    Parameters
    ----------
    A : LinearOperator, callable, or any other form of a Hessian
        Square.
    like : array, optional
        A point x: says which library, dtype and device, and n where A is a callable; not needed
        where A holds arrays.
    directions : int
        Pairs of random normal vectors, >= 1.
    seed : int
        Of the vectors.

    Returns
    -------
    OperatorCheck
        ``.ok`` and the error.

    Raises
    ------
    TypeError, ValueError
        A is no operator, is not square, or a product has another library, dtype or size.
    SettingsError
        directions < 1.

    Notes
    -----
    Cost: 2 ``directions`` products with A, one upload, one fetch.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> H = np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> hessx.check_symmetry(lambda v: H @ v, np.ones(2)).ok
    True
    >>> hessx.check_symmetry(lambda v: np.triu(H) @ v, np.ones(2)).ok
    False
    """
    A = _taken(A, like)
    if A.shape[0] != A.shape[1]:
        msg = f"A has shape {A.shape}: a symmetric operator is square"
        raise ValueError(msg)
    space, v, u = _draws(A, like, A.shape, directions, seed)
    return _compare(space, u, A.matvec(v), v, A.matvec(u))


def check_linearity(
    A: Any, like: Array | None = None, *, directions: int = 5, seed: int = 0
) -> OperatorCheck:
    """Compare A(a u + b v) with a A u + b A v for random u and v, a = 0.75 and b = -1.25.

    error = max norm(A(a u + b v) - a Au - b Av) / (norm(Au) + norm(Av)).

    Parameters
    ----------
    A : LinearOperator, callable, or any other form of a Hessian
        A callable is taken as square.
    like : array, optional
        A point x: says which library, dtype and device, and n where A is a callable; not needed
        where A holds arrays.
    directions : int
        Pairs of random normal vectors, >= 1.
    seed : int
        Of the vectors.

    Returns
    -------
    OperatorCheck
        ``.ok`` and the error.

    Raises
    ------
    TypeError, ValueError
        A is no operator, or a product has another library, dtype or size.
    SettingsError
        directions < 1.

    Notes
    -----
    Cost: 3 ``directions`` products with A, one upload, one fetch.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> hessx.check_linearity(lambda v: 2.0 * v, np.ones(3)).ok
    True
    >>> hessx.check_linearity(lambda v: 2.0 * v + 1.0, np.ones(3)).ok
    False
    """
    A = _taken(A, like)
    n = A.shape[1]
    space, v, u = _draws(A, like, (n, n), directions, seed)
    a, b = 0.75, -1.25  # a + b is not 1: a constant term shows too
    A_u, A_v = A.matvec(u), A.matvec(v)
    gap = A.matvec(u * a + v * b) - (A_u * a + A_v * b)
    (gaps, first, second), _ = fetch(space, [dot(w, w) for w in (gap, A_u, A_v)])
    return _verdict(space, [math.sqrt(square) for square in gaps], first, second)


def _taken(A: Any, like: Any) -> LinearOperator:
    """Take what is no operator as a symmetric one on vectors like ``like``."""
    if isinstance(A, LinearOperator):
        return A
    if not is_array(like):
        msg = (
            f"like is a {type(like).__name__}: expected an array, a point x, where A is no operator"
        )
        raise TypeError(msg)
    return as_operator(kind_of(like, "like"), A, "A")


def _draws(
    A: LinearOperator, like: Any, sizes: tuple[int, int], directions: int, seed: int
) -> tuple[Space, Array, Array]:
    """Draw random vectors of two sizes, in one upload."""
    directions = check_integer("directions", directions, 1)
    space, total = A._place(like), sum(sizes)
    draws = normal(replace(space, n=total, shape=(total,), chunks=None), seed, directions)
    return space, draws[:, : sizes[0]], draws[:, sizes[0] :]


def _compare(space: Space, u: Array, A_v: Array, v: Array, A_u: Array) -> OperatorCheck:
    """Compare u'(Av) with v'(A'u)."""
    pairs = [(u, A_v), (v, A_u), (A_v, A_v), (A_u, A_u)]
    (left, right, first, second), _ = fetch(space, [dot(a, b) for a, b in pairs])
    return _verdict(space, left - right, first, second)


def _verdict(space: Space, gaps: Any, first: Any, second: Any) -> OperatorCheck:
    """Relate each gap to the norms of the two products, given as squares."""
    worst = 0.0
    for gap, a, b in zip(gaps, first, second, strict=True):
        scale = math.sqrt(a) + math.sqrt(b)
        error = math.fabs(gap) / scale if scale > 0.0 else math.fabs(gap)
        worst = max(worst, error if math.isfinite(error) and math.isfinite(scale) else math.inf)
    return OperatorCheck(worst, 1000.0 * space.eps)
