"""Smooth optimisation on any array library that speaks the Python array API standard."""

from hessx.core import History, Outcome, Result, SettingsError, Stopping
from hessx.globalization import (
    Armijo,
    BarzilaiBorwein,
    DecayingStep,
    FixedStep,
    HagerZhang,
    MoreThuente,
)
from hessx.hessians import LBFGS, ExactInverse, Identity, NonlinearCG
from hessx.objectives import check_gradient
from hessx.solvers import LineSearchMethod, minimize

__version__ = "0.1.0"

__all__ = [
    "LBFGS",
    "Armijo",
    "BarzilaiBorwein",
    "DecayingStep",
    "ExactInverse",
    "FixedStep",
    "HagerZhang",
    "History",
    "Identity",
    "LineSearchMethod",
    "MoreThuente",
    "NonlinearCG",
    "Outcome",
    "Result",
    "SettingsError",
    "Stopping",
    "check_gradient",
    "minimize",
]
