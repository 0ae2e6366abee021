"""The step of a model without curvature."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from hessx._xp import fetch
from hessx.core import Ball, Cubic, Damped, Offer, Restraint, saved
from hessx.krylov._model import KrylovOutcome, ModelStep, QuadraticModel
from hessx.krylov._subproblem import Subproblem

__all__ = ["SteepestStep"]


@saved
@dataclass(frozen=True, slots=True)
class SteepestStep(Subproblem):
    r"""Minimise g'p under a restraint: the model of `Zero`, B = 0, to which it belongs.

        p = -t M g,   t = radius / norm(M g)                        in a `Ball`
                      t = 1 / sigma                                 under `Damped`: R2
                      t = 1 / sqrt(sigma norm(M g))                 under `Cubic`

    with norm(M g)^2 = g'M g, M = I without a preconditioner.

    Notes
    -----
    Cost: 2 launches, no product and no fetch; with a preconditioner one application and one fetch.

    References
    ----------
    Cartis, Gould & Toint (2022), Evaluation Complexity of Algorithms for Nonconvex Optimization,
    SIAM, chapter 2, for the damped step.

    Examples
    --------
    >>> import hessx
    >>> method = hessx.TrustRegionMethod(hessx.Zero(), hessx.SteepestStep(), hessx.NielsenRule())
    >>> hessx.minimize(lambda x: (x @ x, 2 * x), [3.0, 4.0], jac=True, method=method).success
    True
    """

    takes: ClassVar = (Ball, Damped, Cubic)
    needs: ClassVar = Offer(0)

    def __call__(self, model: QuadraticModel) -> ModelStep:
        """Solve."""
        self.check(model.restraint)
        u, square, before, stretch = model.gradient, model.grad_square, 0.0, 1.0
        if model.precondition is not None:
            u = model.precondition(u)
            wanted = [model.gradient @ u, u @ u]
            if model.grad_square_before is not None:
                wanted.append(model.grad_square_before)
            (square, u_u, *rest), (u,) = fetch(model.space, wanted, [u])
            before = rest[0] if rest else 0.0
            stretch = math.sqrt(square / u_u) if square > 0.0 < u_u else 1.0
        zeros, given = u * 0.0, model.restraint
        if not 0.0 < square < math.inf:
            outcome = KrylovOutcome.NONFINITE
            return ModelStep(zeros, zeros, 0.0, 0.0, 0.0, given, outcome, 0)
        restraint, norm = given.in_force(square, 0.0, before, stretch), math.sqrt(square)
        t = _multiple(restraint, norm)
        ball = isinstance(restraint, Ball)
        outcome = KrylovOutcome.BOUNDARY if ball else KrylovOutcome.SOLVED
        fall = t * square
        return ModelStep(u * -t, zeros, fall, -fall, t * norm, restraint, outcome, 0)


def _multiple(restraint: Restraint, norm: float) -> float:
    """Give t, where norm is that of M g."""
    match restraint:
        case Ball(radius=float(radius)):
            return radius / norm
        case Damped(sigma=float(sigma)):
            return 1.0 / sigma if sigma > 0.0 else math.inf
        case Cubic(sigma=float(sigma)):
            return 1.0 / math.sqrt(sigma * norm) if sigma > 0.0 else math.inf
    return math.nan
