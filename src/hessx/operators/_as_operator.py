"""What a user may give where an operator on the vectors of a run is wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx._xp import Array, Space, converted, detach, is_array
from hessx.operators._dense import DenseOperator
from hessx.operators._kinds import check_kind, joint_space
from hessx.operators._linear_operator import LinearOperator, Unary

__all__ = ["as_operator", "as_products"]


def as_operator(space: Space, given: Any, name: str) -> LinearOperator:
    """Take a symmetric operator on flat vectors of a space, in any of its forms.

    Parameters
    ----------
    space : Space
        Of the vectors.
    given : LinearOperator, array, sparse matrix, operator of another library, or callable
        One of ours; a dense array of shape (n, n) or x.shape + x.shape, of the space; an object
        with ``matvec``, or ``shape`` and ``@`` (scipy.sparse and SciPy's LinearOperator where x is
        a NumPy array, cupyx.scipy.sparse where it is CuPy's, ...); or v, shape (n,) -> H v.
        Symmetry is taken for granted.  Where x is NumPy's, what NumPy makes real numbers of is an
        array, as in SciPy.
    name : str
        What it is, for messages: ``"hess(x)"``.

    Returns
    -------
    LinearOperator
        Of shape (n, n).

    Raises
    ------
    TypeError, ValueError
        None of these; another shape, library, dtype or device.  A product that has another
        library, dtype, device or shape than its vector raises when it is taken.

    Notes
    -----
    Cost: none; a product has one check of its type, dtype and device on the host.  Foreign
    operators are given one vector at a time.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.operators import as_operator
    >>> x = np.ones(2)
    >>> as_operator(space_of(x), lambda v: 3.0 * v, "hess(x)") @ x
    array([3., 3.])
    >>> as_operator(space_of(x), np.eye(3), "hess(x)")
    Traceback (most recent call last):
    ...
    ValueError: hess(x) has shape (3, 3): expected (2, 2)
    """
    if isinstance(given, LinearOperator):
        _check_shape(space, given.shape, name)
        joint_space(space, given.space)
        return given if given.space is not None else _Placed(space, given)
    given = _converted(space, given, name, _shapes(space))
    if is_array(given) and not _is_sparse(given):
        return _DenseOperator(space, _square(space, detach(given), name))
    if _multiplies(given):
        return _foreign(space, given, name)
    if callable(given):
        return _Given(space, given, f"the product of {name}")
    msg = (
        f"{name} is a {type(given).__name__}: expected an array of shape ({space.n}, {space.n}), a "
        "function of v that gives H v, a hessx.LinearOperator, a sparse matrix or an operator of "
        "x's library"
    )
    raise TypeError(msg)


def as_products(
    space: Space, given: Any, name: str, n: int | None = None
) -> tuple[Callable[[Array], Array], Callable[[Array], Array]]:
    """Take an (m, n) matrix or operator A, in the forms of `as_operator`, as v -> A v and u -> A'u.

    Parameters
    ----------
    space : Space
        Of u, shape (m,); v has the same library, dtype and device.
    given : LinearOperator, array, sparse matrix, or operator of another library
        An array or what has ``@`` and ``T``, of shape (m, n), or a number where m = 1; or what has
        ``matvec`` and ``rmatvec``, with or without a shape.
    name : str
        What it is, for messages: ``"A"``.
    n : int, optional
        The size of v, where it is known.

    Returns
    -------
    matvec, rmatvec : callable
        What they return is not checked; see `take_vector`.

    Raises
    ------
    TypeError, ValueError
        None of these; another shape, library, dtype or device.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.operators import as_products
    >>> matvec, rmatvec = as_products(space_of(np.ones(2)), [[1, 2, 3], [4, 5, 6]], "A")
    >>> matvec(np.ones(3)), rmatvec(np.ones(2))
    (array([ 6., 15.]), array([5., 7., 9.]))
    """
    given = _converted(space, given, name, ((1, 1),) if space.n == 1 else ())
    if isinstance(given, LinearOperator):
        joint_space(space, given.space)
    shape = tuple(getattr(given, "shape", (space.n, n)))
    if len(shape) != 2 or shape[0] != space.n or n not in (None, shape[1]):
        msg = f"{name} has shape {shape}: expected ({space.n}, {'n' if n is None else n})"
        raise ValueError(msg)
    if hasattr(given, "matvec") and hasattr(given, "rmatvec"):
        return given.matvec, given.rmatvec
    if hasattr(given, "__matmul__") and hasattr(given, "T"):
        given, transposed = detach(given), detach(given.T)
        return lambda v: given @ v, lambda u: transposed @ u
    msg = (
        f"{name} is a {type(given).__name__}: expected an array of shape ({space.n}, n), an object "
        "with matvec and rmatvec, a hessx.LinearOperator, a sparse matrix or an operator of the "
        "vectors' library"
    )
    raise TypeError(msg)


class _Placed(Unary):
    """An operator that holds no array, on the vectors of a run: what it makes is made there."""

    def __init__(self, space: Space, A: LinearOperator) -> None:
        super().__init__(A)
        self.space = self._last = space

    def _apply(self, v: Array) -> Array:
        return self.A._apply(v)

    def _apply_transposed(self, u: Array) -> Array:
        return self.A._apply_transposed(u)

    def _diagonal(self, space: Space) -> Array:
        return self.A._diagonal(space)


class _DenseOperator(DenseOperator):
    """A matrix on the vectors of a run, whose kind and shape are known to be right."""

    def __init__(self, space: Space, A: Array) -> None:
        self.A = A
        self._declare((space.n, space.n), space, symmetric=True, diagonal=True)


class _Given(LinearOperator):
    """Products by something that is not ours: one vector at a time, and each is checked."""

    def __init__(
        self,
        space: Space,
        product: Callable[[Array], Array],
        name: str,
        diagonal: Callable[[], Array] | None = None,
        matrix: Any = None,
    ) -> None:
        n, self.matrix = space.n, matrix
        self._declare((n, n), space, symmetric=True, diagonal=diagonal is not None)
        self._functions = {name: lambda v: converted(space, product(v), ((n,),))}
        self.stacks, self._name, self._find_diagonal = False, name, diagonal

    def _apply(self, v: Array) -> Array:
        return self._taken(self._name, v, self.shape[0])

    def _checked(self, name: str, v: Array, size: int) -> Array:
        """In x's chunks on dask."""
        product, chunks = super()._checked(name, v, size), self.space.chunks  # type: ignore[union-attr]
        return product if chunks is None else product.rechunk(chunks)

    def _diagonal(self, space: Space) -> Array:
        d = self._find_diagonal()  # type: ignore[misc]
        return space.xp.asarray(d, dtype=space.dtype, device=space.device)


def _multiplies(given: Any) -> bool:
    with_at = hasattr(given, "shape") and hasattr(given, "__matmul__")
    return with_at or hasattr(given, "matvec")


def _converted(space: Space, given: Any, name: str, shapes: tuple[tuple[int, ...], ...]) -> Any:
    """Make an array of what NumPy makes one of; refuse arrays and matrices of other libraries."""
    if isinstance(given, LinearOperator):  # NumPy would make a matrix of it
        return given
    if not _multiplies(given) or hasattr(given, "__array__"):
        given = converted(space, given, shapes)
    if is_array(given):
        check_kind(space, given, f"{name} has", "x")
    if space.kind != "numpy" and _multiplies(given) and _is_of_scipy(given):
        msg = (
            f"{name} is a {type(given).__name__} of SciPy, which multiplies NumPy arrays only, and "
            f"x is an array of {space.kind_name}: give a sparse matrix of x's library "
            "(cupyx.scipy.sparse, torch.sparse), or functions of v that multiply by it"
        )
        raise TypeError(msg)
    return given


def _foreign(space: Space, given: Any, name: str) -> LinearOperator:
    """Take a sparse matrix, or an operator of another library."""
    _check_shape(space, getattr(given, "shape", (space.n, space.n)), name)
    diagonal = None if is_array(given) else getattr(given, "diagonal", None)
    has_at = hasattr(given, "__matmul__")
    product = (lambda v: given @ v) if has_at else given.matvec
    return _Given(space, product, f"the product of {name}", diagonal, given)


def _check_shape(space: Space, shape: Any, name: str) -> None:
    if tuple(shape) != (space.n, space.n):
        msg = f"{name} has shape {tuple(shape)}: expected ({space.n}, {space.n})"
        raise ValueError(msg)


def _square(space: Space, a: Array, name: str) -> Array:
    """Take a dense array as a matrix on flat vectors, in x's chunks on dask."""
    shape = tuple(a.shape)
    if shape not in _shapes(space):
        also = f" or {space.shape * 2}" if len(space.shape) > 1 else ""
        msg = f"{name} has shape {shape}: expected ({space.n}, {space.n}){also}"
        raise ValueError(msg)
    if len(shape) != 2:
        a = space.xp.reshape(a, (space.n, space.n))
    return a if space.chunks is None else a.rechunk(space.chunks * 2)


def _shapes(space: Space) -> tuple[tuple[int, ...], ...]:
    """The shapes of a dense matrix on the vectors of a space."""
    return (space.n, space.n), space.shape * 2


def _is_sparse(a: Array) -> bool:
    """Tell a sparse tensor of PyTorch, an array by its type, from a dense one."""
    return not str(getattr(a, "layout", "strided")).endswith("strided")


def _is_of_scipy(given: Any) -> bool:
    return any(base.__module__.split(".")[0] == "scipy" for base in type(given).__mro__)
