"""Objectives whose own cost is small or known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hessx.models import LogisticRegression
from hessx.study.backends import Backend

__all__ = ["logistic", "quadratic"]


def quadratic(backend: Backend, n: int) -> tuple[Callable[[Any], tuple[Any, Any]], Any]:
    """x'Dx/2 of condition 1e3 with its gradient, and x0 = 1."""
    D = backend.asarray(np.geomspace(1.0, 1e3, n))

    def fun(x: Any) -> tuple[Any, Any]:
        g = D * x
        return (x @ g) * 0.5, g

    return fun, backend.asarray(np.ones(n))


def logistic(backend: Backend) -> tuple[LogisticRegression, Any]:
    """Logistic regression, 2000 observations of 500 features, and x0 = 0."""
    rng = np.random.default_rng(11)
    X = rng.standard_normal((2000, 500))
    y = X @ rng.standard_normal(500) + 10.0 * rng.standard_normal(2000) > 0.0
    model = LogisticRegression(backend.asarray(X), backend.asarray(y), l2=1e-3)
    return model, backend.zeros(model.n)
