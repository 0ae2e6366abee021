"""Estimates of traces and diagonals: their papers' definitions, rates, errors and ends."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from reference import estimators

n = 90


def rotated(eigenvalues, seed=0):
    """A dense matrix with these eigenvalues and random eigenvectors."""
    size = len(eigenvalues)
    U, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))
    return (U * eigenvalues) @ U.T


SPECTRA = {
    "flat": np.linspace(1.0, 3.0, n),
    "indefinite": np.linspace(-1.0, 2.0, n),
    "slow": 1.0 / np.arange(1.0, n + 1.0),
    "fast": 0.7 ** np.arange(n),
    "faster": 0.4 ** np.arange(n),
    "low rank": np.r_[np.arange(1.0, 6.0), np.zeros(n - 5)],
}
MATRICES = {name: rotated(eigenvalues) for name, eigenvalues in SPECTRA.items()}


def on_sphere(seed, k):
    g = np.random.default_rng(seed).standard_normal((k, n))
    return n**0.5 * (g / np.linalg.norm(g, axis=1)[:, None]).T


def signs(seed, k):
    return (np.random.default_rng(seed).integers(0, 2, (k, n)) * 2.0 - 1.0).T


@pytest.mark.parametrize("name", ["flat", "indefinite", "slow", "fast"])
def test_xtrace_is_the_paper_s(name):
    found = hessx.estimate_trace(MATRICES[name], products=21, seed=5)
    value, error = estimators.xtrace(MATRICES[name], on_sphere(5, 10))
    np.testing.assert_allclose([found.value, found.error], [value, error], rtol=1e-8)
    assert (found.products, found.method) == (20, "xtrace")


@pytest.mark.parametrize("name", ["flat", "indefinite", "slow", "fast"])
def test_hutch_plus_plus_is_the_paper_s(name):
    found = hessx.estimate_trace(MATRICES[name], products=30, method="hutch++", seed=5)
    drawn = signs(5, 20)
    value = estimators.hutch_plus_plus(MATRICES[name], drawn[:, :10], drawn[:, 10:])
    np.testing.assert_allclose(found.value, value, rtol=1e-10)


@pytest.mark.parametrize("name", ["flat", "indefinite", "slow"])
def test_xdiag_is_the_paper_s(name):
    found = hessx.estimate_diagonal(MATRICES[name], products=20, seed=5)
    values, errors = estimators.xdiag(MATRICES[name], signs(5, 10))
    np.testing.assert_allclose(found.values, values, atol=1e-9)
    np.testing.assert_allclose(found.errors, errors, atol=1e-9)


def test_another_library_s_xtrace_agrees():
    stochtrace = pytest.importorskip("matfree.stochtrace")
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        A, omega = (jax.numpy.asarray(a) for a in (MATRICES["slow"], on_sphere(5, 10).T))
        integrand = stochtrace.leave_one_out_xtrace(apply_resphering=True)
        theirs = stochtrace.estimator_leave_one_out(integrand, lambda key: omega)
        expected = float(theirs(lambda v: A @ v, None))
    found = hessx.estimate_trace(MATRICES["slow"], products=20, seed=5)
    assert found.value == pytest.approx(expected, rel=1e-10)


def errors_of(matrix, products, method, seeds=range(12)):
    """Errors of a trace over seeds, and the standard errors that were told."""
    found = [
        hessx.estimate_trace(matrix, products=products, method=method, seed=seed) for seed in seeds
    ]
    truth = np.trace(matrix)
    return np.array([f.value - truth for f in found]), np.array([f.error for f in found])


@pytest.mark.parametrize("method", ["hutchinson", "hutch++", "xtrace"])
@pytest.mark.parametrize("name", ["flat", "indefinite", "slow", "fast", "low rank"])
def test_the_standard_error_is_one(name, method):
    errors, told = errors_of(MATRICES[name], 48, method, range(25))
    assert np.mean(np.abs(errors) <= 3.0 * told) >= 0.9
    assert np.mean(np.abs(errors) >= told / 20.0) >= 0.8 or max(abs(errors)) < 1e-13 * n


def slope(matrix, method, counts):
    """The power of the number of products that the error goes with."""
    sizes = [np.sqrt(np.mean(errors_of(matrix, m, method)[0] ** 2)) for m in counts]
    return np.polyfit(np.log(counts), np.log(sizes), 1)[0], sizes[-1]


@pytest.mark.parametrize("size", [n, pytest.param(200, marks=pytest.mark.long)])
def test_the_rates_are_those_of_the_papers(size):
    counts = [10, 20, 40, 80]
    flat, slow = rotated(np.linspace(1.0, 3.0, size)), rotated(1.0 / np.arange(1.0, size + 1.0))
    for matrix in (flat, slow):
        rate, _ = slope(matrix, "hutchinson", counts)
        assert -0.75 < rate < -0.25
    # eigenvalues 1 / i: norm_F of what is left after k, over k^(1/2), is 1 / k
    rate, hutch = slope(slow, "hutch++", counts)
    assert -1.8 < rate < -0.85
    _, xtrace = slope(slow, "xtrace", counts)
    assert xtrace < hutch
    fast = rotated(0.7 ** np.arange(size))
    _, hutch = slope(fast, "hutch++", [24, 84])
    _, xtrace = slope(fast, "xtrace", [24, 84])
    assert xtrace < min(hutch / 100.0, 1e-5)


def test_what_has_decayed_to_rounding_is_estimated_to_rounding():
    errors, told = errors_of(MATRICES["faster"], 88, "xtrace", range(4))
    assert max(abs(errors)) < 1e-12
    assert max(told) < 1e-12
    found = hessx.estimate_diagonal(MATRICES["faster"], products=88)
    np.testing.assert_allclose(found.values, np.diag(MATRICES["faster"]), atol=1e-13)


def test_a_diagonal_by_signs_has_the_variance_of_its_rows():
    A = MATRICES["indefinite"]
    gaps, told = [], []
    for seed in range(30):
        found = hessx.estimate_diagonal(A, products=33, method="hutchinson", seed=seed)
        gaps.append(found.values - np.diag(A))
        told.append(found.errors)
    off = A - np.diag(np.diag(A))
    deviation = np.sqrt((off**2).sum(axis=1) / 33)  # Bekas, Kokiopoulou & Saad (2007)
    np.testing.assert_allclose(np.sqrt(np.mean(np.square(gaps), axis=0)), deviation, rtol=0.6)
    np.testing.assert_allclose(np.sqrt(np.mean(np.square(told), axis=0)), deviation, rtol=0.15)


def test_xdiag_is_the_better_where_eigenvalues_decay():
    A = MATRICES["slow"]
    exact, gap = np.diag(A), {}
    for method in ("hutchinson", "xdiag"):
        found = [hessx.estimate_diagonal(A, products=60, method=method, seed=s) for s in range(10)]
        gap[method] = np.sqrt(np.mean([(f.values - exact) ** 2 for f in found]))
        told = np.sqrt(np.mean([f.errors**2 for f in found]))
        assert 0.4 < gap[method] / told < 2.0
    assert gap["xdiag"] < 0.5 * gap["hutchinson"]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_enough_products_give_the_thing_itself(size):
    A = rotated(np.arange(-1.0, size - 1.0))
    for method in ("hutchinson", "hutch++", "xtrace"):
        found = hessx.estimate_trace(A, products=7, method=method)
        np.testing.assert_allclose(found.value, np.trace(A), atol=1e-14)
        assert (found.error, found.products, found.method) == (0.0, size, "exact")
    found = hessx.estimate_diagonal(A, products=7)
    np.testing.assert_allclose(found.values, np.diag(A), atol=1e-14)
    assert (found.products, found.method) == (size, "exact")


@pytest.mark.parametrize("method", ["hutchinson", "hutch++", "xtrace"])
def test_a_unit_is_a_factor(method):
    A = MATRICES["indefinite"]
    for a in (2.0**-70, 2.0**-700, 2.0**600):
        first, second = (hessx.estimate_trace(A * b, products=24, method=method) for b in (1.0, a))
        assert first.value * a == pytest.approx(second.value, rel=1e-12)
        assert first.error * a == pytest.approx(second.error, rel=1e-12)
        if a == 2.0**-70:
            assert first.value * a == second.value


@pytest.mark.parametrize("method", ["hutchinson", "xdiag"])
def test_a_unit_is_a_factor_of_the_diagonal(method):
    A = MATRICES["indefinite"]
    for a in (2.0**-700, 2.0**600):
        first, second = (
            hessx.estimate_diagonal(A * b, products=24, method=method) for b in (1.0, a)
        )
        for part in ("values", "errors"):
            np.testing.assert_allclose(getattr(first, part) * a, getattr(second, part), rtol=1e-9)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_gives_nan(value):
    A = np.full((n, n), value)
    for method in ("hutchinson", "hutch++", "xtrace"):
        with np.errstate(all="ignore"):
            assert np.isnan(hessx.estimate_trace(A, products=24, method=method).value)
    with np.errstate(all="ignore"):
        assert np.isnan(hessx.estimate_diagonal(A, products=24).values).all()


def test_bad_input():
    A, like = MATRICES["flat"], np.ones(n)
    with pytest.raises(hessx.SettingsError, match="method = 'girard': expected one of 'xtrace'"):
        hessx.estimate_trace(A, method="girard")
    with pytest.raises(hessx.SettingsError, match="method = 'hutch': expected 'xdiag'"):
        hessx.estimate_diagonal(A, method="hutch")
    for products, method in ((3, "xtrace"), (2, "hutch++"), (0, "hutchinson")):
        with pytest.raises(hessx.SettingsError, match=f"products = {products}: expected an int"):
            hessx.estimate_trace(A, products=products, method=method)
    with pytest.raises(TypeError, match="A is a function, and nothing says where its vectors"):
        hessx.estimate_trace(lambda v: v)
    with pytest.raises(ValueError, match=r"A has shape \(2, 3\): expected a square"):
        hessx.estimate_trace(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"A has shape \(90, 90\): expected \(3, 3\)"):
        hessx.estimate_trace(A, like[:3])
    with pytest.raises(ValueError, match="holds no array: give like="):
        hessx.estimate_trace(hessx.IdentityOperator(n))


def test_two_vectors_of_xdiag_do_not_tell_their_error():
    assert np.isnan(hessx.estimate_diagonal(np.eye(5), products=4).errors).all()
    flat = hessx.estimate_diagonal(np.outer(np.ones(9), np.ones(9)), products=4)  # of rank 1
    np.testing.assert_allclose(flat.values, 1.0)
    assert (flat.errors < 1e-12).all()


def test_a_trace_that_is_not_finite_has_no_error():
    for products in (4, 8):
        found = hessx.estimate_trace(np.full((5, 5), np.nan), products=products)
        assert np.isnan([found.value, found.error]).all()


@pytest.mark.parametrize(
    "make",
    [
        hessx.estimate_trace,
        hessx.estimate_diagonal,
        hessx.extreme_eigenvalues,
        hessx.condition_number,
        hessx.spectral_density,
        hessx.inertia,
        hessx.CGInverse,
    ],
)
def test_lists_and_integers_are_floats_and_nothing_is_refused(make):
    numbers = [[2, 1], [1, 3]]
    for given in (numbers, np.array(numbers)):
        make(given)
    with pytest.raises(ValueError, match=r"shape \(0, 0\): expected at least one row"):
        make(np.zeros((0, 0)))
