"""What both studies share: names, and the meter on every array library."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hessx
from hessx._xp import fetch
from hessx.study.backends import open_backend
from hessx.study.metering import Budget, BudgetSpentError, Meter
from hessx.study.methods import METHODS, find_method
from hessx.study.posed import Known, Posed
from hessx.study.problems import PROBLEMS
from hessx.study.records import Job
from hessx.study.worker import attempt


def quadratic(backend):
    d = backend.asarray([1.0, 3.0])
    x0 = backend.asarray([2.0, 1.0])
    return Posed(lambda x: (x @ (d * x) / 2.0, d * x), x0, lambda x: lambda v: d * v)


def test_the_meter_counts_on_every_library(backend):
    problem = quadratic(backend)
    meter, x = Meter(problem), problem.x0
    np.testing.assert_array_equal(backend.to_numpy(meter.fun(x)), 3.5)
    np.testing.assert_array_equal(backend.to_numpy(meter.grad(x)), [2.0, 3.0])
    assert (meter.fun_calls, meter.grad_calls, meter.evaluations) == (1, 1, 1)
    meter.fun_and_grad(2.0 * x)
    meter.fun_and_grad(0.5 * x)
    assert (meter.fun_calls, meter.grad_calls, meter.evaluations) == (3, 3, 3)
    assert meter.improvements == [(1, 3.5), (5, 0.875)]
    backend.assert_same_kind(meter.best_x, x)
    np.testing.assert_array_equal(backend.to_numpy(meter.best_x), [1.0, 0.5])
    np.testing.assert_array_equal(backend.to_numpy(meter.hess(x)(x)), [2.0, 3.0])
    np.testing.assert_array_equal(backend.to_numpy(meter.hessp(x, x)), [2.0, 3.0])
    np.testing.assert_array_equal(backend.to_numpy(meter.dense(x)), [[1.0, 0.0], [0.0, 3.0]])
    assert (meter.products, meter.cost) == (4, 10)
    bounded = Meter(Posed(problem.fun, x, problem.hess, bounds=[(-1.0, 1.0), (0.75, np.inf)]))
    for t in (1.0, 0.25, 0.5, 0.0):
        bounded.fun(x * backend.asarray([t, 1.0]))
    assert bounded.improvements == [(2, 1.625), (4, 1.5)], "the first is outside, the third worse"


@pytest.mark.backends("fakegpu")
def test_a_meter_that_keeps_no_best_never_waits(backend):
    problem = quadratic(backend)
    meter = Meter(problem, Budget(calls=4, products=1), keep_best=False)
    with backend.meter.forbid_waits(fetch):
        meter.fun_and_grad(problem.x0)
        meter.fun_and_grad(problem.x0)
        product = meter.hess(problem.x0)
        product(problem.x0)
        with pytest.raises(BudgetSpentError):
            meter.fun_and_grad(problem.x0)
        with pytest.raises(BudgetSpentError):
            product(problem.x0)
    assert (meter.evaluations, meter.products, meter.improvements) == (2, 1, [])


REFUSED = {Known.ROWS: "needs rows", Known.PATTERN: "needs the pattern", None: "rank = 8"}


# a rate that is not looked for takes its time, and so does what JAX compiles
NAMES = [
    name
    for name, method in METHODS.items()
    if (method.rate is None or method.needs is Known.ROWS) and method.package != "optax"
]


@pytest.mark.parametrize("name", [*NAMES, "scipy:BFGS", "planted_methods:newton"])
def test_a_name_means_the_same_method_in_both_studies(name, planted, monkeypatch):
    pytest.importorskip("scipy")
    if name in METHODS and METHODS[name].missing:
        pytest.skip(METHODS[name].missing)
    from hessx.study.cutest import CutestProblem
    from hessx.study.cutest.runner import run

    posed = PROBLEMS["linear-regression"].pose(open_backend("numpy", "float64"))
    H = posed.hess(posed.x0).dense()
    posed = replace(posed, hess=lambda x: lambda v: H @ v)  # no diagonal: CUTEst tells none
    monkeypatch.setattr("hessx.study.worker.pose", lambda *names: posed)
    infinite = np.full(2, np.inf)
    problem = CutestProblem(
        "LINEAR", 2, posed.x0, -infinite, infinite, posed.fun, lambda x, p: posed.hess(x)(p)
    )
    row = attempt(Job("linear-regression", name, "numpy"), lambda: None)
    found = run(find_method(name), problem)
    method = METHODS.get(name, find_method("lbfgs"))
    if method.needs or method.smallest_n > 2:
        here = PROBLEMS["linear-regression"].known
        assert row.converged == (method.needs in here)
        assert row.converged or REFUSED[method.needs] in (row.message or row.exception)
        if method.needs:
            assert found is None, "of a CUTEst problem nothing more is known"
        return
    assert (row.evaluations, row.products) == (found.fun_calls, found.products)
    assert (row.value, row.grad_norm) == (found.fun, found.grad_norm)
    assert row.converged == found.success


@pytest.mark.parametrize(
    ("name", "problem", "products"),
    [
        ("lm", "brown-dennis", False),
        ("lm-cg", "brown-dennis", True),
        ("tssm", "brown-dennis", False),
    ],
)
def test_what_residuals_cost_is_counted(name, problem, products, monkeypatch):
    posed, seen = PROBLEMS[problem].pose(open_backend("numpy", "float64")), []
    residual = lambda x: seen.append(x) or posed.residual(x)  # noqa: E731
    monkeypatch.setattr("hessx.study.worker.pose", lambda *_: replace(posed, residual=residual))
    row = attempt(Job(problem, name, "numpy"), lambda: None)
    assert row.converged
    assert row.evaluations == row.curve.evaluation[-1] == len(seen)
    assert (row.products > 0) == products


def test_a_pattern_saves_products():
    rows = [
        attempt(Job("extended-rosenbrock", name, "numpy"), lambda: None)
        for name in ("sparse-newton", "ncg-sparse")
    ]
    for row in rows:
        assert row.converged
        assert row.products == 2 * row.iterations + 1, "two colours, and the check of the pattern"


def test_a_method_says_where_it_is_meant_to_run():
    pytest.importorskip("scipy")
    assert find_method("lbfgs").suits(10**6, "torch")
    assert not find_method("scipy-lbfgsb").suits(2, "torch")
    assert find_method("scipy:SLSQP").suits(200)
    assert not find_method("scipy:SLSQP").suits(201)
    assert not find_method("inverse-1").suits(2)
    assert find_method("inverse-1").suits(2, known=[Known.CONSTANT_HESSIAN])
    assert not find_method("adam").suits(2)
    assert find_method("adam").suits(2, known=[Known.ROWS])
    for name, needs in (("sparse-newton", Known.PATTERN), ("lm", Known.RESIDUAL)):
        assert not find_method(name).suits(200)
        assert find_method(name).suits(200, known=[needs])
    assert not find_method("low-rank").suits(7)
    for name in ("newton", "bfgs", "scipy-dogleg"):
        assert find_method(name).suits(1000), "CUTEst's large problems are not left out"


def test_every_name_of_hessx_is_found():
    for name in hessx.solvers.known_methods():
        assert find_method(name).name == name
    assert find_method("L-BFGS-B").name == "L-BFGS-B"


def test_a_composition_of_squares_needs_residuals(planted):
    assert find_method("planted_methods:squares").needs is Known.RESIDUAL
    assert find_method("planted_methods:newton").needs is None


def test_what_is_no_method_is_refused(planted):
    with pytest.raises(ValueError, match=r"unknown method 'nonsense': .*auto.*scipy:NAME"):
        find_method("nonsense")
    with pytest.raises(ValueError, match="planted_methods:number is a int"):
        find_method("planted_methods:number")


def test_the_seed_of_a_run_is_that_of_its_samples():
    pytest.importorskip("sklearn")
    posed, values = PROBLEMS["digits-linear"].pose(open_backend("numpy", "float64")), []
    for options in ({}, {"seed": 0}, {"seed": 1}, {"seed": 1}):
        solve = find_method("sgd").bind(Meter(posed), options)
        values.append(solve(gtol=0.0, seconds=60.0, iterations=1).fun)
    assert values[0] == values[1] != values[2] == values[3]
