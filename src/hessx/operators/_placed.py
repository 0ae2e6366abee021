"""A symmetric operator in any form, and where its vectors live."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hessx._xp import Array, Space, eigh, host_space, is_array, quiet, space_of, to_point
from hessx.core import SettingsError
from hessx.operators._as_operator import as_operator
from hessx.operators._kinds import joint_space, kind_of
from hessx.operators._linear_operator import LinearOperator

__all__ = ["DEFAULT_BYTES", "eigenvalues", "place"]

DEFAULT_BYTES = 2**32


def place(A: Any, like: Any = None) -> tuple[Space, LinearOperator]:
    """Take a symmetric A as an operator, and find the space of its vectors.

    Parameters
    ----------
    A : LinearOperator, array, sparse matrix, operator of another library, or callable
        Square; see `as_operator`.
    like : array or tree of arrays, optional
        A point x: says which library, dtype and device, and n where A has no shape.  Not needed
        for arrays, for operators that hold them, and for what belongs to NumPy.  Lists and NumPy's
        arrays of integers become float64, as in `minimize`.

    Returns
    -------
    space : Space
        R^n.
    A : LinearOperator
        Of shape (n, n).

    Raises
    ------
    TypeError, ValueError
        A is none of these, is not square or is empty; or nothing says where the vectors live.
    """
    if isinstance(A, list | tuple) or (
        is_array(A) and getattr(A.dtype, "kind", "") in tuple("iub")
    ):
        A = to_point(A, "A")
    shape = getattr(A, "shape", None)
    if shape is not None and (len(shape) != 2 or shape[0] != shape[1]):
        msg = f"A has shape {tuple(shape)}: expected a square matrix or operator"
        raise ValueError(msg)
    if shape is not None and shape[0] == 0:
        msg = "A has shape (0, 0): expected at least one row"
        raise ValueError(msg)
    if isinstance(A, LinearOperator):
        given = None if like is None else space_of(to_point(like, "like"))
        space, n = joint_space(A.space, given) or A._place(None), A.shape[0]
        if space.n != n or space.tree is not None:
            space = replace(space, n=n, shape=(n,), chunks=None, tree=None)
        return space, as_operator(space, A, "A")
    if like is not None:
        space = space_of(to_point(like, "like"))
    elif is_array(A):
        space = kind_of(A, "A", (A.shape[0],))
    elif shape is not None:
        space = host_space((shape[0],), "float64")
    else:
        msg = (
            f"A is a {type(A).__name__}, and nothing says where its vectors live: give like=, a "
            "point x"
        )
        raise TypeError(msg)
    return space, as_operator(space, A, "A")


def eigenvalues(space: Space, A: LinearOperator, max_bytes: int = DEFAULT_BYTES) -> Any:
    """Give all eigenvalues, ascending, as float64 of NumPy: n products, one fetch.

    nan where A is not finite.

    Raises
    ------
    SettingsError
        The matrix would take more than ``max_bytes``.
    """
    size = space.n**2 * space.host_dtype.itemsize
    if size > max_bytes:
        msg = (
            f"A is {space.n} x {space.n}: as a matrix it takes {size / 2**30:.3g} GiB, more than "
            f"max_bytes = {max_bytes} allow: expected a smaller A, or Lanczos, as in "
            "extreme_eigenvalues and spectral_density"
        )
        raise SettingsError(msg)
    H: Array = A.dense(like=space.zeros(1))
    with quiet():
        return eigh(space, 0.5 * H + 0.5 * H.T)[0]
