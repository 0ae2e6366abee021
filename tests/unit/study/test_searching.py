"""Searches for rates: what they spend, what they find, and the file that keeps it."""

from __future__ import annotations

import numpy as np
import pytest

from hessx.study.records import Job
from hessx.study.searching import search_rate
from hessx.study.tuning import Found, RateFile, Search


def found_by(search):
    return search_rate(search, lambda: None)


def test_the_budget_is_shared_and_the_best_rate_taken(planted):
    search = Search(Job("linear-regression", "planted_methods:descent"), budget=40, trials=8)
    found = found_by(search)
    assert found.message == ""
    assert found.evaluations == 40
    assert len(found.tried) == 8
    X, y = np.stack([np.ones(5), np.arange(1.0, 6.0)], axis=1), np.arange(2.0, 11.0, 2.0)
    for rate, value in found.tried:
        assert 0.001 <= rate <= 0.1, "within a factor of ten of the method's own"
        w = np.ones(2)
        for _ in range(5):
            w = w - rate * X.T @ (X @ w - y)
        np.testing.assert_allclose(value, 0.5 * np.sum((X @ w - y) ** 2), rtol=1e-9)
    assert found.rate == min(found.tried, key=lambda tried: tried[1])[0]


def test_epochs_of_a_method_that_sees_samples():
    pytest.importorskip("sklearn")
    found = found_by(Search(Job("digits-linear", "sgd", seconds=30.0), budget=4, trials=2))
    assert found.message == ""
    # two epochs each, and the whole at the end of each run
    assert found.evaluations == 2 * (2 + 1)
    assert {rate for rate, _ in found.tried} >= {found.rate}


def test_what_goes_wrong_is_told():
    found = found_by(Search(Job("linear-regression", "lbfgs"), budget=8))
    assert (found.rate, found.message) == (None, "ValueError: lbfgs has no rate")


def test_the_file_is_taken_up_and_a_damaged_line_named(tmp_path):
    path = tmp_path / "rates.jsonl"
    searches = [Search(Job("digits", "gd", seed=seed), 40) for seed in (0, 1)]
    first = Found(searches[0], 0.25, 40, "", [(0.25, 1.0), (0.5, float("inf"))])
    RateFile(path).append([first, Found(searches[1], message="crashed")])
    again = RateFile(path)
    assert again.found == {s.key: f for s, f in zip(searches, again.found.values(), strict=True)}
    assert again.found[searches[0].key] == first
    with path.open("a") as file:
        file.write('{"search": {')  # cut short by a kill
    assert len(RateFile(path).found) == 2
    path.write_text(path.read_text().replace('"budget"', '"bugdet"', 1))
    with pytest.raises(ValueError, match=r"rates\.jsonl, line 1: not a rate"):
        RateFile(path)
