"""What is said of approximations beside matrices that are written out."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx._xp import record_fetches
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


@pytest.mark.parametrize("name", ["bfgs", "dfp", "lbfgs", "spectral"])
def test_what_is_learnt_is_what_the_run_has_learnt(model, name):
    loss, options = hessx.FiniteSum(model), {"maxiter": 7}
    kind = {"bfgs": hessx.BFGS, "dfp": hessx.DFP, "lbfgs": hessx.LBFGS, "spectral": hessx.Spectral}
    method = hessx.LineSearchMethod(kind[name](), hessx.HagerZhang())
    A = hessx.minimize(loss, np.zeros(6), method=method, options=options).hess_inv
    A = A if isinstance(A, np.ndarray) else A @ np.eye(6)
    w = 1.0 / np.linalg.eigvalsh(A)
    row = hessx.compare_hessians(model, np.zeros(6), name, iterations=7).of(name)[-1]
    assert row.point == 7
    assert (row.least, row.largest) == pytest.approx((w.min(), w.max()), rel=1e-7)


@pytest.mark.parametrize("method", ["adam", "gd", hessx.TrustRegionMethod(hessx.SR1())])
def test_all_learn_from_the_steps_of_one_method(model, method):
    found = hessx.compare_hessians(
        model, np.zeros(6), ["bfgs", "kfac"], method=method, iterations=8, every=4
    )
    name = method if isinstance(method, str) else "TrustRegionMethod"
    assert {row.steps for row in found.rows} == {name}
    assert [row.point for row in found.rows] == [0, 4, 8, 0, 4, 8]
    values = [[row.value for row in found.of(which)] for which in found.names]
    assert values[0] == values[1]


def test_fetches_do_not_grow_with_the_variables():
    counts = []
    for n in (5, 40):
        h = np.linspace(1.0, 4.0, n)
        points = [np.ones(n), np.linspace(0.0, 1.0, n), np.zeros(n)]
        with record_fetches() as ledger:
            hessx.compare_hessians(
                lambda x, h=h: (h @ x**2 / 2.0, h * x),
                points[0], ["gd", "bfgs", "adam"], jac=True, hess=lambda x, h=h: np.diag(h),
                points=points,
            )  # fmt: skip
        counts.append(ledger.fetches)
    assert counts[0] == counts[1]


def test_memory_is_that_of_the_arrays(model):
    names = ["gd", "bfgs", "adam", "rmsprop", "diagonal"]
    found = hessx.compare_hessians(model, np.zeros(6), names, iterations=2)
    numbers = {"gd": 0, "bfgs": 2 * 36, "adam": 2 * 6, "rmsprop": 6, "diagonal": 6}
    assert {name: found.last(name).memory // 8 for name in names} == numbers


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


def test_rules_learn_from_batches_as_in_their_runs(model):
    sum_of = hessx.FiniteSum(model)
    found = hessx.compare_hessians(
        sum_of, np.zeros(6), ["adam", "adahessian", "bfgs"], batch_size=16, iterations=7
    )
    # the second moments are those of the run that the method makes
    points = hessx.minimize(
        hessx.FiniteSum(model), np.zeros(6), method=hessx.StochasticMethod(
            hessx.Adam(), 0.01, batch_size=16, steps=7, report=hessx.Report(every=1)
        ), options={"return_all": True},
    ).allvecs  # fmt: skip
    v = np.zeros(6)
    for t, x in enumerate(points[:8]):
        epoch, i = divmod(t, 4)
        rows = hessx.Sample(hessx.Shuffled(), epoch, 16 * i, min(16 * (i + 1), 60))
        _, g = hessx.FiniteSum(model)(x, rows)
        v = 0.999 * v + 0.001 * g * g
        b = (1.0 - 0.9 ** (t + 1)) * (np.sqrt(v / (1.0 - 0.999 ** (t + 1))) + 1e-8)
        assert found.of("adam")[t].largest == pytest.approx(b.max(), rel=1e-10)
    whole = hessx.compare_hessians(model, np.zeros(6), ["adahessian", "bfgs"], iterations=7)
    assert found.last("bfgs").error == whole.last("bfgs").error
    assert found.last("adahessian").error != whole.last("adahessian").error


def test_blocks_by_products_as_by_matrices(rng):
    h, b = np.geomspace(1.0, 9.0, 12), np.linspace(1.0, 4.0, 12)
    R = 0.2 * rng.standard_normal((12, 12))
    H = np.diag(h) + R + R.T

    def fun(x):
        flat = np.concatenate([x["u"].ravel(), x["v"]])
        g = H @ flat
        return flat @ g / 2.0, {"u": g[:6].reshape(2, 3), "v": g[6:]}

    x = {"u": np.ones((2, 3)), "v": np.ones(6)}
    exact, drawn = (
        hessx.compare_hessians(
            fun, x, {"near": np.diag(b)}, jac=True, points=[x],
            hess=lambda x: lambda v: H @ v, dense=dense, probes=2000, products=12,
        )
        for dense in (12, 0)
    )  # fmt: skip
    assert [row.block for row in exact.rows] == ["", "u", "v", "between"]
    spans = {"u": np.s_[:6, :6], "v": np.s_[6:, 6:]}
    for by_matrix, by_products in zip(exact.rows, drawn.rows, strict=True):
        assert by_products.block == by_matrix.block
        assert by_products.n == by_matrix.n
        room = 4.0 * by_products.error_deviation + 1e-12
        assert by_products.error == pytest.approx(by_matrix.error, abs=room)
        assert by_products.scaled_error == pytest.approx(by_matrix.scaled_error, rel=0.05)
        if by_matrix.block in spans:
            part = H[spans[by_matrix.block]]
            off = np.diag(b)[spans[by_matrix.block]] - part
            expected = np.linalg.norm(off) / np.linalg.norm(part)
            assert by_matrix.error == pytest.approx(expected, rel=1e-12)
    assert exact.of("near", "between")[0].error == pytest.approx(1.0)  # a diagonal has none of it


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


class Reciprocal(hessx.Approximation):
    """Of which B^-1 = diag(d) alone is known."""

    offers = hessx.Offer.SOLVE
    learns = hessx.Learns.NOTHING

    def __init__(self, d):
        self.d = d

    def begin(self, frame):
        return ReciprocalCurvature(self.d)


class ReciprocalCurvature(hessx.Curvature):
    def __init__(self, d):
        self.d = d

    def solve(self, v):
        return v * self.d


def test_where_only_the_inverse_is_known():
    fun = lambda x: (x @ x, 2.0 * x)  # noqa: E731
    given = {"half": Reciprocal(np.array([2.0, 0.5])), "singular": Reciprocal(np.zeros(2))}
    points = [np.ones(2), np.zeros(2)]
    found = hessx.compare_hessians(
        fun, points[0], given, jac=True, hess=lambda x: 2.0 * np.eye(2), points=points
    )
    row = found.first("half")  # B = diag(1/2, 2) beside diag(2, 2)
    assert row.error == pytest.approx(1.5 / np.sqrt(8.0))
    assert row.step_error == pytest.approx(1.5 / np.sqrt(8.0))
    assert row.secant_error == pytest.approx(1.5 / np.sqrt(8.0))
    assert row.preconditioned_condition == pytest.approx(4.0)
    assert np.isnan(found.first("singular").error)


def test_a_run_that_leads_away_gives_rows():
    fun = lambda x: (np.exp(x).sum() + x @ x, np.exp(x) + 2.0 * x)  # noqa: E731
    with np.errstate(over="ignore"):
        found = hessx.compare_hessians(
            fun, np.ones(2), "adagrad", jac=True, hess=lambda x: np.diag(np.exp(x) + 2.0),
            rates={"adagrad": 1e3}, iterations=5,
        )  # fmt: skip
    assert found.first("adagrad").error > 0.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"approximations": "bgfs"}, "unknown approximation 'bgfs': expected some of gd, exact"),
        ({"approximations": ["gd", "gd"]}, "approximations has gd twice"),
        ({"approximations": []}, "approximations is empty"),
        ({"approximations": 3}, "approximations is a int: expected names"),
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
        ({"batch_size": 8}, "batch_size = 8, and fun is no finite sum"),
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
