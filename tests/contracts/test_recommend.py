"""What `recommend` says in six situations, checked by running the alternatives.

Costs are counted.  What is timed is so by a clock of the tests' own.
"""

from __future__ import annotations

import contextlib
import math
from collections import Counter

import numpy as np
import pytest

import hessx
from _helpers.runs import bowl, chained_rosenbrock, matrix_of, product_of
from hessx._xp import record_fetches

FIRST_ORDER = ["lbfgs", "bfgs", "cg", "gd"]


class Clock:
    """Stands still but where a function says that it took its time."""

    now = 0.0

    def perf_counter(self):
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("hessx.solvers._survey.time", clock)
    return clock


def run_all(alternatives, run):
    """Cost by method; inf for those that do not get there."""
    return {method: run(method) for method in alternatives}


def test_tiny_and_dense():
    """A step of Newton's costs one Hessian, and saves more evaluations than that."""
    calls = Counter()
    of_hessian = matrix_of(chained_rosenbrock)

    def fun(x):
        calls["fun"] += 1
        return chained_rosenbrock(x)

    def hess(x):
        calls["hess"] += 1
        return of_hessian(x)

    x0 = np.array([-1.2, 1.0, 0.8])
    found = hessx.recommend(fun, x0, jac=True, hess=hess)
    assert found.best.name == "newton-cg" and found.situation.hessian == "matrix"
    assert calls == {"fun": 7, "hess": 1}

    def cost(method):
        calls.clear()
        result = hessx.minimize(fun, x0, jac=True, hess=hess, method=method)
        assert result.success and abs(result.x - 1.0).max() < 1e-3
        return calls["fun"] * 2 + calls["hess"]

    costs = run_all([*FIRST_ORDER, "trust-ncg", "newton", "trust-exact", "newton-cg"], cost)
    assert costs["newton-cg"] < min(costs[method] for method in FIRST_ORDER)
    assert costs["newton-cg"] < 1.4 * min(costs.values())


def test_large_and_sparse():
    """A matrix of three diagonals by three gradients: its factors solve each step."""
    n = 400
    weights = np.geomspace(1.0, 1e4, n)

    def chain(x):
        d = np.diff(x)
        g = weights * x * (1 + x**2) - 1
        g[1:] += 40 * d**3
        g[:-1] -= 40 * d**3
        return weights @ (x**2 / 2 + x**4 / 4) + 10 * (d**4).sum() - x.sum(), g

    pattern, x0 = hessx.Pattern.banded(n, 1), np.ones(n)
    found = hessx.recommend(chain, x0, jac=True, sparsity=pattern)
    assert found.best.name == "sparse-newton" and found.situation.colours == 3

    def string(x):
        d = np.diff(x)
        return x @ x + d @ d, 2 * x + 2 * np.append(0.0, d) - 2 * np.append(d, 0.0)

    probed = hessx.recommend(string, x0, jac=True, evaluations=150)
    assert "products by differences" in next(r.reason for r in probed if r.name == "newton-cg")
    assert probed.best.name == "sparse-newton" and probed.situation.pattern == pattern
    costs = run_all(
        [*FIRST_ORDER[:3], "newton-cg", "trust-ncg"],
        lambda m: hessx.minimize(chain, x0, jac=True, method=m).nfev,
    )
    result = found.run()
    assert result.success and result.nfev < min(costs.values()) / 5


def logistic(n, rows, seed=0):
    draw = np.random.default_rng(seed)
    A = draw.standard_normal((rows, n)) * np.geomspace(0.1, 1.0, n)
    y = np.sign(A @ draw.standard_normal(n) + draw.standard_normal(rows))

    def fun(x):
        z = y * (A @ x)
        return np.logaddexp(0.0, -z).mean() + 1e-5 * x @ x / 2, 1e-5 * x - A.T @ (
            y / (1 + np.exp(z))
        ) / rows

    def hessp(x, v):
        p = 1 / (1 + np.exp(A @ x))
        return A.T @ (p * (1 - p) * (A @ v)) / rows + 1e-5 * v

    return fun, hessp


def test_large_and_dense_with_products():
    """A product costs half of value and gradient: calls of f, of g and products are counted."""
    fun, hessp = logistic(200, 600)
    x0 = np.zeros(200)
    found = hessx.recommend(fun, x0, jac=True, hessp=hessp)
    assert found.best.name == "newton-cg" and found.situation.least > 0.0

    def cost(method):
        r = hessx.minimize(fun, x0, jac=True, hessp=hessp, method=method, tol=1e-8)
        return r.nfev + r.njev + r.counts.products if r.success else math.inf

    costs = run_all([*FIRST_ORDER[:3], "trust-ncg", "newton-cg"], cost)
    assert costs["newton-cg"] <= 1.2 * min(costs.values()), costs


def noisy_quadratic(seed, level=1e-2, n=20):
    draw, noise = np.random.default_rng(seed), np.random.default_rng(seed + 100)
    Q = np.linalg.qr(draw.standard_normal((n, n)))[0]
    A, solution = Q * np.geomspace(1.0, 100.0, n) @ Q.T, draw.standard_normal(n)
    size = level * np.linalg.norm(A @ solution) / math.sqrt(n)

    def true(x):
        return (x - solution) @ A @ (x - solution) / 2

    def fun(x):
        value = true(x) * (1 + level * noise.standard_normal())
        return value, A @ (x - solution) + size * noise.standard_normal(n)

    return fun, true


def test_noisy_gradients():
    """After 300 evaluations f itself is lower than by what does not know of the noise."""
    x0 = np.zeros(20)
    fun, _ = noisy_quadratic(0)
    found = hessx.recommend(fun, x0, jac=True)
    assert found.best.name == "lbfgs-average"
    assert 0.25e-2 < found.situation.noise < 4e-2
    assert 0.25e-2 < found.situation.grad_noise < 4e-2

    def left(method):
        logs = []
        for seed in range(4):
            fun, true = noisy_quadratic(seed)
            options = {"maxfun": 300, "max_products": 300}
            result = hessx.minimize(fun, x0, jac=True, method=method, options=options)
            logs.append(math.log(true(result.x) / true(x0)))
        return sum(logs) / len(logs)

    best = left(found.best.arguments["method"])
    others = run_all(["lbfgs", "bfgs", "cg", "gd", "newton-cg", "trust-ncg"], left)
    assert best < min(others.values()), (best, others)


@pytest.mark.backends("strict-no_float64")
def test_float32_on_a_device(backend):
    """Waits for the device, each as dear as an evaluation."""
    xp, rows, n = backend.xp, 120, 30
    draw = np.random.default_rng(0)
    A = backend.asarray(draw.standard_normal((rows, n)) * np.geomspace(0.1, 1.0, n))
    y = backend.asarray(np.sign(draw.standard_normal(rows)))

    def fun(x):
        z = y * (A @ x)
        loss = xp.mean(xp.log1p(xp.exp(-z)))
        return loss + x @ x * 5e-5, x * 1e-4 - A.T @ (y / (1 + xp.exp(z))) / rows

    x0 = backend.asarray(np.zeros(n))
    with record_fetches() as ledger:
        found = hessx.recommend(fun, x0, jac=True)
    situation = found.situation
    assert found.best.name == "lbfgs" and situation.dtype == "float32" and not situation.noisy
    assert situation.counts.values == 10 and ledger.fetches == 7 + 2 * 3

    def cost(method):
        with record_fetches() as ledger:
            result = hessx.minimize(fun, x0, jac=True, method=method)
        return ledger.fetches + result.nfev if result.success else math.inf

    costs = run_all([*FIRST_ORDER, "newton-cg", "trust-ncg", "trust-bfgs"], cost)
    assert costs["lbfgs"] <= 1.2 * min(costs.values()), costs

    def hessp(x, v):
        p = 1 / (1 + xp.exp(A @ x))
        return A.T @ (p * (1 - p) * (A @ v)) / rows + v * 1e-4

    def waits_and_products(**options):
        with record_fetches() as ledger:
            result = hessx.minimize(
                fun, x0, jac=True, hessp=hessp, method="newton-cg", options=options
            )
        assert result.success
        return ledger.fetches, result.counts.products

    found = hessx.recommend(fun, x0, jac=True, hessp=hessp)
    assert found.best.name == "newton-cg"
    waits, products = waits_and_products(**found.best.arguments["options"])
    usual_waits, usual_products = waits_and_products()
    assert waits < 0.6 * usual_waits and products < 1.6 * usual_products
    assert waits < costs["lbfgs"] / 2  # half of its cost are waits


def test_no_derivatives():
    """n + 1 values for each gradient."""
    x0 = np.tile([-1.2, 1.0], 5)
    found = hessx.recommend(lambda x: chained_rosenbrock(x)[0], x0)
    assert found.best.name == "lbfgs" and found.situation.counts.gradients == 0
    costs = run_all(
        [*FIRST_ORDER[:3], "trust-bfgs", "sr1"],
        lambda m: hessx.minimize(lambda x: chained_rosenbrock(x)[0], x0, method=m).nfev,
    )
    assert costs["lbfgs"] <= 1.2 * min(costs.values()), costs


# what is found out, everywhere and of everything


def test_it_looks_at_x0_on_every_library(backend):
    x0 = backend.asarray(np.linspace(0.5, 1.5, 7))
    with backend.fetches() if backend.counts_fetches else contextlib.nullcontext() as waits:
        found = hessx.recommend(bowl, x0, jac=True, hessp=product_of(bowl), memory=1e9)
    situation = found.situation
    counts = situation.counts
    assert (counts.values, counts.gradients, counts.products) == (7, 7, 3)
    if waits is not None:
        assert waits.count <= 7 + 2 * 3 + 1  # the signs go up
    assert (situation.n, situation.gradient, situation.hessian) == (7, "given", "products")
    assert situation.noise < 100 * backend.eps and situation.grad_noise < 100 * backend.eps
    assert found.best.name == "newton-cg"
    result = found.run(tol=1e-3)
    backend.assert_same_kind(result.x, like=x0)
    assert result.success


def test_curvature_lies_within_that_of_the_hessian():
    h = np.geomspace(1.0, 100.0, 12) * np.where(np.arange(12) == 4, -1.0, 1.0)
    found = hessx.recommend(
        lambda x: (x @ (h * x) / 2, h * x), np.ones(12), jac=True, hess=lambda x: np.diag(h)
    )
    situation = found.situation  # of a matrix products are free: as many as there are variables
    assert situation.least == pytest.approx(h.min()) and situation.largest == pytest.approx(h.max())
    assert "curves down" in found.best.reason


def test_sums_of_squares_and_finite_sums():
    A, b = np.vander(np.linspace(0, 1, 9), 3), np.linspace(1.0, 2.0, 9)
    squares = hessx.SumOfSquares(lambda x: (A @ x - b, A), jac=True)
    found = hessx.recommend(squares, np.zeros(3))
    assert found.best.name == "lm" and found.situation.m == 9
    assert found.situation.hessian == "differences"
    assert hessx.recommend(squares, np.zeros(3), evaluations=0).best.name == "lm"
    assert hessx.recommend(squares, np.zeros(1001), evaluations=0).best.name == "lm-cg"
    np.testing.assert_allclose(found.run(tol=1e-9).x, np.linalg.lstsq(A, b)[0], atol=1e-6)

    def mean(x, A, b):
        return (A @ x - b) @ (A @ x - b) / len(b) / 2, A.T @ (A @ x - b) / len(b)

    found = hessx.recommend(hessx.FiniteSum(mean, (A, b), jac=True), np.zeros(3))
    assert found.situation.N == 9 and found[-1].name == "svrg"
    assert found.run(options={"maxiter": 50}).success


def test_a_sparse_matrix_is_noticed():
    sparse = pytest.importorskip("scipy.sparse")
    n = 50
    T = sparse.diags([-1.0, 2.5, -1.0], [-1, 0, 1], shape=(n, n)).tocsr()
    found = hessx.recommend(
        lambda x: (x @ (T @ x) / 2 - x.sum(), T @ x - 1), np.ones(n), jac=True, hess=lambda x: T
    )
    assert found.situation.hessian == "sparse" and found.situation.colours == 3
    result = found.run()
    np.testing.assert_allclose(result.x, np.linalg.solve(T.toarray(), np.ones(n)), rtol=1e-5)


def test_noisy_values_without_derivatives_take_longer_steps():
    """Steps of eps^(1/2) drown in noise of 1e-5, those of its root do not."""
    x0 = np.full(6, 2.0)

    def noisy(seed):
        draw = np.random.default_rng(seed)
        return lambda x: (1.0 + (x - 1.0) @ (x - 1.0)) * (1.0 + 1e-5 * draw.standard_normal())

    found = hessx.recommend(noisy(0), x0)
    assert 0.25e-5 < found.situation.noise < 4e-5
    assert found.best.name == "lbfgs-average"
    assert found.best.arguments["options"]["finite_diff_rel_step"] == found.situation.noise**0.5
    options = {"maxfun": 400}
    known = [hessx.recommend(noisy(s), x0).run(options=options).x - 1.0 for s in range(3)]
    unknown = [hessx.minimize(noisy(s), x0, options=options).x - 1.0 for s in range(3)]
    assert np.abs(known).max() < 0.05 < np.abs(unknown).max()


# what it costs, and what it says


def test_the_budget_is_kept():
    for evaluations in (0, 1, 4, 9, 10, 25):
        calls = Counter()

        def fun(x):
            calls["fun"] += 1  # noqa: B023
            return bowl(x)

        counts = hessx.recommend(fun, np.ones(8), jac=True, evaluations=evaluations)
        assert calls["fun"] == counts.situation.counts.values <= evaluations
    assert hessx.recommend(bowl, np.ones(8), jac=True, evaluations=0).best.name == "lbfgs"


@pytest.mark.parametrize(
    ("seconds", "share", "first"),
    [(1.0, 0.3, "newton-cg"), (1.0, 3.0, "lbfgs"), (1e-5, 3.0, "newton-cg")],
)
def test_dear_products_go_last(clock, seconds, share, first):
    """Unless all is over before a step of the solver's own is."""

    def fun(x):
        clock.now += seconds
        return bowl(x)

    def hessp(x, v):
        clock.now += share * seconds
        return product_of(bowl)(x, v)

    found = hessx.recommend(fun, np.ones(9), jac=True, hessp=hessp)
    assert found.best.name == first
    assert found.situation.product_cost == pytest.approx(share)
    assert ("cheaper" in found.best.reason) == (first == "lbfgs")


def test_the_time_is_kept(clock):
    def fun(x):
        clock.now += 1.0
        return chained_rosenbrock(x)

    for seconds, values, products in ((3.5, 4, 0), (7.5, 8, 1), (99.0, 10, 3)):
        found = hessx.recommend(fun, np.linspace(0.0, 1.0, 9), jac=True, seconds=seconds)
        counts = found.situation.counts
        assert (counts.values, counts.products) == (values, products)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_trouble_at_x0_is_no_error(bad):
    found = hessx.recommend(lambda x: (bad, x * bad), np.ones(9), jac=True)
    assert found.best.name == "lbfgs"
    assert np.isnan([found.situation.noise, found.situation.least]).all()


def test_what_does_not_fit_into_memory_is_left_out():
    found = hessx.recommend(bowl, np.ones(1000), jac=True, memory=16e6)
    assert "bfgs" in [a.name for a in found.left_out] and found.best.name == "lbfgs"
    ample = hessx.recommend(bowl, np.ones(1000), jac=True, memory=1e9)
    assert ample[1].name == "bfgs"
    assert hessx.recommend(bowl, np.ones(1000), jac=True, memory=1.0).best.name == "cg"


def test_rows_ranks_and_words():
    found = hessx.recommend(lambda x: bowl(x)[0], np.ones(3), memory=1e9)
    assert [row["rank"] for row in found.rows] == [1, 2, 3, None]
    assert found.rows[-1]["method"] == "newton-cg" and not found.rows[-1]["suited"]
    text = str(found)
    assert text.startswith("recommended: bfgs\n  1. bfgs: values alone, 3 + 1 for each gradient")
    assert "not newton-cg: products need hessp, hess, or a gradient" in text
    assert "variables: 3, float64, numpy on cpu" in text and text.endswith("0 products")
    assert found[0].arguments["method"] == "bfgs" and len(found[:2]) == 2


@pytest.mark.parametrize("rank", range(4))
def test_the_arguments_are_those_of_minimize(rank):
    x0 = np.array([1.5, -2.0, 0.5, 3.0, 1.0, 2.0])
    given = {"jac": True, "x_scale": 2.0}
    found = hessx.recommend(chained_rosenbrock, x0, **given)
    result = hessx.minimize(chained_rosenbrock, x0, **found[rank].arguments)
    assert result.success


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"evaluations": -1}, "evaluations = -1: expected an integer"),
        ({"evaluations": 2.5}, "evaluations = 2.5"),
        ({"seconds": 0.0}, "seconds = 0.0: expected a number in"),
        ({"memory": -1.0}, "memory = -1.0"),
        ({"seed": "x"}, "seed = 'x'"),
        ({"jac": "4-point"}, "jac = '4-point'"),
        ({"x_scale": -1.0}, "x_scale = -1.0: expected a number in"),
        ({"x_scale": np.ones(3)}, "x_scale has 3 entries: expected 2"),
    ],
)
def test_what_cannot_be_meant(changes, words):
    with pytest.raises(ValueError, match=words):
        hessx.recommend(bowl, np.ones(2), **({"jac": True} | changes))


def test_an_approximation_is_no_hessian():
    with pytest.raises(TypeError, match="hess is SR1\\(\\), which is part of a method"):
        hessx.recommend(bowl, np.ones(2), jac=True, hess=hessx.SR1())


@pytest.mark.parametrize("jac", [True, None])
def test_a_start_that_is_not_finite_is_said(jac):
    start = lambda x: (math.nan, x) if jac else math.nan  # noqa: E731
    assert "x0: value or gradient is not finite" in str(hessx.recommend(start, np.ones(2), jac=jac))
    assert "not finite" not in str(hessx.recommend(bowl, np.ones(2), jac=True))


def test_products_by_differences_are_not_called_given():
    pattern = np.eye(9)
    found = hessx.recommend(lambda x: (x @ x, 2 * x), np.ones(9), jac=True, sparsity=pattern)
    words = str(found)
    assert found.best.name == "sparse-newton" and "one product makes it" in found.best.reason
    assert "newton-cg: products by differences of gradients" in words
    assert "products with the Hessian are given" not in words and "9 entries, 1 colour\n" in words
