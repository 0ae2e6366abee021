"""What the options that every method has mean for a stochastic one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hessx.core import SettingsError, check_limit
from hessx.solvers._stochastic_method import StochasticMethod

__all__ = ["within_steps"]

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
    for name in _BETWEEN_STEPS:
        if stops.get(name):
            msg = (
                f"{name} = {stops[name]}: steps on samples, at given rates, tell no convergence; "
                "expected gtol with report=hessx.Report(full=True), or an early=hessx.EarlyStopping"
            )
            raise SettingsError(msg)
    stops = dict(stops)
    steps = check_limit("max_iterations", stops.pop("max_iterations", None))
    if steps is not None and (method.steps is None or steps < method.steps):
        method = replace(method, steps=steps)
    return method, stops | {"max_iterations": None}
