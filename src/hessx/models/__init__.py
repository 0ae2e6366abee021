"""Losses of linear models and perceptrons as objectives, wherever the data live."""

from hessx.models._least_squares import LinearLeastSquares
from hessx.models._logistic import LogisticRegression
from hessx.models._multinomial import MultinomialLogistic
from hessx.models._perceptron import Perceptron

__all__ = ["LinearLeastSquares", "LogisticRegression", "MultinomialLogistic", "Perceptron"]
