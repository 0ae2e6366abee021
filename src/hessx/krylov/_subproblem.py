"""What solves a quadratic model under a restraint."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from hessx.core import Ball, Offer, Restraint, SettingsError
from hessx.krylov._model import ModelStep, QuadraticModel

__all__ = ["SLIGHT", "Subproblem"]

SLIGHT = 0.1  # of the slope: a multiplier that takes less from the step is hardly felt


class Subproblem(ABC):
    r"""Give a p with small q(p) = g'p + p'Bp / 2 under a restraint.

    The settings of a solver, which is called with a `QuadraticModel`; one's own is a subclass, and
    a frozen dataclass with `saved` above it where runs are to be put down.

    Attributes
    ----------
    takes : tuple of type
        The restraints that it knows.
    needs : Offer
        Of the approximation B: all of them.
    learns : bool
        Whether it hands `pairs` back where they are asked for by ``collect``.
    positive : bool
        Whether B has to be positive definite.
    preconditioned : bool
        Whether norms are those of a preconditioner, where the model has one.

    Examples
    --------
    The step to the Cauchy point, in a trust region:

    >>> import math, numpy as np, hessx
    >>> from hessx.krylov import KrylovOutcome, ModelStep
    >>> class Cauchy(hessx.Subproblem):
    ...     takes = (hessx.Ball,)
    ...     def __call__(self, model):
    ...         g, g_g = model.gradient, model.grad_square
    ...         Hg = model.product(g) + 0.0
    ...         g_H_g, norm = float(g @ Hg), math.sqrt(g_g)
    ...         ball = model.restraint.in_force(g_g, g_H_g)
    ...         t = ball.radius / norm
    ...         if g_H_g > 0.0:
    ...             t = min(t, g_g / g_H_g)
    ...         decrease = t * (g_g - t * g_H_g / 2.0)
    ...         return ModelStep(-t * g, -t * Hg, decrease, -t * g_g, t * norm, ball,
    ...                          KrylovOutcome.BOUNDARY, products=1)
    >>> method = hessx.TrustRegionMethod(subproblem=Cauchy())
    >>> d = np.array([1.0, 3.0])
    >>> hessx.minimize(lambda x: (d * x) @ x / 2, [1.0, 1.0], jac=lambda x: d * x,
    ...                hessp=lambda x, p: d * p, method=method).success
    True
    """

    __slots__ = ()
    takes: ClassVar[tuple[type[Restraint], ...]] = (Ball,)
    needs: ClassVar[Offer] = Offer.MATVEC
    learns: ClassVar[bool] = False
    positive: ClassVar[bool] = False
    preconditioned: ClassVar[bool] = True

    @abstractmethod
    def __call__(self, model: QuadraticModel) -> ModelStep:
        """Solve."""

    def check(self, restraint: Restraint) -> None:
        """Refuse a restraint that is none of those it takes.

        Raises
        ------
        SettingsError
            So it is.
        """
        if not isinstance(restraint, self.takes):
            names = ", ".join(kind.__name__ for kind in self.takes)
            msg = f"restraint = {restraint!r}: {type(self).__name__} takes {names}"
            raise SettingsError(msg)
