from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("psutil")

from hessx.study.lane import forks
from hessx.study.records import CRASHED, HOARDED, HUNG, LEFT_OUT, RAISED, Job
from hessx.study.runner import Runner

GOOD = "lbfgs"
MIB = 2**20


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    """One for all tests, as a lane takes a second to begin."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))  # for planted_methods
        with Runner(600 * MIB, tmp_path_factory.mktemp("lane") / "worker.log") as runner:
            yield runner


def run(runner, *methods, seconds=30.0):
    jobs = [Job("linear-regression", method, "numpy", seconds=seconds) for method in methods]
    return list(runner.run(jobs))


def test_the_solution_and_its_figures(runner):
    (row,) = run(runner, GOOD)
    assert row.outcome == "converged: gradient"
    assert row.exception == ""
    assert row.n == 2
    np.testing.assert_allclose(row.value, 0.0, atol=1e-12)  # the points lie on y = 2 x
    assert row.grad_norm <= 1e-6
    assert row.evaluations == row.gradients == row.curve.evaluation[-1]
    assert row.iterations == row.curve.iteration[-1] == len(row.curve.value) - 1
    assert row.fetches == row.evaluations
    assert row.curve.fetch == row.curve.evaluation, "one packet for each trial point"
    assert row.start_value == 15.0
    assert 0.0 < row.solver_seconds < row.seconds
    # f and its gradient at (1, 1) by hand: residuals 0, -1, -2, -3, -4
    assert row.curve.value[0] == 15.0
    assert row.curve.grad_norm[0] == 40.0


def test_passes_over_a_sum_are_those_of_its_rows(runner):
    pytest.importorskip("sklearn")
    jobs = [Job("digits-linear", method, "numpy", seconds=30.0) for method in ("sgd", "newton-cg")]
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


def test_a_misbehaving_method_is_a_row_and_the_next_run_is_unharmed(runner):
    methods = {
        "raises": (RAISED, "", "ZeroDivisionError: planted in ?"),
        "miscounts": (RAISED, "", "ValueError"),
        "leaves": (RAISED, "", "SystemExit: 5"),
        "without_result": (RAISED, "", "AttributeError"),
        "exits": (CRASHED, "exit status 7", ""),
        "segfaults": (CRASHED, "signal SIGSEGV", ""),
        "hoards": (HOARDED, "limit 600 MiB", ""),
    }
    asked = [name for method in methods for name in (f"planted_methods:{method}", GOOD)]
    rows = run(runner, *asked)
    assert [row.method for row in rows] == asked
    for row, (outcome, message, exception) in zip(rows[::2], methods.values(), strict=True):
        assert (row.outcome, row.message) == (outcome, message), row.method
        assert row.exception.startswith(exception)
        assert bool(row.exception) == bool(exception)
        assert not row.converged
        assert row.curve.value == []
    assert rows[0].evaluations == 1
    assert {row.outcome for row in rows[1::2]} == {"converged: gradient"}


def test_compositions_and_functions_of_ones_own(runner):
    rows = run(runner, "planted_methods:composition", "planted_methods:newton_like")
    assert [row.outcome for row in rows] == ["converged: gradient"] * 2
    assert len(rows[0].curve.value) > 2
    assert rows[1].curve.value == [], "it keeps no history"
    assert rows[1].evaluations > 2


def test_products_are_counted(runner):
    rows = run(runner, "trust-ncg", "planted_methods:second_order", GOOD)
    assert [row.outcome for row in rows] == ["converged: gradient"] * 3
    assert rows[0].products >= 2, "the gradient is no eigenvector"
    assert rows[1].products >= 2, "of a composition too"
    assert rows[2].products == 0
    for row in rows:
        assert row.curve.product[0] == 0
        assert row.curve.product[-1] == row.products
        assert row.curve.fetch[-1] == row.fetches


def test_the_curve_of_a_peer_has_its_accepted_points(runner):
    pytest.importorskip("scipy")
    for row in run(runner, "scipy-trust-ncg", "scipy-newton-cg", "scipy-lbfgsb"):
        assert row.outcome == "converged"
        assert (row.products > 0) == (row.method != "scipy-lbfgsb")
        assert (row.curve.product[-1] > 0) == (row.products > 0)
        assert row.curve.product[-1] <= row.products
        assert {*row.curve.fetch} == {row.fetches} == {0}, "no transfer of hessx's"
        assert row.curve.value[0] == 15.0
        assert row.curve.value == sorted(row.curve.value, reverse=True)
        assert row.curve.value[-1] == row.value
        assert row.curve.grad_norm[-1] == row.grad_norm


def test_what_a_method_prints_goes_to_the_log(runner, capfd):
    (row,) = run(runner, "planted_methods:shouts")
    assert row.converged
    assert "on the terminal" in runner.log.read_text()
    assert "on the terminal" not in capfd.readouterr().out


def test_each_run_has_a_process_of_its_own_where_it_can_be_forked(runner):
    if not forks("numpy", GOOD):
        pytest.skip("no forks here")
    first, second = run(runner, *["planted_methods:tells_its_process"] * 2)
    assert first.message != second.message


def test_a_process_makes_many_runs_until_it_is_lost(tmp_path, planted, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # several threads cannot be forked
    tells = "planted_methods:tells_its_process"
    with Runner(600 * MIB, tmp_path / "worker.log") as runner:
        rows = run(runner, tells, "planted_methods:raises", tells, "planted_methods:exits", tells)
    assert [row.outcome for row in rows] == ["ended", RAISED, "ended", CRASHED, "ended"]
    first, _, second, _, third = (row.message for row in rows)
    assert first == second != third


def test_a_run_that_hangs_holds_no_other_up(tmp_path, planted):
    methods = ["planted_methods:sleeps", GOOD, "gd", "bb"]
    jobs = [Job("linear-regression", method, seconds=0.5) for method in methods]
    with Runner(400 * MIB, tmp_path / "worker.log", workers=2) as runner:
        rows = list(runner.run(jobs))
    assert (rows[-1].outcome, rows[-1].message) == (HUNG, "limit 0.5 s")
    assert 2.75 <= rows[-1].seconds < 20.0
    assert {row.method for row in rows[:3]} == {*methods[1:]}
    assert {row.outcome for row in rows[:3]} == {"converged: gradient"}


def test_what_is_not_there_is_left_out_by_a_row(runner):
    jobs = [
        Job("linear-regression", "planted_methods:absent"),
        Job("extended-rosenbrock", "sparse-newton", feature="rotated"),
        Job("linear-regression", GOOD),
    ]
    absent, rotated, good = runner.run(jobs)
    assert (absent.outcome, absent.message) == (LEFT_OUT, "no_such_package is not installed")
    assert (rotated.outcome, rotated.message) == (LEFT_OUT, "needs the pattern of the Hessian")
    assert good.converged


def test_the_rise_of_the_peak_of_memory(runner):
    low, high = run(runner, GOOD, "planted_methods:takes_64_mib")
    if np.isnan(low.memory):
        pytest.skip("this system does not forget its peak of memory")
    assert low.memory < 8 * MIB
    assert 60 * MIB < high.memory < 80 * MIB


def test_a_seed_moves_the_start(runner):
    jobs = [Job("linear-regression", GOOD, "numpy", seed=seed) for seed in (0, 1, 1, 2)]
    values = [row.curve.value[0] for row in runner.run(jobs)]
    assert values[0] != values[1] == values[2] != values[3]
    np.testing.assert_allclose(values, 15.0, rtol=0.05)
