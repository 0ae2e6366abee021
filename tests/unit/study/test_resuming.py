"""A study that is killed in the middle, and goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("plotly")
pytest.importorskip("jinja2")
pytest.importorskip("psutil")

import numpy as np
import psutil
from typer.testing import CliRunner

from hessx.comparison import read_hessian_rows
from hessx.study.cli import app
from hessx.study.rows import read_rows

CONFIG = """
problems = ["linear-regression", "brown-dennis"]
methods = ["planted_methods:naps", "planted_methods:descent", "lbfgs", "gd", "bfgs", "newton-cg"]
backends = ["numpy"]
workers = 2
[tuning]
budget = 16
trials = 4
"""
MEASURED = ("seconds", "solver_seconds", "memory")


def figures(row):
    """All that does not depend on the clock."""
    found = {name: value for name, value in vars(row).items() if name not in MEASURED}
    found["curve"] = [row.curve.evaluation, row.curve.product, row.curve.fetch, row.curve.value]
    return {name: str(value) for name, value in found.items()}


def lines_of(path):
    return path.read_text(encoding="utf-8").split("\n") if path.exists() else []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no signal to kill with")
def test_what_has_ended_before_a_kill_is_not_run_again(tmp_path, planted):
    config, out, whole = tmp_path / "study.toml", tmp_path / "out", tmp_path / "whole"
    config.write_text(CONFIG, encoding="utf-8")
    begin = [sys.executable, "-m", "hessx.study.cli", "study", "run", str(config)]
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*begin, "--out", str(out)],
            env={**os.environ, "PYTHONPATH": path}, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            while len(lines_of(out / "rows.csv")) < 4 and process.poll() is None:
                time.sleep(0.01)
            started = psutil.Process(process.pid).children(recursive=True)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert process.returncode == -signal.SIGKILL, (tmp_path / "log").read_text()
    _, alive = psutil.wait_procs(started, timeout=10.0)
    assert not alive, "no run outlives the study"
    before, searches = lines_of(out / "rows.csv"), lines_of(out / "rates.jsonl")
    assert 4 <= len(before) < 13, "some of the 12 runs are missing"
    assert len(searches) == 3
    for folder in (out, whole):
        done = CliRunner().invoke(
            app, ["study", "run", str(config), "--out", str(folder), "--workers=1"]
        )
        assert done.exit_code == 0, done.output
    after = lines_of(out / "rows.csv")
    assert after[: len(before) - 1] == before[:-1], "what had ended stands as it was"
    assert lines_of(out / "rates.jsonl") == searches
    rows, others = ({row.job.key: row for row in read_rows(f / "rows.csv")} for f in (out, whole))
    assert len(rows) == len(after) - 2 == 12
    assert {key: figures(row) for key, row in rows.items()} == {
        key: figures(row) for key, row in others.items()
    }
    tuned = [row for row in rows.values() if row.method == "planted_methods:descent"]
    assert {row.tuning for row in tuned} == {16}
    assert all(row.rate != 0.01 for row in tuned)


HESSIANS = """
problems = ["linear-regression"]
methods = ["lbfgs"]
backends = ["numpy"]
[[hessians]]
problem = "linear-regression"
approximations = ["gd", "exact"]
iterations = 2
"""


def test_fresh_begins_anew(tmp_path):
    config, out = tmp_path / "study.toml", tmp_path / "out"
    config.write_text(HESSIANS, encoding="utf-8")
    texts, tables = [], []
    for again in ([], [], ["--fresh"]):
        done = CliRunner().invoke(app, ["study", "run", str(config), "--out", str(out), *again])
        assert done.exit_code == 0, done.output
        texts.append((out / "rows.csv").read_text(encoding="utf-8"))
        tables.append((out / "hessians.csv").read_text(encoding="utf-8"))
    assert texts[0] == texts[1] != texts[2]
    assert tables[0] == tables[1] != tables[2], "they have times"
    H = np.array([[5.0, 15.0], [15.0, 55.0]])  # of five points on a line
    errors = {"gd": np.linalg.norm(np.eye(2) - H) / np.linalg.norm(H), "exact": 0.0}
    rows = [row for row in read_hessian_rows(out / "hessians.csv") if row.block == ""]
    assert {row.approximation for row in rows} == {*errors}
    for row in rows:
        np.testing.assert_allclose(row.error, errors[row.approximation], atol=1e-12)
