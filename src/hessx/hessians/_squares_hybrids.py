"""Hybrids of Gauss-Newton and BFGS, at work."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from hessx._xp import Array, Numbers, eigh, eigh_of_root, times, upload
from hessx.core import Frame, Offer, Pair, saved
from hessx.hessians._broyden import BroydenCurvature
from hessx.hessians._squares import SquaresCurvature
from hessx.krylov import never

__all__ = ["FletcherXuCurvature", "ZhouChenCurvature"]

SHIFT = 1e-8


@saved(fresh=("residual",))
class FletcherXuCurvature(SquaresCurvature):
    """B = J'J, or what BFGS makes of the last B.

    Attributes
    ----------
    learnt : BroydenCurvature
        B.
    tol : float
        Of the fall of f, relative to f, above which B is J'J.
    newton : bool
        B is J'J.
    """

    __slots__ = ("newton", "tol")
    learnt: BroydenCurvature

    def __init__(self, frame: Frame, learnt: BroydenCurvature, tol: float) -> None:
        super().__init__(frame, learnt)
        self.tol, self.newton = tol, True

    def structured(self, r: Array) -> Array:  # noqa: ARG002
        """The change of the gradient."""
        return self.y

    def consider(self, pair: Pair, numbers: Numbers) -> None:
        """See whether f has fallen fast; else let B learn."""
        self.r_r = numbers["r_r"]
        before = self.r_r_before
        self.newton = not before - self.r_r < self.tol * before
        self.newton = self.newton or self.learnt.update(pair) == "skipped"

    def formed(self) -> Array:
        """J'J, from which BFGS goes on, or its B."""
        if self.newton:
            self.learnt.begin(1.0)
            self.learnt.learnt(B=self.J.T @ self.J)
        return self.learnt.B

    def root(self) -> Array | None:
        """J where B is J'J."""
        self.prepare()
        return self.J if self.newton else None

    def reset(self) -> bool:
        """Make B J'J again."""
        had, self.newton = not self.newton, True
        return super().reset() and had


@saved(fresh=("residual", "vectors", "weights"))
class ZhouChenCurvature(SquaresCurvature):
    """B = J'J + S where S is positive definite, else J'J + shift D.

    Attributes
    ----------
    learnt : BroydenCurvature
        S.
    tol : float
        Of s'y# beside s'J'J s, from which S takes part.
    first : float
        norm(r) at the first point.
    secant : bool
        S takes part.
    vectors, weights : array, shapes (n, n) and (n,), optional
        V and w of B = V diag(w) V', where it solves.
    """

    __slots__ = ("first", "secant", "solves", "tol", "vectors", "weights")

    def __init__(self, frame: Frame, learnt: BroydenCurvature, tol: float) -> None:
        super().__init__(frame, learnt)
        self.tol, self.first, self.secant, self.solves = tol, math.nan, False, False
        self.vectors: Array = None
        self.weights: Array = None

    def focus(self, needs: Offer) -> None:
        """Decompose B only where something is solved for."""
        self.solves = bool(needs & (Offer.SOLVE | Offer.SHIFTED))

    def consider(self, pair: Pair, numbers: Numbers) -> None:
        """Let S learn where s'y# is of a size beside s'J'J s."""
        self.r_r = numbers["r_r"]
        self.shrunk(pair)
        self.secant = pair.s_y >= self.tol * numbers["s_K_s"] and not self.learnt.update(pair)

    def _arrive(self, r: Array) -> None:
        super()._arrive(r)
        if math.isnan(self.first):
            self.first = math.sqrt(self.r_r) if self.r_r >= 0.0 else math.nan

    def prepare(self, watch: Callable[[], bool] = never) -> bool:
        """Form B as others do, and decompose it where it solves; a fetch more."""
        if not super().prepare(watch):
            return False
        if self.solves and self.vectors is None:
            space = self.frame.space
            w, self.vectors, _ = eigh_of_root(space, self.root())
            self.weights = upload(space, w)
        return True

    def formed(self) -> Array:
        """J'J + S, or J'J + shift D."""
        R = self.root()
        return self.J.T @ self.J + self.learnt.B if self.secant else R.T @ R

    def root(self) -> Array:
        """J, and below it a root of S or of shift D."""
        space, J = self.frame.space, self.J
        xp = space.xp
        if self.secant:
            w, V, _ = eigh(space, self.learnt.B)
            below = upload(space, np.sqrt(np.maximum(w, 0.0)))[:, None] * V.T
        else:
            squares = xp.sum(J * J, axis=0)
            least = xp.max(squares) * space.eps
            D = xp.sqrt(xp.maximum(squares, least))
            below = xp.eye(space.n, dtype=space.dtype, device=space.device) * (
                D * math.sqrt(self.shift)
            )
        return xp.concat([J, below])

    @property
    def shift(self) -> float:
        """Of D, the diagonal of J'J: it goes to 0 with norm(r)."""
        share = math.sqrt(self.r_r) / self.first if self.first > 0.0 else 0.0
        return max(SHIFT * share, self.frame.space.n * self.frame.space.eps)

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
        self.secant = False
        self.vectors = self.weights = None
        return super().reset()
