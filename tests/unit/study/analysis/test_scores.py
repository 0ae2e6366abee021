"""Scores, fronts and places against what is counted by hand; Kendall's tau against SciPy's."""

from __future__ import annotations

import math
import random

import pytest

from _helpers.study_rows import a_row
from hessx.study.analysis.costs import Instance, trials
from hessx.study.analysis.pareto import efficient, on_each_instance, over_all
from hessx.study.analysis.scores import PENALTY, scores
from hessx.study.analysis.stability import (
    Move,
    kendall_tau,
    leaving_one_out,
    places,
    under_tolerances,
)

KNOWN = {"P": 0.0, "Q": 0.0, "R": 0.0}
# evaluations at which methods reach 0
ROWS = [
    a_row("P", "a", [1.0, 0.0], evaluations=[1, 10]),
    a_row("P", "b", [1.0, 0.0], evaluations=[1, 40]),
    a_row("Q", "a", [1.0, 0.0], evaluations=[1, 20]),
    a_row("Q", "b", [1.0, 0.5], evaluations=[1, 70], outcome="limit: time"),
]
RUNS = trials(ROWS, KNOWN)


def by_method(found):
    return {score.method: score for score in found}


class TestScores:
    def test_means_are_geometric_and_the_unsolved_is_the_dearest_times_the_penalty(self):
        found = by_method(scores(RUNS))
        assert found["a"].mean_cost == pytest.approx(math.sqrt(10 * 20))
        assert found["a"].mean_ratio == pytest.approx(1.0)
        assert found["b"].mean_cost == pytest.approx(math.sqrt(40 * PENALTY * 20))
        assert found["b"].mean_ratio == pytest.approx(math.sqrt(4 * PENALTY))

    def test_what_was_solved_is_counted(self):
        a, b = (by_method(scores(RUNS))[name] for name in "ab")
        assert (a.run, a.solved, a.near_best, a.stationary, a.cheapest) == (2, 2, 2, 2, 2)
        assert (b.run, b.solved, b.near_best, b.stationary, b.cheapest) == (2, 1, 1, 1, 0)
        assert a.seconds == pytest.approx(0.3)
        assert set(b.keys) == {ROWS[1].job.key, ROWS[3].job.key}

    def test_instances_that_nobody_solved_are_in_no_mean(self):
        rows = [*ROWS, a_row("R", "a", [1.0, 0.9], evaluations=[1, 500])]
        found = by_method(scores(trials(rows, KNOWN)))["a"]
        assert (found.run, found.solved) == (3, 2)
        assert found.mean_cost == pytest.approx(math.sqrt(200))

    def test_nothing_solved_gives_no_mean_and_the_last_place(self):
        rows = [*ROWS, a_row("R", "c", [1.0, 0.9])]
        last = scores(trials(rows, KNOWN))[-1]
        assert last.method == "c"
        assert math.isnan(last.mean_ratio)

    def test_order_is_by_the_number_solved_then_the_ratio(self):
        rows = [*ROWS, a_row("P", "c", [1.0, 0.0], evaluations=[1, 5])]
        assert [s.method for s in scores(trials(rows, KNOWN))] == ["a", "c", "b"]

    @pytest.mark.parametrize(
        ("outcome", "value", "grad_norm", "false"),
        [
            ("converged: value", 0.5, 0.5, 1),
            ("limit: time", 0.5, 0.5, 0),
            ("converged: gradient", 0.5, 1e-9, 0),  # another stationary point
            ("converged: gradient", 1e-7, 0.5, 0),
            ("converged: gradient", math.nan, math.nan, 1),
        ],
    )
    def test_false_success_is_a_claim_without_ground(self, outcome, value, grad_norm, false):
        row = a_row("P", "a", [1.0, value], outcome=outcome, grad_norm=grad_norm)
        assert scores(trials([row], KNOWN))[0].false_success == false

    @pytest.mark.parametrize(("grad_norm", "false"), [(9e-4, 0), (2e-3, 1)])
    def test_a_claim_is_measured_by_what_was_asked(self, grad_norm, false):
        row = a_row("P", "a", [1.0, 0.5], gtol=1e-3, grad_norm=grad_norm)
        assert scores(trials([row], KNOWN))[0].false_success == false


class TestPareto:
    def test_front_is_what_no_other_point_dominates(self):
        rng = random.Random(5)
        points = [(rng.randint(1, 30), rng.randint(1, 30)) for _ in range(200)]

        def dominated(p):
            return any(q != p and q[0] <= p[0] and q[1] >= p[1] for q in points)

        assert efficient(points) == [not dominated(p) for p in points]

    def test_points_of_an_instance_are_what_was_spent_and_the_digits(self):
        rows = [
            a_row("P", "a", [1.0, 1e-3], evaluations=[1, 10]),
            a_row("P", "b", [1.0, 0.0], evaluations=[1, 40]),
            a_row("P", "c", [1.0, 1e-2], evaluations=[1, 20]),
            a_row("P", "d", [], outcome="raised"),
        ]
        found = on_each_instance(trials(rows, KNOWN))[Instance("P", "numpy", "float64", 0)]
        assert [(p.method, p.cost, p.efficient) for p in found] == [
            ("a", 10, True), ("b", 40, True), ("c", 20, False),
        ]  # fmt: skip
        assert [p.accuracy for p in found] == pytest.approx([3.0, 16.0, 2.0])

    def test_over_all_shares_are_of_all_instances(self):
        rows = [*ROWS, a_row("P", "c", [1.0, 0.0], evaluations=[1, 10])]
        found = {p.method: p for p in over_all(trials(rows, KNOWN))}
        assert (found["c"].accuracy, found["c"].cost) == (0.5, 1.0)
        assert [found[name].efficient for name in "abc"] == [True, False, False]


class TestStability:
    def test_kendall_is_that_of_scipy(self):
        stats = pytest.importorskip("scipy.stats")
        rng = random.Random(1)
        for _ in range(20):
            x, y = ([rng.randint(1, 6) for _ in range(9)] for _ in "xy")
            assert kendall_tau(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, nan_ok=True)

    def test_kendall_of_a_few_orders(self):
        assert kendall_tau([1, 2, 3], [1, 2, 3]) == 1.0
        assert kendall_tau([1, 2, 3], [3, 2, 1]) == -1.0
        assert kendall_tau([1, 2, 3], [2, 1, 3]) == pytest.approx(1 / 3)
        assert math.isnan(kendall_tau([1, 1, 1], [1, 2, 3]))

    def test_equal_scores_share_a_place(self):
        rows = [
            a_row("P", name, [1.0, 0.0], evaluations=[1, cost])
            for name, cost in (("a", 5), ("b", 5), ("c", 6))
        ]
        assert places(trials(rows, KNOWN)) == {"a": 1, "b": 1, "c": 3}

    def test_a_looser_tolerance_turns_the_order(self):
        rows = [
            a_row("P", "early", [1.0, 0.05, 0.0], evaluations=[1, 2, 50]),
            a_row("P", "late", [1.0, 0.9, 0.0], evaluations=[1, 2, 10]),
        ]
        (found,) = under_tolerances(trials(rows, KNOWN), 1e-6, tolerances=[1e-6, 0.1])
        assert (found.change, found.correlation) == ("0.1", -1.0)
        assert found.moves == (Move("late", 1, 2), Move("early", 2, 1))

    def test_one_problem_decides(self):
        rows = [
            a_row(problem, method, [1.0, 0.0], evaluations=[1, cost])
            for problem, method, cost in (
                ("P", "a", 10), ("P", "b", 11), ("Q", "a", 900), ("Q", "b", 9),
                ("R", "a", 10), ("R", "b", 11),
            )
        ]  # fmt: skip
        found = {r.change: r for r in leaving_one_out(trials(rows, KNOWN))}
        assert {name: r.correlation for name, r in found.items()} == {"P": 1.0, "Q": -1.0, "R": 1.0}
        assert found["Q"].moves == (Move("b", 1, 2), Move("a", 2, 1))
