"""Estimators on every library: the same numbers as on NumPy, few waits, results where A lives."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx._xp import record_fetches

n = 12


@pytest.fixture
def matrix(rng):
    """Symmetric, indefinite, with eigenvalues that decay from 1 to 1e-3."""
    U, _ = np.linalg.qr(rng.standard_normal((n, n)))
    return (U * (0.5 ** np.arange(n) * np.resize([1.0, 1.0, -1.0], n))) @ U.T


def few_numbers(A):
    """What one estimator of each kind says; JAX compiles some forty functions for them."""
    with record_fetches() as ledger:
        trace = hessx.estimate_trace(A, products=6)
        diagonal = hessx.estimate_diagonal(A, products=6)
        density = hessx.spectral_density(A, steps=3, samples=1)
    return [trace.value, trace.error, density.cdf(0.1)], diagonal, ledger


def numbers(A):
    """What the estimators say of A, and how often they fetched."""
    with record_fetches() as ledger:
        found = [
            hessx.estimate_trace(A, products=3, method="hutchinson"),
            hessx.estimate_trace(A, products=9, method="hutch++"),
            hessx.estimate_trace(A, products=6, method="xtrace"),
        ]
        traces = [number for f in found for number in (f.value, f.error)]
        diagonals = [
            hessx.estimate_diagonal(A, products=products, method=method)
            for products, method in ((3, "hutchinson"), (6, "xdiag"))
        ]
        ends = hessx.extreme_eigenvalues(A, products=3, vectors=True)
        density = hessx.spectral_density(A, steps=3, samples=1)
    small = [*traces, *ends.values, density.cdf(0.1), density.trace(np.cos).value]
    return small, diagonals, ends, ledger


def test_the_same_numbers_everywhere(backend, matrix):
    if backend.lazy or backend.name.startswith("jax"):
        pytest.skip("takes long where each function is compiled")
    A = backend.asarray(matrix)
    small, diagonals, ends, ledger = numbers(A)
    expected, on_numpy, _, _ = numbers(matrix)
    np.testing.assert_allclose(small, expected, atol=300 * backend.eps)
    for found, wanted in zip(diagonals, on_numpy, strict=True):
        for name in ("values", "errors"):
            backend.assert_same_kind(getattr(found, name), A[0, :])
            np.testing.assert_allclose(
                backend.to_numpy(getattr(found, name)),
                getattr(wanted, name),
                atol=300 * backend.eps,
            )
    backend.assert_same_kind(ends.vectors, A[:2, :])
    # hutchinson, hutch++, xtrace; signs, xdiag; ends, density
    assert ledger.fetches == 1 + 3 + 3 + 0 + 3 + 1 + 1
    w = np.linalg.eigvalsh(matrix)
    found = hessx.inertia(A)
    assert (found.positive, found.negative) == (np.sum(w > 0), np.sum(w < 0))


@pytest.mark.backends("jax", "dask")
def test_the_same_numbers_of_a_few(backend, matrix):
    A = backend.asarray(matrix)
    small, diagonal, ledger = few_numbers(A)
    expected, on_numpy, _ = few_numbers(matrix)
    np.testing.assert_allclose(small, expected, atol=300 * backend.eps)
    for name in ("values", "errors"):
        found = getattr(diagonal, name)
        backend.assert_same_kind(found, A[0, :])
        wanted = getattr(on_numpy, name)
        np.testing.assert_allclose(backend.to_numpy(found), wanted, atol=300 * backend.eps)
    assert ledger.fetches == 3 + 3 + 1  # trace, diagonal, density


@pytest.mark.backends("fakegpu")
def test_no_wait_but_fetches_and_uploads(backend, matrix):
    A = backend.asarray(matrix)
    with backend.fetches() as waits:
        ledger = numbers(A)[-1]
    assert waits.count == ledger.fetches + ledger.uploads


@pytest.mark.backends("fakegpu")
def test_a_function_is_given_vectors_and_an_operator_stacks(backend, matrix):
    A, shapes = backend.asarray(matrix), []

    def product(v):
        shapes.append(tuple(v.shape))
        return v @ A

    hessx.estimate_trace(product, A[0, :], products=9, method="hutchinson")
    assert shapes == [(n,)] * 9
    shapes.clear()
    operator = hessx.LinearOperator((n, n), product, symmetric=True, stacks=True)
    hessx.estimate_trace(operator, A[0, :], products=9, method="hutchinson")
    assert shapes == [(8, n), (1, n)]
