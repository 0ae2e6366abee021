"""Eigenpairs by few products, beside NumPy's eigh and the bounds of the papers."""

import numpy as np
import pytest

from hessx._xp import quiet, record_fetches, space_of
from hessx.operators import lanczos_eigh, nystrom, randomized_eigh
from reference.low_rank import nystrom_matrix, with_spectrum


def most_fetches(products):
    """The bound that all that samples has to keep, and one where there are few products."""
    return products / 8 + 2 + (products < 16)


EACH = pytest.mark.parametrize("method", [nystrom, randomized_eigh, lanczos_eigh])


def _found(backend, A, method, rank, **options):
    """The pairs, and their matrix in float64; library and fetches are seen to."""
    on_device = backend.asarray(A)
    with quiet(), record_fetches() as ledger:  # a product need not be finite
        pairs = method(on_device[0, ...], lambda v: on_device @ v, rank, **options)
    assert ledger.fetches <= most_fetches(pairs.products)
    backend.assert_same_kind(pairs.vectors, on_device[: len(pairs.values), :])
    U = backend.to_numpy(pairs.vectors)
    np.testing.assert_allclose(U @ U.T, np.eye(len(U)), atol=1e3 * backend.eps)
    return pairs, U.T * pairs.values @ U


@EACH
def test_is_exact_where_the_rank_is_reached(backend, rng, method):
    A = with_spectrum(rng, np.r_[5.0, 3.0, 1.0, 0.5, np.zeros(36)])
    pairs, found = _found(backend, A, method, rank=8)
    np.testing.assert_allclose(pairs.values[:4], [5.0, 3.0, 1.0, 0.5], rtol=1e3 * backend.eps)
    np.testing.assert_allclose(found, A, atol=1e3 * backend.eps * 5.0)


@EACH
def test_takes_both_signs(backend, rng, method):
    A = with_spectrum(rng, np.r_[5.0, -4.0, -1.0, 0.5, np.zeros(36)])
    pairs, found = _found(backend, A, method, rank=24)
    np.testing.assert_allclose(pairs.values[:4], [5.0, -4.0, -1.0, 0.5], rtol=1e3 * backend.eps)
    np.testing.assert_allclose(found, A, atol=1e3 * backend.eps * 5.0)
    w, vectors = pairs.values, backend.to_numpy(pairs.vectors)
    left = np.linalg.norm(vectors @ A - w[:, None] * vectors, axis=1)
    np.testing.assert_allclose(left, pairs.residuals, atol=1e3 * backend.eps * 5.0)


def test_nystrom_is_what_defines_it(backend, rng):
    A, k = with_spectrum(rng, 0.5 ** np.arange(30.0)), 6
    _, found = _found(backend, A, nystrom, rank=k, seed=3)
    Omega = np.random.default_rng((3, 0)).standard_normal((k, 30))
    np.testing.assert_allclose(found, nystrom_matrix(A, Omega), atol=1e3 * backend.eps)


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("eigenvalues", [0.7 ** np.arange(100.0), (1.0 + np.arange(100.0)) ** -2.0])
def test_nystrom_keeps_the_bound_of_its_paper(backend, rng, eigenvalues):
    A, k = with_spectrum(rng, eigenvalues), 20
    found = [_found(backend, A, nystrom, k, seed=seed) for seed in range(20)]
    errors = [np.linalg.norm(A - matrix, 2) for _, matrix in found]
    bounds = [  # proposition 2.2
        (1.0 + 2.0 * (k - q) / (q - 1)) * eigenvalues[k - q]
        + 2.0 * np.exp(2.0) * k / (q * q - 1.0) * eigenvalues[k - q :].sum()
        for q in range(2, k - 1)
    ]
    assert np.mean(errors) <= min(bounds)
    for (pairs, _), error in zip(found, errors, strict=True):
        assert (pairs.values <= eigenvalues[: len(pairs.values)] * (1.0 + 1e-9)).all()
        assert error >= eigenvalues[k] * (1.0 - 1e-9)  # Eckart, Young and Mirsky


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("power", [0, 1])
def test_a_random_block_keeps_the_bound_of_its_paper(backend, rng, power):
    eigenvalues = 0.8 ** np.arange(100.0) * np.where(np.arange(100) % 3 == 0, -1.0, 1.0)
    A, k, p = with_spectrum(rng, eigenvalues), 15, 5
    errors = [
        np.linalg.norm(
            A - _found(backend, A, randomized_eigh, k + p, oversampling=0, power=power, seed=s)[1],
            2,
        )
        for s in range(20)
    ]
    tail, q = abs(eigenvalues[k:]), 2 * power + 1
    one_sided = (  # theorem 10.6 and corollary 10.10
        (1.0 + np.sqrt(k / (p - 1))) * tail[0] ** q
        + np.e * np.sqrt(k + p) / p * np.sqrt((tail ** (2 * q)).sum())
    ) ** (1.0 / q)
    assert np.mean(errors) <= 2.0 * one_sided  # a projection from both sides


@EACH
@pytest.mark.backends("numpy")
def test_the_error_that_is_reported_is_the_error(backend, rng, method):
    A = with_spectrum(rng, 0.8 ** np.arange(80.0))
    options = {"checks": 10} if method is nystrom else {}
    pairs, found = _found(backend, A, method, rank=10, **options)
    if method is nystrom:
        error = np.linalg.norm(A - found, 2)
        assert 0.5 * error <= pairs.error <= error * (1.0 + 1e-12)
        assert pairs.products == 20
    else:
        w = np.linalg.eigvalsh(A)
        near = abs(w[None, :] - pairs.values[:, None]).min(axis=1)
        assert (near <= pairs.residuals + 10 * backend.eps).all()


@pytest.mark.backends("numpy")
@pytest.mark.parametrize(("which", "expected"), [("largest", [3.0, 1.0]), ("smallest", [-4, -2])])
def test_lanczos_takes_one_end(backend, rng, which, expected):
    A = with_spectrum(rng, np.array([3.0, 1.0, 0.5, 0.0, -2.0, -4.0]))
    assert np.allclose(_found(backend, A, lanczos_eigh, 2, which=which)[0].values, expected)


@EACH
@pytest.mark.parametrize("entry", [0.0, np.inf, np.nan])
def test_gives_no_pairs_of_what_is_zero_or_not_finite(backend, method, entry):
    A = np.full((12, 12), entry)
    pairs, _ = _found(backend, A, method, rank=3)
    assert pairs.finite == (entry == 0.0)
    assert (pairs.values == 0.0).all()


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("method", [nystrom, randomized_eigh])
def test_a_budget_ends_it(backend, method):
    calls, space = [], space_of(backend.asarray(np.ones(9)))

    def product(v):
        calls.append(1)
        return v

    assert method(space, product, 5, watch=lambda: len(calls) >= 3) is None
    assert len(calls) == 3


@EACH
@pytest.mark.backends("numpy")
def test_scales_bitwise(backend, rng, method):
    A = with_spectrum(rng, 0.5 ** np.arange(20.0))
    (one, _), (other, _) = (_found(backend, a * A, method, rank=5) for a in (1.0, 2.0**60))
    assert (one.values * 2.0**60 == other.values).all()
    assert (one.vectors == other.vectors).all()


@pytest.mark.backends("numpy")
def test_products_that_are_off_are_told_from_eigenvalues(backend, rng):
    """By the antisymmetric part of the small product alone."""
    n, noise = 60, 1e-6
    A = with_spectrum(rng, 0.3 ** np.arange(n)) + noise * rng.standard_normal((n, n)) / n**0.5
    pairs, _ = _found(backend, A, nystrom, rank=20)
    assert len(pairs.values) < 20
    assert 0.1 * noise < pairs.values[-1] < 1e3 * noise
