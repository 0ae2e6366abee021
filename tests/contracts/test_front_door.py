"""The front door as SciPy has it: starts, arguments, callbacks, options, results."""

from __future__ import annotations

import time

import numpy as np
import pytest

import hessx
from _helpers.runs import bowl, chained_rosenbrock
from hessx import Outcome


def cosine(x):
    """Minimum -1 at pi."""
    return float(np.cos(x).sum()), -np.sin(x)


@pytest.mark.parametrize(
    ("x0", "shape"),
    [
        (3.0, (1,)),
        (3, (1,)),
        ([3.0, 2.5], (2,)),
        ((3, 2), (2,)),
        ([[3, 2, 4], [2.5, 3, 3]], (2, 3)),
        (np.array([3, 2]), (2,)),
        (np.array([[[3.0]], [[2.0]]]), (2, 1, 1)),
        (np.array(3.0), ()),
        (np.array([3, 2], dtype=np.uint8), (2,)),
    ],
)
@pytest.mark.parametrize("method", ["lbfgs", "cg", "gd"])
def test_starts_become_float64_arrays(x0, shape, method):
    seen = set()

    def fun(x):
        seen.add((type(x), x.dtype, x.shape))
        return cosine(x)

    result = hessx.minimize(fun, x0, jac=True, method=method)
    assert seen == {(np.ndarray, np.dtype("float64"), shape)}
    assert result.success
    assert result.x.shape == result.jac.shape == shape
    np.testing.assert_allclose(result.x, np.pi, atol=1e-4)


@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 2), (1, 4, 1)])
def test_any_shape_on_every_backend(backend, shape):
    x0 = backend.asarray(np.full(shape, 3.0))
    seen = set()

    def fun(x):
        seen.add(tuple(x.shape))
        return bowl(x)

    see, few = lambda x: seen.add(tuple(x.shape)), {"maxiter": 2}
    result = hessx.minimize(fun, x0, jac=True, callback=see, options=few)
    assert seen == {shape}
    backend.assert_same_kind(result.x, x0)
    backend.assert_same_kind(result.jac, x0)


@pytest.mark.parametrize("jac", ["separate", True, None, False, "2-point", "3-point"])
def test_arguments_reach_both_functions(jac):
    def value(x, centre, weight):
        return weight * float((x - centre) @ (x - centre))

    def gradient(x, centre, weight):
        return 2 * weight * (x - centre)

    def both(x, *args):
        return value(x, *args), gradient(x, *args)

    fun = both if jac is True else value
    args = (np.array([1.0, -2.0]), 3.0)
    result = hessx.minimize(fun, np.zeros(2), args, jac=gradient if jac == "separate" else jac)
    assert result.success
    np.testing.assert_allclose(result.x, args[0], atol=1e-5)


def test_one_argument_needs_no_tuple():
    result = hessx.minimize(lambda x, c: float((x[0] - c) ** 2), 0.0, 2.5)
    np.testing.assert_allclose(result.x, 2.5, atol=1e-5)


@pytest.mark.parametrize("form", ["result", "x", "positional result"])
def test_the_callback_takes_the_forms_of_scipys(backend, form):
    """What SciPy's own minimize hands to the same callback says which form is meant."""
    optimize = pytest.importorskip("scipy.optimize")
    got = []

    def with_result(intermediate_result):
        got.append(intermediate_result)

    def with_x(xk):
        got.append(xk)

    def keyword_only(*, intermediate_result):
        got.append(intermediate_result)

    callback = {"result": with_result, "x": with_x, "positional result": keyword_only}[form]
    start = np.array([3.0, 0.0])
    optimize.minimize(bowl, start, jac=True, method="L-BFGS-B", callback=callback)
    names = {"x", "fun"} if hasattr(got[0], "fun") else None
    got.clear()
    x0 = backend.asarray(start)
    result = hessx.minimize(bowl, x0, jac=True, callback=callback, options={"maxiter": 3})
    assert len(got) == result.nit
    if names is None:
        for x in got:
            backend.assert_same_kind(x, x0)
    else:
        for seen in got:
            assert names <= set(seen)
            backend.assert_same_kind(seen.x, x0)
            assert seen["fun"] == pytest.approx(float(bowl(seen.x)[0]), rel=8 * backend.eps)
    last = got[-1] if names is None else got[-1].x
    np.testing.assert_array_equal(backend.to_numpy(last), backend.to_numpy(result.x))


def test_a_callback_that_stops():
    got = []

    def stop(xk):
        got.append(xk)
        if len(got) == 2:
            raise StopIteration

    result = hessx.minimize(bowl, np.array([3.0, -2.0, 9.0]), jac=True, callback=stop)
    assert result.outcome is Outcome.STOPPED_BY_USER
    assert (result.success, result.status, result.nit) == (False, 99, 2)
    np.testing.assert_array_equal(result.x, got[-1])


def test_an_exception_of_the_callback_passes():
    def broken(xk):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        hessx.minimize(bowl, np.zeros(2), jac=True, callback=broken)


@pytest.mark.parametrize("jac", [True, "separate", "3-point"])
def test_maximize(backend, xp, jac):
    """3 - bowl: its largest value is 3, at ones."""
    values = []

    def both(x):
        value, grad = bowl(x)
        return 3.0 - value, -grad

    fun = both if jac is True else lambda x: both(x)[0]
    result = hessx.minimize(
        fun,
        backend.asarray([2.0, 0.5]),
        jac=(lambda x: both(x)[1]) if jac == "separate" else jac,
        maximize=True,
        history=True,
        callback=lambda intermediate_result: values.append(intermediate_result.fun),
        options={"gtol": 1e-2},
    )
    assert result.success
    x = backend.to_numpy(result.x)
    np.testing.assert_allclose(x, 1.0, atol=2e-2)
    assert abs(result.fun - 3.0) <= 1e-3
    assert (x - 1.0) @ backend.to_numpy(result.jac) <= 0.0  # uphill is towards ones
    assert values == result.history["value"][1:]
    assert values == sorted(values)


def test_time_is_limited():
    def slow(x):
        time.sleep(0.002)
        return bowl(x)

    options = {"gtol": 0.0}
    method = hessx.LineSearchMethod(hessx.Identity(), hessx.FixedStep(1e-3))
    result = hessx.minimize(
        slow, np.zeros(3), jac=True, method=method, max_seconds=0.05, options=options
    )
    assert result.outcome is Outcome.LIMIT_TIME
    assert 2 <= result.nfev <= 26
    assert "limit 0.05 s" in result.message


@pytest.mark.parametrize("norm", [2, np.inf])
def test_the_norm_of_the_gradient_test(norm):
    weights = np.linspace(1.0, 2.0, 50)
    result = hessx.minimize(
        lambda x: (weights * x @ x / 2, weights * x),
        np.ones(50),
        jac=True,
        options={"norm": norm, "gtol": 1e-2},
    )
    assert result.success
    assert np.linalg.norm(weights * result.x, norm) <= 1e-2


def test_method_names_ignore_case_and_none_is_auto():
    x0 = np.array([3.0, -2.0, 9.0, 4.0, 0.5, -7.0])
    expected = hessx.minimize(bowl, x0, jac=True, method="lbfgs").x
    for name in ("LBFGS", "auto", "AUTO", None):
        np.testing.assert_array_equal(hessx.minimize(bowl, x0, jac=True, method=name).x, expected)
    ten = hessx.minimize(bowl, x0, jac=True, method="lbfgs", options={"maxcor": 10}).x
    for name in ("L-BFGS-B", "l-bfgs-b"):  # SciPy's name, SciPy's memory
        np.testing.assert_array_equal(hessx.minimize(bowl, x0, jac=True, method=name).x, ten)


def test_the_result_is_a_dict_with_attributes():
    result = hessx.minimize(bowl, np.zeros(2), jac=True)
    assert isinstance(result, dict)
    assert result["x"] is result.x
    expected = ["x", "fun", "jac", "nit", "nfev", "njev", "nhev", "success", "status", "message"]
    assert set(expected) <= set(result)
    assert set(result) <= set(dir(result))
    assert result.message.startswith("converged: gradient")
    with pytest.raises(AttributeError, match="no entry 'grad'; there are x, fun, jac"):
        result.grad  # noqa: B018
    for name in expected:
        assert name in repr(result)


def test_progress_shows_a_bar(capsys):
    hessx.minimize(bowl, np.zeros(2), jac=True, progress=True)
    shown = capsys.readouterr()
    assert "hessx" in shown.err
    assert "|g|" in shown.err
    assert shown.out == ""
    hessx.minimize(bowl, np.zeros(2), jac=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "composition"),
    [
        ("dfp", hessx.LineSearchMethod(hessx.DFP(), hessx.HagerZhang())),
        ("trust-bfgs", hessx.TrustRegionMethod(hessx.BFGS(), hessx.Dogleg())),
        ("trust-lbfgs", hessx.TrustRegionMethod(hessx.LBFGS(), hessx.Dogleg())),
    ],
)
def test_a_name_is_the_composition_of_the_guide(name, composition):
    """The usual line search for DFP, Powell's dogleg for B positive definite; A comes with it."""
    x0 = np.array([-1.2, 1.0, 0.8, 0.5])
    named, composed = (
        hessx.minimize(chained_rosenbrock, x0, jac=True, method=m) for m in (name, composition)
    )
    assert named.success and named.nfev == composed.nfev
    np.testing.assert_array_equal(named.x, composed.x)
    w = np.array([1.0, 3.0, 10.0, 30.0])
    result = hessx.minimize(
        lambda x: (w @ x**2 / 2.0, w * x), x0, jac=True, method=name, options={"gtol": 1e-10}
    )
    np.testing.assert_allclose(result.hess_inv @ w, np.ones(4), rtol=0.2)
