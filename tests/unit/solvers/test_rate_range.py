"""The range test of rates beside plain NumPy steps."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import hessx

n, N, BATCH, STEPS = 3, 40, 8, 30
LOW, HIGH = 1e-3, 2.0
RATES = LOW * (HIGH / LOW) ** (np.arange(STEPS) / (STEPS - 1))
H = np.array([1.0, 2.0, 5.0])


def bowl(x):
    return float(H @ x**2 / 2), H * x


def test_rates_grow_and_values_are_those_after_each_step():
    found = hessx.rate_range(bowl, np.ones(n), jac=True, low=LOW, high=HIGH, steps=STEPS)
    x, values = np.ones(n), []
    for rate in RATES:
        x = x - rate * (H * x)
        values.append(bowl(x)[0])
    np.testing.assert_allclose(found.rates, RATES, rtol=1e-12)
    np.testing.assert_allclose(found.values, values, rtol=1e-11)
    assert found.outcome is hessx.Outcome.COMPLETED


@pytest.mark.backends("numpy", "torch", "fakegpu")
def test_of_a_sum_they_are_those_of_the_samples(backend, rng):
    A, b = rng.standard_normal((N, n)), rng.standard_normal(N)

    def fun(x, A, b):
        r = A @ x - b
        return (r @ r) / (2 * len(r)), A.T @ r / len(r)

    loss = hessx.FiniteSum(fun, (backend.asarray(A), backend.asarray(b)), jac=True)
    found = hessx.rate_range(
        loss, backend.asarray(np.ones(n)), low=LOW, high=HIGH, steps=STEPS,
        options={"batch_size": BATCH, "seed": 3},
    )  # fmt: skip
    x, values = np.ones(n), []
    per_epoch = N // BATCH
    for t, rate in enumerate(RATES):
        rows = hessx.Shuffled(3).indices(t // per_epoch, N)
        rows = rows[t % per_epoch * BATCH :][:BATCH]
        value, grad = fun(x, A[rows], b[rows])
        values.append(value)
        x = x - rate * grad
    np.testing.assert_allclose(found.values, values, rtol=1e6 * backend.eps)


def test_smoothed_values_are_weighted_means():
    found = hessx.rate_range(bowl, np.ones(n), jac=True, low=LOW, high=HIGH, steps=STEPS)
    for t in (1, 2, STEPS):
        weights = 0.9 ** np.arange(t)[::-1]
        mean = np.average(found.values[:t], weights=weights)
        np.testing.assert_allclose(found.smoothed[t - 1], mean, rtol=1e-12)
    bare = hessx.rate_range(bowl, np.ones(n), jac=True, low=LOW, high=HIGH, steps=9, smoothing=0)
    np.testing.assert_allclose(bare.smoothed, bare.values, rtol=1e-12)


def test_the_suggestion_is_where_the_smoothed_value_falls_fastest():
    found = hessx.rate_range(bowl, np.ones(n), jac=True, low=LOW, high=HIGH, steps=STEPS)
    slope = np.gradient(found.smoothed, np.log(found.rates))
    lowest = int(np.argmin(found.smoothed))
    assert found.suggestion == found.rates[1 + int(np.argmin(slope[1:lowest]))]
    assert found.suggestion < 2.0 / 5.0  # beyond it steps along the steepest axis lead away


def test_no_suggestion_where_nothing_falls():
    found = hessx.rate_range(bowl, np.ones(n), jac=True, low=1.0, high=5.0, steps=STEPS)
    assert math.isnan(found.suggestion)
    assert found.values[-1] > found.values[0]
    assert hessx.RateRange([], [], [], hessx.Outcome.FAILED_NONFINITE).suggestion is math.nan


def test_the_run_ends_where_it_breaks_out():
    def quiet(x):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            return bowl(x)

    found = hessx.rate_range(quiet, np.ones(n), jac=True, low=1e-3, high=1e6, steps=300)
    assert found.outcome is hessx.Outcome.FAILED_NONFINITE
    assert len(found.rates) == len(found.values) < 300
    assert all(map(math.isfinite, found.values))
    assert 1e-3 < found.suggestion < 0.4


def test_maximising_is_the_same_test():
    given = {"jac": True, "low": LOW, "high": HIGH, "steps": STEPS}
    up = hessx.rate_range(
        lambda x: tuple(-part for part in bowl(x)), np.ones(n), maximize=True, **given
    )
    down = hessx.rate_range(bowl, np.ones(n), **given)
    assert (up.values, up.suggestion) == (down.values, down.suggestion)


def test_compositions_keep_their_rules():
    given = {"jac": True, "low": LOW, "high": HIGH, "steps": STEPS}
    method = hessx.StochasticMethod(
        [hessx.rules.SGD(momentum=0.9)], rate=0.5, epochs=7, report=hessx.Report(full=True)
    )
    named = hessx.rate_range(bowl, np.ones(n), "sgd", options={"momentum": 0.9}, **given)
    assert hessx.rate_range(bowl, np.ones(n), method, **given).values == named.values
    plain = hessx.rate_range(bowl, np.ones(n), "sgd", **given)
    assert plain.values != named.values


def test_the_plot_shows_values_over_rates():
    pytest.importorskip("plotly")
    found = hessx.rate_range(bowl, np.ones(n), jac=True, low=LOW, high=HIGH, steps=STEPS)
    figure = found.plot()
    assert [trace.name for trace in figure.data] == ["value", "smoothed"]
    assert all(tuple(trace.x) == tuple(found.rates) for trace in figure.data)
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.shapes[0].x0 == found.suggestion
    low, high = figure.layout.yaxis.range
    assert low < min(found.smoothed) < found.smoothed[0] < high


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"low": 0.0}, "low"),
        ({"low": 1.0, "high": 0.5}, "high"),
        ({"steps": 2}, "steps"),
        ({"smoothing": 1.0}, "smoothing"),
        ({"method": "lbfgs"}, "finds its steps by itself"),
        ({"maximize": "no"}, "maximize"),
        ({"options": {"momentun": 0.9}}, "momentun"),
    ],
)
def test_what_cannot_be_meant(changes, message):
    with pytest.raises(ValueError, match=message):
        hessx.rate_range(bowl, np.ones(n), jac=True, **changes)
