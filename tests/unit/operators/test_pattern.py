"""Patterns, in all the forms in which they are given."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.patterns import grid, random_symmetric

sparse = pytest.importorskip("scipy.sparse")

full = np.random.default_rng(0).random((7, 5)) < 0.4
full[3] = False
full[0, 4] = True
rows, columns = np.nonzero(full)


@pytest.mark.parametrize(
    "given",
    [
        full,
        full * 2.5,
        full.tolist(),
        sparse.csr_matrix(full),
        sparse.coo_array(full),
        (rows[::-1], columns[::-1]),
        (np.tile(rows, 2), np.tile(columns, 2)),
        lambda i: [np.where(full[i, j], j, -1) for j in range(5)],
        lambda i: np.where(full[i], np.arange(5), 5),
    ],
    ids=["bools", "numbers", "lists", "csr", "coo", "pair", "twice", "columns", "matrix"],
)
def test_every_form_is_the_same_pattern(given):
    pattern = hessx.Pattern.of(given, (7, 5))
    reference = sparse.csr_matrix(full)
    np.testing.assert_array_equal(pattern.indptr, reference.indptr)
    np.testing.assert_array_equal(pattern.indices, reference.indices)
    assert pattern.shape == (7, 5) and pattern.nnz == full.sum()
    assert pattern.indptr.dtype == pattern.indices.dtype == np.int32
    np.testing.assert_array_equal(pattern.dense(), full)
    np.testing.assert_array_equal(pattern.rows, rows)


def test_an_array_of_any_library_is_a_pattern(backend):
    dense = backend.asarray(full.astype(float))
    assert hessx.Pattern.of(dense) == hessx.Pattern.of(full)
    pair = backend.asarray(rows, "int64"), backend.asarray(columns, "int64")
    assert hessx.Pattern.of(pair, (7, 5)) == hessx.Pattern.of(full)


def test_stored_zeros_are_entries():
    A = sparse.csr_array((np.zeros(2), ([0, 1], [1, 0])), shape=(2, 2))
    assert hessx.Pattern.of(A).nnz == 2


def test_patterns_by_formula():
    i, j = np.indices((6, 6))
    np.testing.assert_array_equal(hessx.Pattern.banded(6, 2).dense(), abs(i - j) <= 2)
    np.testing.assert_array_equal(hessx.Pattern.banded(3, 7).dense(), np.ones((3, 3), bool))
    blocks = sparse.block_diag([np.ones((k, k)) for k in (1, 3, 2)]).toarray() > 0
    np.testing.assert_array_equal(hessx.Pattern.block_diagonal([1, 3, 2]).dense(), blocks)
    arrow = (i < 2) | (j < 2) | (i == j)
    np.testing.assert_array_equal(hessx.Pattern.arrow(6, 2).dense(), arrow)
    np.testing.assert_array_equal(hessx.Pattern.arrow(6, 0).dense(), i == j)


def test_transpose_symmetry_and_union():
    pattern, square = hessx.Pattern.of(full), hessx.Pattern.of(full[:5])
    np.testing.assert_array_equal(pattern.transposed().dense(), full.T)
    values = np.arange(1.0, pattern.nnz + 1)
    A = sparse.csr_matrix((values, pattern.indices, pattern.indptr), shape=(7, 5))
    np.testing.assert_array_equal(A.T.tocsr().data, values[pattern.mirror()])
    assert not pattern.symmetric and not square.symmetric
    union = square.symmetrised()
    np.testing.assert_array_equal(union.dense(), full[:5] | full[:5].T | np.eye(5, dtype=bool))
    assert union.symmetric and random_symmetric(50, 80).symmetric and grid(4).symmetric


def test_patterns_are_equal_by_their_entries():
    pattern = hessx.Pattern.of(full)
    assert pattern == hessx.Pattern.of(pattern) == hessx.Pattern.of(full * 3)
    assert hash(pattern) == hash(hessx.Pattern.of(full * 3))
    assert pattern != hessx.Pattern.of(full[:, ::-1]) and pattern != "a pattern"
    with pytest.raises(ValueError, match="read-only"):
        pattern.indices[0] = 1


def test_no_entries():
    pattern = hessx.Pattern.of((np.zeros(0, int), np.zeros(0, int)), (3, 2))
    assert pattern.nnz == 0 and pattern.transposed().shape == (2, 3)
    assert not pattern.dense().any()


@pytest.mark.parametrize(
    ("given", "shape", "error", "message"),
    [
        ((rows, columns), None, ValueError, "has no shape of its own: give shape"),
        ((rows, columns), (7, 3), ValueError, r"columns lie in \[0, 4\]: expected \[0, 3\)"),
        ((-1 - rows, columns), (7, 5), ValueError, r"rows lie in \[-7, -1\]: expected \[0, 7\)"),
        ((rows, columns[1:]), (7, 5), ValueError, "expected one length"),
        ((rows * 1.0, columns), (7, 5), TypeError, "rows has dtype float64: expected integers"),
        (full, (5, 7), ValueError, r"the array has shape \(7, 5\): expected \(5, 7\)"),
        (full[0], None, ValueError, r"the array has shape \(5,\): expected \(m, n\)"),
        (sparse.csr_matrix(full), 7, ValueError, r"shape \(7, 5\): expected \(7, 7\)"),
        (hessx.Pattern.of(full), 7, ValueError, r"shape \(7, 5\): expected \(7, 7\)"),
        (lambda i: i[:-1], 7, ValueError, r"returned shape \(6, 1\): expected \(7,\)"),
        (lambda i: i / 2, 7, TypeError, "dtype float64: expected integers"),
        (lambda i: i, None, ValueError, "has no shape of its own"),
        ("banded", 7, TypeError, "is a str: expected a hessx.Pattern"),
        (full, (0, 5), ValueError, "expected .m, n., two positive integers"),
    ],
)
def test_what_is_no_pattern_is_refused(given, shape, error, message):
    with pytest.raises(error, match=message):
        hessx.Pattern.of(given, shape)


@pytest.mark.parametrize(
    ("indptr", "indices", "message"),
    [
        ([0, 1], [0], "indptr: expected 3 integers"),
        ([0, 2, 1], [0, 1], "indptr: expected 3 integers"),
        ([0, 1, 3], [0, 1], "indptr: expected 3 integers"),
        ([0, 1, 2], [0, 2], r"indices lie in \[0, 2\]: expected \[0, 2\)"),
        ([0, 2, 2], [1, 0], "columns that ascend"),
        ([0, 2, 2], [1, 1], "columns that ascend"),
    ],
)
def test_structure_is_checked(indptr, indices, message):
    with pytest.raises(ValueError, match=message):
        hessx.Pattern((2, 2), indptr, indices)
    assert hessx.Pattern((2, 2), [0, 1, 2], [1, 0]).nnz == 2


def test_not_square_where_it_has_to_be():
    with pytest.raises(ValueError, match=r"shape \(7, 5\): expected a square one"):
        hessx.Pattern.of(full).symmetrised()
    with pytest.raises(ValueError, match="sizes is empty"):
        hessx.Pattern.block_diagonal([])
    with pytest.raises(hessx.SettingsError, match="width = -1"):
        hessx.Pattern.banded(3, -1)
