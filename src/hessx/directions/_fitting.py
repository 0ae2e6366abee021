"""What a composition is made of: checked when it is made, with what would do instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from hessx.core import (
    Frame,
    Learns,
    Offer,
    Restraint,
    SettingsError,
    Wants,
    check_object,
    check_part,
    store_integer,
)
from hessx.directions._matching import check_match, shown
from hessx.globalization import ForcingRule
from hessx.hessians import (
    DEFAULT_BYTES,
    Approximation,
    Curvature,
    Given,
    Hutchinson,
    Jacobi,
    LearntDiagonal,
    Nystrom,
    PairPreconditioner,
    check_size,
)
from hessx.krylov import Subproblem

__all__ = [
    "PRECONDITIONERS",
    "NewtonSettings",
    "begun",
    "check_approximation",
    "evidence_of",
    "settle_newton",
]

PRECONDITIONERS: dict[str, Callable[[], Approximation]] = {
    "hutchinson": Hutchinson,
    "jacobi": Jacobi,
    "learnt": LearntDiagonal,
    "nystrom": Nystrom,
    "pairs": PairPreconditioner,
}


class NewtonSettings(Protocol):
    """Settings that a line search and a region share."""

    @property
    def approximation(self) -> Approximation:
        """What B is."""
        ...

    @property
    def subproblem(self) -> Subproblem:
        """What solves the models."""
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


def check_approximation(name: str, given: Any, *, preconditions: bool = False) -> None:
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
    if isinstance(given, Subproblem):
        known = "an approximation; a subproblem is given by name, subproblem="
    check_part(name, given, Approximation, known)
    if not (isinstance(given.offers, Offer) and isinstance(given.learns, Learns)):
        msg = (
            f"{type(given).__name__} has offers = {given.offers!r} and learns = {given.learns!r}: "
            "expected members of hessx.Offer and hessx.Learns"
        )
        raise SettingsError(msg)
    if given.stochastic:
        kind = type(given).__name__
        msg = (
            f"{name} = {kind}(...) learns from {given.learns.value}: expected "
            f"hessx.StochasticMethod with the rule hessx.Preconditioned({kind}(...)), or an "
            "approximation that learns from steps, such as hessx.LBFGS()"
        )
        raise SettingsError(msg)
    if given.only_preconditions and not preconditions:
        kind = type(given).__name__
        msg = (
            f"{name} = {kind}(...) learns from the solves that it preconditions, and would stay I: "
            "expected preconditioner = it, or hessx.LBFGS(), hessx.BFGS(), or "
            "hessx.LearntDiagonal(patient=False)"
        )
        raise SettingsError(msg)


def begun(approximation: Approximation, frame: Frame, needs: Offer) -> Curvature:
    """Begin a run, in which ``needs`` will be asked for at each step.

    Raises
    ------
    SettingsError
        What is needed as a matrix would be one of more bytes than are allowed.
    TypeError
        ``begin`` of one's own gives something else.
    """
    part, name = approximation.begin(frame), type(approximation).__name__
    if not isinstance(part, Curvature):
        msg = f"begin of {name} gave a {type(part).__name__}: expected a hessx.Curvature"
        raise TypeError(msg)
    if Offer.DENSE in needs:
        most = getattr(approximation, "max_bytes", DEFAULT_BYTES)
        instead = "what needs products with B alone, such as subproblem = hessx.TruncatedCG()"
        check_size(frame.space, f"the dense form of {name}(...)", instead, most)
    part.focus(needs)
    return part


def evidence_of(settings: NewtonSettings) -> Wants:
    """What is asked for at accepted points: the Hessian, the residual, or nothing.

    M takes what B takes: the residual stands for the Hessian J'J.
    """
    B, M = settings.approximation, settings.preconditioner
    return B.wants or (M.wants if isinstance(M, Approximation) else Wants.NOTHING)


def settle_newton(method: Any, restraint: type[Restraint]) -> None:
    """Check what a method has of `NewtonSettings`, and store what stands for something else.

    Parameters
    ----------
    method : NewtonCG or TrustRegionMethod
        Whose settings they are.
    restraint : type
        Under which it puts its models.

    Raises
    ------
    SettingsError
        One of them is out of range or no such part, or they do not fit together.
    """
    check_approximation("approximation", method.approximation)
    solvers = (
        "hessx.TruncatedCG(), hessx.GLTR(), hessx.MoreSorensen(), hessx.Dogleg() or a "
        "hessx.Subproblem of your own"
    )
    check_part("subproblem", method.subproblem, Subproblem, solvers)
    check_match(method.subproblem, restraint, method.approximation)
    terms = "hessx.Forcing() or hessx.EisenstatWalker()"
    check_part("forcing", method.forcing, ForcingRule, terms)
    store_integer(method, "max_inner", 1)
    part = _as_preconditioner(method.preconditioner)
    if not method.subproblem.preconditioned:
        _check_no_preconditioner(part, method.subproblem)
        part = None
    if (
        part is not None
        and part.wants is Wants.RESIDUAL
        and method.approximation.wants
        not in (
            Wants.RESIDUAL,
            Wants.NOTHING,
        )
    ):
        msg = (
            f"preconditioner = {type(part).__name__}(...) is made of the residual, and "
            f"approximation = {shown(method.approximation)} of the Hessian: expected "
            "approximation = hessx.GaussNewton(), or another preconditioner"
        )
        raise SettingsError(msg)
    object.__setattr__(method, "preconditioner", part)
    if part is not None and part.learns is Learns.PRODUCTS and not method.subproblem.learns:
        msg = (
            "preconditioner = PairPreconditioner(...) learns from pairs, of which subproblem = "
            f"{type(method.subproblem).__name__}(...) hands none back: expected "
            "hessx.TruncatedCG(), or another preconditioner, such as hessx.LearntDiagonal()"
        )
        raise SettingsError(msg)


def _check_no_preconditioner(M: Approximation | None, subproblem: Subproblem) -> None:
    """Refuse a preconditioner where norms are 2-norms, unless it is the default.

    Raises
    ------
    SettingsError
        One was given.
    """
    if M is None or LearntDiagonal() == M:
        return
    msg = (
        f"preconditioner = {type(M).__name__}(...): subproblem = {type(subproblem).__name__}(...) "
        "works without products and in the 2-norm: expected preconditioner = None, or subproblem = "
        "hessx.TruncatedCG() or hessx.GLTR(); an array x_scale gives variables their sizes"
    )
    raise SettingsError(msg)


def _as_preconditioner(given: Any) -> Approximation | None:
    """Take a preconditioner as a user gives it: a name, an approximation, or M itself."""
    if isinstance(given, str):
        if given.lower() not in PRECONDITIONERS:
            known = ", ".join(map(repr, PRECONDITIONERS))
            msg = (
                f"preconditioner = {given!r}: expected {known}, an approximation such as "
                "hessx.LBFGS(), an operator or r -> M r"
            )
            raise SettingsError(msg)
        return PRECONDITIONERS[given.lower()]()
    check_object("preconditioner", given)
    if given is None:
        return None
    if not isinstance(given, Approximation):
        return Given(given)
    check_approximation("preconditioner", given, preconditions=True)
    if not given.positive:
        name = type(given).__name__
        msg = (
            f"preconditioner = {name}() may be indefinite: expected a positive definite "
            "approximation, such as hessx.Jacobi(), hessx.LearntDiagonal() or hessx.LBFGS()"
        )
        raise SettingsError(msg)
    return given
