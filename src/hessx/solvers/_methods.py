"""The one table from names to compositions, and what SciPy's options mean for them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from hessx.core import SettingsError, Stopping
from hessx.globalization import Forcing, HagerZhang, RadiusRule
from hessx.hessians import LBFGS, Identity, NonlinearCG
from hessx.krylov import GLTR, TruncatedCG
from hessx.solvers._line_search_method import LineSearchMethod
from hessx.solvers._newton_cg import NewtonCG
from hessx.solvers._trust_region_method import TrustRegionMethod

__all__ = ["Plan", "known_methods", "plan"]

# Options that the driver or the oracle read, with SciPy's spellings beside hessx's own.
_STOPPING = {
    "gtol": "gtol",
    "gtol_rel": "gtol_rel",
    "norm": "norm",
    "ftol": "ftol",
    "xtol": "xtol",
    "maxiter": "max_iterations",
    "maxfun": "max_evaluations",
    "maxfev": "max_evaluations",
    "max_products": "max_products",
    "max_seconds": "max_seconds",
    "lower_limit": "lower_limit",
}
_OTHERS = ("eps", "finite_diff_rel_step", "disp", "iprint", "x_scale")


@dataclass(slots=True)
class Plan:
    """What a call of `minimize` comes down to.

    Attributes
    ----------
    solver, stopping : Solver, Stopping
        For `run`.
    rel_step, abs_step, x_scale : optional
        Of differences; see `DifferenceGradient`.
    progress : bool
        Show a bar.
    chosen : str
        What "auto" came down to, and why.
    """

    solver: Any
    stopping: Stopping
    rel_step: Any = None
    abs_step: Any = None
    x_scale: Any = 1.0
    progress: bool = False
    chosen: str = ""


@dataclass(frozen=True, slots=True)
class _Method:
    """A composition and the names of the options that shape its parts."""

    build: Callable[..., Any]
    options: tuple[str, ...] = ()
    tol: tuple[str, ...] = field(default=("gtol",))


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
    return LineSearchMethod(NonlinearCG(beta), HagerZhang(c1=c1, c2=c2, max_trials=maxls), x_scale)


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
        forcing=forcing or Forcing(),
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
        TruncatedCG(check_every=check_every),
        RadiusRule(initial=initial_trust_radius, largest=max_trust_radius, accept=eta),
        forcing or Forcing(),
        preconditioner,
        max_inner,
        x_scale,
    )


def _krylov(*, max_basis: int | None = None, **others: Any) -> TrustRegionMethod:
    part = GLTR() if max_basis is None else GLTR(max_basis=max_basis)
    return replace(_trust(**others), subproblem=part)


_INNER = ("forcing", "preconditioner", "max_inner", "check_every")
_REGION = ("initial_trust_radius", "max_trust_radius", "eta")
_LBFGS = _Method(_lbfgs, ("maxcor", "maxls", "hess_inv0", "damping", "c1", "c2"))
_TABLE = {
    "auto": _LBFGS,
    "lbfgs": _LBFGS,
    "l-bfgs-b": _Method(partial(_lbfgs, maxcor=10), _LBFGS.options, tol=("gtol", "ftol")),
    "cg": _Method(_conjugate, ("beta", "maxls", "c1", "c2")),
    "trust-ncg": _Method(_trust, (*_REGION, *_INNER)),
    "trust-krylov": _Method(_krylov, (*_REGION, *_INNER[:-1], "max_basis")),
    "newton-cg": _Method(_newton, ("maxls", "c1", "c2", *_INNER), tol=("gtol",)),
    "gd": _Method(_descent, ("maxls", "c1", "c2")),
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


def plan(
    method: Any,
    options: dict[str, Any] | None,
    tol: float | None,
    x_scale: Any,
    max_seconds: float | None,
    *,
    products: bool = False,
) -> Plan:
    """Turn ``method``, ``options`` and ``tol`` into a solver and its stopping rule.

    Parameters
    ----------
    method, options, tol, x_scale, max_seconds
        As given to `minimize`; the last two have precedence over ``options``, these over ``tol``.
    products : bool
        Whether hess or hessp was given: then "auto" is "trust-ncg", else "lbfgs".

    Returns
    -------
    Plan
        What to run.

    Raises
    ------
    ValueError
        An unknown method or option; the known ones are named.
    TypeError
        A method that is neither a name nor a composition.
    SettingsError
        A setting out of range.
    """
    method, chosen = _choose(method, products=products)
    given = dict(options or {})
    if tol is not None:
        for name in _tol_options(method):
            given.setdefault(name, tol)
    if max_seconds is not None:
        given["max_seconds"] = max_seconds
    if x_scale is not None:
        given["x_scale"] = x_scale
    entry = _find(method)
    own = entry.options if entry else ()
    stops, parts = {}, {}
    for name, setting in given.items():
        if name in own:
            parts[name] = setting
        elif name in _STOPPING:
            if setting is not None:
                stops[_STOPPING[name]] = setting
        elif name not in _OTHERS:
            known = ", ".join(sorted({*_STOPPING, *_OTHERS, *own}))
            msg = f"unknown option {name!r}: expected one of {known}"
            raise ValueError(msg)
    scale = given.get("x_scale", 1.0)
    if entry is None:
        solver = method
        if x_scale is not None:
            msg = "x_scale with a composition: give it to the composition itself"
            raise SettingsError(msg)
        scale = getattr(method, "x_scale", 1.0)
    else:
        solver = entry.build(x_scale=scale, **parts)
    return Plan(
        solver,
        Stopping(**stops),
        given.get("finite_diff_rel_step"),
        given.get("eps"),
        scale,
        bool(given.get("disp", False)),
        chosen,
    )


def _choose(method: Any, *, products: bool) -> tuple[Any, str]:
    """Decide what "auto" is, and say why."""
    if method is not None and not (isinstance(method, str) and method.lower() == "auto"):
        return method, ""
    if products:
        return "trust-ncg", "auto chose trust-ncg, as products with the Hessian are given"
    return "lbfgs", "auto chose lbfgs, as no products with the Hessian are given"


def _find(method: Any) -> _Method | None:
    if isinstance(method, str):
        entry = _TABLE.get(method.lower())
        if entry is None:
            msg = f"unknown method {method!r}: expected one of {', '.join(_TABLE)}"
            raise ValueError(msg)
        return entry
    missing = [name for name in ("init", "absorb", "propose") if not hasattr(method, name)]
    if missing:
        msg = (
            f"method is a {type(method).__name__}: expected a name "
            f"({', '.join(_TABLE)}) or a composition such as hessx.LineSearchMethod(...)"
        )
        raise TypeError(msg)
    return None


def _tol_options(method: Any) -> tuple[str, ...]:
    entry = _find(method)
    return ("gtol",) if entry is None else entry.tol
