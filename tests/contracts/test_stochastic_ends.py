"""How stochastic runs end, what they return, and what they refuse."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import hessx
from _helpers.registry import make_backend
from _helpers.sums import START, N, loss_on
from hessx import Outcome, SettingsError
from hessx.models import MultinomialLogistic

NUMPY = make_backend("numpy")
SHORT = {"rate": 0.1, "epochs": 4, "batch_size": 10}


def run(method="sgd", loss=None, **options):
    settings = {name: options.pop(name) for name in ("callback", "history") if name in options}
    loss = loss_on(NUMPY) if loss is None else loss
    return hessx.minimize(loss, START, method=method, options=SHORT | options, **settings)


def bowl(x):
    return x @ x / 2, x


def test_value_and_gradient_are_those_of_the_whole():
    result = run()
    value, grad = loss_on(NUMPY)(result.x)
    assert result.fun == value
    np.testing.assert_array_equal(result.jac, grad)
    assert result.counts.rows == 4 * N + N  # and the whole once, at the end


def test_gtol_makes_a_success_of_it():
    result = run("svrg", epochs=60, rate=1.0, gtol=1e-8)
    assert result.outcome is Outcome.CONVERGED_GRADIENT
    assert np.abs(result.jac).max() <= 1e-8


def test_full_reports_end_the_run_where_the_gradient_is_small():
    result = run("svrg", epochs=500, rate=1.0, gtol=1e-6, report=hessx.Report(full=True))
    assert result.success
    assert result.nit < 500 * 5
    assert np.abs(loss_on(NUMPY)(result.x)[1]).max() <= 1e-6


def test_a_diverging_run_returns_the_best_point():
    with np.errstate(all="ignore"):
        result = run(rate=1e200, loss=hessx.FiniteSum(lambda x, a: bowl(x), np.ones(N), jac=True))
    assert result.outcome is Outcome.FAILED_NONFINITE
    np.testing.assert_array_equal(result.x, START)
    assert result.fun == bowl(START)[0]
    assert "norm_inf(x)" in result.message


def test_a_rising_loss_returns_the_start():
    """No report is lower than x0: that is found out at the end, by values of the whole."""
    result = run(rate=2.5, loss=hessx.FiniteSum(lambda x, a: bowl(x), np.ones(N), jac=True))
    assert result.outcome is Outcome.COMPLETED
    np.testing.assert_array_equal(result.x, START)


def test_gradients_that_are_not_finite_can_be_left_out():
    calls = []

    def spoilt(x, a):
        calls.append(1)
        value, grad = bowl(x)
        return (value, grad * np.nan) if len(calls) == 7 else (value, grad)

    loss = hessx.FiniteSum(spoilt, np.ones(N), jac=True)
    result = run(loss=loss, skip_nonfinite=True)
    assert result.outcome is Outcome.COMPLETED
    np.testing.assert_allclose(result.x, START * 0.9**19, rtol=1e-14)


@pytest.mark.parametrize(
    ("options", "outcome", "steps"),
    [
        ({"maxiter": 7}, Outcome.COMPLETED, 7),
        ({"steps": 7}, Outcome.COMPLETED, 7),
        ({"maxiter": 0}, Outcome.COMPLETED, 0),
        ({"maxfun": 7}, Outcome.LIMIT_EVALUATIONS, 7),
        ({"max_seconds": 0.0}, Outcome.LIMIT_TIME, 1),
    ],
)
def test_budgets(options, outcome, steps):
    result = run(**options)
    assert result.outcome is outcome
    assert result.nit == steps
    assert not result.success
    assert result.fun == loss_on(NUMPY)(result.x)[0]


def test_a_run_goes_on_where_a_later_budget_allows():
    whole, short = run("adam", epochs=6), run("adam", epochs=2)
    again = hessx.minimize(
        loss_on(NUMPY), START, method="adam", options=SHORT | {"epochs": 6}, resume=short
    )
    np.testing.assert_array_equal(again.x, whole.x)
    assert again.nit == whole.nit
    more = hessx.minimize(loss_on(NUMPY), START, resume=short, options={"epochs": 6})
    np.testing.assert_array_equal(more.x, whole.x)
    same = hessx.minimize(
        loss_on(NUMPY), START, method="adam", options=SHORT | {"epochs": 2}, resume=short
    )
    assert (same.outcome, same.nit) == (Outcome.COMPLETED, short.nit)


def test_a_schedule_of_the_runs_length_does_not_stretch():
    options = SHORT | {"rate": hessx.Cosine(), "epochs": 2}
    short = hessx.minimize(loss_on(NUMPY), START, method="sgd", options=options)
    with pytest.raises(SettingsError, match="its schedule was made for 10"):
        hessx.minimize(
            loss_on(NUMPY), START, method="sgd", options=options | {"epochs": 3}, resume=short
        )


def test_early_stopping_returns_the_best_score():
    """The score falls until x passes 1, then rises."""
    points = []

    def score(x):
        points.append(x.copy())
        return abs(float(x[0]) - 1.0)

    loss = hessx.FiniteSum(lambda x, a: (x @ x / 2, x), np.ones(10), jac=True)
    early = hessx.EarlyStopping(score, patience=3)
    options = {"rate": 0.25, "epochs": 100, "batch_size": 10, "early": early}
    result = hessx.minimize(loss, np.array([4.0]), method="sgd", options=options)
    best = min(points, key=lambda x: abs(x[0] - 1.0))
    np.testing.assert_array_equal(result.x, best)
    assert result.fun == best[0] ** 2 / 2
    assert "3 reports" in result.message
    assert result.nit < 12


def test_callbacks_see_each_report_and_may_end_the_run():
    seen = []

    def callback(intermediate_result):
        seen.append((intermediate_result.nit, intermediate_result.fun))
        if len(seen) == 2:
            raise StopIteration

    result = run(callback=callback, epochs=9)
    assert [nit for nit, _ in seen] == [5, 10]
    assert result.outcome is Outcome.STOPPED_BY_USER
    assert np.isfinite(result.x).all()


def test_a_function_that_is_no_sum_is_asked_as_a_whole():
    result = hessx.minimize(
        bowl, START, jac=True, method="sgd", options={"rate": 0.5, "maxiter": 12}
    )
    np.testing.assert_array_equal(result.x, START / 2**12)
    assert result.nfev == 13


def test_differences_make_gradients_too():
    result = hessx.minimize(
        lambda x: x @ x / 2, START, method="momentum", options={"rate": 0.1, "maxiter": 300}
    )
    assert np.abs(result.x).max() < 1e-4


def test_maximize():
    loss = hessx.FiniteSum(lambda x, a: (-(x @ x) / 2, -x), np.ones(N), jac=True)
    result = hessx.minimize(loss, START, method="sgd", options=SHORT, maximize=True)
    np.testing.assert_allclose(result.x, START * 0.9**20, rtol=1e-14)
    assert result.fun == -(result.x @ result.x) / 2


def test_ask_tell_names_the_rows():
    loss = loss_on(NUMPY)
    method = hessx.StochasticMethod(hessx.Adam(), 0.1, batch_size=10, epochs=3, N=N)
    asked = hessx.AskTell(START, method=method)
    while not asked.done:
        asked.tell(*loss(asked.ask(), asked.sample))
    whole = hessx.minimize(loss, START, method=method)
    np.testing.assert_array_equal(asked.result().x, whole.x)
    assert asked.result().counts == whole.counts


REFUSED = {
    "batches": ({"batch_size": N + 1}, "batch_size = 51: expected at most 50"),
    "no batch": ({"batch_size": 0}, "batch_size = 0: expected an integer >= 1"),
    "batch of words": ({"batch_size": "all"}, "expected a number of rows or 'full'"),
    "rate zero": ({"rate": 0.0}, r"rate = 0\.0: expected a number in \(0, inf\)"),
    "rate negative": ({"rate": -1.0}, r"rate = -1\.0: expected"),
    "epochs": ({"epochs": 0}, "epochs = 0: expected an integer >= 1"),
    "short schedule": ({"rate": hessx.Cosine(steps=3)}, "is made for 3 steps, and has to last"),
    "ftol": ({"ftol": 1e-3}, r"ftol = 0\.001: steps on samples"),
    "scale": ({"x_scale": 2.0}, "x_scale: a given rate is in the units of x"),
    "rule": ({"beta1": 1.0}, r"beta1 = 1\.0: expected"),
    "seed and order": ({"seed": 1, "order": hessx.Sequential()}, "beside an order"),
    "free": (
        {"rate": hessx.PolyakRate(), "average": hessx.ScheduleFree()},
        "rates that the host knows",
    ),
    "armijo": ({"rate": hessx.StochasticArmijo(), "estimate": hessx.SVRG()}, "the one sample"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_settings_are_told_at_once(name):
    options, message = REFUSED[name]
    with pytest.raises(SettingsError, match=message):
        run("adam", **options)


def test_what_needs_a_sum_says_so():
    with pytest.raises(SettingsError, match="fun is no finite sum"):
        hessx.minimize(bowl, START, jac=True, method="adam", options={"batch_size": 8})
    with pytest.raises(ValueError, match="PER_SAMPLE"):
        hessx.minimize(bowl, START, jac=True, method="saga")
    loss = hessx.FiniteSum(lambda x, a: bowl(x), np.ones(N), jac=True)
    with pytest.raises(ValueError, match=r"hessx\.FiniteSum\(model\)"):
        hessx.minimize(loss, START, method="saga")


def test_rows_that_repeat_do_not_fit_a_table():
    with pytest.raises(SettingsError, match="SAGA"):
        run("saga", order=hessx.WithReplacement())


def test_saga_on_all_rows_at_once_is_gradient_descent():
    options = {"batch_size": "full", "epochs": 5}
    np.testing.assert_allclose(run("saga", **options).x, run("sgd", **options).x, rtol=1e-12)


@pytest.mark.parametrize("average", [None, hessx.Polyak()])
@pytest.mark.parametrize("size", [10, "full"])
def test_no_run_ends_above_its_start(size, average):
    result = run("adam", rate=300.0, epochs=2, batch_size=size, average=average)
    assert result.outcome is Outcome.COMPLETED
    assert result.fun <= loss_on(NUMPY)(START)[0]
    assert result.fun == loss_on(NUMPY)(result.x)[0]


def test_the_lowest_report_is_evaluated_and_returned():
    """The rate grows until the steps diverge: the last report is far above the lowest."""
    rate = hessx.ExponentialDecay(0.01, factor=1.35)
    loss = hessx.FiniteSum(lambda x, a: bowl(x), np.ones(N), jac=True)
    result = run(rate=rate, epochs=8, loss=loss, history=True)
    assert result.outcome is Outcome.COMPLETED
    assert result.history["value"][-1] > 1e6 * bowl(START)[0]
    assert result.fun == bowl(result.x)[0] < bowl(START)[0] / 10


@pytest.mark.parametrize("limit", [{"epochs": 2}, {"maxfun": 7}])
def test_a_history_goes_on_as_if_nothing_had_ended(limit):
    whole = run("adam", history=True)
    short = run("adam", history=True, **limit)
    again = hessx.minimize(
        loss_on(NUMPY), START, method="adam", options=SHORT, resume=short, history=True
    )
    for column in ("iteration", "value", "alpha"):
        assert again.history[column] == whole.history[column]


@pytest.mark.parametrize("name", ["kfac", "shampoo", "fisher", "sqn", "adam"])
def test_results_can_be_pickled(name):
    model = MultinomialLogistic(np.eye(6), np.arange(6) % 3, l2=0.1)
    loss, x0 = hessx.FiniteSum(model), np.zeros((7, 3))
    result = hessx.minimize(loss, x0, method=name, options={"epochs": 3, "batch_size": 2})
    again = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(again.x, result.x)
    if "hess_inv" in result:
        v = np.arange(21.0)
        np.testing.assert_array_equal(again.hess_inv @ v, result.hess_inv @ v)


def test_what_is_meant_by_another_name():
    with pytest.raises(ValueError, match="unknown option 'lr' \\(did you mean 'rate'"):
        hessx.minimize(loss_on(NUMPY), START, method="adam", options={"lr": 0.1})
    with pytest.raises(ValueError, match="did you mean 'schedule-free'"):
        hessx.minimize(loss_on(NUMPY), START, method="schedule_free")
    with pytest.raises(TypeError, match=r"the rule Adam: expected hessx\.StochasticMethod"):
        hessx.minimize(loss_on(NUMPY), START, method=hessx.Adam())
