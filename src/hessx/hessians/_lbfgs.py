"""L-BFGS in Gram form: one matrix-vector product per trial, one combination per direction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

from hessx._xp import Array, Space, is_array
from hessx.core import (
    Frame,
    Offer,
    SettingsError,
    Wants,
    positive_vector,
    saved,
    store_integer,
    store_real,
)
from hessx.hessians._family import Approximation
from hessx.hessians._given import Given
from hessx.hessians._lbfgs_around import AroundCurvature
from hessx.hessians._lbfgs_curvature import LBFGSCurvature
from hessx.hessians._lbfgs_operator import LBFGSInverse

__all__ = ["LBFGS"]

_FEW = 64  # pairs: their 2 m by 2 m matrix is inverted after each


@saved(host=("hess_inv0",))
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LBFGS(Approximation):
    r"""Limited-memory BFGS (Nocedal 1980) in Gram form.

    A is built on gamma I from the last ``memory`` pairs s = x+ - x, y = g+ - g, oldest first, by

        A+ = (I - s y' / s'y) A (I - y s' / s'y) + s s' / s'y

    taken all at once in the compact form of Byrd, Nocedal & Schnabel (1994).  With memory < n,
    gamma = s'y / y'y of the newest pair, the inverse of a large curvature.  With memory > n the
    pairs themselves come to describe every direction, as in BFGS, and gamma is for those not yet
    met: the largest norm(s) / norm(y) of the pairs, which does not hold small curvatures back (in
    line searches along d = -A g; else it is s'y / y'y).  A
    pair is skipped unless s'y > -eps alpha slope, slope = g'd of the ray that made it, so that
    rounding in s'y cannot pass for curvature; in a line search, whose pairs stand where the oldest
    would go, that one goes with it.

    Parameters
    ----------
    memory : int, optional
        Pairs kept, m >= 1.  By default 10, and up to 256 (64 but in line searches, as B is made of
        the inverse of a matrix of 2 m rows for each pair) where vectors are so short (n < 5958)
        that steps fit into 2^16 numbers: m > n for n < 256.  There they cost next to nothing and
        save evaluations (not on JAX and dask, whose rows are stacked anew for each product).
    hess_inv0 : number, array, LBFGSInverse, operator, callable or Approximation, optional
        Where to start: a positive multiple of I, a positive diagonal, of shape (n,) or the shape of
        x or a tree like x, or the ``hess_inv`` of an earlier result, whose pairs are taken over,
        the newest ``memory`` of them.  Or a positive definite A0 of any kind, in x: a
        LinearOperator, a function v -> A0 v, or an approximation such as ``Jacobi()`` or
        ``LearntDiagonal(patient=False)``, which changes from point to point; A is then built on
        gamma A0, gamma = s'y / y'A0 y.  The first trial is alpha = 1.
    damping : float, optional
        Powell's damping in (0, 1), commonly 0.2, instead of skipping: for steps that do not
        ensure s'y > 0.

    Raises
    ------
    SettingsError
        A setting out of range; raised when the part is made or when the run starts.

    Notes
    -----
    Memory: 2 m + 3 vectors; with points, f's x and gradient 2 m + 11 in all.  Per trial: a
    product of the rows with the new gradient and a small one with y, one fetch.  Per direction:
    one upload of at most 2 m + 1 coefficients and one combination of the rows.  Each of the two
    takes about 2 m n multiplications.

    With an A0 of any kind, 10 pairs by default: one product with A0 per trial and per direction,
    and 4 m vector operations per direction, the two-loop recursion on the device; no fetch more.
    It offers A alone, and hands out no ``hess_inv``.

    References
    ----------
    Nocedal (1980), Updating quasi-Newton matrices with limited storage, Math. Comp. 35; Byrd,
    Nocedal & Schnabel (1994), Math. Program. 63, Theorem 2.2; Chen, Wang & Zhou (2014), Large-scale
    L-BFGS using MapReduce, for the Gram form; Powell (1978) for damping; Nocedal & Wright (2006),
    eqs. (7.16) and (7.20); Byrd, Lu, Nocedal & Zhu (1995), SIAM J. Sci. Comput. 16, for the skip
    (their code's); Oren & Spedicato (1976), Math. Program. 10, for norm(s) / norm(y).

    Examples
    --------
    >>> import numpy as np, hessx
    >>> method = hessx.LineSearchMethod(hessx.LBFGS(memory=5), hessx.HagerZhang())
    >>> scale = np.array([1.0, 100.0, 1e4])
    >>> fun = lambda x: (scale * x) @ x / 2
    >>> hessx.minimize(fun, np.ones(3), jac=lambda x: scale * x, method=method).success
    True
    """

    memory: int | None = None
    hess_inv0: Any = None
    damping: float | None = None

    def __post_init__(self) -> None:
        store_integer(self, "memory", 1)
        if isinstance(self.hess_inv0, Real):
            store_real(self, "hess_inv0", 0.0)
        store_real(self, "damping", 0.0, 1.0)
        start = self.hess_inv0
        if callable(start) and not isinstance(start, LBFGSInverse | type) and not is_array(start):
            object.__setattr__(self, "hess_inv0", Given(start))
        if isinstance(self.hess_inv0, Approximation):
            _check_first(self.hess_inv0, self.damping)

    @property
    def in_rows(self) -> bool:
        """Whether A is made of rows alone, with nothing but a diagonal to start with."""
        return not isinstance(self.hess_inv0, Approximation)

    @property
    def wants(self) -> Wants:  # type: ignore[override]
        """What A0 wants."""
        return Wants.NOTHING if self.in_rows else self.hess_inv0.wants

    @property
    def offers(self) -> Offer:  # type: ignore[override]
        """SHIFTED where A begins with a multiple of I: else sigma I is none of the pairs' own."""
        if not self.in_rows:
            return Offer.SOLVE
        every = Offer.SOLVE | Offer.MATVEC | Offer.DIAGONAL | Offer.DENSE | Offer.COMPACT
        multiple = self.hess_inv0 is None or isinstance(self.hess_inv0, Real)
        return every | Offer.SHIFTED if multiple else every

    def begin(self, frame: Frame) -> LBFGSCurvature | AroundCurvature:
        """Begin with hess_inv0, or I: pairs that learn by `Curvature.update`.

        Raises
        ------
        SettingsError
            hess_inv0 does not fit the variables.
        """
        start = self.hess_inv0
        if isinstance(start, Approximation):
            return AroundCurvature(frame, self.memory or 10, start)
        curvature = self._begin(frame, _FEW)
        curvature.longest = False  # a long gamma makes B small, and steps end at the boundary
        if isinstance(start, LBFGSInverse):
            curvature.inner = Frame(frame.space, _ratio(start.frame.scale, frame.scale))
        elif start is not None and not isinstance(start, Real):
            curvature.inner = Frame(frame.space, self._root(frame))
        return curvature

    def begin_rows(self, frame: Frame) -> LBFGSCurvature:
        """Begin a line search, whose gradients are rows too: in variables of its own, perhaps."""
        start = self.hess_inv0
        if isinstance(start, LBFGSInverse):
            if frame.scale is None:
                frame = replace(frame, scale=start.frame.scale)
        elif start is not None and not isinstance(start, Real):
            frame = replace(frame, scale=self._root(frame))
        return self._begin(frame)

    def _begin(self, frame: Frame, most: int = 256) -> LBFGSCurvature:
        start, m = self.hess_inv0, self._pairs(frame.space, most)
        if isinstance(start, LBFGSInverse):
            self._check(frame.space, start)
            curvature = LBFGSCurvature(frame, m, None, self.damping)
            curvature.adopt(start)
            return curvature
        gamma = start if start is None or isinstance(start, Real) else 1.0
        return LBFGSCurvature(frame, m, gamma, self.damping)  # type: ignore[arg-type]

    def _pairs(self, space: Space, most: int) -> int:
        if self.memory is not None:
            return self.memory
        return max(10, min(most, 2**16 // space.n)) if space.writeable else 10

    def _root(self, frame: Frame) -> Array:
        """A diagonal A0 is a change of scale: x = sqrt(A0) z."""
        diagonal, space = self.hess_inv0, frame.space
        if not is_array(diagonal) and not isinstance(diagonal, list | tuple | dict):
            msg = (
                f"hess_inv0 is a {type(diagonal).__name__}: expected a positive number, a positive "
                "diagonal with the shape of x0, the hess_inv of an earlier L-BFGS result, an "
                "operator, a function v -> A v or an approximation"
            )
            raise SettingsError(msg)
        if is_array(diagonal) and space.n > 1 and tuple(diagonal.shape) == (space.n, space.n):
            msg = (
                f"hess_inv0 is a matrix of shape {tuple(diagonal.shape)}: expected it as "
                "hessx.DenseOperator(hess_inv0), or a positive diagonal with the shape of x0"
            )
            raise SettingsError(msg)
        if frame.scale is not None:
            msg = "hess_inv0 as a diagonal and x_scale as an array: give one of the two"
            raise SettingsError(msg)
        return space.xp.sqrt(positive_vector(space, diagonal, "hess_inv0"))

    def _check(self, space: Space, start: LBFGSInverse) -> None:
        expected = (space.n, space.kind, space.dtype)
        given = (start.space.n, start.space.kind, start.space.dtype)
        if given != expected:
            msg = (
                f"hess_inv0 is an L-BFGS operator with (n, library, dtype) = {given}: "
                f"expected {expected}"
            )
            raise SettingsError(msg)


def _check_first(first: Approximation, damping: float | None) -> None:
    """Refuse an A0 that cannot be one."""
    stays = first.only_preconditions or first.stochastic
    if stays or not first.positive or Offer.SOLVE not in first.offers:
        msg = (
            f"hess_inv0 = {type(first).__name__}(...): expected a positive definite approximation "
            "that offers SOLVE and learns from steps or points, such as hessx.Jacobi(), or an "
            "operator, a diagonal or a number"
        )
        raise SettingsError(msg)
    if damping is not None:
        msg = (
            f"damping = {damping:g} with hess_inv0 = {type(first).__name__}(...): give one of them"
        )
        raise SettingsError(msg)


def _ratio(inner: Array | None, outer: Array | None) -> Array | None:
    """Give the scale of w in z, of x = inner w and x = outer z."""
    if inner is None:
        return None if outer is None else 1.0 / outer
    return inner if outer is None else inner / outer
