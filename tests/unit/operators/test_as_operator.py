"""What users give as a Hessian or preconditioner, from whatever library, and what is refused."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import hessx
from _helpers.numpy_forms import FORMS, Series
from hessx._xp import space_of
from hessx.operators import as_operator

scipy_sparse = pytest.importorskip("scipy.sparse")
scipy_linalg = pytest.importorskip("scipy.sparse.linalg")

n = 4


def taken(backend, given):
    return as_operator(space_of(backend.asarray(np.ones(n))), given, "hess(x)")


def assert_is(backend, operator, matrix):
    for shape in ((n,), (2, 3, n)):
        v = backend.asarray(np.random.default_rng(2).standard_normal(shape))
        product = operator @ v
        backend.assert_same_kind(product, v)
        np.testing.assert_allclose(
            backend.to_numpy(product),
            backend.to_numpy(v) @ matrix.T,
            atol=100 * backend.eps * abs(matrix).max(),
        )


SPARSE = [scipy_sparse.csr_array, scipy_sparse.csc_matrix, scipy_sparse.coo_array]


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("form", SPARSE)
def test_a_sparse_matrix_of_scipy(backend, data, form):
    matrix = form(data.S.astype(backend.dtype_name))
    operator = taken(backend, matrix)
    assert_is(backend, operator, data.S)
    backend.assert_same_kind(operator.diagonal(), data.xd)
    np.testing.assert_array_equal(operator.diagonal(), np.diag(data.S))


@pytest.mark.backends("numpy")
def test_a_linear_operator_of_scipy(backend, data):
    matrix = data.S.astype(backend.dtype_name)
    operator = taken(backend, scipy_linalg.aslinearoperator(matrix))
    assert_is(backend, operator, data.S)
    assert operator.diagonal() is None


def test_there_and_back_through_scipy(backend, data):
    host = hessx.DenseOperator(data.xS, symmetric=True).shift(0.5).to_scipy()
    matrix = data.S + 0.5 * np.eye(n)
    assert host.shape == (n, n) and host.dtype == np.dtype(backend.dtype_name)
    v = np.ones(n, dtype=backend.dtype_name)
    product = host @ v
    assert type(product) is np.ndarray and product.dtype == v.dtype
    np.testing.assert_allclose(product, matrix @ v, atol=100 * backend.eps)
    both = host @ np.eye(n, 2, dtype=backend.dtype_name)
    np.testing.assert_allclose(both, matrix[:, :2], atol=100 * backend.eps)
    if backend.family == "numpy":
        assert_is(backend, taken(backend, host), matrix)


def test_scipy_transposes_and_solves(backend, data):
    host = hessx.DenseOperator(data.xA).to_scipy()
    u = np.ones(3, dtype=backend.dtype_name)
    np.testing.assert_allclose(host.T @ u, data.A.T @ u, atol=100 * backend.eps)
    definite = hessx.LowRankOperator(data.xM).shift(1.0).to_scipy()
    x, info = scipy_linalg.cg(definite, np.ones(n), rtol=20 * backend.eps)
    expected = np.linalg.solve(data.M @ data.M.T + np.eye(n), np.ones(n))
    assert info == 0
    np.testing.assert_allclose(x, expected, rtol=1e4 * backend.eps)


def test_an_operator_without_arrays_takes_numpy_vectors_of_scipy():
    host = hessx.LinearOperator((2, 2), lambda v: 3.0 * v, symmetric=True).to_scipy()
    np.testing.assert_array_equal(host @ np.ones(2), [3.0, 3.0])
    forward = hessx.LinearOperator((1, 2), lambda v: v[:1]).to_scipy()
    np.testing.assert_array_equal(forward @ np.ones(2), [1.0])


def test_scipy_works_on_numpy_arrays_only(backend, data):
    if backend.family == "numpy":
        pytest.skip("this is NumPy")
    for given in (
        scipy_sparse.csr_array(data.S),
        scipy_linalg.aslinearoperator(data.S),
    ):
        match = r"hess\(x\) is a .* of SciPy, which multiplies NumPy arrays only, and x is"
        with pytest.raises(TypeError, match=match):
            taken(backend, given)
    with pytest.raises(TypeError, match=r"hess\(x\) has an array of numpy, expected one of"):
        taken(backend, data.S)
    with pytest.raises((TypeError, RuntimeError)):  # CuPy and array-api-strict refuse themselves
        taken(backend, lambda v: data.S @ backend.to_numpy(v)) @ data.xd


@pytest.mark.backends("torch")
def test_a_sparse_tensor(backend, data):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse")
        for sparse in (data.xS.to_sparse(), data.xS.to_sparse_csr()):
            operator = taken(backend, sparse)
            assert_is(backend, operator, data.S)
            assert operator.diagonal() is None


@pytest.mark.backends("torch")
def test_products_by_autograd_are_cut_off(backend, data):
    S = data.xS.clone().requires_grad_()
    for given in (S, lambda v: S @ v):
        assert not (taken(backend, given) @ data.xd).requires_grad


@pytest.mark.backends("jax")
def test_a_sparse_matrix_of_jax(backend, data):
    sparse = pytest.importorskip("jax.experimental.sparse")
    assert_is(backend, taken(backend, sparse.BCOO.fromdense(data.xS)), data.S)


def test_any_object_with_a_shape_and_products(backend, data):
    class ByMatvec:
        shape = (n, n)

        def matvec(self, v):
            return data.xS @ v

    class ByAt:
        shape = (n, n)

        def __matmul__(self, v):
            return data.xS @ v

        def diagonal(self):
            return data.xd

    class WithoutShape:
        def matvec(self, v):
            return data.xS @ v

    assert_is(backend, taken(backend, ByMatvec()), data.S)
    assert_is(backend, taken(backend, ByAt()), data.S)
    assert_is(backend, taken(backend, WithoutShape()), data.S)
    assert taken(backend, ByMatvec()).diagonal() is None
    backend.assert_same_kind(taken(backend, ByAt()).diagonal(), data.xd)


@pytest.mark.backends("dask")
@pytest.mark.parametrize("form", ["array", "function"])
def test_products_have_the_chunks_of_x(backend, form):
    x = backend.asarray(np.ones(6)).rechunk(((1, 2, 3),))
    matrix = backend.asarray(np.eye(6))
    given = matrix if form == "array" else lambda v: matrix @ v
    assert (as_operator(space_of(x), given, "hess(x)") @ x).chunks == x.chunks


def test_ours_is_taken_as_it_is(backend, data):
    operator = hessx.DiagonalOperator(data.xd)
    assert taken(backend, operator) is operator


def test_an_operator_without_arrays_is_placed(backend, data):
    """Its diagonal and matrix are made where the vectors are."""
    operator = taken(backend, hessx.IdentityOperator(n) * 3.0)
    assert_is(backend, operator, 3.0 * np.eye(n))
    for made, expected in (
        (operator.diagonal(), np.full(n, 3.0)),
        (operator.dense(), 3.0 * np.eye(n)),
        (operator.T @ data.xd, 3.0 * data.d),
    ):
        backend.assert_same_kind(made, backend.asarray(expected))
        np.testing.assert_array_equal(
            backend.to_numpy(made), np.asarray(expected, backend.dtype_name)
        )
    unknown = taken(backend, hessx.LinearOperator((n, n), lambda v: 2.0 * v, lambda v: 2.0 * v))
    assert unknown.diagonal() is None
    assert_is(backend, unknown.T, 2.0 * np.eye(n))


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("form", FORMS)
def test_what_numpy_makes_numbers_of_is_taken_where_x_is_numpys(backend, form):
    matrix = np.array([[4.0, 1, 0, 0], [1, 3, 0, 0], [0, 0, 2, 1], [0, 0, 1, 5]])
    operator = taken(backend, FORMS[form](matrix))
    assert_is(backend, operator, matrix)
    np.testing.assert_array_equal(operator.diagonal(), np.diag(matrix))
    product = taken(backend, lambda v: FORMS[form](np.round(matrix @ v)))
    v = backend.asarray([1.0, 2.0, 3.0, 4.0])
    backend.assert_same_kind(product @ v, v)
    np.testing.assert_array_equal(product @ v, matrix @ [1, 2, 3, 4])


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("dtype", ["float32", "int64", "float64"])
def test_sparse_matrices_of_another_dtype(backend, data, dtype):
    matrix = np.round(3 * data.S)
    assert_is(backend, taken(backend, scipy_sparse.csr_array(matrix.astype(dtype))), matrix)


@pytest.mark.backends("numpy")
@pytest.mark.parametrize(
    "given",
    [2, 2.0, np.float32(2.0), [2.0], [[2]], np.array(2), FORMS["np.matrix"]([[2.0]]), Series([2])],
)
def test_numbers_are_matrices_of_one_variable(backend, given):
    x = backend.asarray([3.0])
    for form in (given, lambda v: given):
        product = as_operator(space_of(x), form, "hess(x)") @ x
        backend.assert_same_kind(product, x)
        assert product in (2.0, 6.0)


def test_a_wrong_form(backend, data):
    with pytest.raises(TypeError, match=r"hess\(x\) is a NoneType: expected"):
        taken(backend, None)
    if backend.family == "numpy":
        with pytest.raises(ValueError, match=r"hess\(x\) has shape \(\): expected \(4, 4\)"):
            taken(backend, 2.0)
        with pytest.raises(TypeError, match=r"hess\(x\) has dtype complex"):
            taken(backend, data.S + 0j)
        return
    match = r"hess\(x\) is a float: expected an array of shape \(4, 4\), a function of v"
    with pytest.raises(TypeError, match=match):
        taken(backend, 2.0)
    with pytest.raises(TypeError, match=r"hess\(x\) has dtype .*int32, expected"):
        taken(backend, backend.asarray(np.eye(n), dtype="int32"))


def test_a_wrong_shape(backend, data):
    class Object:
        shape = (n, 3)

        def matvec(self, v):
            return v

    for given in (data.xA, hessx.DenseOperator(data.xA), Object(), data.xd):
        with pytest.raises(ValueError, match=r"hess\(x\) has shape .*: expected \(4, 4\)"):
            taken(backend, given)
    x = backend.asarray(np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"expected \(4, 4\) or \(2, 2, 2, 2\)"):
        as_operator(space_of(x), data.xA, "hess(x)")


def test_products_that_do_not_belong_to_x(backend, data):
    v, match = data.xd, r"hess\(x\) returned shape \(2,\) for a vector of shape"
    with pytest.raises(ValueError, match=match):
        taken(backend, lambda v: v[:2]) @ v
    if backend.family == "numpy":
        with pytest.raises(TypeError, match=r"hess\(x\) returned dtype complex"):
            taken(backend, lambda v: v + 0j) @ v
        with pytest.raises(ValueError, match=r"hess\(x\) returned shape \(\)"):
            taken(backend, lambda v: 1.0) @ v
        return
    for given, error, match in (
        (lambda v: [0.0] * n, TypeError, r"hess\(x\) returned type list, expected an array"),
        (lambda v: 1.0, TypeError, r"hess\(x\) returned type float"),
        (lambda v: backend.asarray(np.ones(n), dtype="int32"), TypeError, "returned dtype"),
    ):
        operator = taken(backend, given)
        with pytest.raises(error, match=match):
            operator @ v
    if backend.has_float64 and backend.dtype_name == "float32":
        wide = backend.asarray(np.ones(n), dtype="float64")
        with pytest.raises(TypeError, match=r"dtype .*float64, expected .*float32"):
            taken(backend, lambda v: wide) @ v


def test_what_the_users_function_raises_passes_through(backend):
    class MineError(Exception):
        pass

    def product(v):
        raise MineError

    with pytest.raises(MineError):
        taken(backend, product) @ backend.asarray(np.ones(n))
