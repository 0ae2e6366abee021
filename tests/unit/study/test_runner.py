from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("psutil")

from hessx.study.records import CRASHED, HOARDED, HUNG, RAISED, Job
from hessx.study.runner import Runner

GOOD = "lbfgs"
MIB = 2**20


def run(tmp_path, *methods, seconds=30.0):
    jobs = [Job("linear-regression", method, "numpy", seconds=seconds) for method in methods]
    with Runner(400 * MIB, tmp_path / "worker.log") as runner:
        return list(runner.run(jobs))


def test_the_solution_and_its_figures(tmp_path):
    (row,) = run(tmp_path, GOOD)
    assert row.outcome == "converged: gradient"
    assert row.exception == ""
    assert row.n == 2
    np.testing.assert_allclose(row.value, 0.0, atol=1e-12)  # the points lie on y = 2 x
    assert row.grad_norm <= 1e-6
    assert row.evaluations == row.gradients == row.curve.evaluation[-1]
    assert row.iterations == row.curve.iteration[-1] == len(row.curve.value) - 1
    assert row.fetches == row.evaluations
    assert 0.0 < row.solver_seconds < row.seconds
    # f and its gradient at (1, 1) by hand: residuals 0, -1, -2, -3, -4
    assert row.curve.value[0] == 15.0
    assert row.curve.grad_norm[0] == 40.0


def test_passes_over_a_sum_are_those_of_its_rows(tmp_path):
    pytest.importorskip("sklearn")
    jobs = [Job("digits-linear", method, "numpy", seconds=30.0) for method in ("sgd", "newton-cg")]
    with Runner(800 * MIB, tmp_path / "worker.log") as runner:
        sampled, whole = runner.run(jobs)
    # batches of 64 of 1437 rows, three epochs, and the whole at the end
    assert (sampled.iterations, sampled.evaluations, sampled.passes) == (69, 70, 4.0)
    assert sampled.curve.evaluation == [0, 1, 2, 4]
    assert sampled.curve.iteration == [0, 23, 46, 69]
    np.testing.assert_allclose(sampled.curve.value[0], np.log(10.0))
    assert sampled.curve.value[-1] == sampled.value
    assert sampled.curve.grad_norm[-1] == sampled.grad_norm
    assert whole.passes == whole.evaluations + whole.products
    assert whole.value < sampled.value
    assert 0.5 < sampled.accuracy < whole.accuracy <= 1.0


def test_a_misbehaving_method_is_a_row_and_the_next_run_is_unharmed(tmp_path, planted):
    methods = {
        "raises": (RAISED, "", "ZeroDivisionError: planted"),
        "leaves": (RAISED, "", "SystemExit: 5"),
        "without_result": (RAISED, "", "AttributeError"),
        "exits": (CRASHED, "exit status 7", ""),
        "segfaults": (CRASHED, "signal SIGSEGV", ""),
        "hoards": (HOARDED, "limit 400 MiB", ""),
    }
    asked = [name for method in methods for name in (f"planted_methods:{method}", GOOD)]
    rows = run(tmp_path, *asked)
    assert [row.method for row in rows] == asked
    for row, (outcome, message, exception) in zip(rows[::2], methods.values(), strict=True):
        assert (row.outcome, row.message) == (outcome, message), row.method
        assert row.exception.startswith(exception)
        assert bool(row.exception) == bool(exception)
        assert not row.converged
        assert row.curve.value == []
    assert rows[0].evaluations == 1
    assert {row.outcome for row in rows[1::2]} == {"converged: gradient"}


def test_a_method_that_ignores_its_time_limit_is_a_row(tmp_path, planted):
    rows = run(tmp_path, "planted_methods:sleeps", GOOD, seconds=0.2)
    assert [row.outcome for row in rows] == [HUNG, "converged: gradient"]
    assert rows[0].message == "limit 0.2 s"
    assert 0.2 <= rows[0].seconds < 20.0


def test_compositions_and_functions_of_ones_own(tmp_path, planted):
    rows = run(tmp_path, "planted_methods:composition", "planted_methods:newton_like")
    assert [row.outcome for row in rows] == ["converged: gradient"] * 2
    assert len(rows[0].curve.value) > 2
    assert rows[1].curve.value == [], "it keeps no history"
    assert rows[1].evaluations > 2


def test_products_are_counted(tmp_path, planted):
    rows = run(tmp_path, "trust-ncg", "planted_methods:second_order", GOOD)
    assert [row.outcome for row in rows] == ["converged: gradient"] * 3
    assert rows[0].products >= 2, "the gradient is no eigenvector"
    assert rows[1].products >= 2, "of a composition too"
    assert rows[2].products == 0


@pytest.mark.parametrize("method", ["scipy-trust-ncg", "scipy-newton-cg", "scipy-lbfgsb"])
def test_the_curve_of_a_peer_has_its_accepted_points(tmp_path, method):
    pytest.importorskip("scipy")
    (row,) = run(tmp_path, method)
    assert row.outcome == "converged"
    assert (row.products > 0) == (method != "scipy-lbfgsb")
    assert row.curve.value[0] == 15.0
    assert row.curve.value == sorted(row.curve.value, reverse=True)
    assert row.curve.value[-1] == row.value
    assert row.curve.grad_norm[-1] == row.grad_norm


def test_what_a_method_prints_goes_to_the_log(tmp_path, planted, capfd):
    (row,) = run(tmp_path, "planted_methods:shouts")
    assert row.converged
    assert "on the terminal" in (tmp_path / "worker.log").read_text()
    assert "on the terminal" not in capfd.readouterr().out


def test_one_worker_makes_many_runs(tmp_path, monkeypatch):
    started = []
    start = Runner._start
    monkeypatch.setattr(Runner, "_start", lambda self: (started.append(1), start(self)))
    run(tmp_path, GOOD, "gd", "bb")
    assert len(started) == 1


def test_a_seed_moves_the_start(tmp_path):
    jobs = [Job("linear-regression", GOOD, "numpy", seed=seed) for seed in (0, 1, 1, 2)]
    with Runner(400 * MIB, tmp_path / "worker.log") as runner:
        values = [row.curve.value[0] for row in runner.run(jobs)]
    assert values[0] != values[1] == values[2] != values[3]
    np.testing.assert_allclose(values, 15.0, rtol=0.05)
