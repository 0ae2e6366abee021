"""Rows that are not in memory are those of the array in memory, in the same order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import array_api_compat as compat
import numpy as np
import pytest

import hessx
from hessx import Sample, Wants
from hessx.core import Request

N, D = 53, 3
ORDERS = [
    hessx.Shuffled(2, block=8),
    hessx.Shuffled(2),
    hessx.Sequential(),
    hessx.WithReplacement(2),
    hessx.Importance(np.arange(1.0, N + 1)),
]
KINDS = ["numpy", "memmap", "dask", "h5py-like", "batches"]


class Dataset:
    """What h5py gives: a shape, and slices that are NumPy arrays; it writes down what is read."""

    def __init__(self, a):
        self.a, self.shape, self.read = a, a.shape, []

    def __getitem__(self, rows):
        assert isinstance(rows, slice)
        self.read.append((rows.start, rows.stop))
        return self.a[rows].copy()


def make_data(dtype="float64"):
    rng = np.random.default_rng(4)
    return rng.standard_normal((N, D)).astype(dtype), rng.integers(0, 2, N)


def squares(w, X, y, weights=None):
    """Mean of (x'w - y)^2 / 2, y of integers."""
    xp = compat.array_namespace(w)
    r = X @ w - xp.astype(y, w.dtype)
    s = r if weights is None else r * weights
    return r @ s / (2 * X.shape[0]), X.T @ s / X.shape[0]


def product(w, v, X, y, weights=None):
    force = X @ v
    return X.T @ (force if weights is None else force * weights) / X.shape[0]


def stored(kind, data, order, path):
    """The same rows, elsewhere."""
    if kind == "batches":

        def read(epoch, start, stop):
            rows = order.indices(epoch, N)[start:stop]
            return tuple(a[rows] for a in data)

        return hessx.Batches(read, N, block=20)
    if kind == "memmap":
        mapped = []
        for i, a in enumerate(data):
            np.save(path / f"{i}.npy", a)
            mapped.append(np.load(path / f"{i}.npy", mmap_mode="r"))
        return tuple(mapped)
    if kind == "dask":
        dask = pytest.importorskip("dask.array")
        return hessx.Blocks(*(dask.from_array(a, chunks=(10, *a.shape[1:])) for a in data))
    if kind == "numpy":
        return hessx.Blocks(*data, block=20)
    return tuple(map(Dataset, data))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.backends("numpy", "strict", "torch", "torch-float32", "fakegpu", "jax")
def test_the_same_batches(backend, kind, tmp_path):
    w, data = backend.asarray([0.5, -1.0, 2.0]), make_data(backend.dtype_name)
    X, y = backend.asarray(data[0]), backend.asarray(data[1], "int64")
    given = {"jac": True, "hessp": product}
    expected = hessx.FiniteSum(squares, (X, y), **given)
    for order in ORDERS:
        single = order.weights(N) is not None or order == hessx.Shuffled(2)
        if (kind == "batches" and order.weights(N) is not None) or (kind == "dask" and single):
            continue  # an order of their own; a run of the scheduler for each row
        loss = hessx.FiniteSum(squares, stored(kind, data, order, tmp_path), **given)
        assert loss.N == N
        for epoch, start, stop in ((0, 0, 6), (0, 5, 21), (3, 40, 53), (0, 0, 6), (0, 0, 53)):
            sample = Sample(order, epoch, start, stop)
            found, right = loss(w, sample), expected(w, sample)
            backend.assert_same_kind(found[1], w)
            assert float(found[0]) == pytest.approx(float(right[0]), rel=20 * backend.eps)
            ours, theirs = (backend.to_numpy(grad) for _, grad in (found, right))
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=50 * backend.eps)
        request = Request(w, 0, Wants.HESSIAN, sample=Sample(order, 1, 2, 9))
        ours, theirs = (backend.to_numpy(f.answer(request).hessian(w)) for f in (loss, expected))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=50 * backend.eps)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["hess", "hessp"])
def test_the_whole_is_read_in_pieces(kind, form, tmp_path):
    w, data = np.array([0.5, -1.0, 2.0]), make_data()
    hess = {"hess": lambda w, X, y: X.T @ X / len(X)} if form == "hess" else {"hessp": product}
    expected = hessx.FiniteSum(squares, data, jac=True, **hess)
    loss = hessx.FiniteSum(squares, stored(kind, data, ORDERS[0], tmp_path), jac=True, **hess)
    for found, right in zip(loss(w), expected(w), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-13)
    solution = np.linalg.lstsq(*data)[0]
    for method in ("lbfgs", "newton-cg"):
        result = hessx.minimize(loss, w, method=method, tol=1e-8)
        assert result.success
        np.testing.assert_allclose(result.x, solution, atol=1e-6)
        assert result.counts.rows == N * (result.nfev + result.nhev)


def test_a_value_alone_of_the_whole():
    data = make_data()
    value, grad = lambda *a: squares(*a)[0], lambda *a: squares(*a)[1]
    loss = hessx.FiniteSum(value, hessx.Blocks(*data, block=20), jac=grad)
    reply = loss.answer(Request(np.ones(D), 0, Wants.VALUE))
    assert reply.value == pytest.approx(squares(np.ones(D), *data)[0], rel=1e-14)
    assert loss.counts == hessx.Counts(1, 0, 0, N)


def test_each_block_is_read_once_and_two_are_held():
    X, y = make_data()
    data = Dataset(X), Dataset(y)
    loss, order = hessx.FiniteSum(squares, data, jac=True), hessx.Shuffled(0, block=8)
    for start in range(0, N, 5):
        loss(np.ones(D), Sample(order, 0, start, min(start + 5, N)))
        assert len(loss._data._held) <= 2
    for a in data:
        assert sorted(a.read) == [(i, min(i + 8, N)) for i in range(0, N, 8)]


def test_what_lies_in_order_is_read_in_one_piece():
    X, y = make_data()
    data = Dataset(X), Dataset(y)
    hessx.FiniteSum(squares, data, jac=True)(np.ones(D), Sample(hessx.Sequential(), 0, 7, 30))
    assert data[0].read == [(7, 30)]


def test_floating_numbers_move_in_the_dtype_of_x_and_integers_as_they_are(tmp_path):
    torch = pytest.importorskip("torch")
    seen = []

    def fun(w, X, y):
        seen.append((X.dtype, y.dtype))
        return squares(w, X, y)

    loss = hessx.FiniteSum(fun, stored("memmap", make_data(), None, tmp_path), jac=True)
    loss(torch.ones(D), Sample(hessx.Shuffled(0, block=8), 0, 0, 5))
    assert seen == [(torch.float32, torch.int64)]


def test_one_upload_per_array_and_batch_from_elsewhere(pretend_gpu):
    from _helpers.registry import make_backend

    w = make_backend("fakegpu").asarray(np.ones(D))
    loss = hessx.FiniteSum(squares, hessx.Blocks(*make_data()), jac=True)
    with pretend_gpu.tally() as tally, hessx._xp.record_fetches() as ledger:
        for start in range(0, 40, 5):
            loss(w, Sample(hessx.Shuffled(0, block=8), 0, start, start + 5))
    assert tally.reads.total() == ledger.fetches == 0
    assert tally.uploads.total() == ledger.uploads == 8 * 2


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: hessx.Blocks(np.ones(3), np.ones(4)), hessx.SettingsError, "equal first axes"),
        (lambda: hessx.Blocks(), hessx.SettingsError, "at least one array"),
        (lambda: hessx.Blocks([1.0, 2.0]), TypeError, r"data\[0\] is a list"),
        (lambda: hessx.Blocks(np.ones(3), block=0), hessx.SettingsError, "block = 0"),
        (lambda: hessx.Batches(3, 5), TypeError, r"read is a int: expected read\(epoch, start"),
        (lambda: hessx.Batches(len, 0), hessx.SettingsError, "N = 0: expected an integer >= 1"),
        (lambda: hessx.Batches(len, 5, block=0.5), hessx.SettingsError, "block = 0.5"),
    ],
)
def test_bad_sources(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_what_batches_may_not_give():
    X, y = make_data()
    w, sample = np.ones(D), Sample(hessx.Shuffled(), 0, 0, 5)
    short = hessx.FiniteSum(squares, hessx.Batches(lambda *_: (X[:5], y[:4]), N), jac=True)
    with pytest.raises(ValueError, match=r"read\(0, 0, 5\) gave \[5, 4\] rows: expected 5"):
        short(w, sample)
    loss = hessx.FiniteSum(squares, hessx.Batches(lambda *_: (X[:5], y[:5]), N), jac=True)
    with pytest.raises(hessx.SettingsError, match="Importance weighs rows"):
        loss(w, Sample(ORDERS[-1], 0, 0, 5))
    with pytest.raises(ValueError, match=f"expected 0 <= start < stop <= {N}"):
        loss(w, Sample(hessx.Shuffled(), 0, 50, 54))
    torch = pytest.importorskip("torch")
    other = hessx.FiniteSum(squares, hessx.Batches(lambda *_: torch.ones(5), N), jac=True)
    with pytest.raises(TypeError, match="the rows are an array of torch: expected NumPy arrays"):
        other(w, sample)


def test_gradients_of_rows_that_are_not_in_memory(pretend_gpu):
    from _helpers.registry import make_backend

    backend = make_backend("torch")
    X, y = make_data()
    fun = lambda w, X, y: squares(w, X, y)[0]  # noqa: E731
    loss = hessx.FiniteSum(fun, hessx.Blocks(X, y), jac="autodiff")
    w, wants = backend.asarray(np.ones(D)), Wants.VALUE | Wants.GRADIENT | Wants.PER_SAMPLE
    sample = Sample(hessx.Shuffled(0, block=8), 0, 0, 5)
    rows = sample.order.indices(0, N)[:5]
    matrix = loss.answer(Request(w, 0, wants, sample=sample)).per_sample.matrix()
    expected = X[rows] * (X[rows].sum(axis=1) - y[rows])[:, None]
    np.testing.assert_allclose(backend.to_numpy(matrix), expected, rtol=1e-12)
    before = loss.counts.values
    with pytest.raises(ValueError, match=r"not in memory: give arrays, .* SVRG in place of SAGA"):
        loss.answer(Request(w, 0, wants))
    assert loss.counts.values == before


LARGE = """
import sys
from pathlib import Path
import numpy as np, hessx

rows, columns = 2**20, 1024
X = np.memmap(sys.argv[1], np.float32, mode="r", shape=(rows, columns))
y, seen = np.ones(rows, np.float32), []

def squares(w, X, y):
    status = Path("/proc/self/status").read_text()
    seen.append(int(status.split("RssAnon:")[1].split()[0]) * 1024)
    r = X @ w - y
    return r @ r / (2 * len(y)), X.T @ r / len(y)

loss, w = hessx.FiniteSum(squares, (X, y), jac=True), np.full(columns, 0.5, np.float32)
order = hessx.Shuffled(0, block=8192)
options = {"rate": 0.1, "epochs": 1, "batch_size": 4096, "order": order}
result = hessx.minimize(loss, w, method="sgd", options=options)
print(max(seen), result.fun, abs(result.jac).max(), result.counts.rows / rows)
"""


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_four_gigabytes_in_one(tmp_path):
    """A run over a file larger than what the process may hold; RssAnon is its own memory."""
    path = tmp_path / "X.bin"
    free = os.statvfs(tmp_path)
    if free.f_bavail * free.f_frsize < 2**33:
        pytest.skip("less than 8 GB are free")
    try:
        path.touch()
        os.truncate(path, 2**32)
        command = [sys.executable, "-c", LARGE, str(path)]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    finally:
        path.unlink(missing_ok=True)
    most, value, slope, passes = map(float, out.split())
    assert most < 2**30
    assert (value, slope) == (0.5, 0.0)
    assert passes == 2.0  # an epoch, and the whole at its end
