"""What users of NumPy return and give, in every form that SciPy takes."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import hessx
from _helpers.numpy_forms import FORMS, Series

optimize = pytest.importorskip("scipy.optimize")

H = np.array([[4.0, 1.0, 0.0], [1.0, 10.0, 2.0], [0.0, 2.0, 30.0]])
B = np.array([1.0, -2.0, 3.0])
VECTORS = FORMS | {
    "column": lambda a: a[:, None],
    "row": lambda a: a[None, :],
    "column of the shape (n, 1, 1)": lambda a: a[:, None, None],
    "column of a list": lambda a: [[b] for b in a],
    "np.matrix column": lambda a: a[:, None].view(np.matrix),
}
EXACT = [name for name in VECTORS if name not in ("integers", "float32")]
NUMBERS = {
    "list": lambda f: [f],
    "nested list": lambda f: [[f]],
    "array of one": lambda f: np.array([f]),
    "array of one, float32": lambda f: np.array([[f]], np.float32),
    "0-d": np.array,
    "longdouble": np.longdouble,
    "float16": np.float16,
    "np.matrix": lambda f: np.array([[f]]).view(np.matrix),
    "Series": lambda f: Series([f]),
    "big-endian": lambda f: np.array(f, ">f8"),
    "fraction": lambda f: FORMS["fractions"](np.array(f)),
    "torch": lambda f: pytest.importorskip("torch").tensor(f),
}


def value(x):
    return float(x @ H @ x / 2 - B @ x)


def grad(x):
    return H @ x - B


@pytest.mark.parametrize("form", EXACT)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gradients(form, dtype):
    """The run is that of the plain gradient, bitwise."""
    x0, make = np.ones(3, dtype), VECTORS[form]
    plain = hessx.minimize(lambda x: (value(x), grad(x).astype(x.dtype)), x0, jac=True)
    for jac in (True, lambda x: make(grad(x).astype(x.dtype))):
        fun = value if callable(jac) else lambda x: (value(x), make(grad(x).astype(x.dtype)))
        result = hessx.minimize(fun, x0, jac=jac)
        assert result.success and result.nfev == plain.nfev
        assert (result.x.dtype, result.jac.dtype) == (dtype, dtype)
        np.testing.assert_array_equal(result.x, plain.x)


@pytest.mark.parametrize("form", ["list", "Series", "big-endian", "longdouble"])
@pytest.mark.parametrize("method", ["L-BFGS-B", "CG", "Newton-CG", "trust-ncg", "trust-krylov"])
def test_gradients_and_products_as_scipy_takes_them(form, method):
    make, given = VECTORS[form], {}
    if method not in ("L-BFGS-B", "CG"):
        given["hess"] = lambda x: H.tolist()
    for minimize in (optimize.minimize, hessx.minimize):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = minimize(
                value, np.ones(3), jac=lambda x: make(grad(x)), method=method, tol=1e-8, **given
            )
        assert result.success or minimize is optimize.minimize
        np.testing.assert_allclose(result.x, np.linalg.solve(H, B), atol=1e-6)


def test_integers_and_narrow_floats_lose_what_they_lose():
    """Rounded gradients lead where their values lead, in x's dtype."""
    for form in ("integers", "float32"):
        result = hessx.minimize(
            lambda x, form=form: (value(x), VECTORS[form](np.round(grad(x)))), np.ones(3), jac=True
        )
        assert result.jac.dtype == result.x.dtype == np.float64


@pytest.mark.parametrize("number", [3, 2.0, [3.0], np.float32(2.0), np.array(3), np.array([[2]])])
@pytest.mark.parametrize("method", ["lbfgs", "newton-cg", "trust-ncg", "trust-krylov"])
def test_numbers_of_one_variable(number, method):
    result = hessx.minimize(
        lambda x: (x[0] ** 2, 2.0 * x[0]), 3.0, jac=True, hess=lambda x: number, method=method
    )
    assert result.success and result.x.shape == (1,)
    by_hessp = hessx.minimize(
        lambda x: (x[0] ** 2, [2.0 * x[0]]), 3.0, jac=True, hessp=lambda x, v: 2.0 * v[0],
        method=method,
    )  # fmt: skip
    assert by_hessp.success


@pytest.mark.parametrize("form", EXACT)
def test_products(form):
    plain = hessx.minimize(value, np.ones(3), jac=grad, hessp=lambda x, v: H @ v)
    result = hessx.minimize(value, np.ones(3), jac=grad, hessp=lambda x, v: VECTORS[form](H @ v))
    assert result.success and result.nhev == plain.nhev
    np.testing.assert_array_equal(result.x, plain.x)


@pytest.mark.parametrize("form", NUMBERS)
@pytest.mark.parametrize("jac", ["separate", True, "2-point"])
def test_values(form, jac):
    given = {"separate": grad}.get(jac, jac)
    make = NUMBERS[form]
    fun = (lambda x: (make(value(x)), grad(x))) if jac is True else lambda x: make(value(x))
    result = hessx.minimize(fun, np.ones(3), jac=given, options={"gtol": 1e-3, "maxiter": 50})
    assert type(result.fun) is float
    assert result.fun == np.asarray(make(value(result.x)), float).reshape(())


def test_shapes_of_x_keep_their_axes():
    """Axes of length one may come and go, others not."""
    x0 = np.ones((3, 1, 2))
    for shape in ((3, 2), (3, 1, 2), (6,), (1, 3, 2, 1)):
        result = hessx.minimize(
            lambda x, shape=shape: ((x**2).sum(), np.reshape(2 * x, shape)), x0, jac=True
        )
        assert result.success and result.x.shape == x0.shape
    for shape in ((2, 3), (2, 1, 3)):
        with pytest.raises(ValueError, match=r"the gradient has shape .* expected"):
            hessx.minimize(
                lambda x, shape=shape: ((x**2).sum(), np.reshape(2 * x, shape)), x0, jac=True
            )


def test_leaves_of_trees():
    x0 = {"a": np.ones(2), "b": np.ones(())}

    def fun(x):
        return x["a"] @ x["a"] + float(x["b"]) ** 2, {"a": [*(2 * x["a"])], "b": 2 * float(x["b"])}

    result = hessx.minimize(fun, x0, jac=True)
    assert result.success
    assert result.x["a"].shape == (2,) and result.x["b"].shape == ()


STARTS = {
    "NumPy number": (np.float64(2.0), (1,), np.float64),
    "float32 number": (np.float32(2.0), (1,), np.float32),
    "NumPy integer": (np.int64(2), (1,), np.float64),
    "NumPy bool": (np.True_, (1,), np.float64),
    "big-endian": (np.array([2.0, 1.0], ">f8"), (2,), np.float64),
    "big-endian float32": (np.array([2.0, 1.0], ">f4"), (2,), np.float32),
    "big-endian integers": (np.array([2, 1], ">i2"), (2,), np.float64),
    "np.matrix": (np.array([[2.0, 1.0]]).view(np.matrix), (1, 2), np.float64),
    "masked": (np.ma.array([2.0, 1.0]), (2,), np.float64),
    "Series": (Series([2.0, 1.0]), (2,), np.float64),
    "range": (range(1, 3), (2,), np.float64),
    "column of a table": (np.array([(2.0, 1), (3.0, 4)], "f8,i4")["f0"], (2,), np.float64),
}


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("method", ["lbfgs", "cg", "trust-ncg"])
def test_starts(start, method):
    x0, shape, dtype = STARTS[start]
    seen = set()

    def fun(x):
        seen.add((type(x), x.shape, x.dtype, x.dtype.isnative))
        return (x * x).sum(), 2 * x

    result = hessx.minimize(fun, x0, jac=True, method=method)
    assert seen == {(np.ndarray, shape, np.dtype(dtype), True)}
    assert result.success
    assert type(result.x) is type(result.jac) is np.ndarray


def test_what_came_from_a_pickle_runs_as_fast(monkeypatch):
    """Its dtype is another object; gradients are still known by theirs, without a conversion."""
    import pickle

    from hessx._xp import _intake

    x0 = pickle.loads(pickle.dumps(np.ones(3)))
    assert x0.dtype is not np.ones(3).dtype

    def converted(*args):
        raise AssertionError("a plain gradient was converted")

    monkeypatch.setattr(_intake, "converted", converted)
    for start in (x0, np.ones(3, ">f8"), np.ones(3)):
        assert hessx.minimize(lambda x: (value(x), grad(x)), start, jac=True).success


def test_numbers_out_of_the_range_of_float32_are_infinite():
    """A gradient of 1e300 is no trouble of the conversion, but of the trial."""
    x0 = np.ones(3, np.float32)
    with np.errstate(over="raise", invalid="ignore"):
        result = hessx.minimize(lambda x: (1.0, np.full(3, 1e300)), x0, jac=True)
    assert result.outcome is hessx.Outcome.FAILED_NONFINITE


def test_hess_inv_takes_what_scipys_takes():
    """Integers, lists, float32 and columns, by each way in."""
    h = np.array([2.0, 5.0, 10.0])
    A = hessx.minimize(
        lambda x: (h @ x**2 / 2, h * x), np.ones(3), jac=True, method="lbfgs"
    ).hess_inv
    dense = np.asarray(A)
    one, columns = np.array([1, 0, 2]), np.array([[1, 0], [0, 3], [2, 1]])
    for v in (one, [1, 0, 2], one.astype(np.float32), one.astype(">f8")):
        for product in (A.matvec(v), A.dot(v), A(v), A @ v):
            np.testing.assert_allclose(product, dense @ one, rtol=1e-12)
            assert product.dtype == np.float64
    np.testing.assert_allclose(A.matvec(one[:, None]), (dense @ one)[:, None], rtol=1e-12)
    for product in (A.matmat(columns), A.dot(columns)):
        np.testing.assert_allclose(product, dense @ columns, rtol=1e-12)
    for wrong in (np.array([1j, 0, 0]), "abc", np.ones(4)):
        with pytest.raises((TypeError, ValueError)):
            A.matvec(wrong)
