"""LSMR against dense least squares and SciPy's iterates and estimates."""

from __future__ import annotations

import array_api_compat as compat
import numpy as np
import pytest

from hessx.krylov import LinearOutcome, lsmr

scipy_linalg = pytest.importorskip("scipy.sparse.linalg")

SHAPES = [(20, 8), (8, 20), (12, 12)]
VALUES = np.geomspace(0.3, 2.0, 8)
COND = VALUES[-1] / VALUES[0]


def relative(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def least_squares(A, b, damp=0.0, x0=0.0):
    """The dense solution, nearest to x0, and the residual of the damped system."""
    n = A.shape[1]
    start = np.zeros(n) + x0
    stacked = np.vstack([A, damp * np.eye(n)])
    target = np.concatenate([b - A @ start, np.zeros(n)])
    step = np.linalg.lstsq(stacked, target, rcond=1e-5)[0]
    return start + step, target - stacked @ step


def rounded(backend, a):
    return np.asarray(a).astype(backend.dtype_name).astype(np.float64)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("damp", [0.0, 0.5])
def test_the_solution_is_the_dense_one(backend, rng, rectangular, shape, damp):
    """Of full and of deficient rank (12 x 12 of rank 8), with and without damping."""
    A, b = rectangular(*shape, VALUES), rng.standard_normal(shape[0])
    tol = 100.0 * backend.eps
    rhs = backend.asarray(b)
    result = lsmr(backend.asarray(A), rhs, damp=damp, atol=tol, btol=tol, check_every=2)
    assert result.success, result.message
    expected, residual = least_squares(rounded(backend, A), rounded(backend, b), damp)
    backend.assert_same_kind(result.x, backend.asarray(expected))
    assert relative(backend.to_numpy(result.x), expected) <= 20.0 * tol * COND**2
    consistent = shape == (8, 20) and damp == 0.0
    wanted = LinearOutcome.SOLVED if consistent else LinearOutcome.LEAST_SQUARES
    assert result.outcome is wanted
    if not consistent:
        np.testing.assert_allclose(result.residual_norm, np.linalg.norm(residual), rtol=100.0 * tol)
    # A is 2.0 in the 2-norm; the estimate is of Frobenius' kind
    assert result.operator_norm >= 1.9
    assert result.condition >= 1.0


def test_a_start_and_a_shaped_x(backend, rng, rectangular):
    A, b = rectangular(20, 6, VALUES[2:]), rng.standard_normal(20)
    x0 = 3.0 * rng.standard_normal((2, 3))
    start = backend.asarray(x0)
    settings = {"atol": 100.0 * backend.eps, "btol": 100.0 * backend.eps}
    for damp in (0.0, 0.7):
        result = lsmr(backend.asarray(A), backend.asarray(b), x0=start, damp=damp, **settings)
        assert result.success, result.message
        backend.assert_same_kind(result.x, start)
        expected, _ = least_squares(A, b, damp, x0.ravel())
        got = backend.to_numpy(result.x).ravel()
        assert relative(got, expected) <= 5000.0 * backend.eps * COND**2
    np.testing.assert_array_equal(backend.to_numpy(start), x0.astype(backend.dtype_name))


@pytest.mark.parametrize("damp", [0.0, 0.3])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_first_iterates_and_estimates_are_scipys(rng, rectangular, shape, damp):
    """SciPy starts its estimate of cond(A) from a singular value of 1: here all are above."""
    A, b = 16.0 * rectangular(*shape, VALUES), rng.standard_normal(shape[0])
    x0 = rng.standard_normal(shape[1])
    for k in range(1, 7):
        ours = lsmr(A, b, damp=damp, x0=x0, atol=0.0, btol=0.0, conlim=0.0, max_iterations=k)
        theirs = scipy_linalg.lsmr(
            A, b, damp=damp, x0=x0, atol=0.0, btol=0.0, conlim=0.0, maxiter=k
        )
        assert (ours.iterations, ours.outcome) == (k, LinearOutcome.LIMIT)
        assert ours.products == 2 * k + 2
        assert relative(ours.x, theirs[0]) <= 1e-11
        estimates = (
            ours.residual_norm,
            ours.normal_residual_norm,
            ours.operator_norm,
            ours.condition,
        )
        np.testing.assert_allclose(estimates, theirs[3:7], rtol=1e-9)
        stacked = np.vstack([A, damp * np.eye(shape[1])])
        r = np.concatenate([b - A @ x0, np.zeros(shape[1])]) - stacked @ (ours.x - x0)
        np.testing.assert_allclose(ours.residual_norm, np.linalg.norm(r), rtol=1e-9)
        np.testing.assert_allclose(
            ours.normal_residual_norm, np.linalg.norm(stacked.T @ r), rtol=1e-7
        )


def test_scipys_steps_with_scipys_tolerances(rng, rectangular):
    """The stopping rules are the same, the norm of x followed in place of computed."""
    A, b = rectangular(60, 40, np.geomspace(1e-3, 1.0, 40)), rng.standard_normal(60)
    for tol in (1e-4, 1e-6, 1e-8):
        ours = lsmr(A, b, atol=tol, btol=tol, conlim=1e8, max_iterations=1000)
        theirs = scipy_linalg.lsmr(A, b, atol=tol, btol=tol, conlim=1e8, maxiter=1000)
        assert theirs[1] == 2
        assert ours.outcome is LinearOutcome.LEAST_SQUARES
        assert abs(ours.iterations - theirs[2]) <= max(2, 0.05 * theirs[2])


def test_conditions(backend, rng, rectangular):
    A = rectangular(30, 20, np.geomspace(1e-3, 1.0, 20))
    matrix, rhs = backend.asarray(A), backend.asarray(rng.standard_normal(30))
    limited = lsmr(matrix, rhs, atol=0.0, btol=0.0, conlim=50.0)
    assert limited.outcome is LinearOutcome.ILL_CONDITIONED
    assert 50.0 <= limited.condition <= 1001.0
    damped = lsmr(matrix, rhs, atol=0.0, btol=0.0, conlim=50.0, damp=0.1)
    assert damped.condition <= np.sqrt(1.0 + 0.01) / 0.1
    assert damped.outcome is not LinearOutcome.ILL_CONDITIONED


def test_scaling_by_powers_of_two_is_exact(rng, rectangular):
    A, b = rectangular(20, 8, VALUES), rng.standard_normal(20)
    plain = lsmr(A, b, damp=0.25)
    for k, j in [(40, 0), (0, -300), (-60, 200)]:
        scaled = lsmr(A * 2.0**k, b * 2.0**j, damp=0.25 * 2.0**k)
        np.testing.assert_array_equal(scaled.x, plain.x * 2.0 ** (j - k))
        assert scaled.outcome is plain.outcome
        assert scaled.residual_norm == plain.residual_norm * 2.0**j
        assert scaled.operator_norm == plain.operator_norm * 2.0**k
        assert scaled.condition == plain.condition


@pytest.mark.backends("numpy", "torch", "jax")
def test_the_result_does_not_depend_on_check_every(backend, rng, rectangular):
    A, b = rectangular(20, 8, VALUES), rng.standard_normal(20)
    matrix, rhs = backend.asarray(A), backend.asarray(b)
    one, *others = (lsmr(matrix, rhs, check_every=k) for k in (1, 3, 8, 100))
    for other in others:
        np.testing.assert_array_equal(backend.to_numpy(other.x), backend.to_numpy(one.x))
        assert other.message == one.message
        assert other.iterations == one.iterations


def test_simple_ends(backend):
    A = backend.asarray([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    zero = lsmr(A, backend.asarray([0.0, 0.0, 0.0]))
    assert (zero.outcome, zero.iterations) == (LinearOutcome.SOLVED, 0)
    np.testing.assert_array_equal(backend.to_numpy(zero.x), 0.0)
    orthogonal = lsmr(A, backend.asarray([0.0, 0.0, 3.0]), check_every=3)
    assert (orthogonal.outcome, orthogonal.iterations) == (LinearOutcome.LEAST_SQUARES, 0)
    np.testing.assert_array_equal(backend.to_numpy(orthogonal.x), 0.0)
    singular_vector = lsmr(A, backend.asarray([0.0, 4.0, 0.0]), check_every=3)
    assert (singular_vector.outcome, singular_vector.iterations) == (LinearOutcome.SOLVED, 1)
    np.testing.assert_allclose(backend.to_numpy(singular_vector.x), [0.0, 2.0])
    limit = lsmr(A, backend.asarray([1.0, 4.0, 1.0]), max_iterations=0)
    assert (limit.outcome, limit.iterations) == (LinearOutcome.LIMIT, 0)


def test_tiny_and_huge_right_hand_sides(backend):
    A = backend.asarray([[1.0, 0.0], [0.0, -2.0]])
    for size in (1e-30, 1e30):
        result = lsmr(A, backend.asarray([size, 2.0 * size]))
        assert result.outcome is LinearOutcome.SOLVED, result.message
        np.testing.assert_allclose(
            backend.to_numpy(result.x), [size, -size], rtol=10.0 * backend.eps
        )


def test_a_transposed_product_of_another_kind_is_an_error():
    class Wrong:
        def matvec(self, v):
            return np.concatenate([v, v])

        def rmatvec(self, u):
            return u + 0j

    with pytest.raises(TypeError, match="A'u has dtype complex128"):
        lsmr(Wrong(), np.ones(4))
    with pytest.raises(TypeError, match="matvec and rmatvec"):
        lsmr(lambda v: v, np.ones(4))


def test_the_users_arrays_are_not_written(rng, rectangular):
    """Every vector handed to the products stays as it was, and a reused buffer does no harm."""
    A, b = rectangular(20, 8, VALUES), rng.standard_normal(20)
    seen = []

    class Reusing:
        rows, columns = np.empty(20), np.empty(8)

        def matvec(self, v):
            seen.append((v, v.copy()))
            self.rows[:] = A @ v
            return self.rows

        def rmatvec(self, u):
            seen.append((u, u.copy()))
            self.columns[:] = A.T @ u
            return self.columns

    kept = b.copy()
    result = lsmr(Reusing(), b, check_every=3)
    np.testing.assert_array_equal(b, kept)
    for given, then in seen:
        np.testing.assert_array_equal(given, then)
    assert compat.is_numpy_array(result.x)
    np.testing.assert_array_equal(result.x, lsmr(A, b).x)
