"""Losses of linear models as objectives, wherever the data live."""

from hessx.models._least_squares import LinearLeastSquares
from hessx.models._logistic import LogisticRegression

__all__ = ["LinearLeastSquares", "LogisticRegression"]
