"""Smooth optimisation on any array library that speaks the Python array API standard."""

from hessx.core import History, Outcome, Result, SettingsError, Stopping
from hessx.globalization import (
    Armijo,
    BarzilaiBorwein,
    DecayingStep,
    EisenstatWalker,
    FixedStep,
    Forcing,
    HagerZhang,
    MoreThuente,
    RadiusRule,
)
from hessx.hessians import LBFGS, ExactInverse, Identity, NonlinearCG
from hessx.krylov import TruncatedCG, lsmr, minres
from hessx.objectives import check_gradient, check_product
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
from hessx.solvers import (
    Jacobi,
    LineSearchMethod,
    NewtonCG,
    PairPreconditioner,
    TrustRegionMethod,
    minimize,
)

__version__ = "0.1.0"

__all__ = [
    "LBFGS",
    "Armijo",
    "BarzilaiBorwein",
    "DecayingStep",
    "DenseOperator",
    "DiagonalOperator",
    "EisenstatWalker",
    "ExactInverse",
    "FixedStep",
    "Forcing",
    "HagerZhang",
    "History",
    "Identity",
    "IdentityOperator",
    "Jacobi",
    "LineSearchMethod",
    "LinearOperator",
    "LowRankOperator",
    "MoreThuente",
    "NewtonCG",
    "NonlinearCG",
    "Outcome",
    "PairPreconditioner",
    "RadiusRule",
    "Result",
    "SettingsError",
    "Stopping",
    "TruncatedCG",
    "TrustRegionMethod",
    "check_adjoint",
    "check_gradient",
    "check_linearity",
    "check_product",
    "check_symmetry",
    "lsmr",
    "minimize",
    "minres",
]
