"""MINRES: symmetric systems, indefinite or singular, by Lanczos vectors and Givens rotations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx._xp import Array, Space, fetch, space_of
from hessx.core import check_real
from hessx.krylov._linear import (
    LinearOutcome,
    LinearResult,
    Products,
    check_steps,
    least_positive,
    linear_map,
    root,
    size_of,
    take_start,
    take_vector,
    tolerance,
)
from hessx.krylov._minres_factor import TridiagonalFactor

__all__ = ["minres"]


def minres(
    A: Any,
    b: Any,
    *,
    x0: Any = None,
    shift: float = 0.0,
    M: Any = None,
    rtol: float | None = None,
    max_iterations: int | None = None,
    check_every: int = 1,
    watch: Callable[[], Any] | None = None,
) -> LinearResult:
    r"""Solve (A - shift I) x = b for symmetric A, indefinite or singular as it may be.

    Step k minimises norm(b - (A - shift I) x) over x0 + span{r0, A r0, ..., A^(k-1) r0}.

    Parameters
    ----------
    A : callable, object with matvec, or matrix
        v -> A v, symmetric.  A callable sees v in the shape of b, ``matvec`` and ``@`` a vector.
    b : array, any shape
        Right-hand side; x has its shape, library, device and dtype.
    x0 : array like b, optional
        First iterate; zero by default.
    shift : float
        Moves the spectrum of A.
    M : callable, object with matvec, or matrix, optional
        v -> M v, symmetric positive definite, near the inverse of abs(A - shift I).  All norms are
        then those of the preconditioned system: sqrt(r'M r) for residuals.
    rtol : float in [0, 1], optional
        Tolerance; sqrt(eps) by default.  SOLVED where
        norm(r) <= rtol (norm(A) norm(x - x0) + norm(b)) and norm(r) <= sqrt(rtol) norm(b),
        LEAST_SQUARES where norm(A r) <= rtol norm(A) norm(r).  An A whose condition number is
        above 1 / rtol may not be told from a singular one.
    max_iterations : int, optional
        5 n by default.
    check_every : int
        Steps between two fetches.
    watch : callable, optional
        ``watch()`` is called after each product with A; True ends the run with the steps taken.

    Returns
    -------
    LinearResult
        x and how good it is.

    Raises
    ------
    TypeError
        A, M, b, x0 or a product is of the wrong type, library or dtype.
    ValueError
        A product or x0 has the wrong shape or device.
    SettingsError
        A setting is outside its range.

    Notes
    -----
    If A - shift I is singular and b in its range, x is a solution: from x0 = 0 the one of least
    norm.  Otherwise x is a least-squares solution, in general not the one of least norm; a
    tolerance below sqrt(eps) cannot be met there, x grows, and the run ends as STAGNATED where
    rounding, eps norm(A)^2 norm(x - x0), hides A r.

    The Lanczos vectors and their two coefficients a step stay on the device; the rotations, in
    float64, follow on the host after each fetch, then x.  So x does not depend on ``check_every``,
    and stands at the first step that meets a test; up to ``check_every - 1`` products beyond that
    step are taken and counted.  norm(x - x0) is followed as if the Lanczos vectors were
    orthogonal.  A residual norm is the recurrence's, not recomputed from x.

    Cost: a product with A and with M per step, one each more with x0; one fetch per
    ``check_every`` steps and one.  Memory: 8 + check_every vectors, with M two more.

    References
    ----------
    Paige & Saunders (1975), SIAM J. Numer. Anal. 12, section 5; Choi, Paige & Saunders (2011),
    SIAM J. Sci. Comput. 33, 1810-1836, with norm(A) as there; Sleijpen, van der Vorst &
    Modersitzki (2000), SIAM J. Matrix Anal. Appl. 22, on the rounding errors of MINRES.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx.krylov import minres
    >>> A = np.array([[2.0, 1.0], [1.0, -3.0]])
    >>> result = minres(lambda v: A @ v, np.array([4.0, -5.0]))
    >>> result.outcome.value, result.iterations
    ('solved', 2)
    >>> np.allclose(result.x, [1.0, 2.0])
    True
    """
    rhs = take_vector(b)
    space = space_of(rhs)
    limit = check_steps(max_iterations, 5 * space.n, check_every)
    rtol = tolerance("rtol", rtol, space.eps ** (1 / 2))
    shift = check_real("shift", shift)
    products = Products(watch)
    product = products.counted(linear_map(A, space, "A"))
    shifted = product if shift == 0.0 else lambda v: product(v) - shift * v
    solve = None if M is None else linear_map(M, space, "M")

    b, x = space.flat(rhs), None if x0 is None else take_start(space, x0)
    r = b if x is None else b - shifted(x)
    lanczos = _Lanczos(space, shifted, solve, size_of(space, b, r), r)
    b_square = lanczos.square if x is None else lanczos.inner(b)
    x = space.zeros(space.n) if x is None else x
    (size, *squares, least), held = fetch(
        space, [lanczos.size, b_square, lanczos.square, lanczos.floor], [x, *lanczos.vectors]
    )
    x, *lanczos.vectors = held
    del rhs, b, r, held
    b_norm, r_norm = (size * root(square, least) for square in squares)
    factor = TridiagonalFactor(r_norm, b_norm, rtol, space.eps, least)

    outcome = factor.start(*squares)
    d, d_old = space.zeros(space.n), space.zeros(space.n)
    while outcome is None and factor.steps < limit and not products.stopped:
        window: list[Array] = []
        coefficients: list[Any] = []
        while len(window) < min(check_every, limit - factor.steps) and not products.stopped:
            window.append(lanczos.v)
            coefficients += lanczos.step()
        coefficients, held = fetch(space, coefficients, [x, d, d_old, *lanczos.vectors, *window])
        x, d, d_old, *held = held
        lanczos.vectors, window, held = held[:4], held[4:], []
        for v, alpha, square in zip(window, coefficients[::2], coefficients[1::2], strict=True):
            outcome = factor.add_column(alpha, square)
            if outcome is not None:
                break
            last, before, length = factor.take_step()
            d_old *= -before
            d_old += v
            d_old -= last * d
            d, d_old = d_old, d
            x += length * d
            outcome = factor.test()
            if outcome is not None:
                break
    if outcome is None:
        outcome = LinearOutcome.STOPPED if products.stopped else LinearOutcome.LIMIT
    return LinearResult(
        x=space.shaped(x),
        outcome=outcome,
        residual_norm=factor.residual_norm,
        normal_residual_norm=factor.normal_residual_norm,
        operator_norm=factor.operator_norm,
        condition=factor.condition,
        iterations=factor.steps,
        products=products.count,
        message=factor.message(outcome),
    )


class _Lanczos:
    """A v_k = beta_k q_{k-1} + alpha_k q_k + beta_{k+1} q_{k+1} with v = M q, v_j'q_k = delta_jk.

    Nothing is read: both coefficients are 0-d arrays.
    """

    def __init__(
        self,
        space: Space,
        product: Callable[[Array], Array],
        solve: Callable[[Array], Array] | None,
        size: Array,
        r: Array,
    ) -> None:
        self.xp, self.product, self.solve, self.size = space.xp, product, solve, size
        self.floor = least_positive(space)
        self.q = space.zeros(space.n)
        self.square = self._normalise(r / size)

    @property
    def vectors(self) -> list[Array]:
        """What the next step needs."""
        return [self.q_old, self.q, self.v, self.beta]

    @vectors.setter
    def vectors(self, held: list[Array]) -> None:
        self.q_old, self.q, self.v, self.beta = held

    def inner(self, b: Array) -> Array:
        """Square b'M b, of b over the common size."""
        b = b / self.size
        return b @ (b if self.solve is None else self.solve(b))

    def step(self) -> tuple[Array, Array]:
        """Take the product with v_k; give alpha_k and beta_{k+1}^2."""
        p = self.product(self.v) - self.beta * self.q_old
        alpha = self.v @ p
        p -= alpha * self.q
        return alpha, self._normalise(p)

    def _normalise(self, r: Array) -> Array:
        """q, v <- r, M r over beta; beta^2 = r'M r."""
        z = r if self.solve is None else self.solve(r)
        square = r @ z
        self.beta = self.xp.sqrt(self.xp.maximum(square, self.floor))
        self.q_old = self.q
        if self.solve is None:
            r /= self.beta  # ours, and seen by nobody
            self.q = self.v = r
        else:
            self.q, self.v = r / self.beta, z / self.beta
        return square
