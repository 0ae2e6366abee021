"""The generalised Lanczos trust-region method."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from hessx._xp import Array, Rows, add_scaled, make_rows
from hessx.core import Ball, Cubic, Free, saved, store_integer, store_real
from hessx.krylov._basis import KrylovBasis
from hessx.krylov._lanczos import LEAST_ROWS, Lanczos, LanczosRows
from hessx.krylov._model import KrylovOutcome, ModelStep, QuadraticModel
from hessx.krylov._subproblem import Subproblem
from hessx.krylov._tridiagonal import Minimizer, Pivots

__all__ = ["GLTR"]

_P, _C = 0, 1  # rows of the iterate and its direction, once the basis is full
_CUT_SHORT = frozenset({KrylovOutcome.STOPPED, KrylovOutcome.NONFINITE})


@saved
@dataclass(frozen=True, slots=True, kw_only=True)
class GLTR(Subproblem):
    r"""Minimise a quadratic model in a trust region over growing Krylov spaces.

        (H + lambda M^-1) p = -g,    norm(p) <= radius,    lambda >= 0,    lambda = 0 inside

    or, under `Cubic`, with lambda = sigma norm(p), holds in the space of M g, M H M g, ... until
    its residual is small in the whole space too.  While p is inside the region it is the iterate of
    CG.  Where CG would end at the boundary, p goes on along it, and for a smaller radius, or a
    larger sigma, the same space gives the new p.

    Parameters
    ----------
    max_basis : int >= 4
        Vectors held; all but three are the space.  With a full basis, a p inside the region goes
        on as in `TruncatedCG`, and a p on the boundary, or under `Cubic`, is returned.
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
    >>> import numpy as np, hessx
    >>> from hessx._xp import space_of
    >>> from hessx.krylov import GLTR, QuadraticModel
    >>> H, g = np.diag([1.0, -2.0]), np.array([1.0, 1.0])
    >>> model = QuadraticModel(space_of(g), lambda v: H @ v, g, 2.0, 1e-10, 10, hessx.Ball(5.0))
    >>> p = GLTR(boundary=0)(model)
    >>> p.outcome.value, round(p.norm, 9), p.products
    ('negative curvature', 5.0, 2)
    >>> p.step.round(4), p.again(hessx.Ball(0.5)).step.round(4)
    (array([-0.3125, -4.9902]), array([-0.1935, -0.4611]))
    """

    takes: ClassVar = (Ball, Cubic, Free)
    max_basis: int = 50
    boundary: float = 1.0

    def __post_init__(self) -> None:
        store_integer(self, "max_basis", LEAST_ROWS)
        store_real(self, "boundary", 0.0, ends="[)")

    def __call__(self, model: QuadraticModel) -> ModelStep:
        """Solve for a step."""
        self.check(model.restraint)
        solve = _Solve(model, self)
        while solve.products < model.limit and solve.step():
            pass
        return solve.finish()


class _Solve:
    """One solve: CG by the pivots of T while the minimiser is inside, then the bounded problem."""

    def __init__(self, model: QuadraticModel, rule: GLTR) -> None:
        self.model = model
        vectors = LanczosRows(model.space, rule.max_basis)
        vectors.append(model.gradient)
        self.lanczos = Lanczos(vectors, model.precondition)
        self.basis = KrylovBasis(self.lanczos, model.gradient)
        self.pivots = Pivots()
        self.restraint = model.restraint
        self.cubic = isinstance(model.restraint, Cubic)
        self.bounded: Minimizer | None = None  # once it is not inside
        self.walk: Rows | None = None  # p and c_k, once the basis is full
        self.radius, self.reach, self.tolerance = math.inf, 0.0, model.tolerance
        self.on_boundary = max(model.tolerance, rule.boundary * math.sqrt(model.grad_square))
        self.products = 0
        self.decrease = 0.0
        self.outcome = KrylovOutcome.LIMIT

    def step(self) -> bool:
        """Enlarge the space by one vector; False where the solve is over."""
        model, lanczos = self.model, self.lanczos
        u = lanczos.conditioned(lanczos.vectors.newest)
        self.products += 1
        if not lanczos.extend(model.product, u, self._extra(u) if self.products == 1 else None):
            return self._stop(KrylovOutcome.NONFINITE)
        if self.products == 1:
            self._settle()
        if self.bounded is not None or self.cubic or not self._descend(u):
            if self.walk is not None:
                return False
            self._bound()
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

    def _extra(self, u: Array) -> Array | None:
        """What tells, beside the first product, in which norm the restraint is meant."""
        if self.restraint.known:
            return self.model.grad_square_before
        return None if self.model.precondition is None else u @ u

    def _settle(self) -> None:
        """Take the restraint in force."""
        given, (g_M_g, u_H_u, extra) = self.restraint, self.lanczos.first
        if given.known:
            self.restraint = given.in_force(g_M_g, u_H_u, extra)
        else:
            stretch = math.sqrt(g_M_g / extra) if extra > 0.0 else 1.0
            self.restraint = given.in_force(g_M_g, u_H_u, stretch=stretch)
        match self.restraint:
            case Ball(radius=float(radius), length=length):
                self.radius, self.reach = radius, length
            case Free(reach=reach):
                self.reach = reach

    def _bound(self) -> None:
        """Solve the problem that does not end inside; along a boundary it is not worth as much."""
        matrix, restraint = self.lanczos.matrix, self.restraint
        if isinstance(restraint, Cubic):
            self.bounded = matrix.cubic(restraint.sigma)  # type: ignore[arg-type]
            return
        self.bounded = matrix.within(self.radius)
        held = self.bounded.multiplier > 0.0
        self.tolerance = self.on_boundary if held else self.model.tolerance

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
        decrease = bounded.decrease
        if self.cubic:  # of what is minimised
            decrease -= bounded.multiplier * bounded.norm_square / 3.0
        before, self.decrease = max(self.decrease, pivots.decrease), decrease
        return bounded.last, not decrease - before > eps * decrease

    def _settle_radius(self) -> None:
        """Without a region, a model that bends down is followed as far as the reach."""
        if math.isinf(self.radius):
            self.radius = max(math.sqrt(self.pivots.h_h), self.reach)

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
            return ModelStep(zero, zero, 0.0, 0.0, 0.0, self.restraint, outcome, self.products)
        if self.walk is not None:
            return self._finish_walk(self.walk)
        if bounded is not None and bounded.multiplier > 0.0 and outcome not in _CUT_SHORT:
            outcome = self.basis.outcome(bounded, self.restraint, outcome)
        inner = bounded or self.pivots.minimizer()
        return self.basis.step(inner, self.restraint, outcome, self.products)

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
            self.restraint,
            self.outcome,
            self.products,
        )
