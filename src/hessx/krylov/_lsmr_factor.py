"""The host's half of LSMR: two QR factorisations, norms and tests, in float64."""

from __future__ import annotations

import math

from hessx.krylov._linear import LinearOutcome, root

__all__ = ["BidiagonalFactor"]


class BidiagonalFactor:
    """Rotations of the lower bidiagonal B_k, a column at a time: Fong & Saunders (2011), 2.8.

    Parameters
    ----------
    norms : tuple of float
        Norm of b; beta_1 and alpha_1 of the bidiagonalisation.
    damp : float
        Of `lsmr`.
    tolerances : tuple of float
        atol, btol and conlim of `lsmr`.
    eps, least : float
        Precision and least normal number of the vectors' dtype.
    """

    def __init__(
        self,
        norms: tuple[float, float, float],
        damp: float,
        tolerances: tuple[float, float, float],
        eps: float,
        least: float,
    ) -> None:
        self.rhs_norm, beta, alpha = norms
        self.damp, self.eps, self.least = damp, eps, least
        self.atol, self.btol, conlim = tolerances
        self.conlim = min(conlim, 1.0 / eps) if conlim > 0.0 else 1.0 / eps
        self.steps = 0
        self.beta = beta
        self.alpha = self.alphabar = alpha
        self.zetabar = alpha * beta
        self.rho = self.rhobar = self.cbar = 1.0
        self.sbar = self.zeta = 0.0
        # norm(r), section 3.2
        self.residual_norm = self.betadd = beta
        self.betad = self.tautilde = self.thetatilde = self.d = 0.0
        self.rhod = 1.0
        # norm(A) and cond(A), sections 3.4 and 3.5
        self.operator_norm = alpha  # Frobenius norm of B_k
        self.square_A = alpha * alpha
        self.rhobar_max, self.rhobar_min = 0.0, math.inf
        self.condition = 1.0
        # h'h, h'hbar, hbar'hbar, h'(x - x0), hbar'(x - x0) and norm(x - x0)^2
        self.products = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    @property
    def normal_residual_norm(self) -> float:
        """norm(A'r), section 3.3."""
        return abs(self.zetabar)

    @property
    def length_x(self) -> float:
        """norm(x - x0)."""
        return math.sqrt(max(self.products[-1], 0.0))

    def start(self) -> LinearOutcome | None:
        """Test the first iterate."""
        if not math.isfinite(self.rhs_norm + self.residual_norm + self.alpha):
            return LinearOutcome.NONFINITE
        if self.residual_norm <= self.btol * self.rhs_norm:
            return LinearOutcome.SOLVED
        return LinearOutcome.LEAST_SQUARES if self.zetabar == 0.0 else None

    def add_column(self, beta_square: float, alpha_square: float) -> LinearOutcome | None:
        """Take beta_{k+1}^2 and alpha_{k+1}^2; say so if x must not take the step."""
        if not math.isfinite(beta_square + alpha_square):
            return LinearOutcome.NONFINITE
        self.beta = root(beta_square, self.least)
        self.alpha = root(alpha_square, self.least) if self.beta > 0.0 else 0.0
        return None

    def take_step(self) -> tuple[float, float, float]:
        """Rotate the new column; give the coefficients of hbar, x and h.

        hbar <- h - first hbar, x <- x + second hbar, h <- v_{k+1} - third h.
        """
        c_hat, s_hat, alphahat = _rotation(self.alphabar, self.damp)
        rho_old, rhobar_old, zeta_old = self.rho, self.rhobar, self.zeta
        c, s, self.rho = _rotation(alphahat, self.beta)
        theta, self.alphabar = s * self.alpha, c * self.alpha
        thetabar, rho_turned = self.sbar * self.rho, self.cbar * self.rho
        self.cbar, self.sbar, self.rhobar = _rotation(rho_turned, theta)
        self.zeta, self.zetabar = self.cbar * self.zetabar, -self.sbar * self.zetabar
        self.steps += 1

        first = _over(thetabar, rho_old) * _over(self.rho, rhobar_old)
        second = _over(_over(self.zeta, self.rho), self.rhobar)
        third = _over(theta, self.rho)
        self._follow_lengths(first, second, third)
        self._follow_residual(c_hat, s_hat, c, s, thetabar, zeta_old)

        self.square_A += self.beta * self.beta
        self.operator_norm = math.sqrt(self.square_A)
        self.square_A += self.alpha * self.alpha
        if self.steps > 1:
            self.rhobar_max = max(self.rhobar_max, rhobar_old)
            self.rhobar_min = min(self.rhobar_min, rhobar_old)
        largest, least = max(self.rhobar_max, rho_turned), min(self.rhobar_min, rho_turned)
        self.condition = _over(largest, least)
        return first, second, third

    def test(self) -> LinearOutcome | None:
        """Stopping rules S1 to S3 with the tolerances given, then with the precision."""
        r, moved = self.residual_norm, self.operator_norm * self.length_x
        if r <= self.btol * self.rhs_norm + self.atol * moved:
            return LinearOutcome.SOLVED
        if self.normal_residual_norm <= self.atol * self.operator_norm * r:
            return LinearOutcome.LEAST_SQUARES
        if self.condition >= self.conlim:
            return LinearOutcome.ILL_CONDITIONED
        at_precision = r <= self.eps * (self.rhs_norm + moved)
        if at_precision or self.normal_residual_norm <= self.eps * self.operator_norm * r:
            return LinearOutcome.STAGNATED
        return None

    def message(self, outcome: LinearOutcome) -> str:
        """Say the outcome with the numbers that decide."""
        target = self.btol * self.rhs_norm + self.atol * self.operator_norm * self.length_x
        normal_target = self.atol * self.operator_norm * self.residual_norm
        return (
            f"{outcome.value} after {self.steps} steps: norm(r) = {self.residual_norm:.6g} "
            f"(btol norm(b) + atol norm(A) norm(x - x0) = {target:.3g}), "
            f"norm(A'r) = {self.normal_residual_norm:.3g} "
            f"(atol norm(A) norm(r) = {normal_target:.3g}), cond(A) = {self.condition:.3g}"
        )

    def _follow_lengths(self, first: float, second: float, third: float) -> None:
        """norm(x - x0) from orthonormal v."""
        hh, hb, bb, hx, bx, xx = self.products
        h_new = hh - first * hb
        new_new = hh - 2.0 * first * hb + first * first * bb
        new_x = hx - first * bx
        self.products = (
            1.0 + third * third * hh,
            -third * h_new,
            new_new,
            -third * (hx + second * h_new),
            new_x + second * new_new,
            xx + 2.0 * second * new_x + second * second * new_new,
        )

    def _follow_residual(
        self, c_hat: float, s_hat: float, c: float, s: float, thetabar: float, zeta_old: float
    ) -> None:
        """norm(r), Fong & Saunders (2011), section 3.2."""
        betaacute, betacheck = c_hat * self.betadd, -s_hat * self.betadd
        betahat, self.betadd = c * betaacute, -s * betaacute
        theta_old = self.thetatilde
        ctilde, stilde, rhotilde = _rotation(self.rhod, thetabar)
        self.thetatilde, self.rhod = stilde * self.rhobar, ctilde * self.rhobar
        self.betad = ctilde * betahat - stilde * self.betad
        self.tautilde = _over(zeta_old - theta_old * self.tautilde, rhotilde)
        taud = _over(self.zeta - self.thetatilde * self.tautilde, self.rhod)
        self.d += betacheck * betacheck
        self.residual_norm = math.hypot(math.sqrt(self.d), self.betad - taud, self.betadd)


def _rotation(a: float, b: float) -> tuple[float, float, float]:
    """c, s and r >= 0 with c a + s b = r and c b = s a."""
    r = math.hypot(a, b)
    return (a / r, b / r, r) if r > 0.0 else (1.0, 0.0, 0.0)


def _over(a: float, b: float) -> float:
    """Quotient a / b: 0 where a is 0, and infinite where b alone is."""
    return a / b if b != 0.0 else a * math.inf if a != 0.0 else 0.0
