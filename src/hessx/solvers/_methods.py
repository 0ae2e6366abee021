"""The one table from names to compositions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from hessx.core import check_object
from hessx.directions import PRECONDITIONERS, NewtonCG, NonlinearCG
from hessx.globalization import CubicRule, Forcing, NielsenRule
from hessx.hessians import (
    BFGS,
    DFP,
    LBFGS,
    LSR1,
    PSB,
    SR1,
    Approximation,
    Broyden,
    Exact,
    GaussNewton,
    Identity,
    Newton,
    SparseNewton,
    SSBroyden,
    Zero,
)
from hessx.krylov import GLTR, Dogleg, MoreSorensen, SteepestStep, TruncatedCG
from hessx.rules import Rule
from hessx.solvers._automatic import SMALLEST_LIMITED, automatic
from hessx.solvers._compositions import Method, along, within
from hessx.solvers._hints import hint
from hessx.solvers._second_order_names import SECOND_ORDER
from hessx.solvers._stochastic_method import StochasticMethod
from hessx.solvers._stochastic_names import STOCHASTIC
from hessx.solvers._switch_names import in_turn

__all__ = ["choose_method", "known_methods"]


def _newton_cg(*, check_every: int = 1, forcing: Any = None, **settings: Any) -> NewtonCG:
    part, rule = TruncatedCG(check_every=check_every), Forcing() if forcing is None else forcing
    return NewtonCG(subproblem=part, forcing=rule, **settings)


_START = ("hess_inv0", "damping")
_LIMITED = ("maxcor", *_START)
_INNER = ("forcing", "preconditioner", "max_inner", "check_every")
_dense = partial(within, solver=(), inner=())
_krylov = partial(within, subproblem=GLTR, solver=("max_basis",))
_LBFGS = along(LBFGS, *_LIMITED)
_TABLE = {
    "auto": _LBFGS,
    "lbfgs": _LBFGS,
    "l-bfgs-b": along(partial(LBFGS, memory=10), *_LIMITED, tol=("gtol", "ftol")),
    "bfgs": along(BFGS, *_START, "scaling"),
    "ssbfgs": along(partial(BFGS, scaling="al-baali"), *_START),
    "ssbroyden": along(SSBroyden, *_START),
    "broyden": along(Broyden, *_START, "phi", "scaling"),
    "dfp": along(DFP, *_START, "scaling"),
    "cg": along(NonlinearCG, "beta", c2=0.1, first_alpha=1.0),  # SciPy's
    "gd": along(Identity),
    "newton-cg": along(_newton_cg, *_INNER),
    "trust-ncg": within(Exact),
    "trust-krylov": _krylov(Exact),
    "arc": _krylov(Exact, region=CubicRule, rule=("eta",)),
    "newton": along(Newton, "repair"),
    "sparse-newton": along(SparseNewton, "pattern", "colouring", "check", "floor"),
    "trust-exact": _dense(partial(Exact, dense=True), subproblem=MoreSorensen),
    "lm": _dense(partial(GaussNewton, dense=True), subproblem=MoreSorensen),
    "lm-cg": within(GaussNewton, region=NielsenRule, rule=("eta",)),
    "dogleg": _dense(Newton, "repair", subproblem=Dogleg, solver=("double",)),
    "r2": _dense(Zero, subproblem=SteepestStep, region=NielsenRule, rule=("eta",)),
    "trust-bfgs": _dense(BFGS, *_START, "scaling", subproblem=Dogleg, solver=("double",)),
    "trust-lbfgs": _dense(LBFGS, *_LIMITED, subproblem=Dogleg, solver=("double",)),
    "trust-sr1": within(SR1, "hess0"),
    "sr1": within(SR1, "hess0"),
    "psb": within(PSB, "hess0"),
    "lsr1": within(LSR1, "maxcor", "hess0"),
    **STOCHASTIC,
    **SECOND_ORDER,
}
_TABLE |= in_turn(_TABLE)


def known_methods() -> list[str]:
    """Give the names that ``method`` takes.

    Examples
    --------
    >>> from hessx.solvers import known_methods
    >>> known_methods()  # doctest: +ELLIPSIS
    ['auto', 'lbfgs', 'l-bfgs-b', 'bfgs', ...]
    """
    return list(_TABLE)


def choose_method(
    method: Any,
    *,
    n: int = SMALLEST_LIMITED,
    products: bool,
    residuals: bool = False,
    learnt: Approximation | None = None,
    options: Iterable[str] = (),
) -> tuple[Method, str]:
    """Find what a name stands for, what "auto" does, and why; a composition stands for itself.

    Parameters
    ----------
    method : str, composition or None
        As given to `minimize`.
    n, products, residuals, learnt : int, bool, bool, Approximation
        By which "auto" goes, see `automatic`; n is many unless it is told.
    options : iterable of str
        Names that are given: "auto" is the first method that suits and takes all of them.

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
        names, reason = automatic(n, products=products, residuals=residuals, learnt=learnt)
        own = {name for name in options if any(name in _TABLE[m].options for m in names)}
        able = [m for m in names if own <= {*_TABLE[m].options}] or [*names]
        if able[0] != names[0]:
            reason = f"{names[0]} has not all of the options {', '.join(sorted(own))}"
        return _TABLE[able[0]], f"auto chose {able[0]}, as {reason}"
    if isinstance(method, str):
        entry = _TABLE.get(method.lower())
        if entry is None:
            text = hint(method.replace("_", "-"), _TABLE)
            if method.lower() in PRECONDITIONERS:
                text = (
                    " (a preconditioner, as in method='trust-ncg', options={'preconditioner': "
                    f"{method.lower()!r}}})"
                )
            msg = f"unknown method {method!r}{text}: expected one of {', '.join(_TABLE)}"
            raise ValueError(msg)
        return entry, ""
    check_object("method", method)
    if isinstance(method, Rule):
        who = type(method).__name__
        msg = f"method is the rule {who}: expected hessx.StochasticMethod({who}(...), rate=...)"
        raise TypeError(msg)
    if not all(hasattr(method, verb) for verb in ("init", "absorb", "propose")):
        msg = (
            f"method is a {type(method).__name__}: expected a name "
            f"({', '.join(_TABLE)}) or a composition such as hessx.LineSearchMethod(...)"
        )
        raise TypeError(msg)
    if isinstance(method, StochasticMethod):
        return Method(partial(replace, method), method.budget), ""
    return Method(lambda: method), ""
