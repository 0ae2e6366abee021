"""A small finite sum, on any backend and as plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np

import hessx
from hessx.models import LogisticRegression

__all__ = [
    "L2",
    "START",
    "N",
    "SumOfRows",
    "loss_on",
    "mean_gradient",
    "mean_loss",
    "penalty_gradient",
    "row_gradient",
]

N, FEATURES, L2 = 50, 3, 0.05
START = np.array([-1.5, 2.0, 0.25, 1.0])

_rng = np.random.default_rng(11)
X = _rng.standard_normal((N, FEATURES))
Y = (X @ np.array([1.0, -2.0, 0.5]) + _rng.standard_normal(N) > 0.0) * 1.0


def loss_on(backend: Any) -> hessx.FiniteSum:
    """Logistic regression with a penalty; x has an intercept."""
    return hessx.FiniteSum(LogisticRegression(backend.asarray(X), backend.asarray(Y), l2=L2))


def mean_gradient(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The same on some rows, from the formula, in float64."""
    return row_gradient(x, rows) + penalty_gradient(x)


def mean_loss(x: np.ndarray, rows: np.ndarray) -> float:
    """The loss itself on some rows, in float64."""
    z = np.hstack([X[rows], np.ones((len(rows), 1))]) @ x
    penalty = 0.5 * L2 * (x[:-1] @ x[:-1])
    return float(np.mean(np.logaddexp(0.0, z) - Y[rows] * z) + penalty)


def row_gradient(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Its part of the rows alone."""
    A = np.hstack([X[rows], np.ones((len(rows), 1))])
    slopes = 1.0 / (1.0 + np.exp(-(A @ x))) - Y[rows]
    return A.T @ slopes / len(rows)


def penalty_gradient(x: np.ndarray) -> np.ndarray:
    """Its part of the penalty, which the intercept has none of."""
    return L2 * x * np.array([1.0, 1.0, 1.0, 0.0])


class SumOfRows:
    """The sum as an oracle that counts what it is asked, and keeps the requests."""

    def __init__(self, backend: Any) -> None:
        self.loss, self.requests = loss_on(backend), []
        self.counts, self.offers, self.N = self.loss.counts, self.loss.offers, self.loss.N

    def answer(self, request: hessx.Request) -> hessx.Reply:
        self.requests.append(request)
        return self.loss.answer(request)
