"""What is made of few eigenpairs: beside dense references, and what it saves."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx._xp import record_fetches, space_of
from hessx.core import Frame
from reference.low_rank import nystrom_preconditioner, with_spectrum

n = 24


class Hessian:
    """Products as the oracle hands them out, counted."""

    def __init__(self, backend, H):
        self.H, self.products = backend.asarray(H), 0

    def __call__(self, v):
        self.products += 1
        return self.H @ v


def begun(backend, H, approximation):
    """The part after it has been given H, the products and the fetches that took."""
    part = approximation.begin(Frame(space_of(backend.asarray(np.ones(len(H))))))
    hessian = Hessian(backend, H)
    assert part.waits
    part.at(hessian)
    with record_fetches() as ledger:
        assert part.prepare()
    assert not part.waits
    return part, hessian.products, ledger.fetches


def matrix_of(backend, apply):
    """The matrix of a product with one vector."""
    columns = [backend.to_numpy(apply(backend.asarray(e))) for e in np.eye(n)]
    return np.stack(columns, axis=1).astype(float)


def matrices(backend, part):
    """B, and A."""
    return [matrix_of(backend, apply) for apply in (part.matvec, part.solve)]


def flipped(H, rank, rest=None):
    """U' |L| U + rest (I - U'U), with the largest absolute eigenvalues."""
    w, V = np.linalg.eigh(H)
    order = np.argsort(-abs(w))[:rank]
    w, V = abs(w[order]), V[:, order]
    return V * w @ V.T + (w[-1] if rest is None else rest) * (np.eye(len(H)) - V @ V.T)


def test_nystrom_is_the_preconditioner_of_its_paper(backend, rng):
    H, k, shift = with_spectrum(rng, 0.6 ** np.arange(n)), 5, 0.01
    part, products, fetches = begun(backend, H, hessx.Nystrom(rank=k, shift=shift, seed=4))
    B, A = matrices(backend, part)
    Omega = np.random.default_rng((4, 0, 0)).standard_normal((k, n))
    P = nystrom_preconditioner(H, Omega, shift)
    np.testing.assert_allclose(B / part.rest, P, atol=1e4 * backend.eps)
    np.testing.assert_allclose(A @ B, np.eye(n), atol=1e4 * backend.eps * 100)
    assert products == k
    assert fetches <= 3


@pytest.mark.parametrize(
    "approximation",
    [
        hessx.Nystrom(rank=n),
        hessx.LowRank(n),
        hessx.LowRank(n, "randomized"),
    ],
    ids=["Nystrom", "Lanczos", "randomized"],
)
def test_of_full_rank_it_is_the_absolute_value(backend, rng, approximation):
    H = with_spectrum(rng, np.linspace(-3.0, 4.2, n))
    part, _, fetches = begun(backend, H, approximation)
    B, A = matrices(backend, part)
    np.testing.assert_allclose(B, flipped(H, n), atol=1e3 * backend.eps)
    np.testing.assert_allclose(A, np.linalg.inv(flipped(H, n)), rtol=0, atol=1e5 * backend.eps)
    assert fetches <= n / 8 + 3


@pytest.mark.parametrize("by", ["lanczos", "randomized"])
def test_low_rank_takes_the_largest_of_both_signs(backend, rng, by):
    w = np.r_[30.0, -20.0, 10.0, 0.1 * np.linspace(-1.0, 1.0, n - 3)]
    H = with_spectrum(rng, w)
    part, _, _ = begun(backend, H, hessx.LowRank(3, by, rest=0.5))
    tolerance = 1e3 * backend.eps * 30.0 + (1e-3 if by == "randomized" else 0.0)
    np.testing.assert_allclose(matrices(backend, part)[0], flipped(H, 3, 0.5), atol=tolerance)
    part, _, _ = begun(backend, H, hessx.LowRank(3, by, rest=0.5, absolute=False))
    B = matrix_of(backend, part.matvec)
    np.testing.assert_allclose(np.linalg.eigvalsh(B)[[0, -2, -1]], [-20, 10, 30], atol=tolerance)


@pytest.mark.backends("numpy", "torch-float32")
def test_the_compact_form_and_the_operator_are_the_matrix(backend, rng):
    H = with_spectrum(rng, 0.6 ** np.arange(n))
    scale = backend.asarray(2.0 ** rng.uniform(-1.0, 1.0, n))
    part = hessx.Nystrom(rank=5).begin(Frame(space_of(scale), scale))
    part.at(Hessian(backend, H))
    B, A = matrices(backend, part)
    form, D = part.compact(), np.diag(backend.to_numpy(scale))
    U = backend.to_numpy(form.factors)
    near = {"atol": 1e4 * backend.eps, "rtol": 1e4 * backend.eps}
    np.testing.assert_allclose(form.diagonal * np.eye(n) + U.T @ form.middle @ U, B, **near)
    for inverse, matrix in ((True, D @ A @ D), (False, np.linalg.inv(D) @ B @ np.linalg.inv(D))):
        operator = part.operator(inverse=inverse)
        np.testing.assert_allclose(matrix_of(backend, operator.matvec), matrix, **near)


SIZES = {  # eigenvalues, settings, products
    "flat": (np.linspace(1.0, 3.0, 200), {}, 4),
    "falling": (0.8 ** np.arange(200.0) + 1e-12, {}, 64),
    "falling, bounded": (0.8 ** np.arange(200.0) + 1e-12, {"max_rank": 40}, 40),
    "down to the shift": (0.5 ** np.arange(200.0), {"shift": 1e-3}, 16),
    "down to rounding": (0.1 ** np.arange(200.0), {"max_rank": 200}, 16),
    "down to a ridge": (0.7 ** np.arange(200.0) + 1e-4, {"max_rank": 200}, 16),
    "indefinite": (np.r_[-3.0, 0.5 ** np.arange(199.0)], {}, 32),
    "of low rank": (np.r_[np.full(3, 2.0), np.zeros(197)], {}, 4),
}


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("spectrum", SIZES)
def test_the_rank_grows_as_long_as_eigenvalues_fall(backend, rng, spectrum):
    eigenvalues, settings, expected = SIZES[spectrum]
    H = with_spectrum(rng, eigenvalues).astype(backend.dtype_name)
    _, products, fetches = begun(backend, H, hessx.Nystrom(**settings))
    if backend.eps < 1e-10 or spectrum in ("flat", "falling, bounded", "of low rank"):
        assert products == expected
    assert fetches <= max(products / 8 + 2, 3)


@pytest.mark.backends("numpy")
def test_it_is_sampled_anew_every_few_points_and_after_a_hard_solve(backend, rng):
    H = with_spectrum(rng, np.linspace(1.0, 3.0, 40))
    part, _, _ = begun(backend, H, hessx.Nystrom(every=3))
    for waits in (False, False, True):
        part.leave()
        assert part.waits == waits
    hessian = Hessian(backend, H)
    part.at(hessian)
    part.prepare()
    part.solved(short=False)
    part.leave()
    assert not part.waits
    part.solved(short=True)  # flat or not, it is worth more now
    assert part.waits
    part.at(hessian)
    part.prepare()
    assert hessian.products == 4 + 16 + 40


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("approximation", [hessx.Nystrom(), hessx.LowRank(3)])
def test_of_a_zero_hessian_it_is_the_identity_and_of_nan_nothing(backend, approximation):
    part, _, _ = begun(backend, np.zeros((n, n)), approximation)
    assert (matrices(backend, part)[1] == np.eye(n)).all()
    assert not (part.sized or part.broken)
    with np.errstate(all="ignore"):
        part, _, _ = begun(backend, np.full((n, n), np.nan), approximation)
    assert part.broken


@pytest.mark.backends("numpy")
def test_a_budget_that_ends_while_it_is_sampled_ends_the_run(backend):
    h = backend.asarray(0.5 ** np.arange(40.0))
    result = hessx.minimize(
        lambda x: (x @ (h * x) / 2 - h @ x, h * x - h),
        backend.asarray(np.zeros(40)), jac=True, hessp=lambda x, v: h * v, method="trust-ncg",
        options={"preconditioner": "nystrom", "max_products": 10},
    )  # fmt: skip
    assert result.counts.products <= 11
    assert result.outcome is hessx.Outcome.LIMIT_EVALUATIONS


@pytest.mark.parametrize("make", [hessx.Nystrom, hessx.LowRank])
@pytest.mark.backends("numpy")
def test_what_is_out_of_range_is_refused(backend, make):
    for settings in ({"rank": 0}, {"rank": 1.5}, {"rank": 2, "every": 0}):
        with pytest.raises(hessx.SettingsError, match=r"expected an integer >= 1"):
            make(**settings)
    name = "shift" if make is hessx.Nystrom else "rest"
    for value in (0.0, -1.0, np.nan):
        with pytest.raises(hessx.SettingsError, match=name):
            make(rank=2, **{name: value})
    with pytest.raises(hessx.SettingsError, match=r"rank = 6: expected at most n = 5"):
        make(rank=6).begin(Frame(space_of(backend.asarray(np.ones(5)))))


def test_an_indefinite_one_is_refused_where_it_cannot_be():
    indefinite = hessx.LowRank(2, absolute=False)
    with pytest.raises(hessx.SettingsError, match="may be indefinite"):
        hessx.LineSearchMethod(indefinite, hessx.HagerZhang())
    with pytest.raises(hessx.SettingsError, match="may be indefinite"):
        hessx.TrustRegionMethod(preconditioner=indefinite)


def products_of(problem, method, preconditioner, gtol_rel):
    fun, hessp, size = problem
    result = hessx.minimize(
        fun, np.zeros(size), jac=True, hessp=hessp, method=method,
        options={"preconditioner": preconditioner, "gtol": 0, "gtol_rel": gtol_rel},
    )  # fmt: skip
    assert result.success
    return result.counts.products


def quadratic(H, b):
    return lambda x: (x @ (H @ x) / 2 - b @ x, H @ x - b), lambda x, v: H @ v, len(b)


def kernel(rng, size):
    """A Gaussian kernel of points in four dimensions."""
    X = rng.standard_normal((size, 4))
    distances = ((X[:, None] - X[None]) ** 2).sum(-1)
    return X, np.exp(-distances / 8.0)


def ridge_regression(rng, size, ridge):
    """Least squares on the features K: norm(K w - y)^2 / 2 size + ridge norm(w)^2 / 2."""
    X, K = kernel(rng, size)
    y = np.sin(X.sum(1)) + 0.1 * rng.standard_normal(size)
    return quadratic(K @ K / size + ridge * np.eye(size), K @ y / size)


def logistic_regression(rng, size, ridge):
    """The same features under a logistic loss."""
    X, K = kernel(rng, size)
    y = np.where(np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] > 0.3 * rng.standard_normal(size), 1, -1)

    def fun(w):
        m = y * (K @ w)
        grad = K @ (-y / (1.0 + np.exp(m))) / size + ridge * w
        return np.logaddexp(0.0, -m).mean() + ridge / 2 * w @ w, grad

    def hessp(w, v):
        p = 1.0 / (1.0 + np.exp(y * (K @ w)))
        return K @ (p * (1.0 - p) * (K @ v)) / size + ridge * v

    return fun, hessp, size


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("method", ["trust-ncg", "newton-cg"])
def test_it_takes_a_third_of_the_products_where_eigenvalues_fall(rng, method):
    problem = ridge_regression(rng, 150, 1e-7)
    alone = products_of(problem, method, None, 1e-6)
    assert products_of(problem, method, "nystrom", 1e-6) <= alone / 3


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("method", ["trust-ncg", "newton-cg"])
def test_it_takes_half_as_many_more_at_most_where_they_do_not(rng, method):
    for condition in (10.0, 100.0):
        H = with_spectrum(rng, np.linspace(1.0, condition, 150))
        problem = quadratic(H, rng.standard_normal(150))
        alone = products_of(problem, method, None, 1e-6)
        assert products_of(problem, method, "nystrom", 1e-6) <= 1.5 * alone


@pytest.mark.long
@pytest.mark.backends("numpy")
@pytest.mark.parametrize("method", ["trust-ncg", "newton-cg"])
def test_it_takes_a_third_of_the_products_on_large_kernels(rng, method):
    for make, size, ridge in (
        (ridge_regression, 1000, 1e-5),
        (ridge_regression, 1000, 1e-7),
        (logistic_regression, 500, 1e-8),
    ):
        problem = make(rng, size, ridge)
        alone = products_of(problem, method, None, 1e-6)
        assert products_of(problem, method, "nystrom", 1e-6) <= alone / 3
