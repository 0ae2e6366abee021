"""LSMR: least squares and rectangular systems, by Golub-Kahan vectors and Givens rotations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx._xp import Array, Space, space_of, take_array, take_vector, to_point
from hessx.core import check_real
from hessx.krylov._linear import LinearResult, check_steps, root, tolerance
from hessx.krylov._lsmr_factor import BidiagonalFactor
from hessx.krylov._process import Process, Products
from hessx.operators import as_products

__all__ = ["lsmr"]


def lsmr(
    A: Any,
    b: Any,
    *,
    damp: float = 0.0,
    x0: Any = None,
    atol: float | None = None,
    btol: float | None = None,
    conlim: float | None = None,
    max_iterations: int | None = None,
    check_every: int = 1,
    watch: Callable[[], Any] | None = None,
) -> LinearResult:
    r"""Minimise norm(b - A x)^2 + damp^2 norm(x - x0)^2 for A of any shape and rank.

    Step k minimises the norm of the normal residual A'(b - A x) - damp^2 (x - x0) over x0 plus
    the Krylov space of A'A and A'r0.

    Parameters
    ----------
    A : LinearOperator, array, sparse matrix or operator of another library, shape (m, n)
        As ``hess(x)`` of `minimize`, but with A' too: ``@`` and ``T``, or ``matvec`` and
        ``rmatvec``, which may come without a shape.  Vectors are flat.
    b : array, tree or list of m entries
        Right-hand side, taken as `minimize` takes x0; x has its library, device and dtype.
    damp : float, >= 0
        Damping (ridge, Tikhonov) parameter.
    x0 : array, tree or list of n entries, optional
        First iterate; zero by default.  x has its shape or tree; a vector by default.
    atol, btol : float in [0, 1], optional
        Relative errors allowed in A and b; sqrt(eps) by default.  With r the residual of the
        damped system, SOLVED where norm(r) <= btol norm(b) + atol norm(A) norm(x - x0),
        LEAST_SQUARES where norm(A'r) <= atol norm(A) norm(r).
    conlim : float, >= 0, optional
        ILL_CONDITIONED where the estimate of cond(A) reaches it; eps^(-2/3) by default; 0: no
        limit but 1 / eps.
    max_iterations : int, optional
        4 min(m, n) by default.
    check_every : int
        Steps between two fetches.
    watch : callable, optional
        ``watch()`` is called after each product; True ends the run with the steps taken.

    Returns
    -------
    LinearResult
        x and how good it is; r and cond(A) are those of the damped system.

    Raises
    ------
    TypeError
        A, b, x0 or a product is of the wrong type, library or dtype; where b is NumPy's, all that
        NumPy makes real numbers of is converted, as in SciPy.
    ValueError
        A, a product or x0 has the wrong shape or device.
    SettingsError
        A setting is outside its range.

    Notes
    -----
    Of all least-squares solutions x is, from x0 = 0, the one of least norm.  STAGNATED says that
    the tests hold to machine precision while the tolerances given are below it.

    The vectors and their two coefficients a step stay on the device; the rotations, in float64,
    follow on the host after each fetch, then x.  So x does not depend on ``check_every``, and
    stands at the first step that meets a test; up to ``2 check_every - 2`` products beyond that
    step are taken and counted.  norm(x - x0) is followed as if the vectors were orthogonal.

    A watch that says stop between the two products of a step ends the run before that step; the
    products of the start are taken all the same.

    Cost: two products per step, one more at the start, and one with x0; one fetch per
    ``check_every`` steps and one.  Memory: 5 + check_every vectors of n entries, 4 of m.

    References
    ----------
    Fong & Saunders (2011), SIAM J. Sci. Comput. 33, algorithm LSMR (section 2.8), stopping rules
    S1 to S3 (section 3.1), norms (sections 3.2 to 3.5).

    Examples
    --------
    >>> import numpy as np
    >>> from hessx.krylov import lsmr
    >>> A = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    >>> result = lsmr(A, np.array([1.0, 2.0, 2.0]))
    >>> result.outcome.name, result.iterations
    ('LEAST_SQUARES', 2)
    >>> np.allclose(result.x, np.linalg.lstsq(A, [1.0, 2.0, 2.0])[0])
    True
    """
    rhs = to_point(b, "b")
    b = space_of(rhs).flat(rhs)
    rows = space_of(b)
    atol = tolerance("atol", atol, rows.eps**0.5)
    btol = tolerance("btol", btol, rows.eps**0.5)
    conlim = rows.eps ** (-2 / 3) if conlim is None else conlim
    damp = check_real("damp", damp, 0.0, ends="[)")
    conlim = check_real("conlim", conlim, 0.0, ends="[)")
    check_steps(max_iterations, 0, check_every)

    start = None if x0 is None else to_point(x0)
    columns = None if x0 is None else rows.with_shape_of(start)
    vectors = _GolubKahan(A, rows, columns, Products(watch))
    x = None if columns is None else take_vector(columns, start, "x0", "b")
    size, *squares, least = vectors.start(b, b if x is None else b - vectors.matvec(x), x)
    del rhs, b, start, x  # the process has what it needs
    b_norm, r_norm, alpha = (root(square, least) for square in squares)
    factor = BidiagonalFactor(
        (size * b_norm, size * r_norm, alpha), damp, (atol, btol, conlim), rows.eps, least
    )
    limit = check_steps(max_iterations, 4 * min(rows.n, vectors.space.n), check_every)
    return vectors.run(factor, factor.start(), limit, check_every)


class _GolubKahan(Process):
    """A v_k = alpha_k u_k + beta_{k+1} u_{k+1} and A'u_k = beta_k v_{k-1} + alpha_k v_k.

    The space of x is that of x0, or of the first A'u.
    """

    def __init__(self, A: Any, rows: Space, columns: Space | None, products: Products) -> None:
        super().__init__(rows if columns is None else columns, products)
        matvec, rmatvec = as_products(rows, A, "A", None if columns is None else columns.n)
        self.rows, self.columns = rows, columns
        self._matvec, self._rmatvec = products.counted(matvec), products.counted(rmatvec)

    def matvec(self, v: Array) -> Array:
        """A v."""
        return take_vector(self.rows, self._matvec(v), "A v", "b")

    def rmatvec(self, u: Array) -> Array:
        """A'u."""
        w = self._rmatvec(u)
        if self.columns is None:
            w = self.rows.flat(take_array(self.rows, w, "A'u", "b"))
            self.space = self.columns = self.rows.with_shape_of(w)
        return take_vector(self.columns, w, "A'u", "x")

    def start(self, b: Array, r: Array, x: Array | None) -> list[float]:
        """Read the size of b and r, b'b, r'r and v'v over its square, the least normal number."""
        size = self.size_of(b, r)
        u, _, r_square = self._unit(r / size)
        v, alpha, v_square = self._unit(self.space.copy(self.rmatvec(u)))
        b_square = r_square if r is b else (b / size) @ (b / size)
        space = self.space
        self.carried = [u, v, alpha]
        self.iterate = [
            space.zeros(space.n) if x is None else x,
            space.copy(v),
            space.zeros(space.n),
        ]
        return self.read([size, b_square, r_square, v_square, self.least])[0]

    def step(self) -> tuple[Array, Array, Array] | None:
        """Take two products; give v_{k+1}, beta_{k+1}^2 and alpha_{k+1}^2."""
        u, v, alpha = self.carried
        u, beta, u_square = self._unit(self.matvec(v) - alpha * u)
        if self.products.stopped:
            return None
        v, alpha, v_square = self._unit(self.rmatvec(u) - beta * v)
        self.carried = [u, v, alpha]
        return v, u_square, v_square

    def move(self, v: Array, first: float, second: float, third: float) -> None:
        """Set hbar <- h - first hbar, x <- x + second hbar, h <- v - third h."""
        x, h, hbar = self.iterate
        hbar *= -first
        hbar += h
        x += second * hbar
        h *= -third
        h += v
        self.iterate = [x, h, hbar]

    def _unit(self, w: Array) -> tuple[Array, Array, Array]:
        """w, our own, over its norm; the norm, and its square."""
        square = w @ w
        norm = self.root(square)
        w /= norm
        return w, norm, square
