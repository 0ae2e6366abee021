"""Models on some rows: partitions make the whole, on every library, without a wait."""

from __future__ import annotations

import numpy as np
import pytest

from _helpers.backends import Backend
from _helpers.models import CASES, ROWS, make_data

L2 = 0.3
NUMPY = Backend("numpy", np, "cpu")
PARTS = np.split(np.random.default_rng(3).permutation(ROWS), [8, 9, 20])


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def test_parts_of_all_rows_make_the_whole(case, rng):
    X, y, flat = make_data(case, rng)
    model, w = case.make(X, y, L2), case.w(NUMPY, flat)
    value, grad = 0.0, np.zeros(case.n)
    H = np.zeros((case.n, case.n))
    for rows in PARTS:
        part, share = model.rows(rows), len(rows) / ROWS
        assert type(part) is type(model)
        assert len(rows) == part.N
        f, g = part(w)
        value, grad = value + share * f, grad + share * case.flat(NUMPY, g)
        H += share * part.hessian(w).dense()
    f, g = model(w)
    np.testing.assert_allclose(value, f, rtol=1e-13)
    np.testing.assert_allclose(grad, case.flat(NUMPY, g), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(H, model.hessian(w).dense(), rtol=1e-12, atol=1e-13)


def test_one_row_is_the_model_of_that_row(case, rng):
    X, y, flat = make_data(case, rng)
    model, w = case.make(X, y, 0.0), case.w(NUMPY, flat)
    matrix = model.per_sample(w).matrix()
    for i in (0, 7, ROWS - 1):
        _, g = model.rows(np.array([i]))(w)
        np.testing.assert_allclose(matrix[i], case.flat(NUMPY, g), rtol=1e-12, atol=1e-14)


def test_rows_of_rows_are_rows(case, rng):
    X, y, flat = make_data(case, rng)
    model, w = case.make(X, y, L2), case.w(NUMPY, flat)
    f, g = model.rows(PARTS[0]).rows(np.array([3, 1]))(w)
    expected, there = model.rows(PARTS[0][[3, 1]])(w)
    assert f == expected
    np.testing.assert_array_equal(case.flat(NUMPY, g), case.flat(NUMPY, there))


def test_weights_keep_an_uneven_sampling_unbiased(case, rng):
    """The exact expectation over a row drawn with probability p_i and weighted 1 / (N p_i)."""
    X, y, flat = make_data(case, rng)
    model, w = case.make(X, y, L2), case.w(NUMPY, flat)
    p = rng.uniform(0.2, 1.0, ROWS)
    p /= p.sum()
    value, grad = 0.0, np.zeros(case.n)
    for i in range(ROWS):
        f, g = model.rows(np.array([i]), np.array([1 / (ROWS * p[i])]))(w)
        value, grad = value + p[i] * f, grad + p[i] * case.flat(NUMPY, g)
    f, g = model(w)
    np.testing.assert_allclose(value, f, rtol=1e-13)
    np.testing.assert_allclose(grad, case.flat(NUMPY, g), rtol=1e-12, atol=1e-14)


def test_every_library_agrees_with_numpy(backend, case, rng):
    """All that a model on weighted rows gives, in the data's library, dtype and device."""
    X, y, flat = make_data(case, rng)
    rows, weights = PARTS[2], np.linspace(0.5, 2.0, len(PARTS[2])).astype("float32").astype(float)
    expected = _all_of(NUMPY, case, case.make(X, y, L2), flat, rows, weights)
    model = case.make(backend.asarray(X), backend.asarray(y), L2)
    got = _all_of(backend, case, model, flat, rows, weights)
    for (name, there), (_, here) in zip(got.items(), expected.items(), strict=True):
        like = backend.asarray(here)
        backend.assert_same_kind(there, like if here.ndim else like[()])
        scale = max(np.abs(here).max(), 1.0)
        a = backend.to_numpy(there)
        np.testing.assert_allclose(a, here, rtol=0, atol=100 * backend.eps * scale, err_msg=name)


def _all_of(backend, case, whole, flat, rows, weights):
    w = case.w(backend, flat)
    model = whole.rows(backend.asarray(rows, "int64"), backend.asarray(weights))
    v, u = (backend.asarray(np.cos(np.arange(size))) for size in (case.n, len(rows)))
    value, grad = model(w)
    hessian, gauss_newton = model.hessian(w), model.gauss_newton(w)
    gradients = model.per_sample(w)
    R = gauss_newton.root()
    found = {
        "value": value,
        "value alone": model.value(w),
        "H v": hessian @ v,
        "J'HJ v": gauss_newton @ v,
        "R'R v": R.T @ (R @ v),
        "sampled": gauss_newton.sampled_gradient(7),
        "coefficients": gradients.coefficients,
        "mean": gradients.mean(gradients.coefficients),
        "matrix": gradients.matrix(),
        "rows @ v": gradients @ v,
        "rows' @ u": gradients.T @ u,
    }
    leaves = [a for pair in grad.values() for a in pair.values()] if case.activation else [grad]
    found |= {f"gradient {i}": leaf for i, leaf in enumerate(leaves)}
    for seed in (None, 11):
        for i, layer in enumerate(hessian.factors(seed)):
            found |= {f"inputs {i}": layer.inputs, f"slopes {i}, {seed}": layer.slopes}
    if gauss_newton.has_diagonal:
        found["diagonal"] = gauss_newton.diagonal()
    return found


@pytest.mark.backends("fakegpu")
def test_batches_cost_no_wait(backend, case, rng):
    X, y, flat = make_data(case, rng)
    w = case.w(backend, flat)
    with backend.fetches() as waits:
        model = case.make(backend.asarray(X), backend.asarray(y), L2)
    assert waits.count == 2 + (case.targets in ("binary", "labels")), "two uploads, and the labels"
    rows = backend.asarray(PARTS[0], "int64")
    with backend.meter.tally() as tally:
        part = model.rows(rows)
        part(w)
        part.value(w)
        hessian, gradients = part.hessian(w), part.per_sample(w)
        gradients.mean(gradients.coefficients)
        hessian.factors()
    assert tally.waits == 0
    with backend.meter.tally() as tally:
        hessian.factors(1)
        hessian.sampled_gradient(1)
    assert tally.waits == 2, "an upload each"
