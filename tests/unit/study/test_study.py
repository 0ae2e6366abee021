"""The command from end to end."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import re
from pathlib import Path

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("plotly")
pytest.importorskip("jinja2")
pytest.importorskip("psutil")
pytest.importorskip("scipy")

from typer.testing import CliRunner

from hessx.study.cli import app
from hessx.study.records import CRASHED, RAISED


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
    assert re.search(r"^lbfgs +converged ", done.output, re.MULTILINE)
    assert re.search(r"^lbfgs +2 +2 ", done.output, re.MULTILINE), "of the scores"
    assert max(map(len, done.output.partition("rows: ")[0].splitlines())) <= 80


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
    assert reasons >= {"ZeroDivisionError: planted in ?", "exit status 7"}
    assert data["missing"] == {"inverse-1|extended-rosenbrock": "needs a constant Hessian"}
    assert "Known: the pattern of the Hessian, residuals and their Jacobian." in page
    assert "2048 MiB a process" in page


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--problems=nonsense", "unknown problem 'nonsense'"),
        ("--methods=nonsense", "unknown method 'nonsense'"),
        ("--methods=no_such_module:f", "no_such_module"),
        ("--backends=nonsense", "backends 'nonsense': expected one of numpy"),
        ("--seed=first", "seeds 'first': expected an integer"),
        ("no-such-file.toml", "no-such-file.toml is no command and no file"),
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


def test_the_report_is_made_again_of_the_rows_alone(made, tmp_path):
    _, out = made
    again = CliRunner().invoke(
        app, ["study", "report", str(out / "rows.csv"), "--out", str(tmp_path)]
    )
    assert again.exit_code == 0, again.output
    pages = [path / "index.html" for path in (out, tmp_path)]
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_rows_are_scored_and_recommend_methods(made):
    _, out = made
    rows = str(out / "rows.csv")
    scored = CliRunner().invoke(app, ["study", "score", rows, "--unit", "evaluations"])
    assert re.search(r"^planted_methods: +2 +0 ", scored.output, re.MULTILINE)
    advised = CliRunner().invoke(app, ["study", "recommend", rows, "--problem=linear-regression"])
    assert advised.exit_code == 0, advised.output
    assert "inverse-1, which solved 1 of 1" in " ".join(advised.output.split())
    for command in ("score", "recommend"):
        wrong = CliRunner().invoke(app, ["study", command, rows, "--unit=parsecs"])
        assert wrong.exit_code == 2
        assert "expected one of cost, iterations" in " ".join(wrong.output.split())


@pytest.mark.parametrize(
    ("whole", "damaged", "said"),
    [
        ("linear-regression,", "linear-regression,,", "line 3: not a row (30 cells: expected 29)"),
        ("float64,plain,0", "float64,plain,none", "line 3: not a row (seed 'none': expected an in"),
        ('"[[0,', '"[[0,0,0,', "line 3: not a row (columns of a curve differ in length"),
        ('"[[0,', '"[[true,{},', "line 3: not a row (columns of a curve differ in length"),
        ("linear-regression,", "linear-regression\udcff,", "line 3: not a row ('utf-8' codec"),
    ],
)
def test_a_damaged_line_is_named(made, tmp_path, whole, damaged, said):
    _, out = made
    lines = (out / "rows.csv").read_text(encoding="utf-8").splitlines()
    assert whole in lines[2]
    lines[2] = lines[2].replace(whole, damaged, 1)
    damaged = tmp_path / "rows.csv"
    damaged.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogateescape")
    for command in (["report", str(damaged)], ["run", "--out", str(tmp_path)]):
        done = CliRunner().invoke(app, ["study", *command])
        assert done.exit_code == 2
        assert said in " ".join(re.sub(r"[│\n]", " ", done.output).split())


def test_a_file_without_rows_gives_no_report(made, tmp_path):
    _, out = made
    empty = tmp_path / "rows.csv"
    empty.write_text((out / "rows.csv").read_text(encoding="utf-8").split("\n")[0] + "\n")
    done = CliRunner().invoke(app, ["study", "report", str(empty), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "no rows: run the study first" in " ".join(re.sub(r"[│\n]", " ", done.output).split())


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--problems=,", "problems ',': expected one at least"),
        ("--methods=", "methods '': expected one at least"),
    ],
)
def test_an_empty_list_is_no_default(tmp_path, option, said):
    done = CliRunner().invoke(app, ["study", "run", "--out", str(tmp_path / "out"), option])
    assert done.exit_code == 2
    assert said in " ".join(re.sub(r"[│\n]", " ", done.output).split())


def test_names_are_listed():
    done = CliRunner().invoke(app, ["study", "list"])
    assert done.exit_code == 0
    for pattern in (r"^digits +65 ", r"^lbfgs ", r"^noise ", r"^numpy +by default"):
        assert re.search(pattern, done.output, re.MULTILINE)
    assert max(map(len, done.output.splitlines())) <= 80
