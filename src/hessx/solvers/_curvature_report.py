"""What is known of the curvature at a point, and what it says of the point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hessx.operators import Inertia

__all__ = ["CurvatureReport", "Spectrum"]

_KINDS = {
    "positive definite": "minimum",
    "negative definite": "maximum",
    "indefinite": "saddle",
    "positive semidefinite": "flat",
    "negative semidefinite": "flat",
    "zero": "singular",
    "undecided": "undecided",
}
_SAYS = {
    "minimum": "a minimum",
    "maximum": "a maximum",
    "saddle": "a saddle",
    "flat": "flat: in some directions second order says nothing",
    "singular": "singular: second order says nothing",
    "undecided": "undecided",
}


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The ends of the spectrum of a Hessian.

    Attributes
    ----------
    least, largest : float
        Eigenvalues, or Ritz values, between which and the ends of the spectrum nothing is known.
    least_error, largest_error : float
        Norms of the residuals; 0 where all eigenvalues were computed.
    threshold : float
        What rounding and the noise of products may make of 0.
    noisy : bool
        That noise is as large as the spectrum: differences do not settle, as at a kink.
    """

    least: float
    largest: float
    least_error: float
    largest_error: float
    threshold: float
    noisy: bool = False

    @property
    def definiteness(self) -> str:
        """What the signs say; a Ritz value beyond the threshold proves that there are such."""
        negative, positive = self.least < -self.threshold, self.largest > self.threshold
        if negative and positive:
            return "indefinite"
        if self.least - self.least_error > self.threshold:
            return "positive definite"
        if self.largest + self.largest_error < -self.threshold:
            return "negative definite"
        known_least = negative or self.least_error <= self.threshold
        known_largest = positive or self.largest_error <= self.threshold
        if not (known_least and known_largest):
            return "undecided"
        if positive or negative:
            return "positive semidefinite" if positive else "negative semidefinite"
        return "undecided" if self.noisy else "zero"


@dataclass(frozen=True, slots=True)
class CurvatureReport:
    """Gradient and Hessian at a point: what kind of point it is.

    Attributes
    ----------
    kind : str
        - "minimum", "maximum", "saddle": stationary, H positive definite, negative definite,
          indefinite;
        - "flat": stationary, H semidefinite, with eigenvalues that are 0 up to the threshold, as
          in the floor of a valley: a minimum or not, as higher orders decide;
        - "singular": stationary, H is 0 up to the threshold;
        - "undecided": stationary, and the products did not suffice to tell the sign;
        - "not stationary": norm_inf of the gradient is above gtol.
    definiteness : str
        Of H, also where the point is not stationary: "positive definite", "negative definite",
        "indefinite", "positive semidefinite", "negative semidefinite", "zero", "undecided".
    grad_norm : float
        norm_inf of the gradient.
    least, largest : float
        Of the eigenvalues of H; where not ``exact`` those of Lanczos, the least from above and the
        largest from below.
    least_error, largest_error : float
        Within so much lies an eigenvalue: residual norms of Lanczos, and the threshold.
    threshold : float
        Eigenvalues within it of 0 are not told from 0: rounding, and where products are
        differences of gradients their noise.
    noise : float
        That of the differences; 0 where products are the user's.
    products : int
        Spent.
    exact : bool
        All n eigenvalues were computed.
    inertia : Inertia, optional
        Where exact: how many are positive, negative and zero.
    direction : array or tree like x, optional
        Of length 1, along which f curves down: an eigenvector of the least eigenvalue, where that
        is negative.
    message : str
        The same in a sentence.
    """

    kind: str
    definiteness: str
    grad_norm: float
    least: float
    largest: float
    least_error: float
    largest_error: float
    threshold: float
    noise: float
    products: int
    exact: bool
    inertia: Inertia | None
    direction: Any
    message: str

    @classmethod
    def of(
        cls,
        spectrum: Spectrum,
        grad_norm: float,
        gtol: float,
        noise: float,
        products: int,
        inertia: Inertia | None,
        direction: Any,
    ) -> CurvatureReport:
        """Put together what was found, and say it."""
        definiteness, stationary = spectrum.definiteness, grad_norm <= gtol
        kind = _KINDS[definiteness] if stationary else "not stationary"
        threshold = spectrum.threshold
        parts = [
            f"norm_inf(g) = {grad_norm:.3g} is {'within' if stationary else 'above'} {gtol:.3g}",
            f"H is {definiteness}" if definiteness != "undecided" else _undecided(spectrum),
            f"eigenvalues from {spectrum.least:.6g} to {spectrum.largest:.6g}",
            f"by all of them and {products} products"
            if inertia
            else f"by Lanczos from both ends, to {_worst(spectrum):.3g}, in {products} products",
            f"within {threshold:.3g} of 0 is rounding"
            + (f", most of it of differences, {noise:.3g}" if noise > 0.0 else ""),
        ]
        says = _SAYS[kind] if stationary else "not stationary"
        return cls(
            kind=kind,
            definiteness=definiteness,
            grad_norm=grad_norm,
            least=spectrum.least,
            largest=spectrum.largest,
            least_error=spectrum.least_error + threshold,
            largest_error=spectrum.largest_error + threshold,
            threshold=threshold,
            noise=noise,
            products=products,
            exact=inertia is not None,
            inertia=inertia,
            direction=direction if spectrum.least < -threshold else None,
            message=f"{says}: " + "; ".join(parts),
        )


def _worst(spectrum: Spectrum) -> float:
    return max(spectrum.least_error, spectrum.largest_error)


def _undecided(spectrum: Spectrum) -> str:
    """Say what was not found."""
    if spectrum.largest > spectrum.threshold:
        return "no negative curvature was found, and there may be some"
    if spectrum.least < -spectrum.threshold:
        return "no positive curvature was found, and there may be some"
    return "no curvature was found, and there may be some"
