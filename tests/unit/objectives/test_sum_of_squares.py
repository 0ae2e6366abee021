"""Sums of squares as oracles: every form of the Jacobian, counts, and what is wrong is said."""

from __future__ import annotations

import array_api_compat as compat
import numpy as np
import pytest

import hessx
from _helpers.registry import make_backend
from _helpers.runs import chained_rosenbrock
from _helpers.squares import START, Chained
from hessx import GaussNewton, Outcome, SettingsError, SumOfSquares, TrustRegionMethod, Wants
from hessx._xp import space_of
from hessx.core import Request

FIRST = Wants.VALUE | Wants.GRADIENT
NUMPY = make_backend("numpy")
V = np.array([1.0, -2.0, 0.5, 1.5])
U = np.array([1.0, -1.0, 2.0, 0.5, -0.5, 1.5])


def operator(problem, x):
    space, J = space_of(x), problem.jacobian(x)
    return hessx.LinearOperator((problem.m, space.n), lambda v: J @ v, lambda u: u @ J)


FORMS = {
    "matrix": lambda p: (p.residual, p.jacobian),
    "both": lambda p: (p.both, True),
    "pair": lambda p: (p.residual, p.pair),
    "operator": lambda p: (p.residual, lambda x: operator(p, x)),
    "3-point": lambda p: (p.residual, "3-point"),
    "2-point": lambda p: (p.residual, "2-point"),
    "autodiff": lambda p: (p.residual, "autodiff"),
}
ERRORS = {"2-point": 1 / 2, "3-point": 2 / 3}  # powers of eps


def answered(oracle, x, wants=FIRST, **more):
    return oracle.answer(Request(x, 7, wants, **more))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_jacobian(backend, form):
    if form == "autodiff" and backend.family not in ("torch", "jax"):
        pytest.skip("the library does not differentiate")
    x, truth = backend.asarray(START), Chained(NUMPY)
    J, r = truth.jacobian(START), truth.residual(START)
    oracle = SumOfSquares(*FORMS[form](Chained(backend)))
    reply = answered(oracle, x)
    at = reply.residual
    for found in (reply.grad, at(backend.asarray(V)), at.vjp(backend.asarray(U))):
        backend.assert_same_kind(found, x)
    tolerance = 1e2 * backend.eps ** ERRORS.get(form, 1.0)
    near = {"rtol": tolerance, "atol": tolerance * np.abs(J).max() ** 2}
    value = backend.to_numpy(reply.value)
    np.testing.assert_allclose(value, chained_rosenbrock(START)[0], rtol=1e2 * backend.eps)
    np.testing.assert_allclose(backend.to_numpy(reply.grad), chained_rosenbrock(START)[1], **near)
    np.testing.assert_allclose(backend.to_numpy(at.r), r, rtol=1e2 * backend.eps)
    np.testing.assert_allclose(backend.to_numpy(at.jvp(backend.asarray(V))), J @ V, **near)
    np.testing.assert_allclose(backend.to_numpy(at.vjp(backend.asarray(U))), U @ J, **near)
    np.testing.assert_allclose(backend.to_numpy(at(backend.asarray(V))), J.T @ (J @ V), **near)
    np.testing.assert_allclose(backend.to_numpy(at.columns()), J, **near)
    np.testing.assert_allclose(backend.to_numpy(at.dense()), J.T @ J, **near)
    if at.matrix is not None:
        squares = backend.to_numpy(at.diagonal())
        np.testing.assert_allclose(squares, (J**2).sum(axis=0), **near)


def test_sparse_matrices_of_scipy():
    sparse = pytest.importorskip("scipy.sparse")
    problem = Chained(NUMPY)
    for kind in (sparse.csr_matrix, sparse.csc_array, sparse.coo_matrix):
        oracle = SumOfSquares(problem.residual, lambda x, kind=kind: kind(problem.jacobian(x)))
        at = answered(oracle, START).residual
        J = problem.jacobian(START)
        assert at.matrix is None
        np.testing.assert_allclose(at(V), J.T @ (J @ V))
        np.testing.assert_allclose(at.diagonal(), (J**2).sum(axis=0))
        np.testing.assert_allclose(at.columns(), J)


@pytest.mark.parametrize(
    ("form", "values", "gradients"),
    [("matrix", 1, 1), ("both", 1, 1), ("pair", 1, 1), ("2-point", 5, 1), ("3-point", 9, 1)],
)
def test_all_is_counted_and_nothing_evaluated_twice(form, values, gradients):
    problem = Chained(NUMPY)
    oracle = SumOfSquares(*FORMS[form](problem))
    at = answered(oracle, START).residual
    counts = oracle.counts
    assert [counts.values, counts.gradients, counts.products] == [values, gradients, 0]
    assert problem.residuals == values
    at(V)
    assert counts.products == 1
    at.columns()
    assert counts.products == (5 if form == "pair" else 1)
    answered(oracle, START, Wants.VALUE)
    assert problem.residuals == values + 1
    result = hessx.minimize(oracle, START, method="lm")
    assert result.success
    assert result.nfev == values * result.njev  # the accepted points are not asked for again


def test_the_hessian_is_the_whole_one():
    problem = Chained(NUMPY)
    oracle = SumOfSquares(problem.residual, problem.jacobian)
    product = answered(oracle, START, Wants.HESSIAN).hessian
    H = np.stack([product(e) for e in np.eye(4)])
    step = 1e-5
    expected = np.stack([
        (chained_rosenbrock(START + step * e)[1] - chained_rosenbrock(START - step * e)[1])
        / (2 * step)
        for e in np.eye(4)
    ])  # fmt: skip
    np.testing.assert_allclose(H, expected, atol=1e-2, rtol=1e-5)
    assert abs(H - problem.jacobian(START).T @ problem.jacobian(START)).max() > 100.0


def test_the_run_is_that_of_the_function(backend):
    """By methods that know no residuals, up to rounding."""
    if backend.lazy:
        pytest.skip("takes long on a lazy library")
    x0, problem = backend.asarray(START), Chained(backend)
    options = {"maxiter": 5}
    for method in ("lbfgs", "bfgs"):
        squares = SumOfSquares(problem.residual, problem.jacobian)
        found = hessx.minimize(squares, x0, method=method, options=options)
        known = hessx.minimize(chained_rosenbrock, x0, method=method, jac=True, options=options)
        backend.assert_same_kind(found.x, x0)
        assert [found.nit, found.nfev] == [known.nit, known.nfev]
        near = {"rtol": 1e5 * backend.eps, "atol": 1e5 * backend.eps}
        x, expected = backend.to_numpy(found.x), backend.to_numpy(known.x)
        np.testing.assert_allclose(x, expected, **near)


def test_x_of_two_axes_and_trees(backend):
    if backend.lazy:
        pytest.skip("takes long on a lazy library")
    problem, x0 = Chained(backend), backend.asarray(START.reshape(2, 2))
    options = {"gtol": 1e-3}
    result = hessx.minimize(SumOfSquares(problem.residual, problem.jacobian), x0, options=options)
    backend.assert_same_kind(result.x, x0)
    np.testing.assert_allclose(backend.to_numpy(result.x), 1.0, atol=1e-3)
    xp = space_of(x0).xp
    tree = {"a": backend.asarray(START[:1]), "b": backend.asarray(START[1:])}
    for jac in (lambda x: problem.jacobian(xp.concat([x["a"], x["b"]])), "2-point"):
        squares = SumOfSquares(lambda x: problem.residual(xp.concat([x["a"], x["b"]])), jac)
        result = hessx.minimize(squares, tree, options=options)
        np.testing.assert_allclose(backend.to_numpy(result.x["b"]), 1.0, atol=1e-3)


def test_buffers_are_the_users():
    """The same arrays are returned each time, and x is written to."""
    problem = Chained(NUMPY)
    r, J = np.empty(problem.m), np.empty((problem.m, 4))

    def residual(x):
        r[:] = problem.residual(x)
        x[:] = np.nan
        return r

    def jacobian(x):
        J[:] = problem.jacobian(x)
        x[:] = np.nan
        return J

    for method in ("lm", "lm-cg"):
        found = hessx.minimize(SumOfSquares(residual, jacobian), START, method=method)
        squares = SumOfSquares(problem.residual, problem.jacobian)
        expected = hessx.minimize(squares, START, method=method)
        np.testing.assert_array_equal(found.x, expected.x)
        assert found.nfev == expected.nfev


def test_a_sparse_buffer_is_the_users():
    """Its values are written again by the next call, which a rejected step may make."""
    sparse = pytest.importorskip("scipy.sparse")
    problem = Chained(NUMPY)
    J = sparse.csr_array(problem.jacobian(np.array([2.0, 3.0, 4.0, 5.0])))

    def jacobian(x):
        J.data[:] = problem.jacobian(x)[J.nonzero()]
        return J

    for method in (TrustRegionMethod(GaussNewton()), "lm-cg"):
        found = hessx.minimize(SumOfSquares(problem.residual, jacobian), START, method=method)
        squares = SumOfSquares(problem.residual, lambda x: sparse.csr_array(problem.jacobian(x)))
        expected = hessx.minimize(squares, START, method=method)
        np.testing.assert_array_equal(found.x, expected.x)


def test_a_number_is_one_residual():
    squares = SumOfSquares(lambda x: x[0] - 2.0 * x[1] - 1.0, lambda x: [1.0, -2.0])
    np.testing.assert_allclose(hessx.minimize(squares, [0.0, 0.0]).x, [0.2, -0.4])


def test_arguments_and_lists():
    rows = [[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]
    squares = SumOfSquares(
        lambda x, A, b: [a[0] * x[0] + a[1] * x[1] - c for a, c in zip(A, b, strict=True)],
        lambda x, A, b: A,
        args=(rows, [1.0, 2.0, 3.0]),
    )
    x = hessx.minimize(squares, [0.0, 0.0]).x
    np.testing.assert_allclose(x, np.linalg.lstsq(np.array(rows), [1.0, 2.0, 3.0], rcond=None)[0])


def test_differences_follow_the_rounding_of_the_residual():
    """float32 residuals of a float64 x: steps of float64 would drown in their rounding."""
    problem = Chained(NUMPY)
    for scheme, tolerance in (("2-point", 2e-3), ("3-point", 1e-4)):
        rounded = SumOfSquares(lambda x: problem.residual(x).astype(np.float32), scheme)
        J = answered(rounded, START).residual.matrix
        np.testing.assert_allclose(J, problem.jacobian(START), atol=tolerance * abs(J).max())


def test_steps_are_relative_to_x_and_its_scale():
    seen = []

    def residual(x):
        seen.append(x.copy())
        return x

    x = np.array([1e3, 1e-3, 0.0])
    answered(SumOfSquares(residual, rel_step=1e-3, x_scale=[1.0, 0.1, 2.0]), x)
    steps = np.array(seen[1:]) - x
    np.testing.assert_allclose(steps, np.diag([1.0, 1e-4, 2e-3]), atol=1e-12)


def test_a_residual_that_is_not_finite_is_trouble():
    squares = SumOfSquares(lambda x: np.log(x), lambda x: np.diag(1.0 / x))
    with np.errstate(all="ignore"):
        assert hessx.minimize(squares, [-1.0, 2.0]).outcome is Outcome.FAILED_NONFINITE
        result = hessx.minimize(squares, [3.0, 0.2])  # Gauss-Newton's step from 3 leads below 0
    assert result.success
    np.testing.assert_allclose(result.x, 1.0, atol=1e-5)
    steep = SumOfSquares(lambda x: 1e200 * x, lambda x: 1e200 * np.eye(len(x)))
    assert not hessx.minimize(steep, [1.0, 2.0]).success


def test_a_jacobian_that_is_not_finite_is_trouble():
    squares = SumOfSquares(lambda x: x, lambda x: np.full((2, 2), np.nan))
    for method in ("lm", "lm-cg", "bfgs"):
        result = hessx.minimize(squares, [1.0, 2.0], method=method)
        assert result.outcome is Outcome.FAILED_NONFINITE, method


def ones(m):
    return lambda x: np.ones(m)


@pytest.mark.parametrize(
    ("squares", "error", "words"),
    [
        (lambda: SumOfSquares(3.0), TypeError, "residual is a float: expected a callable"),
        (lambda: SumOfSquares(ones(2), "4-point"), ValueError, "jac = '4-point': expected a call"),
        (lambda: SumOfSquares(ones(2), np.eye(2)), ValueError, "jac is a ndarray: expected a call"),
        (lambda: SumOfSquares(ones(2), rel_step=0.0), SettingsError, r"rel_step = 0.0: expected"),
        (lambda: SumOfSquares(ones(2), x_scale=-1.0), SettingsError, r"x_scale = -1.0: expected"),
        (lambda: SumOfSquares(ones(2), x_scale=[1.0]), SettingsError, "x_scale has 1 entries"),
        (lambda: SumOfSquares(ones((2, 2))), ValueError, r"residual\(x\) has shape \(2, 2\): exp"),
        (lambda: SumOfSquares(lambda x: (x, np.eye(2))), TypeError, "r alone, or jac=True"),
        (lambda: SumOfSquares(ones(0)), ValueError, r"shape \(0,\): expected \(m,\), 1-D, with m"),
        (lambda: SumOfSquares(lambda x: None), TypeError, "NoneType, expected an array"),
        (lambda: SumOfSquares(lambda x: x * 1j), TypeError, "dtype complex128, expected float64"),
        (lambda: SumOfSquares(ones(2), lambda x: np.eye(3)), ValueError, r"\(3, 3\): expected \("),
        (lambda: SumOfSquares(ones(2), lambda x: np.ones(2)), ValueError, r"\(2,\): expected \(2"),
        (
            lambda: SumOfSquares(ones(2), lambda x: "J"),
            TypeError,
            "is a str: expected an array of sh",
        ),
        (lambda: SumOfSquares(ones(2), True), TypeError, r"expected \(r, J\) because of jac=True"),
        (lambda: SumOfSquares(ones(2), "autodiff"), TypeError, "numpy does not differentiate"),
        (
            lambda: SumOfSquares(ones(2), lambda x: (lambda v: v[:1], lambda u: np.ones(3))),
            ValueError,
            r"J v has shape \(1,\): expected \(2,\) \(that of the residual\)",
        ),
        (
            lambda: SumOfSquares(ones(2), lambda x: (lambda v: v, lambda u: u[:1])),
            ValueError,
            r"J'u has shape \(1,\): expected \(3,\)",
        ),
    ],
)
def test_bad_input(squares, error, words):
    with pytest.raises(error, match=words):
        hessx.minimize(squares(), [1.0, 2.0, 3.0], method="lm-cg")


def test_the_length_does_not_change():
    lengths = iter([3, 3, 2])
    squares = SumOfSquares(lambda x: x[: next(lengths)], "2-point")
    with pytest.raises(ValueError, match="has 2 entries, and had 3 before"):
        answered(squares, np.ones(3))


@pytest.mark.backends("fakegpu", "strict-device1", "torch-float32")
def test_other_kinds_than_x(backend):
    x0 = backend.asarray(START)
    problem = Chained(backend)
    host = SumOfSquares(lambda x: np.ones(6), problem.jacobian)
    with pytest.raises(TypeError, match=r"residual\(x\) has .* expected"):
        hessx.minimize(host, x0)
    host = SumOfSquares(problem.residual, lambda x: np.ones((6, 4)))
    with pytest.raises(TypeError, match=r"jac\(x\) has .* expected"):
        hessx.minimize(host, x0)


def test_no_hessian_of_differences():
    with pytest.raises(ValueError, match=r"no Hessian: expected SumOfSquares\(residual, jac\)"):
        hessx.minimize(SumOfSquares(Chained(NUMPY).residual), START, method="trust-ncg")
    with pytest.raises(ValueError, match="give jac, or take a method that needs none"):
        answered(SumOfSquares(Chained(NUMPY).residual), START, Wants.HESSIAN)


def tridiagonal(x):
    """Broyden's tridiagonal function."""
    xp = compat.array_namespace(x)
    zero = xp.zeros(1, dtype=x.dtype, device=compat.device(x))
    left, right = xp.concat([zero, x[:-1]]), xp.concat([x[1:], zero])
    return (3.0 - 2.0 * x) * x - left - 2.0 * right + 1.0


@pytest.mark.parametrize("scheme", ["2-point", "3-point"])
def test_columns_of_a_sparse_jacobian_are_moved_together(backend, scheme):
    n = 7
    x = np.linspace(-2.0, 1.0, n)
    J = np.diag(3.0 - 4.0 * x) - np.eye(n, k=-1) - 2.0 * np.eye(n, k=1)
    squares = SumOfSquares(tridiagonal, scheme, sparsity=J != 0.0)
    reply = answered(squares, backend.asarray(x))
    assert squares.counts.values == (4 if scheme == "2-point" else 7)
    at = reply.residual
    assert at.matrix is None
    near = {
        "rtol": 1e2 * backend.eps ** ERRORS[scheme],
        "atol": 1e2 * backend.eps ** ERRORS[scheme],
    }
    np.testing.assert_allclose(backend.to_numpy(at.columns()), J, **near)
    np.testing.assert_allclose(backend.to_numpy(at.diagonal()), (J**2).sum(axis=0), **near)
    dense = SumOfSquares(tridiagonal, scheme)
    expected = answered(dense, backend.asarray(x))
    assert dense.counts.values == (n + 1 if scheme == "2-point" else 2 * n + 1)
    for found, known in (
        (reply.grad, expected.grad),
        (reply.precision.moved, expected.precision.moved),
    ):
        found, known = backend.to_numpy(found), backend.to_numpy(known)
        np.testing.assert_allclose(found, known, rtol=1e3 * backend.eps, atol=1e3 * backend.eps)


def test_ten_thousand_unknowns_by_four_residuals_a_point():
    n = 10_000
    pattern = hessx.Pattern.banded(n, 1)
    squares = SumOfSquares(tridiagonal, sparsity=pattern)
    result = hessx.minimize(squares, -np.ones(n), method="lm-cg")
    assert result.success
    assert result.nfev == 4 * result.njev
    assert abs(tridiagonal(result.x)).max() <= 1e-4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sparsity": np.eye(3)}, r"\(3, 3\)"),
        ({"sparsity": np.eye(2), "jac": np.diag}, "sparsity beside jac: expected jac = '2-point'"),
    ],
)
def test_a_pattern_that_does_not_fit(given, words):
    with pytest.raises((TypeError, ValueError), match=words):
        hessx.minimize(SumOfSquares(lambda x: x, **given), [1.0, 2.0])
