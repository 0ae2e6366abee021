"""Newton's matrix on a sparse pattern: the Hessian, made positive definite and inverted."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from hessx._xp import Array, SparseFactor, fetch, has_sparse_factors, normal
from hessx.core import Frame, Offer, saved, store_real
from hessx.hessians._sparse import OnPattern, SparseCurvature, refusing
from hessx.krylov import device_cg
from hessx.operators import LinearOperator, lanczos

__all__ = ["FactorisedCurvature", "IteratedCurvature", "ShiftedSparse", "SparseNewton"]

_STEP = 1e-3  # of the largest entry: the least multiple of I that is tried
_STEPS = 48  # of Lanczos
_SEED = 0


@saved
class ShiftedSparse(SparseCurvature):
    """B = H + tau I on a pattern, positive definite.

    Attributes
    ----------
    size, tau : float
        The largest entry of H, and tau in units of it.
    floor : float
        Of its condition: the least pivot, or eigenvalue, over the largest.
    sized, broken : bool
        False where H = 0, whose B is I; True where H is not finite.
    """

    __slots__ = ("broken", "floor", "size", "sized", "tau")
    exact = False

    def __init__(self, frame: Frame, settings: SparseNewton) -> None:
        super().__init__(frame, settings)
        self.floor = math.sqrt(frame.space.eps) if settings.floor is None else settings.floor
        self.size, self.tau, self.sized, self.broken = 1.0, 0.0, True, False

    def matvec(self, v: Array) -> Array:
        """H v + tau v."""
        Hv = super().matvec(v)
        return Hv if self.tau == 0.0 else Hv + v * (self.tau * self.size)

    def dense(self) -> Array:
        """B in z."""
        space, H = self.frame.space, super().dense()
        eye = space.xp.eye(space.n, dtype=space.dtype, device=space.device)
        return H if self.tau == 0.0 else H + eye * (self.tau * self.size)

    def diagonal(self) -> Array:
        """The diagonal of B."""
        return super().diagonal() + self.tau * self.size

    def hessian_product(self) -> Callable[[Array], Array]:
        """Give v -> H v, without tau."""
        return super().matvec

    def operator(self, *, inverse: bool) -> LinearOperator | None:
        """A or B in x, at the last point that was sampled."""
        return self._kept(inverse=inverse)

    def _judge(self, size: float) -> bool:
        """Take the largest entry of H; whether there is anything to invert."""
        self.broken, self.sized = not math.isfinite(size), size != 0.0
        self.size, self.tau = (size, 0.0) if self.sized and not self.broken else (1.0, 0.0)
        if not self.sized:
            self.tau = 1.0
        return self.sized and not self.broken

    def _next(self, tau: float, most: float) -> float:
        return min(max(2.0 * tau, _STEP), most)


@saved(fresh=("factor",))
class FactorisedCurvature(ShiftedSparse):
    """A by the factors of B, made on the host in float64."""

    __slots__ = ("factor",)

    def __init__(self, frame: Frame, settings: SparseNewton) -> None:
        super().__init__(frame, settings)
        self.factor: SparseFactor | None = None

    def solve(self, v: Array) -> Array:
        """A v, by both factors."""
        self.prepare()
        if self.broken:
            return v * math.nan
        if self.factor is None:
            self.factor = self._factor(self._entries(), self.tau)
        return self.factor.solve(v) / self.size

    def _take(self, values: Array) -> None:
        super()._take(values)
        self.factor = None
        entries = self._entries(first=True)
        if not self._judge(float(np.abs(entries).max(initial=0.0))):
            return
        M, at, n = entries / self.size, self._diagonal_places(), self.frame.space.n
        diagonal = M[at]
        radii = np.bincount(self.pattern.rows, np.abs(M), minlength=n) - np.abs(diagonal)
        lowest, most = float(diagonal.min()), float((radii - diagonal).max()) + _STEP
        tau = 0.0 if lowest > 0.0 else min(_STEP - lowest, most)
        while True:
            factor = self._factor(M, tau)
            pivots = factor.pivots
            positive = pivots is not None and pivots.min() > self.floor * pivots.max()
            if positive or tau >= most:
                self.factor, self.tau = factor, tau
                return
            tau = self._next(tau, most)

    def _entries(self, first: bool = False) -> np.ndarray:
        """Those of H on the host, in units of the largest; one fetch."""
        entries: np.ndarray
        (entries,), _ = fetch(self.frame.space, [self.values])
        return entries if first else entries / self.size

    def _diagonal_places(self) -> Any:
        return np.flatnonzero(self.pattern.rows == self.pattern.indices)

    def _factor(self, M: np.ndarray, tau: float) -> SparseFactor:
        if tau:
            M = M.copy()
            M[self._diagonal_places()] += tau
        return SparseFactor(self.frame.space, self.pattern.indptr, self.pattern.indices, M)


@saved(fresh=("jacobi",))
class IteratedCurvature(ShiftedSparse):
    """A by conjugate gradients on the device, a fixed number of steps.

    Attributes
    ----------
    steps : int
        As many as the condition asks for.
    """

    __slots__ = ("jacobi", "steps")

    def __init__(self, frame: Frame, settings: SparseNewton) -> None:
        super().__init__(frame, settings)
        self.jacobi: Array = None
        self.steps = 0

    def solve(self, v: Array) -> Array:
        """A v; ``steps`` products with B, no fetch."""
        self.prepare()
        if self.jacobi is None:
            d = self.diagonal()
            self.jacobi = 1.0 / self.frame.space.xp.where(d > 0.0, d, d * 0.0 + 1.0)
        return device_cg(self.frame.space, self.matvec, v, self.jacobi, self.steps)

    def _take(self, values: Array) -> None:
        super()._take(values)
        self.jacobi, space = None, self.frame.space
        xp, places = space.xp, self._placed()
        H, whole = places.operator(values), places.operator(xp.abs(values))
        d, ones = H.diagonal(), space.zeros(space.n) + 1.0
        radii = whole.matvec(ones) - xp.abs(d)
        asked = [xp.max(xp.abs(values)), xp.min(d), *_ends(xp, d, radii)]
        (size, lowest, least, largest, most), _ = fetch(space, asked)
        if not self._judge(size):
            self.steps = 1
            return
        lowest, least, largest, most = (a / size for a in (lowest, least, largest, most))
        most += _STEP
        tau = 0.0 if lowest > 0.0 else min(_STEP - lowest, most)
        if not self._well(least + tau, largest + tau):  # by Gershgorin's discs alone
            run = lanczos(space, H.matvec, normal(space, _SEED)[0, ...], _STEPS)
            theta = run.ritz()[0] / size
            least, largest = float(theta[0]), float(theta[-1])
        while not self._well(least + tau, largest + tau) and tau < most:
            tau = self._next(tau, most)
        self.tau, n = tau, space.n
        condition = (largest + tau) / max(least + tau, self.floor * (largest + tau))
        enough = math.sqrt(condition) * math.log(2.0 / space.eps) / 2.0
        self.steps = min(2 * n, max(200, 4 * math.isqrt(n)), math.ceil(enough) + 2)

    def _well(self, least: float, largest: float) -> bool:
        return least > self.floor * largest


def _ends(xp: Any, d: Array, radii: Array) -> tuple[Array, Array, Array]:
    """The least and the largest that an eigenvalue may be, and what would make all positive."""
    return xp.min(d - radii), xp.max(d + radii), xp.max(radii - d)


@saved
@dataclass(frozen=True, slots=True, eq=False)
class SparseNewton(OnPattern):
    r"""B = H + tau I on a sparse pattern, positive definite, and A = B^-1.

    H is sampled as by `Sparse`.  tau is the first of 0 (or 0.001 h - min H_ii where that is
    positive), and then of max(2 tau, 0.001 h), h = max abs(H_ij), with which B is positive
    definite, and at most what Gershgorin's discs ask for:

        max_i(sum_j abs(H_ij), j != i, - H_ii) + 0.001 h

    On NumPy, and on CuPy, with SciPy installed, B = L D L' by SuperLU, and B is positive definite
    where min D > floor max D.  Elsewhere A v is what conjugate gradients give on the device,
    preconditioned by the diagonal, in as many steps as the condition of B asks for, and the least
    eigenvalue is that of 48 steps of Lanczos' process.

    Parameters
    ----------
    pattern, colouring, check
        As of `Sparse`.
    floor : float, optional
        In (0, 1); by default eps^(1/2).

    Raises
    ------
    SettingsError, ValueError
        As `Sparse`.

    Notes
    -----
    Cost per accepted point: that of `Sparse`, and one fetch of the nnz entries with one
    factorisation for each tau on the host; elsewhere seven fetches at most.  Cost of an apply: a
    solve with both factors; elsewhere at most max(200, 4 sqrt(n)) products with B on the device.
    No fetch in an apply.  Memory: nnz numbers, and the factors, which fill in: not for bands, but
    on a grid of 100 by 100 to 37 n numbers.

    Where H = 0, B = I without a size, a gradient step; where H is not finite the run ends with
    FAILED_NONFINITE.  ``result.hess_inv`` is A at the last point whose Hessian was asked for.

    References
    ----------
    Nocedal & Wright (2006), algorithm 3.3; George & Liu (1989), The evolution of the minimum degree
    ordering algorithm, SIAM Review 31.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> def rosenbrock(x):
    ...     a, b = x[1:] - x[:-1] ** 2, 1 - x[:-1]
    ...     g = np.zeros_like(x)
    ...     g[1:] += 200 * a
    ...     g[:-1] -= 400 * a * x[:-1] + 2 * b
    ...     return 100 * a @ a + b @ b, g
    >>> method = hessx.LineSearchMethod(
    ...     hessx.SparseNewton(hessx.Pattern.banded(1000, 1)), hessx.HagerZhang())
    >>> result = hessx.minimize(rosenbrock, np.zeros(1000), jac=True, method=method)
    >>> result.success, result.hess_inv.shape
    (True, (1000, 1000))
    """

    pattern: Any = None
    colouring: Any = None
    check: bool = True
    floor: float | None = None
    offers: ClassVar = Offer.SOLVE | Offer.MATVEC | Offer.DENSE | Offer.DIAGONAL

    def __post_init__(self) -> None:
        OnPattern.__post_init__(self)
        store_real(self, "floor", 0.0, 1.0)

    def begin(self, frame: Frame) -> FactorisedCurvature | IteratedCurvature:
        """Begin without a Hessian: the first is asked for at x0."""
        made = FactorisedCurvature if has_sparse_factors(frame.space) else IteratedCurvature
        return refusing(made, frame, self)  # type: ignore[no-any-return]
