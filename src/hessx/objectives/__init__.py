"""Oracles: the user's functions, gradients by differences, checks of derivatives."""

from hessx.objectives._blocks import Batches, Blocks
from hessx.objectives._check import GradientCheck, check_gradient
from hessx.objectives._check_product import ProductCheck, check_product
from hessx.objectives._difference_product import DifferenceProduct
from hessx.objectives._differences import DifferenceGradient, Evaluation
from hessx.objectives._find_pattern import find_pattern
from hessx.objectives._finite_sum import FiniteSum
from hessx.objectives._function import Objective, make_objective
from hessx.objectives._given import GivenOracle, as_oracle, check_offers, take_reply
from hessx.objectives._hessian import make_hessian
from hessx.objectives._hessian_at import HessianAt
from hessx.objectives._hessian_checks import check_stack, check_symmetric
from hessx.objectives._jacobian import Jacobian, dense_jacobian
from hessx.objectives._orders import Importance, Sequential, Shuffled, WithReplacement
from hessx.objectives._residual_at import ResidualAt, jacobian_columns
from hessx.objectives._residual_differences import ResidualDifferences
from hessx.objectives._stacked import Stacked
from hessx.objectives._sum_of_squares import SumOfSquares

__all__ = [
    "Batches",
    "Blocks",
    "DifferenceGradient",
    "DifferenceProduct",
    "Evaluation",
    "FiniteSum",
    "GivenOracle",
    "GradientCheck",
    "HessianAt",
    "Importance",
    "Jacobian",
    "Objective",
    "ProductCheck",
    "ResidualAt",
    "ResidualDifferences",
    "Sequential",
    "Shuffled",
    "Stacked",
    "SumOfSquares",
    "WithReplacement",
    "as_oracle",
    "check_gradient",
    "check_offers",
    "check_product",
    "check_stack",
    "check_symmetric",
    "dense_jacobian",
    "find_pattern",
    "jacobian_columns",
    "make_hessian",
    "make_objective",
    "take_reply",
]
