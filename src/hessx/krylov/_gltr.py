"""The generalised Lanczos trust-region method."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from hessx._xp import Array, Rows, add_scaled, make_rows, quiet
from hessx.core import saved, store_integer, store_real
from hessx.krylov._lanczos import LEAST_ROWS, Lanczos, LanczosRows
from hessx.krylov._model import KrylovOutcome, ModelStep, QuadraticModel
from hessx.krylov._tridiagonal import Minimizer, Pivots

__all__ = ["GLTR", "KrylovBasis"]

_P, _C = 0, 1  # rows of the iterate and its direction, once the basis is full
_CUT_SHORT = frozenset({KrylovOutcome.STOPPED, KrylovOutcome.NONFINITE})


@saved
@dataclass(frozen=True, slots=True, kw_only=True)
class GLTR:
    r"""Minimise a quadratic model in a trust region over growing Krylov spaces.

        (H + lambda M^-1) p = -g,    norm(p) <= radius,    lambda >= 0,    lambda = 0 inside

    holds in the space of M g, M H M g, ... until its residual is small in the whole space too.
    While p is inside the region it is the iterate of CG.  Where CG would end at the boundary, p
    goes on along it, and for a smaller radius the same space gives the new p.

    Parameters
    ----------
    max_basis : int >= 4
        Vectors held; all but three are the space.  With a full basis, a p inside the region goes
        on as in `TruncatedCG`, and a p on the boundary is returned.
    boundary : float >= 0
        On the boundary stop at norm_2(residual) <= max(model.tolerance, boundary * norm_2(g)):
        with 1 about where CG ends, which is the cheapest for minimisation; with 0 as exactly as
        inside.

    Raises
    ------
    SettingsError
        If a setting is out of range.

    Notes
    -----
    Cost: one product, one fetch and nine launches per step; ``max_basis`` vectors and 4 more.  A
    step is one combination of the basis, and so is a step for another radius; with a
    preconditioner M both apply it once more.  On the boundary each step solves a dense k by k
    eigenproblem on the host.  The vectors are not orthogonalised again: norm(p) is the radius up
    to the orthogonality that is lost, which float32 bears as well as CG.

    References
    ----------
    Gould, Lucidi, Roma & Toint (1999), Solving the trust-region subproblem using the Lanczos
    method, Algorithm 5.1.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.krylov import GLTR, QuadraticModel
    >>> H, g = np.diag([1.0, -2.0]), np.array([1.0, 1.0])
    >>> model = QuadraticModel(space_of(g), lambda v: H @ v, g, 2.0, 1e-10, 10, radius=5.0)
    >>> p = GLTR(boundary=0)(model)
    >>> p.outcome.value, round(p.norm, 9), p.products
    ('negative curvature', 5.0, 2)
    >>> p.step.round(4), p.again(0.5).step.round(4)
    (array([-0.3125, -4.9902]), array([-0.1935, -0.4611]))
    """

    max_basis: int = 50
    boundary: float = 1.0

    def __post_init__(self) -> None:
        store_integer(self, "max_basis", LEAST_ROWS)
        store_real(self, "boundary", 0.0, ends="[)")

    def __call__(self, model: QuadraticModel) -> ModelStep:
        """Solve for a step."""
        solve = _Solve(model, self)
        while solve.products < model.limit and solve.step():
            pass
        return solve.finish()


@saved
@dataclass(slots=True)
class KrylovBasis:
    """A Krylov space of a model, in which it is solved for any radius without products.

    Attributes
    ----------
    lanczos : Lanczos
        The space.
    gradient : array, shape (n,)
        g.
    """

    lanczos: Lanczos
    gradient: Array

    def precondition_by(self, M: Callable[[Array], Array] | None) -> None:
        """Take r -> M r again, which is not saved with the space."""
        self.lanczos.precondition = M

    def step_within(self, radius: float) -> ModelStep:
        """Minimise the model over the space and the region."""
        inner = self.lanczos.matrix.within(radius)
        return self.step(inner, radius, self.outcome(inner), 0)

    def outcome(self, inner: Minimizer) -> KrylovOutcome:
        """What holds the minimiser back, if anything does."""
        if inner.least < -self.lanczos.vectors.space.eps:
            return KrylovOutcome.NEGATIVE
        return KrylovOutcome.BOUNDARY if inner.multiplier > 0.0 else KrylovOutcome.SOLVED

    def step(
        self, inner: Minimizer, radius: float, outcome: KrylovOutcome, products: int
    ) -> ModelStep:
        """Give p = Q h; H p = h_k t_(k+1) - multiplier W h - g."""
        lanczos = self.lanczos
        combined = lanczos.lift(inner.h)
        product = lanczos.vectors.newest * inner.last - self.gradient
        if inner.multiplier > 0.0:
            with quiet():  # in a tiny region it is huge
                product = product - combined * inner.multiplier
        return ModelStep(
            lanczos.conditioned(combined),
            product,
            inner.decrease,
            inner.slope,
            math.sqrt(inner.norm_square),
            radius,
            outcome,
            products,
            basis=self,
        )


class _Solve:
    """One solve: CG by the pivots of T while the minimiser is inside, then the bounded problem."""

    def __init__(self, model: QuadraticModel, rule: GLTR) -> None:
        self.model = model
        vectors = LanczosRows(model.space, rule.max_basis)
        vectors.append(model.gradient)
        self.lanczos = Lanczos(vectors, model.precondition)
        self.basis = KrylovBasis(self.lanczos, model.gradient)
        self.pivots = Pivots()
        self.bounded: Minimizer | None = None  # once it is not inside
        self.walk: Rows | None = None  # p and c_k, once the basis is full
        self.radius, self.tolerance = math.inf, model.tolerance
        self.on_boundary = max(model.tolerance, rule.boundary * math.sqrt(model.grad_square))
        self.products = 0
        self.decrease = 0.0
        self.outcome = KrylovOutcome.LIMIT

    def step(self) -> bool:
        """Enlarge the space by one vector; False where the solve is over."""
        model, lanczos = self.model, self.lanczos
        first, before = self.products == 0, model.grad_square_before
        u = lanczos.conditioned(lanczos.vectors.newest)
        self.products += 1
        if not lanczos.extend(model.product, u, before if first else None):
            return self._stop(KrylovOutcome.NONFINITE)
        if first:
            self.radius = model.radius_at(*lanczos.first)
        if self.bounded is not None or not self._descend(u):
            if self.walk is not None:
                return False
            self.bounded = lanczos.matrix.within(self.radius)
            self.tolerance = self.on_boundary if self.bounded.multiplier > 0.0 else model.tolerance
        last, stalled = self._progress()
        if abs(last) * lanczos.next_norm <= self.tolerance:
            return self._stop(KrylovOutcome.SOLVED)
        if stalled or lanczos.next_norm == 0.0:
            return self._stop(KrylovOutcome.STAGNATED)
        if model.watch():
            return self._stop(KrylovOutcome.STOPPED)
        if lanczos.vectors.full and self.walk is None:
            if self.bounded is not None:
                return False
            self._leave_the_basis()
        return True

    def _descend(self, u: Array) -> bool:
        """Go to the minimiser over the larger space; False where that is not inside the region.

        Past the basis the boundary is as far as it goes.
        """
        pivots, matrix, space = self.pivots, self.lanczos.matrix, self.model.space
        gamma = matrix.norms[-1]
        safe = pivots.turn(matrix.diagonal[-1], gamma, space.eps)
        a = pivots.z / pivots.pivot if safe else math.inf
        inside = safe and pivots.norm_square_at(a) < self.radius * self.radius
        if not inside:
            self._settle_radius()
        if self.walk is not None:
            if not inside:
                a = pivots.length_to(self.radius)
                self.outcome = KrylovOutcome.BOUNDARY if safe else KrylovOutcome.NEGATIVE
            self.walk.set(_C, self.walk[_C] * -pivots.factors[-1] + u * (1.0 / gamma))
            add_scaled(self.walk, _P, _C, a)
        if inside or self.walk is not None:
            pivots.go(a)
        return inside

    def _progress(self) -> tuple[float, bool]:
        """h_k, and whether the last step changed nothing to rounding."""
        eps, pivots, bounded = self.model.space.eps, self.pivots, self.bounded
        if bounded is None:
            a = pivots.lengths[-1]
            return a, a * a * pivots.c_c <= eps * eps * pivots.h_h
        before, self.decrease = max(self.decrease, pivots.decrease), bounded.decrease
        return bounded.last, not bounded.decrease - before > eps * bounded.decrease

    def _settle_radius(self) -> None:
        """Without a region, a model that bends down is followed for the model's reach."""
        if math.isinf(self.radius):
            self.radius = max(math.sqrt(self.pivots.h_h), self.model.reach)

    def _leave_the_basis(self) -> None:
        """Go on as CG: the iterate and its direction in place of the basis."""
        lanczos, pivots = self.lanczos, self.pivots
        walk = self.walk = make_rows(self.model.space, 2)
        walk.set(_P, lanczos.conditioned(lanczos.lift(pivots.minimizer().h)))
        walk.set(_C, lanczos.conditioned(lanczos.lift(pivots.direction())))
        lanczos.vectors.drop_old()

    def _stop(self, outcome: KrylovOutcome) -> bool:
        self.outcome = outcome
        return False

    def finish(self) -> ModelStep:
        """Hand out the step."""
        space, outcome, bounded = self.model.space, self.outcome, self.bounded
        if not self.lanczos.matrix.diagonal:
            zero = space.zeros(space.n)
            return ModelStep(zero, zero, 0.0, 0.0, 0.0, self.radius, outcome, self.products)
        if self.walk is not None:
            return self._finish_walk(self.walk)
        if bounded is not None and bounded.multiplier > 0.0 and outcome not in _CUT_SHORT:
            outcome = self.basis.outcome(bounded)
        inner = bounded or self.pivots.minimizer()
        return self.basis.step(inner, self.radius, outcome, self.products)

    def _finish_walk(self, walk: Rows) -> ModelStep:
        """With h = h_(k-1) + a c_k: H p = a t_(k+1) + (a d_k - z_k) w_k - g."""
        pivots, lanczos = self.pivots, self.lanczos
        rows, i, a = lanczos.vectors.rows, lanczos.vectors.last, pivots.lengths[-1]
        product = rows[i] * a - self.model.gradient
        if self.outcome in (KrylovOutcome.BOUNDARY, KrylovOutcome.NEGATIVE):
            left = (a * pivots.pivot - pivots.z) / lanczos.matrix.norms[-1]
            product = product + rows[i - 1] * left
        return ModelStep(
            walk[_P],
            product,
            pivots.decrease,
            pivots.slope,
            math.sqrt(pivots.h_h),
            self.radius,
            self.outcome,
            self.products,
        )
