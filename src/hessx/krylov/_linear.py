"""What MINRES and LSMR share: outcome, result, checked products and their budget."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Space, detach, norm_inf, to_point
from hessx.core import check_integer, check_real

__all__ = [
    "LinearOutcome",
    "LinearResult",
    "Products",
    "check_kind",
    "check_steps",
    "least_positive",
    "linear_map",
    "root",
    "size_of",
    "take_product",
    "take_start",
    "take_vector",
    "tolerance",
]


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


class Products:
    """How many products were taken, and whether the watch has ended the run."""

    __slots__ = ("count", "stopped", "watch")

    def __init__(self, watch: Callable[[], Any] | None) -> None:
        if watch is not None and not callable(watch):
            msg = f"watch = {watch!r}: expected a callable without arguments, or None"
            raise TypeError(msg)
        self.watch = watch
        self.count = 0
        self.stopped = False

    def counted(self, apply: Callable[[Array], Array]) -> Callable[[Array], Array]:
        """Count the products of a map; the watch is called after each."""

        def product(v: Array) -> Array:
            p = apply(v)
            self.count += 1
            if self.watch is not None and self.watch():
                self.stopped = True
            return p

        return product


def linear_map(A: Any, space: Space, name: str) -> Callable[[Array], Array]:
    """Give v -> A v on vectors of one space, each product checked.

    A callable sees v in the user's shape; ``matvec`` and ``@`` see a vector.
    """
    if hasattr(A, "matvec"):
        return lambda v: take_product(space, A.matvec(v), f"{name}.matvec(v)")
    if callable(A):
        return lambda v: take_product(space, A(space.shaped(v)), f"{name}(v)")
    if hasattr(A, "__matmul__"):
        return lambda v: take_product(space, A @ v, f"{name} @ v")
    msg = f"{name} has type {type(A).__name__}: expected a callable v -> {name} v, "
    msg += "an object with matvec, or a matrix"
    raise TypeError(msg)


def take_product(space: Space, p: Any, what: str) -> Array:
    """Take a product as a vector of the space; not copied, in the space's chunks on dask."""
    p = detach(p)
    check_kind(space, p, what)
    shape = tuple(p.shape)
    if shape != space.shape and shape != (space.n,):
        msg = f"{what} has shape {shape}: expected {space.shape}"
        raise ValueError(msg)
    flat = space.flat(p)
    return flat if space.chunks is None else flat.rechunk(space.chunks)


def check_kind(space: Space, p: Any, what: str) -> None:
    """Refuse what is not of the space's library, dtype and device."""
    problem = space.mismatch(p)
    if problem is not None:
        msg = f"{what} has {problem} (that of b)"
        raise (ValueError if problem.startswith("device") else TypeError)(msg)


def take_vector(b: Any) -> Array:
    """Take the right-hand side as `to_point` takes a starting point: a copy."""
    try:
        return to_point(b)
    except (TypeError, ValueError) as error:
        raise type(error)(str(error).replace("x0", "b")) from None


def take_start(space: Space, x0: Any) -> Array:
    """Take a first iterate as a vector of the space: a copy."""
    return take_product(space, to_point(x0), "x0")


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


def least_positive(space: Space) -> Array:
    """Make the least normal number, a 0-d array: a divisor in place of zero."""
    least = space.xp.finfo(space.dtype).smallest_normal
    return space.xp.full((), least, dtype=space.dtype, device=space.device)


def size_of(space: Space, u: Array, v: Array) -> Array:
    """Largest entry of both, never zero: divided by it, no square over- or underflows."""
    size = space.xp.maximum(least_positive(space), norm_inf(space, u))
    return size if u is v else space.xp.maximum(size, norm_inf(space, v))


def root(square: float, floor: float) -> float:
    """Root of an inner product; zero below the least normal number, NaN if negative."""
    if 0.0 <= square < floor:
        return 0.0
    return math.sqrt(square) if square >= 0.0 else math.nan
