"""Products with the Hessian that cannot be meant, and products in trouble."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.runs import PRODUCTS, bowl, chained_rosenbrock
from _helpers.solvers import NEWTON, SAMPLED
from hessx import Outcome

START = np.array([-1.2, 1.0, 0.8, 0.5, 1.5, 0.0])
EAGER = ("numpy", "strict", "torch", "fakegpu", "jax-float32", "cupy-signatures", "cupy")
each = pytest.mark.parametrize("name", [name for name in NEWTON if "jacobi" not in name])


every = pytest.mark.parametrize(
    "name", [*(name for name in NEWTON if "jacobi" not in name), *SAMPLED]
)


def run(backend, name="trust", fun=bowl, **settings):
    x0 = backend.asarray([3.0, -2.0, 0.5])
    return hessx.minimize(fun, x0, jac=True, method=NEWTON[name], **settings)


def other_library(backend):
    """An array of a library that is not the backend's, and does not turn into NumPy's by itself."""
    if backend.family == "numpy":
        strict = pytest.importorskip("array_api_strict")
        return lambda a: strict.asarray(a, device=strict.Device("device1"))
    return np.asarray


@each
@pytest.mark.parametrize("form", ["hessp", "hess"])
def test_products_of_another_shape_or_kind(backend, xp, name, form):
    other = {"float64": "float32", "float32": "int32"}[backend.dtype_name]
    elsewhere = other_library(backend)
    cases = [
        (lambda v: v[:1], ValueError, r"shape \(1,\).*expected \(3,\)"),
        (lambda v: xp.sum(v), ValueError, r"shape \(\)"),
        (lambda v: None, TypeError, "NoneType"),
        (lambda v: elsewhere([1.0, 2.0, 3.0]), TypeError, "expected"),
    ]
    if backend.family == "numpy":
        cases += [
            (lambda v: [1.0, 2.0], ValueError, r"shape \(2,\)"),
            (lambda v: v + 1j, TypeError, "complex"),
            (lambda v: 1.0, ValueError, r"shape \(\)"),
        ]
    else:
        cases += [
            (lambda v: v[None, :], ValueError, r"shape \(1, 3\).*expected \(3,\)"),
            (lambda v: xp.astype(v, getattr(xp, other)), TypeError, other),
            (lambda v: [1.0, 2.0, 3.0], TypeError, "list"),
            (lambda v: 1.0, TypeError, "float"),
        ]
    for product, error, words in cases:
        given = {"hessp": lambda x, v, product=product: product(v)}
        if form == "hess":
            given = {"hess": lambda x, product=product: product}
        with pytest.raises(error, match=words):
            run(backend, name, **given)


@pytest.mark.parametrize("method", ["newton-cg", "trust-ncg"])
def test_matrices_of_another_shape_or_kind(backend, xp, method):
    x0, eye = backend.asarray([3.0, -2.0, 0.5]), backend.asarray(np.eye(3))
    elsewhere = other_library(backend)
    for hess, error, words in [
        (eye[:, :2], ValueError, r"hess\(x\) has shape \(3, 2\): expected \(3, 3\)"),
        (eye[0, :], ValueError, r"hess\(x\) has shape \(3,\)"),
        (None, TypeError, r"hess\(x\).*NoneType"),
        (1.0, (TypeError, ValueError), r"hess\(x\) (is a float|has shape \(\))"),
        (elsewhere(np.eye(3)), TypeError, "expected"),
    ]:
        with pytest.raises(error, match=words):
            hessx.minimize(bowl, x0, jac=True, method=method, hess=lambda x, hess=hess: hess)


@pytest.mark.backends("strict-device1", "fakegpu")
def test_products_on_another_device(backend, xp):
    elsewhere = xp.asarray([1.0, 2.0, 3.0], dtype=backend.dtype)
    with pytest.raises(ValueError, match=r"device .*, expected"):
        run(backend, hessp=lambda x, v: elsewhere)


def test_what_must_be_callable():
    for given, words in [
        ({"hess": "exact"}, "hess.*'exact'|hess is a str"),
        ({"hess": 3.0}, "hess"),
        ({"hessp": 1.0}, "hessp is a float: expected a callable"),
    ]:
        for method in ("newton-cg", "trust-ncg"):
            with pytest.raises((TypeError, ValueError), match=words):
                hessx.minimize(bowl, np.ones(3), jac=True, method=method, **given)


@pytest.mark.parametrize("method", ["newton-cg", "trust-ncg"])
def test_without_a_gradient_there_is_nothing_to_form_products_from(method):
    with pytest.raises(ValueError, match="give hessp or hess, or jac"):
        hessx.minimize(lambda x: bowl(x)[0], np.zeros(3), method=method)


@pytest.mark.parametrize("method", ["newton-cg", "trust-ncg"])
def test_jacobi_asks_for_a_diagonal(method):
    with pytest.raises(ValueError, match=r"Jacobi needs the diagonal.*hess"):
        hessx.minimize(
            bowl, np.zeros(3), jac=True, hessp=PRODUCTS[bowl], method=method,
            options={"preconditioner": "jacobi"},
        )  # fmt: skip


class OwnError(Exception):
    """Raised by the user's function."""


@each
@pytest.mark.parametrize("call", [1, 2, 7])
@pytest.mark.backends(*EAGER)
def test_an_exception_of_hessp_passes_after_observers_saw_the_last_state(backend, name, call):
    seen, calls, raised, closed = [], [], OwnError("mine"), []

    def hessp(x, v):
        calls.append(backend.to_numpy(x))
        if len(calls) == call:
            raise raised
        return PRODUCTS[chained_rosenbrock](x, v)

    x0 = backend.asarray(START)
    with pytest.raises(OwnError) as caught:
        hessx.minimize(
            chained_rosenbrock, x0, jac=True, hessp=hessp, method=NEWTON[name],
            callback=lambda x: seen.append(backend.to_numpy(x)),
        )  # fmt: skip
    assert caught.value is raised
    last = seen[-1] if seen else START.astype(backend.dtype_name)
    np.testing.assert_array_equal(calls[-1], last)
    assert not closed


@every
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("good", [0, 1, 5])
@pytest.mark.backends(*EAGER)
def test_products_that_turn_bad_give_the_best_point(backend, name, bad, good):
    evaluated, calls = [], []

    def fun(x):
        value, grad = chained_rosenbrock(x)
        evaluated.append((float(value), backend.to_numpy(x)))
        return value, grad

    def hessp(x, v):
        calls.append(1)
        return PRODUCTS[chained_rosenbrock](x, v) * (bad if len(calls) > good else 1.0)

    x0 = backend.asarray(START)
    with np.errstate(invalid="ignore", over="ignore"):
        result = hessx.minimize(
            fun, x0, jac=True, hessp=hessp, method=(NEWTON | SAMPLED)[name], options={"gtol": 1e-12}
        )
    assert result.outcome is Outcome.FAILED_NONFINITE
    assert (result.success, result.status) == (False, 3)
    value, x = min(evaluated, key=lambda e: e[0])
    assert result.fun == value
    np.testing.assert_array_equal(backend.to_numpy(result.x), x)
    assert np.isfinite(backend.to_numpy(result.jac)).all()


@each
@pytest.mark.parametrize("skew", [0.1, 1.0, 10.0])
def test_an_unsymmetric_operator_is_survived(name, skew):
    """H + skew K with K' = -K: p'Hp is as before, the recurrences are not; no false success."""
    K = np.triu(np.ones((6, 6)), 1)
    K = K - K.T

    def hessp(x, v):
        return PRODUCTS[chained_rosenbrock](x, v) + skew * (K @ v)

    result = hessx.minimize(
        chained_rosenbrock, START, jac=True, hessp=hessp, method=NEWTON[name],
        options={"maxiter": 200},
    )  # fmt: skip
    assert result.fun <= chained_rosenbrock(START)[0]
    value, grad = chained_rosenbrock(result.x)
    assert result.fun == value
    assert result.success == bool(abs(grad).max() <= 1e-5)


@each
@pytest.mark.parametrize("wrong", ["negated", "zero", "huge", "random"])
def test_products_that_say_nothing_true(name, wrong):
    rng = np.random.default_rng(2)
    make = {
        "negated": lambda x, v: -PRODUCTS[bowl](x, v),
        "zero": lambda x, v: 0.0 * v,
        "huge": lambda x, v: 1e200 * v,
        "random": lambda x, v: rng.standard_normal(v.shape),
    }
    with np.errstate(all="ignore"):
        result = hessx.minimize(
            bowl, np.array([3.0, -2.0, 0.5]), jac=True, hessp=make[wrong], method=NEWTON[name],
            options={"maxiter": 300},
        )  # fmt: skip
    value, grad = bowl(result.x)
    assert result.fun == value <= bowl(np.array([3.0, -2.0, 0.5]))[0]
    assert result.success == bool(abs(grad).max() <= 1e-5)
