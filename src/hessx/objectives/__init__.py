"""Oracles: the user's functions, gradients by differences, checks of derivatives."""

from hessx.objectives._check import GradientCheck, check_gradient
from hessx.objectives._differences import DifferenceGradient
from hessx.objectives._function import Objective, make_objective

__all__ = ["DifferenceGradient", "GradientCheck", "Objective", "check_gradient", "make_objective"]
