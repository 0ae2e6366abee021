"""The report of a device, tried on the host: complete, out of time, and stopped from outside."""

from __future__ import annotations

import importlib
import math
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("report.py")
FEW = Path(__file__).parents[1] / "unit" / "_xp" / "test_space.py"
LOADED = ["torch", "fakegpu"]  # loading it takes longest, in each process
METHODS = ["lbfgs", "trust-ncg, check_every=1", "trust-ncg, check_every=8"]


def start(path, *options):
    command = [sys.executable, str(SCRIPT), "--output", str(path), *map(str, options)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def table(text):
    """Cells of the measurements by method and size."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    return {(row[0], row[1]): row[2:] for row in rows if row and row[0] in METHODS}


@pytest.mark.parametrize(
    "name",
    ["numpy", "numpy-float32", *(pytest.param(n, marks=pytest.mark.long) for n in LOADED)],
)
def test_a_report_with_enough_time(tmp_path, name):
    if not name.startswith("numpy"):
        pytest.importorskip("torch")
    path = tmp_path / "folder" / "report.md"
    process = start(path, "--backend", name, "--largest", 1000, "--tests", FEW, "--workers", 2)
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    assert output.strip() == str(path)
    text = path.read_text(encoding="utf-8")
    assert text.rstrip().endswith("Complete.")
    rows = table(text)
    assert list(rows) == [(method, "1e+03") for method in METHODS]
    for (method, _), cells in rows.items():
        steps, microseconds, fetches, launches, rate, copy_rate, beside = cells
        assert int(steps) == (40 if method == "lbfgs" else 60)
        # a product or trial each, and a trial every few CG steps
        most = 0.5 if method.endswith("8") else 1.5
        assert most / 5.0 < float(fetches) < most
        assert math.isfinite(float(microseconds))
        assert math.isfinite(float(rate))
        assert float(copy_rate) > 0.0
        assert (launches == "-") == (name != "fakegpu")
        assert (beside == "-") == (name != "torch" or method != "lbfgs")
        if name == "fakegpu":  # those of a step, without the seven or four of f and hessp
            assert 8.0 < float(launches) < 20.0
    assert f"test_space.py ({name}): " in text
    assert " 0 failed" in text


def test_tests_that_cannot_be_run_are_named(tmp_path):
    bad = FEW.parents[2] / "device" / "report.md"  # no such file: pytest cannot run it
    path = tmp_path / "report.md"
    process = start(path, "--backend", "numpy", "--largest", 10, "--tests", bad)
    process.communicate()
    assert process.returncode == 1
    assert "report.md (numpy): ended with status 4: ERROR" in path.read_text(encoding="utf-8")


def test_what_is_not_reached_is_named(tmp_path):
    path = tmp_path / "report.md"
    process = start(path, "--backend", "numpy", "--seconds", 1e-3, "--tests", FEW)
    process.communicate()
    assert process.returncode == 1
    text = path.read_text(encoding="utf-8")
    for n in ("1000", "10000000"):
        for method in METHODS:
            assert f"- numpy: {method}, n = {n}\n" in text
    assert "- tests/unit/_xp/test_space.py (numpy)\n" in text
    assert text.rstrip().endswith("Incomplete: out of time.")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_what_was_measured_is_there_when_the_script_is_stopped(tmp_path, how):
    path = tmp_path / "report.md"
    process = start(path, "--backend", "numpy", "--largest", 10**6, "--tests", FEW)
    while process.poll() is None and not (path.exists() and table(path.read_text())):
        time.sleep(0.01)
    process.send_signal(how)
    process.communicate()
    text = path.read_text(encoding="utf-8")
    assert ("lbfgs", "1e+03") in table(text)
    assert "Complete." not in text.splitlines()
    if how == signal.SIGTERM:
        assert text.rstrip().endswith("Incomplete: SystemExit: stopped.")


@pytest.fixture
def report(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    return importlib.import_module("report")


BAD = """
import pytest
def test_well(): pass
def test_ill(): assert 1 == 2
@pytest.fixture
def broken(): raise OSError("no disk")
def test_broken(broken): pass
@pytest.mark.skip
def test_left(): pass
"""


def test_failures_and_errors_are_counted_and_named(report, tmp_path):
    tests, answers = tmp_path / "test_bad.py", tmp_path / "answers.xml"
    tests.write_text(BAD, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", str(tests), f"--junitxml={answers}"]
    subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    part = report.Part(tests, ["numpy"])
    importlib.import_module("suites")._read(part, answers)
    assert (part.passed, part.skipped) == (1, 1)
    ill, broken = part.failures
    assert ill == "test_ill: assert 1 == 2"
    assert broken.startswith("test_broken: ")
    assert "no disk" in broken


def test_a_size_that_ends_the_process_costs_one_row(report, monkeypatch, tmp_path):
    """The next process goes on behind it."""
    begun = []

    def answers(name, largest, first, deadline, processes):
        begun.append(first)
        if first == 0:
            yield {"steps": 1}
            yield "Killed"
        else:
            yield {"left out": "MemoryError: too large"}

    monkeypatch.setattr(report, "answers", answers)
    written = report.Report(tmp_path / "report.md")
    assert report.measurements(written, "numpy", 1000, time.monotonic() + 3600.0, None)
    written.close()
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    first, second, third = table(text).values()
    assert begun == [0, 2]
    assert first[0] == "1"
    assert second[0] == "left out: the process ended: Killed"
    assert third[0] == "left out: MemoryError: too large"
    assert text.rstrip().endswith("Complete.")
