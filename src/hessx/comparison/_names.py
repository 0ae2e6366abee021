"""What ``approximations`` may be: names, approximations, rules, operators, functions of x."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from hessx.comparison._layers import gauss_newton_of, layers_of, squared_diagonal_of
from hessx.comparison._learners import CurvatureLearner, Learner
from hessx.comparison._place import Place, Problem
from hessx.comparison._points import PointLearner
from hessx.comparison._rules import RuleLearner
from hessx.core import SettingsError, Wants
from hessx.globalization import HagerZhang
from hessx.hessians import (
    BFGS,
    DFP,
    EKFAC,
    KFAC,
    LBFGS,
    LDFP,
    LSR1,
    PSB,
    SOAP,
    SR1,
    Approximation,
    Broyden,
    DiagonalBFGS,
    DiagonalPSB,
    Exact,
    Fisher,
    GaussNewton,
    Hutchinson,
    Identity,
    Jacobi,
    Newton,
    NewtonSketch,
    Nystrom,
    Shampoo,
    Spectral,
    SSBroyden,
    WeakSecant,
    as_approximation,
)
from hessx.rules import (
    SGD,
    Adagrad,
    AdaHessian,
    Adam,
    Adamax,
    Preconditioned,
    RMSProp,
    Rule,
    SophiaG,
    SophiaH,
)
from hessx.solvers import LineSearchMethod, StochasticMethod, TrustRegionMethod

__all__ = ["known_approximations", "taken_approximations"]

_SMALL = 1e-12  # damping that is of no account, of factors near 1

# name: settings, and the rate of its own steps where they have one
_APPROXIMATIONS: dict[str, tuple[Callable[[], Any], float]] = {
    "gd": (Identity, math.nan),
    "exact": (Exact, math.nan),
    "newton": (Newton, math.nan),
    "bfgs": (BFGS, math.nan),
    "ssbfgs": (partial(BFGS, scaling="al-baali"), math.nan),
    "dfp": (DFP, math.nan),
    "broyden": (Broyden, math.nan),
    "ssbroyden": (SSBroyden, math.nan),
    "sr1": (SR1, math.nan),
    "psb": (PSB, math.nan),
    "lbfgs": (LBFGS, math.nan),
    "ldfp": (LDFP, math.nan),
    "lsr1": (LSR1, math.nan),
    "spectral": (Spectral, math.nan),
    "diagonal-bfgs": (DiagonalBFGS, math.nan),
    "diagonal-psb": (DiagonalPSB, math.nan),
    "weak-secant": (WeakSecant, math.nan),
    "jacobi": (Jacobi, math.nan),
    "hutchinson": (Hutchinson, math.nan),
    "nystrom": (Nystrom, math.nan),
    "shampoo": (Shampoo, 0.1),
    "soap": (SOAP, 0.01),
    "kfac": (partial(KFAC, damping=_SMALL, beta=0.0), 0.1),
    "ekfac": (partial(EKFAC, damping=_SMALL, beta=0.0), 0.03),
    "fisher": (partial(Fisher, damping=_SMALL), 1e-3),
    "newton-sketch": (partial(NewtonSketch, damping=_SMALL), 1.0),
}
_RULES: dict[str, tuple[Callable[[], Rule], float]] = {
    "adam": (Adam, 0.01),
    "amsgrad": (partial(Adam, amsgrad=True), 0.01),
    "adamax": (Adamax, 0.01),
    "rmsprop": (RMSProp, 0.01),
    "adagrad": (Adagrad, 0.1),
    "adahessian": (AdaHessian, 0.1),
    "sophia-h": (SophiaH, 0.01),
    "sophia-g": (SophiaG, 0.01),
}
_OF_MODELS: dict[str, Callable[[Place], Any]] = {
    "gauss-newton": gauss_newton_of,
    "layers": layers_of,
    "diagonal": squared_diagonal_of,
}


def known_approximations() -> list[str]:
    """Give the names that ``approximations`` takes.

    Examples
    --------
    >>> from hessx.comparison import known_approximations
    >>> known_approximations()[:4]
    ['gd', 'exact', 'newton', 'bfgs']
    """
    return [*_APPROXIMATIONS, *_RULES, *_OF_MODELS]


def taken_approximations(
    problem: Problem, given: Any, rates: Mapping[str, float], draws: int, seed: int
) -> list[Learner]:
    """Take what was given.

    Parameters
    ----------
    problem : Problem
        Whose Hessian it is about.
    given : sequence or dict
        Names, or what stands for itself: `Approximation`, a rule or a list of them, an operator or
        matrix, or a function of x that gives one.  A dict gives names to them.
    rates : dict
        Of own steps, by names.
    draws, seed : int
        Of labels.

    Raises
    ------
    SettingsError
        An unknown name, a name that comes twice, or what fun does not offer.
    """
    if isinstance(given, str | Approximation | Rule):
        given = [given]
    if not isinstance(given, Iterable):
        msg = f"approximations is a {type(given).__name__}: expected names, as in ['bfgs', 'gd']"
        raise SettingsError(msg)
    pairs = [*given.items()] if isinstance(given, Mapping) else [(_name(g), g) for g in given]
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        what = f"has {', '.join(twice)} twice" if twice else "is empty"
        msg = f"approximations {what}: expected a name for each, as in {{'first': hessx.BFGS()}}"
        raise SettingsError(msg)
    unknown = [name for name in rates if name not in names]
    if unknown:
        msg = f"rates has {unknown[0]!r}: expected some of {', '.join(names)}"
        raise SettingsError(msg)
    learners = [_learner(problem, name, g, rates.get(name), draws, seed) for name, g in pairs]
    for learner in learners:
        problem.check_offers(learner.name, learner.wants)
    return learners


def _name(given: Any) -> str:
    if isinstance(given, str):
        return given.lower()
    if isinstance(given, list | tuple) and given:
        return " ".join(map(_name, given))
    return getattr(given, "__name__", type(given).__name__)


def _learner(
    problem: Problem, name: str, given: Any, rate: float | None, draws: int, seed: int
) -> Learner:
    if isinstance(given, str):
        given = given.lower()
        if given == "gauss-newton" and problem.model is None:
            return CurvatureLearner(name, GaussNewton(), _own_method(problem, GaussNewton(), 1.0))
        if given in _OF_MODELS:
            return _of_model(problem, name, given)
        if given in _RULES:
            make, usual = _RULES[given]
            return _of_rules(problem, name, make(), usual if rate is None else rate)
        if given not in _APPROXIMATIONS:
            known = ", ".join(known_approximations())
            msg = f"unknown approximation {given!r}: expected some of {known}"
            raise SettingsError(msg)
        settings, usual = _APPROXIMATIONS[given]
        method = _own_method(problem, settings(), usual if rate is None else rate)
        return CurvatureLearner(name, settings(), method, draws, seed)
    strategy = as_approximation(given)
    if strategy is not None:
        return CurvatureLearner(
            name, strategy, _own_method(problem, strategy, rate or 0.1), draws, seed
        )
    if isinstance(given, Rule) or _are_rules(given):
        return _of_rules(problem, name, given, rate or 0.01)
    if callable(given) and not hasattr(given, "matvec"):
        shaped = problem.space.shaped
        return PointLearner(name, lambda place: given(shaped(place.x)))
    return PointLearner(name, lambda place: given)  # noqa: ARG005


def _are_rules(given: Any) -> bool:
    return isinstance(given, list | tuple) and all(isinstance(part, Rule) for part in given)


def _of_rules(problem: Problem, name: str, rules: Any, rate: float) -> Learner:
    method = StochasticMethod(rules, rate, batch_size=problem.batch_size or "full")
    rules = method.rules
    if len(rules) == 1 and isinstance(rules[0], Preconditioned):
        return CurvatureLearner(name, rules[0].approximation, method, seed=rules[0].seed)
    if all(isinstance(rule, SGD) for rule in rules):
        return CurvatureLearner(name, Identity(), method)
    return RuleLearner(name, rules, method)


def _of_model(problem: Problem, name: str, given: str) -> Learner:
    if problem.model is None:
        msg = f"{name} is made of a model: expected one of hessx.models in the place of fun"
        raise SettingsError(msg)
    return PointLearner(name, _OF_MODELS[given])


def _own_method(problem: Problem, approximation: Approximation, rate: float) -> Any:
    """Give the composition in which an approximation is at home; None where there is none."""
    if approximation.stochastic:
        return StochasticMethod(
            Preconditioned(approximation, beta=0.0), rate, batch_size=problem.batch_size or "full"
        )
    if Wants.RESIDUAL in approximation.wants or not approximation.positive:
        return TrustRegionMethod(approximation)
    return LineSearchMethod(approximation, HagerZhang())
