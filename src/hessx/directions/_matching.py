"""Which subproblem goes with which restraint and approximation, and what would fit instead."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from numbers import Real

from hessx.core import Ball, Cubic, Damped, Free, Offer, Restraint, SettingsError
from hessx.hessians import Approximation, GaussNewton, Sparse, Zero
from hessx.krylov import GLTR, MoreSorensen, SteepestStep, Subproblem, TruncatedCG

__all__ = ["check_match", "definite", "shown"]

_SUBPROBLEMS = (TruncatedCG, GLTR, MoreSorensen, SteepestStep)
_OFFERING = {
    Offer.DENSE: "hessx.Exact(dense=True), hessx.Newton(), hessx.BFGS() or hessx.SR1()",
    Offer.SHIFTED: "hessx.Newton()",
}
_SOLVING = "hessx.Newton(), hessx.BFGS() or hessx.LBFGS()"
_SOLVED_FOR = ", which is solved for where B is positive definite only"
_OWN = "a hessx.Subproblem of your own that takes it"
_RULES = {
    Ball: "hessx.RadiusRule()",
    Damped: "hessx.NielsenRule()",
    Cubic: "hessx.CubicRule()",
}


def check_match(subproblem: Subproblem, restraint: type[Restraint], B: Approximation) -> None:
    """Refuse parts that do not fit together.

    Raises
    ------
    SettingsError
        The subproblem knows nothing of the restraint, or asks more of B than it has.
    """
    _check_restraint(subproblem, restraint, B)
    _check_positive(subproblem, restraint, B)
    _check_offers(subproblem, restraint, B)


def _missing(subproblem: Subproblem | type[Subproblem], B: Approximation) -> Offer:
    """Give what a subproblem needs, and B neither offers nor can be solved for."""
    missing = subproblem.needs & ~B.offers
    return Offer(0) if B.positive and missing in Offer.SOLVE | Offer.MATVEC else missing


def _suits(subproblem: Subproblem | type[Subproblem], B: Approximation) -> bool:
    """Whether a subproblem works with B, be the restraint as it may."""
    if SteepestStep in (subproblem, type(subproblem)):
        return isinstance(B, Zero)
    return (B.positive or not subproblem.positive) and not _missing(subproblem, B)


def _subproblems(restraint: type[Restraint], B: Approximation) -> list[str]:
    """Name the subproblems that fit the restraint and B."""
    names = [
        f"hessx.{kind.__name__}()"
        for kind in _SUBPROBLEMS
        if issubclass(restraint, kind.takes) and _suits(kind, B)
    ]
    return [f"subproblem = {' or '.join(names)}"] if names else []


def _check_offers(subproblem: Subproblem, restraint: type[Restraint], B: Approximation) -> None:
    """Refuse a B that does not offer what the subproblem needs, nor can be solved for it."""
    if isinstance(subproblem, SteepestStep) and not isinstance(B, Zero):
        fits = ", or ".join(["approximation = hessx.Zero()", *_subproblems(restraint, B)])
        msg = (
            f"subproblem = SteepestStep() leaves B out, and approximation = {shown(B)} is more "
            f"than 0: expected {fits}"
        )
        raise SettingsError(msg)
    missing = _missing(subproblem, B)
    if not missing:
        return
    solved = "" if Offer.DENSE in missing or Offer.SHIFTED in missing else _SOLVED_FOR
    fits = next((names for offer, names in _OFFERING.items() if offer in missing), _SOLVING)
    if isinstance(B, GaussNewton):
        fits = "hessx.GaussNewton(dense=True), with damping > 0 where B^-1 is needed"
    others = ", or ".join([f"one that offers it, such as {fits}", *_subproblems(restraint, B)])
    msg = (
        f"approximation = {shown(B)} offers {B.offers}, and subproblem = "
        f"{type(subproblem).__name__}(...) needs {subproblem.needs}{solved}: expected {others}"
    )
    raise SettingsError(msg)


def _check_positive(subproblem: Subproblem, restraint: type[Restraint], B: Approximation) -> None:
    """Refuse a B that may be indefinite where that ends the path of a subproblem."""
    if subproblem.positive and not B.positive:
        msg = (
            f"approximation = {shown(B)} may be indefinite, and subproblem = "
            f"{type(subproblem).__name__}(...) needs a positive definite one: expected "
            f"{', or '.join([definite(B) or _SOLVING, *_subproblems(restraint, B)])}"
        )
        raise SettingsError(msg)


def definite(B: Approximation) -> str | None:
    """Name what makes a positive definite matrix of the same, where there is such."""
    if isinstance(B, GaussNewton):
        return "hessx.GaussNewton(dense=True, damping=...) with a damping > 0"
    return f"hessx.SparseNewton{shown(B).removeprefix('Sparse')}" if isinstance(B, Sparse) else None


def shown(B: Approximation) -> str:
    """Name B with the settings that are not the default."""
    name = type(B).__name__
    if not is_dataclass(B):
        return f"{name}()"
    given = [(f.name, getattr(B, f.name)) for f in fields(B)]
    usual = {f.name: f.default for f in fields(B)}
    return f"{name}({', '.join(f'{n}={_brief(v)}' for n, v in given if v is not usual[n])})"


def _brief(setting: object) -> str:
    if isinstance(setting, Approximation):
        return shown(setting)
    return repr(setting) if isinstance(setting, Real | str) else "..."


def _check_restraint(subproblem: Subproblem, restraint: type[Restraint], B: Approximation) -> None:
    """Refuse a subproblem that knows nothing of the restraint."""
    if issubclass(restraint, subproblem.takes):
        return
    takes = ", ".join(kind.__name__ for kind in subproblem.takes)
    fits = _subproblems(restraint, B)
    rules = [_RULES[kind] for kind in subproblem.takes if kind in _RULES]
    if rules and restraint is not Free and _suits(subproblem, B):
        fits.append(f"region = {' or '.join(rules)}")
    msg = (
        f"subproblem = {type(subproblem).__name__}(...) takes {takes}, and models are under "
        f"{restraint.__name__}: expected {', or '.join(fits) or _OWN}"
    )
    raise SettingsError(msg)
