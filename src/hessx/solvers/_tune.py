"""Rates and other settings that nobody knows beforehand: draws, grids, successive halving."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

from hessx.core import Result, SettingsError, check_flag, check_integer, check_object
from hessx.solvers._methods import choose_method
from hessx.solvers._minimize import minimize
from hessx.solvers._trials import Tuning, check_ranges, drawn, gridded, rounds, search

__all__ = ["tune", "tune_runs"]

_STRATEGIES = ("halving", "random", "grid")
_UNITS = {"maxfun": "evaluations", "maxfev": "evaluations", "maxiter": "iterations"}


def tune_runs(
    run: Callable[[dict[str, Any], int, Any], Any],
    ranges: Mapping[str, Any],
    *,
    trials: int = 20,
    budget: int,
    unit: str = "epochs",
    strategy: str = "halving",
    halving: int | None = 2,
    score: Callable[[Any], Any] | None = None,
    seed: int = 0,
) -> Tuning:
    """Find good settings of runs: random search with successive halving, or one round of trials.

    All trials begin with an equal part of the budget; the better 1 / halving of them go on with
    as large a part together, and so forth.

    Parameters
    ----------
    run : callable
        ``run(settings, epochs, before)``: a run with these settings to the given number of epochs,
        or of whatever the budget counts, from its start.  ``before`` is what the trial's last call
        has returned, None at first: a run that is taken up there computes no epoch twice.  It
        returns a `Result`, or the score.
    ranges : dict
        By setting: a tuple (low, high), 0 < low < high, of which the logarithm is drawn uniformly,
        or a list of choices.
    trials : int
        Settings to draw, >= 1; of a grid the most points.
    budget : int
        Epochs of all trials together, never exceeded; at least ``trials`` for each round.
    unit : str
        What the budget counts, for the table.
    strategy : {"halving", "random", "grid"}
        Draws whose better part goes on; draws that all have one round; one round of points that
        are equally far from each other, in the logarithm of a range.
    halving : int, optional
        Of the trials 1 / halving go on after each round, >= 2; None: as ``strategy="random"``.
    score : callable, optional
        ``score(returned)``: a number of the host, smaller is better.  By default ``result.fun``, or
        what was returned.
    seed : int
        Of the draws, >= 0.  The first k draws do not depend on how many follow.

    Returns
    -------
    Tuning
        All trials, the best one and its settings.

    Raises
    ------
    SettingsError
        A range, budget or setting that cannot be meant; what ``run`` raises passes, but for
        arithmetic errors.

    Notes
    -----
    A trial whose score is not finite, that fails or overflows counts as inf, and does not go on.
    Rounds: the least r with halving^r >= trials; each gets budget / r.  Of the budget is left what
    the trials of the last round cannot share.  Ctrl-C ends the search, with what is known by then.
    A schedule whose duration is that of the run changes when the run is given more epochs: state
    its duration, or use ``halving=None``.

    References
    ----------
    Jamieson & Talwalkar (2016), Non-stochastic best arm identification and hyperparameter
    optimization, AISTATS, figure 3; Li et al. (2018), Hyperband, JMLR 18, algorithm 1, inner loop;
    Bergstra & Bengio (2012), Random search for hyper-parameter optimization, JMLR 13.

    Examples
    --------
    >>> import hessx
    >>> def run(settings, epochs, before):
    ...     return (settings["rate"] / 0.03 - 1) ** 2 + 1 / epochs
    >>> found = hessx.tune_runs(run, {"rate": (1e-4, 1.0)}, trials=16, budget=128)
    >>> 0.01 < found.settings["rate"] < 0.1, found.best.spent, found.spent
    (True, 30, 128)
    """
    check_object("run", run)
    trials, budget = check_integer("trials", trials, 1), check_integer("budget", budget, 1)
    halving = None if halving is None else check_integer("halving", halving, 2)
    if strategy not in _STRATEGIES:
        msg = f"strategy = {strategy!r}: expected one of {', '.join(map(repr, _STRATEGIES))}"
        raise SettingsError(msg)
    ranges = check_ranges(ranges)
    draws = [*islice(drawn(ranges, seed), trials)]
    settings = gridded(ranges, trials) if strategy == "grid" else draws
    plan = rounds(len(settings), budget, halving if strategy == "halving" else None)
    found = search(run, settings, plan, _value if score is None else score)
    return Tuning(found, budget, unit)


def tune(
    fun: Any,
    x0: Any,
    method: Any = None,
    *,
    ranges: Mapping[str, Any],
    trials: int = 20,
    budget: int,
    unit: str | None = None,
    strategy: str = "halving",
    halving: int | None = 2,
    score: Callable[[Result], Any] | None = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    maximize: bool = False,
    **given: Any,
) -> Tuning:
    """Find good options of a method on a problem, such as its rate.

    Parameters
    ----------
    fun, x0
        As in `minimize`.
    method : str or callable, optional
        By name; or a function of the settings in ``ranges``, by name, that gives a composition,
        such as ``lambda rate: LineSearchMethod(Identity(), FixedStep(rate))``.
    ranges : dict
        By option, or argument of ``method``: a tuple (low, high), 0 < low < high, of which the
        logarithm is drawn uniformly, or a list of choices.
    trials, budget, strategy, halving, seed
        As in `tune_runs`.
    unit : str, optional
        The option that limits a run, in which the budget counts: "epochs", "steps", "maxiter",
        "maxfun".  By default "epochs" for stochastic methods by name, else "maxfun", evaluations.
    score : callable, optional
        ``score(result)``: a number of the host, smaller is better, such as the loss on other data
        at ``result.x``.  By default ``result.fun``, its negative with ``maximize``.
    options : dict, optional
        Options that all trials share.
    maximize : bool
        As in `minimize`.
    **given : object
        Further arguments of `minimize`.

    Returns
    -------
    Tuning
        ``best.result`` is the `Result` of the best trial, with which `minimize` goes on by
        ``resume=``.

    Raises
    ------
    SettingsError
        A range, budget or setting that cannot be meant; other errors as in `minimize`.

    Notes
    -----
    A trial of a later round is taken up where it was put down: no epoch is computed twice.  In
    evaluations a trial may end beyond its part by those of a gradient by differences that has
    begun, or by one of the whole after samples.  Memory: the states of the trials in a round.

    References
    ----------
    See `tune_runs`.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> h = np.array([1.0, 30.0])
    >>> bowl = lambda x: (h @ x**2 / 2, h * x)
    >>> found = hessx.tune(bowl, [1.0, 1.0], "cg", ranges={"c2": (0.01, 0.5)}, trials=4, budget=16,
    ...                    unit="maxiter", jac=True)
    >>> found.best.spent, found.best.result.success
    (6, True)

    The step of gradient descent without a line search, by evaluations; the best is near 2 / 31:

    >>> found = hessx.tune(bowl, [1.0, 1.0], lambda rate: hessx.LineSearchMethod(
    ...     hessx.Identity(), hessx.FixedStep(rate)), ranges={"rate": (1e-3, 1.0)}, trials=9,
    ...     budget=180, strategy="grid", jac=True)
    >>> round(found.settings["rate"], 3), found.best.evaluations, found.evaluations <= 180
    (0.032, 20, True)
    """
    ranges = check_ranges(ranges)
    shared, maximize = dict(options or {}), check_flag("maximize", maximize)
    method = "auto" if method is None else method  # a trial goes on with its own options too
    compose = None if isinstance(method, str) else _composing(method)
    if unit is None:
        unit = "epochs" if _has_epochs(method) else "maxfun"
    both = [name for name in (*ranges, unit) if name in shared]
    if both:
        msg = f"options have {', '.join(both)}, which the trials are to set: leave it out there"
        raise SettingsError(msg)

    def run(settings: dict[str, Any], size: int, before: Result | None) -> Result:
        made, chosen = method, shared | {unit: size}
        if compose is None:
            chosen |= settings
        else:
            made = compose(**settings)
        taken_up = None if before is None else before.checkpoint
        return minimize(
            fun, x0, method=made, options=chosen, maximize=maximize, resume=taken_up, **given
        )

    def value(result: Result) -> Any:
        return -result.fun if maximize else result.fun

    return tune_runs(
        run,
        ranges,
        trials=trials,
        budget=budget,
        unit=_UNITS.get(unit, unit),
        strategy=strategy,
        halving=halving,
        score=score or value,
        seed=seed,
    )


def _has_epochs(method: Any) -> bool:
    if not isinstance(method, str):
        return False
    named, _ = choose_method(method, n=1, products=False)  # "auto" has none, whatever n
    return "epochs" in named.options and "switch" not in named.options


def _composing(method: Any) -> Callable[..., Any]:
    """Take a function of the settings; refuse a composition, whose settings are its own."""
    if not callable(method) or isinstance(method, type):
        msg = (
            f"method is a {type(method).__name__}: expected a name, or a function of the settings "
            "that gives a composition, such as lambda rate: hessx.LineSearchMethod("
            "hessx.Identity(), hessx.FixedStep(rate))"
        )
        raise TypeError(msg)
    return method  # type: ignore[no-any-return]


def _value(returned: Any) -> Any:
    return returned.fun if isinstance(returned, Result) else returned
