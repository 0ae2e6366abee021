"""Derivatives by torch and JAX, against those written by hand."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest

import hessx
from hessx import Sample, Wants
from hessx.core import Request

N, D, H = 17, 3, 4
FIRST = Wants.VALUE | Wants.GRADIENT
differentiating = pytest.mark.backends("torch", "fakegpu", "jax")


def net(xp):
    """A layer of tanh and a linear one, squared loss, and a penalty; x is a tree."""

    def loss(p, X, y, weights=None):
        r = xp.tanh(X @ p["W"]) @ p["b"] - y
        square = r * r if weights is None else weights * r * r
        return xp.mean(square) / 2 + 0.05 * (xp.sum(p["W"] * p["W"]) + p["b"] @ p["b"])

    return loss


def by_hand(p, X, y, factors=None):
    """Value, gradients and the gradient of each row of the same, in NumPy."""
    factors = np.ones(len(y)) if factors is None else factors
    a = np.tanh(X @ p["W"])
    r = a @ p["b"] - y
    slopes = (factors * r)[:, None] * (1.0 - a * a) * p["b"]  # of each row, by its X W
    rows = {
        "W": X[:, :, None] * slopes[:, None, :] + 0.1 * p["W"],
        "b": (factors * r)[:, None] * a + 0.1 * p["b"],
    }
    value = (factors * r * r).mean() / 2 + 0.05 * (flat(p) @ flat(p))
    return value, {k: v.mean(axis=0) for k, v in rows.items()}, rows


def product_by_hand(p, v, X, y):
    """The derivative along v of the gradient, written out."""
    a, w = np.tanh(X @ p["W"]), X @ v["W"]
    bent = 1.0 - a * a
    da = bent * w
    r, dr = a @ p["b"] - y, da @ p["b"] + a @ v["b"]
    inner = dr[:, None] * bent * p["b"] + r[:, None] * (-2.0 * a * da * p["b"] + bent * v["b"])
    W = X.T @ inner / len(y) + 0.1 * v["W"]
    b = (dr[:, None] * a + r[:, None] * da).mean(axis=0) + 0.1 * v["b"]
    return {"W": W, "b": b}


def make(backend):
    rng = np.random.default_rng(8)
    host = {"W": rng.standard_normal((D, H)), "b": rng.standard_normal(H)}
    X, y = rng.standard_normal((N, D)), rng.standard_normal(N)
    loss = hessx.FiniteSum(net(backend.xp), tuple(map(backend.asarray, (X, y))), jac="autodiff")
    return loss, host, {k: backend.asarray(v) for k, v in host.items()}, X, y


def flat(p):
    return np.concatenate([np.ravel(p[k]) for k in ("W", "b")])


def tolerance(backend):
    return (
        {"rtol": 1e-10, "atol": 1e-12}
        if backend.dtype_name == "float64"
        else {"rtol": 2e-4, "atol": 1e-5}
    )


@differentiating
@pytest.mark.parametrize(
    "order", [None, hessx.Shuffled(2), hessx.Importance(np.arange(1.0, N + 1))]
)
def test_values_and_gradients(backend, order):
    loss, host, p, X, y = make(backend)
    sample = None if order is None else Sample(order, 1, 4, 11)
    rows = np.arange(N) if order is None else order.indices(1, N)[4:11]
    weights = None if order is None else order.weights(N)
    expected = by_hand(host, X[rows], y[rows], None if weights is None else weights[rows])
    value, grad = loss(p, sample)
    np.testing.assert_allclose(float(value), expected[0], **tolerance(backend))
    for k in p:
        backend.assert_same_kind(grad[k], p[k])
        np.testing.assert_allclose(backend.to_numpy(grad[k]), expected[1][k], **tolerance(backend))
    alone = loss.answer(Request(p, 0, Wants.VALUE, sample=sample))
    assert float(alone.value) == pytest.approx(float(value), rel=4 * backend.eps)
    assert alone.grad is None
    per_sample = loss.answer(Request(p, 0, FIRST | Wants.PER_SAMPLE, sample=sample)).per_sample
    rows_of = np.concatenate([expected[2][k].reshape(len(rows), -1) for k in ("W", "b")], axis=1)
    matrix = per_sample.matrix()
    backend.assert_same_kind(matrix, backend.asarray(rows_of))
    np.testing.assert_allclose(backend.to_numpy(matrix), rows_of, **tolerance(backend))
    mean = per_sample.mean(per_sample.coefficients)
    np.testing.assert_allclose(backend.to_numpy(mean), flat(expected[1]), **tolerance(backend))


@differentiating
def test_products(backend):
    loss, host, p, X, y = make(backend)
    rng, rows = np.random.default_rng(1), hessx.Shuffled(2).indices(0, N)[:9]
    H = loss.answer(Request(p, 0, Wants.HESSIAN, sample=Sample(hessx.Shuffled(2), 0, 0, 9))).hessian
    for _ in range(3):  # any number of times
        v = {k: rng.standard_normal(a.shape) for k, a in host.items()}
        product = H(backend.asarray(flat(v)))
        expected = flat(product_by_hand(host, v, X[rows], y[rows]))
        backend.assert_same_kind(product, backend.asarray(expected))
        np.testing.assert_allclose(backend.to_numpy(product), expected, **tolerance(backend))


@differentiating
@pytest.mark.parametrize(("method", "sign"), [("lbfgs", -1.0), ("newton-cg", 1.0), (None, -1.0)])
def test_minimising_a_tree(backend, method, sign):
    _, host, p, X, y = make(backend)
    fun = net(backend.xp)
    data = tuple(map(backend.asarray, (X, y)))
    loss = hessx.FiniteSum(lambda *given: sign * fun(*given), data, jac="autodiff")
    result = hessx.minimize(loss, p, method=method, maximize=sign < 0.0)
    assert result.success
    value, grad, _ = by_hand(
        {k: backend.to_numpy(v).astype(float) for k, v in result.x.items()}, X, y
    )
    assert abs(flat(grad)).max() < (2e-3 if backend.dtype_name == "float32" else 1e-5)
    assert float(result.fun) == pytest.approx(sign * value, rel=1e-4)
    assert result.counts.rows == N * (result.nfev + result.nhev)
    assert (result.nhev > 0) == (method != "lbfgs")
    for k in p:
        np.testing.assert_array_equal(
            backend.to_numpy(p[k]), backend.to_numpy(backend.asarray(host[k]))
        )


@differentiating
def test_a_matrix_as_x_and_what_is_linear(backend):
    xp = backend.xp
    A, x = backend.asarray(np.arange(12.0).reshape(6, 2)), backend.asarray([[1.0], [2.0]])
    linear = hessx.FiniteSum(lambda x, A: xp.mean(A @ x), A, jac="autodiff")
    sample = Sample(hessx.Sequential(), 0, 0, 2)
    grad = linear(x, sample)[1]
    backend.assert_same_kind(grad, x)
    np.testing.assert_array_equal(backend.to_numpy(grad), [[1.0], [2.0]])
    product = linear.answer(Request(x, 0, Wants.HESSIAN, sample=sample)).hessian(x[:, 0])
    np.testing.assert_array_equal(backend.to_numpy(product), [0.0, 0.0])
    request = Request(x, 0, FIRST | Wants.PER_SAMPLE, sample=sample)
    matrix = linear.answer(request).per_sample.matrix()
    np.testing.assert_array_equal(backend.to_numpy(matrix), [[0.0, 1.0], [2.0, 3.0]])


@differentiating
def test_leaves_that_f_does_not_see(backend):
    x = {
        "a": backend.asarray([1.0, 2.0]),
        "b": backend.asarray([3.0]),
        "c": backend.asarray([[2.0]]),
    }
    fun = lambda x, A: backend.xp.mean(A @ x["a"]) * x["c"][0, 0] ** 2  # noqa: E731
    loss = hessx.FiniteSum(fun, backend.asarray([[1.0, 0.0], [0.0, 1.0]]), jac="autodiff")
    _, grad = loss(x)
    expected = {"a": [2.0, 2.0], "b": [0.0], "c": [[6.0]]}
    for k, g in grad.items():
        np.testing.assert_array_equal(backend.to_numpy(g), expected[k])
    product = loss.answer(Request(x, 0, Wants.HESSIAN)).hessian(backend.asarray([1.0, 1, 1, 1]))
    np.testing.assert_array_equal(backend.to_numpy(product), [2.0, 2.0, 0.0, 7.0])


@pytest.mark.backends("fakegpu")
def test_nothing_waits(backend):
    loss, _, p, _, _ = make(backend)
    v, order = backend.asarray(np.ones(D * H + H)), hessx.Shuffled(0)
    loss(p, Sample(order, 0, 0, 4))
    with backend.fetches() as waits:
        for start in range(4, 16, 4):
            sample = Sample(order, 0, start, start + 4)
            loss.answer(Request(p, 0, FIRST | Wants.PER_SAMPLE, sample=sample))
            loss.answer(Request(p, 0, Wants.HESSIAN, sample=sample)).hessian(v)
    assert waits.count == 0


@pytest.mark.backends("torch")
def test_memory_does_not_grow_with_torch(backend):
    import torch

    if backend.dtype_name == "float32":
        pytest.skip("as in float64")
    loss, _, p, _, _ = make(backend)
    v, order = backend.asarray(np.ones(D * H + H)), hessx.Shuffled(0)

    def steps(count):
        for i in range(count):
            sample = Sample(order, i // 4, i % 4 * 4, i % 4 * 4 + 4)
            loss(p, sample)
            loss.answer(Request(p, 0, Wants.HESSIAN, sample=sample)).hessian(v)
        gc.collect()
        return sum(isinstance(a, torch.Tensor) for a in gc.get_objects())

    before = steps(20)
    assert steps(200) == before
    gc.disable()  # nothing waits for the collector of cycles
    try:
        steps(4)
        live = [a for a in gc.get_objects() if isinstance(a, torch.Tensor)]
        assert len(live) == before
    finally:
        gc.enable()


@pytest.mark.backends("jax")
def test_memory_does_not_grow_with_jax_and_each_size_is_compiled_once(backend):
    import jax

    if backend.dtype_name == "float32":
        pytest.skip("as in float64")
    traces, inner = [], net(backend.xp)
    _, _, p, X, y = make(backend)
    data = tuple(map(backend.asarray, (X, y)))
    loss = hessx.FiniteSum(lambda *a: traces.append(0) or inner(*a), data, jac="autodiff")
    order = hessx.Shuffled(0)

    def steps(epochs):
        for epoch in epochs:
            for start in range(0, N, 6):
                loss(p, Sample(order, epoch, start, min(start + 6, N)))
        gc.collect()
        return len(jax.live_arrays())

    before = steps(range(3))
    assert len(traces) == 2  # batches of six and of five
    assert steps(range(3, 53)) == before
    assert len(traces) == 2


def test_memory_does_not_grow_with_numpy():
    rng = np.random.default_rng(0)
    A = rng.standard_normal((40, 3))
    square = lambda x, A: ((A @ x) @ (A @ x) / (2 * len(A)), A.T @ (A @ x) / len(A))  # noqa: E731
    loss = hessx.FiniteSum(square, A, jac=True)

    def steps(count):
        for i in range(count):
            loss(np.ones(3), Sample(hessx.Shuffled(0), i // 4, i % 4 * 10, i % 4 * 10 + 10))

    steps(50)
    tracemalloc.start()
    try:
        steps(50)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        steps(1000)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 4096
    finally:
        tracemalloc.stop()


@pytest.mark.backends("numpy", "strict", "dask")
def test_libraries_that_do_not_differentiate(backend):
    loss, _, p, _, _ = make(backend)
    for _ in range(2):
        with pytest.raises(TypeError, match=r"does not differentiate: .* torch or JAX"):
            loss(p)


@pytest.mark.backends("torch")
@pytest.mark.parametrize(
    ("fun", "message"),
    [
        (lambda x, A: A @ x, r"returned a Tensor of shape \(2,\): expected a 0-d tensor"),
        (lambda x, A: 1.0, "returned a float: expected a 0-d tensor"),
        (lambda x, A: (A @ x).sum().detach(), "cannot differentiate: it does not depend on x"),
        (lambda x, A: ((A @ x).sum(), x), "returned a tuple"),
    ],
)
def test_what_fun_may_not_return(backend, fun, message):
    loss = hessx.FiniteSum(fun, backend.asarray([[1.0, 0.0], [0.0, 1.0]]), jac="autodiff")
    with pytest.raises(TypeError, match=message):
        loss(backend.asarray([1.0, 2.0]))
