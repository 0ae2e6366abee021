"""What the rows of a study say: pure functions of rows, from which reports are made."""

from __future__ import annotations

from hessx.study.analysis.costs import (
    LADDER,
    UNITS,
    Instance,
    Trial,
    best_values,
    comparable,
    known_optima,
    trials,
)
from hessx.study.analysis.profiles import Profile, data_profiles, ladder, performance_profiles
from hessx.study.analysis.scores import Score, scores

__all__ = [
    "LADDER",
    "UNITS",
    "Instance",
    "Profile",
    "Score",
    "Trial",
    "best_values",
    "comparable",
    "data_profiles",
    "known_optima",
    "ladder",
    "performance_profiles",
    "scores",
    "trials",
]
