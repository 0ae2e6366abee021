"""Costs to a tolerance: against counts made by hand."""

from __future__ import annotations

import math
import random

import pytest

from _helpers.study_rows import a_row, a_study
from hessx.study.analysis.costs import UNITS, best_values, comparable, trials
from hessx.study.records import CRASHED, LEFT_OUT

KNOWN = {"P": 0.0}


def trial(values, **figures):
    (found,) = trials([a_row("P", "m", values, **figures)], KNOWN)
    return found


def test_the_cost_is_that_of_the_first_value_low_enough():
    # f0 = 100: tau = 1e-2 is f <= 1
    found = trial([100.0, 10.0, 1.0, 0.1], evaluations=[1, 4, 6, 9], products=[0, 3, 8, 20])
    assert [found.cost(tau) for tau in (1.0, 0.1, 0.01, 0.001)] == [1, 7, 14, 29]
    assert found.cost(1e-4) == math.inf
    assert found.cost(0.01, "iterations") == 2
    assert found.cost(0.01, "evaluations") == 6
    assert found.cost(0.01, "products") == 8
    assert found.cost(0.01, "fetches") == 12
    assert found.cost(0.01, "seconds") == pytest.approx(0.06)


def test_the_distance_is_measured_from_the_best_value_known():
    row = a_row("P", "m", [10.0, 3.0, 2.0, 1.5])
    assert trials([row], {"P": 1.0})[0].cost(0.12) == 3  # f - 1 <= 1.08
    assert trials([row], {})[0].cost(0.0) == 4  # the lowest of all is 1.5


def test_a_later_rise_takes_nothing_back():
    assert trial([8.0, 1.0, 4.0, 0.5]).gaps == (1.0, 0.125, 0.125, 0.0625, 0.0625)


def test_the_returned_point_counts_with_all_that_was_spent():
    row = a_row("P", "m", [100.0, 10.0])
    row.value, row.evaluations, row.passes = 1e-7, 50, 50.0
    assert trials([row], KNOWN)[0].cost(1e-6) == 50


def test_memory_is_that_of_the_run():
    found = trial([1.0, 0.0], memory=4096.0)
    assert found.cost(1e-6, "memory") == 4096.0
    assert set(found.spent) == set(UNITS)


@pytest.mark.parametrize("values", [[], [math.nan, math.nan]])
def test_a_run_without_a_finite_value_has_come_nowhere(values):
    found = trial(values)
    assert found.gap == found.cost(1.0) == math.inf


def test_a_value_that_is_not_finite_is_passed_over():
    assert trial([4.0, math.nan, 1.0]).cost(0.25) == 3


def test_samples_are_counted_by_their_share():
    row = a_row("P", "m", [4.0, 1.0], passes=3.5)
    row.evaluations, row.value = 70, 0.5
    assert trials([row], KNOWN)[0].cost(0.125) == 3.5


def test_the_tuned_rate_counts_before_the_own_and_others_do_not():
    other, own, tuned = (
        a_row("P", "m", [4.0, 1.0], rate=0.1),
        a_row("P", "m", [4.0, 2.0]),
        a_row("P", "m", [4.0, 3.0], rate=0.3, tuning=90),
    )
    assert trials([other, own, tuned])[0].row is tuned
    assert trials([other, own])[0].row is own


def test_perturbed_problems_have_no_part_in_the_cost():
    rows = [a_row("P", "m", [4.0, 1.0]), a_row("P", "m", [4.0, -9.0], feature="noise", value=2.0)]
    assert [t.row for t in trials(rows)] == rows[:1]
    assert best_values(rows, {}) == {"P": 1.0}  # not the noisy -9
    assert [t.row for t in trials(rows, feature="noise")] == rows[1:]


def test_a_run_that_was_left_out_is_no_run():
    rows = [a_row("P", "m", [4.0, 1.0]), a_row("P", "absent", [], outcome=LEFT_OUT)]
    assert [t.method for t in trials(rows)] == ["m"]
    crashed = a_row("P", "breaks", [], outcome=CRASHED)
    assert [t.method for t in trials([*rows, crashed])] == ["breaks", "m"]


def test_best_values_are_those_known_or_lower_ones_found():
    rows = [a_row("P", "m", [4.0, 1.0]), a_row("Q", "m", [4.0, 1.0])]
    assert best_values(rows, {"P": 2.0, "Q": 0.5, "R": 7.0}) == {"P": 1.0, "Q": 0.5, "R": 7.0}


def test_known_values_of_few_digits_give_way_to_what_was_found():
    rows = [a_row("P", "m", [9.0, 2.000001]), a_row("Q", "m", [9.0, 1e-9])]
    assert best_values(rows, {"P": 2.0, "Q": 0.0}) == {"P": 2.000001, "Q": 0.0}


def test_the_order_of_rows_does_not_matter():
    rows = a_study()
    shuffled = random.Random(3).sample(rows, len(rows))
    assert [t.key for t in trials(shuffled)] == [t.key for t in trials(rows)]


def test_methods_are_compared_from_the_starts_that_most_of_them_had():
    rows = [
        a_row(problem, method, [1.0, 0.0], seed=seed)
        for problem, method, seeds in (
            ("beale", "gd", (0, 1)),
            ("beale", "bfgs", (0,)),
            ("beale", "newton", (0, 2)),
            ("wood", "gd", (1, 2)),
            ("wood", "bfgs", (1, 2)),
            ("wood", "newton", (2, 1)),
        )
        for seed in seeds
    ]
    starts = {}
    for trial in comparable(rows):
        starts.setdefault((trial.method, trial.row.problem), []).append(trial.row.seed)
    for method in ("gd", "bfgs", "newton"):
        assert starts[method, "beale"] == [0]
        assert starts[method, "wood"] == [1, 2]
