"""Linear operators from functions, and their algebra."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

from hessx._xp import Array, Space, detach
from hessx.operators._application import Application
from hessx.operators._kinds import check_kind, checked_shape, held, joint_space

__all__ = ["LinearOperator", "Unary"]


class LinearOperator(Application):
    r"""An (m, n) matrix A given by its products, on arrays of any library.

    ``A @ v``, ``A(v)`` and ``A.matvec(v)`` are A v; ``A @ B`` is the operator of the product.
    Vectors lie along the last axis: for a stack V of shape (k, n), ``A @ V`` has the rows A v_i
    (in the notation of matrices, V A').

    ``A + B``, ``A - B``, ``a * A``, ``-A``, ``A.T`` and ``A.shift(sigma)`` = A + sigma I are
    operators too.

    Parameters
    ----------
    shape : tuple of int
        (m, n), each >= 1.
    matvec : callable
        v, shape (n,) -> A v, shape (m,), with the library, dtype and device of v.
    rmatvec : callable, optional
        u, shape (m,) -> A' u, shape (n,).
    diagonal : array, shape (n,), optional
        The diagonal of a square A, held, not copied.  The operator then takes vectors of its
        library, dtype and device only.
    symmetric : bool
        A' = A: needs no rmatvec.
    stacks : bool
        The functions take stacks of vectors too, (..., n) -> (..., m), as ``lambda V: V @ H.T``
        does.  If not, they are called once for each vector of a stack.

    Attributes
    ----------
    shape : tuple of int
        (m, n).
    symmetric, has_rmatvec, has_diagonal, stacks : bool
        What is known of A, and whether a stack of vectors costs one call.
    space : Space or None
        Library, dtype and device of the arrays that the operator holds; None if it holds none,
        and takes vectors of any.

    Raises
    ------
    TypeError, ValueError
        A wrong shape, no callable, a diagonal of another size; operators of different shapes or
        libraries in a sum or product; in a product, as in `matvec`.

    Notes
    -----
    Cost: one call of a function per vector, no fetch.  Sum and product take the products of both
    parts.  The diagonal of a sum, multiple, transpose or shift is known where those of its parts
    are.  A' A and A A' are known to be symmetric.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> D = hessx.LinearOperator((2, 3), lambda v: v[1:] - v[:-1],
    ...     lambda u: np.array([-u[0], u[0] - u[1], u[1]]))
    >>> D @ np.array([1.0, 4.0, 9.0])
    array([3., 5.])
    >>> laplacian = D.T @ D
    >>> laplacian.shift(0.5).dense(like=np.ones(1))
    array([[ 1.5, -1. ,  0. ],
           [-1. ,  2.5, -1. ],
           [ 0. , -1. ,  1.5]])
    """

    def __init__(
        self,
        shape: tuple[int, int],
        matvec: Callable[[Array], Array],
        rmatvec: Callable[[Array], Array] | None = None,
        diagonal: Array | None = None,
        symmetric: bool = False,
        *,
        stacks: bool = False,
    ) -> None:
        m, n = checked_shape(shape)
        if (symmetric or diagonal is not None) and m != n:
            msg = f"shape = ({m}, {n}): a symmetric operator, or one with a diagonal, is square"
            raise ValueError(msg)
        for name, function in (("matvec", matvec), ("rmatvec", rmatvec)):
            if not callable(function) and not (name == "rmatvec" and function is None):
                msg = f"{name} is a {type(function).__name__}: expected a function of a vector"
                raise TypeError(msg)
        space = None
        if diagonal is not None:
            diagonal, space = held(diagonal, "diagonal", (n,))
        self._declare(
            (m, n),
            space,
            symmetric=symmetric,
            rmatvec=rmatvec is not None,
            diagonal=diagonal is not None,
        )
        self._functions: dict[str, Any] = {"matvec": matvec, "rmatvec": rmatvec}
        self._held_diagonal, self.stacks = diagonal, stacks

    def __matmul__(self, other: Any) -> Any:
        """A B of an operator B, A v of a vector or stack of vectors."""
        return _Product(self, other) if isinstance(other, LinearOperator) else self.matvec(other)

    def __add__(self, other: LinearOperator) -> LinearOperator:
        """A + B."""
        return _Sum(self, other, "+") if isinstance(other, LinearOperator) else NotImplemented

    def __sub__(self, other: LinearOperator) -> LinearOperator:
        """A - B."""
        return _Sum(self, other, "-") if isinstance(other, LinearOperator) else NotImplemented

    def __mul__(self, a: Any) -> LinearOperator:
        """A multiple; a is a number."""
        return _Multiple(self, a) if isinstance(a, Real) else NotImplemented  # type: ignore[arg-type]

    __rmul__ = __mul__

    def __neg__(self) -> LinearOperator:
        """-A."""
        return _Multiple(self, -1.0)

    @property
    def T(self) -> LinearOperator:  # noqa: N802
        """A'; of a symmetric operator itself."""
        self._need_rmatvec()
        return self if self.symmetric else _Transpose(self)

    def shift(self, sigma: float) -> LinearOperator:
        """A + sigma I, of a square A.

        Parameters
        ----------
        sigma : float
            Any number.

        Returns
        -------
        LinearOperator
            One more product with a number and one sum per product.
        """
        if not isinstance(sigma, Real):
            msg = f"sigma is a {type(sigma).__name__}: expected a number"
            raise TypeError(msg)
        return _Shifted(self, sigma)

    def _apply(self, v: Array) -> Array:
        return self._taken("matvec", v, self.shape[0])

    def _apply_transposed(self, u: Array) -> Array:
        return self._apply(u) if self.symmetric else self._taken("rmatvec", u, self.shape[1])

    def _diagonal(self, space: Space) -> Array:  # noqa: ARG002
        return self._held_diagonal

    def _taken(self, name: str, v: Array, size: int) -> Array:
        """Take the user's product with one vector, or with each."""
        if self.stacks or v.ndim == 1:
            return self._checked(name, v, size)
        return self._each(lambda w: self._checked(name, w, size), v, size)

    def _checked(self, name: str, v: Array, size: int) -> Array:
        """Call a function of the user; what it returns must belong to v."""
        product = detach(self._functions[name](v))
        space, shape = self._where(v), (*v.shape[:-1], size)
        if space.mismatch(product) is None and product.shape == shape:
            return product
        check_kind(space, product, f"{name} returned", "the vector")
        msg = (
            f"{name} returned shape {tuple(product.shape)} for a vector of shape "
            f"{tuple(v.shape)}: expected {shape}"
        )
        raise ValueError(msg)


class _Sum(LinearOperator):
    def __init__(self, left: LinearOperator, right: LinearOperator, sign: str) -> None:
        if left.shape != right.shape:
            msg = f"A {sign} B of shapes {left.shape} and {right.shape}: expected equal shapes"
            raise ValueError(msg)
        self.left, self.right, self.sign = left, right, sign
        self.stacks = left.stacks and right.stacks
        self._declare(
            left.shape,
            joint_space(left.space, right.space),
            symmetric=left.symmetric and right.symmetric,
            rmatvec=left.has_rmatvec and right.has_rmatvec,
            diagonal=left.has_diagonal and right.has_diagonal,
        )

    def _sum(self, a: Array, b: Array) -> Array:
        return a + b if self.sign == "+" else a - b

    def _apply(self, v: Array) -> Array:
        return self._sum(self.left._apply(v), self.right._apply(v))

    def _apply_transposed(self, u: Array) -> Array:
        return self._sum(self.left._apply_transposed(u), self.right._apply_transposed(u))

    def _diagonal(self, space: Space) -> Array:
        return self._sum(self.left._diagonal(space), self.right._diagonal(space))


class _Product(LinearOperator):
    def __init__(self, left: LinearOperator, right: LinearOperator) -> None:
        if left.shape[1] != right.shape[0]:
            msg = f"A @ B of shapes {left.shape} and {right.shape}: expected (m, k) and (k, n)"
            raise ValueError(msg)
        self.left, self.right = left, right
        self.stacks = left.stacks and right.stacks
        has_rmatvec = left.has_rmatvec and right.has_rmatvec
        self._declare(
            (left.shape[0], right.shape[1]),
            joint_space(left.space, right.space),
            symmetric=has_rmatvec and (left.T is right or right.T is left),
            rmatvec=has_rmatvec,
        )

    def _apply(self, v: Array) -> Array:
        return self.left._apply(self.right._apply(v))

    def _apply_transposed(self, u: Array) -> Array:
        return self.right._apply_transposed(self.left._apply_transposed(u))


class Unary(LinearOperator):
    """What knows as much as the one operator that it is made of."""

    def __init__(self, A: LinearOperator) -> None:
        self.A, self.stacks = A, A.stacks
        self._declare(
            A.shape,
            A.space,
            symmetric=A.symmetric,
            rmatvec=A.has_rmatvec,
            diagonal=A.has_diagonal,
        )


class _Multiple(Unary):
    def __init__(self, A: LinearOperator, a: float) -> None:
        super().__init__(A)
        self.a = float(a)  # a NumPy number would turn float32 arrays into float64

    def _apply(self, v: Array) -> Array:
        return self.A._apply(v) * self.a

    def _apply_transposed(self, u: Array) -> Array:
        return self.A._apply_transposed(u) * self.a

    def _diagonal(self, space: Space) -> Array:
        return self.A._diagonal(space) * self.a


class _Shifted(Unary):
    def __init__(self, A: LinearOperator, sigma: float) -> None:
        if A.shape[0] != A.shape[1]:
            msg = f"A + sigma I of shape {A.shape}: expected a square operator"
            raise ValueError(msg)
        super().__init__(A)
        self.sigma = float(sigma)

    def _apply(self, v: Array) -> Array:
        return self.A._apply(v) + v * self.sigma

    def _apply_transposed(self, u: Array) -> Array:
        return self.A._apply_transposed(u) + u * self.sigma

    def _diagonal(self, space: Space) -> Array:
        return self.A._diagonal(space) + self.sigma


class _Transpose(Unary):
    def __init__(self, A: LinearOperator) -> None:
        super().__init__(A)
        self.shape = A.shape[::-1]

    @property
    def T(self) -> LinearOperator:  # noqa: N802
        return self.A

    def _apply(self, v: Array) -> Array:
        return self.A._apply_transposed(v)

    def _apply_transposed(self, u: Array) -> Array:
        return self.A._apply(u)

    def _diagonal(self, space: Space) -> Array:
        return self.A._diagonal(space)
