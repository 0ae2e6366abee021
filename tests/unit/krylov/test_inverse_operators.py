"""Inverses as operators, beside dense inverses and closed-form polynomials."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.quadratics import symmetric
from hessx import SettingsError
from hessx._xp import record_fetches, space_of
from hessx.krylov import ChebyshevPolynomial, minres_steps, spectral_bounds

n = 8
DEFINITE = np.linspace(1.0, 16.0, n)
INDEFINITE = np.array([-4.0, -2.0, -1.0, 1.0, 2.0, 3.0, 4.0, 5.0])


def posed(backend, rng, spectrum):
    """A as the backend sees it, on the host and there."""
    A = symmetric(rng, spectrum).astype(backend.dtype_name)
    return A.astype(float), backend.asarray(A)


def matrix(backend, operator):
    return backend.to_numpy(operator.dense(like=backend.asarray(np.zeros(n)))).astype(float)


def residual_polynomial(t, low, high, k):
    """T_k of the interval over its value at zero, by its closed form."""

    def chebyshev(x):
        inside = np.cos(k * np.arccos(np.clip(x, -1.0, 1.0)))
        outside = np.cosh(k * np.arccosh(np.maximum(abs(x), 1.0))) * np.sign(x) ** k
        return np.where(abs(x) <= 1.0, inside, outside)

    x, x0 = (high + low - 2.0 * t) / (high - low), (high + low) / (high - low)
    return chebyshev(x) / chebyshev(x0)


@pytest.mark.parametrize("make", [hessx.CGInverse, hessx.MINRESInverse], ids=["CG", "MINRES"])
def test_n_steps_give_the_inverse(backend, rng, make):
    A, there = posed(backend, rng, DEFINITE)
    v = np.array([1.0, -1.0] * (n // 2))
    found = backend.to_numpy(make(there, 2 * n) @ backend.asarray(v))
    np.testing.assert_allclose(A @ found, v, atol=2e3 * backend.eps)


def test_minres_inverts_what_is_indefinite(backend, rng):
    A, there = posed(backend, rng, INDEFINITE)
    v = np.array([1.0, -1.0] * (n // 2))
    found = backend.to_numpy(hessx.MINRESInverse(there, 2 * n) @ backend.asarray(v))
    np.testing.assert_allclose(A @ found, v, atol=2e3 * backend.eps)


@pytest.mark.parametrize("k", [1, 3, 5])
def test_a_step_is_the_textbook_one(rng, k):
    linalg = pytest.importorskip("scipy.sparse.linalg")
    A = there = symmetric(rng, DEFINITE)
    b = rng.standard_normal(n)
    d = np.linspace(0.5, 2.0, n)
    for theirs, ours in (
        (linalg.cg(A, b, rtol=0.0, maxiter=k)[0], hessx.CGInverse(there, k) @ b),
        (
            linalg.cg(A, b, rtol=0.0, maxiter=k, M=np.diag(d))[0],
            hessx.CGInverse(there, k, M=np.diag(d)) @ b,
        ),
        (linalg.minres(A, b, rtol=1e-300, maxiter=k)[0], hessx.MINRESInverse(there, k) @ b),
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)


def test_chebyshev_has_the_residual_of_its_closed_form(backend, rng):
    A, there = posed(backend, rng, DEFINITE)
    t, V = np.linalg.eigh(A)
    low, high = 0.5, 17.0
    for k in (0, 1, 5):
        found = matrix(backend, hessx.ChebyshevInverse(there, k, (low, high)))
        expected = V * ((1.0 - residual_polynomial(t, low, high, k + 1)) / t) @ V.T
        np.testing.assert_allclose(found, expected, atol=200 * backend.eps)
        np.testing.assert_allclose(found, found.T, atol=200 * backend.eps)


def test_chebyshev_is_within_its_bound(rng):
    A = symmetric(rng, DEFINITE)
    c = DEFINITE[-1] / DEFINITE[0]
    rate = (np.sqrt(c) - 1.0) / (np.sqrt(c) + 1.0)
    for k in range(1, 20):
        inverse = hessx.ChebyshevInverse(A, k, (DEFINITE[0], DEFINITE[-1]))
        error = np.linalg.norm(np.eye(n) - A @ inverse.todense(), 2)
        assert error <= 2.0 * rate**k
        assert error <= 2.0 * rate ** (k + 1) * (1.0 + 1e-6)


def test_bounds_are_found_where_none_are_given(backend, rng):
    A, there = posed(backend, rng, DEFINITE)
    inverse = hessx.ChebyshevInverse(there, 30)
    np.testing.assert_allclose(inverse.bounds, (1.0, 16.0), rtol=2e3 * backend.eps)
    few = hessx.ChebyshevInverse(there, 6, products=3)
    least = np.linalg.eigvalsh(matrix(backend, few))[0]
    assert 0.0 < few.bounds[0] < few.bounds[1]
    assert least > 0.0
    error = np.linalg.norm(np.eye(n) - A @ matrix(backend, inverse), 2)
    assert error <= 2.0 * (3.0 / 5.0) ** 31 + 1e3 * backend.eps


def test_neumann_has_its_closed_form(backend, rng):
    A, there = posed(backend, rng, DEFINITE)
    t, V = np.linalg.eigh(A)
    for scale in (None, 1.0 / 20.0):
        inverse = hessx.NeumannInverse(there, 5, scale)
        expected = V * ((1.0 - (1.0 - inverse.scale * t) ** 6) / t) @ V.T
        np.testing.assert_allclose(matrix(backend, inverse), expected, atol=200 * backend.eps)


def test_nothing_is_fetched(backend, rng):
    _, there = posed(backend, rng, DEFINITE)
    v = backend.asarray(rng.standard_normal(n))
    for inverse in (
        hessx.CGInverse(there, 4, M=lambda r: r * 0.5),
        hessx.MINRESInverse(there, 4),
        hessx.NeumannInverse(there, 4),
        hessx.ChebyshevInverse(there, 4),
    ):
        with record_fetches() as ledger:
            found = inverse @ v
        assert ledger.fetches == 0
        backend.assert_same_kind(found, v)


def test_few_products_and_fetches_find_the_bounds(backend, rng):
    _, there = posed(backend, rng, DEFINITE)
    asked = []

    def product(v):
        asked.append(1)
        return there @ v

    with record_fetches() as ledger:
        hessx.ChebyshevInverse(product, 4, products=4, like=backend.asarray(np.zeros(n)))
    assert len(asked) == 4
    assert ledger.fetches <= 4 // 8 + 2


@pytest.mark.backends("numpy", "torch-float32")
def test_what_has_converged_stays(backend):
    there = backend.asarray(np.diag([2.0, 2.0, 4.0]))
    b = backend.asarray(np.array([2.0, 4.0, 8.0]))
    for make in (hessx.CGInverse, hessx.MINRESInverse):
        found = backend.to_numpy(make(there, 40) @ b)
        np.testing.assert_allclose(found, [1.0, 2.0, 2.0], rtol=20 * backend.eps)
        zero = backend.to_numpy(make(there, 5) @ backend.asarray(np.zeros(3)))
        np.testing.assert_array_equal(zero, 0.0)


@pytest.mark.backends("numpy", "torch-float32")
@pytest.mark.parametrize("make", [hessx.CGInverse, hessx.MINRESInverse], ids=["CG", "MINRES"])
def test_no_scale_is_too_small_or_too_large(backend, make):
    A, b = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([1.0, 2.0])
    for a, c in ((-1, 0), (1, 0), (0, -1), (0, 1), (1, 1), (-1, -1)):
        huge = backend.eps**-4  # its square overflows
        there = backend.asarray(A * huge**a)
        found = backend.to_numpy(make(there) @ backend.asarray(b * huge**c)).astype(float)
        np.testing.assert_allclose(
            found, np.array([0.2, 0.6]) * huge ** (c - a), rtol=1e2 * backend.eps
        )
    if make is hessx.CGInverse:
        M = backend.asarray(np.eye(2) / huge)
        found = backend.to_numpy(make(there, M=M) @ backend.asarray(b / huge))
        np.testing.assert_allclose(found, [0.2, 0.6], rtol=1e2 * backend.eps)


@pytest.mark.parametrize("make", [hessx.CGInverse, hessx.MINRESInverse], ids=["CG", "MINRES"])
def test_what_is_not_finite_shows_and_zero_stays(make):
    b = np.array([1.0, 2.0])
    for bad in (np.nan * np.eye(2), np.diag([np.inf, 1.0])):
        assert np.isnan(make(bad) @ b).all()
    assert np.isnan(make(np.eye(2)) @ (np.nan * b)).all()
    np.testing.assert_array_equal(make(np.zeros((2, 2))) @ b, 0.0)
    assert (hessx.CGInverse(-np.eye(2)) @ b == 0.0).all()


@pytest.mark.backends("numpy", "torch-float32")
@pytest.mark.parametrize("steps", [1, 2, 5, 16])
def test_a_convex_minres_descends_whatever_the_matrix(backend, rng, steps):
    _, there = posed(backend, rng, INDEFINITE)
    b = backend.asarray(rng.standard_normal(n))
    x = minres_steps(space_of(b), lambda v: there @ v, b, steps, convex=True)
    assert backend.to_numpy(b) @ backend.to_numpy(x) > 0.0


def test_a_polynomial_of_any_stieltjes_function_is_positive():
    t = np.concatenate([np.linspace(0.0, 1.0, 400), [1.5, 3.0, 10.0]])
    for degree in (0, 2, 4, 8):  # an odd number of points
        for low in (0.5, 0.1, 1e-3):
            for power in (-1.0, -0.5):
                p = ChebyshevPolynomial.of(lambda s, a=power: s**a, low, 1.0, degree)
                assert (p.apply(lambda v: t * v, np.ones(len(t))) > 0.0).all()


@pytest.mark.backends("numpy", "torch-float32")
def test_the_spectrum_of_a_laplacian_is_bounded(backend):
    m = 400
    d = backend.asarray(2.0 - 2.0 * np.cos(np.pi * np.arange(1, m + 1) / (m + 1)))
    bounds = spectral_bounds(space_of(d), lambda v: d * v, 12)
    assert bounds.high >= 4.0 * (1.0 - 1e-4)
    assert bounds.high <= 4.4
    assert bounds.low <= 1e-3
    assert bounds.products == 12


def test_bad_input(backend):
    there = backend.asarray(np.diag([1.0, -1.0, 2.0]))
    for make, text in (
        (lambda: hessx.ChebyshevInverse(there, 3), "not positive definite.*-1"),
        (lambda: hessx.NeumannInverse(there, 3), "not positive definite"),
        (lambda: hessx.ChebyshevInverse(there, 3, (2.0, 1.0)), r"upper bound = 1.0.*\(2, inf\)"),
        (lambda: hessx.ChebyshevInverse(there, 3, (0.0, 1.0)), "lower bound"),
        (lambda: hessx.ChebyshevInverse(there, 3, 1.0), "pair of numbers"),
        (lambda: hessx.ChebyshevInverse(there * float("nan"), 3), "not finite"),
        (lambda: hessx.NeumannInverse(there, 3, -1.0), "scale = -1.0"),
        (lambda: hessx.NeumannInverse(there, -1), "degree = -1"),
        (lambda: hessx.CGInverse(there, 0), "steps = 0"),
    ):
        with pytest.raises(SettingsError, match=text):
            make()
    with pytest.raises(TypeError, match="like="):
        hessx.CGInverse(lambda v: v)
