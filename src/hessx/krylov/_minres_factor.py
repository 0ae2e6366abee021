"""The host's half of MINRES: the QR factors of the Lanczos matrix, norms and tests, in float64."""

from __future__ import annotations

import math

from hessx.krylov._linear import LinearOutcome, root

__all__ = ["TridiagonalFactor"]


class TridiagonalFactor:
    """Q T_k = R, T_k the (k + 1, k) Lanczos matrix, a column at a time by plane rotations.

    With R's column k (epsilon, delta, gamma) the directions are taken unscaled, d_k = gamma_k w_k:

        d_k = v_k - (delta / gamma_{k-1}) d_{k-1} - (epsilon / gamma_{k-2}) d_{k-2}
        x_k = x_{k-1} + (phi / gamma_k) d_k

    so that the inner products of d and x - x0 follow from orthonormal v_k.

    Parameters
    ----------
    r_norm, rhs_norm : float
        Norms of b - A x0 and of b.
    rtol, eps, least : float
        Tolerance; precision and least normal number of the vectors' dtype.
    """

    def __init__(
        self, r_norm: float, rhs_norm: float, rtol: float, eps: float, least: float
    ) -> None:
        self.residual_norm, self.rhs_norm = r_norm, rhs_norm  # phi-bar
        self.rtol, self.eps, self.least = rtol, eps, least
        self.normal_residual_norm: float | None = None
        self.steps = 0
        self.operator_norm = 0.0
        self.least_squares = 1.0  # norm(A r) / (norm(A) norm(r)), of x before the new column
        self.cos, self.sin = -1.0, 0.0
        self.beta = self.dbar = self.epsilon_next = 0.0
        self.gammas = (1.0, 1.0)  # of the last column and the one before
        self.gamma_max, self.gamma_min = 0.0, math.inf
        # d'd, d'd_old, d_old'd_old, d'(x - x0), d_old'(x - x0) and norm(x - x0)^2
        self.products = (0.0,) * 6

    @property
    def condition(self) -> float:
        """Ratio of the extreme diagonal entries of R."""
        return self.gamma_max / self.gamma_min if self.steps else 1.0

    @property
    def bound(self) -> float:
        """What the residual is measured by: norm(A) norm(x - x0) + norm(b)."""
        return self.operator_norm * math.sqrt(max(self.products[-1], 0.0)) + self.rhs_norm

    def start(self, *squares: float) -> LinearOutcome | None:
        """Test the first iterate, given r'M r and b'M b."""
        if min(squares) < 0.0:
            return LinearOutcome.INDEFINITE_PRECONDITIONER
        if not math.isfinite(self.residual_norm + self.rhs_norm):
            return LinearOutcome.NONFINITE
        return self.test()

    def add_column(self, alpha: float, square: float) -> LinearOutcome | None:
        """Take alpha_k and beta_{k+1}^2; say so if x must not take the step."""
        if not math.isfinite(alpha + square):
            return LinearOutcome.NONFINITE
        size = math.hypot(self.beta, alpha)
        noise = self.eps * max(size, self.operator_norm)
        if square < -noise * noise:
            return LinearOutcome.INDEFINITE_PRECONDITIONER
        beta = root(max(square, 0.0), self.least)
        self.operator_norm = max(self.operator_norm, math.hypot(size, beta))
        self.epsilon, self.epsilon_next = self.epsilon_next, self.sin * beta
        self.delta = self.cos * self.dbar + self.sin * alpha
        self.gbar = self.sin * self.dbar - self.cos * alpha
        self.dbar = -self.cos * beta
        self.beta = beta
        # norm(A r_{k-1}) / norm(r_{k-1})
        normal = math.hypot(self.gbar, self.dbar)
        self.least_squares = normal / self.operator_norm if self.operator_norm > 0.0 else 0.0
        # Rounding in x moves A r by eps norm(A)^2 norm(x - x0): below that nothing is gained, the
        # error that Sleijpen, van der Vorst & Modersitzki (2000) find in MINRES.
        noise = self.eps * self.bound
        if (
            self.least_squares > self.rtol
            and normal * self.residual_norm > noise * self.operator_norm
        ):
            return None
        self.normal_residual_norm = normal * self.residual_norm
        met = self.least_squares <= self.rtol
        return LinearOutcome.LEAST_SQUARES if met else LinearOutcome.STAGNATED

    def take_step(self) -> tuple[float, float, float]:
        """Rotate the new column; give delta / gamma_{k-1}, epsilon / gamma_{k-2}, phi / gamma_k."""
        gamma = math.hypot(self.gbar, self.beta)
        self.cos, self.sin = self.gbar / gamma, self.beta / gamma
        last, before = self.delta / self.gammas[0], self.epsilon / self.gammas[1]
        length = self.cos * self.residual_norm / gamma
        self.residual_norm *= self.sin
        self.gammas = (gamma, self.gammas[0])
        self.gamma_max, self.gamma_min = max(self.gamma_max, gamma), min(self.gamma_min, gamma)
        self.steps += 1

        dd, de, ee, dx, ex, xx = self.products
        new_d = -last * dd - before * de
        new_new = 1.0 + last * last * dd + 2.0 * last * before * de + before * before * ee
        new_x = -last * dx - before * ex
        self.products = (
            new_new,
            new_d,
            dd,
            new_x + length * new_new,
            dx + length * new_d,
            xx + 2.0 * length * new_x + length * length * new_new,
        )
        return last, before, length

    def test(self) -> LinearOutcome | None:
        """Test the residual of the x reached."""
        small = self.residual_norm <= math.sqrt(self.rtol) * self.rhs_norm
        if small and self.residual_norm <= self.rtol * self.bound:
            return LinearOutcome.SOLVED
        if self.residual_norm <= self.eps * self.bound:
            return LinearOutcome.STAGNATED
        if self.steps and self.condition * self.eps >= 0.1:
            return LinearOutcome.ILL_CONDITIONED
        return None

    def message(self, outcome: LinearOutcome) -> str:
        """Say the outcome with the numbers that decided it."""
        text = f"{outcome.value} after {self.steps} steps: "
        if self.normal_residual_norm is not None:
            ratio = f"norm(A r) / (norm(A) norm(r)) = {self.least_squares:.3g}"
            return f"{text}{ratio}, rtol = {self.rtol:.3g}, norm(r) = {self.residual_norm:.6g}"
        relation = "<=" if outcome is LinearOutcome.SOLVED else "beside"
        target = f"{self.rtol * self.bound:.3g} = rtol (norm(A) norm(x - x0) + norm(b))"
        return (
            f"{text}norm(r) = {self.residual_norm:.6g} {relation} {target}, "
            f"cond(A) seen: {self.condition:.3g}"
        )
