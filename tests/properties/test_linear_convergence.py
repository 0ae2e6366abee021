"""Variance reduction keeps its promise on strongly convex sums, and steps without it do not."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx.models import LogisticRegression

N, L2, EPOCHS = 100, 0.1, 12
L = 0.25 + L2  # of each row, whose norm is 1
SAGA_STEP = 1 - min(1 / (4 * N), L2 / (3 * L))  # Defazio, Bach & Lacoste-Julien (2014), section 3
# Johnson & Zhang (2013), theorem 1, with rate 1 / (10 L) and N steps from one snapshot to the next
SVRG_EPOCH = 1 / (L2 / (10 * L) * (1 - 0.2) * N) + 0.2 / (1 - 0.2)


@pytest.fixture(scope="module")
def gaps():
    """f - f* after each epoch, of all rows."""
    draw = np.random.default_rng(0)
    X = draw.standard_normal((N, 5))
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    y = (X @ [3.0, -2.0, 1.0, 0.0, 0.5] + 0.3 * draw.standard_normal(N) > 0).astype(float)
    model = LogisticRegression(X, y, l2=L2, intercept=False)
    best = hessx.minimize(
        model, np.zeros(model.n), jac=True, hess=model.hessian, method="newton-cg", tol=1e-13
    )

    def run(method, rate):
        options = {
            "rate": rate, "epochs": EPOCHS, "batch_size": 1, "gtol": 0.0,
            "report": hessx.Report(full=True),
        }  # fmt: skip
        result = hessx.minimize(
            hessx.FiniteSum(model), np.zeros(model.n), method=method, options=options, history=True
        )
        return np.array(result.history["value"]) - best.fun

    return run


def slope(gaps):
    """Of the logarithm of what is well above rounding, by the epoch."""
    clear = gaps > 1e-13
    assert clear.sum() >= 4
    return np.polyfit(np.arange(len(gaps))[clear], np.log(gaps[clear]), 1)[0]


@pytest.mark.parametrize(
    ("method", "rate", "promised"),
    [("saga", 1 / (3 * L), N * np.log(SAGA_STEP)), ("svrg", 1 / (10 * L), np.log(SVRG_EPOCH))],
)
def test_reduced_variance_converges_linearly(gaps, method, rate, promised):
    found = gaps(method, rate)
    assert slope(found) < promised < 0.0
    half = EPOCHS // 2
    assert found[half] < 1e-3 * found[0]
    assert found[-1] < max(1e-3 * found[half], 1e-14)


def test_a_constant_rate_alone_stays_where_the_noise_leaves_it(gaps):
    found = gaps("sgd", 1 / (3 * L))
    assert found[-EPOCHS // 2 :].min() > 0.01 * found[0]
