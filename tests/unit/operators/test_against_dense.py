"""Every operator, on every library, is its dense matrix."""

from __future__ import annotations

import numpy as np
import pytest

import hessx

n = 4


def assert_close(backend, actual, expected):
    """Library, dtype, device and shape; values to some roundings of the largest entry."""
    backend.assert_same_kind(actual, backend.asarray(expected))
    scale = max(abs(expected).max(initial=0.0), 1.0)
    np.testing.assert_allclose(
        backend.to_numpy(actual), expected, rtol=0, atol=100 * backend.eps * scale
    )


def vectors(backend, lead, size):
    host = np.random.default_rng(1).standard_normal((*lead, size))
    given = backend.asarray(host)
    return given, backend.to_numpy(given).astype(float)


@pytest.mark.whole
def test_products_of_vectors_and_stacks(backend, pair):
    operator, matrix = pair
    assert operator.shape == matrix.shape
    for lead in ((), (2, 3)):
        v, host = vectors(backend, lead, matrix.shape[1])
        assert_close(backend, operator @ v, host @ matrix.T)
        np.testing.assert_array_equal(backend.to_numpy(v), host.astype(backend.dtype_name))
        if operator.has_rmatvec:
            u, host = vectors(backend, lead, matrix.shape[0])
            assert_close(backend, operator.rmatvec(u), host @ matrix)
            assert_close(backend, operator.T @ u, host @ matrix)


def test_matrix_diagonal_and_symmetry(backend, pair):
    operator, matrix = pair
    like = None if operator.space is not None else backend.asarray([1.0])
    assert_close(backend, operator.dense(like), matrix)
    if operator.has_diagonal:
        assert_close(backend, operator.diagonal(like), np.diag(matrix))
    else:
        assert operator.diagonal(like) is None
    if operator.symmetric:
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
        assert operator.T is operator


def test_the_three_ways_to_apply_are_one(backend, data):
    operator, v = hessx.DenseOperator(data.xM), backend.asarray(np.ones(n))
    expected = backend.to_numpy(operator.matvec(v))
    np.testing.assert_array_equal(backend.to_numpy(operator(v)), expected)
    np.testing.assert_array_equal(backend.to_numpy(operator @ v), expected)


def test_an_empty_stack_has_no_products(backend, data):
    if backend.lazy:
        pytest.skip("dask multiplies no empty arrays")
    none = backend.asarray(np.zeros((2, 0, n)))
    by_function = hessx.LinearOperator((3, n), lambda v: data.xA @ v)
    for operator in (by_function, hessx.DenseOperator(data.xA)):
        assert tuple((operator @ none).shape) == (2, 0, 3)


def test_a_product_is_a_new_array(backend):
    if not backend.writeable:
        pytest.skip("arrays of this library are not written to")
    v = backend.asarray(np.ones(n))
    product = hessx.IdentityOperator(n) @ v
    product[0] = 7.0
    np.testing.assert_array_equal(backend.to_numpy(v), np.ones(n))
