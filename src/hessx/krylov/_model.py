"""The quadratic model that a Newton step minimises, and what its solvers return."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Space

__all__ = ["KrylovOutcome", "ModelStep", "QuadraticModel", "never"]


def never() -> bool:
    """Watch nothing: no budget, no interrupt."""
    return False


class KrylovOutcome(enum.Enum):
    """Why a Krylov solver stopped."""

    SOLVED = "solved"
    BOUNDARY = "boundary"
    NEGATIVE = "negative curvature"
    FLAT = "flat"
    LIMIT = "limit"
    STAGNATED = "stagnated"
    STOPPED = "stopped"
    NONFINITE = "not finite"


@dataclass(slots=True)
class QuadraticModel:
    """Ask for a p with small q(p) = g'p + p'Hp / 2 and norm(p) <= radius.

    Norms are sqrt(p' M^-1 p) where a preconditioner M is given.

    Attributes
    ----------
    space : Space
        Of g.
    product : callable
        v -> H v, a new vector or a buffer that the next call may write again.
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
        Without a radius: least length of the piece along negative curvature.
    precondition : callable, optional
        r -> M r with M symmetric positive definite.
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
    watch: Callable[[], bool] = never


@dataclass(slots=True)
class ModelStep:
    """A step, and all that is known of the model there: nothing need be evaluated again.

    Attributes
    ----------
    step, product : array, shape (n,)
        p and H p.
    decrease : float
        -q(p).
    slope : float
        g'p.
    norm : float
        norm(p), in M^-1 with a preconditioner.
    radius : float
        The radius in force.
    outcome : KrylovOutcome
        Why the solver stopped.
    products : int
        Products spent.
    pairs : optional
        (alpha p, alpha H p) of the steps taken, where they were asked for.
    """

    step: Array
    product: Array
    decrease: float
    slope: float
    norm: float
    radius: float
    outcome: KrylovOutcome
    products: int
    pairs: Any = None

    @property
    def on_boundary(self) -> bool:
        """Whether the radius held the step back."""
        return self.outcome in _HELD
    

_HELD = frozenset({KrylovOutcome.BOUNDARY, KrylovOutcome.NEGATIVE, KrylovOutcome.FLAT})
