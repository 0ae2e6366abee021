"""The commands ``hessx study digits`` and ``hessx study curvature``, and what they are made of."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("psutil")
pytest.importorskip("sklearn")

from rich.console import Console
from typer.testing import CliRunner

from hessx.models import Perceptron
from hessx.solvers._second_order_names import SECOND_ORDER
from hessx.solvers._stochastic_names import STOCHASTIC
from hessx.study import curvature, digits_cli
from hessx.study.cli import app
from hessx.study.digits import Trained, compare_with_adam
from hessx.study.sampled import SAMPLED


def command(*options):
    return CliRunner().invoke(app, ["study", *options])


def test_every_method_of_the_front_door_that_sees_samples_is_trained():
    slow = {"newton-sketch"}  # n products a step, where the model has no sketch of its own
    assert {*SAMPLED} == {*STOCHASTIC} | {*SECOND_ORDER} - slow


def test_a_table_and_a_file_of_what_was_trained(tmp_path):
    done = command(
        "digits", "--problems=digits-linear", "--methods=adam,kfac,lbfgs", "--epochs=2",
        "--trials=2", "--budget=4", "--out", str(tmp_path),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    with (tmp_path / "digits.csv").open(newline="") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert [*rows] == ["adam", "kfac", "lbfgs"]
    assert not (tmp_path / "rows.csv").exists(), "the study itself is not run"
    adam, kfac, lbfgs = rows.values()
    # 23 steps an epoch on 64 rows, the last on 29; K-FAC has lessons at the steps 1, 6, ..., 46
    assert float(adam["passes"]) == 3.0
    assert float(kfac["passes"]) == 3.0 + (9 * 64 + 29) / 1437
    assert float(lbfgs["passes"]) == 2.0
    assert float(kfac["loss"]) < float(adam["loss"]) < float(lbfgs["loss"]) < math.log(10.0)
    assert 0.002 <= float(adam["rate"]) <= 0.7
    assert adam["to_adam"] == "2"
    assert lbfgs["to_adam"] == ""
    assert min(float(row["accuracy"]) for row in rows.values()) > 0.5


def test_the_table_fits_into_80_columns(monkeypatch, tmp_path):
    monkeypatch.setattr(digits_cli, "Console", lambda: Console(width=80))

    def made(problem, method, **settings):
        name = method if isinstance(method, str) else method.name
        return Trained(problem, name, 1.23e-5, "completed", 1.234567, 0.98765, 1234.5, 100.0)

    monkeypatch.setattr(digits_cli, "train", made)
    monkeypatch.setattr(digits_cli, "train_whole", made)
    lines = command("digits", "--out", str(tmp_path)).output.splitlines()
    for method in SAMPLED:
        found = [line for line in lines if line.startswith(f"{method} ")]
        assert len(found) == 2
        assert all(len(line) <= 80 for line in found)
        assert found[0].split()[1:] == ["1.2e-05", "1.23457", "0.988", "1234", "100.00", "s"]


def test_a_method_is_as_low_as_adam_after_the_first_epoch_that_is():
    def row(problem, method, loss, *curve):
        return Trained(problem, method, 0.1, "completed", loss, 0.9, 3.0, 1.0, curve=[*curve])

    rows = [
        row("a", "sgd", 0.4, 3.0, 1.0, 0.4),
        row("a", "adam", 0.5, 2.0, 0.6, 0.5),
        row("a", "soap", 0.45, 0.5, 0.7, 0.45),
        row("b", "sgd", 0.4, 0.4),
        row("a", "lion", 0.7, 0.8, 0.7),
    ]
    compare_with_adam(rows)
    assert [each.to_adam for each in rows] == [3, 3, 1, "", ""]


def test_unknown_names_are_refused(tmp_path):
    for options in (["digits", "--methods=bfgs"], ["digits", "--problems=digits"]):
        done = command(*options, "--out", str(tmp_path / "none"))
        assert done.exit_code == 2
    assert command("curvature", "--matrices=nonsense").exit_code == 2
    assert not (tmp_path / "none").exists()


@pytest.fixture
def small(rng):
    """A network of two layers, linearised at random weights, and a gradient."""
    X, y = rng.standard_normal((30, 3)), np.arange(30) % 2
    model = Perceptron(X, y, layers=(2,))
    w = model.start(1)
    return model, w, rng.standard_normal(model.n)


def test_directions_solve_what_is_left_of_the_matrix(small):
    model, w, g = small
    G, damping = model.gauss_newton(w), 0.3
    dense = np.stack([G @ e for e in np.eye(model.n)])
    first = 3 * 2 + 2  # variables of the first layer
    blocks = dense.copy()
    blocks[:first, first:] = blocks[first:, :first] = 0.0
    kept = {"full": dense, "layerwise": blocks, "diagonal": np.diag(np.diag(dense))}
    for name, matrix in kept.items():
        d = curvature.CURVATURES[name](G, damping, g, 0)
        np.testing.assert_allclose(matrix @ d + damping * d, g, rtol=0, atol=1e-12, err_msg=name)


def test_factors_are_near_to_the_blocks(small):
    model, w, g = small
    G, damping = model.gauss_newton(w), 0.3
    block = curvature.CURVATURES["layerwise"](G, damping, g, 0)
    ekfac = curvature.CURVATURES["ekfac"](G, damping, g, 0)
    assert np.linalg.norm(ekfac - block) < 0.3 * np.linalg.norm(block)


def test_a_descent_falls_and_tells_when_it_was_low():
    model, w = curvature.network()
    descent = curvature.descend(model, w, "kfac", 1e-3, 5)
    assert len(descent.losses) == 6
    assert descent.losses[0] == float(model.value(w))
    assert (np.diff(descent.losses) < 0.0).all()
    assert 0 < descent.steps_to(1.0) <= 5
    assert descent.steps_to(0.0) is None


@pytest.mark.long
def test_the_nearer_to_the_whole_matrix_the_fewer_steps():
    """The order of arXiv 2509.23437 and 2510.09378, each matrix with the best of its dampings."""
    model, w = curvature.network()
    best = {"full": 1e-3, "layerwise": 1e-4, "ekfac": 1e-4, "kfac": 1e-4, "diagonal": 1e-4}
    steps = [
        curvature.descend(model, w, name, damping, 60).steps_to(0.05) or 61
        for name, damping in best.items()
    ]
    full, layerwise, ekfac, kfac, diagonal = steps
    # neighbours on one side of layers and factors differ by less than draws of labels make
    assert full <= layerwise + 1
    assert 1.5 * layerwise <= ekfac <= kfac + 3
    assert 1.5 * max(ekfac, kfac) <= diagonal
