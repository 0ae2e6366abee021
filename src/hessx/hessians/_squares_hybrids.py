"""Hybrids of Gauss-Newton and BFGS, at work."""

from __future__ import annotations

from collections.abc import Callable

from hessx._xp import Array, Numbers, eigh, eigh_of_root, quiet, times, upload
from hessx.core import Frame, Offer, Pair, saved
from hessx.hessians._broyden import BroydenCurvature
from hessx.hessians._squares import SquaresCurvature
from hessx.hessians._structured import stretched
from hessx.krylov import never

__all__ = ["FletcherXuCurvature", "ZhouChenCurvature"]


@saved(fresh=("residual",))
class FletcherXuCurvature(SquaresCurvature):
    """B = J'J, or what BFGS makes of the last B.

    Attributes
    ----------
    learnt : BroydenCurvature
        B, in the place of S.
    """

    __slots__ = ()
    learnt: BroydenCurvature

    def structured(self) -> Array:
        """Give the change of the gradient, of all of B."""
        return self.y

    def taught(self, pair: Pair, numbers: Numbers) -> bool:  # noqa: ARG002
        """Let B learn."""
        return self.learnt.update(pair) == ""

    def formed(self, K: Array) -> Array:
        """J'J, from which BFGS goes on, or its B."""
        if self.plain:
            self.learnt.begin(1.0)
            self.learnt.learnt(B=K)
        return self.learnt.B

    def reset(self) -> bool:
        """Make B J'J again."""
        had = self.pending or not self.plain
        super().reset()
        return had


@saved(fresh=("residual", "vectors", "weights"))
class ZhouChenCurvature(SquaresCurvature):
    """B = J'J + S with S positive definite, or J'J + n eps D.

    Attributes
    ----------
    learnt : BroydenCurvature
        S.
    tol : float
        Of s'y# beside s'J'J s, from which S takes part.
    solves : bool
        B^-1 v will be asked for.
    vectors, weights : array, shapes (n, n) and (n,), optional
        V and w of B = V diag(w) V', where it solves.
    """

    __slots__ = ("solves", "tol", "vectors", "weights")
    learnt: BroydenCurvature

    def __init__(self, frame: Frame, learnt: BroydenCurvature, fall: float, tol: float) -> None:
        super().__init__(frame, learnt, fall)
        self.tol, self.solves = tol, True
        self.vectors: Array = None
        self.weights: Array = None

    def focus(self, needs: Offer) -> None:
        """Decompose B only where something is solved for."""
        self.solves = needs & (Offer.SOLVE | Offer.SHIFTED) != Offer(0)

    def prepare(self, watch: Callable[[], bool] = never) -> bool:
        """Form B, and decompose it where it solves, a fetch more; two where there is an S."""
        if not super().prepare(watch):
            return False
        if self.solves and self.vectors is None:
            w, self.vectors, _ = eigh_of_root(self.frame.space, *self._root())
            self.weights = upload(self.frame.space, w.copy())
        return True

    def taught(self, pair: Pair, numbers: Numbers) -> bool:
        """Let S learn where s'y# is of a size beside s'J'J s."""
        pair = stretched(pair, self.ratio)
        return pair.s_y >= self.tol * numbers["s_K_s"] and self.learnt.update(pair) == ""

    def formed(self, K: Array) -> Array:
        """J'J + S, or J'J + n eps D."""
        if not self.plain:
            return K + self.learnt.B
        eye = self.frame.space.xp.eye(K.shape[0], dtype=K.dtype, device=self.frame.space.device)
        return K + eye * self._shift()

    def root(self) -> tuple[Array, Array]:
        """J and r, over a root of S and zeros where it takes part, for one fetch.

        What else is added to J'J is rounding, of which a step is to have no part.
        """
        self.prepare()
        return (self.J, self.r) if self.plain else self._root()

    def _root(self) -> tuple[Array, Array]:
        """J over a root of all that is added to J'J, and r over zeros."""
        space = self.frame.space
        xp = space.xp
        if self.plain:
            eye = xp.eye(space.n, dtype=space.dtype, device=space.device)
            below = eye * xp.sqrt(self._shift())
        else:
            w, V, _ = eigh(space, self.learnt.B)
            below = (V * upload(space, w.clip(0.0) ** 0.5)).T
        return xp.concat([self.J, below]), xp.concat([self.r, space.zeros(space.n)])

    def _shift(self) -> Array:
        """Give n eps D, D the diagonal of J'J, whose entries are at least eps of the largest."""
        space, J = self.frame.space, self.J
        with quiet():
            squares = space.xp.sum(J * J, axis=0)
            return space.xp.maximum(squares, space.xp.max(squares) * space.eps) * (
                space.n * space.eps
            )

    def solve(self, v: Array) -> Array:
        """B^-1 v, two products with V."""
        return self.solve_shifted(v, 0.0)

    def solve_shifted(self, v: Array, sigma: float) -> Array:
        """(B + sigma I)^-1 v, two products with V."""
        self.prepare()
        return times(self.vectors, (v @ self.vectors) / (self.weights + sigma))

    def leave(self) -> None:
        """Let go of the point, so that the next is asked for."""
        super().leave()
        self.vectors = self.weights = None

    def reset(self) -> bool:
        """Leave S out, and forget it."""
        self.vectors = self.weights = None
        return super().reset()
