"""How a name's options become a stochastic method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hessx.core import SettingsError, check_part, check_real
from hessx.globalization import Scaled, Schedule, StochasticArmijo
from hessx.objectives import Shuffled
from hessx.rules import ClipNorm, ClipValue, Decay, DeviceRate, Rule
from hessx.solvers._compositions import Method
from hessx.solvers._stochastic_method import StochasticMethod

__all__ = ["sampled"]

# Settings of the method itself, and those that add rules to the chain.
_METHOD = (
    "epochs",
    "steps",
    "batch_size",
    "estimate",
    "average",
    "report",
    "early",
    "lesson_size",
    "skip_nonfinite",
    "N",
)
_AROUND = ("rate", "schedule", "seed", "order", "clip_value", "clip_norm", "weight_decay")


def sampled(
    chain: Callable[..., Rule | Sequence[Rule]],
    *own: str,
    rate: float = 1e-3,
    decay: float = 0.0,
    decoupled: bool = False,
    last: Sequence[Rule] = (),
    estimating: Sequence[str] = (),
    **usual: Any,
) -> Method:
    """Give a stochastic method whose chain has options of its ``own``.

    Parameters
    ----------
    chain : callable
        Makes the rule, or rules, of these.
    *own : str
        Their names.
    rate, decay : float
        Those of the method where the user gives none.
    decoupled : bool
        Whether decay stands behind the rules, x+ = x - rate (d + decay x), or before them.
    last : sequence of rules
        Behind everything else.
    estimating : sequence of str
        Settings of the usual estimate that are options too.
    **usual : object
        Other defaults of the method.

    Returns
    -------
    Method
        For the table of names.
    """

    def build(
        *,
        x_scale: Any = None,
        rate: Any = rate,
        schedule: Any = None,
        seed: int | None = None,
        order: Any = None,
        clip_value: float | None = None,
        clip_norm: float | None = None,
        weight_decay: float = decay,
        **settings: Any,
    ) -> StochasticMethod:
        if x_scale is not None:
            msg = "x_scale: a given rate is in the units of x already; divide x by its scale"
            raise SettingsError(msg)
        if schedule is not None:
            if isinstance(rate, Schedule | DeviceRate | StochasticArmijo):
                msg = "schedule beside a rate that is no number: give one of the two"
                raise SettingsError(msg)
            check_part("schedule", schedule, Schedule, "one such as hessx.Cosine()")
            rate = Scaled(schedule, rate)
        for name, limit in (("clip_value", clip_value), ("clip_norm", clip_norm)):
            if limit is not None:
                check_real(name, limit, 0.0)
        check_real("weight_decay", weight_decay, 0.0, ends="[)")
        if seed is not None and order is not None:
            msg = f"seed = {seed} beside an order: give the seed to the order"
            raise SettingsError(msg)
        made = chain(**{name: settings.pop(name) for name in own if name in settings})
        rules = [made] if isinstance(made, Rule) else [*made]
        estimate = {name: settings.pop(name) for name in estimating if name in settings}
        if estimate:
            if "estimate" in settings:
                name = next(iter(estimate))
                msg = f"{name} = {estimate[name]!r} beside an estimate: give it to the estimate"
                raise SettingsError(msg)
            settings["estimate"] = replace(usual["estimate"], **estimate)
        decays = [Decay(weight_decay)] if weight_decay else []
        clips: list[Rule] = [] if clip_value is None else [ClipValue(clip_value)]
        clips += [] if clip_norm is None else [ClipNorm(clip_norm)]
        rules = [*rules, *decays] if decoupled else [*decays, *rules]
        order = Shuffled(seed or 0) if order is None else order
        return StochasticMethod([*clips, *rules, *last], rate, order, **(usual | settings))

    return Method(build, (*own, *estimating, *_AROUND, *_METHOD))
