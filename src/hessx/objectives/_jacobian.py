"""The Jacobian of a residual at one point, in any of the forms in which users give it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hessx._xp import (
    Array,
    Space,
    converted,
    detach,
    is_array,
    quiet,
    take_array,
    take_vector,
    times,
)
from hessx.operators import as_products

__all__ = ["Jacobian", "dense_jacobian", "take_jacobian"]


@dataclass(frozen=True, slots=True)
class Jacobian:
    """J at one point, an (m, n) matrix by its products.

    Attributes
    ----------
    jvp, vjp : callable
        Flat v -> J v, shape (m,), and flat u -> J'u, shape (n,).
    matrix : array, shape (m, n), optional
        J itself.
    find_squares : callable, optional
        () -> the sums of the squares of the columns, shape (n,).
    """

    jvp: Callable[[Array], Array]
    vjp: Callable[[Array], Array]
    matrix: Array = None
    find_squares: Callable[[], Array] | None = None

    def squares(self) -> Array | None:
        """Give the diagonal of J'J where it is known; no product."""
        return None if self.find_squares is None else self.find_squares()


def dense_jacobian(space: Space, J: Array) -> Jacobian:
    """Give the products of a matrix.

    Parameters
    ----------
    space : Space
        Of x.
    J : array, shape (m, n)
        Held, not copied.
    """

    def squares() -> Array:
        with quiet():
            return space.xp.sum(J * J, axis=0)

    def jvp(v: Array) -> Array:
        with quiet():
            return times(J, v)

    def vjp(u: Array) -> Array:
        with quiet():
            return u @ J

    return Jacobian(jvp, vjp, J, squares)


def take_jacobian(space: Space, rows: Space, given: Any) -> Jacobian:
    """Take what jac returned.

    Parameters
    ----------
    space : Space
        Of x, n variables.
    rows : Space
        Of the residual, m numbers.
    given : array, sparse matrix, operator, or tuple of two callables
        An array of shape (m, n), a sparse matrix of x's library, an operator with ``matvec`` and
        ``rmatvec``; or (jvp, vjp), v -> J v and u -> J'u on vectors in x's shape and of shape (m,).
        Columns go over the flat x.  An array, or a sparse matrix, is copied where it may be
        written again.

    Returns
    -------
    Jacobian
        Its products are checked for library, dtype, device and shape.

    Raises
    ------
    TypeError, ValueError
        None of these; another shape, library, dtype or device.
    """
    name, shape = "jac(x)", (rows.n, space.n)
    if isinstance(given, tuple) and len(given) == 2 and all(map(callable, given)):
        jvp, vjp = given
        return _checked(space, rows, lambda v: jvp(space.for_user(v)), vjp)
    if not _is_operator(given):
        given = converted(space, given, (shape,))
    if is_array(given) and not _is_operator(given):
        J = take_array(space, given, name, "x", (shape,))
        if tuple(J.shape) != shape:
            msg = (
                f"{name} has shape {tuple(J.shape)}: expected {shape}, a row per entry of the "
                "residual and a column per variable"
            )
            raise ValueError(msg)
        return dense_jacobian(space, space.copy(J) if space.writeable else J)
    if space.writeable:
        given = _owned(given)
    matvec, rmatvec = as_products(rows, given, name, space.n)
    return _checked(space, rows, matvec, rmatvec, _squares_of(space, given))


def _checked(
    space: Space,
    rows: Space,
    jvp: Callable[[Array], Any],
    vjp: Callable[[Array], Any],
    squares: Callable[[], Array] | None = None,
) -> Jacobian:
    """Check each product of the user's."""
    return Jacobian(
        lambda v: take_vector(rows, jvp(v), "J v", "the residual"),
        lambda u: take_vector(space, vjp(u), "J'u"),
        None,
        squares,
    )


def _owned(given: Any) -> Any:
    """Copy a sparse matrix, whose values may be written again."""
    if is_array(given):
        return given.clone() if hasattr(given, "clone") else given  # of PyTorch
    return given.copy() if hasattr(given, "multiply") and hasattr(given, "copy") else given


def _is_operator(given: Any) -> bool:
    """Tell sparse matrices and operators from what is, or becomes, a dense array."""
    if is_array(given):  # a sparse tensor of PyTorch is an array by its type
        return not str(getattr(given, "layout", "strided")).endswith("strided")
    return hasattr(given, "matvec") or (hasattr(given, "shape") and not hasattr(given, "__array__"))


def _squares_of(space: Space, given: Any) -> Callable[[], Array] | None:
    """Of a sparse matrix of SciPy or CuPy, the squares of its columns."""
    if not hasattr(given, "multiply"):
        return None
    given = detach(given)

    def squares() -> Array:
        sums = given.multiply(given).sum(axis=0)
        return space.xp.reshape(space.xp.asarray(sums, dtype=space.dtype), (space.n,))

    return squares
