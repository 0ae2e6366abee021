"""A finite sum on samples and as a whole, against a loop over the rows in NumPy."""

from __future__ import annotations

import array_api_compat as compat
import numpy as np
import pytest

import hessx
from hessx import Sample, Wants
from hessx.core import Request

N, D = 23, 4
FIRST = Wants.VALUE | Wants.GRADIENT
ORDERS = [
    hessx.Shuffled(3),
    hessx.Shuffled(3, block=5),
    hessx.Sequential(),
    hessx.WithReplacement(3),
    hessx.Importance(np.arange(1.0, N + 1), 3),
]


def make_data():
    rng = np.random.default_rng(5)
    X = rng.standard_normal((N, D))
    return X, np.where(X @ rng.standard_normal(D) > 0.0, 1.0, -1.0), rng.standard_normal(D)


def logistic(w, X, t, weights=None):
    """Mean of log(1 + exp(-t x'w)) over the rows, and its gradient."""
    xp = compat.array_namespace(w)
    u = -t * (X @ w)
    loss, slope = xp.log(1.0 + xp.exp(u)), -t / (1.0 + xp.exp(-u)) / X.shape[0]
    if weights is not None:
        loss, slope = loss * weights, slope * weights
    return xp.mean(loss), X.T @ slope


def logistic_value(w, X, t, weights=None):
    return logistic(w, X, t, weights)[0]


def logistic_gradient(w, X, t, weights=None):
    return logistic(w, X, t, weights)[1]


def logistic_product(w, v, X, t, weights=None):
    xp = compat.array_namespace(w)
    s = 1.0 / (1.0 + xp.exp(X @ w))
    c = s * (1.0 - s) / X.shape[0]
    return X.T @ ((c if weights is None else c * weights) * (X @ v))


def by_rows(w, v, rows, factors=None):
    """Value, gradient and product, one row after the other, in float64."""
    X, t, _ = make_data()
    value, grad, product = 0.0, np.zeros(D), np.zeros(D)
    for i, factor in zip(rows, np.ones(len(rows)) if factors is None else factors, strict=True):
        u = -t[i] * (X[i] @ w)
        s = 1.0 / (1.0 + np.exp(-u))
        value += factor * np.log(1.0 + np.exp(u)) / len(rows)
        grad -= factor * t[i] * s * X[i] / len(rows)
        product += factor * s * (1.0 - s) * (X[i] @ v) * X[i] / len(rows)
    return value, grad, product


def make_sum(backend, **settings):
    X, t, w = map(backend.asarray, make_data())
    return hessx.FiniteSum(
        logistic, (X, t), **{"jac": True, "hessp": logistic_product} | settings
    ), w


def product_at(loss, w, v, sample):
    return loss.answer(Request(w, 0, Wants.HESSIAN, sample=sample)).hessian(v)


@pytest.mark.parametrize("order", ORDERS, ids=repr)
def test_a_sample_is_the_mean_over_its_rows(backend, order):
    loss, w = make_sum(backend)
    v, rtol = w * 0.5 + 1.0, 200 * backend.eps
    for epoch, start, stop in ((0, 0, 6), (0, 4, 11), (2, 20, 23), (0, 0, 6)):
        sample = Sample(order, epoch, start, stop)
        value, grad = loss(w, sample)
        rows, factors = order.indices(epoch, N)[start:stop], order.weights(N)
        expected = by_rows(
            backend.to_numpy(w),
            backend.to_numpy(v),
            rows,
            factors if factors is None else factors[rows],
        )
        backend.assert_same_kind(grad, w)
        np.testing.assert_allclose(float(value), expected[0], rtol=rtol)
        np.testing.assert_allclose(backend.to_numpy(grad), expected[1], rtol=rtol, atol=rtol)
        product = product_at(loss, w, v, sample)
        backend.assert_same_kind(product, w)
        np.testing.assert_allclose(backend.to_numpy(product), expected[2], rtol=rtol, atol=rtol)


@pytest.mark.parametrize("order", ORDERS[:3], ids=repr)
def test_the_whole_is_the_mean_of_an_epochs_batches(backend, order):
    loss, w = make_sum(backend)
    value, grad = loss(w)
    expected = by_rows(backend.to_numpy(w), np.ones(D), range(N))
    np.testing.assert_allclose(float(value), expected[0], rtol=100 * backend.eps)
    mean = np.zeros(D)
    for start in range(0, N, 6):
        stop = min(start + 6, N)
        part = loss(w, Sample(order, 4, start, stop))[1]
        mean += backend.to_numpy(part).astype(float) * (stop - start) / N
    np.testing.assert_allclose(mean, backend.to_numpy(grad), atol=100 * backend.eps)


def test_importance_is_unbiased():
    """The exact expectation over the row that a sample of one holds."""
    X, t, w = make_data()
    loss, p = hessx.FiniteSum(logistic, (X, t), jac=True), np.arange(1.0, N + 1)
    order, found = hessx.Importance(p), {}
    for epoch in range(60):
        for place, row in enumerate(order.indices(epoch, N)):
            if row not in found:
                found[row] = loss(w, Sample(order, epoch, place, place + 1))[1]
    assert len(found) == N
    expectation = sum(p[row] / p.sum() * grad for row, grad in found.items())
    np.testing.assert_allclose(expectation, loss(w)[1], rtol=1e-12)


@pytest.mark.parametrize("kind", ["joint", "separate"])
def test_value_and_gradient_given_apart(kind):
    X, t, w = make_data()
    joint = hessx.FiniteSum(logistic, (X, t), jac=True)
    apart = hessx.FiniteSum(logistic_value, (X, t), jac=logistic_gradient)
    sample = Sample(hessx.Shuffled(), 0, 3, 9)
    for one, two in zip(joint(w, sample), apart(w, sample), strict=True):
        np.testing.assert_array_equal(one, two)
    loss = joint if kind == "joint" else apart
    before = loss.counts.gradients
    reply = loss.answer(Request(w, 5, Wants.VALUE, sample=sample))
    assert (reply.ticket, reply.value) == (5, joint(w, sample)[0])
    assert (loss.counts.gradients == before) == (kind == "separate")


def test_one_array_of_data_and_one_row():
    X, _, _ = make_data()
    loss = hessx.FiniteSum(
        lambda x, X: (((X - x) ** 2).sum() / len(X), 2 * (x - X).mean(0)), X, jac=True
    )
    value, grad = loss(np.zeros(D), Sample(hessx.Sequential(), 0, 7, 8))
    np.testing.assert_allclose(value, X[7] @ X[7])
    np.testing.assert_allclose(grad, -2 * X[7])


@pytest.mark.parametrize("method", ["lbfgs", "bfgs", "newton-cg", "trust-ncg", None])
def test_every_method_takes_the_whole(backend, method):
    if backend.lazy and method not in ("lbfgs", None):
        pytest.skip("takes long on a lazy library")
    X, t, w = map(backend.asarray, make_data())
    ridge = lambda w, X, t: tuple(  # noqa: E731
        a + b for a, b in zip(logistic(w, X, t), (w @ w / 2.0, w), strict=True)
    )
    hessp = lambda w, v, X, t: logistic_product(w, v, X, t) + v  # noqa: E731
    settings = {"method": method, "tol": 1e-3 if backend.dtype_name == "float32" else 1e-6}
    result = hessx.minimize(hessx.FiniteSum(ridge, (X, t), jac=True, hessp=hessp), w, **settings)
    expected = hessx.minimize(ridge, w, (X, t), jac=True, hessp=hessp, **settings)
    assert result.success
    backend.assert_same_kind(result.x, w)
    np.testing.assert_array_equal(backend.to_numpy(result.x), backend.to_numpy(expected.x))
    assert result.nfev == expected.nfev
    assert result.nhev == expected.nhev
    assert result.counts.rows == N * (result.nfev + result.nhev)


def test_counts():
    loss, w = make_sum(_numpy())
    for start in range(0, 20, 5):
        loss(w, Sample(hessx.Shuffled(), 0, start, start + 5))
    loss(w)
    counts = loss.counts
    assert (counts.values, counts.gradients, counts.rows) == (5, 5, 20 + N)


def test_a_fetch_of_none_and_one_upload_an_epoch(pretend_gpu):
    from _helpers.registry import make_backend

    backend = make_backend("fakegpu")
    loss, w = make_sum(backend)
    v, order, hessian_order = w + 1.0, hessx.Shuffled(0), hessx.Shuffled(1)
    for epoch in range(3):
        with pretend_gpu.tally() as tally, hessx._xp.record_fetches() as ledger:
            for start in range(0, N, 6):
                loss(w, Sample(order, epoch, start, min(start + 6, N)))
                product_at(loss, w, v, Sample(hessian_order, 0, start, start + 2))
        assert tally.reads.total() == ledger.fetches == 0
        assert tally.uploads.total() == ledger.uploads == (2 if epoch == 0 else 1)


def test_what_is_asked_of_the_same_sample_again_is_not_gathered_again():
    X, t, w = make_data()
    seen = []
    loss = hessx.FiniteSum(
        lambda w, *rows: seen.append(rows) or logistic(w, *rows), (X, t), jac=True
    )
    for _ in range(2):
        loss(w, Sample(hessx.Shuffled(0), 1, 3, 9))
    assert seen[0][0] is seen[1][0]


def test_a_run_on_another_device_or_library_places_its_order_anew(pretend_gpu):
    from _helpers.registry import make_backend

    *data, w0 = make_data()
    loss = hessx.FiniteSum(logistic, hessx.Blocks(*data), jac=True)
    order = ORDERS[-1]
    rows = order.indices(0, N)[:5]
    expected = by_rows(w0, w0, rows, order.weights(N)[rows])[1]
    for name in ("numpy", "torch", "fakegpu", "numpy", "torch-float32"):
        backend = make_backend(name)
        w = backend.asarray(w0)
        grad = loss(w, Sample(order, 0, 0, 5))[1]
        backend.assert_same_kind(grad, w)
        np.testing.assert_allclose(backend.to_numpy(grad), expected, atol=100 * backend.eps)


def mean(x, X):
    return x @ x, 2 * x + 0 * X[0]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"jac": None}, hessx.SettingsError, 'jac = None: expected jac=True .* or "autodiff"'),
        ({"jac": "2-point"}, hessx.SettingsError, "differences of sampled values are no gradients"),
        ({"jac": False}, hessx.SettingsError, "jac = False"),
        ({"hess": "2-point"}, hessx.SettingsError, "hess = '2-point': expected a callable"),
        ({"hess": "exact"}, hessx.SettingsError, "expected a callable"),
        ({"hessp": 3}, hessx.SettingsError, "hessp = 3"),
        ({"jac": "autodiff", "hessp": mean}, hessx.SettingsError, "leave hess and hessp out"),
        ({"fun": 3.0}, TypeError, "fun is a float: expected a callable"),
        ({"data": (np.ones((3, 2)), np.ones(4))}, hessx.SettingsError, r"\(3, 2\), \(4,\).*equal"),
        ({"data": np.ones((0, 2))}, hessx.SettingsError, "at least one row"),
        ({"data": np.float64(1.0)}, hessx.SettingsError, r"shapes \[\(\)\]"),
        ({"data": ()}, hessx.SettingsError, "at least one array"),
        ({"data": (np.ones(3), "ab")}, TypeError, r"data\[1\] is a str: .* hessx.Batches"),
        ({"data": None}, TypeError, "is no model, for it has no N: expected data"),
        ({"check_finite": "no"}, hessx.SettingsError, "check_finite = 'no'"),
        (
            {"data": (np.ones(3), np.array([[1.0, 2], [np.nan, 0], [0, np.inf]]))},
            hessx.SettingsError,
            r"data\[1\] has NaN or infinite entries in 2 of 3 rows: 1, 2;",
        ),
    ],
)
def test_bad_input(given, error, message):
    given = {"fun": mean, "data": np.ones((3, 2)), "jac": True} | given
    with pytest.raises(error, match=message):
        hessx.FiniteSum(given.pop("fun"), given.pop("data"), **given)


def test_rows_that_are_not_finite(backend):
    X = np.zeros((40, 2, 3))
    X[[3, 5, 7, 11, 13, 17], 1, 2] = np.nan
    with pytest.raises(hessx.SettingsError, match=r"in 6 of 40 rows: 3, 5, 7, 11, 13, \.\.\.;"):
        hessx.FiniteSum(mean, (backend.asarray(np.ones(40)), backend.asarray(X)), jac=True)
    hessx.FiniteSum(mean, backend.asarray(X), jac=True, check_finite=False)
    labels = backend.asarray(np.arange(40), "int64")
    with hessx._xp.record_fetches() as ledger:
        hessx.FiniteSum(mean, (backend.asarray(np.ones(40)), labels), jac=True)
    assert ledger.fetches == 1


@pytest.mark.parametrize(("start", "stop"), [(0, N + 1), (-1, 3), (3, 3), (5, 2), (N, N + 1)])
def test_samples_beyond_the_data(start, stop):
    loss, w = make_sum(_numpy())
    with pytest.raises(ValueError, match=f"expected 0 <= start < stop <= {N}"):
        loss(w, Sample(hessx.Shuffled(), 0, start, stop))


def test_data_elsewhere_than_x(pretend_gpu):
    from _helpers.registry import make_backend

    data = make_data()
    cpu, gpu = make_backend("torch"), make_backend("fakegpu")
    for here, there, error, message in (
        (
            _numpy(),
            cpu,
            TypeError,
            r"data\[0\] is an array of numpy, and x is one of torch on cpu: move",
        ),
        (cpu, gpu, ValueError, r"data\[0\] is on device cpu, and x is one of torch on pretend:0"),
    ):
        loss = hessx.FiniteSum(logistic, tuple(map(here.asarray, data[:2])), jac=True)
        with pytest.raises(error, match=message):
            loss(there.asarray(data[2]))
        with pytest.raises(error, match=r"hessx\.Blocks"):
            hessx.minimize(loss, there.asarray(data[2]))
        loss(here.asarray(data[2]))


def test_what_is_not_offered():
    X, t, w = make_data()
    loss = hessx.FiniteSum(logistic, (X, t), jac=True)
    assert loss.offers == FIRST | Wants.HESSIAN
    with pytest.raises(ValueError, match="does not offer PER_SAMPLE"):
        loss.answer(Request(w, 0, FIRST | Wants.PER_SAMPLE))
    with pytest.raises(TypeError, match=r"returned a float64: expected \(value, gradient\)"):
        hessx.FiniteSum(logistic_value, (X, t), jac=True)(w)


@pytest.mark.parametrize("joint", [True, False])
def test_products_by_differences(joint):
    """On the same rows as the exact ones, whether they are a batch or all."""
    X, t, w = make_data()
    exact = hessx.FiniteSum(logistic, (X, t), jac=True, hessp=logistic_product)
    loss = (
        hessx.FiniteSum(logistic, (X, t), jac=True)
        if joint
        else hessx.FiniteSum(logistic_value, (X, t), jac=logistic_gradient)
    )
    v = np.cos(np.arange(w.size))
    for sample in (None, Sample(ORDERS[0], 0, 3, 12)):
        expected = product_at(exact, w, v, sample)
        np.testing.assert_allclose(product_at(loss, w, v, sample), expected, rtol=0.0, atol=1e-7)
    assert hessx.minimize(loss, w, method="newton-cg").success


def test_a_function_that_takes_no_weights():
    X, t, w = make_data()
    loss = hessx.FiniteSum(lambda w, X, t: logistic(w, X, t), (X, t), jac=True)
    with pytest.raises(hessx.SettingsError, match=r"fun takes no weights: .*weights=w"):
        loss(w, Sample(ORDERS[-1], 0, 0, 5))


def _numpy():
    from _helpers.registry import make_backend

    return make_backend("numpy")
