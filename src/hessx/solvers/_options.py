"""What options and tol mean for a method, in SciPy's spellings and hessx's own."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

from hessx._xp import plain
from hessx.core import OptionWarning, SettingsError, Stopping, check_flag
from hessx.hessians import Approximation
from hessx.solvers._automatic import SMALLEST_LIMITED
from hessx.solvers._compositions import FIELDS, learning
from hessx.solvers._hints import hint
from hessx.solvers._methods import choose_method
from hessx.solvers._stochastic_method import StochasticMethod
from hessx.solvers._stochastic_options import within_parts, within_steps
from hessx.solvers._switch_method import SwitchMethod

__all__ = ["Plan", "plan"]

# Options of every method: those that end a run, with the fields of `Stopping`, and others.
_STOPPING = {
    "gtol": "gtol",
    "gtol_rel": "gtol_rel",
    "norm": "norm",
    "ftol": "ftol",
    "xtol": "xtol",
    "xrtol": "xrtol",
    "maxiter": "max_iterations",
    "maxfun": "max_evaluations",
    "maxfev": "max_evaluations",
    "max_products": "max_products",
    "max_seconds": "max_seconds",
    "lower_limit": "lower_limit",
}
_OTHERS = ("eps", "finite_diff_rel_step", "disp", "return_all", "x_scale")

# Options of SciPy's for methods of these names that mean nothing here, with the defaults that ask
# for nothing.
_IGNORED = {
    "hess_inv0": None,
    "inexact": True,
    "iprint": -1,
    "subproblem_maxiter": None,
    "workers": None,
}

_USUAL = Stopping()


@dataclass(slots=True)
class Plan:
    """What a call of `minimize` comes down to.

    Attributes
    ----------
    solver, stopping : Solver, Stopping
        For `Run`.
    rel_step, abs_step, x_scale : optional
        Of differences; see `DifferenceGradient`.
    progress, points : bool
        Show a bar; collect the accepted points.
    chosen : str
        What "auto" came down to, and why.
    """

    solver: Any
    stopping: Stopping
    rel_step: Any = None
    abs_step: Any = None
    x_scale: Any = 1.0
    progress: bool = False
    points: bool = False
    chosen: str = ""


def plan(
    method: Any,
    options: dict[str, Any] | None,
    tol: float | None,
    x_scale: Any,
    max_seconds: float | None,
    *,
    n: int = SMALLEST_LIMITED,
    products: bool = False,
    residuals: bool = False,
    learnt: Approximation | None = None,
) -> Plan:
    """Turn ``method``, ``options`` and ``tol`` into a solver and its stopping rule.

    Parameters
    ----------
    method, options, tol, x_scale, max_seconds
        As given to `minimize`; the last two have precedence over ``options``, these over ``tol``.
    n, products, residuals : int, bool, bool
        Variables, whether hess or hessp was given, and whether fun is a sum of squares: by these
        "auto" goes; n is many unless it is told.
    learnt : Approximation, optional
        Given as hess: it takes the place of the exact Hessian.

    Returns
    -------
    Plan
        What to run.

    Raises
    ------
    ValueError
        An unknown method or option; the known ones are named.
    TypeError
        A method that is neither a name nor a composition, or options that are no dict.
    SettingsError
        A setting out of range, by the name that it was given.

    Warns
    -----
    OptionWarning
        An option of SciPy's that means nothing here, with a method given by name, or a hess that
        is learnt where the method uses no Hessian.
    """
    given = _as_given(options)
    entry, chosen = choose_method(
        method, n=n, products=products, residuals=residuals, learnt=learnt, options=given
    )
    named = method is None or isinstance(method, str)
    if max_seconds is not None:
        given["max_seconds"] = max_seconds
    if x_scale is not None:
        given["x_scale"] = plain(x_scale)
    if "x_scale" in given and not named:
        msg = "x_scale with a composition: give it to the composition itself"
        raise SettingsError(msg)
    if learnt is not None and not named:
        msg = f"hess = {type(learnt).__name__}() with a composition: give it to the composition "
        raise SettingsError(msg + "itself, as in hessx.TrustRegionMethod(hessx.BFGS())")
    stops: dict[str, Any] = {}
    parts: dict[str, Any] = {}
    names: dict[str, str] = {}  # of the settings, as the user wrote them
    if tol is not None:
        stops = dict.fromkeys(entry.tol, tol)
        names = dict.fromkeys(entry.tol, "tol")
    for name, setting in given.items():
        if name in entry.options:
            parts[name] = setting
            names[FIELDS.get(name, name)] = name
        elif name in _STOPPING:
            if setting is not None:
                stops[_STOPPING[name]] = setting
                names[_STOPPING[name]] = name
        elif named and name in _IGNORED:
            default = _IGNORED[name]
            if setting is not default and not (isinstance(setting, Real) and setting == default):
                text = f"option {name!r} of SciPy's means nothing to this method and is ignored"
                warnings.warn(text, OptionWarning, stacklevel=4)
        elif name not in _OTHERS:
            known = sorted({*_STOPPING, *_OTHERS, *entry.options})
            msg = f"unknown option {name!r}{hint(name, known)}: expected one of {', '.join(known)}"
            raise ValueError(f"{msg} ({chosen})" if chosen else msg)
    if "x_scale" in given:
        parts["x_scale"] = given["x_scale"]
    try:
        solver = entry.build(**parts) if parts else entry.usual
        if learnt is not None:
            names["approximation"] = "hess"
            solver = learning(solver, learnt)
        if isinstance(solver, StochasticMethod):
            solver, stops = within_steps(solver, stops)
        elif isinstance(solver, SwitchMethod) and solver.sampled:
            stops = within_parts(stops)
        stopping = Stopping(**stops) if stops else _USUAL
    except SettingsError as error:
        raise SettingsError(_named_as_given(str(error), names)) from None
    return Plan(
        solver,
        stopping,
        given.get("finite_diff_rel_step"),
        given.get("eps"),
        getattr(solver, "x_scale", 1.0),
        _switched_on(given, "disp"),
        _switched_on(given, "return_all"),
        chosen,
    )


def _as_given(options: Any) -> dict[str, Any]:
    """Copy the options, with Python's numbers for NumPy's."""
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        example = '{"maxiter": 100}'
        msg = f"options is a {type(options).__name__}: expected a dict, such as {example}, or None"
        raise TypeError(msg)
    return {name: plain(setting) for name, setting in options.items()}


def _switched_on(given: dict[str, Any], name: str) -> bool:
    setting = given.get(name)
    if name == "disp" and isinstance(setting, int):  # SciPy's levels of output
        return setting != 0
    return setting is not None and check_flag(name, setting)


def _named_as_given(text: str, names: dict[str, str]) -> str:
    """Name the settings of an error as the user did, not by their fields."""
    return re.sub(r"\w+", lambda word: names.get(word[0], word[0]), text)
