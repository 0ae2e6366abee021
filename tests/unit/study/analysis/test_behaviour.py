"""What a method does, read from rows that are written by hand."""

from __future__ import annotations

import math

import pytest

from hessx.study.analysis.behaviour import conducts, robustness, savings, sensitivities
from hessx.study.records import LEFT_OUT, Curve, Job, Row


def run(method="m", values=(9.0, 1.0, 0.0), problem="p", value=None, cosine=None, **job):
    """A row that has spent an evaluation a step, or as many as it says."""
    steps = len(values)
    cosines = [math.nan] * steps if cosine is None else cosine
    curve = Curve(
        list(range(steps)), list(range(1, steps + 1)), [0] * steps, [0] * steps,
        [0.1 * i for i in range(steps)], list(values), [1.0] * steps, cosines,
    )  # fmt: skip
    return Row.of(
        Job(problem, method, **job), 2, "converged: gradient", iterations=steps - 1,
        evaluations=steps, passes=steps, start_value=values[0],
        value=values[-1] if value is None else value, rises=curve.rises, curve=curve,
    )  # fmt: skip


def test_conduct_counts_turns_and_rises():
    nan = math.nan
    row = run(values=[9.0, 4.0, 5.0, 3.0, 2.0], cosine=[nan, nan, -0.9, -0.6, 0.3])
    (found,) = conducts([row], {"p": 0.0})
    assert (found.steps, found.rises) == (4, 1)
    assert found.cosine == pytest.approx(-0.4)
    assert found.reversals == pytest.approx(2 / 3)
    assert found.key == row.job.key


def test_orders_come_of_steps_that_follow_each_other():
    quadratic = [1.0, 0.5, 0.25, 0.0625, 0.00390625, 1.52587890625e-05]
    row = run(values=quadratic)
    assert conducts([row], {"p": 0.0})[0].order.order == pytest.approx(2.0)
    row.curve.iteration = [0, 3, 9, 27, 28, 29]  # only three points are in a row
    assert math.isnan(conducts([row], {"p": 0.0})[0].order.order)


def test_savings_are_against_newton_from_the_same_start():
    slow, fast = [8.0, 4.0, 2.0, 1.0, 0.0], [8.0, 0.0]
    rows = [
        run("newton", fast),
        run("bfgs", slow),
        run("newton", fast, seed=1),
        run("bfgs", [*slow, 0.0], seed=1),
        run("gd", [8.0, 7.0]),
        run("bfgs", slow, problem="q"),
    ]
    found = savings(rows, optima={"p": 0.0, "q": 0.0})
    assert found["bfgs", "p"][0] == pytest.approx(2.5)
    assert found["bfgs", "p"][1] == (rows[1].job.key, rows[0].job.key)
    assert found["gd", "p"][0] == math.inf
    assert ("bfgs", "q") not in found


def test_robustness_compares_with_the_problem_as_it_is():
    rows = [
        run(values=[8.0, 4.0, 0.0]),
        run(values=[8.0, 4.0, 3.0, 2.0, 1.0, 0.0], feature="noise", seed=1),
        run(values=[8.0, 4.0, 0.0], feature="noise", seed=2, value=5.0),  # it only seemed so
        run(values=[8.0, math.nan], feature="nan", seed=1, value=8.0),
    ]
    noise, nan = sorted(robustness(rows, {"p": 0.0}), key=lambda r: r.feature, reverse=True)
    assert (noise.feature, noise.runs, noise.solved, noise.ratio) == ("noise", 2, 1, 2.0)
    assert set(noise.keys) == {rows[1].job.key, rows[2].job.key}
    assert (nan.solved, math.isnan(nan.ratio)) == (0, True)


def test_the_range_of_rates_within_twice_the_best_cost():
    costs = {0.001: 50, 0.01: 7, 0.1: 4, 1.0: 8, 10.0: 90}
    rows = [run(values=[8.0] * (c - 1) + [0.0], rate=rate) for rate, c in costs.items()]
    (found,) = sensitivities(rows, {"p": 0.0})
    assert (found.best, found.low, found.high, found.tried) == (0.1, 0.01, 1.0, 5)
    assert found.decades == pytest.approx(2.0)
    assert sensitivities([run(rate=0.1)], {"p": 0.0}) == []


def test_a_method_s_own_rate_is_one_of_the_rates():
    own = run("gd-fixed", values=[8.0, 4.0, 0.0])
    other = run("gd-fixed", values=[8.0] * 4 + [0.0], rate=0.1)
    left_out = Row.of(Job("q", "gd-fixed"), 2, LEFT_OUT)
    (found,) = sensitivities([other, own, left_out], {"p": 0.0, "q": 0.0})
    assert (found.best, found.high, found.tried) == (0.01, 0.1, 2)
