"""Random search and successive halving: what they find, spend and remember."""

from __future__ import annotations

import math
import signal
from itertools import pairwise

import numpy as np
import pytest

import hessx
from hessx.solvers._trials import gridded, rounds

RANGES = {"rate": (1e-5, 1e1), "beta": [0.0, 0.5, 0.9]}


def distance(settings):
    """How far from rate 1e-2 and beta 0.5."""
    return abs(math.log10(settings["rate"] / 1e-2)) + 0.1 * (settings["beta"] != 0.5)


class Fake:
    """A run whose score is a distance from the best settings, and falls with each epoch."""

    def __init__(self):
        self.epochs, self.calls = [], []

    def __call__(self, settings, epochs, before):
        done = 0 if before is None else before.epochs
        self.epochs += range(done, epochs)
        self.calls.append((settings["rate"], done, epochs))
        counts = hessx.Counts(rows=100 * epochs)
        return hessx.Result(
            fun=distance(settings) + 1.0 / epochs,
            epochs=epochs,
            counts=counts,
            outcome=hessx.Outcome.COMPLETED,
        )


@pytest.mark.parametrize("halving", [None, 2, 3])
def test_the_best_settings_are_found(halving):
    found = hessx.tune_runs(Fake(), RANGES, trials=40, budget=400, halving=halving)
    assert abs(math.log10(found.settings["rate"]) + 2) < 0.3
    assert found.best is min(found.trials, key=lambda trial: distance(trial.settings))


@pytest.mark.parametrize("trials", [1, 2, 3, 7, 16, 20])
@pytest.mark.parametrize("budget", [100, 101, 333])
@pytest.mark.parametrize("halving", [None, 2, 4])
def test_the_budget_is_kept_and_no_epoch_computed_twice(trials, budget, halving):
    run = Fake()
    found = hessx.tune_runs(run, RANGES, trials=trials, budget=budget, halving=halving)
    last = rounds(trials, budget, halving)[-1][0]
    assert budget - last < len(run.epochs) == found.spent <= budget == found.budget
    assert sum(trial.rows for trial in found.trials) == 100 * found.spent
    assert len(found.trials) == trials
    for rate in {rate for rate, _, _ in run.calls}:
        calls = [call for call in run.calls if call[0] == rate]
        assert all(a[2] == b[1] for a, b in pairwise(calls))
        assert calls[0][1] == 0


def test_rounds_are_those_of_jamieson_and_talwalkar():
    """Figure 3: r_k = floor(B / (|S_k| ceil(log2 n))), with |S_k| = n / 2^k."""
    assert rounds(16, 128, 2) == [(16, 2), (8, 4), (4, 8), (2, 16)]
    assert rounds(27, 81, 3) == [(27, 1), (9, 3), (3, 9)]
    assert rounds(5, 23, None) == [(5, 4)]
    assert rounds(1, 7, 2) == [(1, 7)]


def test_the_better_half_goes_on():
    run = Fake()
    found = hessx.tune_runs(run, RANGES, trials=16, budget=128)
    spent = sorted(((trial.score, trial.spent) for trial in found.trials), reverse=True)
    assert sorted(trial.spent for trial in found.trials) == [2] * 8 + [6] * 4 + [14] * 2 + [30] * 2
    assert [units for _, units in spent] == sorted(units for _, units in spent)
    kept = [trial for trial in found.trials if trial.result is not None]
    assert {trial.spent for trial in kept} == {30}


def test_draws_are_a_function_of_the_seed():
    def settings(**given):
        found = hessx.tune_runs(Fake(), RANGES, budget=100, **given)
        return [trial.settings for trial in found.trials]

    assert settings(trials=9) == settings(trials=9)
    assert settings(trials=9) == settings(trials=20)[:9]
    assert settings(trials=9, seed=1) != settings(trials=9)


def test_logarithms_are_uniform_and_choices_equally_likely():
    found = hessx.tune_runs(Fake(), RANGES, trials=2000, budget=2000, halving=None)
    rates = np.log10([trial.settings["rate"] for trial in found.trials])
    counts, _ = np.histogram(rates, 4, (-5.0, 1.0))
    betas = [sum(t.settings["beta"] == beta for t in found.trials) for beta in RANGES["beta"]]
    deviations = (counts - 500) / math.sqrt(375), (np.array(betas) - 2000 / 3) / math.sqrt(444)
    assert counts.sum() == 2000
    assert max(abs(np.concat(deviations))) < 4.5


def failing(settings, epochs, before):
    beta = settings["beta"]
    if beta == "overflow":
        return math.exp(1e3)
    return {"nan": math.nan, "-inf": -math.inf, "fine": 2.0}[beta]


def test_runs_that_fail_count_as_inf_and_do_not_go_on():
    ranges = {"beta": ["nan", "-inf", "overflow", "fine"]}
    found = hessx.tune_runs(failing, ranges, trials=32, budget=32 * 5 * 4, seed=2)
    assert found.settings == {"beta": "fine"}
    assert found.best.score == 2.0
    bad = [trial for trial in found.trials if trial.settings["beta"] != "fine"]
    assert {trial.score for trial in bad} == {math.inf}
    assert {trial.spent for trial in bad} == {4}
    outcomes = {t.outcome for t in found.trials if t.settings["beta"] == "overflow"}
    assert outcomes == {"OverflowError: math range error"}


def test_where_all_runs_fail_that_is_the_result():
    found = hessx.tune_runs(lambda s, e, b: math.nan, {"rate": (0.1, 1.0)}, trials=4, budget=8)
    assert found.best is found.trials[0]
    assert (found.best.score, found.spent) == (math.inf, 4)
    assert "inf" in str(found)


def test_other_errors_pass():
    def run(settings, epochs, before):
        raise KeyError("rate")

    with pytest.raises(KeyError, match="rate"):
        hessx.tune_runs(run, RANGES, trials=2, budget=8)


def test_an_interrupt_ends_the_search():
    h = np.array([1.0, 100.0])
    calls = []

    def fun(x):
        calls.append(1)
        if len(calls) == 5:
            signal.raise_signal(signal.SIGINT)
        return h @ x**2 / 2, h * x

    found = hessx.tune(
        fun, [1.0, 1.0], "gd", ranges={"c2": (0.1, 0.9)}, trials=8, budget=800, unit="maxiter",
        halving=None, jac=True,
    )  # fmt: skip
    assert found.best.result.outcome is hessx.Outcome.STOPPED_BY_USER
    assert [trial.spent for trial in found.trials] == [100, *[0] * 7]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


H = np.geomspace(1.0, 1e4, 12)


def valley(x):
    return float(H @ x**2 / 2), H * x


def test_trials_of_minimize_are_taken_up_where_they_were_put_down():
    calls = []

    def fun(x):
        calls.append(1)
        return valley(x)

    given = {"jac": True, "options": {"gtol": 0.0}}
    found = hessx.tune(
        fun, np.ones(12), "lbfgs", ranges={"maxcor": [1, 3, 6, 12]}, trials=8, budget=96,
        unit="maxiter", **given,
    )  # fmt: skip
    assert len(calls) == sum(trial.result.nfev for trial in found.trials if trial.result) + sum(
        hessx.minimize(
            valley, np.ones(12), method="lbfgs", jac=True,
            options={"gtol": 0.0, "maxiter": trial.spent, **trial.settings},
        ).nfev
        for trial in found.trials
        if not trial.result
    )  # fmt: skip
    for trial in found.trials:
        options = {"gtol": 0.0, "maxiter": trial.spent, **trial.settings}
        alone = hessx.minimize(valley, np.ones(12), method="lbfgs", jac=True, options=options)
        assert trial.score == alone.fun
    best = found.best.result
    assert best.nit == found.best.spent
    more = hessx.minimize(valley, np.ones(12), jac=True, resume=best, options={"maxiter": 300})
    assert more.nit > best.nit


def test_maximising_and_scores_of_ones_own():
    def hill(x):
        value, grad = valley(x)
        return -value, -grad

    given = {"ranges": {"c2": (0.1, 0.9)}, "trials": 4, "budget": 24, "unit": "maxiter"}
    up = hessx.tune(hill, np.ones(12), "cg", jac=True, maximize=True, **given)
    down = hessx.tune(valley, np.ones(12), "cg", jac=True, **given)
    assert [t.score for t in up.trials] == [t.score for t in down.trials]
    by_size = hessx.tune(
        valley, np.ones(12), "cg", jac=True, score=lambda result: np.float32(result.nfev), **given
    )
    assert by_size.best.score == by_size.best.result.nfev
    assert type(by_size.best.score) is float


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ranges": {}}, "ranges are empty"),
        ({"ranges": [("rate", (1.0, 2.0))]}, "ranges is a list"),
        ({"ranges": {"rate": (0.0, 1.0)}}, r"ranges\['rate'\]\[0\] = 0.0"),
        ({"ranges": {"rate": (1.0, 0.5)}}, r"ranges\['rate'\]\[1\] = 0.5"),
        ({"ranges": {"rate": (1.0, 2.0, 3.0)}}, "a list of choices"),
        ({"ranges": {"rate": []}}, "a list of choices"),
        ({"ranges": {"rate": 0.1}}, "a list of choices"),
        ({"trials": 0}, "trials = 0"),
        ({"budget": 0}, "budget = 0"),
        ({"budget": 99}, "budget = 99 for 20 trials in 5 rounds: expected at least 100"),
        ({"halving": 1}, "halving = 1"),
        ({"seed": -1}, "seed = -1"),
        ({"seed": None}, "seed = None"),
    ],
)
def test_what_cannot_be_meant(changes, message):
    given = {"ranges": RANGES, "trials": 20, "budget": 200} | changes
    with pytest.raises(hessx.SettingsError, match=message):
        hessx.tune_runs(Fake(), **given)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"options": {"c2": 0.3}}, "options have c2"),
        ({"options": {"maxiter": 3}}, "options have maxiter"),
        ({"ranges": 3}, "ranges is a int"),
        ({"maximize": "no"}, "maximize"),
        ({"unit": "epoch"}, "epoch"),
        ({"ranges": {"rates": (1.0, 2.0)}}, "rates"),
    ],
)
def test_what_cannot_be_meant_of_minimize(changes, message):
    given = {"ranges": {"c2": (0.1, 0.9)}, "trials": 2, "budget": 20, "unit": "maxiter"} | changes
    with pytest.raises(ValueError, match=message):
        hessx.tune(valley, np.ones(12), "cg", jac=True, **given)


def test_scores_are_compared_where_as_much_was_spent():
    """All get worse with more epochs, and the best at first breaks down."""

    def run(settings, epochs, before):
        rate = settings["rate"]
        return math.nan if rate == 1.0 and epochs > 2 else rate + epochs

    found = hessx.tune_runs(run, {"rate": [1.0, 2.0, 3.0]}, trials=12, budget=96, seed=1)
    first = [trial for trial in found.trials if trial.settings["rate"] == 1.0]
    assert len(first) >= 2
    longest = max(trial.spent for trial in found.trials if trial.score < math.inf)
    assert found.best.spent == longest
    assert found.best.score > min(trial.score for trial in found.trials)


def test_epochs_of_a_sum_are_not_computed_twice(rng):
    A, b, asked = rng.standard_normal((40, 4)), rng.standard_normal(40), []

    def fun(x, A, b):
        asked.append(len(b))
        r = A @ x - b
        return r @ r / (2 * len(r)), A.T @ r / len(r)

    loss = hessx.FiniteSum(fun, (A, b), jac=True)
    options = {"batch_size": 10, "gtol": 0.0}
    found = hessx.tune(
        loss, np.zeros(4), "sgd", ranges={"rate": (1e-3, 1e1), "momentum": [0.0, 0.9]},
        trials=8, budget=8 * 3 * 2, options=options,
    )  # fmt: skip
    assert found.spent == 48
    assert asked.count(10) == sum(trial.spent for trial in found.trials if trial.score < 1e9) * 4
    expected = np.linalg.lstsq(A, b)[0]
    assert found.best.score < 1.05 * fun(expected, A, b)[0]
    assert found.best.rows >= 40 * found.best.spent
    whole = hessx.minimize(
        loss, np.zeros(4), method="sgd",
        options={**options, **found.settings, "epochs": found.best.spent},
    )  # fmt: skip
    assert found.best.result.x.tobytes() == whole.x.tobytes()


# compositions, grids, evaluations

STEEP = np.array([1.0, 4.0])
BEST = 2.0 / STEEP.sum()  # the fixed step of fastest convergence, Nesterov (2018), eq. (1.2.27)


def steep(x):
    return STEEP @ x**2 / 2, STEEP * x


def fixed(rate):
    return hessx.LineSearchMethod(hessx.Identity(), hessx.FixedStep(rate))


@pytest.mark.parametrize("strategy", ["random", "grid", "halving"])
def test_a_step_without_line_search(strategy):
    """Every trial of a round makes exactly the evaluations that it was granted."""
    calls = []

    def fun(x):
        calls.append(1)
        return steep(x)

    with np.errstate(over="ignore", invalid="ignore"):
        found = hessx.tune(
            fun, [1.0, 1.0], fixed, ranges={"rate": (1e-3, 1e1)}, trials=16, budget=320,
            strategy=strategy, jac=True, options={"gtol": 0.0},
        )  # fmt: skip
    assert abs(math.log(found.settings["rate"] / BEST)) < 0.7
    assert len(calls) == found.evaluations == found.spent == 320
    assert [trial.evaluations for trial in found.trials] == [t.spent for t in found.trials]
    granted = {trial.spent for trial in found.trials}
    assert granted == ({20} if strategy != "halving" else {5, 15, 35, 75})


def test_more_than_one_setting_and_methods_on_samples_have_the_same_strategies(rng):
    A, b = rng.standard_normal((40, 4)), rng.standard_normal(40)
    loss = hessx.FiniteSum(
        lambda x, A, b: ((A @ x - b) @ (A @ x - b) / (2 * len(b)), A.T @ (A @ x - b) / len(b)),
        (A, b),
        jac=True,
    )
    found = hessx.tune(
        loss, np.zeros(4), "sgd", ranges={"rate": (1e-3, 1e-1), "momentum": [0.0, 0.9]}, trials=6,
        budget=12, strategy="grid",
    )  # fmt: skip
    assert [trial.spent for trial in found.trials] == [2] * 6
    assert [trial.settings["momentum"] for trial in found.trials] == [0.0, 0.9] * 3
    rates = [trial.settings["rate"] for trial in found.trials[::2]]
    np.testing.assert_allclose(rates, [1e-3, 1e-2, 1e-1])
    # the whole is evaluated once at the end, and at x0 where a run has gone up
    assert {trial.rows // 40 for trial in found.trials} <= {3, 4}


def test_a_grid_has_both_ends_and_no_more_points_than_asked_for():
    ranges = {"a": (1.0, 100.0), "b": (1.0, 10.0), "c": ["x", "y"]}
    points = gridded(ranges, 20)
    assert len(points) == 18
    assert sorted({point["a"] for point in points}) == pytest.approx([1.0, 10.0, 100.0])
    assert gridded({"a": (1.0, 4.0)}, 2) == [{"a": 1.0}, {"a": 4.0}]
    assert gridded({"c": [3, 4]}, 2) == [{"c": 3}, {"c": 4}]
    for few in (1, 7):
        with pytest.raises(hessx.SettingsError, match=f"trials = {few} on a grid: .* least 8"):
            gridded(ranges, few)


def test_records_and_the_table_say_what_was_spent():
    found = hessx.tune(
        steep, [1.0, 1.0], fixed, ranges={"rate": (0.1, 0.4)}, trials=2, budget=20,
        strategy="grid", jac=True, options={"gtol": 0.0},
    )  # fmt: skip
    first, second = found.records()
    assert first["score"] <= second["score"]
    assert sorted(record["rate"] for record in (first, second)) == pytest.approx([0.1, 0.4])
    assert (first["evaluations"], first["products"], first["rows"]) == (10, 0, 0)
    lines = str(found).splitlines()
    assert lines[0] == "2 trials: 20 of 20 evaluations, 20 evaluations of f"
    assert lines[1].split() == ["score", "spent", "evaluations", "outcome", "rate"]
    assert len(lines) == 4


def test_two_methods_in_turn_can_be_tuned():
    found = hessx.tune(
        valley, np.ones(12), "gd-lbfgs", ranges={"switch": [1, 4, 16]}, trials=3, budget=90,
        strategy="grid", jac=True,
    )  # fmt: skip
    assert found.settings["switch"] in (1, 4, 16)
    assert max(trial.evaluations for trial in found.trials) <= 30


def test_samples_and_then_the_whole_are_tuned_by_evaluations():
    found = hessx.tune(
        steep, [1.0, 1.0], "adam-lbfgs", ranges={"rate": (1e-2, 1.0)}, trials=4, budget=80, jac=True
    )
    assert found.unit == "evaluations" and len(found.trials) == 4
    assert max(trial.evaluations for trial in found.trials) <= 30 + 1  # that of the whole


def test_no_method_is_auto_in_all_rounds():
    tune = lambda method: hessx.tune(  # noqa: E731
        steep, [1.0, 1.0], method, ranges={"c2": (0.5, 0.9)}, trials=4, budget=40, jac=True
    )
    assert tune(None).records() == tune("auto").records()


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (
            {"strategy": "bayes"},
            hessx.SettingsError,
            "strategy = 'bayes': expected one of 'halving'",
        ),
        (
            {"method": fixed(0.1)},
            TypeError,
            "method is a LineSearchMethod: expected a name, or a f",
        ),
        ({"method": hessx.LBFGS}, TypeError, "expected a name, or a function"),
        ({"ranges": {"step": (0.1, 1.0)}}, TypeError, "step"),
    ],
)
def test_what_cannot_be_tuned(changes, error, message):
    given = {"method": fixed, "ranges": {"rate": (0.1, 1.0)}, "trials": 2, "budget": 8} | changes
    with pytest.raises(error, match=message):
        hessx.tune(steep, [1.0, 1.0], jac=True, **given)
