"""What fits together: checked when a composition is made, with what would fit instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from hessx.core import Offer, SettingsError, Wants, check_object, check_part, store_integer
from hessx.globalization import ForcingRule
from hessx.hessians import Approximation, Given, Jacobi, LearntDiagonal, PairPreconditioner
from hessx.krylov import GLTR

__all__ = ["NewtonSettings", "check_approximation", "settle_newton", "wants_hessian"]

_NAMES: dict[str, Callable[[], Approximation]] = {
    "jacobi": Jacobi,
    "learnt": LearntDiagonal,
    "pairs": PairPreconditioner,
}


class NewtonSettings(Protocol):
    """Settings that a line search and a region share."""

    @property
    def approximation(self) -> Approximation:
        """What B is."""
        ...

    @property
    def forcing(self) -> ForcingRule:
        """How exactly models are solved."""
        ...

    @property
    def preconditioner(self) -> object:
        """What M is: an `Approximation` or None, once it is settled."""
        ...

    @property
    def max_inner(self) -> int | None:
        """Products at most per model."""
        ...


def check_approximation(name: str, given: Any) -> None:
    """Refuse what is no approximation, or a class.

    Raises
    ------
    SettingsError
        So it is.
    """
    known = (
        "an approximation such as hessx.LBFGS() or hessx.BFGS(); one's own is a subclass of "
        "hessx.Approximation"
    )
    check_part(name, given, Approximation, known)


def wants_hessian(settings: NewtonSettings) -> bool:
    """Whether products with the Hessian, or its diagonal, are used."""
    parts = settings.approximation, settings.preconditioner
    return any(isinstance(part, Approximation) and Wants.HESSIAN in part.wants for part in parts)


def settle_newton(method: Any) -> None:
    """Check what a method has of `NewtonSettings`, and store what stands for something else.

    Raises
    ------
    SettingsError
        One of them is out of range or no such part, or they do not fit together.
    """
    check_approximation("approximation", method.approximation)
    subproblems = "hessx.TruncatedCG(), hessx.GLTR() or a function of a QuadraticModel"
    check_part("subproblem", method.subproblem, Callable, subproblems)  # type: ignore[arg-type]
    terms = "hessx.Forcing() or hessx.EisenstatWalker()"
    check_part("forcing", method.forcing, ForcingRule, terms)
    store_integer(method, "max_inner", 1)
    part = _as_preconditioner(method.preconditioner)
    object.__setattr__(method, "preconditioner", part)
    if isinstance(part, PairPreconditioner) and isinstance(method.subproblem, GLTR):
        msg = (
            "preconditioner = PairPreconditioner(...) learns from pairs, of which subproblem = "
            "GLTR(...) hands none back: expected hessx.TruncatedCG(), or another preconditioner, "
            "such as hessx.LearntDiagonal()"
        )
        raise SettingsError(msg)
    B = method.approximation
    if Offer.MATVEC not in B.offers and not B.positive:
        name = type(B).__name__
        msg = (
            f"approximation = {name}() offers no product B v, and as it may be indefinite none can "
            "be solved for: expected one that offers MATVEC, such as hessx.SR1(), or is positive"
        )
        raise SettingsError(msg)


def _as_preconditioner(given: Any) -> Approximation | None:
    """Take a preconditioner as a user gives it: a name, an approximation, or M itself."""
    if isinstance(given, str):
        if given.lower() not in _NAMES:
            known = ", ".join(map(repr, _NAMES))
            msg = f"preconditioner = {given!r}: expected {known}, an operator or r -> M r"
            raise SettingsError(msg)
        return _NAMES[given.lower()]()
    check_object("preconditioner", given)
    if given is None:
        return None
    if not isinstance(given, Approximation):
        return Given(given)
    if not given.positive:
        name = type(given).__name__
        msg = (
            f"preconditioner = {name}() may be indefinite: expected a positive definite "
            "approximation, such as hessx.Jacobi(), hessx.LearntDiagonal() or hessx.LBFGS()"
        )
        raise SettingsError(msg)
    return given
