"""How runs went, as the page draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hessx.study.analysis.behaviour import conducts
from hessx.study.analysis.costs import LADDER, Trial
from hessx.study.analysis.stability import places as ranked
from hessx.study.records import Row
from hessx.study.report.embedding import short

__all__ = ["conducts_of", "ranks_of"]


def conducts_of(rows: Sequence[Row], places: Mapping[str, int]) -> list[dict[str, Any]]:
    """Give of each run its cosine, reversals, share of rising steps and order."""
    return [
        {
            "row": places[c.key],
            "cosine": short(c.cosine),
            "reversals": short(c.reversals),
            "rising": short(c.rises / max(c.steps, 1)),
            "order": short(c.order.order),
        }
        for c in conducts(rows)
    ]


def ranks_of(runs: Sequence[Trial]) -> dict[str, list[int]]:
    """Give each method's place at every tolerance of the ladder."""
    at = [ranked(runs, tau) for tau in LADDER]
    return {method: [places[method] for places in at] for method in at[0]} if runs else {}
