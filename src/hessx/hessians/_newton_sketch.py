"""Newton sketch: the Hessian from a random projection of its root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Packet, eigenbases, in_one_piece
from hessx.core import Frame, Learns, Offer, saved, store_choice, store_integer, store_real
from hessx.hessians._applied import applied
from hessx.hessians._family import Approximation, Curvature
from hessx.hessians._sketches import SKETCHES, sketched
from hessx.operators import LinearOperator

__all__ = ["NewtonSketch", "SketchCurvature"]

_WIDE = 4  # rows of S by entries of x


@saved
class SketchCurvature(Curvature):
    """B = J'J + diag(D), J = S R; I until a lesson has come.

    Attributes
    ----------
    J : array, shape (size, n), optional
        The sketch, in z.
    D : array, shape (n,), optional
        Penalty and damping, in z.
    Q, shrink : array, optional
        Eigenvectors and inverse eigenvalues of B, where J has n rows and more; else those of
        J D^-1 J', and 1 / (1 + w).
    count : int
        Of the lessons: each draws its own S.
    """

    __slots__ = ("D", "J", "Q", "count", "frame", "settings", "shrink")

    def __init__(self, frame: Frame, settings: NewtonSketch) -> None:
        self.frame, self.settings, self.count = frame, settings, 0
        self.J: Array = None
        self.D: Array = None
        self.Q: Array = None
        self.shrink: Array = None

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Whether there is more than I."""
        return self.J is not None

    @property
    def sized(self) -> bool:  # type: ignore[override]
        """Whether A has a size."""
        return self.active

    @property
    def _tall(self) -> bool:
        return self.J.shape[0] >= self.J.shape[1]  # type: ignore[no-any-return]

    def hold(self, packet: Packet) -> None:
        """Name the arrays."""
        packet.hold(self, "J", "D", "Q", "shrink")

    def update(self, hessian: Any) -> str:
        """Draw a sketch of the Hessian, in the place of the one before; no fetch."""
        frame, settings = self.frame, self.settings
        space, xp = frame.space, frame.space.xp
        size = _WIDE * space.n if settings.size is None else settings.size
        seed, R = (settings.seed, self.count), hessian.root()
        self.count += 1
        J, products = sketched(space, R, size, settings.kind, seed)
        hessian.spend(products)
        self.J = in_one_piece(space, J if frame.scale is None else J * frame.scale)
        self.D = frame.diagonal(hessian.penalty()) + settings.damping
        if self._tall:
            [(w, self.Q)] = eigenbases(space, [self.dense()])
            least = w[-1] * space.eps
            self.shrink = 1.0 / xp.where(w < least, least, w)
        else:
            [(w, self.Q)] = eigenbases(space, [(self.J / self.D) @ self.J.T])
            self.shrink = 1.0 / (1.0 + xp.where(w < 0.0, space.zeros(()), w))
        return ""

    def reset(self) -> bool:
        """Forget the sketch."""
        had = self.active
        self.J = self.D = self.Q = self.shrink = None
        return had

    def solve(self, v: Array) -> Array:
        """A v, by the eigenvectors of B, or by Woodbury's formula in size x size."""
        if self.J is None:
            return v + 0.0
        if self._tall:
            return ((v @ self.Q) * self.shrink) @ self.Q.T
        u = v / self.D
        inside = ((u @ self.J.T) @ self.Q) * self.shrink
        return u - (inside @ self.Q.T) @ self.J / self.D

    def matvec(self, v: Array) -> Array:
        """J'(J v) + D v."""
        return v + 0.0 if self.J is None else (v @ self.J.T) @ self.J + v * self.D

    def diagonal(self) -> Array:
        """Sums of squares of the columns of J, + D."""
        space = self.frame.space
        if self.J is None:
            return space.zeros(space.n) + 1.0
        return space.xp.sum(self.J * self.J, axis=0) + self.D

    def dense(self) -> Array:
        """B in z."""
        space = self.frame.space
        units = space.xp.eye(space.n, dtype=space.dtype, device=space.device)
        return units if self.J is None else self.J.T @ self.J + units * self.D

    def operator(self, *, inverse: bool) -> LinearOperator:
        """A or B in x, as it stands."""
        kept = SketchCurvature(self.frame, self.settings)
        kept.J, kept.D, kept.Q, kept.shrink = self.J, self.D, self.Q, self.shrink
        return applied(self.frame, kept, inverse=inverse)


@saved
@dataclass(frozen=True, slots=True)
class NewtonSketch(Approximation):
    r"""B = (S R)'(S R) + penalty + damping I, R a root of the Hessian of a sample, S random.

        H = R'R + penalty,   E(S'S) = I

    Parameters
    ----------
    size : int, optional
        Rows of S, >= 1; 4 n by default.  Where R has no more, B is the Hessian itself.
    kind : {"gaussian", "srht", "rows"}
        S of independent normal entries; the subsampled randomised Hadamard transform; rows of R,
        each once at most.
    damping : float
        > 0, of the unit of the Hessian.
    seed : int
        Of S: it depends on the seed and the number of the lesson alone.

    Raises
    ------
    SettingsError
        A setting out of range.
    ValueError
        In a run, a Hessian without ``root``: it needs the models of `hessx.models`, a perceptron
        with ``hess="gauss-newton"``.

    Notes
    -----
    The last lesson alone counts.  It learns from the Hessian on a sample: `hessx.Preconditioned` is
    the rule around it, with beta = 0, and ``batch_size="full"`` for the paper's method.

    Memory: R as an array, rows x n, while it is sketched, but for "gaussian" of a size < n; then
    size n + n^2 numbers, or size n + size^2 for a size < n.  Cost of a lesson: n products with R,
    or as many with R' as it has rows, where these are fewer (``size`` for "gaussian" of a size
    < n); rows n size operations more for "gaussian" and rows n log2(rows) for "srht",
    size n^2 + 9 n^3 for B; no fetch, but one where the library has no eigh.  With a size < n the
    solve loses digits as eps times the largest eigenvalue passes damping.

    References
    ----------
    Pilanci & Wainwright (2017), Newton sketch: a near linear-time optimization algorithm with
    linear-quadratic convergence, SIAM J. Optim. 27, sections 2 and 3.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx.models import LogisticRegression
    >>> draw = np.random.default_rng(0)
    >>> X = draw.standard_normal((200, 2))
    >>> y = (X @ [1.0, 2.0] + draw.standard_normal(200) > 0) * 1.0
    >>> loss = hessx.FiniteSum(LogisticRegression(X, y, l2=0.01))
    >>> rule = hessx.Preconditioned(hessx.NewtonSketch(size=60, kind="srht"), beta=0.0)
    >>> method = hessx.StochasticMethod(rule, rate=1.0, batch_size="full", steps=12)
    >>> bool(abs(hessx.minimize(loss, np.zeros(3), method=method).jac).max() < 1e-4)
    True
    """

    size: int | None = None
    kind: str = "gaussian"
    damping: float = 1e-3
    seed: int = 0
    offers = Offer.SOLVE | Offer.MATVEC | Offer.DENSE | Offer.DIAGONAL
    learns = Learns.HESSIAN

    def __post_init__(self) -> None:
        store_integer(self, "size", 1)
        store_choice(self, "kind", *SKETCHES)
        store_real(self, "damping", 0.0)
        store_integer(self, "seed")

    def begin(self, frame: Frame) -> SketchCurvature:
        """Begin with I, until a lesson has come."""
        return SketchCurvature(frame, self)
