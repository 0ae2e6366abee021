"""What sums, products, multiples and transposes know of themselves, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

import hessx

n = 4


def only_forward(matrix):
    return hessx.LinearOperator(tuple(matrix.shape), lambda v: matrix @ v)


def test_transposes_go_back(data):
    A, S = hessx.DenseOperator(data.xA), hessx.DenseOperator(data.xS, symmetric=True)
    assert A.T.shape == (n, 3)
    assert A.T.T is A
    assert S.T is S


def test_symmetry_is_known_where_it_follows(data):
    A, M = hessx.DenseOperator(data.xA), hessx.DenseOperator(data.xM)
    S, D = hessx.DenseOperator(data.xS, symmetric=True), hessx.DiagonalOperator(data.xd)
    for symmetric in (S + D, S - D, 2.0 * S, -S, S.shift(1.0), A.T @ A, A @ A.T, S @ S):
        assert symmetric.symmetric
    for other in (S + M, M.shift(1.0), S @ D, M @ M, A @ (2.0 * A).T, M.T):
        assert not other.symmetric


def test_what_is_unknown_of_a_part_is_unknown_of_the_whole(data):
    A, forward = hessx.DenseOperator(data.xM), only_forward(data.xM)
    for whole in (A + forward, A @ forward, 2.0 * forward, forward.shift(1.0)):
        assert not whole.has_rmatvec
        assert whole.diagonal() is None
        with pytest.raises(TypeError, match=r"A' is not known: give rmatvec="):
            _ = whole.T
        with pytest.raises(TypeError, match=r"A' is not known"):
            whole.rmatvec(data.xd)


@pytest.mark.parametrize("number", [2, 2.0, np.float64(2.0), np.int64(2)])
def test_a_multiple_keeps_the_dtype(backend, data, number):
    D = hessx.DiagonalOperator(data.xd)
    for whole in (number * D, D * number, D.shift(number)):
        assert isinstance(whole, hessx.LinearOperator)
        backend.assert_same_kind(whole @ data.xd, data.xd)
        backend.assert_same_kind(whole.diagonal(), data.xd)


def test_shapes_that_do_not_fit(data):
    A, M = hessx.DenseOperator(data.xA), hessx.DenseOperator(data.xM)
    with pytest.raises(ValueError, match=r"A \+ B of shapes \(3, 4\) and \(4, 4\): expected equal"):
        A + M
    with pytest.raises(ValueError, match=r"A - B of shapes \(4, 4\) and \(3, 4\): expected equal"):
        M - A
    with pytest.raises(ValueError, match=r"A @ B of shapes \(4, 4\) and \(3, 4\): expected \(m, k"):
        M @ A
    with pytest.raises(ValueError, match=r"A \+ sigma I of shape \(3, 4\): expected a square"):
        A.shift(1.0)


def test_vectors_that_do_not_fit(backend, data):
    A = hessx.DenseOperator(data.xA)
    for operator in (A, 2.0 * A, A + A, A @ A.T @ A, only_forward(data.xA)):
        for shape in ((3,), (n, 3), ()):
            with pytest.raises(ValueError, match=r"the vector has shape .*: expected \(4,\), or"):
                operator @ backend.asarray(np.ones(shape))
        with pytest.raises(TypeError, match="type list, expected an array"):
            operator @ [1.0] * n
    with pytest.raises(ValueError, match=r"the vector has shape \(4,\): expected \(3,\), or"):
        A.rmatvec(data.xd)


def test_vectors_of_another_kind(backend, data):
    other = backend.asarray(np.ones(n), dtype="int32")
    for operator in (hessx.DiagonalOperator(data.xd), hessx.LowRankOperator(data.xU).shift(1.0)):
        with pytest.raises(TypeError, match=r"the vector has dtype .*int32, expected"):
            operator @ other
        with pytest.raises(TypeError, match=r"like has dtype .*int32, expected"):
            operator.dense(other)
        if backend.family not in ("numpy", "dask"):
            with pytest.raises(TypeError, match=r"numpy, expected one of"):
                operator @ np.ones(n, dtype=backend.dtype_name)


def test_parts_of_two_libraries(backend, data):
    if backend.family == "numpy":
        pytest.skip("the other part is of NumPy")
    here, there = hessx.DiagonalOperator(data.xd), hessx.DiagonalOperator(np.ones(n))
    for join in (lambda: here + there, lambda: there @ here):
        with pytest.raises(TypeError, match=r"the operators hold arrays of .*numpy.*expected one"):
            join()
    with pytest.raises(TypeError, match="expected one kind"):
        hessx.LowRankOperator(data.xU, np.ones(2))


def test_another_device_is_a_matter_of_values(backend):
    if backend.name != "strict-device1":
        pytest.skip("needs a library with two devices")
    there = backend.xp.ones(n, dtype=backend.dtype)
    with pytest.raises(ValueError, match="the vector has device"):
        hessx.DiagonalOperator(backend.asarray(np.ones(n))) @ there


def test_an_operator_that_holds_nothing_asks_where_to_make_arrays():
    for ask in (hessx.IdentityOperator(2).dense, hessx.IdentityOperator(2).diagonal):
        with pytest.raises(ValueError, match="holds no array: give like="):
            ask()


def test_arrays_that_cannot_be_held():
    with pytest.raises(TypeError, match="d has type list, expected an array"):
        hessx.DiagonalOperator([1.0, 2.0])
    with pytest.raises(TypeError, match="d has dtype int64: expected a real floating"):
        hessx.DiagonalOperator(np.array([1, 2]))
    with pytest.raises(ValueError, match=r"d has shape \(2, 2\): expected \(n,?\)"):
        hessx.DiagonalOperator(np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"A has shape \(3,\): expected \(n, n\)"):
        hessx.DenseOperator(np.ones(3))
    with pytest.raises(ValueError, match=r"A has shape \(2, 3\): a symmetric matrix is square"):
        hessx.DenseOperator(np.ones((2, 3)), symmetric=True)
    with pytest.raises(ValueError, match=r"C has shape \(3, 3\): expected \(2, 2\)"):
        hessx.LowRankOperator(np.ones((4, 2)), np.ones((3, 3)))
    with pytest.raises(ValueError, match=r"V has shape \(3, 1\): expected \(n, 2\)"):
        hessx.LowRankOperator(np.ones((4, 2)), None, np.ones((3, 1)))
    with pytest.raises(hessx.SettingsError, match="n = 0: expected an integer >= 1"):
        hessx.IdentityOperator(0)


def test_functions_that_cannot_be_operators():
    for shape in ((3,), (0, 2), (2.0, 2), 4, "ab"):
        with pytest.raises(ValueError, match=r"expected \(m, n\), two positive integers"):
            hessx.LinearOperator(shape, lambda v: v)
    with pytest.raises(TypeError, match="matvec is a ndarray: expected a function"):
        hessx.LinearOperator((2, 2), np.eye(2))
    with pytest.raises(TypeError, match="rmatvec is a str: expected a function"):
        hessx.LinearOperator((2, 2), lambda v: v, "transpose")
    with pytest.raises(ValueError, match=r"shape = \(2, 3\): a symmetric operator"):
        hessx.LinearOperator((2, 3), lambda v: v, symmetric=True)
    with pytest.raises(ValueError, match=r"diagonal has shape \(3,\): expected \(2,?\)"):
        hessx.LinearOperator((2, 2), lambda v: v, diagonal=np.ones(3))
    with pytest.raises(TypeError, match="sigma is a str: expected a number"):
        hessx.IdentityOperator(2).shift("1")
    with pytest.raises(TypeError, match="unsupported operand"):
        hessx.IdentityOperator(2) * hessx.IdentityOperator(2)


def test_functions_that_return_something_else(backend):
    v = backend.asarray(np.ones(2))
    for wrong, error, match in (
        (lambda v: v[:1], ValueError, r"matvec returned shape \(1,\) for a vector of shape \(2,\)"),
        (lambda v: [1.0, 1.0], TypeError, "matvec returned type list, expected an array"),
        (lambda v: None, TypeError, "matvec returned type NoneType"),
        (lambda v: backend.asarray([1, 1], dtype="int32"), TypeError, "matvec returned dtype"),
    ):
        operator = hessx.LinearOperator((2, 2), wrong)
        for given in (v, backend.asarray(np.ones((3, 2)))):
            with pytest.raises(error, match=match):
                operator @ given
            with pytest.raises(error, match=match):
                (hessx.IdentityOperator(2) @ operator) @ given
    stacked = hessx.LinearOperator((2, 2), lambda v: v[0, ...], stacks=True)
    with pytest.raises(
        ValueError, match=r"matvec returned shape \(2,\) for a vector of shape \(3,"
    ):
        stacked @ backend.asarray(np.ones((3, 2)))


def test_vectors_of_integers(backend):
    operator = hessx.LinearOperator((2, 2), lambda v: v)
    with pytest.raises(TypeError, match=r"has dtype .*int32.*: expected a real floating dtype"):
        operator @ backend.asarray([1, 1], dtype="int32")


def test_it_says_what_it_is():
    assert repr(hessx.IdentityOperator(3)) == "<IdentityOperator of shape (3, 3)>"
    assert repr(2.0 * hessx.IdentityOperator(3)) == "<Multiple of shape (3, 3)>"


def test_numpy_makes_a_matrix_of_every_operator_that_holds_arrays(data):
    D, A = hessx.DiagonalOperator(data.xd), hessx.DenseOperator(data.xA)
    for operator, expected in (
        (D, np.diag(data.d)),
        (-2.0 * D, np.diag(-2.0 * data.d)),
        (D.shift(1.0), np.diag(data.d + 1.0)),
        (A, data.A),
    ):
        np.testing.assert_allclose(np.asarray(operator), expected, rtol=1e-6)
        np.testing.assert_allclose(operator.todense(), expected, rtol=1e-6)
        assert np.array(operator, dtype=np.float32).dtype == np.float32
        with pytest.raises(ValueError, match="copy=False"):
            np.array(operator, copy=False)
    with pytest.raises(ValueError, match="holds no array: give like="):
        np.asarray(hessx.IdentityOperator(3))


@pytest.mark.parametrize("kind", [hessx.Spectral, hessx.DiagonalBFGS, hessx.WeakSecant])
def test_numpy_makes_a_matrix_of_a_diagonal_hess_inv(backend, kind):
    """Of half of c x'x every one of them learns the Hessian c I from a single pair."""
    method = hessx.LineSearchMethod(kind(), hessx.HagerZhang())
    x0 = backend.asarray(np.array([3.0, 4.0]))
    found = hessx.minimize(lambda x: (2.0 * (x @ x), 4.0 * x), x0, jac=True, method=method)
    assert found.nit >= 1
    np.testing.assert_allclose(np.asarray(found.hess_inv), np.eye(2) / 4.0, rtol=1e-4, atol=1e-12)
