"""Profiles against shares counted by hand."""

from __future__ import annotations

import pytest

from _helpers.study_rows import a_row
from hessx.study.analysis.costs import LADDER, trials
from hessx.study.analysis.profiles import data_profiles, ladder, performance_profiles


def runs(costs):
    """Make trials that reach 0 at so many evaluations by (problem, method, seed); None: never."""
    rows = [
        a_row(problem, method, [1.0, 0.5 if cost is None else 0.0], seed=seed,
              evaluations=[1, 99 if cost is None else cost])
        for (problem, method, seed), cost in costs.items()
    ]  # fmt: skip
    return trials(rows, {problem: 0.0 for problem, _, _ in costs})


TWO = {
    ("P", "a", 0): 10, ("P", "b", 0): 20,
    ("Q", "a", 0): 60, ("Q", "b", 0): 20,
    ("R", "a", 0): None, ("R", "b", 0): 7,
    ("S", "a", 0): 5,
}  # fmt: skip


def by_method(profiles):
    return {profile.method: profile for profile in profiles}


def test_performance_profile_of_dolan_and_more():
    found = by_method(performance_profiles(runs(TWO)))
    a, b = found["a"], found["b"]
    assert (a.x, a.share) == ((1.0, 3.0), (0.5, 0.75))  # P and S, then Q
    assert (b.x, b.share) == ((1.0, 2.0), (0.5, 0.75))  # Q and R, then P; S was not run
    assert (a.solved, a.run, a.of) == (3, 4, 4)
    assert (b.solved, b.run, b.of) == (3, 3, 4)


def test_share_of_what_was_run():
    found = by_method(performance_profiles(runs(TWO), among_run=True))
    assert found["b"].share == pytest.approx((2 / 3, 1.0))
    assert found["b"].of == 3


def test_data_profile_counts_in_the_unit():
    a = by_method(data_profiles(runs(TWO)))["a"]
    assert (a.x, a.share) == ((5.0, 10.0, 60.0), (0.25, 0.5, 0.75))
    seconds = by_method(data_profiles(runs(TWO), unit="seconds"))["a"]
    assert seconds.x == pytest.approx((0.05, 0.1, 0.6))


def test_seeds_give_the_band_and_their_mean_the_share():
    costs = {
        ("P", "a", 0): 10, ("Q", "a", 0): 10,
        ("P", "a", 1): 10, ("Q", "a", 1): None,
    }  # fmt: skip
    (a,) = data_profiles(runs(costs))
    assert (a.x, a.low, a.share, a.high) == ((10.0,), (0.5,), (0.75,), (1.0,))


def test_method_that_solves_nothing_has_no_step():
    a = by_method(performance_profiles(runs({("P", "a", 0): None, ("P", "b", 0): 3})))["a"]
    assert (a.x, a.share, a.solved, a.run) == ((), (), 0, 1)


def test_the_ladder_has_a_profile_for_each_tolerance():
    found = ladder(runs(TWO))
    assert tuple(found) == LADDER
    assert by_method(found[1e-9])["a"].share == (0.5, 0.75)
    assert by_method(ladder(runs(TWO), [0.6])[0.6])["a"].solved == 4  # R comes to one half
