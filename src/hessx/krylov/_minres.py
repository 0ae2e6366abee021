"""MINRES: symmetric systems, indefinite or singular, by Lanczos vectors and Givens rotations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx._xp import Array, Space, space_of, take_vector, to_point
from hessx.core import check_real
from hessx.krylov._linear import LinearResult, check_steps, root, tolerance
from hessx.krylov._minres_factor import TridiagonalFactor
from hessx.krylov._process import Process, Products
from hessx.operators import as_operator

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
    A : LinearOperator, array, sparse matrix, operator of another library, or callable
        Symmetric, in the forms in which `minimize` takes ``hess(x)``; or v -> A v, with v and the
        product in the shape or tree of b, as ``hessp`` has them.
    b : array, tree or list
        Right-hand side, taken as `minimize` takes x0; x has its shape or tree, library, device
        and dtype.
    x0 : like b, optional
        First iterate; zero by default.
    shift : float
        Moves the spectrum of A.
    M : like A, optional
        Symmetric positive definite, near the inverse of abs(A - shift I).  All norms are then those
        of the preconditioned system: sqrt(r'M r) for residuals.
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
        A, M, b, x0 or a product is of the wrong type, library or dtype; where b is NumPy's, all
        that NumPy makes real numbers of is converted, as in SciPy.
    ValueError
        A, M, a product or x0 has the wrong shape or device.
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
    ``check_every`` steps and one.  Memory: 8 + check_every vectors, with M two more, and on
    NumPy one that a callable may write to.

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
    rhs = to_point(b, "b")
    space = space_of(rhs)
    limit = check_steps(max_iterations, 5 * space.n, check_every)
    rtol = tolerance("rtol", rtol, space.eps ** (1 / 2))
    shift = check_real("shift", shift)
    products = Products(watch)
    product = products.counted(_product(space, A, "A"))
    shifted = product if shift == 0.0 else lambda v: product(v) - shift * v
    lanczos = _Lanczos(space, products, shifted, None if M is None else _product(space, M, "M"))

    b = space.flat(rhs)
    x = None if x0 is None else take_vector(space, to_point(x0), "x0", "b")
    size, *squares, least = lanczos.start(b, b if x is None else b - shifted(x), x)
    del rhs, b, x  # the process has what it needs
    b_norm, r_norm = (size * root(square, least) for square in squares)
    factor = TridiagonalFactor(r_norm, b_norm, rtol, space.eps, least)
    return lanczos.run(factor, factor.start(*squares), limit, check_every)


def _product(space: Space, A: Any, name: str) -> Callable[[Array], Array]:
    """Take A as `minimize` takes hess(x), and a function as it takes hessp."""
    what = f"the product with {name}"
    if callable(A) and not (hasattr(A, "matvec") or hasattr(A, "shape")):
        return lambda v: take_vector(space, A(space.for_user(v)), what, "b")
    matvec = as_operator(space, A, name).matvec
    return lambda v: take_vector(space, matvec(v), what, "b")


class _Lanczos(Process):
    """A v_k = beta_k q_{k-1} + alpha_k q_k + beta_{k+1} q_{k+1} with v = M q, v_j'q_k = delta_jk.

    Each vector is divided by its norm before the next product, on the device.  `Lanczos`, of GLTR,
    divides after it, by numbers that were read with the product: here that would be four more
    launches a step, while there this order would need a second wait, for the norm.
    """

    def __init__(
        self,
        space: Space,
        products: Products,
        product: Callable[[Array], Array],
        solve: Callable[[Array], Array] | None,
    ) -> None:
        super().__init__(space, products)
        self.product, self.solve = product, solve

    def start(self, b: Array, r: Array, x: Array | None) -> list[float]:
        """Read the size of b and r, b'M b and r'M r over its square, the least normal number."""
        space, size = self.space, self.size_of(b, r)
        square = self._normalise(r / size, space.zeros(space.n))
        b_square = square if r is b else self._conditioned(b / size)[1]
        self.iterate = [space.zeros(space.n) if i or x is None else x for i in range(3)]
        return self.read([size, b_square, square, self.least])[0]

    def step(self) -> tuple[Array, Array, Array]:
        """Take the product with v_k; give v_k, alpha_k and beta_{k+1}^2."""
        q_old, q, v, beta = self.carried
        p = self.product(v) - beta * q_old
        alpha = v @ p
        p -= alpha * q
        return v, alpha, self._normalise(p, q)

    def move(self, v: Array, first: float, second: float, third: float) -> None:
        """Set d <- v - first d - second d_old, x <- x + third d."""
        x, d, d_old = self.iterate
        d_old *= -second
        d_old += v
        d_old -= first * d
        x += third * d_old
        self.iterate = [x, d_old, d]

    def _normalise(self, r: Array, q_old: Array) -> Array:
        """q, v <- r, M r over beta; beta^2 = r'M r."""
        z, square = self._conditioned(r)
        beta = self.root(square)
        if self.solve is None:
            r /= beta  # ours, and seen by nobody
            q = v = r
        else:
            q, v = r / beta, z / beta
        self.carried = [q_old, q, v, beta]
        return square

    def _conditioned(self, r: Array) -> tuple[Array, Array]:
        """M r and r'M r."""
        z = r if self.solve is None else self.solve(r)
        return z, r @ z
