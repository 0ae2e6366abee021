"""How a name's options become a composition."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from hessx.core import OptionWarning, Wants
from hessx.directions import DirectionRule, NonlinearCG
from hessx.globalization import Forcing, HagerZhang, RadiusRule, RestraintRule
from hessx.hessians import Approximation
from hessx.krylov import Subproblem, TruncatedCG
from hessx.solvers._line_search_method import LineSearchMethod
from hessx.solvers._switch_method import SwitchMethod
from hessx.solvers._trust_region_method import TrustRegionMethod

__all__ = ["FIELDS", "Method", "along", "learning", "within"]

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


def along(
    part: Callable[..., Approximation | DirectionRule],
    *own: str,
    c2: float = 0.9,
    first_alpha: float = math.inf,
    tol: tuple[str, ...] = ("gtol",),
) -> Method:
    """Give a line search along directions whose part has options of its ``own``."""

    def build(
        *, x_scale: Any = 1.0, maxls: int = 30, c1: float = 1e-4, c2: float = c2, **settings: Any
    ) -> LineSearchMethod:
        rule = HagerZhang(c1=c1, c2=c2, max_trials=maxls)
        return LineSearchMethod(part(**_named(settings)), rule, x_scale, first_alpha)

    return Method(build, (*own, "maxls", "c1", "c2"), tol)


def within(
    part: Callable[..., Approximation],
    *own: str,
    subproblem: Callable[..., Subproblem] = TruncatedCG,
    solver: tuple[str, ...] = ("check_every",),
    region: Callable[..., RestraintRule] = RadiusRule,
    rule: tuple[str, ...] = ("initial_trust_radius", "max_trust_radius", "eta"),
    inner: tuple[str, ...] = ("forcing", "preconditioner", "max_inner"),
) -> Method:
    """Give a model under a restraint: options of the approximation, its solver, and the rule."""

    def build(
        *, x_scale: Any = 1.0, forcing: Any = None, max_inner: int | None = None, **settings: Any
    ) -> TrustRegionMethod:
        take = partial(_taken, settings)
        others = take(("preconditioner",))
        return TrustRegionMethod(
            part(**take(own)),
            subproblem=subproblem(**take(solver)),
            region=region(**take(rule)),
            forcing=Forcing() if forcing is None else forcing,
            max_inner=max_inner,
            x_scale=x_scale,
            **others,
        )

    return Method(build, (*own, *rule, *inner, *solver))


def learning(solver: Any, B: Approximation) -> Any:
    """Put B in the place of the Hessian of a named method; others have no use for it."""
    if isinstance(solver, SwitchMethod):
        return replace(solver, second=learning(solver.second, B))
    part: Any = solver.direction if isinstance(solver, LineSearchMethod) else solver
    if isinstance(part, NonlinearCG) or Wants.HESSIAN not in part.approximation.wants:
        text = f"hess = {type(B).__name__}() means nothing to this method and is ignored"
        warnings.warn(text, OptionWarning, stacklevel=5)
        return solver
    part = replace(part, approximation=B)
    return replace(solver, direction=part) if isinstance(solver, LineSearchMethod) else part


def _taken(settings: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return _named({name: settings[name] for name in names if name in settings})


def _named(settings: dict[str, Any]) -> dict[str, Any]:
    return {FIELDS.get(name, name): setting for name, setting in settings.items()}
