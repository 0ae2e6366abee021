"""The command from end to end."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("plotly")
pytest.importorskip("jinja2")
pytest.importorskip("psutil")
pytest.importorskip("scipy")

from rich.console import Console
from typer.testing import CliRunner

import hessx
from hessx.study.cli import app
from hessx.study.methods import METHODS
from hessx.study.posed import Known
from hessx.study.problems import PROBLEMS
from hessx.study.records import CRASHED, RAISED, Job, Row
from hessx.study.runner import Runner


def study(out, *options):
    return CliRunner().invoke(app, ["study", "--out", str(out), "--seconds", "10", *options])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))
        done = study(
            out,
            "--problems=linear-regression,extended-rosenbrock",
            "--methods=lbfgs,trust-ncg,inverse-1,scipy-lbfgsb,scipy-trust-ncg,"
            "planted_methods:raises,planted_methods:exits",
            "--backends=numpy",
        )
    return done, out


def test_it_ends_well_and_says_where_the_page_is(made):
    done, out = made
    assert done.exit_code == 0, done.output
    page = re.search(r"^page: (.*)$", done.output, re.MULTILINE)
    assert page
    assert Path(page[1]) == (out / "index.html").resolve()
    assert "converged: gradient" in done.output


def test_every_run_is_a_row_of_the_file(made):
    _, out = made
    with (out / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {(row["problem"], row["method"]): row for row in rows}
    assert len(found) == len(rows) == 13, "inverse-1 has a meaning for the linear regression only"
    for problem in ("linear-regression", "extended-rosenbrock"):
        row = found[problem, "lbfgs"]
        assert row["outcome"] == "converged: gradient"
        assert float(row["grad_norm"]) <= 1e-6
        assert int(row["evaluations"]) == int(row["fetches"]) > int(row["iterations"])
        assert found[problem, "planted_methods:raises"]["outcome"] == RAISED
        assert "planted" in found[problem, "planted_methods:raises"]["exception"]
        assert found[problem, "planted_methods:exits"]["outcome"] == CRASHED
        assert int(row["products"]) == 0 < int(found[problem, "trust-ncg"]["products"])
        for peer in ("scipy-lbfgsb", "scipy-trust-ncg"):
            assert found[problem, peer]["outcome"] == "converged"
    assert found["linear-regression", "inverse-1"]["iterations"] == "1"


def test_the_page_holds_every_run_and_says_what_was_asked(made):
    _, out = made
    page = (out / "index.html").read_text(encoding="utf-8")
    packed = re.search(r'<script id="study"[^>]*>(.*?)</script>', page)[1]
    data = json.loads(gzip.decompress(base64.b64decode(packed)))
    runs = list(zip(data["rows"]["problem"], data["rows"]["method"], data["curves"], strict=True))
    assert len(runs) == 13
    methods = ["lbfgs", "trust-ncg", "scipy-lbfgsb", "scipy-trust-ncg"]
    expected = {(p, m) for p in ("linear-regression", "extended-rosenbrock") for m in methods}
    expected.add(("linear-regression", "inverse-1"))
    assert {(problem, method) for problem, method, curve in runs if curve} == expected
    reasons = {record["reason"] for record in data["tables"]["failures"]["records"]}
    assert reasons >= {"ZeroDivisionError: planted", "exit status 7"}
    assert data["missing"] == {"inverse-1|extended-rosenbrock": "needs a constant Hessian"}
    assert "Known: the pattern of the Hessian, residuals and their Jacobian." in page
    assert "2048 MiB a process" in page


@pytest.fixture
def jobs(monkeypatch, tmp_path):
    """Tell what a command would run."""

    def of(*options):
        found = []

        def run(self, jobs):
            for job in jobs:
                found.append((job.method, job.backend, job.problem))
                yield Row.of(job, PROBLEMS[job.problem].n, RAISED)

        monkeypatch.setattr(Runner, "run", run)
        assert study(tmp_path / "out", *options).exit_code == 0
        return found

    return of


def test_what_takes_its_time_is_run_on_large_problems_only_if_named(jobs):
    chosen = jobs("--backends=numpy")
    assert {method for method, _, _ in chosen} == set(METHODS)
    large = {method for method, _, problem in chosen if PROBLEMS[problem].n > 300}
    assert {"lbfgs", "lsr1", "trust-ncg", "spectral", "scipy-cg"} <= large
    assert not large & {"bfgs", "dfp", "newton", "dogleg", "scipy-dogleg", "scipy-bfgs"}
    on_sums = {method for method, _, problem in chosen if PROBLEMS[problem].is_sum}
    assert {"adam", "svrg", "kfac", "lbfgs", "newton-cg"} <= on_sums
    assert {method for method in on_sums if not METHODS[method].needs} == {"lbfgs", "newton-cg"}
    assert {"sparse-newton", "ncg-sparse"} == {
        method for method, _, _ in chosen if METHODS[method].needs is Known.PATTERN
    }
    assert not any(METHODS[m].needs not in (None, *PROBLEMS[p].known) for m, _, p in chosen)
    named = jobs("--backends=numpy", "--methods=newton,bfgs", "--problems=extended-rosenbrock")
    assert [method for method, *_ in named] == ["newton", "bfgs"]


def test_the_tables_fit_into_80_columns(monkeypatch, tmp_path):
    monkeypatch.setattr("hessx.study.cli.Console", lambda: Console(width=80))
    row = Row.of(Job("digits", ""), 65, "converged: gradient", iterations=15000, evaluations=20000)
    row.products, row.value, row.grad_norm, row.seconds = 9999, 1.23456e-10, 1.2e-10, 3.0

    def run(self, jobs):
        return iter([replace(row, method=job.method) for job in jobs])

    monkeypatch.setattr(Runner, "run", run)
    done = study(tmp_path / "out", "--backends=numpy", "--problems=digits")
    lines = done.output.splitlines()
    for method in METHODS:
        if METHODS[method].suits(65):
            line = next(line for line in lines if line.startswith(f"{method} "))
            assert len(line) <= 80
            assert "converged: gradient 15000 20000 9999 1.235e-10 1.2e-10 3.00 s" in line


def test_a_long_outcome_leaves_the_figures_their_room(monkeypatch, tmp_path):
    monkeypatch.setattr("hessx.study.cli.Console", lambda: Console(width=80))
    outcome = hessx.Outcome.STALLED_PRECISION.value
    row = Row.of(
        Job("digits", "scipy-trust-krylov"), 65, outcome, iterations=15000, evaluations=20000
    )
    row.products, row.value, row.grad_norm, row.seconds = 9999, 1.23456e-10, 1.2e-10, 3.0
    monkeypatch.setattr(Runner, "run", lambda self, jobs: iter([row]))
    done = study(tmp_path, "--backends=numpy", "--problems=digits", f"--methods={row.method}")
    line = next(x for x in done.output.splitlines() if x.startswith(f"{row.method} "))
    assert len(line) <= 80
    assert line.endswith(" 15000 20000 9999 1.235e-10 1.2e-10 3.00 s")


def test_the_tables_of_sums_fit_into_80_columns(monkeypatch, tmp_path):
    monkeypatch.setattr("hessx.study.cli.Console", lambda: Console(width=80))
    row = Row.of(Job("digits-network", ""), 2410, "completed")
    row.iterations, row.passes, row.value, row.accuracy, row.seconds = 15000, 1234.5, 1e-10, 0.5, 3

    def run(self, jobs):
        return iter([replace(row, method=job.method) for job in jobs])

    monkeypatch.setattr(Runner, "run", run)
    done = study(tmp_path / "out", "--backends=numpy", "--problems=digits-network")
    for method in (method for method in METHODS if METHODS[method].needs is Known.ROWS):
        line = next(x for x in done.output.splitlines() if x.startswith(f"{method} "))
        assert len(line) <= 80
        assert line.split()[1:] == ["completed", "15000", "1234", "1e-10", "0.500", "3.00", "s"]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--problems=nonsense", "unknown 'nonsense'"),
        ("--methods=nonsense", "unknown method 'nonsense'"),
        ("--methods=no_such_module:f", "no_such_module"),
        ("--backends=nonsense", "unknown 'nonsense'"),
        ("--dtype=float16", "expected float64 or float32"),
    ],
)
def test_wrong_names_are_refused_before_anything_runs(tmp_path, option, message):
    done = study(tmp_path / "out", option)
    assert done.exit_code == 2
    assert message in " ".join(re.sub(r"[│\n]", " ", done.output).split())
    assert not (tmp_path / "out").exists()


def test_cutest_is_a_command_too():
    done = CliRunner().invoke(app, ["cutest", "--help"])
    assert done.exit_code == 0
