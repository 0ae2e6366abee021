"""The quadratic model that a Newton step minimises, and what its solvers return."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Space
from hessx.core import PairRing, saved

__all__ = ["KrylovOutcome", "ModelStep", "QuadraticModel", "never"]


def never() -> bool:
    """Watch nothing: no budget, no interrupt."""
    return False


@saved
class KrylovOutcome(enum.Enum):
    """Why a Krylov solver stopped; the values are the words of `Record.note`."""

    SOLVED = "solved"
    BOUNDARY = "boundary"
    NEGATIVE = "negative curvature"
    FLAT = "flat"
    LIMIT = "limit of products"
    STAGNATED = "stagnated"
    STOPPED = "stopped"
    NONFINITE = "product not finite, or M not positive"


@dataclass(slots=True)
class QuadraticModel:
    """Ask for a p with small q(p) = g'p + p'Hp / 2 and norm(p) <= radius.

    The norm is sqrt(p' M^-1 p) where a preconditioner M is given.

    Attributes
    ----------
    space : Space
        Of g.
    product : callable
        v -> H v; what it returns may be a buffer that its next call writes again.
    gradient, grad_square : array shape (n,) and float
        g, which is not written, and g'g.
    tolerance : float
        Stop where norm_2(g + H p) <= tolerance.
    limit : int
        Products at most.
    radius : float, optional
        inf for none; None for the length of the Cauchy step, norm(g)^3 / g'Hg, and
        ``default_radius`` where g'Hg is not positive.
    default_radius : float
        See radius.
    reach : float
        Without a radius: the least length of the piece along negative curvature.
    precondition : callable, optional
        r -> M r with M symmetric positive definite.
    grad_square_before : 0-d array, optional
        g'Ng with N the preconditioner in which ``radius`` was meant: it is multiplied by
        sqrt(g'Ng / g'Mg), the ratio of lengths if N and M differ by a factor.
    collect : int
        Pairs (p, H p) of the last directions to hand back.
    settled : bool
        Stop there only if the last step added little to the decrease as well, k gain <= decrease /
        2 after k products, or norm_2(g + H p) <= tolerance / 100: a stiff part of g can hide the
        rest from the residual.
    watch : callable
        Asked after each product; True ends the solve with what there is.
    """

    space: Space
    product: Callable[[Array], Array]
    gradient: Array
    grad_square: float
    tolerance: float
    limit: int
    radius: float | None = math.inf
    default_radius: float = 1.0
    reach: float = 1.0
    precondition: Callable[[Array], Array] | None = None
    grad_square_before: Array | None = None
    collect: int = 0
    settled: bool = False
    watch: Callable[[], bool] = never

    def radius_at(self, g_M_g: float, u_H_u: float, before: float) -> float:
        """The radius in force, from g'Mg, u'Hu with u = Mg, and g'Ng."""
        if self.radius is not None:
            return self.radius * math.sqrt(before / g_M_g) if before > 0.0 else self.radius
        return g_M_g * math.sqrt(g_M_g) / u_H_u if u_H_u > 0.0 else self.default_radius


@saved
@dataclass(slots=True)
class ModelStep:
    """A step, and all that is known of the model there: nothing need be evaluated again.

    Attributes
    ----------
    step, product : array, shape (n,)
        p and H p.
    decrease, slope : float
        -q(p) and g'p.
    norm, radius : float
        norm(p), in M^-1 with a preconditioner, and the radius in force.
    outcome : KrylovOutcome
        Why the solver stopped.
    products : int
        Products spent.
    bend, curvature : array and float, optional
        A direction without positive curvature, where one was met, and its p'Hp / p'p.
    pairs : PairRing, optional
        Where they were asked for.
    basis : optional
        What ``again`` works on: Lanczos vectors, where the solver keeps them.
    """

    step: Array
    product: Array
    decrease: float
    slope: float
    norm: float
    radius: float
    outcome: KrylovOutcome
    products: int
    bend: Array | None = None
    curvature: float = math.nan
    pairs: PairRing | None = None
    basis: Any = None

    @property
    def held_back(self) -> bool:
        """Whether the step ends at the boundary of the region."""
        return self.outcome in _AT_THE_BOUNDARY

    @property
    def slope_change(self) -> float:
        """The change of g'p along the step, by the model."""
        return -2.0 * (self.decrease + self.slope)

    @property
    def newtonian(self) -> bool:
        """Whether it minimises the model as exactly as was asked."""
        return self.outcome in _MINIMISED

    def again(self, radius: float) -> ModelStep | None:
        """Give the step for a smaller radius without a product; None where that is unknown."""
        return None if self.basis is None else self.basis.step_within(radius)


_AT_THE_BOUNDARY = frozenset({KrylovOutcome.BOUNDARY, KrylovOutcome.NEGATIVE, KrylovOutcome.FLAT})
_MINIMISED = frozenset({KrylovOutcome.SOLVED, KrylovOutcome.STAGNATED})
