"""Entries out of a few products, exactly."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.patterns import grid, matrix_on, random_symmetric
from hessx._xp import space_of
from hessx.operators import (
    Colouring,
    Compressed,
    SparseOperator,
    colour,
    colour_columns,
    orthonormal_rows,
    probe_pattern,
)

PATTERNS = [random_symmetric(30, 45), grid(4), hessx.Pattern.arrow(9, 2)]


def test_entries_are_those_of_the_matrix(backend):
    rectangular = hessx.Pattern.of(np.random.default_rng(1).random((7, 5)) < 0.3)
    for pattern in (*PATTERNS, rectangular):
        symmetric = pattern.symmetric
        A = matrix_on(pattern, symmetric=symmetric)
        space, xA = space_of(backend.asarray(A[0])), backend.asarray(A)
        compressed = Compressed(space, pattern, (colour if symmetric else colour_columns)(pattern))
        products = [xA @ compressed.seed(c) for c in range(compressed.count)]
        expected = backend.asarray(A[pattern.rows, pattern.indices])
        with hessx._xp.record_fetches() as ledger:
            values = compressed.values(products)
            stacked = compressed.values(compressed.seeds() @ xA.T)
        assert (ledger.fetches, ledger.uploads) == (0, 0)
        for read in (values, stacked):
            backend.assert_same_kind(read, expected)
            scale = 10 * backend.eps * abs(A).max()
            np.testing.assert_allclose(
                backend.to_numpy(read), backend.to_numpy(expected), rtol=0, atol=scale
            )


def test_both_triangles_read_one_number():
    pattern = PATTERNS[0]
    compressed = Compressed(space_of(np.zeros(30)), pattern, colour(pattern))
    values = compressed.values(np.random.default_rng(0).standard_normal((compressed.count, 30)))
    np.testing.assert_array_equal(values, values[pattern.mirror()])


def test_a_colouring_of_ones_own():
    pattern = hessx.Pattern.banded(6, 1)
    A = matrix_on(pattern)
    compressed = Compressed(space_of(A[0]), pattern, Colouring([2, 0, 1, 2, 0, 1]))
    values = compressed.values([A @ compressed.seed(c) for c in range(3)])
    np.testing.assert_array_equal(values, A[pattern.rows, pattern.indices])


@pytest.mark.parametrize(
    ("colouring", "message"),
    [
        (Colouring([0, 1, 0, 1, 0, 1]), "does not tell 8 of 16 entries, the first at row 1"),
        (Colouring([0, 1, 2, 0, 1]), r"a colouring of 5 columns, .* shape \(6, 6\): expected 6"),
        (Colouring([0] * 6, True), "does not tell 16 of 16 entries, the first at row 0, column 0"),
    ],
)
def test_a_colouring_that_does_not_tell_is_refused(colouring, message):
    with pytest.raises(ValueError, match=message):
        Compressed(space_of(np.zeros(6)), hessx.Pattern.banded(6, 1), colouring)


def test_a_symmetric_colouring_needs_a_symmetric_pattern():
    upper = hessx.Pattern.of(np.triu(np.ones((4, 4))))
    with pytest.raises(ValueError, match="a symmetric colouring, and a pattern"):
        Compressed(space_of(np.zeros(4)), upper, Colouring([0, 1, 2, 3], True))


def test_an_array_says_where(backend):
    """In the place of a space, which users have no way to make."""
    A = np.diag([2.0, 3.0, 4.0]) + np.diag([1.0, 1.0], 1) + np.diag([1.0, 1.0], -1)
    on_device, x = backend.asarray(A), backend.asarray(np.zeros(3))
    pattern = hessx.Pattern.of(A)
    compressed = Compressed(x, pattern, colour(pattern))
    products = [on_device @ compressed.seed(c) for c in range(compressed.count)]
    found = SparseOperator(x, pattern, compressed.values(products), symmetric=True)
    np.testing.assert_array_equal(backend.to_numpy(found.dense()), A)
    probe = probe_pattern(x, lambda v: on_device @ v)
    assert probe.pattern == pattern
    Q = orthonormal_rows(x, on_device[:2, :])
    gram = backend.to_numpy(Q @ Q.T)
    np.testing.assert_allclose(gram, np.eye(2), atol=100 * backend.eps)
    with pytest.raises(TypeError, match="space has type int, expected an array"):
        Compressed(3, pattern, colour(pattern))
