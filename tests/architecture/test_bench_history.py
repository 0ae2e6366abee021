"""Counts that are kept with the project: what is kept, joined, and found to have grown."""

from __future__ import annotations

import importlib
import json
import math
import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "asv_benchmarks"
OLD, NEW = "a" * 40, "b" * 40
MOST = 500_000  # bytes in the repository


@pytest.fixture
def history(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("history")


def results(folder, commit, counts, seconds):
    """A file as asv writes it: counts on two libraries, a time, and a peak of memory."""
    both = [["'numpy'", "'jax'"]]
    found = {
        "commit_hash": commit, "env_name": "existing-py_bin_python", "date": 0,
        "params": {"machine": "mine", "python": "/bin/python"}, "python": "/bin/python",
        "requirements": {}, "env_vars": {}, "durations": {}, "version": 2,
        "result_columns": ["result", "params", "version", "started_at"],
        "results": {
            "m.Runs.track_evaluations": [counts, both, "f00", 1],
            "m.Runs.track_peak_vectors": [[3.0], [], "f01", 1],
            "m.Runs.time_run": [[seconds], [], "f02", 1],
        },
    }  # fmt: skip
    file = folder / "mine" / f"{commit[:8]}-existing-py_bin_python.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found))
    (file.parent / "machine.json").write_text('{"machine": "mine", "version": 1}')
    return file


def test_counts_are_kept_and_nothing_of_the_machine(history, tmp_path):
    results(tmp_path / "made", OLD, [10, 20], 1.0)
    history.keep(tmp_path / "made", OLD, tmp_path / "kept")
    found = history.read(tmp_path / "kept" / "aaaaaaaa.json")
    assert found["commit_hash"] == OLD
    assert found["results"] == {"m.Runs.track_evaluations": [[10, 20], [["'numpy'", "'jax'"]]]}
    assert "mine" not in json.dumps(found)
    assert "python" not in json.dumps(found["params"])


def test_a_commit_without_results_is_refused_with_those_that_have_some(history, tmp_path):
    results(tmp_path, OLD, [10, 20], 1.0)
    with pytest.raises(SystemExit, match=r"no results of bbb.*aaaaaaaa"):
        history.keep(tmp_path, NEW, tmp_path / "kept")


def test_kept_counts_join_those_of_this_machine(history, tmp_path):
    results(tmp_path / "then", OLD, [10, 20], 1.0)
    history.keep(tmp_path / "then", OLD, tmp_path / "kept")
    results(tmp_path / "then", NEW, [77, 77], 1.0)
    history.keep(tmp_path / "then", NEW, tmp_path / "kept")
    results(tmp_path / "now", NEW, [11, 20], 1.0)
    history.join(tmp_path / "now", tmp_path / "joined", tmp_path / "kept")
    found = list(map(history.read, history.measured(tmp_path / "joined")))
    assert {json.dumps(f["params"]) for f in found} == {
        '{"machine": "mine", "python": "/bin/python"}'
    }
    name = "m.Runs.track_evaluations"
    counts = [(f["commit_hash"], f["results"][name][0]) for f in found if name in f["results"]]
    assert sorted(counts) == [(OLD, [10, 20]), (NEW, [11, 20])]


@pytest.mark.parametrize(
    ("now", "grown"),
    [
        ([10, 20], []),
        ([10, 21], []),  # five per cent
        ([9, 22], [("m.Runs.track_evaluations('jax')", 20, 22)]),
        ([None, 20], [("m.Runs.track_evaluations('numpy')", 10, math.inf)]),  # it fails
        (None, [(f"m.Runs.track_evaluations('{n}')", was, math.inf) for n, was in
                (("numpy", 10), ("jax", 20))]),
        ([10, math.nan], []),  # the library is not installed
    ],
)  # fmt: skip
def test_what_has_grown(history, tmp_path, now, grown, capsys):
    before = results(tmp_path / "then", OLD, [10, 20], 1.0)
    after = results(tmp_path / "now", NEW, now, 1.4)
    was, is_now = (history.values_of(history.read(f), "track") for f in (before, after))
    assert history.worse(was, is_now, history.MORE["track"]) == grown
    assert history.compare(before, after, "track") == len(grown)
    printed = capsys.readouterr().out
    assert all(name in printed for name, *_ in grown)
    assert history.compare(before, after, "time") == 0


def test_differences_and_counts_of_none_are_compared_too(history):
    was = {"none": 0.0, "one": 0.0, "difference": -1.0, "falls": -1.0, "failed": math.inf}
    now = {"none": 0.0, "one": 1.0, "difference": -1.0, "falls": -2.0, "failed": math.inf}
    assert history.worse(was, now, 1.05) == [("one", 0.0, 1.0)]


def test_a_time_that_has_doubled_has_grown(history, tmp_path):
    before = results(tmp_path / "then", OLD, [10, 20], 1.0)
    after = results(tmp_path / "now", NEW, [10, 20], 2.0)
    assert history.compare(before, after, "time") == 1


def test_the_newest_results_of_a_commit_count(history, tmp_path):
    older = results(tmp_path / "then", OLD, [10, 20], 1.0)
    newer = results(tmp_path / "again", OLD, [30, 20], 1.0)
    os.utime(older, (1, 1))
    assert history.newest(tmp_path, OLD) == newer


def test_kept_files_are_small_and_of_more_than_one_commit(history):
    files = history.measured(history.KEPT)
    assert len(files) > 1
    assert sum(file.stat().st_size for file in files) < MOST
    for file in files:
        found = history.read(file)
        assert found["commit_hash"].startswith(file.stem)
        assert found["results"]
        assert all(map(history.is_count, found["results"]))
