"""Sparse operators beside dense matrices and SciPy's sparse ones."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.patterns import grid, matrix_on, random_symmetric
from hessx._xp import _sparse, record_fetches, space_of
from hessx.operators import SparseOperator, SparsePlaces

# long rows, rows and columns without entries, no entries at all
PATTERNS = {
    "arrow": hessx.Pattern.arrow(200, 2),
    "grid": grid(5),
    "wide": hessx.Pattern.of((np.array([0, 0, 3, 3, 3]), np.array([1, 8, 2, 3, 8])), (5, 9)),
    "full row": hessx.Pattern.of((np.full(50, 2), np.arange(50)), (3, 50)),
    "nothing": hessx.Pattern.of(np.zeros((3, 4))),
}


def test_products_with_long_and_empty_rows(backend):
    rng = np.random.default_rng(0)
    for pattern in PATTERNS.values():
        A, (m, n) = matrix_on(pattern), pattern.shape
        v, u = backend.asarray(rng.standard_normal(n)), backend.asarray(rng.standard_normal(m))
        values = backend.asarray(A[pattern.rows, pattern.indices])
        operator = SparseOperator(space_of(v), pattern, values)
        for product, x, matrix in ((operator.matvec, v, A), (operator.rmatvec, u, A.T)):
            product(x)  # moves the structure
            with record_fetches() as ledger:
                result = product(x)
            assert (ledger.fetches, ledger.uploads) == (0, 0)
            host = backend.to_numpy(x).astype(float)
            backend.assert_same_kind(result, backend.asarray(matrix @ host))
            scale = (abs(matrix) @ abs(host)).max(initial=1.0)
            np.testing.assert_allclose(
                backend.to_numpy(result), matrix @ host, rtol=0, atol=50 * backend.eps * scale
            )


@pytest.mark.parametrize("name", PATTERNS)
def test_the_standard_alone_gives_what_scipy_gives(name, monkeypatch):
    pattern = PATTERNS[name]
    A, space = matrix_on(pattern), space_of(np.zeros(pattern.shape[1]))
    values = A[pattern.rows, pattern.indices]
    V = np.random.default_rng(1).standard_normal((2, 3, pattern.shape[1]))
    monkeypatch.setattr(_sparse, "_compiled", lambda kind: None)
    operator = SparseOperator(space, pattern, values)
    np.testing.assert_allclose(operator @ V, V @ A.T, rtol=0, atol=1e-13)
    np.testing.assert_allclose(operator @ V[0, 0], A @ V[0, 0], rtol=0, atol=1e-13)


def test_long_rows_are_not_padded_to_squares(monkeypatch):
    monkeypatch.setattr(_sparse, "_compiled", lambda kind: None)
    pattern = hessx.Pattern.arrow(5000, 2)
    rows = _sparse.make_sparse_product(
        space_of(np.zeros(5000)), pattern.shape, pattern.indptr, pattern.indices
    )
    held = rows.columns.size + sum(places.size for places, _ in rows.levels)
    assert held < 2 * pattern.nnz


def test_an_infinite_entry_stays_in_its_row(backend):
    pattern = hessx.Pattern.arrow(20, 1)
    v = np.ones(20)
    v[0] = np.inf  # the first column alone: what pads other entries does not meet it
    no_first = hessx.Pattern.of(pattern.dense() & (np.arange(20) > 0), 20)
    values = backend.asarray(np.ones(no_first.nnz))
    x = backend.asarray(v)
    product = backend.to_numpy(SparseOperator(space_of(x), no_first, values) @ x)
    np.testing.assert_array_equal(product, np.append(19.0, np.ones(19)))


def test_one_structure_serves_many_matrices(backend):
    pattern = random_symmetric(12, 15)
    A, B = matrix_on(pattern, symmetric=True), matrix_on(pattern, 1, symmetric=True)
    x = backend.asarray(np.ones(12))
    places = SparsePlaces(space_of(x), pattern)
    for matrix in (A, B):
        values = backend.asarray(matrix[pattern.rows, pattern.indices])
        operator = SparseOperator(places.space, places, values, symmetric=True)
        with record_fetches() as ledger:
            products = [operator @ x, operator.diagonal(), operator.T @ x]
        assert ledger.fetches == 0
        scale = 50 * backend.eps * abs(matrix).sum()
        expected = [matrix.sum(axis=1), np.diag(matrix), matrix.sum(axis=1)]
        for actual, host in zip(products, expected, strict=True):
            np.testing.assert_allclose(backend.to_numpy(actual), host, rtol=0, atol=scale)
    assert ledger.uploads == 0


def test_as_a_matrix_of_scipy(backend):
    sparse = pytest.importorskip("scipy.sparse")
    if backend.family in ("cupy", "cupy-signatures"):
        pytest.skip("a matrix of CuPy's there")
    A = matrix_on(PATTERNS["wide"])
    x = backend.asarray(np.ones(9))
    values = backend.asarray(A[PATTERNS["wide"].rows, PATTERNS["wide"].indices])
    matrix = SparseOperator(space_of(x), PATTERNS["wide"], values).to_scipy_matrix()
    assert sparse.issparse(matrix) and matrix.dtype == np.dtype(backend.dtype_name)
    np.testing.assert_array_equal(matrix.toarray(), A)


def test_without_scipy_a_matrix_of_scipy_is_an_error(monkeypatch):
    monkeypatch.setattr(_sparse, "_compiled", lambda kind: None)
    operator = SparseOperator(space_of(np.zeros(3)), hessx.Pattern.banded(3, 0), np.ones(3))
    with pytest.raises(ModuleNotFoundError, match="needs SciPy: pip install"):
        operator.to_scipy_matrix()


@pytest.mark.parametrize(
    ("pattern", "values", "symmetric", "error", "message"),
    [
        (PATTERNS["grid"], np.ones(3), False, ValueError, r"shape \(3,\): expected \(105,\)"),
        (PATTERNS["grid"], np.ones((105, 1)), False, ValueError, r"shape \(105, 1\): expected"),
        (PATTERNS["grid"], np.ones(105, "float32"), False, TypeError, "values has dtype float32"),
        (PATTERNS["grid"], [1.0] * 105, False, TypeError, "values has type list"),
        (PATTERNS["wide"], np.ones(5), True, ValueError, "a symmetric matrix is square"),
    ],
)
def test_values_that_do_not_fit_are_refused(pattern, values, symmetric, error, message):
    with pytest.raises(error, match=message):
        SparseOperator(space_of(np.zeros(25)), pattern, values, symmetric=symmetric)
