"""The settings of a stochastic method, checked where it is made."""

from __future__ import annotations

from typing import Any

from hessx.core import (
    Order,
    SettingsError,
    Wants,
    check_flag,
    check_integer,
    check_part,
    store_integer,
)
from hessx.globalization import Schedule, StochasticArmijo, as_schedule
from hessx.rules import DeviceRate, as_rules
from hessx.solvers._averages import Average, ScheduleFree
from hessx.solvers._estimates import Estimate
from hessx.solvers._reports import EarlyStopping, Report

__all__ = ["refuse_whole", "take_settings"]

_KINDS = (
    ("order", Order, "an order, such as hessx.Shuffled()"),
    ("estimate", Estimate, "one such as hessx.OneBatch()"),
    ("report", Report, "hessx.Report()"),
    ("average", Average, "one such as hessx.Polyak()"),
    ("early", EarlyStopping, "hessx.EarlyStopping(score)"),
)


def take_settings(method: Any) -> None:
    """Check the fields of a method, and store them in the form in which they are used.

    Raises
    ------
    SettingsError
        A setting out of range, or parts that do not fit together.
    """
    rules, rate = as_rules("rules", method.rules), method.rate
    object.__setattr__(method, "rules", rules)
    if not isinstance(rate, DeviceRate | StochasticArmijo):
        object.__setattr__(method, "rate", as_schedule(rate))
    for name, kind, expected in _KINDS:
        part = getattr(method, name)
        if part is not None or name not in ("average", "early"):
            check_part(name, part, kind, expected)
    for name in ("epochs", "lesson_size", "N"):
        store_integer(method, name, 1)
    store_integer(method, "steps", 0)
    skip = check_flag("skip_nonfinite", method.skip_nonfinite)
    object.__setattr__(method, "skip_nonfinite", skip)
    size = method.batch_size
    if isinstance(size, str):
        if size != "full":
            msg = f"batch_size = {size!r}: expected a number of rows or 'full'"
            raise SettingsError(msg)
    elif size is not None:
        object.__setattr__(method, "batch_size", check_integer("batch_size", size, 1))
    _check_fit(method)
    _check_sizes(method)


def _check_fit(method: Any) -> None:
    """Refuse parts that do not fit together."""
    if method.lesson_size is not None and Wants.HESSIAN not in method.wants:
        msg = f"lesson_size = {method.lesson_size}: no rule here has lessons on the Hessian"
        raise SettingsError(msg)
    what = type(method.estimate).__name__
    learner = next((rule for rule in method.rules if rule.pairs), None)
    if learner is not None and not method.estimate.pairs:
        msg = (
            f"{learner!r} learns from pairs, and {what}() finds none: expected "
            "estimate=hessx.RepeatedSample() or hessx.MultiBatch()"
        )
        raise SettingsError(msg)
    if method.batch_size == "full" and method.estimate.samples:
        msg = f"batch_size = 'full': {what}() finds pairs on samples; expected a number of rows"
        raise SettingsError(msg)
    if method.skip_nonfinite and method.estimate.pairs:
        msg = f"skip_nonfinite: {what}() would make pairs of zeros that stand for gradients"
        raise SettingsError(msg)
    if Wants.PER_SAMPLE in method.estimate.wants and method.order.repeats:
        who, order = type(method.estimate).__name__, type(method.order).__name__
        msg = f"{who} keeps one gradient for each row, and with {order} rows repeat: "
        raise SettingsError(msg + "expected an order such as hessx.Shuffled()")
    if isinstance(method.rate, Schedule):
        return
    who = type(method.rate).__name__
    if isinstance(method.average, ScheduleFree):
        msg = f"ScheduleFree weighs points by rates that the host knows: not by {who}"
        raise SettingsError(msg)
    if not method.estimate.single:
        msg = f"{who} asks about the one sample of a step: expected hessx.OneBatch(), not {what}"
        raise SettingsError(msg)


def refuse_whole(method: Any) -> None:
    """Refuse a function that is no finite sum, where a part lives on samples.

    Raises
    ------
    SettingsError
        So it is.
    """
    for part in (method.estimate, *method.rules):
        if part.samples:
            msg = (
                f"{type(part).__name__} learns from samples, and fun is no finite sum: give it as "
                "hessx.FiniteSum(fun, data), or a model as hessx.FiniteSum(model)"
            )
            raise SettingsError(msg)


def _check_sizes(method: Any) -> None:
    """Refuse samples that are larger than the sum, where that is known."""
    for name in ("batch_size", "lesson_size"):
        size = getattr(method, name)
        if method.N is not None and isinstance(size, int) and size > method.N:
            msg = f"{name} = {size}: expected at most {method.N}, the rows of the sum"
            raise SettingsError(msg)
