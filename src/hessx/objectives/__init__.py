"""Oracles: the user's functions, gradients by differences, checks of derivatives."""

from hessx.objectives._check import GradientCheck, check_gradient
from hessx.objectives._check_product import ProductCheck, check_product
from hessx.objectives._differences import DifferenceGradient, Evaluation
from hessx.objectives._function import Objective, make_objective
from hessx.objectives._given import GivenOracle, as_oracle, take_reply
from hessx.objectives._hessian import DifferenceProduct, make_hessian
from hessx.objectives._hessian_at import HessianAt

__all__ = [
    "DifferenceGradient",
    "DifferenceProduct",
    "Evaluation",
    "GivenOracle",
    "GradientCheck",
    "HessianAt",
    "Objective",
    "ProductCheck",
    "as_oracle",
    "check_gradient",
    "check_product",
    "make_hessian",
    "make_objective",
    "take_reply",
]
