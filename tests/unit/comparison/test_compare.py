"""What is said of approximations beside matrices that are written out."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx.comparison import known_approximations
from hessx.models import LogisticRegression


def bowl(backend, H):
    """x'H x / 2 + sum(x^4) / 12 on a backend; its Hessian is H + diag(x^2)."""
    there = backend.asarray(H)

    def fun(x):
        Hx = there @ x
        return 0.5 * (x @ Hx) + backend.xp.sum(x**4) / 12.0, Hx + x**3 / 3.0

    return fun, lambda x, v: there @ v + x * x * v


@pytest.fixture
def curved(rng):
    R = rng.standard_normal((5, 5))
    return R @ R.T + np.eye(5)


def bfgs(B, s, y):
    """Nocedal & Wright, eq. (6.19)."""
    B_s = B @ s
    return B - np.outer(B_s, B_s) / (s @ B_s) + np.outer(y, y) / (y @ s)


def dfp(B, s, y):
    """Nocedal & Wright, eq. (6.13)."""
    rho = 1.0 / (y @ s)
    M = np.eye(len(s)) - rho * np.outer(s, y)
    return M.T @ B @ M + rho * np.outer(y, y)


def test_along_points_that_are_given(backend, rng, curved):
    H = curved
    fun, hessp = bowl(backend, H)
    points = [rng.standard_normal(5).astype("float32").astype(float) for _ in range(4)]
    settings = {
        "gd": "gd",
        "bfgs": hessx.BFGS(hess_inv0=1.0, scaling="none"),
        "dfp": hessx.DFP(hess_inv0=1.0, scaling="none"),
        "known": backend.asarray(2.0 * H),
        "of x": lambda x: lambda v: v * x * x,
    }
    there = [backend.asarray(x) for x in points]
    found = hessx.compare_hessians(fun, there[0], settings, jac=True, hessp=hessp, points=there)
    assert found.names == [*settings]
    gradient = lambda x: H @ x + x**3 / 3.0  # noqa: E731
    B = {"bfgs": np.eye(5), "dfp": np.eye(5)}
    close = {"rel": 2e4 * backend.eps, "abs": 1e4 * backend.eps}
    for i, x in enumerate(points):
        whole = H + np.diag(x * x)
        B |= {"gd": np.eye(5), "known": 2.0 * H, "of x": np.diag(x * x)}
        after = dict(B)
        if i < 3:
            s, y = points[i + 1] - x, gradient(points[i + 1]) - gradient(x)
            after |= {"bfgs": bfgs(B["bfgs"], s, y), "dfp": dfp(B["dfp"], s, y)}
        for name in settings:
            row = found.of(name)[i]
            assert (row.point, row.n, row.exact, row.steps) == (i, 5, True, "points")
            off = B[name] - whole
            assert row.error == pytest.approx(np.linalg.norm(off) / np.linalg.norm(whole), **close)
            if i < 3:
                ratio = np.linalg.norm(off @ s) / np.linalg.norm(s)
                assert row.dennis_more == pytest.approx(ratio, **close)
                secant = np.linalg.norm(after[name] @ s - y) / np.linalg.norm(y)
                assert row.secant_error == pytest.approx(secant, **close)
                fall = -gradient(x) @ s - s @ B[name] @ s / 2.0
                assert row.model_reduction == pytest.approx(fall, rel=1e5 * backend.eps)
            else:
                assert np.isnan([row.dennis_more, row.secant_error, row.model_reduction]).all()
            w = np.linalg.eigvalsh(whole)
            assert row.hessian_condition == pytest.approx(w[-1] / w[0], rel=1e4 * backend.eps)
            pencil = np.linalg.eigvals(np.linalg.solve(B[name], whole)).real
            ends = row.preconditioned_least, row.preconditioned_largest
            assert ends == pytest.approx((pencil.min(), pencil.max()), rel=1e5 * backend.eps)
        B = after


def test_rules_by_their_own_formulas(rng, curved):
    H = curved
    fun, hessp = bowl(NumPy, H)
    points = list(rng.standard_normal((3, 5)))
    g = np.array([fun(x)[1] for x in points])
    v = 0.001 * (g[0] ** 2 * 0.999**2 + g[1] ** 2 * 0.999 + g[2] ** 2)
    c1, c2 = 1.0 - 0.9**3, 1.0 - 0.999**3
    expected = {
        "adam": c1 * (np.sqrt(v / c2) + 1e-8),
        "adagrad": np.sqrt((g**2).sum(axis=0)) + 1e-10,
        "rmsprop": np.sqrt(0.01 * (g**2 * 0.99 ** np.array([[2], [1], [0]])).sum(axis=0)) + 1e-8,
    }
    found = hessx.compare_hessians(
        fun, points[0], [*expected], jac=True, hessp=hessp, points=points
    )
    whole = H + np.diag(points[2] ** 2)
    for name, b in expected.items():
        error = np.linalg.norm(np.diag(b) - whole) / np.linalg.norm(whole)
        assert found.of(name)[2].error == pytest.approx(error, rel=1e-12), name
        assert found.of(name)[2].largest == pytest.approx(b.max(), rel=1e-12)


class NumPy:
    """A backend, for what is tested on one alone."""

    xp = np
    asarray = staticmethod(np.asarray)


@pytest.fixture
def model(rng):
    X = rng.standard_normal((60, 5))
    y = (X[:, 0] + 0.5 * rng.standard_normal(60) > 0.0) * 1.0
    return LogisticRegression(X, y, l2=1e-2)


def test_every_name_has_a_run_of_its_own(model):
    names = known_approximations()
    found = hessx.compare_hessians(model, np.zeros(6), names, iterations=6, every=3)
    assert found.names == names
    for name in names:
        rows = found.of(name)
        assert [row.point for row in rows][:2] == [0, 3]
        assert all(row.memory >= 0 and row.build > 0.0 for row in rows)
        assert np.isfinite([row.error for row in rows]).all(), name
    assert found.last("exact").error == 0.0
    assert found.last("newton").error < 1e-12
    assert found.last("newton").forcing < 1e-10  # the whole step
    assert [found.last(name).products for name in ("newton", "adahessian", "bfgs")] == [6, 1, 0]


def test_by_products_as_by_matrices(model):
    names = ["gd", "bfgs", "adam", "kfac", "jacobi"]
    both = [
        hessx.compare_hessians(
            model, np.zeros(6), names, iterations=8, every=8, dense=dense, probes=200, products=12
        )
        for dense in (6, 5)
    ]
    for name in names:
        for exact, drawn in zip(*(found.of(name) for found in both), strict=True):
            assert exact.exact
            assert not drawn.exact
            room = 4.0 * drawn.error_deviation + 1e-12
            assert drawn.error == pytest.approx(exact.error, abs=room)
            assert drawn.scaled_error == pytest.approx(exact.scaled_error, rel=0.1)
            assert drawn.step_error == pytest.approx(exact.step_error, rel=1e-10, nan_ok=True)
            for part in ("hessian_condition", "condition", "preconditioned_condition"):
                assert getattr(drawn, part) == pytest.approx(getattr(exact, part), rel=1e-6)
            assert drawn.definiteness == exact.definiteness


def test_many_variables_by_products():
    """Of diagonals in closed form; I ends a Lanczos process at once."""
    n = 400
    h = np.geomspace(1.0, 25.0, n)
    b = h * (1.0 + 0.5 * np.cos(np.arange(n)))
    given = {"identity": np.eye(n), "near": np.diag(b), "minus": -np.diag(b)}
    fun = lambda x: (h @ x**2 / 2.0, h * x)  # noqa: E731
    x = np.ones(n)
    found = hessx.compare_hessians(
        fun, x, given, jac=True, hessp=lambda x, v: h * v, points=[x], dense=0, products=80
    )
    for name, B in given.items():
        row, d = found.first(name), np.diag(B)
        # signs make the products of diagonals known without an error
        assert row.error == pytest.approx(np.linalg.norm(d - h) / np.linalg.norm(h), rel=1e-12)
        assert (row.least, row.largest) == pytest.approx((d.min(), d.max()), rel=0.02)
        assert row.hessian_condition == pytest.approx(25.0, rel=0.02)
        assert row.hessian_spectrum[8] == pytest.approx(5.0, rel=0.1)
        assert row.negative is None
    kinds = [found.first(name).definiteness for name in given]
    assert kinds == ["positive definite", "positive definite", "negative definite"]


def test_gauss_newton_of_squares(rng):
    A, b = rng.standard_normal((8, 3)), rng.standard_normal(8)
    squares = hessx.SumOfSquares(lambda x: np.exp(A @ x) - b, lambda x: np.exp(A @ x)[:, None] * A)
    x = 0.1 * rng.standard_normal(3)
    found = hessx.compare_hessians(squares, x, "gauss-newton", points=[x]).first("gauss-newton")
    e = np.exp(A @ x)
    left_out = A.T @ (A * ((e - b) * e)[:, None])
    whole = A.T @ (A * (e * e)[:, None]) + left_out
    expected = np.linalg.norm(left_out) / np.linalg.norm(whole)
    assert found.error == pytest.approx(expected, rel=1e-5)  # H by differences


def test_an_indefinite_approximation_has_no_condition_beside_it():
    fun = lambda x: (x[0] ** 2 - x[1] ** 2, np.array([2.0, -2.0]) * x)  # noqa: E731
    found = hessx.compare_hessians(
        fun,
        np.ones(2),
        {"saddle": np.diag([2.0, -2.0])},
        jac=True,
        hess=lambda x: np.diag([2.0, -2.0]),
        points=[np.ones(2)],
    ).first("saddle")
    assert (found.error, found.definiteness, found.negative) == (0.0, "indefinite", 1)
    assert np.isnan(found.preconditioned_condition)


def test_what_is_not_finite_is_a_row_and_no_error():
    fun = lambda x: (x @ x, 2.0 * x)  # noqa: E731
    found = hessx.compare_hessians(
        fun,
        np.ones(2),
        {"nan": lambda x: x * np.nan * np.eye(2)},
        jac=True,
        hess=lambda x: 2.0 * np.eye(2),
        points=[np.ones(2)],
    ).first("nan")
    assert np.isnan(found.error)
    assert found.definiteness == "undecided"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"approximations": "bgfs"}, "unknown approximation 'bgfs': expected some of gd, exact"),
        ({"approximations": ["gd", "gd"]}, "approximations has gd twice"),
        ({"approximations": []}, "approximations is empty"),
        ({"approximations": hessx.PairPreconditioner()}, "learns from the solves"),
        ({"approximations": hessx.SignSGD()}, "SignSGD has no A"),
        ({"approximations": "kfac"}, "kfac is made of FACTORS, which fun does not offer"),
        ({"approximations": "layers"}, "layers is made of a model"),
        ({"approximations": "gauss-newton"}, "made of RESIDUAL, which fun does not offer"),
        ({"chain": ["newton"]}, "chain has 'newton': expected some of gd, bfgs, lbfgs"),
        ({"rates": {"adam": 1.0}}, "rates has 'adam': expected some of gd, bfgs, lbfgs"),
        ({"method": "gd", "points": [np.ones(2)]}, "points and method are both given"),
        ({"points": []}, "points is empty"),
        ({"points": [np.ones(3)]}, r"points\[0\] has 3 entries: expected 2"),
        ({"every": 0}, "every = 0"),
        ({"probes": 1}, "probes = 1"),
    ],
)
def test_bad_input(given, message):
    fun = lambda x: (x @ x, 2.0 * x)  # noqa: E731
    with pytest.raises(hessx.SettingsError, match=message):
        hessx.compare_hessians(fun, np.ones(2), jac=True, **given)


def test_a_model_has_its_derivatives(model):
    with pytest.raises(hessx.SettingsError, match="jac is given beside a model"):
        hessx.compare_hessians(model, np.zeros(6), jac=True)
