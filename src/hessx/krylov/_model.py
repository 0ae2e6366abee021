"""The quadratic model that a Newton step minimises, and what its solvers return."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Space
from hessx.core import Free, PairRing, Restraint, saved

__all__ = ["KrylovOutcome", "ModelStep", "QuadraticModel", "never"]


def never() -> bool:
    """Watch nothing: no budget, no interrupt."""
    return False


@saved
class KrylovOutcome(enum.Enum):
    """Why a Krylov solver stopped; the values are the words of `Record.note`."""

    SOLVED = "solved"
    BOUNDARY = "boundary"
    RESTRAINED = "restrained"
    NEGATIVE = "negative curvature"
    FLAT = "flat"
    LIMIT = "limit of products"
    STAGNATED = "stagnated"
    STOPPED = "stopped"
    NONFINITE = "product not finite, or M not positive"


@dataclass(slots=True)
class QuadraticModel:
    """Ask for a p with small q(p) = g'p + p'Hp / 2 under a restraint.

    Its norm is sqrt(p' M^-1 p) where a preconditioner M is given.

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
    restraint : Restraint
        What holds p back: `Ball`, `Damped`, `Cubic`, or nothing, `Free`.
    precondition : callable, optional
        r -> M r with M symmetric positive definite.
    grad_square_before : 0-d array, optional
        g'Ng with N the preconditioner in whose norm the restraint was meant; see
        `Restraint.in_force`.
    collect : int
        Pairs (p, H p) of the last directions to hand back.
    settled : bool
        Stop there only if the last step added little to the decrease as well, k gain <= decrease /
        2 after k products, or norm_2(g + H p) <= tolerance / 100: a stiff part of g can hide the
        rest from the residual.
    watch : callable
        Asked after each product; True ends the solve with what there is.
    dense : callable, optional
        () -> H, an array of shape (n, n); None where there is none.
    root : callable, optional
        () -> (R, u), arrays of shapes (m, n) and (m,) with H = R'R and g = R'u, of which more
        digits are known than of H and g; or None, for there are none.
    solve : callable, optional
        v -> H^-1 v, with H positive definite; None where that is not known.
    """

    space: Space
    product: Callable[[Array], Array]
    gradient: Array
    grad_square: float
    tolerance: float
    limit: int
    restraint: Restraint = Free()  # noqa: RUF009
    precondition: Callable[[Array], Array] | None = None
    grad_square_before: Array | None = None
    collect: int = 0
    settled: bool = False
    watch: Callable[[], bool] = never
    dense: Callable[[], Array] | None = None
    root: Callable[[], tuple[Array, Array] | None] | None = None
    solve: Callable[[Array], Array] | None = None


@saved
@dataclass(slots=True)
class ModelStep:
    """A step, and all that is known of the model there: nothing need be evaluated again.

    Attributes
    ----------
    step, product : array, shape (n,)
        p and H p.
    decrease, slope : float
        -q(p), without the restraint, and g'p.
    norm : float
        norm(p), in M^-1 with a preconditioner.
    restraint : Restraint
        The one in force, with its number; as it was given where the first product told none.
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
    restraint: Restraint
    outcome: KrylovOutcome
    products: int
    bend: Array | None = None
    curvature: float = math.nan
    pairs: PairRing | None = None
    basis: Any = None

    @property
    def held_back(self) -> bool:
        """Whether it is the restraint that ends the step, or takes a tenth of it and more."""
        return self.outcome in _HELD_BACK

    @property
    def slope_change(self) -> float:
        """The change of g'p along the step, by the model."""
        return -2.0 * (self.decrease + self.slope)

    @property
    def newtonian(self) -> bool:
        """Whether it minimises the model as exactly as was asked."""
        return self.outcome in _MINIMISED

    def again(self, restraint: Restraint) -> ModelStep | None:
        """Give the step under a tighter restraint of the kind, for no product; None if unknown."""
        return None if self.basis is None else self.basis.step_within(restraint)


_HELD_BACK = frozenset(
    {
        KrylovOutcome.BOUNDARY,
        KrylovOutcome.RESTRAINED,
        KrylovOutcome.NEGATIVE,
        KrylovOutcome.FLAT,
    }
)
_MINIMISED = frozenset({KrylovOutcome.SOLVED, KrylovOutcome.STAGNATED})
