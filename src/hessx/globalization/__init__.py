"""How far to go: line searches, given steps, rules of restraints; on Python floats only."""

from hessx.globalization._armijo import Armijo, ArmijoSearch
from hessx.globalization._cubic import CubicRule, CubicState
from hessx.globalization._forcing import EisenstatWalker, Forcing, ForcingRule, ForcingState
from hessx.globalization._given import (
    BarzilaiBorwein,
    BarzilaiBorweinSteps,
    DecayingStep,
    FixedStep,
    GivenSearch,
)
from hessx.globalization._hager_zhang import HagerZhang, HagerZhangSearch
from hessx.globalization._leaving import LeavingSearch
from hessx.globalization._more_thuente import MoreThuente, MoreThuenteSearch
from hessx.globalization._nielsen import NielsenRule, NielsenState
from hessx.globalization._noise import ROUNDING, Noise
from hessx.globalization._non_monotone import NonMonotone, NonMonotoneAverage
from hessx.globalization._radius import RadiusRule, Region
from hessx.globalization._restraint_rule import RestraintRule, RestraintState
from hessx.globalization._search import LiveRule, Ray, Search, StepRule, Verdict

__all__ = [
    "ROUNDING",
    "Armijo",
    "ArmijoSearch",
    "BarzilaiBorwein",
    "BarzilaiBorweinSteps",
    "CubicRule",
    "CubicState",
    "DecayingStep",
    "EisenstatWalker",
    "FixedStep",
    "Forcing",
    "ForcingRule",
    "ForcingState",
    "GivenSearch",
    "HagerZhang",
    "HagerZhangSearch",
    "LeavingSearch",
    "LiveRule",
    "MoreThuente",
    "MoreThuenteSearch",
    "NielsenRule",
    "NielsenState",
    "Noise",
    "NonMonotone",
    "NonMonotoneAverage",
    "RadiusRule",
    "Ray",
    "Region",
    "RestraintRule",
    "RestraintState",
    "Search",
    "StepRule",
    "Verdict",
]
