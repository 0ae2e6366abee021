"""Truncated conjugate gradients, one packet of scalars per product."""

from __future__ import annotations

import math

from hessx._xp import add_scaled, fetch, make_rows, scale_and_subtract
from hessx.krylov._model import KrylovOutcome, ModelStep, QuadraticModel

__all__ = ["steihaug"]

# Rows of the buffer; with a preconditioner u = M r and v = M s too.
_P, _S = 0, 1
_REFRESH = 50  # steps between true residuals


def steihaug(model: QuadraticModel) -> ModelStep:
    """Minimise a quadratic model by CG until solved, or to the boundary of the trust region."""
    solve = _Solve(model)
    for _ in range(model.limit):
        if not solve.step():
            break
    return solve.finish()


class _Solve:
    """One solve: r = g + H z, s = H p, and their products on the host."""

    def __init__(self, model: QuadraticModel) -> None:
        self.model = model
        space, self.conditioned = model.space, model.precondition is not None
        width = 3 if self.conditioned else 2
        # rows p, s, (v), z, r, (u): one operation advances z, r and u by p, s and v
        self.rows = make_rows(space, 2 * width)
        self.width, self.z, self.r = width, width, width + 1
        self.u = width + 2 if self.conditioned else self.r
        self.rows.set(self.r, model.gradient)
        if self.conditioned:
            self.rows.set(self.u, model.precondition(model.gradient))
        self.rows.set(_P, -self.rows[self.u])
        self.r_r = model.grad_square
        self.z_z = self.z_p = self.decrease = self.slope = 0.0
        self.p_p = math.nan if self.conditioned else self.r_r
        self.radius = math.inf if model.radius is None else model.radius
        self.hmax = 0.0
        self.products = 0
        self.outcome = KrylovOutcome.LIMIT

    def step(self) -> bool:
        """Take one CG step; False where the solve is over."""
        model, rows = self.model, self.rows
        product = model.product(rows[_P])
        rows.set(_S, product)
        self.products += 1
        r_r, r_u, p_s, r_s, s_s, s_u, s_v = self._measure()
        if not math.isfinite(p_s + s_s + r_u):
            return self._stop(KrylovOutcome.NONFINITE)
        if self.products == 1:
            if math.isnan(self.p_p):
                self.p_p = r_u
            if model.radius is None:
                self.radius = r_u**1.5 / p_s if p_s > 0.0 else model.default_radius
        self.hmax = max(self.hmax, abs(p_s) / self.p_p)
        edge = model.space.eps * self.hmax * self.p_p
        if not p_s > edge:
            return self._bend(p_s, r_u, negative=p_s < -edge)
        alpha = r_u / p_s
        z_z = self.z_z + alpha * (2.0 * self.z_p + alpha * self.p_p)
        if z_z >= self.radius * self.radius:
            self._advance(self._to_boundary(), p_s, r_u)
            return self._stop(KrylovOutcome.BOUNDARY)
        gain = 0.5 * alpha * r_u
        self._advance(alpha, p_s, r_u)
        next_r_r = r_r + alpha * (2.0 * r_s + alpha * s_s)
        next_r_u = next_r_r
        if self.conditioned:
            next_r_u = r_u + alpha * (2.0 * s_u + alpha * s_v)
        if next_r_r <= 10.0 * model.space.eps * r_r:
            next_r_r, next_r_u = self._residual()
        self.r_r = next_r_r
        if math.sqrt(next_r_r) <= model.tolerance:
            return self._stop(KrylovOutcome.SOLVED)
        if not gain > model.space.eps * self.decrease or not next_r_u > 0.0:
            return self._stop(KrylovOutcome.STAGNATED)
        if model.watch():
            return self._stop(KrylovOutcome.STOPPED)
        beta = next_r_u / r_u
        scale_and_subtract(rows, _P, beta, self.u)
        self.z_p = beta * (self.z_p + alpha * self.p_p)
        self.p_p = next_r_u + beta * beta * self.p_p
        return True

    def _measure(self) -> list[float]:
        rows, r = self.rows, self.r
        with_s = rows.products(0, 2 * self.width, _S)
        with_r = rows.products(r, 2 * self.width, r)
        (a, b), held = fetch(self.model.space, [with_s, with_r], rows.kept())
        rows.replace(held)
        r_r, r_u = float(b[0]), float(b[-1])
        p_s, s_s, r_s = float(a[_P]), float(a[_S]), float(a[r])
        return [r_r, r_u, p_s, r_s, s_s, float(a[self.u]), float(a[2])]

    def _residual(self) -> tuple[float, float]:
        """Where prediction has cancelled, read r'r and r'u themselves."""
        (b,), held = fetch(
            self.model.space,
            [self.rows.products(self.r, 2 * self.width, self.r)],
            self.rows.kept(),
        )
        self.rows.replace(held)
        return float(b[0]), float(b[-1])

    def _advance(self, alpha: float, p_s: float, r_u: float) -> None:
        add_scaled(self.rows, self.z, _P, self.width, alpha)
        self.z_z += alpha * (2.0 * self.z_p + alpha * self.p_p)
        self.slope -= alpha * r_u  # g'p = r'p = -r'u: the directions are conjugate
        self.decrease += alpha * (r_u - 0.5 * alpha * p_s)

    def _to_boundary(self) -> float:
        """The root tau >= 0 of norm(z + tau p) = radius, without cancellation."""
        room = max(0.0, self.radius * self.radius - self.z_z)
        root = math.sqrt(self.z_p * self.z_p + self.p_p * room)
        if self.z_p > 0.0:
            return room / (self.z_p + root)
        return (root - self.z_p) / self.p_p

    def _bend(self, p_s: float, r_u: float, *, negative: bool) -> bool:
        """Where the model has no minimum along p."""
        if math.isfinite(self.radius):
            self._advance(self._to_boundary(), p_s, r_u)
        elif negative or self.products == 1:
            length = max(math.sqrt(self.z_z), self.model.reach)
            self._advance(length / math.sqrt(self.p_p), p_s, r_u)
        return self._stop(KrylovOutcome.NEGATIVE if negative else KrylovOutcome.FLAT)

    def _stop(self, outcome: KrylovOutcome) -> bool:
        self.outcome = outcome
        return False

    def finish(self) -> ModelStep:
        """Hand out the step; H z = r - g."""
        model, rows = self.model, self.rows
        return ModelStep(
            rows[self.z],
            rows[self.r] - model.gradient,
            self.decrease,
            self.slope,
            math.sqrt(max(self.z_z, 0.0)),
            self.radius,
            self.outcome,
            self.products,
        )
