"""Runs on samples of a finite sum are the same wherever its rows are and whoever differentiates."""

from __future__ import annotations

import numpy as np
import pytest

import hessx

N, D = 60, 3
ADAM = {"rate": 0.05, "epochs": 3, "batch_size": 16}


def make_data():
    rng = np.random.default_rng(7)
    X = rng.standard_normal((N, D))
    return X, X @ np.array([1.0, -2.0, 0.5]) + 0.1 * rng.standard_normal(N)


def squares(w, X, y):
    r = X @ w - y
    return r @ r / (2 * X.shape[0]), X.T @ r / X.shape[0]


def value(w, X, y):
    return squares(w, X, y)[0]


def adam_by_hand(x, order, epochs, batch, rate):
    """Kingma & Ba (2015), algorithm 1, on the rows of an order, in plain NumPy."""
    X, y = make_data()
    m, v, t = np.zeros(D), np.zeros(D), 0
    for epoch in range(epochs):
        rows = order.indices(epoch, N)
        for start in range(0, N, batch):
            i = rows[start : start + batch]
            g, t = squares(x, X[i], y[i])[1], t + 1
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            x = x - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    return x


def minimize(loss, x0, **settings):
    options = ADAM | settings.pop("options", {})
    return hessx.minimize(loss, x0, method="adam", options=options, **settings)


@pytest.mark.parametrize("block", [None, 8])
def test_adam_sees_the_rows_of_the_order(backend, block):
    order = hessx.Shuffled(5, block=block)
    loss = hessx.FiniteSum(squares, tuple(map(backend.asarray, make_data())), jac=True)
    x0 = backend.asarray(np.zeros(D))
    # the last batch is a smaller one
    result = minimize(loss, x0, options={"order": order, "batch_size": 16})
    backend.assert_same_kind(result.x, x0)
    expected = adam_by_hand(np.zeros(D), order, 3, 16, 0.05)
    np.testing.assert_allclose(backend.to_numpy(result.x), expected, atol=1e3 * backend.eps)


@pytest.mark.parametrize("kind", ["blocks", "memmap", "dask", "batches"])
@pytest.mark.backends("numpy", "torch", "fakegpu")
def test_rows_from_elsewhere(backend, kind, tmp_path):
    order, (X, y) = hessx.Shuffled(5, block=8), make_data()
    if kind == "blocks":
        data = hessx.Blocks(X, y)
    elif kind == "memmap":
        np.save(tmp_path / "X.npy", X)
        data = (np.load(tmp_path / "X.npy", mmap_mode="r"), y)
    elif kind == "dask":
        dask = pytest.importorskip("dask.array")
        data = hessx.Blocks(dask.from_array(X, chunks=(20, D)), y)
    else:

        def read(epoch, start, stop):
            rows = order.indices(epoch, N)[start:stop]
            return X[rows], y[rows]

        data = hessx.Batches(read, N)
    loss = hessx.FiniteSum(squares, data, jac=True)
    result = minimize(loss, backend.asarray(np.zeros(D)), options={"order": order})
    expected = adam_by_hand(np.zeros(D), order, 3, 16, 0.05)
    np.testing.assert_allclose(backend.to_numpy(result.x), expected, atol=1e3 * backend.eps)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.backends("torch", "fakegpu", "jax")
def test_derivatives_by_the_library(backend, sign):
    """The variables in two leaves of a dict; to maximise -f is to minimise f."""
    xp = backend.xp
    data = tuple(map(backend.asarray, make_data()))
    fun = lambda x, X, y: sign * value(xp.concat([x["a"], x["b"]]), X, y)  # noqa: E731
    loss = hessx.FiniteSum(fun, data, jac="autodiff")
    x0 = {"a": backend.asarray([0.0]), "b": backend.asarray([0.0, 0.0])}
    result = minimize(loss, x0, maximize=sign < 0.0)
    expected = adam_by_hand(np.zeros(D), hessx.Shuffled(), 3, 16, 0.05)
    found = np.concatenate([backend.to_numpy(result.x[k]) for k in ("a", "b")])
    np.testing.assert_allclose(found, expected, atol=1e3 * backend.eps)


def test_ones_own_loop(backend):
    if backend.lazy:
        pytest.skip("takes long on a lazy library")
    loss = hessx.FiniteSum(squares, tuple(map(backend.asarray, make_data())), jac=True)
    x0 = backend.asarray(np.zeros(D))
    run = hessx.AskTell(x0, hessx.StochasticMethod([hessx.Adam()], **ADAM, N=N))
    while not run.done:
        run.tell(*loss(run.ask(), run.sample))
    expected = minimize(loss, x0)
    np.testing.assert_array_equal(backend.to_numpy(run.result().x), backend.to_numpy(expected.x))


def test_taken_up_with_rows_from_elsewhere(tmp_path):
    """Where the rows are is not part of a run: it is put down with some and goes on with others."""
    X, y = make_data()
    here = hessx.FiniteSum(squares, (X, y), jac=True)
    there = hessx.FiniteSum(squares, hessx.Blocks(X, y), jac=True)
    order = hessx.Shuffled(1, block=8)
    whole = minimize(here, np.zeros(D), options={"order": order})
    part = minimize(here, np.zeros(D), options={"order": order, "epochs": 1})
    hessx.save(tmp_path / "run", part)
    options = {"options": {"order": order}, "resume": tmp_path / "run"}
    np.testing.assert_array_equal(minimize(here, np.zeros(D), **options).x, whole.x)
    np.testing.assert_allclose(minimize(there, np.zeros(D), **options).x, whole.x, rtol=1e-13)


@pytest.mark.parametrize("estimate", ["svrg", "saga", "sarah"])
@pytest.mark.backends("torch", "jax")
def test_variance_reduction_by_autodiff(backend, estimate):
    """SAGA keeps the gradients of the rows that autodiff gives; all three find the minimum."""
    data = tuple(map(backend.asarray, make_data()))
    loss = hessx.FiniteSum(value, data, jac="autodiff")
    options = {"rate": 0.3, "epochs": 12, "batch_size": 10}
    result = hessx.minimize(loss, backend.asarray(np.zeros(D)), method=estimate, options=options)
    solution = np.linalg.lstsq(*make_data())[0]
    # plain steps of this rate end some 0.02 away
    np.testing.assert_allclose(backend.to_numpy(result.x), solution, atol=2e-3)
