"""The Lanczos process: its recurrence, orthogonality to rounding, ends, and reads."""

from __future__ import annotations

import numpy as np
import pytest

from hessx._xp import record_fetches, space_of
from hessx.operators import lanczos

n = 24


@pytest.fixture
def spread(rng):
    """A symmetric matrix with eigenvalues from 1e-6 to 1 in size, of both signs."""
    U, _ = np.linalg.qr(rng.standard_normal((n, n)))
    return (U * (np.geomspace(1e-6, 1.0, n) * np.resize([1.0, -1.0], n))) @ U.T


def test_tridiagonalises(backend, spread, rng):
    A, start = backend.asarray(spread), backend.asarray(rng.standard_normal(n))
    with record_fetches() as ledger:
        run = lanczos(space_of(start), lambda v: A @ v, start, 12)
    assert (ledger.fetches, run.products, len(run.alpha)) == (2, 12, 12)
    backend.assert_same_kind(run.basis, A[:12, :])
    V, A = backend.to_numpy(run.basis).astype(float), backend.to_numpy(A).astype(float)
    np.testing.assert_allclose(V @ V.T, np.eye(12), atol=20 * backend.eps)
    T = np.diag(run.alpha) + np.diag(run.beta[:-1], 1) + np.diag(run.beta[:-1], -1)
    np.testing.assert_allclose(V @ A @ V.T, T, atol=50 * backend.eps)
    rest = A @ V.T - V.T @ T
    np.testing.assert_allclose(rest[:, :-1], 0.0, atol=50 * backend.eps)
    np.testing.assert_allclose(np.linalg.norm(rest[:, -1]), run.beta[-1], atol=50 * backend.eps)
    theta, S, residuals = run.ritz()
    u = backend.to_numpy(run.lift(S.T)).astype(float)
    np.testing.assert_allclose(
        np.linalg.norm(u @ A - theta[:, None] * u, axis=1), residuals, atol=100 * backend.eps
    )


@pytest.mark.backends("numpy")
def test_all_eigenvalues(backend, spread, rng):
    x = np.ones(n)
    run = lanczos(space_of(x), lambda v: spread @ v, rng.standard_normal(n), 100)
    np.testing.assert_allclose(run.ritz()[0], np.linalg.eigvalsh(spread), atol=1e-14)


@pytest.mark.parametrize("scale", [2.0**-900, 1.0, 2.0**600])
def test_ends_in_an_invariant_space(scale):
    d = np.repeat([3.0, -1.0, 7.0], 10) * scale
    run = lanczos(space_of(d), lambda v: d * v, np.arange(1.0, 31.0) / scale, 20)
    assert (run.invariant, run.finite, run.products) == (True, True, 8)
    np.testing.assert_allclose(run.ritz()[0] / scale, [-1.0, 3.0, 7.0], rtol=1e-13)
    assert run.beta[-1] == 0.0


def test_a_unit_is_a_factor(spread, rng):
    start = rng.standard_normal(n)
    runs = [
        lanczos(space_of(start), lambda v, a=a: a * (spread @ v), start * a, 9)
        for a in (1.0, 2.0**40)
    ]
    for name in ("alpha", "beta"):
        first, second = (getattr(run, name) for run in runs)
        np.testing.assert_array_equal(first * 2.0**40, second)
    np.testing.assert_array_equal(runs[0].basis, runs[1].basis)


def test_ends_where_a_product_is_not_finite(backend):
    calls = []

    def product(v):
        calls.append(v)
        return d * v * (np.nan if len(calls) == 3 else 1.0)

    d = backend.asarray(np.arange(1.0, 7.0))
    run = lanczos(space_of(d), product, backend.asarray(np.ones(6)), 6)
    assert (run.finite, run.invariant, len(run.alpha), len(run.ritz()[0])) == (False, False, 2, 2)
    nothing = lanczos(space_of(d), lambda v: v * np.inf, d, 6)
    assert (nothing.finite, len(nothing.ritz()[0])) == (False, 0)


def test_a_watch_ends_it(spread):
    seen = []

    def watch():
        seen.append(1)
        return len(seen) == 5

    x = np.ones(n)
    with record_fetches() as ledger:
        run = lanczos(space_of(x), lambda v: spread @ v, x, 20, watch=watch, every=4)
    assert (len(run.alpha), run.products, ledger.fetches) == (5, 5, 2)


@pytest.mark.backends("fakegpu")
def test_waits_are_its_fetches(backend, spread):
    A, x = backend.asarray(spread), backend.asarray(np.ones(n))
    with backend.fetches() as waits:
        lanczos(space_of(x), lambda v: A @ v, x, 17)
    assert waits.count == 3
