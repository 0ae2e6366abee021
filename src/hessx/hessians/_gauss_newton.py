"""The Gauss-Newton matrix J'J of a sum of squares."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Packet, eigh_of_root, times, upload
from hessx.core import (
    Frame,
    Learns,
    Offer,
    Wants,
    check_flag,
    saved,
    store_integer,
    store_real,
)
from hessx.hessians._family import Approximation, Curvature
from hessx.hessians._size import DEFAULT_BYTES, check_size
from hessx.krylov import never

__all__ = ["GaussNewton", "GaussNewtonCurvature", "JacobianCurvature"]


@saved(fresh=("apply",))
class GaussNewtonCurvature(Curvature):
    """Products with J'J + damping I at the point, in z."""

    __slots__ = ("apply", "damping", "frame")

    def __init__(self, frame: Frame, damping: float) -> None:
        self.frame, self.damping = frame, damping
        self.apply: Callable[[Array], Array] | None = None

    @property
    def waits(self) -> bool:  # type: ignore[override]
        """Whether the residual at this point has yet to come."""
        return self.apply is None

    def at(self, evidence: Any) -> None:
        """Take its products, in z; nothing is evaluated yet."""
        self.apply = self.frame.product(evidence)

    def leave(self) -> None:
        """Let go of it, so that the next is asked for."""
        self.apply = None

    def matvec(self, v: Array) -> Array:
        """(J'J + damping I) v, one product."""
        product = self.apply(v)  # type: ignore[misc]
        return product + v * self.damping if self.damping else product


@saved(fresh=("J", "r", "residual", "vectors", "weights"))
class JacobianCurvature(Curvature):
    """J'J + damping I by J in z, shape (m, n).

    Attributes
    ----------
    J, r : array, shapes (m, n) and (m,), optional
        Of the point, once they are needed.
    solves : bool
        Singular values are found at each point: B^-1 v or (B + sigma I)^-1 v will be asked for.
    vectors, weights : array, shapes (n, k) and (k,)
        V and s^2 of J = U diag(s) V', k = min(m, n), where it solves.
    """

    __slots__ = (
        "J",
        "damping",
        "frame",
        "r",
        "residual",
        "solves",
        "stopped",
        "vectors",
        "weights",
    )

    def __init__(self, frame: Frame, damping: float) -> None:
        self.frame, self.damping = frame, damping
        self.solves, self.stopped = True, False
        self.residual: Any = None
        self.J: Array = None
        self.r: Array = None
        self.vectors: Array = None
        self.weights: Array = None

    @property
    def waits(self) -> bool:  # type: ignore[override]
        """Whether the residual at this point has yet to come."""
        return self.residual is None and self.J is None

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Not where the budget has ended before there was a matrix."""
        return not self.stopped

    def at(self, evidence: Any) -> None:
        """Take it; nothing is evaluated yet."""
        self.residual, self.stopped = evidence, False

    def focus(self, needs: Offer) -> None:
        """Find singular values only where something is solved for."""
        self.solves = Offer.SOLVE in needs or Offer.SHIFTED in needs

    def prepare(self, watch: Callable[[], bool] = never) -> bool:
        """Take J, by n products where it is no array; one fetch where it solves."""
        if self.J is None:
            J, scale = self.residual.columns(watch), self.frame.scale
            self.stopped = J is None
            if J is None:
                return False
            self.r = self.residual.r
            self.residual, self.J = None, J if scale is None else J * scale[None, :]
        if self.solves and self.vectors is None:
            space = self.frame.space
            w, self.vectors, _ = eigh_of_root(space, self.J, self.r)
            self.weights = upload(space, w + self.damping)
        return True

    def leave(self) -> None:
        """Let go of J, so that the next is asked for."""
        self.residual = self.J = self.r = self.vectors = self.weights = None

    def hold(self, packet: Packet) -> None:
        """Name J, which the next point replaces."""
        packet.hold(self, "J", "r")

    def root(self) -> tuple[Array, Array]:
        """J and r; with a damping sqrt(damping) I below J, and zeros below r."""
        self.prepare()
        if not self.damping:
            return self.J, self.r
        space = self.frame.space
        eye = space.xp.eye(space.n, dtype=space.dtype, device=space.device)
        J = space.xp.concat([self.J, eye * math.sqrt(self.damping)])
        return J, space.xp.concat([self.r, space.zeros(space.n)])

    def matvec(self, v: Array) -> Array:
        """(J'J + damping I) v, 2 m n multiplications."""
        self.prepare()
        product = times(self.J, v) @ self.J
        return product + v * self.damping if self.damping else product

    def solve(self, v: Array) -> Array:
        """(J'J + damping I)^-1 v, two products with V."""
        return self.solve_shifted(v, 0.0)

    def solve_shifted(self, v: Array, sigma: float) -> Array:
        """(J'J + (damping + sigma) I)^-1 v, two products with V."""
        self.prepare()
        V, n = self.vectors, self.frame.space.n
        c = v @ V
        inside = times(V, c / (self.weights + sigma))
        if V.shape[1] == n:
            return inside
        return inside + (v - times(V, c)) / (self.damping + sigma)  # J'J = 0 there

    def dense(self) -> Array:
        """J'J + damping I, m n^2 multiplications."""
        R, _ = self.root()
        return R.T @ R

    def diagonal(self) -> Array:
        """The sums of the squares of J's columns, + damping."""
        self.prepare()
        return self.frame.space.xp.sum(self.J * self.J, axis=0) + self.damping


@saved
@dataclass(frozen=True, slots=True)
class GaussNewton(Approximation):
    r"""B = J'J + damping I with the Jacobian J of a sum of squares norm(r(x))^2 / 2.

    What is left out of the Hessian, the sum of r_k times the Hessian of r_k, is small where
    residuals are, or nearly linear: runs then end as fast as Newton's.

    Parameters
    ----------
    dense : bool
        By J as an array, whose singular values `MoreSorensen` finds; by default as products
        J'(J v).
    damping : float
        >= 0, in units of B.  J'J may be singular: a line search along A g, or a preconditioner,
        takes a positive damping alone.
    max_bytes : int
        Size of the largest array with n^2 numbers that may be made, > 0.

    Raises
    ------
    SettingsError
        A setting out of range; when the run begins, n^2 numbers take more than ``max_bytes``.
    ValueError
        In `minimize`, with a fun that offers no residual: `SumOfSquares` does.

    Notes
    -----
    Cost as products: one J v and one J'u each; no memory, nothing is fetched.  By J as an array:
    n products per accepted point where jac gives no array, else none; m n numbers, and where
    something is solved for n^2 more, about 4 m n^2 + 8 n^3 operations and one fetch per accepted
    point.  (J'J + sigma I) p = -g is never formed: with J'J it would lose half of the digits.

    References
    ----------
    Nocedal & Wright (2006), section 10.3; Madsen, Nielsen & Tingleff (2004), Methods for non-linear
    least squares problems, DTU, sections 3.1 and 3.2; More (1978), The Levenberg-Marquardt
    algorithm: implementation and theory, Lecture Notes in Mathematics 630.

    Examples
    --------
    Levenberg-Marquardt on Rosenbrock's function, with J as an array and by products:

    >>> import numpy as np, hessx
    >>> rosenbrock = hessx.SumOfSquares(
    ...     lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]),
    ...     lambda x: np.array([[-20 * x[0], 10.0], [-1.0, 0.0]]))
    >>> dense = hessx.TrustRegionMethod(
    ...     hessx.GaussNewton(dense=True), hessx.MoreSorensen(), hessx.NielsenRule())
    >>> products = hessx.TrustRegionMethod(hessx.GaussNewton(), region=hessx.NielsenRule())
    >>> for method in (dense, products):
    ...     result = hessx.minimize(rosenbrock, [-1.2, 1.0], method=method)
    ...     print(result.success, result.x.round(4))
    True [1. 1.]
    True [1. 1.]

    And in a line search:

    >>> method = hessx.LineSearchMethod(hessx.GaussNewton(dense=True, damping=1e-3),
    ...                                 hessx.HagerZhang())
    >>> hessx.minimize(rosenbrock, [-1.2, 1.0], method=method).x.round(4)
    array([1., 1.])
    """

    learns = Learns.NOTHING
    wants = Wants.RESIDUAL
    dense: bool = False
    damping: float = 0.0
    max_bytes: int = DEFAULT_BYTES

    def __post_init__(self) -> None:
        object.__setattr__(self, "dense", check_flag("dense", self.dense))
        store_real(self, "damping", 0.0, ends="[)")
        store_integer(self, "max_bytes", 1)

    @property
    def positive(self) -> bool:  # type: ignore[override]
        """With a damping."""
        return self.damping > 0.0

    @property
    def offers(self) -> Offer:  # type: ignore[override]
        """Products, and by J as an array all but A v, which takes a damping."""
        if not self.dense:
            return Offer.MATVEC
        whole = Offer.MATVEC | Offer.SHIFTED | Offer.DENSE | Offer.DIAGONAL
        return whole | Offer.SOLVE if self.positive else whole

    def begin(self, frame: Frame) -> Curvature:
        """Begin without a residual: the first is asked for at x0."""
        if not self.dense:
            return GaussNewtonCurvature(frame, self.damping)
        check_size(
            frame.space,
            "GaussNewton(dense=True)",
            "hessx.GaussNewton(), which is products, or a larger max_bytes",
            self.max_bytes,
        )
        return JacobianCurvature(frame, self.damping)
