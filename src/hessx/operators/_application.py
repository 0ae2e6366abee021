"""What every operator does with vectors: products, diagonal, dense form."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

from hessx._xp import Array, Space, fetch, to_host, upload
from hessx.operators._kinds import check_kind, kind_of

__all__ = ["Application"]


class Application:
    """An (m, n) matrix known by its products, which `_apply` and `_apply_transposed` take.

    Vectors are checked once, at the door: the parts of a sum or product are not asked again.
    `LinearOperator` adds the algebra; see there.
    """

    __array_ufunc__ = None  # so that NumPy leaves ``np.float64(2) * A`` to A

    shape: tuple[int, int]
    space: Space | None
    symmetric: bool
    has_rmatvec: bool
    has_diagonal: bool
    stacks: bool = True  # a stack of vectors is taken in one call

    def _declare(
        self,
        shape: tuple[int, int],
        space: Space | None,
        *,
        symmetric: bool = False,
        rmatvec: bool = False,
        diagonal: bool = False,
    ) -> None:
        """Say what is known; every operator does so when it is made."""
        self.shape, self.space, self.symmetric = shape, space, symmetric
        self.has_rmatvec, self.has_diagonal = rmatvec or symmetric, diagonal
        self._last = space  # of the last vector: the next one costs a comparison

    def matvec(self, v: Array) -> Array:
        """A v, of one vector or of each vector of a stack.

        Parameters
        ----------
        v : array, shape (n,) or (..., n)
            Of the operator's library, dtype and device, where it holds arrays.

        Returns
        -------
        array, shape (m,) or (..., m)
            Where v is; a new array, unless a user's function returns another.

        Raises
        ------
        TypeError, ValueError
            v is of another library, dtype, device or size; or the user's function does not
            return what it should.
        """
        self._check(v, self.shape[1])
        return self._apply(v)

    def rmatvec(self, u: Array) -> Array:
        """A' u, of one vector or of each vector of a stack.

        Parameters
        ----------
        u : array, shape (m,) or (..., m)
            Of the operator's library, dtype and device, where it holds arrays.

        Returns
        -------
        array, shape (n,) or (..., n)
            Where u is; a new array, unless a user's function returns another.

        Raises
        ------
        TypeError, ValueError
            As in `matvec`; A' is not known.
        """
        self._need_rmatvec()
        self._check(u, self.shape[0])
        return self._apply_transposed(u)

    def matmat(self, X: Array) -> Array:
        """A X for the columns of X, as SciPy's operators have it; ``A @ V`` takes rows.

        Parameters
        ----------
        X : array, shape (n, k)
            As in `matvec`.

        Returns
        -------
        array, shape (m, k)

        Raises
        ------
        TypeError, ValueError
            As in `matvec`.
        """
        check_kind(self.space, X, "the matrix has", "the operator")
        if X.ndim != 2:
            msg = f"the matrix has shape {tuple(X.shape)}: expected two axes, vectors as columns"
            raise ValueError(msg)
        return self.matvec(X.T).T

    def dot(self, other: Any) -> Any:
        """A v, A X by columns, A B or a A, as SciPy's operators have it.

        Parameters
        ----------
        other : array of shape (n,) or (n, k), operator or number
            What to multiply by.

        Returns
        -------
        array or operator
            See `matvec` and `matmat`.
        """
        if isinstance(other, Application):
            return self @ other  # type: ignore[operator]
        if isinstance(other, Real):
            return self * other
        return self.matmat(other) if getattr(other, "ndim", 1) == 2 else self.matvec(other)

    def __call__(self, v: Array) -> Array:
        """A v, as `matvec`."""
        return self.matvec(v)

    def diagonal(self, like: Array | None = None) -> Array | None:
        """The diagonal, where it is known without products; otherwise None.

        Parameters
        ----------
        like : array, optional
            Says which library, dtype and device, where the operator itself holds no array.

        Returns
        -------
        array, shape (n,), or None
            Not to be written to.
        """
        return self._diagonal(self._place(like)) if self.has_diagonal else None

    def dense(self, like: Array | None = None) -> Array:
        """The matrix; the product with n unit vectors, as one stack.

        Parameters
        ----------
        like : array, optional
            Says which library, dtype and device, where the operator itself holds no array.

        Returns
        -------
        array, shape (m, n)
        """
        space = self._place(like)
        eye = space.xp.eye(self.shape[1], dtype=space.dtype, device=space.device)
        return self._apply(eye).T

    def todense(self) -> Any:
        """Give the matrix as a NumPy array, for tests and small n; `numpy.asarray` gives it too.

        Returns
        -------
        NumPy array, shape (m, n)

        Raises
        ------
        ValueError
            The operator holds no array that says where it lives: `dense` can be told.

        Examples
        --------
        >>> import hessx, numpy as np
        >>> (2.0 * hessx.DiagonalOperator(np.array([1.0, 4.0]))).todense()
        array([[2., 0.],
               [0., 8.]])
        """
        return to_host(self.dense())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """Convert to a dense NumPy array, new each time."""
        if copy is False:
            msg = "the matrix is formed anew each time: copy=False cannot be had"
            raise ValueError(msg)
        return self.todense().astype(dtype or "float64")

    def to_scipy(self) -> Any:
        """The same as a SciPy LinearOperator, for NumPy vectors.

        Vectors of an operator that lives elsewhere are moved: one upload and one fetch per
        product.

        Returns
        -------
        scipy.sparse.linalg.LinearOperator

        Examples
        --------
        >>> import hessx, numpy as np, scipy.sparse.linalg
        >>> A = hessx.DiagonalOperator(np.array([1.0, 4.0]))
        >>> x, info = scipy.sparse.linalg.cg(A.to_scipy(), np.ones(2))
        >>> x
        array([1.  , 0.25])
        """
        from scipy.sparse.linalg import LinearOperator as ScipyOperator

        forward, backward = self._on_host(self.matvec), self._on_host(self.rmatvec)
        return ScipyOperator(
            self.shape,
            matvec=forward,
            rmatvec=backward if self.has_rmatvec else None,
            dtype="float64" if self.space is None else self.space.host_dtype,
        )

    def _on_host(self, product: Callable[[Array], Array]) -> Callable[[Any], Any]:
        """Turn a product into one that takes and gives NumPy vectors."""
        space = self.space
        if space is None:
            return lambda v: product(v.reshape(-1))

        def moved(v: Any) -> Any:
            (u,), _ = fetch(space, [product(upload(space, v.reshape(-1)))])
            return u.astype(space.host_dtype, copy=False)

        return moved

    def _apply(self, v: Array) -> Array:
        raise NotImplementedError

    def _apply_transposed(self, u: Array) -> Array:
        raise NotImplementedError

    def _diagonal(self, space: Space) -> Array:
        raise NotImplementedError

    def _each(self, product: Callable[[Array], Array], v: Array, size: int) -> Array:
        """Take a product that knows one vector only with each vector of a stack."""
        if v.ndim == 1:
            return product(v)
        space, shape = self._where(v), (*v.shape[:-1], size)
        if 0 in v.shape:
            return space.zeros(shape)
        rows = space.xp.reshape(v, (-1, v.shape[-1]))
        products = [product(rows[i, ...]) for i in range(rows.shape[0])]
        return space.xp.reshape(space.xp.stack(products), shape)

    def _where(self, v: Array) -> Space:
        """Find the library, dtype and device of a vector."""
        if self._last is None or self._last.mismatch(v) is not None:
            self._last = kind_of(v, "the vector")
        return self._last

    def _place(self, like: Array | None) -> Space:
        """Find where to make an array: where the operator is, or where ``like`` is."""
        if like is None:
            if self.space is None:
                msg = "the operator holds no array: give like=, an array of the library wanted"
                raise ValueError(msg)
            return self.space
        check_kind(self.space, like, "like has", "the operator")
        return self.space or kind_of(like, "like")

    def _check(self, v: Any, size: int) -> None:
        """Refuse what is no vector, or stack of vectors, of this operator."""
        check_kind(self.space, v, "the vector has", "the operator")
        if v.ndim == 0 or v.shape[-1] != size:
            msg = (
                f"the vector has shape {tuple(v.shape)}: expected ({size},), or (..., {size}) for "
                f"a stack of vectors: the operator has shape {self.shape}"
            )
            raise ValueError(msg)

    def _need_rmatvec(self) -> None:
        if not self.has_rmatvec:
            msg = "A' is not known: give rmatvec=, or symmetric=True where A' = A"
            raise TypeError(msg)

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<{type(self).__name__.lstrip('_')} of shape ({m}, {n})>"
