"""What the options that every method has mean for a stochastic one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hessx.core import SettingsError, check_limit
from hessx.solvers._stochastic_method import StochasticMethod

__all__ = ["within_parts", "within_steps"]

_BETWEEN_STEPS = ("ftol", "xtol", "xrtol")


def within_steps(
    method: StochasticMethod, stops: dict[str, Any]
) -> tuple[StochasticMethod, dict[str, Any]]:
    """Make a limit on iterations the number of steps; refuse tests of single steps.

    Parameters
    ----------
    method : StochasticMethod
        The settings.
    stops : dict
        Those of `Stopping`.

    Returns
    -------
    method, stops : StochasticMethod, dict
        With the steps in the method alone.

    Raises
    ------
    SettingsError
        A tolerance on the change of f or x of a step: these are samples and given rates.
    """
    _refuse_between_steps(stops)
    stops = dict(stops)
    steps = check_limit("max_iterations", stops.pop("max_iterations", None))
    if steps is not None and (method.steps is None or steps < method.steps):
        method = replace(method, steps=steps)
    return method, stops | {"max_iterations": None}


def within_parts(stops: dict[str, Any]) -> dict[str, Any]:
    """Leave the steps of a stochastic method, and those of the one that follows, unlimited.

    Raises
    ------
    SettingsError
        As `within_steps`.
    """
    _refuse_between_steps(stops)
    return {"max_iterations": None} | stops


def _refuse_between_steps(stops: dict[str, Any]) -> None:
    for name in _BETWEEN_STEPS:
        if stops.get(name):
            msg = (
                f"{name} = {stops[name]}: steps on samples, at given rates, tell no convergence; "
                "expected gtol with report=hessx.Report(full=True), or an early=hessx.EarlyStopping"
            )
            raise SettingsError(msg)
