"""What the host knows of a CG solve: where it stands, and whether it is over."""

from __future__ import annotations

import math
from collections.abc import Callable

from hessx._xp import Array
from hessx.core import Ball, Damped, Free, PairRing, Restraint
from hessx.krylov._model import KrylovOutcome, ModelStep, QuadraticModel
from hessx.krylov._subproblem import SLIGHT

__all__ = ["Path"]

_REFRESH = 50  # steps between true residuals
_MINIMISED = frozenset({KrylovOutcome.SOLVED, KrylovOutcome.STAGNATED})
_DEEP = 0.01  # of the tolerance, where the residual alone is enough


class Path:
    """Lengths, decrease and outcome along the path of CG, by recurrence on host numbers.

    z_z, z_p, p_p are z'M^-1 z, z'M^-1 p and p'M^-1 p.  With r the residual and conjugate
    directions, r is M-orthogonal to the directions before, and g'p = r'p = -r'u.  Under `Damped`
    H + sigma M^-1 takes the place of H, in p_s too.

    Parameters
    ----------
    model : QuadraticModel
        What is solved.
    squares : callable, optional
        Gives z'z and p'p, where z_z and p_p are other numbers; asked where a length in the 2-norm
        is to be gone along p.
    """

    __slots__ = (
        "alpha", "curvature", "decrease", "gain", "hmax", "lost", "met", "model", "outcome", "p_p",
        "products", "r_u", "radius", "reach", "restraint", "sigma", "slope", "squares", "steps",
        "z_p", "z_z",
    )  # fmt: skip

    def __init__(
        self, model: QuadraticModel, squares: Callable[[], tuple[float, float]] | None
    ) -> None:
        self.model, self.squares = model, squares
        self.z_z = self.z_p = self.decrease = self.slope = self.hmax = self.alpha = 0.0
        self.p_p = self.r_u = self.curvature = math.nan
        self.restraint: Restraint | None = None  # in force, once it is known
        self.radius, self.sigma, self.reach = math.inf, 0.0, 0.0
        self.gain = 0.0  # of the last step
        self.met = False  # the residual test was, once
        self.lost = 0  # of the last steps, those smaller than rounding in z
        self.products = self.steps = 0
        self.outcome: KrylovOutcome | None = None

    @property
    def bent(self) -> bool:
        """Whether a direction without positive curvature was met."""
        return self.outcome in (KrylovOutcome.NEGATIVE, KrylovOutcome.FLAT)

    def bends_up(self, p_s: float) -> bool:
        """Whether p'Hp > 0 along the direction that was just taken, the damping aside."""
        return p_s > (self.sigma * self.p_p if self.sigma > 0.0 else 0.0)

    def renews(self, ahead: int = 0) -> bool:
        """Whether so much accuracy is asked for that r is to be formed anew after this step.

        Or so many steps ahead.
        """
        steps, norm = self.steps + ahead, math.sqrt(self.model.grad_square)
        floor = 100.0 * self.model.space.eps * math.sqrt(steps) * norm
        return steps % _REFRESH == 0 and self.model.tolerance < floor

    def settle(self, r_u: float, p_s: float, before: float = 0.0) -> None:
        """Take the restraint in force from r'u, p'Hp of the first p = -M r, and g'Ng."""
        given, stretch = self.model.restraint, 1.0
        if not (given.known or p_s > 0.0) and self.squares is not None:
            square = self.squares()[1]
            stretch = math.sqrt(r_u / square) if square > 0.0 else 1.0
        self.restraint = given.in_force(r_u, p_s, before, stretch)
        match self.restraint:
            case Ball(radius=float(radius), length=length):
                self.radius, self.reach = radius, length
            case Damped(sigma=float(sigma), length=length):
                self.sigma, self.reach = sigma, length
            case Free(reach=reach):
                self.reach = reach

    def advance(self, r_u: float, p_s: float, before: float = 0.0) -> float:
        """Take a product's scalars in and give the step along p; sets ``outcome`` at an end."""
        model = self.model
        self.products += 1
        if not (math.isfinite(p_s) and 0.0 < r_u < math.inf):
            self.outcome = KrylovOutcome.NONFINITE
            return 0.0
        if self.steps == 0:
            self.p_p = r_u
            if self.restraint is None:
                self.settle(r_u, p_s, before)
        self.steps += 1
        self.r_u = r_u
        self.hmax = max(self.hmax, abs(p_s) / self.p_p)
        eps, largest = model.space.eps, self.hmax * self.p_p
        if not p_s > (0.0 if self.radius < math.inf else eps**1.5 * largest):
            return self._bend(p_s, negative=p_s < -eps * largest)
        alpha = r_u / p_s
        if self._cauchy:
            self.outcome = KrylovOutcome.BOUNDARY
            return self._go(alpha, p_s)
        if self.z_z + alpha * (2.0 * self.z_p + alpha * self.p_p) >= self.radius * self.radius:
            self.outcome = KrylovOutcome.BOUNDARY
            return self._go(self._to_boundary(), p_s)
        return self._go(alpha, p_s)

    def go_on(self, r_r: float, r_u: float) -> float | None:
        """Judge the residual and give beta for the next direction; None at an end."""
        if self._solved(math.sqrt(max(r_r, 0.0))):
            self.outcome = KrylovOutcome.SOLVED
        # steps lost in z may correct stiff components: as many as half of all are waited for
        lost = self.alpha * (self.alpha * self.p_p) <= self.model.space.eps**2 * self.z_z
        self.lost = self.lost + 1 if lost else 0
        still = self.lost > max(10, self.steps // 2) or not 0.0 < r_u < math.inf
        if self.outcome is None and still:
            self.outcome = KrylovOutcome.STAGNATED
        if self.outcome is not None:
            return None
        beta = r_u / self.r_u
        self.z_p = beta * (self.z_p + self.alpha * self.p_p)
        self.p_p = r_u + beta * beta * self.p_p
        return beta

    @property
    def _cauchy(self) -> bool:
        """Whether this is the Cauchy step, whose length is the radius."""
        given = self.model.restraint
        return self.steps == 1 and isinstance(given, Ball) and not given.known

    def result(self, z: Array, Hz: Array, bend: Array | None, pairs: PairRing | None) -> ModelStep:
        """Hand out the step with its numbers."""
        del self.squares  # a cycle would keep the vectors until it is collected
        decrease, outcome = self.decrease, self.outcome or KrylovOutcome.LIMIT
        if self.sigma > 0.0:  # of q, without the damping
            held = self.sigma * self.z_z
            decrease += 0.5 * held
            if outcome in _MINIMISED and held > -SLIGHT * self.slope:
                outcome = KrylovOutcome.RESTRAINED
        return ModelStep(
            z,
            Hz,
            decrease,
            self.slope,
            math.sqrt(max(self.z_z, 0.0)),
            self.restraint or self.model.restraint,
            outcome,
            self.products,
            bend,
            self.curvature,
            pairs,
        )

    def _go(self, alpha: float, p_s: float) -> float:
        self.alpha = alpha
        self.z_z += alpha * (2.0 * self.z_p + alpha * self.p_p)
        self.slope -= alpha * self.r_u
        self.gain = alpha * (self.r_u - 0.5 * alpha * p_s)
        self.decrease += self.gain
        return alpha

    def _solved(self, residual: float) -> bool:
        """Whether the residual is small, and the model settled where that is asked for."""
        tolerance = self.model.tolerance
        if not residual <= tolerance:  # nor is nan
            return False
        self.met = True
        if not self.model.settled or residual <= _DEEP * tolerance:
            return True
        return self.steps * self.gain <= 0.5 * self.decrease

    def _to_boundary(self) -> float:
        """The root tau >= 0 of norm(z + tau p) = radius, without cancellation."""
        room = max(0.0, self.radius * self.radius - self.z_z)
        root = math.sqrt(self.z_p * self.z_p + self.p_p * room)
        return room / (self.z_p + root) if self.z_p > 0.0 else (root - self.z_p) / self.p_p

    def _bend(self, p_s: float, *, negative: bool) -> float:
        """How far to go where the model has no minimum along p, or none to speak of."""
        self.curvature = p_s / self.p_p - self.sigma
        self.outcome = KrylovOutcome.NEGATIVE if negative else KrylovOutcome.FLAT
        if math.isfinite(self.radius):
            return self._go(self._to_boundary(), p_s)
        if self.met:
            self.outcome = KrylovOutcome.SOLVED
        elif negative or self.steps == 1:
            z_z, p_p = (self.z_z, self.p_p) if self.squares is None else self.squares()
            length = max(math.sqrt(z_z), self.reach)
            return self._go(length / math.sqrt(p_p), p_s)
        return self._go(0.0, p_s)
