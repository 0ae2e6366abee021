"""Newton's matrix: the Hessian, made positive definite."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from hessx._xp import Array, Packet, eigh, fetch, times, upload
from hessx.core import Frame, Learns, Offer, Wants, saved, store_choice, store_integer, store_real
from hessx.hessians._family import Approximation
from hessx.hessians._point import PointCurvature
from hessx.hessians._size import DEFAULT_BYTES, check_size

__all__ = ["FlippedCurvature", "Newton", "ShiftedCurvature"]

_STEP = 1e-3  # of the largest entry: the least multiple of I that is tried


class _RepairedCurvature(PointCurvature):
    """A positive definite B near H, made once per point.

    Attributes
    ----------
    floor : float
        Of its condition: the least eigenvalue over the largest.
    sized, broken : bool
        False where H = 0, whose B is I; True where H is not finite.
    """

    __slots__ = ("broken", "floor", "sized")

    def __init__(self, frame: Frame, floor: float) -> None:
        super().__init__(frame)
        self.floor, self.sized, self.broken = floor, True, False

    def _judge(self, size: float) -> float:
        """Take the largest eigenvalue or entry of H; what to measure with in its place."""
        self.broken, self.sized = not math.isfinite(size), size != 0.0
        return size if self.sized else 1.0


@saved(host=("values",))
class FlippedCurvature(_RepairedCurvature):
    """B = V diag(max(abs(w), floor max abs(w))) V'."""

    __slots__ = ("values", "vectors", "weights")

    def __init__(self, frame: Frame, floor: float) -> None:
        super().__init__(frame, floor)
        self.vectors: Array = None
        self.weights: Array = None  # eigenvalues of B, and their inverses
        self.values: np.ndarray | None = None  # those of H

    def leave(self) -> None:
        """Let go of the eigenvectors, so that the next Hessian is asked for."""
        super().leave()
        self.vectors = self.weights = self.values = None

    def hold(self, packet: Packet) -> None:
        """Name nothing: what is made with a fetch is there."""

    def solve(self, v: Array) -> Array:
        """A v, two products with V."""
        self.prepare()
        return times(self.vectors, self.weights[1, ...] * (v @ self.vectors))

    def matvec(self, v: Array) -> Array:
        """B v, two products with V."""
        self.prepare()
        return times(self.vectors, self.weights[0, ...] * (v @ self.vectors))

    def solve_shifted(self, v: Array, sigma: float) -> Array:
        """(B + sigma I)^-1 v, two products with V."""
        self.prepare()
        return times(self.vectors, (v @ self.vectors) / (self.weights[0, ...] + sigma))

    def dense(self) -> Array:
        """B, by a product of matrices."""
        self.prepare()
        return (self.vectors * self.weights[0, ...]) @ self.vectors.T

    def diagonal(self) -> Array:
        """The diagonal of B."""
        self.prepare()
        return (self.vectors * self.vectors) @ self.weights[0, ...]

    def spectrum(self) -> tuple[Any, Array] | None:
        """What B was made of."""
        return self.values, self.vectors

    def _take(self, B: Array) -> None:
        space = self.frame.space
        self.values, self.vectors, _ = eigh(space, B)
        w = abs(self.values)
        size = self._judge(float(w.max()))
        with np.errstate(all="ignore"):
            w = np.maximum(w, self.floor * size) if self.sized else np.ones_like(w)
            self.weights = upload(space, np.stack([w, 1.0 / w]))


@saved
class ShiftedCurvature(_RepairedCurvature):
    """B = H + tau I, and A = B^-1 by Cholesky's factors, on the host in float64."""

    __slots__ = ("A", "tau")

    def __init__(self, frame: Frame, floor: float) -> None:
        super().__init__(frame, floor)
        self.A: Array = None
        self.tau = 0.0

    def leave(self) -> None:
        """Let go of both matrices, so that the next Hessian is asked for."""
        super().leave()
        self.A = None

    def solve(self, v: Array) -> Array:
        """A v, n^2 multiplications."""
        self.prepare()
        return times(self.A, v)

    def spectrum(self) -> tuple[Any, Array] | None:
        """Decompose B; one fetch."""
        w, V, _ = eigh(self.frame.space, self.B)
        return w - self.tau, V

    def _take(self, B: Array) -> None:
        space = self.frame.space
        n = space.n
        (entries,), _ = fetch(space, [space.xp.reshape(B, (-1,))])
        H = entries.reshape(n, n)
        size = self._judge(float(abs(H).max()))
        M, A, tau = H / size if self.sized else np.eye(n), np.full((n, n), math.nan), 0.0
        if not self.broken:
            tau, A = _shifted_inverse(M, self.floor)
        with np.errstate(all="ignore"):
            self.A, self.tau = upload(space, A / size), tau * size
        if space.chunks is not None:
            self.A = self.A.rechunk(space.chunks * 2)
        eye = space.xp.eye(n, dtype=space.dtype, device=space.device)
        self.B = B + eye * self.tau if self.sized else eye


def _shifted_inverse(M: np.ndarray, floor: float) -> tuple[float, np.ndarray]:
    """The first tau of a growing sequence with B = M + tau I positive definite, and B^-1.

    Nocedal & Wright (2006), algorithm 3.3; norm_F(B) norm_F(B^-1) <= n / floor, which lies
    between the condition of B and n times that, is asked for too.  The largest entry of M is 1.
    """
    n = len(M)
    lowest = float(M.diagonal().min())
    tau = 0.0 if lowest > 0.0 else _STEP - lowest
    while True:
        B = M + tau * np.eye(n)
        try:
            half = np.linalg.inv(np.linalg.cholesky(B))
        except np.linalg.LinAlgError:
            half = None
        if half is not None:
            A = half.T @ half
            if float(np.linalg.norm(A)) * float(np.linalg.norm(B)) <= n / floor:
                return tau, A
        tau = max(2.0 * tau, _STEP)


@saved
@dataclass(frozen=True, slots=True)
class Newton(Approximation):
    r"""B = the Hessian at each accepted point, dense, made positive definite.

    Where H has an eigenvalue below ``floor`` times the largest absolute one:

        "eigenvalues":  B = V diag(max(abs(w), floor max abs(w))) V'  with  H = V diag(w) V'
        "cholesky":     B = H + tau I, the first tau of 0 (or 0.001 h - min H_ii where that is
                        positive), and then of max(2 tau, 0.001 h), for which Cholesky's
                        factorisation exists and norm_F(B) norm_F(B^-1) <= n / floor;
                        h = max abs(H_ij)

    With the absolute values a direction of negative curvature is followed downhill, as far as
    curvature reaches; a multiple of I shortens all of the step.  Where H is positive definite and
    its condition below 1 / floor, B is H.

    Parameters
    ----------
    repair : {"eigenvalues", "cholesky"}
        Which.
    floor : float, optional
        In (0, 1); by default eps^(1/2).  Eigenvalues are known to n eps of the largest, so that
        those above it have half of their digits; and along a direction in which f is flat, where
        an eigenvalue is rounding, the step is norm(g) / (floor max abs(w)) and not 1 / eps.
    max_bytes : int
        Size of the largest array that may be made, > 0.

    Raises
    ------
    SettingsError
        A setting out of range; when the run begins, n^2 numbers take more than ``max_bytes``.

    Notes
    -----
    Cost per accepted point: n products, or an array of the user's, and one fetch.  "eigenvalues":
    9 n^3 operations on the device, n numbers fetched, two products with an (n, n) matrix per
    apply.  "cholesky": the matrix is fetched, factorised in float64 on the host, n^3 operations at
    each tau, and its inverse uploaded, for libraries disagree on how a factorisation fails.
    Memory: up to 5 n^2 numbers, 6 n^2 by "cholesky".

    Where H = 0, B = I without a size, a gradient step; where H is not finite the run ends with
    FAILED_NONFINITE.

    References
    ----------
    Nocedal & Wright (2006), section 3.4, eqs. (3.40) and (3.43), algorithm 3.3.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> saddle = lambda x: (x[0] ** 4 / 4 - x[0] ** 2 / 2 + x[1] ** 2,
    ...                     np.array([x[0] ** 3 - x[0], 2 * x[1]]))
    >>> hess = lambda x: np.diag([3 * x[0] ** 2 - 1, 2.0])
    >>> for method in (hessx.LineSearchMethod(hessx.Newton(), hessx.HagerZhang()),
    ...                hessx.TrustRegionMethod(hessx.Newton("cholesky"), hessx.Dogleg())):
    ...     result = hessx.minimize(saddle, [0.1, 1.0], jac=True, hess=hess, method=method)
    ...     print(result.success, result.x.round(4) + 0.0)
    True [1. 0.]
    True [1. 0.]
    """

    learns: ClassVar = Learns.NOTHING
    wants: ClassVar = Wants.HESSIAN
    repair: str = "eigenvalues"
    floor: float | None = None
    max_bytes: int = DEFAULT_BYTES

    def __post_init__(self) -> None:
        store_choice(self, "repair", "eigenvalues", "cholesky")
        store_real(self, "floor", 0.0, 1.0)
        store_integer(self, "max_bytes", 1)

    @property
    def offers(self) -> Offer:  # type: ignore[override]
        """All, a shift of the eigenvalues too where there are some."""
        both = Offer.SOLVE | Offer.MATVEC | Offer.DENSE | Offer.DIAGONAL
        return both | Offer.SHIFTED if self.repair == "eigenvalues" else both

    def begin(self, frame: Frame) -> FlippedCurvature | ShiftedCurvature:
        """Begin without a Hessian: the first is asked for at x0."""
        space = frame.space
        instead = "hessx.NewtonCG() or hessx.TrustRegionMethod(), which take products"
        check_size(space, "Newton()", f"{instead}, or a larger max_bytes", self.max_bytes)
        floor = math.sqrt(space.eps) if self.floor is None else self.floor
        made = FlippedCurvature if self.repair == "eigenvalues" else ShiftedCurvature
        return made(frame, floor)
