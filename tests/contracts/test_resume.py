"""A run that was put down and taken up is the run that was not."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hessx
from _helpers.resuming import (
    METHODS,
    SECOND_ORDER,
    START,
    product,
    put_down,
    run,
    taken_up,
    trail,
)
from _helpers.runs import chained_rosenbrock
from hessx import Outcome, SettingsError
from hessx._xp import _numpy_rows
from hessx.krylov import GLTR

every_method = pytest.mark.parametrize("name", METHODS)
TESTS = Path(__file__).parents[1]

ELSEWHERE = """
import json, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from _helpers.resuming import START, taken_up, trail
trails = {{}}
for path in sorted(Path({folder!r}).glob("*.bytes")):
    name = path.name.split("@")[0]
    trails[path.name] = trail(taken_up(path.read_bytes(), START, name, method=None))
print(json.dumps(trails))
"""


@every_method
@pytest.mark.backends("numpy", "torch")
def test_put_down_after_each_evaluation(backend, name, tmp_path):
    """Bitwise the uninterrupted run: iterates, counts and history.

    On NumPy after each; the state has the same parts on every library, so that a third will do.
    """
    x0 = backend.asarray(START)
    whole = run(x0, name)
    assert 10 < whole.nfev <= 40
    expected = trail(whole, backend.to_numpy)
    for evaluations in range(0, whole.nfev, 1 if backend.name == "numpy" else 3):
        data = put_down(x0, name, evaluations, tmp_path)
        result = taken_up(data, x0, name, method=None)
        assert trail(result, backend.to_numpy) == expected, evaluations


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("name", ["lbfgs-hz", "lbfgs-mt", "damped", "scaled"])
def test_put_down_where_rows_are_walked_in_blocks(backend, name, tmp_path, monkeypatch):
    """Of long vectors the first trial's step is the direction itself, in the same memory."""
    monkeypatch.setattr(_numpy_rows, "_WIDTH", 3)
    test_put_down_after_each_evaluation(backend, name, tmp_path)


def test_taken_up_in_another_process(tmp_path):
    expected = {}
    for name in METHODS:
        whole = run(START, name)
        for evaluations in (1, whole.nfev // 2, whole.nfev - 1):
            path = tmp_path / f"{name}@{evaluations}.bytes"
            path.write_bytes(put_down(START, name, evaluations, tmp_path))
            expected[path.name] = json.loads(json.dumps(trail(whole)))
    code = ELSEWHERE.format(tests=str(TESTS), folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected


@pytest.mark.parametrize("name", ["lbfgs-hz", "scaled", "cg-hs+", "trust region, pairs"])
def test_every_library(backend, name, tmp_path):
    if backend.lazy and name != "lbfgs-hz":
        pytest.skip("takes long on a lazy library")
    x0 = backend.asarray(START)
    whole = run(x0, name)
    data = put_down(x0, name, 9, tmp_path)
    result = taken_up(data, x0, name)
    backend.assert_same_kind(result.x, whole.x)
    assert trail(result, backend.to_numpy) == trail(whole, backend.to_numpy)
    checkpoint = hessx.load(tmp_path / "run.hessx", like=x0)
    backend.assert_same_kind(checkpoint.state.point.x, x0)


@every_method
@pytest.mark.backends("torch", "strict-device1", "jax", "dask")
def test_from_numpy_and_back(backend, name, tmp_path):
    """Between libraries the iterates are the same to rounding, which 20 evaluations amplify."""
    if backend.dtype_name != "float64":
        pytest.skip("the dtype does not change on the way")
    whole = run(START, name, options={"maxfun": 20})
    there = put_down(START, name, 5, tmp_path)
    back = put_down(backend.asarray(START), name, 3, tmp_path, resume=_file(tmp_path, there))
    result = taken_up(back, START, name, options={"maxfun": 20})
    assert type(result.x) is np.ndarray
    assert [result.nit, result.nfev] == [whole.nit, whole.nfev]
    np.testing.assert_allclose(result.history["value"], whole.history["value"], rtol=1e-7)
    np.testing.assert_allclose(result.x, whole.x, atol=1e-6)


def _file(folder, data):
    path = folder / "there.hessx"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "name",
    ["lbfgs-hz", "cg-hs+", "bb-long", *sorted(SECOND_ORDER.keys() - {"trust region, scaled"})],
)
@pytest.mark.backends("numpy", "torch")
def test_long_vectors_of_odd_length(backend, name, tmp_path):
    """Where loaded arrays stand in memory must not show in sums of many terms."""
    x0 = backend.asarray(np.resize(START, 1001))
    settings = {"options": {"maxfun": 12}}
    expected = trail(run(x0, name, **settings), backend.to_numpy)
    for evaluations in (3, 8, 11):
        data = put_down(x0, name, evaluations, tmp_path, **settings)
        assert trail(taken_up(data, x0, name, **settings), backend.to_numpy) == expected


@every_method
def test_a_run_that_reached_a_limit_goes_on(name):
    whole = run(START, name, options={"maxiter": 12})
    short = run(START, name, options={"maxiter": 5})
    assert short.outcome is Outcome.LIMIT_ITERATIONS
    x, inverse = short.x.copy(), _dense(short)
    for _ in range(2):  # a checkpoint is not used up
        result = run(START, name, options={"maxiter": 12}, resume=short.checkpoint)
        assert trail(result) == trail(whole)
    np.testing.assert_array_equal(short.x, x)  # nor is the finished run written to
    np.testing.assert_array_equal(_dense(short), inverse)
    assert run(START, name, options={"maxiter": 12}, resume=short).nit == 12


def _dense(result):
    return np.asarray(result.hess_inv) if "hess_inv" in result else np.zeros(())


@pytest.mark.parametrize("name", ["lbfgs-hz", "trust region", "newton-cg"])
def test_a_converged_run_goes_on_to_a_tighter_tolerance(name):
    loose = run(START, name, options={"gtol": 1e-1})
    tight = run(START, name, options={"gtol": 1e-8})
    assert loose.success
    result = run(START, name, options={"gtol": 1e-8}, resume=loose)
    assert result.success
    assert trail(result) == trail(tight)
    again = run(START, name, options={"gtol": 1e-1}, resume=loose)
    assert (again.message, again.nfev) == (loose.message, loose.nfev)


def test_stopped_by_the_callback_and_taken_up():
    def stop(intermediate_result):
        if intermediate_result.nit == 4:
            raise StopIteration

    short = run(START, "lbfgs-hz", callback=stop)
    assert short.outcome is Outcome.STOPPED_BY_USER
    assert trail(run(START, "lbfgs-hz", resume=short)) == trail(run(START, "lbfgs-hz"))


def test_a_stationary_start_is_left_after_a_load(tmp_path):
    """The probe for negative curvature comes after the first evaluation."""

    def saddle(x):
        return x[0] ** 4 / 4 - x[0] ** 2 / 2 + x[1] ** 2, np.array([x[0] ** 3 - x[0], 2 * x[1]])

    def hessp(x, v):
        return np.array([(3 * x[0] ** 2 - 1) * v[0], 2 * v[1]])

    def minimise(x0, **settings):
        method = METHODS["trust region"]
        return hessx.minimize(saddle, x0, jac=True, hessp=hessp, method=method, **settings)

    whole = minimise([0.0, 0.0])
    assert abs(whole.x[0]) == pytest.approx(1.0)
    run = hessx.AskTell([0.0, 0.0], METHODS["trust region"])
    run.tell(*saddle(run.ask()))
    assert run.wants == "hessian"
    result = minimise([0.0, 0.0], resume=run)
    assert (result.x.tobytes(), result.nfev) == (whole.x.tobytes(), whole.nfev)


@pytest.mark.parametrize("preconditioner", [None, "jacobi"])
@pytest.mark.parametrize("subproblem", [hessx.TruncatedCG(), GLTR()])
def test_a_trial_waits_until_the_hessian_has_come_again(subproblem, preconditioner):
    """Put down with the trial under way, and once more with the Hessian wanted before it."""
    method = hessx.TrustRegionMethod(subproblem=subproblem, preconditioner=preconditioner)
    settings = {"method": method, "history": True}

    def hess(x):
        return np.stack([product(x, e) for e in np.eye(7)])

    def minimise(**how):
        return hessx.minimize(chained_rosenbrock, START, jac=True, hess=hess, **settings, **how)

    whole, waited = trail(minimise()), 0
    session = hessx.AskTell(START, **settings)
    while not session.done:
        x, wants = session.ask(), session.wants
        if wants != "hessian":
            again = hessx.AskTell(START, resume=saved_and_loaded(session), **settings)
            if again.wants == "hessian":
                waited += 1
                once_more = hessx.AskTell(START, resume=saved_and_loaded(again), **settings)
                assert once_more.wants == "hessian"
                once_more.tell(hessian=hess(once_more.ask()))
                assert (once_more.wants, once_more.ask().tobytes()) == (wants, x.tobytes())
                assert trail(minimise(resume=once_more)) == whole
                assert trail(minimise(resume=again)) == whole
        if wants == "hessian":
            session.tell(hessian=hess(x))
        else:
            session.tell(*chained_rosenbrock(x))
    assert waited == session.result().nfev - 1  # each trial but the start


def saved_and_loaded(run):
    file = io.BytesIO()
    hessx.save(file, run)
    return hessx.load(file)


def test_counts_and_seconds_go_on(tmp_path):
    data = put_down(START, "lbfgs-hz", 9, tmp_path)
    checkpoint = hessx.load(tmp_path / "run.hessx")
    assert (checkpoint.counts.values, checkpoint.outcome) == (9, Outcome.RUNNING)
    result = taken_up(data, START, "lbfgs-hz", options={"maxfun": 9 + 4})
    assert (result.nfev, result.outcome) == (13, Outcome.LIMIT_EVALUATIONS)
    assert checkpoint.seconds > 0.0
    assert result.history["seconds"] == sorted(result.history["seconds"])
    late = run(START, "lbfgs-hz", resume=checkpoint, max_seconds=checkpoint.seconds)
    assert (late.outcome, late.nfev) == (Outcome.LIMIT_TIME, 10)


def test_history_begins_and_ends_where_it_is_wanted(tmp_path):
    whole = run(START, "lbfgs-hz")
    without = taken_up(put_down(START, "lbfgs-hz", 9, tmp_path, history=False), START, "lbfgs-hz")
    kept = len(without.history)
    assert without.history["value"] == whole.history["value"][-kept:]
    data = put_down(START, "lbfgs-hz", 9, tmp_path)
    result = taken_up(data, START, "lbfgs-hz", history=False)
    assert "history" not in result
    assert result.x.tobytes() == whole.x.tobytes()


@pytest.mark.parametrize(
    ("x0", "settings", "message"),
    [
        (START[:3], {}, r"shape \(3,\): expected \(7,\)"),
        (START.astype(np.float32), {}, "dtype float32: expected float64"),
        ({"a": START}, {}, r"x0 has tree .* of .*: expected None"),
        (START, {"maximize": True}, "maximize = True: the checkpoint is of a run with False"),
        (START, {"method": METHODS["lbfgs-mt"]}, "method.rule is 'MoreThuente', .*'HagerZhang'"),
        (
            START,
            {"method": "lbfgs"},
            "direction.approximation.memory is None, in the checkpoint 4",
        ),
        (START, {"method": "lbfgs", "options": {"maxcor": 4, "c2": 0.5}}, "c2 is 0.5, .* 0.9"),
        (START, {"method": METHODS["scaled"]}, "memory is 3, in the checkpoint 4"),
    ],
)
def test_what_does_not_fit_is_refused(x0, settings, message, tmp_path):
    checkpoint = run(START, "lbfgs-hz").checkpoint
    with pytest.raises(SettingsError, match=message):
        run(x0, "lbfgs-hz", **({"method": None} | settings), resume=checkpoint)


def test_a_method_by_name_may_be_given_again():
    short = run(START, "", method="L-BFGS-B", options={"maxiter": 3})
    result = run(START, "", method="lbfgs", options={"maxiter": 9, "maxcor": 10}, resume=short)
    assert result.nit == 9


def test_options_of_the_method_do_not_change_on_the_way():
    short = run(START, "", method="lbfgs", options={"maxiter": 3})
    with pytest.raises(ValueError, match="unknown option 'maxcor'"):
        run(START, "", method=None, options={"maxcor": 4}, resume=short)


@pytest.mark.parametrize("subproblem", [hessx.TruncatedCG(), GLTR(max_basis=8)])
def test_a_function_in_the_method_is_given_again(subproblem, tmp_path):
    weights = np.geomspace(0.1, 1.0, 7)

    def diagonal(r):
        return r * weights

    method = hessx.TrustRegionMethod(subproblem=subproblem, preconditioner=diagonal)
    whole = run(START, "", method=method)
    for evaluations in range(0, whole.nfev, 2):
        data = put_down(START, "", evaluations, tmp_path, method=method)
        assert trail(taken_up(data, START, "", method=method)) == trail(whole)
    with pytest.raises(hessx.CheckpointError, match=r"diagonal, which was not saved: give method="):
        taken_up(data, START, "", method=None)


def test_arrays_of_the_method_are_compared():
    scales = [np.linspace(1.0, 2.0, 7), np.linspace(1.0, 3.0, 7)]
    methods = [hessx.LineSearchMethod(hessx.LBFGS(), hessx.HagerZhang(), scale) for scale in scales]
    short = run(START, "", method=methods[0], options={"maxiter": 3})
    assert run(START, "", method=methods[0], resume=short).nit > 3
    with pytest.raises(SettingsError, match="an array of method differs"):
        run(START, "", method=methods[1], resume=short)


@pytest.mark.parametrize("given", [7, b"x", object(), {"a": 1}])
def test_what_is_no_checkpoint(given):
    with pytest.raises(TypeError, match=f"resume is a {type(given).__name__}: expected"):
        run(START, "lbfgs-hz", resume=given)


def test_a_warm_started_run_is_taken_up():
    first = run(START, "lbfgs-hz", options={"maxiter": 6})
    options = {"hess_inv0": first.hess_inv, "maxcor": 4}
    whole = run(START, "", method="lbfgs", options=options | {"maxiter": 9})
    short = run(START, "", method="lbfgs", options=options | {"maxiter": 3})
    result = run(START, "", method=None, options={"maxiter": 9}, resume=short)
    assert trail(result) == trail(whole)
