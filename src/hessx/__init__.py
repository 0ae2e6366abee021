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
from hessx.operators import (
    DenseOperator,
    DiagonalOperator,
    IdentityOperator,
    LinearOperator,
    LowRankOperator,
    check_adjoint,
    check_linearity,
    check_symmetry,
)
from hessx.solvers import LineSearchMethod, minimize

__version__ = "0.1.0"

__all__ = [
    "LBFGS",
    "Armijo",
    "BarzilaiBorwein",
    "DecayingStep",
    "DenseOperator",
    "DiagonalOperator",
    "ExactInverse",
    "FixedStep",
    "HagerZhang",
    "History",
    "Identity",
    "IdentityOperator",
    "LineSearchMethod",
    "LinearOperator",
    "LowRankOperator",
    "MoreThuente",
    "NonlinearCG",
    "Outcome",
    "Result",
    "SettingsError",
    "Stopping",
    "check_adjoint",
    "check_gradient",
    "check_linearity",
    "check_symmetry",
    "minimize",
]
