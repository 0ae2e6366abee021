"""What MINRES and LSMR share: outcome, result, checks of settings."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from hessx._xp import Array
from hessx.core import check_integer, check_real

__all__ = ["LinearOutcome", "LinearResult", "check_steps", "root", "tolerance"]


class LinearOutcome(enum.Enum):
    """Why a linear solver stopped; the message of the result has the numbers.

    Examples
    --------
    >>> from hessx.krylov import LinearOutcome
    >>> LinearOutcome.SOLVED.success, LinearOutcome.LIMIT.success
    (True, False)
    """

    SOLVED = "solved"
    LEAST_SQUARES = "solved in the least-squares sense"
    STAGNATED = "stagnated: at machine precision, before the tolerance"
    ILL_CONDITIONED = "ill-conditioned"
    LIMIT = "limit: iterations"
    STOPPED = "stopped by the watch"
    NONFINITE = "failed: a product is not finite"
    INDEFINITE_PRECONDITIONER = "failed: the preconditioner is not positive definite"

    @property
    def success(self) -> bool:
        """True where the tolerance given holds, for the residual or the normal residual."""
        return self in (LinearOutcome.SOLVED, LinearOutcome.LEAST_SQUARES)


@dataclass(frozen=True, slots=True, eq=False)
class LinearResult:
    """What `minres` and `lsmr` return; the norms are estimates of the recurrences.

    Attributes
    ----------
    x : array
        The last iterate, of the library, dtype and device of b.
    outcome : LinearOutcome
        Why the solver stopped.
    residual_norm : float
        Norm of r = b - A x: for `minres` of b - (A - shift I) x, with a preconditioner
        sqrt(r'M r); for `lsmr` of the damped system.
    normal_residual_norm : float or None
        Norm of A'r (MINRES: of A r, known where the outcome is LEAST_SQUARES or stagnated there).
    operator_norm, condition : float
        Norm and condition number of A, as far as the steps taken have seen them; with shift,
        preconditioner or damping, of the operator so changed.
    iterations, products : int
        Steps that x has taken, and products with A and A' that were asked for.
    message : str
        The outcome with its numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx.krylov import minres
    >>> result = minres(np.diag([1.0, -2.0]), np.array([3.0, 4.0]))
    >>> result.success, result.iterations, result.products
    (True, 2, 2)
    """

    x: Array
    outcome: LinearOutcome
    residual_norm: float
    normal_residual_norm: float | None
    operator_norm: float
    condition: float
    iterations: int
    products: int
    message: str

    @property
    def success(self) -> bool:
        """Whether the tolerance given holds."""
        return self.outcome.success


def tolerance(name: str, given: float | None, default: float) -> float:
    """Check a relative tolerance in [0, 1], or take the default."""
    if given is None:
        return default
    return check_real(name, given, 0.0, 1.0, "[]")


def check_steps(max_iterations: int | None, default: int, check_every: int) -> int:
    """Check both counts of steps and give the first."""
    check_integer("check_every", check_every, 1)
    if max_iterations is None:
        return default
    return check_integer("max_iterations", max_iterations)


def root(square: float, floor: float) -> float:
    """Root of an inner product; zero below the least normal number, NaN if negative."""
    if 0.0 <= square < floor:
        return 0.0
    return math.sqrt(square) if square >= 0.0 else math.nan
