"""A Krylov space that is kept, for other restraints."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from hessx._xp import Array, quiet
from hessx.core import Ball, Cubic, Restraint, saved
from hessx.krylov._lanczos import Lanczos
from hessx.krylov._model import KrylovOutcome, ModelStep
from hessx.krylov._subproblem import SLIGHT
from hessx.krylov._tridiagonal import Minimizer

__all__ = ["KrylovBasis"]


@saved
@dataclass(slots=True)
class KrylovBasis:
    """A Krylov space of a model, in which it is solved under any restraint without products.

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

    def step_within(self, restraint: Restraint) -> ModelStep | None:
        """Minimise the model over the space and under a ball or a cubic term."""
        inner = self.minimizer(restraint)
        if inner is None:
            return None
        outcome = self.outcome(inner, restraint, KrylovOutcome.SOLVED)
        return self.step(inner, restraint, outcome, 0)

    def minimizer(self, restraint: Restraint) -> Minimizer | None:
        """Minimise in the coordinates of the space."""
        match restraint:
            case Ball(radius=float(radius)):
                return self.lanczos.matrix.within(radius)
            case Cubic(sigma=float(sigma)):
                return self.lanczos.matrix.cubic(sigma)
        return None

    def outcome(
        self, inner: Minimizer, restraint: Restraint, otherwise: KrylovOutcome
    ) -> KrylovOutcome:
        """What holds the minimiser back, or why the solver stopped where nothing does."""
        if inner.least < -self.lanczos.vectors.space.eps:
            return KrylovOutcome.NEGATIVE
        if isinstance(restraint, Cubic):
            felt = inner.multiplier * inner.norm_square > -SLIGHT * inner.slope
            return KrylovOutcome.RESTRAINED if felt else otherwise
        return KrylovOutcome.BOUNDARY if inner.multiplier > 0.0 else otherwise

    def step(
        self, inner: Minimizer, restraint: Restraint, outcome: KrylovOutcome, products: int
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
            restraint,
            outcome,
            products,
            basis=self,
        )
