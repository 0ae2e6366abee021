"""The one table from names to compositions."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from hessx.core import check_object
from hessx.directions import NewtonCG, NonlinearCG
from hessx.globalization import Forcing, HagerZhang, RadiusRule
from hessx.hessians import LBFGS, Identity
from hessx.krylov import GLTR, TruncatedCG
from hessx.solvers._line_search_method import LineSearchMethod
from hessx.solvers._trust_region_method import TrustRegionMethod

__all__ = ["FIELDS", "Method", "choose_method", "known_methods"]

# The settings for which an option has another name than the part has.
FIELDS = {
    "maxcor": "memory",
    "maxls": "max_trials",
    "initial_trust_radius": "initial",
    "max_trust_radius": "largest",
    "eta": "accept",
}


@dataclass(frozen=True, slots=True)
class Method:
    """A composition and the names of the options that shape its parts.

    Attributes
    ----------
    build : callable
        Makes the composition of x_scale and these options.
    options : tuple of str
        Their names.
    tol : tuple of str
        The options for which tol stands.
    usual : Solver
        What ``build`` makes without options: frozen settings, made once for all runs.
    """

    build: Callable[..., Any]
    options: tuple[str, ...] = ()
    tol: tuple[str, ...] = ("gtol",)
    usual: Any = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "usual", self.build())


def _lbfgs(
    *,
    x_scale: Any = 1.0,
    maxcor: int | None = None,
    maxls: int = 30,
    hess_inv0: Any = None,
    damping: float | None = None,
    c1: float = 1e-4,
    c2: float = 0.9,
) -> LineSearchMethod:
    part = LBFGS(memory=maxcor, hess_inv0=hess_inv0, damping=damping)
    return LineSearchMethod(part, HagerZhang(c1=c1, c2=c2, max_trials=maxls), x_scale)


def _conjugate(
    *, x_scale: Any = 1.0, beta: str = "hs+", maxls: int = 30, c1: float = 1e-4, c2: float = 0.1
) -> LineSearchMethod:
    rule = HagerZhang(c1=c1, c2=c2, max_trials=maxls)
    return LineSearchMethod(NonlinearCG(beta), rule, x_scale, first_alpha=1.0)  # SciPy's


def _descent(
    *, x_scale: Any = 1.0, maxls: int = 30, c1: float = 1e-4, c2: float = 0.9
) -> LineSearchMethod:
    return LineSearchMethod(Identity(), HagerZhang(c1=c1, c2=c2, max_trials=maxls), x_scale)


def _newton(
    *,
    x_scale: Any = 1.0,
    maxls: int = 30,
    c1: float = 1e-4,
    c2: float = 0.9,
    forcing: Any = None,
    preconditioner: Any = "learnt",
    max_inner: int | None = None,
    check_every: int = 1,
) -> LineSearchMethod:
    part = NewtonCG(
        subproblem=TruncatedCG(check_every=check_every),
        forcing=Forcing() if forcing is None else forcing,
        preconditioner=preconditioner,
        max_inner=max_inner,
    )
    return LineSearchMethod(part, HagerZhang(c1=c1, c2=c2, max_trials=maxls), x_scale)


def _trust(
    *,
    x_scale: Any = 1.0,
    initial_trust_radius: float | None = None,
    max_trust_radius: float = math.inf,
    eta: float = 1e-4,
    forcing: Any = None,
    preconditioner: Any = "learnt",
    max_inner: int | None = None,
    check_every: int = 1,
) -> TrustRegionMethod:
    return TrustRegionMethod(
        subproblem=TruncatedCG(check_every=check_every),
        region=RadiusRule(initial=initial_trust_radius, largest=max_trust_radius, accept=eta),
        forcing=Forcing() if forcing is None else forcing,
        preconditioner=preconditioner,
        max_inner=max_inner,
        x_scale=x_scale,
    )


def _krylov(*, max_basis: int | None = None, **others: Any) -> TrustRegionMethod:
    part = GLTR() if max_basis is None else GLTR(max_basis=max_basis)
    return replace(_trust(**others), subproblem=part)


_INNER = ("forcing", "preconditioner", "max_inner", "check_every")
_REGION = ("initial_trust_radius", "max_trust_radius", "eta")
_LBFGS = Method(_lbfgs, ("maxcor", "maxls", "hess_inv0", "damping", "c1", "c2"))
_TABLE = {
    "auto": _LBFGS,
    "lbfgs": _LBFGS,
    "l-bfgs-b": Method(partial(_lbfgs, maxcor=10), _LBFGS.options, tol=("gtol", "ftol")),
    "cg": Method(_conjugate, ("beta", "maxls", "c1", "c2")),
    "trust-ncg": Method(_trust, (*_REGION, *_INNER)),
    "trust-krylov": Method(_krylov, (*_REGION, *_INNER[:-1], "max_basis")),
    "newton-cg": Method(_newton, ("maxls", "c1", "c2", *_INNER)),
    "gd": Method(_descent, ("maxls", "c1", "c2")),
}


def known_methods() -> list[str]:
    """Give the names that ``method`` takes.

    Examples
    --------
    >>> from hessx.solvers import known_methods
    >>> known_methods()
    ['auto', 'lbfgs', 'l-bfgs-b', 'cg', 'trust-ncg', 'trust-krylov', 'newton-cg', 'gd']
    """
    return list(_TABLE)


def choose_method(method: Any, *, products: bool) -> tuple[Method, str]:
    """Find what a name stands for, what "auto" does, and why; a composition stands for itself.

    Parameters
    ----------
    method : str, composition or None
        As given to `minimize`.
    products : bool
        Whether hess or hessp was given: then "auto" is "trust-ncg", else "lbfgs".

    Returns
    -------
    method, chosen : Method, str
        What to build, and what "auto" came down to; "" where a method was given.

    Raises
    ------
    ValueError
        An unknown name.
    TypeError
        Neither a name nor a composition.
    SettingsError
        The class of a composition.
    """
    if method is None or (isinstance(method, str) and method.lower() == "auto"):
        name, there = ("trust-ncg", "") if products else ("lbfgs", "no ")
        why = f"auto chose {name}, as {there}products with the Hessian are given"
        return _TABLE[name], why
    if isinstance(method, str):
        entry = _TABLE.get(method.lower())
        if entry is None:
            msg = f"unknown method {method!r}: expected one of {', '.join(_TABLE)}"
            raise ValueError(msg)
        return entry, ""
    check_object("method", method)
    if not all(hasattr(method, verb) for verb in ("init", "absorb", "propose")):
        msg = (
            f"method is a {type(method).__name__}: expected a name "
            f"({', '.join(_TABLE)}) or a composition such as hessx.LineSearchMethod(...)"
        )
        raise TypeError(msg)
    return Method(lambda: method), ""
