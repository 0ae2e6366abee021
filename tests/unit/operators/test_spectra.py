"""Ends, condition, density and signs of spectra that are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx._xp import record_fetches

n = 90


def product(eigenvalues):
    return lambda v: eigenvalues * v


def laplacian(side):
    """The 2-D Laplacian on a grid with zeros around it: v -> A v, and its eigenvalues."""

    def apply(v):
        u = np.pad(v.reshape(side, side), 1)
        inner = u[1:-1, 1:-1]
        return (4.0 * inner - u[2:, 1:-1] - u[:-2, 1:-1] - u[1:-1, 2:] - u[1:-1, :-2]).reshape(-1)

    one = 2.0 - 2.0 * np.cos(np.pi * np.arange(1, side + 1) / (side + 1))
    return apply, np.sort((one[:, None] + one[None, :]).reshape(-1))


@pytest.mark.parametrize("which", ["smallest", "largest", "both"])
@pytest.mark.parametrize("k", [1, 3])
def test_the_ends_are_within_their_errors(which, k):
    eigenvalues = np.sort(np.r_[np.linspace(0.0, 1.0, n - 6), -1.0, -0.5, -0.3, 1.2, 1.5, 2.0])
    truth = {"smallest": eigenvalues[:k], "largest": eigenvalues[-k:]}
    truth["both"] = np.r_[truth["smallest"], truth["largest"]]
    with record_fetches() as ledger:
        found = hessx.extreme_eigenvalues(
            product(eigenvalues), eigenvalues, k=k, which=which, vectors=True, products=64
        )
    assert found.converged
    assert not found.exact
    assert ledger.fetches == -(-found.products // 8) <= found.products / 8 + 2
    assert np.all(np.abs(found.values - truth[which]) <= found.errors)
    np.testing.assert_allclose(found.values, truth[which], atol=1e-11)
    residuals = found.vectors * eigenvalues - found.values[:, None] * found.vectors
    assert np.all(np.linalg.norm(residuals, axis=1) <= found.errors)


def test_few_products_are_honest():
    apply, eigenvalues = laplacian(30)
    for products in (8, 16, 32):
        found = hessx.extreme_eigenvalues(apply, np.ones(900), products=products)
        assert not found.converged
        assert found.products == products
        for value, error, end in zip(found.values, found.errors, (0, -1), strict=True):
            assert np.min(np.abs(eigenvalues - value)) <= error
            assert abs(value - eigenvalues[end]) <= 3.0 * error
            assert eigenvalues[0] <= value <= eigenvalues[-1]


def test_multiple_eigenvalues():
    eigenvalues = np.repeat([1.0, 2.0, 5.0], [n // 2, n // 2 - 5, 5])
    found = hessx.extreme_eigenvalues(product(eigenvalues), eigenvalues, k=3)
    np.testing.assert_allclose(found.values, [1.0, 1.0, 1.0, 5.0, 5.0, 5.0], rtol=1e-14)
    gram = hessx.extreme_eigenvalues(
        product(eigenvalues), eigenvalues, k=3, which="largest", vectors=True
    ).vectors
    np.testing.assert_allclose(gram @ gram.T, np.eye(3), atol=1e-13)
    # as many as there are, where all are computed
    few = np.diag([2.0, 1.0, 2.0, 2.0])
    np.testing.assert_allclose(
        hessx.extreme_eigenvalues(few, k=2, vectors=True).values, [1.0, 2.0, 2.0, 2.0]
    )


@pytest.mark.parametrize("size", [1, 2])
def test_one_and_two_variables(size):
    A = np.diag(np.arange(-1.0, size - 1.0))
    found = hessx.extreme_eigenvalues(A, vectors=True)
    np.testing.assert_allclose(found.values, np.diag(A))
    assert (found.exact, found.products, found.vectors.shape) == (True, size, (size, size))
    assert hessx.inertia(A).negative == 1
    density = hessx.spectral_density(A)
    np.testing.assert_allclose(density.trace(np.exp).value, np.exp(np.diag(A)).sum(), rtol=0.5)
    assert density.cdf(5.0) == pytest.approx(1.0)


def test_zero_and_what_is_not_finite():
    x = np.ones(n)
    nothing = hessx.extreme_eigenvalues(lambda v: 0.0 * v, x, k=2)
    np.testing.assert_array_equal(nothing.values, np.zeros(4))
    for bad in (lambda v: v * np.nan, lambda v: v * np.inf):
        with np.errstate(invalid="ignore"):
            assert np.isnan(hessx.extreme_eigenvalues(bad, x).values).all()
            assert np.isnan(hessx.condition_number(bad, x).value)
            with pytest.raises(ValueError, match="a product with A is not finite"):
                hessx.spectral_density(bad, x)
            with pytest.raises(ValueError, match="A has entries that are not finite"):
                hessx.inertia(bad, x)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_condition_lies_between_its_bounds(sign):
    eigenvalues = sign * np.linspace(2.0, 60.0, n)
    for products, finite in ((10, False), (60, True), (n, True)):
        found = hessx.condition_number(product(eigenvalues), eigenvalues, products=products)
        assert found.low <= 30.0 * (1.0 + 1e-12)
        assert found.high >= 30.0 * (1.0 - 1e-12)
        assert not finite or found.high < 32.0
        assert found.exact == (products == n)


def test_the_condition_of_an_indefinite_operator_is_bounded_from_below():
    eigenvalues = np.r_[np.linspace(-2.0, -0.5, n // 2), np.linspace(0.25, 1.0, n // 2)]
    found = hessx.condition_number(product(eigenvalues), eigenvalues, products=60)
    assert 7.9 < found.low <= found.value <= 8.0 + 1e-9
    assert found.high == np.inf
    assert "an upper bound was not found" in found.message
    exact = hessx.condition_number(product(eigenvalues), eigenvalues, products=n)
    assert exact.value == pytest.approx(8.0, rel=1e-13)


def test_singular_to_rounding():
    for A in (np.diag([1.0, 0.0]), np.diag([1.0, 1e-17]), np.ones((3, 3)), np.zeros((2, 2))):
        found = hessx.condition_number(A)
        assert (found.value, found.high) == (np.inf, np.inf)
        assert found.message.startswith("singular to rounding")
    assert hessx.condition_number(np.diag([1.0, 1e-12])).value == pytest.approx(1e12, rel=1e-2)


@pytest.mark.parametrize(
    ("side", "most", "near"),
    [(30, 0.04, 0.02), pytest.param(100, 0.02, 0.004, marks=pytest.mark.long)],
)
def test_the_density_of_the_laplacian(side, most, near):
    """Of eigenvalues a fraction 1 / side is 4."""
    apply, eigenvalues = laplacian(side)
    with record_fetches() as ledger:
        found = hessx.spectral_density(apply, np.ones(side**2))
    assert (found.products, ledger.fetches) == (500, 5)
    at = np.sort(np.r_[found.nodes.reshape(-1), eigenvalues])
    known = np.searchsorted(eigenvalues, at, side="right") / side**2
    assert np.max(np.abs(found.cdf(at) - known)) < most  # Kolmogorov's distance
    logs = found.trace(np.log)
    assert abs(logs.value - np.log(eigenvalues).sum()) < 3.0 * logs.error
    x = np.linspace(-2.0, 10.0, 4001)
    smeared = np.exp(-0.5 * ((x[:, None] - eigenvalues[:: side // 14]) / 0.3) ** 2).mean(axis=1)
    smeared /= 0.3 * (2.0 * np.pi) ** 0.5
    np.testing.assert_allclose(found.density(x, 0.3), smeared, atol=near)
    assert np.trapezoid(found.density(x, 0.3), x) == pytest.approx(1.0, abs=1e-6)


def test_the_quadrature_is_gauss_s(rng):
    eigenvalues = rng.standard_normal(40)
    found = hessx.spectral_density(product(eigenvalues), eigenvalues, steps=6, samples=1, seed=3)
    # z'f(A) z = sum f for signs and a diagonal A: exact for degrees up to 11, and not for 12
    for degree in range(12):
        assert found.trace(lambda t, p=degree: t**p).value == pytest.approx(
            np.sum(eigenvalues**degree), rel=1e-10, abs=1e-10
        )
    assert found.trace(lambda t: t**12).value != pytest.approx(np.sum(eigenvalues**12), rel=1e-5)


def test_the_density_is_drawn():
    pytest.importorskip("plotly")
    found = hessx.spectral_density(np.diag([1.0, 2.0, 4.0]))
    figure = found.plot(width=0.1)
    density, fraction = figure.data
    np.testing.assert_allclose(density.y, found.density(np.array(density.x), 0.1))
    assert fraction.y[-1] == pytest.approx(1.0)
    assert hessx.spectral_density(np.zeros((2, 2))).plot().data[0].x[0] < 0.0


def test_signs_are_counted():
    A = np.diag([3.0, -1.0, -2.0, 0.0, 1e-17])
    found = hessx.inertia(A)
    assert (found.positive, found.negative, found.zero) == (1, 2, 2)
    assert found.threshold == 5 * 2.0**-52 * 3.0
    assert hessx.inertia(A, threshold=1.5).zero == 3
    with pytest.raises(hessx.SettingsError, match="more than max_bytes = 100 allow"):
        hessx.inertia(A, max_bytes=100)
    with pytest.raises(hessx.SettingsError, match="threshold = -1"):
        hessx.inertia(A, threshold=-1.0)


def test_every_form():
    sparse = pytest.importorskip("scipy.sparse")
    A = np.diag([2.0, -1.0, 5.0])
    forms = [A, A.tolist(), sparse.csr_array(A), sparse.linalg.aslinearoperator(A)]
    forms += [hessx.DenseOperator(A), hessx.DiagonalOperator(np.diag(A))]
    for form in forms:
        like = np.ones(3) if isinstance(form, list) else None
        np.testing.assert_allclose(hessx.extreme_eigenvalues(form, like).values, [-1.0, 5.0])
    np.testing.assert_allclose(
        hessx.extreme_eigenvalues(3.0 * hessx.IdentityOperator(3), np.ones(1)).values, [3.0, 3.0]
    )


def test_bad_input():
    A = np.eye(3)
    for settings, message in (
        ({"k": 4}, "k = 4: expected at most n = 3"),
        ({"k": 0}, "k = 0: expected an integer >= 1"),
        ({"which": "middle"}, "which = 'middle': expected 'smallest', 'largest' or 'both'"),
        ({"rtol": 0.0}, "rtol = 0.0"),
        ({"products": 0}, "products = 0"),
        ({"vectors": "yes"}, "vectors = 'yes'"),
    ):
        with pytest.raises(hessx.SettingsError, match=message):
            hessx.extreme_eigenvalues(A, **settings)
    for settings in ({"steps": 0}, {"samples": 0}, {"seed": -1}):
        with pytest.raises(hessx.SettingsError):
            hessx.spectral_density(A, **settings)
    with pytest.raises(hessx.SettingsError, match="width = 0"):
        hessx.spectral_density(A).density(1.0, 0)
