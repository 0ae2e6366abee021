"""Performance and data profiles, as the page draws them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hessx.study.analysis import LADDER, Profile, Trial, data_profiles, performance_profiles
from hessx.study.report.embedding import short

__all__ = ["profiles_of"]

_UNITS = ("cost", "iterations", "evaluations", "seconds")
_KINDS = {"performance": performance_profiles, "data": data_profiles}


def profiles_of(runs: Sequence[Trial]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Give the profiles of both kinds, in each unit, at each tolerance of the ladder."""
    return {
        kind: {
            unit: [
                {profile.method: _columns(profile) for profile in made(runs, tau, unit)}
                for tau in LADDER
            ]
            for unit in _UNITS
        }
        for kind, made in _KINDS.items()
    }


def _columns(profile: Profile) -> list[Any]:
    """Give x, share and, where seeds differ, least and largest."""
    columns = [profile.x, profile.share]
    if profile.low != profile.high:
        columns += [profile.low, profile.high]
    return [[short(x) for x in column] for column in columns]
