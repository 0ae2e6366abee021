"""Results travel: through pickle, copies, and out of the workers of a pool."""

from __future__ import annotations

import copy
import io
import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import hessx
from _helpers.remote import minimise_elsewhere
from _helpers.resuming import METHODS, SECOND_ORDER, START, run, trail
from _helpers.runs import bowl

TESTS = Path(__file__).parents[1]
WAYS = {
    "pickle": lambda a: pickle.loads(pickle.dumps(a)),
    "pickle, protocol 2": lambda a: pickle.loads(pickle.dumps(a, protocol=2)),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


def assert_same(backend, found, result):
    assert type(found) is hessx.Result and list(found) == list(result)
    for name in ("fun", "nit", "nfev", "njev", "nhev", "success", "status", "message", "counts"):
        assert found[name] == result[name]
    assert found.outcome is result.outcome
    for name in ("x", "jac"):
        backend.assert_same_kind(found[name], result[name])
        np.testing.assert_array_equal(backend.to_numpy(found[name]), backend.to_numpy(result[name]))
    if "history" in result:
        assert [repr(record) for record in found.history] == [repr(r) for r in result.history]
    if "hess_inv" in result:
        np.testing.assert_array_equal(found.hess_inv.todense(), result.hess_inv.todense())


@pytest.mark.backends("numpy", "torch", "strict", "jax", "dask")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", ["lbfgs", "cg", "trust-ncg", "trust-krylov"])
def test_a_result_comes_back(backend, way, method):
    if backend.lazy and method != "lbfgs":
        pytest.skip("takes long on a lazy library")
    x0 = backend.asarray([3.0, -2.0, 0.5])
    result = minimise_elsewhere(x0, method)
    found = WAYS[way](result)
    assert_same(backend, found, result)
    assert len(found.allvecs) == found.nit + 1
    backend.assert_same_kind(found.allvecs[0], x0)
    assert found.checkpoint.counts == result.counts
    if "hess_inv" in found:
        v = backend.asarray([1.0, 2.0, 3.0])
        backend.assert_same_kind(found.hess_inv @ v, v)
        warm = hessx.minimize(bowl, x0, jac=True, options={"hess_inv0": found.hess_inv})
        assert warm.success


@pytest.mark.parametrize("name", METHODS)
def test_a_run_goes_on_from_a_copy(name):
    """Bitwise as from the result itself."""
    short = run(START, name, options={"maxiter": 5})
    expected = trail(run(START, name, options={"maxiter": 9}, resume=short))
    for way in ("pickle", "deepcopy"):
        twin = WAYS[way](short)
        assert trail(run(START, name, options={"maxiter": 9}, resume=twin)) == expected
        again = WAYS[way](twin.checkpoint)
        assert trail(run(START, name, options={"maxiter": 9}, resume=again)) == expected


def test_trees_scales_and_shapes():
    x0 = {"a": np.ones((2, 2)), "b": [np.zeros(3)]}

    def fun(x):
        a, b = x["a"] - 2.0, x["b"][0] + 1.0
        return (a * a).sum() + (b * b).sum(), {"a": 2 * a, "b": [2 * b]}

    result = hessx.minimize(fun, x0, jac=True, x_scale={"a": 2.0, "b": [[1.0, 2.0, 3.0]]})
    found = WAYS["pickle"](result)
    np.testing.assert_array_equal(found.x["a"], result.x["a"])
    np.testing.assert_array_equal(found.hess_inv.todense(), result.hess_inv.todense())
    resumed = hessx.minimize(fun, x0, jac=True, resume=found, x_scale=None, options={"gtol": 0})
    assert resumed.nfev >= found.nfev


class Own(hessx.Approximation):
    """An approximation that nobody has registered, and that no pickle can hold."""

    learns = hessx.Learns.NOTHING

    def begin(self, frame):
        return OwnCurvature()


class OwnCurvature(hessx.Curvature):
    def __init__(self):
        self.function = lambda v: v * 1.0

    def solve(self, v):
        return self.function(v)


def test_what_cannot_be_saved_leaves_the_rest_of_the_result():
    method = hessx.LineSearchMethod(Own(), hessx.HagerZhang())
    result = hessx.minimize(bowl, [3.0, 2.0], jac=True, method=method)
    for way in WAYS.values():
        found = way(result)
        np.testing.assert_array_equal(found.x, result.x)
        with pytest.raises(TypeError, match="is a OwnCurvature, which cannot be saved: register"):
            hessx.save(io.BytesIO(), found)


def test_a_loaded_checkpoint_keeps_its_library():
    torch = pytest.importorskip("torch")
    file = io.BytesIO()
    hessx.save(file, run(START, "lbfgs-hz", options={"maxiter": 3}))
    file.seek(0)
    loaded = hessx.load(file, like=torch.asarray(START))
    assert isinstance(WAYS["pickle"](loaded).state.point.x, torch.Tensor)


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_spawned_workers_give_results_back(library):
    """Functions need not be picklable: they stay where they are."""
    x0 = pytest.importorskip(library).asarray(np.array([3.0, -2.0, 0.5]))
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        for method in ("lbfgs", "trust-ncg"):
            found = pool.submit(minimise_elsewhere, x0, method).result(timeout=120)
            here = minimise_elsewhere(x0, method)
            assert found.nfev == here.nfev
            assert (found.x == here.x).all() and type(found.x) is type(x0)
            assert found.checkpoint.counts == here.counts
            if method == "lbfgs":
                np.testing.assert_array_equal(found.hess_inv.todense(), here.hess_inv.todense())


FORKED = """
import multiprocessing, sys
sys.path.insert(0, {tests!r})
import numpy as np
from _helpers.remote import minimise_elsewhere
x0 = np.array([3.0, -2.0, 0.5])
with multiprocessing.get_context("fork").Pool(2) as pool:
    for found in pool.starmap(minimise_elsewhere, [(x0, "lbfgs"), (x0, "trust-krylov")]):
        assert found.success and found.checkpoint.counts == found.counts
print("all came back")
"""


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="no fork on this system"
)
def test_forked_workers_give_results_back():
    """In a process of its own: other libraries here have threads, which do not live with forks."""
    code = FORKED.format(tests=str(TESTS))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "all came back" in done.stdout, done.stderr


def test_workers_of_joblib_give_results_back():
    joblib = pytest.importorskip("joblib")
    starts = [np.array([3.0, -2.0]), np.array([0.5, 4.0])]
    found = joblib.Parallel(n_jobs=2)(
        joblib.delayed(lambda x0: hessx.minimize(lambda x: (x @ x, 2 * x), x0, jac=True))(x0)
        for x0 in starts
    )
    assert all(result.success for result in found)


def size(result):
    file = io.BytesIO()
    hessx.save(file, result)
    return len(file.getvalue())


def test_a_checkpoint_is_as_long_as_the_pairs_that_are_held():
    """256 pairs have room where n = 4; a megabyte of zeros is not written."""
    result = hessx.minimize(bowl, np.full(4, 3.0), jac=True, method="lbfgs")
    assert result.hess_inv.layout[0] == 256
    assert result.hess_inv.rows.count == 22  # ten pairs to begin with
    assert size(result) < 20_000
    assert len(pickle.dumps(result)) < 30_000
    sizes = [size(run(START, "lbfgs", method="lbfgs", options={"maxiter": k})) for k in (2, 8, 20)]
    # a pair: two vectors, a row and a column of two small matrices, and numbers as text
    assert sizes == sorted(sizes) and sizes[2] < sizes[0] + 20 * (2 * 8 * (7 + 20 + 10) + 40)
    many = run(START, "lbfgs", method="lbfgs", options={"maxiter": 20, "gtol": 0})
    full = many.hess_inv.count * 2
    assert full > 20 and many.checkpoint.content[1]
    rows = [a for a in many.checkpoint.content[1].values() if a.ndim == 2 and a.shape[1] == 7]
    assert max(map(len, rows)) <= 2 + full + 2  # gradients, pairs, the candidate


@pytest.mark.parametrize("name", ["trust region, pairs", *sorted(SECOND_ORDER)])
def test_rows_of_other_methods_are_written_as_far_as_they_are_used(name):
    result = run(START, name, options={"maxiter": 3})
    assert size(result) < 30_000


def test_nothing_of_the_users_functions_is_in_a_pickle():
    def secret_function(x):
        return bowl(x)

    result = hessx.minimize(
        secret_function, np.ones(3), jac=True, callback=lambda intermediate_result: None
    )
    assert b"secret_function" not in pickle.dumps(result)
    assert os.fsencode(__file__) not in pickle.dumps(result)
