"""What MINRES and LSMR take for A, M, b and x0: what `minimize` takes for hess and x0."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import hessx
from _helpers.numpy_forms import FORMS
from hessx.krylov import lsmr, minres

scipy_sparse = pytest.importorskip("scipy.sparse")
scipy_linalg = pytest.importorskip("scipy.sparse.linalg")

S = np.array([[4.0, 1, 0, 0], [1, -3, 0, 0], [0, 0, 2, 1], [0, 0, 1, 5]])
R = np.array([[1.0, 2, 0], [0, 1, 1], [2, 0, 1], [1, 1, 1]])
B = np.array([1.0, -2.0, 3.0, 4.0])
ANSWERS = {"minres": np.linalg.solve(S, B), "lsmr": np.linalg.lstsq(R, B)[0]}
MATRICES = {"minres": S, "lsmr": R}
TIGHT = {"minres": {"rtol": 1e-12}, "lsmr": {"atol": 1e-12, "btol": 1e-12}}
SOLVERS = {"minres": minres, "lsmr": lsmr}

each = pytest.mark.parametrize("name", SOLVERS)
each_form = pytest.mark.parametrize("form", FORMS)


class ByMatvec:
    """An operator of a library of its own, without a shape."""

    def __init__(self, matrix, form=lambda p: p):
        self.matrix, self.form = matrix, form

    def matvec(self, v):
        return self.form(self.matrix @ v)

    def rmatvec(self, u):
        return self.form(self.matrix.T @ u)


def solve(name, A, b=B, **settings):
    return SOLVERS[name](A, b, **(TIGHT[name] | settings))


def assert_solved(name, result):
    assert result.success, result.message
    assert type(result.x) is np.ndarray and result.x.dtype == np.float64
    np.testing.assert_allclose(result.x.ravel(), ANSWERS[name], rtol=1e-9)


@each
@each_form
def test_what_numpy_makes_a_matrix_of(name, form):
    assert_solved(name, solve(name, FORMS[form](MATRICES[name])))


@each
@each_form
def test_what_numpy_makes_a_vector_of_is_a_product(name, form):
    """In float32 rounded to what it holds: LSMR then solves to float32."""
    lossless = FORMS[form](np.array([1.0 / 3.0]))
    exact = np.asarray(lossless, float)[0] == 1.0 / 3.0
    if form in ("integers", "list of NumPy numbers") or not exact:
        matrix, b = 2.0 * np.eye(4), 4.0 * np.eye(4)[1]  # one step, in whole numbers
        whole = solve(name, ByMatvec(matrix, FORMS[form]), b)
        assert whole.x.dtype == np.float64
        np.testing.assert_array_equal(whole.x, [0.0, 2.0, 0.0, 0.0])
        return
    assert_solved(name, solve(name, ByMatvec(MATRICES[name], FORMS[form])))


@each
@pytest.mark.parametrize("form", ["list", "tuple", "integers", "big-endian", "np.matrix", "Series"])
def test_right_hand_side_and_start_are_taken_as_a_point(name, form):
    given = FORMS[form](B)
    start = FORMS[form](np.ones(len(ANSWERS[name])))
    result = solve(name, MATRICES[name], given, x0=start)
    assert_solved(name, result)
    np.testing.assert_array_equal(np.asarray(given, float), [B] if form == "np.matrix" else B)


@each
@pytest.mark.parametrize("form", ["float32", "torch", "strict", "longdouble"])
def test_a_start_of_another_kind_becomes_that_of_b(name, form):
    assert_solved(name, solve(name, MATRICES[name], x0=FORMS[form](np.ones(len(ANSWERS[name])))))


def test_a_column_is_a_vector():
    column = B[:, None]
    result = solve("minres", lambda v: S @ v, column, x0=np.ones(4))
    assert result.x.shape == (4, 1)
    assert_solved("minres", result)
    assert_solved("minres", solve("minres", lambda v: (S @ v)[:, None]))
    assert_solved("lsmr", solve("lsmr", ByMatvec(R, lambda p: p[:, None]), column))


@each
@pytest.mark.parametrize("kind", ["csr_matrix", "csc_array", "operator", "ours", "matvec"])
def test_sparse_matrices_and_operators(name, kind):
    make = {
        "csr_matrix": scipy_sparse.csr_matrix,
        "csc_array": scipy_sparse.csc_array,
        "operator": scipy_linalg.aslinearoperator,
        "ours": hessx.DenseOperator,
        "matvec": ByMatvec,
    }[kind]
    assert_solved(name, solve(name, make(MATRICES[name])))
    if name == "minres":
        inverse = make(np.diag([0.25, 1.0, 0.5, 0.2]))
        assert_solved(name, solve(name, make(S), M=inverse))


@each
def test_products_in_float32_for_numbers_in_float64(name):
    """The conversion is one of the products: x stays in float64."""
    single = scipy_sparse.csr_array(MATRICES[name].astype(np.float32))  # whole numbers: exact
    assert_solved(name, solve(name, single))


@each
def test_scipys_matrices_take_numpy_arrays_only(backend, name):
    if backend.family == "numpy":
        pytest.skip("this is NumPy")
    b = backend.asarray(B)
    for given in (scipy_sparse.csr_array, scipy_linalg.aslinearoperator):
        with pytest.raises(TypeError, match=r"A is a .* of SciPy, which multiplies NumPy arrays"):
            SOLVERS[name](given(MATRICES[name]), b)


@each
@pytest.mark.backends("torch")
def test_a_sparse_tensor_of_torch(backend, name):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse")
        matrix = backend.asarray(MATRICES[name]).to_sparse()
        result = SOLVERS[name](matrix, backend.asarray(B))
    assert result.success, result.message
    np.testing.assert_allclose(backend.to_numpy(result.x), ANSWERS[name], rtol=1e-2)


def test_a_shaped_right_hand_side_has_a_matrix_of_its_shapes(backend):
    b = backend.asarray(B.reshape(2, 2))
    result = minres(backend.asarray(S.reshape(2, 2, 2, 2)), b, rtol=100.0 * backend.eps)
    backend.assert_same_kind(result.x, b)
    np.testing.assert_allclose(
        backend.to_numpy(result.x).ravel(), ANSWERS["minres"], rtol=1e4 * backend.eps
    )


def test_trees(backend):
    """A function sees them, a matrix and an operator see one vector."""
    b = {"a": backend.asarray([[1.0, -2.0]]), "b": [backend.asarray([3.0, 4.0])]}
    s = backend.asarray(S)
    top, low = s[:2, :2], s[2:, 2:]

    def product(v):
        a = backend.xp.reshape(top @ backend.xp.reshape(v["a"], (-1,)), (1, 2))
        return {"b": [low @ v["b"][0]], "a": a}

    def whole(v):
        return v

    rtol = 100.0 * backend.eps
    zeros = {"a": b["a"] * 0.0, "b": [b["b"][0] * 0.0]}
    for A, settings in (
        (product, {}),
        (product, {"M": whole, "x0": zeros}),
        (s, {"x0": b}),
        (hessx.DenseOperator(s, symmetric=True), {}),
    ):
        x = minres(A, b, rtol=rtol, **settings).x
        assert list(x) == ["a", "b"] and type(x["b"]) is list
        backend.assert_same_kind(x["a"], b["a"])
        got = np.concatenate([backend.to_numpy(leaf).ravel() for leaf in (x["a"], x["b"][0])])
        np.testing.assert_allclose(got, ANSWERS["minres"], rtol=1e4 * backend.eps)
    with pytest.raises(ValueError, match=r"x0 has the keys \['a'\]: expected .*'b'\], as b"):
        minres(s, b, x0={"a": b["a"]})
    with pytest.raises(TypeError, match="the product with A has type list: expected a dict"):
        minres(lambda v: [v], b)


def test_least_squares_over_trees(backend):
    r = backend.asarray(R)
    rhs = (backend.asarray([1.0]), backend.asarray([-2.0, 3.0, 4.0]))
    x0 = {"u": backend.asarray([0.5]), "v": backend.asarray([[1.0, 2.0]])}
    tol = 100.0 * backend.eps
    x = lsmr(r, rhs, x0=x0, atol=tol, btol=tol).x
    backend.assert_same_kind(x["v"], x0["v"])
    got = np.concatenate([backend.to_numpy(x[key]).ravel() for key in ("u", "v")])
    np.testing.assert_allclose(got, ANSWERS["lsmr"], rtol=1e4 * backend.eps)
    flat = lsmr(r, rhs, atol=tol, btol=tol).x
    np.testing.assert_allclose(backend.to_numpy(flat), ANSWERS["lsmr"], rtol=1e4 * backend.eps)


@each
def test_a_number_is_a_matrix_of_one_variable(name):
    for A, b in ((2, 3), (np.float32(2.0), [3.0]), ([[2]], np.array(3))):
        np.testing.assert_array_equal(SOLVERS[name](A, b).x, [1.5])


def test_a_function_may_write_to_its_vector():
    def product(v):
        v *= np.array([1.0, -2.0, 3.0, 4.0])
        return v

    A = np.diag([1.0, -2.0, 3.0, 4.0])
    np.testing.assert_array_equal(minres(product, B).x, minres(A, B).x)
