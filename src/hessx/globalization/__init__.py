"""How far to go: line searches, steps, schedules, rules of restraints; on Python floats only."""

from hessx.globalization._armijo import Armijo, ArmijoSearch
from hessx.globalization._cubic import CubicRule, CubicState
from hessx.globalization._cycles import Cosine, WarmRestarts, WarmUp
from hessx.globalization._decays import (
    ExponentialDecay,
    InverseRootDecay,
    InverseTimeDecay,
    MultiStepDecay,
    PolynomialDecay,
    StepDecay,
)
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
from hessx.globalization._one_cycle import OneCycle, OneCycleMomentum
from hessx.globalization._phases import (
    EpochRates,
    PerEpoch,
    PhaseRates,
    Phases,
    Scaled,
    ScaledRates,
)
from hessx.globalization._plateau import Plateau, PlateauRates
from hessx.globalization._radius import RadiusRule, Region
from hessx.globalization._restraint_rule import RestraintRule, RestraintState
from hessx.globalization._schedule import Constant, LiveSchedule, Schedule, as_schedule
from hessx.globalization._search import LiveRule, Ray, Search, StepRule, Verdict
from hessx.globalization._stochastic_armijo import LiveArmijo, StochasticArmijo
from hessx.globalization._switch_rules import (
    AfterSteps,
    GradientBelow,
    ModelGood,
    Stalled,
    as_switch_rules,
)
from hessx.globalization._switching import LiveSwitch, StepTaken, SwitchRule

__all__ = [
    "ROUNDING",
    "AfterSteps",
    "Armijo",
    "ArmijoSearch",
    "BarzilaiBorwein",
    "BarzilaiBorweinSteps",
    "Constant",
    "Cosine",
    "CubicRule",
    "CubicState",
    "DecayingStep",
    "EisenstatWalker",
    "EpochRates",
    "ExponentialDecay",
    "FixedStep",
    "Forcing",
    "ForcingRule",
    "ForcingState",
    "GivenSearch",
    "GradientBelow",
    "HagerZhang",
    "HagerZhangSearch",
    "InverseRootDecay",
    "InverseTimeDecay",
    "LeavingSearch",
    "LiveArmijo",
    "LiveRule",
    "LiveSchedule",
    "LiveSwitch",
    "ModelGood",
    "MoreThuente",
    "MoreThuenteSearch",
    "MultiStepDecay",
    "NielsenRule",
    "NielsenState",
    "Noise",
    "NonMonotone",
    "NonMonotoneAverage",
    "OneCycle",
    "OneCycleMomentum",
    "PerEpoch",
    "PhaseRates",
    "Phases",
    "Plateau",
    "PlateauRates",
    "PolynomialDecay",
    "RadiusRule",
    "Ray",
    "Region",
    "RestraintRule",
    "RestraintState",
    "Scaled",
    "ScaledRates",
    "Schedule",
    "Search",
    "Stalled",
    "StepDecay",
    "StepRule",
    "StepTaken",
    "StochasticArmijo",
    "SwitchRule",
    "Verdict",
    "WarmRestarts",
    "WarmUp",
    "as_schedule",
    "as_switch_rules",
]
