"""Rows on Hessians for the page of a study."""

from __future__ import annotations

import math

import pytest

from hessx.comparison import CHAIN, HessianComparison

pytest.importorskip("sklearn")
hessians = pytest.importorskip("hessx.study.hessians")


def test_each_approximation_runs_on_its_own():
    found = HessianComparison(hessians.compared_on("linear-regression", iterations=12, every=4))
    assert {row.problem for row in found.rows} == {"linear-regression"}
    assert [found.first(name).steps for name in found.names] == found.names
    # the Hessian of two variables is learnt from two steps, and Newton's is that of the problem
    assert min(row.error for row in found.of("bfgs")) < 1e-6
    assert found.last("newton").error < 1e-12
    assert not math.isnan(found.first("adahessian").error)


@pytest.mark.parametrize("problem", ["breast-cancer", "digits, 298 weights"])
def test_models_are_compared_by_what_they_have(problem):
    found = HessianComparison(hessians.compared_on(problem, iterations=1, every=1))
    has = set(found.names)
    assert has == set(CHAIN) if problem == hessians.NETWORK else {"kfac", "bfgs"} < has


def test_the_file_is_that_of_small_problems(tmp_path, monkeypatch):
    monkeypatch.setattr(hessians, "compared_on", lambda name: [])
    path = tmp_path / "hessians.csv"
    names = hessians.write_hessians(path, ["breast-cancer", "extended-rosenbrock"])
    assert names == ["breast-cancer", hessians.NETWORK]
    assert HessianComparison.from_csv(path).rows == []
