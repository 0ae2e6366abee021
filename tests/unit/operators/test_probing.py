"""Patterns that are found by products are the true ones, and take few."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.patterns import grid, laplacian, matrix_on, random_symmetric
from hessx._xp import record_fetches, space_of
from hessx.operators import probe_pattern

N = 10**4


def sparse_matrix(pattern, seed=0):
    """Random, symmetric, of SciPy."""
    values = np.random.default_rng(seed).standard_normal(pattern.nnz)
    sparse = pytest.importorskip("scipy.sparse")
    A = sparse.csr_matrix((values, pattern.indices, pattern.indptr), shape=pattern.shape)
    return A + A.T


@pytest.mark.parametrize(
    ("pattern", "most"),
    [
        (hessx.Pattern.banded(N, 2), 100),
        (hessx.Pattern.arrow(N, 2), 80),
        (hessx.Pattern.block_diagonal([7] * 100), 100),
        (random_symmetric(500, 700), 400),
    ],
    ids=["band", "arrow", "blocks", "random"],
)
def test_the_pattern_is_found(pattern, most):
    A = sparse_matrix(pattern)
    products = []
    with record_fetches() as ledger:
        probe = probe_pattern(
            space_of(np.zeros(len(A.indptr) - 1)), lambda v: products.append(v) or A @ v
        )
    assert probe.pattern == pattern and probe.found and probe.outcome == "found"
    assert probe.products == len(products) <= most
    assert ledger.fetches <= probe.products / 8 + 2 + np.log2(pattern.shape[0])


def test_a_laplacian_and_random_entries_of_some_size():
    probe = probe_pattern(space_of(np.zeros(N)), laplacian(100))
    assert probe.pattern == grid(100) and probe.products < 150
    pattern = random_symmetric(2000, 2000)
    A = sparse_matrix(pattern)
    probe = probe_pattern(space_of(np.zeros(2000)), lambda v: A @ v)
    assert probe.pattern == pattern and probe.products < 1000


def test_every_library_finds_it(backend):
    pattern = random_symmetric(60, 50)
    A = backend.asarray(matrix_on(pattern, symmetric=True))
    space = space_of(A[0, ...])
    assert probe_pattern(space, lambda v: A @ v).pattern == pattern
    D = A[:40, ...]
    jacobian = probe_pattern(space, lambda v: D @ v, rows=40, symmetric=False)
    assert jacobian.pattern == hessx.Pattern.of(pattern.dense()[:40])


def test_rows_of_any_size_are_seen():
    pattern = random_symmetric(300, 200)
    A, sizes = matrix_on(pattern, symmetric=True), 10.0 ** np.linspace(-80, 80, 300)
    B = sizes[:, None] * A * sizes
    for symmetric in (True, False):
        probe = probe_pattern(space_of(B[0]), lambda v: B @ (v / sizes), symmetric=symmetric)
        assert probe.pattern == pattern


def test_noise_is_told_from_entries():
    pattern, rng = hessx.Pattern.banded(200, 1), np.random.default_rng(0)
    A = matrix_on(pattern, symmetric=True)
    A += np.sign(A)  # no entry is small
    probe = probe_pattern(
        space_of(A[0]), lambda v: A @ v + 1e-8 * rng.standard_normal(200), max_products=1000
    )
    assert probe.pattern == pattern and 1e-10 < probe.noise < 1e-7


def test_a_dense_matrix_is_given_up_soon():
    A = np.random.default_rng(0).standard_normal((300, 300))
    probe = probe_pattern(space_of(A[0]), lambda v: (A + A.T) @ v)
    assert (probe.pattern, probe.found, probe.outcome, probe.products) == (None, False, "dense", 19)
    assert probe.message == "dense: all rows reach all of 16 intervals, by 19 products"
    small = probe_pattern(space_of(A[0, :20]), lambda v: A[:20, :20] @ v)
    assert small.pattern == hessx.Pattern.of(np.ones((20, 20))) and small.products == 23


def test_a_limit_holds():
    probe = probe_pattern(space_of(np.zeros(N)), laplacian(100), max_products=60)
    assert probe.outcome == "limit" and probe.pattern is None and probe.products <= 60
    assert "products, the next level takes" in probe.message


def test_several_matrices_give_the_union():
    first, second = hessx.Pattern.banded(50, 1), hessx.Pattern.arrow(50, 1)
    A, B = (matrix_on(pattern, symmetric=True) for pattern in (first, second))
    bad = np.full((50, 50), np.nan)
    probe = probe_pattern(space_of(A[0]), [lambda v, M=M: M @ v for M in (A, bad, B)])
    assert probe.pattern == hessx.Pattern.of(first.dense() | second.dense())


def test_no_entries_and_nothing_but_noise():
    space = space_of(np.zeros(40))
    empty = probe_pattern(space, lambda v: 0.0 * v)
    assert empty.pattern == hessx.Pattern.of(np.zeros((40, 40))) and empty.products < 30
    rng = np.random.default_rng(0)
    for product in (lambda v: v * np.nan, lambda v: rng.standard_normal(40)):
        probe = probe_pattern(space, product)
        assert (probe.outcome, probe.pattern, probe.products) == ("noise", None, 3)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="rows = 3 for vectors of 4 entries: a symmetric matrix"):
        probe_pattern(space_of(np.zeros(4)), lambda v: v, rows=3)
    with pytest.raises(hessx.SettingsError, match="max_products = 0"):
        probe_pattern(space_of(np.zeros(4)), lambda v: v, max_products=0)
