"""The matrix of conjugate gradients: H, or H + sigma M^-1 where the model is damped."""

from __future__ import annotations

import math
from collections.abc import Sequence

from hessx._xp import Array, fetch, plus_scaled, quiet
from hessx.core import Damped
from hessx.krylov._model import QuadraticModel
from hessx.krylov._path import Path

__all__ = ["Damping", "Undamped", "matrix_of"]


class Undamped:
    """H.

    Attributes
    ----------
    before : 0-d array, optional
        What the first packet is to bring: g'Ng, see `QuadraticModel.grad_square_before`.
    dual, dual_sum : array, optional
        M^-1 p and M^-1 z, where they are needed and are not p and z.
    """

    __slots__ = ("before", "dual", "dual_sum", "model", "path")

    def __init__(self, model: QuadraticModel, path: Path) -> None:
        self.model, self.path, self.before = model, path, model.grad_square_before
        self.dual: Array = None
        self.dual_sum: Array = None

    @property
    def held(self) -> Sequence[Array]:
        """What a lazy library is to compute with each product."""
        return () if self.dual is None else (self.dual, self.dual_sum)

    @held.setter
    def held(self, arrays: Sequence[Array]) -> None:
        if arrays:
            self.dual, self.dual_sum = arrays

    def begin(self, p: Array, r_u: Array | float) -> None:
        """Prepare for the first product."""

    def product(self, p: Array) -> Array:
        """Multiply p."""
        return self.model.product(p)

    def product_of_sum(self, z: Array) -> Array:
        """Multiply z."""
        return self.model.product(z)

    def undamped(self, s: Array, dual: Array) -> Array:  # noqa: ARG002
        """Give H p from the product with p and M^-1 p."""
        return s

    def undamped_sum(self, s: Array, z: Array) -> Array:  # noqa: ARG002
        """Give H z from the product with z."""
        return s

    def advance(self, alpha: float) -> None:
        """Move z by alpha p."""

    def redirect(self, beta: Array | float, r: Array) -> None:
        """Turn p to beta p - M r."""


class Damping(Undamped):
    """H + sigma M^-1.

    M^-1 p and M^-1 z follow the recurrences of p and z, of which p <- beta p - M r becomes
    M^-1 p <- beta M^-1 p - r.  Without M they are p and z.
    """

    __slots__ = ("first",)

    def __init__(self, model: QuadraticModel, path: Path) -> None:
        super().__init__(model, path)
        self.before, self.first = None, None
        if model.precondition is not None:
            self.dual, self.dual_sum = -model.gradient, model.space.zeros(model.space.n)

    def begin(self, p: Array, r_u: Array | float) -> None:
        """Settle sigma, from the first product and by a fetch of its own where it is not known."""
        model, path, before = self.model, self.path, self.model.grad_square_before
        if model.restraint.known and before is None:
            path.settle(math.nan, math.nan)
            return
        self.first = model.product(p)
        with quiet():
            wanted = [r_u, p @ self.first, *([] if before is None else [before])]
            (r_u, p_s, *rest), (self.first,) = fetch(model.space, wanted, [self.first])
        if math.isfinite(p_s) and 0.0 < r_u < math.inf:
            path.settle(r_u, p_s, *rest)

    def product(self, p: Array) -> Array:
        """Multiply p."""
        s, self.first = self.model.product(p) if self.first is None else self.first, None
        return self._plus(s, p if self.dual is None else self.dual, self.path.sigma)

    def product_of_sum(self, z: Array) -> Array:
        """Multiply z."""
        return self._plus(self.model.product(z), self._dual_of_sum(z), self.path.sigma)

    def undamped(self, s: Array, dual: Array) -> Array:
        """Give H p from the product with p and M^-1 p."""
        return self._plus(s, dual, -self.path.sigma)

    def undamped_sum(self, s: Array, z: Array) -> Array:
        """Give H z from the product with z."""
        return self._plus(s, self._dual_of_sum(z), -self.path.sigma)

    def advance(self, alpha: float) -> None:
        """Move z by alpha p."""
        if self.dual is not None:
            self.dual_sum = self._plus(self.dual_sum, self.dual, alpha)

    def redirect(self, beta: Array | float, r: Array) -> None:
        """Turn p to beta p - M r."""
        if self.dual is not None:
            self.dual = self.dual * beta - r

    def _dual_of_sum(self, z: Array) -> Array:
        return z if self.dual_sum is None else self.dual_sum

    def _plus(self, v: Array, d: Array, a: float) -> Array:
        with quiet():  # a product need not be finite
            return plus_scaled(self.model.space, v, d, a)


def matrix_of(model: QuadraticModel, path: Path) -> Undamped:
    """Give what CG multiplies by."""
    kind = Damping if isinstance(model.restraint, Damped) else Undamped
    return kind(model, path)
