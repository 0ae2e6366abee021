"""How a method behaves, in sentences: order, oscillation, robustness, sensitivity."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from hessx.study.analysis.behaviour import (
    Conduct,
    Robustness,
    Sensitivity,
    conducts,
    robustness,
    sensitivities,
)
from hessx.study.analysis.statements import Statement, listed, plural, state
from hessx.study.records import Row

__all__ = ["Behaviour", "behaviours", "in_runs", "order_of", "oscillation", "turns_back"]

_SUPERLINEAR = 1.3
_TURNS = 0.3  # of the steps turn back
_RISES = 0.02  # of the steps; where f is all but flat, rounding raises it once or twice


@dataclass(frozen=True)
class Behaviour:
    """What one method does, beside its cost.

    Attributes
    ----------
    conducts, robustness, sensitivities : sequence
        Its own.
    """

    conducts: Sequence[Conduct]
    robustness: Sequence[Robustness]
    sensitivities: Sequence[Sensitivity]

    def advantages(self) -> Iterator[Statement]:
        """What speaks for it."""
        yield from self._order(superlinear=True)
        yield from map(_borne, (r for r in self.robustness if r.solved == r.runs))

    def limits(self) -> Iterator[Statement]:
        """What speaks against it."""
        yield from self._order(superlinear=False)
        yield from oscillation(self.conducts)
        yield from map(_borne, (r for r in self.robustness if r.solved < r.runs))
        for rates in self.sensitivities:
            yield state(
                f"On {rates.problem} rates from {{low}} to {{high}}, of {{tried}} tried, need at "
                "most twice the cost of the best, {best}.",
                rates.keys,
                low=rates.low,
                high=rates.high,
                tried=rates.tried,
                best=rates.best,
            )

    def _order(self, *, superlinear: bool) -> Iterator[Statement]:
        known = [c for c in self.conducts if math.isfinite(c.order.order)]
        q = order_of(known)["order"] if known else math.nan
        if (q >= _SUPERLINEAR) if superlinear else (q < _SUPERLINEAR):
            words = "superlinearly" if superlinear else "linearly, or little better"
            yield state(
                f"It converges {words}: the fitted order is {{order}}{in_runs(known)}.",
                [c.key for c in known],
                **order_of(known),
            )


def behaviours(rows: Sequence[Row]) -> dict[str, Behaviour]:
    """Gather what each method does."""
    found: dict[str, Behaviour] = defaultdict(lambda: Behaviour([], [], []))
    for name, all_of_kind in (
        ("conducts", conducts(rows)),
        ("robustness", robustness(rows)),
        ("sensitivities", sensitivities(rows)),
    ):
        for one in all_of_kind:
            getattr(found[one.method], name).append(one)
    return found


def order_of(found: Sequence[Conduct]) -> dict[str, float]:
    """Give the median order and, of several runs, the least and the greatest."""
    orders = [c.order.order for c in found]
    ends = {"least": min(orders), "most": max(orders)} if len(orders) > 1 else {}
    return {"order": median(orders)} | ends


def in_runs(found: Sequence[Conduct]) -> str:
    """Say of how many runs that is, for `state`."""
    if len(found) == 1:
        return " in 1 run"
    return f" in the median of {len(found)} runs, from {{least}} to {{most}}"


def turns_back(conduct: Conduct) -> bool:
    """Tell whether many of the steps turned back."""
    return conduct.reversals >= _TURNS


def oscillation(found: Sequence[Conduct]) -> Iterator[Statement]:
    """Say where the steps go back and forth, and where f rises."""
    turning = [c for c in found if turns_back(c)]
    if turning:
        yield state(
            f"Its steps go back and forth on {listed([c.problem for c in turning])}: {{share}} % "
            "of them turn by more than 120 degrees, and the cosine between successive steps is "
            "{cosine} in the mean.",
            [c.key for c in turning],
            share=100.0 * fmean(c.reversals for c in turning),
            cosine=fmean(c.cosine for c in turning),
        )
    rising = [c for c in found if c.rises > max(2, _RISES * c.steps)]
    if rising:
        most = max(rising, key=lambda c: c.rises / c.steps)
        yield state(
            f"f rose on {listed([c.problem for c in rising])}; most often on {most.problem}, in "
            "{share} % of the steps.",
            [c.key for c in rising],
            share=100.0 * most.rises / most.steps,
        )


def _borne(found: Robustness) -> Statement:
    ratio = "" if math.isnan(found.ratio) else ", at {ratio} times the cost without in the median"
    return state(
        f'Under "{found.feature}" it solved {{solved}} of {plural(found.runs, "run")} to 1e-3'
        f"{ratio}.",
        found.keys,
        solved=found.solved,
        **({} if math.isnan(found.ratio) else {"ratio": found.ratio}),
    )
