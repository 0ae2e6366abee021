"""The Hessian itself: from the oracle at each point, or known and constant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hessx._xp import Array, like, times
from hessx.core import (
    Frame,
    Learns,
    Offer,
    SettingsError,
    Wants,
    check_flag,
    saved,
    store_integer,
)
from hessx.hessians._dense import diagonal_of
from hessx.hessians._family import Approximation, Curvature
from hessx.hessians._point import PointCurvature
from hessx.hessians._size import DEFAULT_BYTES, check_size
from hessx.hessians._start import cholesky, on_the_host

__all__ = ["Exact", "ExactCurvature", "ExactInverse", "KnownCurvature"]


@saved(fresh=("apply",))
class ExactCurvature(Curvature):
    """Products with the Hessian at the point, in z."""

    __slots__ = ("apply", "frame")
    exact = True

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.apply: Callable[[Array], Array] | None = None

    @property
    def waits(self) -> bool:  # type: ignore[override]
        """Whether the Hessian at this point has yet to come."""
        return self.apply is None

    def at(self, hessian: Any) -> None:
        """Take its products, in z; nothing is evaluated yet."""
        self.apply = self.frame.product(hessian)

    def leave(self) -> None:
        """Let go of it, so that the next is asked for."""
        self.apply = None

    def matvec(self, v: Array) -> Array:
        """H v; may be a buffer that the next product writes again."""
        return self.apply(v)  # type: ignore[misc]


@saved
@dataclass(frozen=True, slots=True)
class Exact(Approximation):
    """B = the Hessian at each accepted point: that of hess, hessp, or differences.

    Parameters
    ----------
    dense : bool
        As an array, which `MoreSorensen` factorises; by default as products.
    max_bytes : int
        Size of the largest array that may be made, > 0.

    Raises
    ------
    SettingsError
        A setting out of range; when the run begins, n^2 numbers take more than ``max_bytes``.

    Notes
    -----
    Cost as products: what the user's cost; no memory, nothing is fetched.  As an array: n products
    per accepted point, all counted, and none where hess returns an array; n^2 numbers, up to 5 n^2
    while it is made; one fetch in a run, which sees that an array of the user's is symmetric (else
    ValueError).

    References
    ----------
    Nocedal & Wright (2006), chapters 4 and 7.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> saddle = lambda x: (x[0] ** 4 / 4 - x[0] ** 2 / 2 + x[1] ** 2,
    ...                     np.array([x[0] ** 3 - x[0], 2 * x[1]]))
    >>> hess = lambda x: np.diag([3 * x[0] ** 2 - 1, 2.0])
    >>> method = hessx.TrustRegionMethod(hessx.Exact(dense=True), hessx.MoreSorensen())
    >>> result = hessx.minimize(saddle, [0.0, 1.0], jac=True, hess=hess, method=method)
    >>> abs(result.x).round(4), result.nhev
    (array([1., 0.]), 0)
    """

    positive = False
    learns = Learns.NOTHING
    wants = Wants.HESSIAN
    dense: bool = False
    max_bytes: int = DEFAULT_BYTES

    def __post_init__(self) -> None:
        object.__setattr__(self, "dense", check_flag("dense", self.dense))
        store_integer(self, "max_bytes", 1)

    @property
    def offers(self) -> Offer:  # type: ignore[override]
        """Products, and the matrix where there is one."""
        whole = Offer.MATVEC | Offer.DENSE | Offer.DIAGONAL
        return whole if self.dense else Offer.MATVEC

    def begin(self, frame: Frame) -> Curvature:
        """Begin without a Hessian: the first is asked for at x0."""
        if not self.dense:
            return ExactCurvature(frame)
        check_size(
            frame.space,
            "Exact(dense=True)",
            "hessx.Exact(), which is products, or a larger max_bytes",
            self.max_bytes,
        )
        return PointCurvature(frame)


@saved(host=("hessian",))
@dataclass(frozen=True, slots=True, eq=False)
class ExactInverse(Approximation):
    """B = H, known, constant and dense, and A = H^-1.

    With alpha = 1 one step solves a quadratic problem; with a given alpha the error shrinks by
    1 - alpha each step.

    Parameters
    ----------
    hessian : array, shape (n, n)
        Symmetric positive definite, of any library; inverted once, on the host in float64.

    Raises
    ------
    SettingsError
        Not square, not symmetric (1e-5 of the largest entry), or not positive definite; when the
        run starts, of another size than x0.

    Notes
    -----
    Cost: n^3 operations once, one product with an (n, n) matrix per step; no fetch.

    References
    ----------
    Nocedal & Wright (2006), eq. (2.15), with a constant Hessian.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> H, b = np.array([[5.0, 15.0], [15.0, 55.0]]), np.array([30.0, 110.0])
    >>> method = hessx.LineSearchMethod(hessx.ExactInverse(H), hessx.FixedStep(1.0))
    >>> f = lambda w: (w @ H @ w / 2 - b @ w, H @ w - b)
    >>> result = hessx.minimize(f, [1.0, 1.0], jac=True, method=method)
    >>> result.nit, bool(abs(result.x - [0.0, 2.0]).max() < 1e-12)
    (1, True)
    """

    offers = Offer.SOLVE | Offer.MATVEC | Offer.DENSE | Offer.DIAGONAL
    learns = Learns.NOTHING
    hessian: Any
    _inverse: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        L = cholesky("hessian", on_the_host("hessian", self.hessian))
        half = np.linalg.inv(L)
        object.__setattr__(self, "_inverse", half.T @ half)

    def begin(self, frame: Frame) -> KnownCurvature:
        """Move A to the device, and into z; H, where it is needed."""
        n, space = frame.space.n, frame.space
        if self._inverse.shape[0] != n:
            msg = f"hessian has shape {self._inverse.shape}: expected ({n}, {n}), as x0"
            raise SettingsError(msg)
        A = frame.inverse_matrix(like(space, self._inverse, "hessian"))
        return KnownCurvature(frame, A, self)


@saved(fresh=("B",))
@dataclass(slots=True, eq=False)
class KnownCurvature(Curvature):
    """H and its inverse, in z."""

    frame: Frame
    A: Array
    settings: ExactInverse
    B: Array = None

    def solve(self, v: Array) -> Array:
        """H^-1 v, n^2 multiplications."""
        return times(self.A, v)

    def matvec(self, v: Array) -> Array:
        """H v, n^2 multiplications; H is moved to the device at its first use."""
        return times(self._moved(), v)

    def dense(self) -> Array:
        """H in z, a copy."""
        return self._moved() + 0.0

    def diagonal(self) -> Array:
        """The diagonal of H in z, without a product."""
        return diagonal_of(self._moved())

    def _moved(self) -> Array:
        """H on the device, from its first use on."""
        if self.B is None:
            H = like(self.frame.space, on_the_host("hessian", self.settings.hessian), "hessian")
            self.B = self.frame.matrix(H)
        return self.B
