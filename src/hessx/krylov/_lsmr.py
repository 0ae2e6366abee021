"""LSMR: least squares and rectangular systems, by Golub-Kahan vectors and Givens rotations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx._xp import Array, Space, detach, fetch, space_of, to_point
from hessx.core import check_real
from hessx.krylov._linear import (
    LinearOutcome,
    LinearResult,
    Products,
    check_kind,
    check_steps,
    least_positive,
    root,
    size_of,
    take_product,
    take_vector,
    tolerance,
)
from hessx.krylov._lsmr_factor import BidiagonalFactor

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
    A : object with matvec and rmatvec, or matrix, shape (m, n)
        v -> A v and u -> A'u; of a matrix ``A @ v`` and ``A.T @ u``.
    b : array of m entries
        Right-hand side; x has its library, device and dtype.
    damp : float, >= 0
        Damping (ridge, Tikhonov) parameter.
    x0 : array of n entries, optional
        First iterate; zero by default.  x has its shape; a vector by default.
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
        A, b, x0 or a product is of the wrong type, library or dtype.
    ValueError
        A product or x0 has the wrong shape or device.
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
    given = take_vector(b)
    rows = space_of(space_of(given).flat(given))
    b = rows.flat(given)
    atol = tolerance("atol", atol, rows.eps**0.5)
    btol = tolerance("btol", btol, rows.eps**0.5)
    conlim = rows.eps ** (-2 / 3) if conlim is None else conlim
    damp = check_real("damp", damp, 0.0, ends="[)")
    conlim = check_real("conlim", conlim, 0.0, ends="[)")
    check_steps(max_iterations, 0, check_every)
    pair = _Pair(A, rows, watch)

    start = None if x0 is None else pair.take_start(x0)
    r = b if start is None else b - pair.matvec(start)
    size = size_of(rows, b, r)
    vectors = _GolubKahan(pair, r / size)
    space: Space = pair.columns
    limit = check_steps(max_iterations, 4 * min(rows.n, space.n), check_every)
    x = space.zeros(space.n) if start is None else start
    h, hbar = space.copy(vectors.v), space.zeros(space.n)
    b_square = vectors.r_square if start is None else (b / size) @ (b / size)
    (scale, *squares, least), held = fetch(
        space,
        [size, b_square, vectors.r_square, vectors.v_square, vectors.floor],
        [x, h, hbar, *vectors.held],
    )
    x, h, hbar, *vectors.held = held
    del given, b, r, held
    b_norm, r_norm, alpha = (root(square, least) for square in squares)
    factor = BidiagonalFactor(
        (scale * b_norm, scale * r_norm, alpha), damp, (atol, btol, conlim), space.eps, least
    )

    outcome = factor.start()
    while outcome is None and factor.steps < limit and not pair.products.stopped:
        window: list[Array] = []
        coefficients: list[Any] = []
        while len(window) < min(check_every, limit - factor.steps):
            taken = vectors.step()
            if not taken:
                break
            coefficients += taken
            window.append(vectors.v)
        coefficients, held = fetch(space, coefficients, [x, h, hbar, *vectors.held, *window])
        x, h, hbar, *held = held
        vectors.held, window, held = held[:3], held[3:], []
        for v, *squares in zip(window, coefficients[::2], coefficients[1::2], strict=True):
            outcome = factor.add_column(*squares)
            if outcome is not None:
                break
            first, second, third = factor.take_step()
            hbar *= -first
            hbar += h
            x += second * hbar
            h *= -third
            h += v
            outcome = factor.test()
            if outcome is not None:
                break
    if outcome is None:
        outcome = LinearOutcome.STOPPED if pair.products.stopped else LinearOutcome.LIMIT
    return LinearResult(
        x=space.shaped(x),
        outcome=outcome,
        residual_norm=factor.residual_norm,
        normal_residual_norm=factor.normal_residual_norm,
        operator_norm=factor.operator_norm,
        condition=factor.condition,
        iterations=factor.steps,
        products=pair.products.count,
        message=factor.message(outcome),
    )


class _Pair:
    """Products with A and A', checked; the space of x is that of x0 or of the first A'u."""

    def __init__(self, A: Any, rows: Space, watch: Callable[[], Any] | None) -> None:
        self.products = Products(watch)
        self.rows = rows
        self.columns: Any = None  # a Space from x0 or the first A'u on
        if hasattr(A, "matvec") and hasattr(A, "rmatvec"):
            matvec, rmatvec = A.matvec, A.rmatvec
        elif hasattr(A, "__matmul__") and hasattr(A, "T") and not hasattr(A, "matvec"):
            transposed = A.T
            matvec, rmatvec = lambda v: A @ v, lambda u: transposed @ u
        else:
            msg = f"A has type {type(A).__name__}: expected an object with matvec and rmatvec, "
            msg += "or a matrix"
            raise TypeError(msg)
        self._matvec = self.products.counted(matvec)
        self._rmatvec = self.products.counted(rmatvec)

    def take_start(self, x0: Any) -> Array:
        """Take x0, which says what x is like."""
        return self._take_column(to_point(x0), "x0")

    def matvec(self, v: Array) -> Array:
        """A v."""
        return take_product(self.rows, self._matvec(v), "A v")

    def rmatvec(self, u: Array) -> Array:
        """A'u."""
        return self._take_column(self._rmatvec(u), "A'u")

    def _take_column(self, w: Array, what: str) -> Array:
        if self.columns is None:
            w = detach(w)
            check_kind(self.rows, w, what)
            self.columns = space_of(w)
        return take_product(self.columns, w, what)


class _GolubKahan:
    """A v_k = alpha_k u_k + beta_{k+1} u_{k+1} and A'u_k = beta_k v_{k-1} + alpha_k v_k.

    Nothing is read: both coefficients are 0-d arrays.
    """

    def __init__(self, pair: _Pair, r: Array) -> None:
        self.pair, self.xp = pair, pair.rows.xp
        self.floor = least_positive(pair.rows)
        self.u, _, self.r_square = self._unit(r)
        self.v, self.alpha, self.v_square = self._unit(pair.rows.copy(pair.rmatvec(self.u)))

    @property
    def held(self) -> list[Array]:
        """What the next step needs."""
        return [self.u, self.v, self.alpha]

    @held.setter
    def held(self, arrays: list[Array]) -> None:
        self.u, self.v, self.alpha = arrays

    def step(self) -> tuple[Array, ...]:
        """Take two products; give beta_{k+1}^2 and alpha_{k+1}^2, or nothing if stopped before."""
        if self.pair.products.stopped:
            return ()
        u, beta, u_square = self._unit(self.pair.matvec(self.v) - self.alpha * self.u)
        if self.pair.products.stopped:
            return ()
        v, alpha, v_square = self._unit(self.pair.rmatvec(u) - beta * self.v)
        self.u, self.v, self.alpha = u, v, alpha
        return u_square, v_square

    def _unit(self, w: Array) -> tuple[Array, Array, Array]:
        """w, our own, over its norm; the norm, and its square."""
        square = w @ w
        norm = self.xp.sqrt(self.xp.maximum(square, self.floor))
        w /= norm
        return w, norm, square
