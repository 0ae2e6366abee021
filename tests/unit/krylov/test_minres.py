"""MINRES against dense solutions, SciPy's iterates and its own inequalities."""

from __future__ import annotations

import numpy as np
import pytest

from hessx.krylov import LinearOutcome, minres

scipy_linalg = pytest.importorskip("scipy.sparse.linalg")

n = 12
INDEFINITE = np.concatenate([-np.geomspace(0.5, 3.0, 5), np.geomspace(0.3, 4.0, 7)])
DEFINITE = np.geomspace(0.1, 2.0, n)


def relative(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def rounded(backend, a):
    """A host array as the backend sees it, in float64."""
    return np.asarray(a).astype(backend.dtype_name).astype(np.float64)


@pytest.mark.parametrize("spectrum", [INDEFINITE, DEFINITE], ids=["indefinite", "definite"])
@pytest.mark.parametrize("check_every", [1, 4])
def test_the_solution_is_the_dense_one(backend, rng, spectral, spectrum, check_every):
    A, _ = spectral(spectrum)
    b = rng.standard_normal(n)
    matrix, rhs = backend.asarray(A), backend.asarray(b)
    rtol = 100.0 * backend.eps
    result = minres(lambda v: matrix @ v, rhs, rtol=rtol, check_every=check_every)
    assert result.outcome is LinearOutcome.SOLVED, result.message
    backend.assert_same_kind(result.x, rhs)
    x, A, b = backend.to_numpy(result.x).astype(float), rounded(backend, A), rounded(backend, b)
    cond = abs(spectrum).max() / abs(spectrum).min()
    assert relative(x, np.linalg.solve(A, b)) <= 4.0 * rtol * cond
    assert 1 < result.condition <= 1.1 * cond
    assert result.operator_norm <= 1.01 * abs(spectrum).max()
    assert result.iterations <= result.products < result.iterations + check_every


def test_a_start_a_shift_and_the_shape_of_b(backend, rng, spectral):
    A, _ = spectral(INDEFINITE)
    b, x0 = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
    matrix, rhs, start = map(backend.asarray, (A, b, x0))
    xp, seen = backend.xp, set()

    def product(v):
        seen.add(tuple(v.shape))
        return xp.reshape(matrix @ xp.reshape(v, (-1,)), v.shape)

    result = minres(product, rhs, x0=start, shift=0.1, rtol=100.0 * backend.eps)
    assert result.outcome is LinearOutcome.SOLVED, result.message
    assert seen == {(3, 4)}
    assert result.products == result.iterations + 1
    backend.assert_same_kind(result.x, rhs)
    np.testing.assert_array_equal(backend.to_numpy(start), x0.astype(backend.dtype_name))
    expected = np.linalg.solve(A - 0.1 * np.eye(n), b.ravel())
    got = backend.to_numpy(result.x).ravel()
    gap = abs(INDEFINITE - 0.1).min()
    assert relative(got, expected) <= 2000.0 * backend.eps * abs(INDEFINITE).max() / gap


def test_a_preconditioner(backend, rng, spectral):
    scale = np.geomspace(1.0, 100.0, n)
    core, _ = spectral(np.concatenate([-np.ones(5), np.linspace(1.0, 1.5, 7)]))
    A = scale[:, None] * core * scale
    b = scale * rng.standard_normal(n)
    matrix, rhs, inverse = map(backend.asarray, (A, b, scale**-2.0))
    rtol = 100.0 * backend.eps
    result = minres(matrix, rhs, M=lambda r: inverse * r, rtol=rtol, max_iterations=5 * n)
    assert result.outcome is LinearOutcome.SOLVED, result.message
    assert result.condition <= 1.6
    got = scale * backend.to_numpy(result.x)
    assert relative(got, np.linalg.solve(core, b / scale)) <= 10.0 * rtol
    r = (b - A @ backend.to_numpy(result.x).astype(float)) / scale
    assert np.linalg.norm(r) <= 4.0 * rtol * np.linalg.norm(b / scale) * 2.0


@pytest.mark.parametrize("definite", [True, False])
def test_a_singular_consistent_system_gives_the_least_norm(backend, rng, spectral, definite):
    spectrum = np.concatenate([np.zeros(2), DEFINITE[2:] if definite else INDEFINITE[2:]])
    A, _ = spectral(spectrum)
    b = A @ rng.standard_normal(n)
    result = minres(backend.asarray(A), backend.asarray(b))
    assert result.outcome is LinearOutcome.SOLVED, result.message
    x = backend.to_numpy(result.x)
    least = np.linalg.pinv(A, rcond=1e-10) @ b
    cond = abs(spectrum).max() / abs(spectrum[2:]).min()
    assert relative(x, least) <= 4.0 * cond * backend.eps**0.5


def test_an_inconsistent_system_gives_least_squares(backend, rng, spectral):
    A, Q = spectral(np.concatenate([np.zeros(2), INDEFINITE[2:]]))
    b = A @ rng.standard_normal(n) + Q[:, 0]
    result = minres(backend.asarray(A), backend.asarray(b))
    assert result.outcome is LinearOutcome.LEAST_SQUARES, result.message
    r = b - A @ backend.to_numpy(result.x).astype(float)
    rtol = backend.eps**0.5
    assert np.linalg.norm(A @ r) <= 3.0 * rtol * np.linalg.norm(A, 2) * np.linalg.norm(r)
    assert result.normal_residual_norm <= rtol * result.operator_norm * result.residual_norm
    np.testing.assert_allclose(result.residual_norm, np.linalg.norm(r), rtol=4.0 * rtol)
    np.testing.assert_allclose(np.linalg.norm(r), 1.0, rtol=4.0 * rtol)


@pytest.mark.parametrize("rtol", [None, 1e-11])
def test_success_is_not_claimed_where_rounding_hides_it(rng, spectral, rtol):
    """With a tolerance below sqrt(eps) the x of least squares grows without bound."""
    size = 60
    A, _ = spectral(np.concatenate([np.zeros(5), np.linspace(1.0, 10.0, size - 5)]))
    b = rng.standard_normal(size)
    result = minres(A, b, rtol=rtol)
    r = b - A @ result.x
    reached = np.linalg.norm(A @ r) / (np.linalg.norm(A, 2) * np.linalg.norm(r))
    assert result.success == (reached <= (rtol or np.finfo(float).eps ** 0.5)), result.message


@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_the_first_iterates_are_scipys(rng, spectral, shift):
    A, _ = spectral(INDEFINITE)
    b, x0 = rng.standard_normal((2, n))
    theirs = []
    scipy_linalg.minres(
        A, b, x0=x0, shift=shift, rtol=1e-12, callback=lambda x: theirs.append(x.copy())
    )
    if shift:  # SciPy leaves the shift out of its first residual
        theirs = []
        scipy_linalg.minres(
            A - shift * np.eye(n), b, x0=x0, rtol=1e-12, callback=lambda x: theirs.append(x.copy())
        )
    for k in range(1, 8):
        ours = minres(A, b, x0=x0, shift=shift, rtol=0.0, max_iterations=k)
        assert ours.outcome is LinearOutcome.LIMIT
        assert ours.iterations == k
        assert relative(ours.x, theirs[k - 1]) <= 1e-11
        r = b - A @ ours.x + shift * ours.x
        np.testing.assert_allclose(ours.residual_norm, np.linalg.norm(r), rtol=1e-10)


def test_scaling_by_powers_of_two_is_exact(rng, spectral):
    A, _ = spectral(INDEFINITE)
    b = rng.standard_normal(n)
    plain = minres(A, b, shift=0.25)
    for k, j in [(40, 0), (0, -300), (-60, 200)]:
        scaled = minres(A * 2.0**k, b * 2.0**j, shift=0.25 * 2.0**k)
        np.testing.assert_array_equal(scaled.x, plain.x * 2.0 ** (j - k))
        assert scaled.outcome is plain.outcome
        assert scaled.residual_norm == plain.residual_norm * 2.0**j
        assert (scaled.operator_norm, scaled.condition) == (
            plain.operator_norm * 2.0**k,
            plain.condition,
        )


@pytest.mark.backends("numpy", "torch", "jax")
def test_the_result_does_not_depend_on_check_every(backend, rng, spectral):
    A, _ = spectral(INDEFINITE)
    matrix, rhs = backend.asarray(A), backend.asarray(rng.standard_normal(n))
    one, *others = (minres(matrix, rhs, check_every=k) for k in (1, 3, 8, 100))
    for other in others:
        np.testing.assert_array_equal(backend.to_numpy(other.x), backend.to_numpy(one.x))
        assert other.message == one.message
        assert other.iterations == one.iterations


def test_simple_ends(backend):
    A, zero = backend.asarray(np.diag([1.0, 2.0, 0.0])), backend.asarray(np.zeros(3))
    solved = minres(A, zero)
    assert (solved.outcome, solved.products) == (LinearOutcome.SOLVED, 0)
    np.testing.assert_array_equal(backend.to_numpy(solved.x), 0.0)
    null = minres(A, backend.asarray([0.0, 0.0, 3.0]), check_every=3)
    assert null.outcome is LinearOutcome.LEAST_SQUARES
    np.testing.assert_array_equal(backend.to_numpy(null.x), 0.0)
    eigenvector = minres(A, backend.asarray([0.0, 4.0, 0.0]), check_every=3)
    assert (eigenvector.outcome, eigenvector.iterations) == (LinearOutcome.SOLVED, 1)
    np.testing.assert_allclose(backend.to_numpy(eigenvector.x), [0.0, 2.0, 0.0])
    solution = backend.asarray([1.0, 2.0, 5.0])
    started = minres(A, backend.asarray([1.0, 4.0, 0.0]), x0=solution)
    assert (started.outcome, started.iterations) == (LinearOutcome.SOLVED, 0)
    limit = minres(A, solution, max_iterations=0)
    assert (limit.outcome, limit.products) == (LinearOutcome.LIMIT, 0)


def test_tiny_and_huge_right_hand_sides(backend):
    A = backend.asarray(np.diag([1.0, -2.0]))
    for size in (1e-30, 1e30):
        result = minres(A, backend.asarray([size, 2.0 * size]))
        assert result.outcome is LinearOutcome.SOLVED, result.message
        np.testing.assert_allclose(
            backend.to_numpy(result.x), [size, -size], rtol=10.0 * backend.eps
        )


def test_the_users_arrays_are_not_written(rng, spectral):
    """Vectors handed to A and M stay as they were, and their reused buffers do no harm."""
    A, _ = spectral(INDEFINITE)
    b, buffer, seen = rng.standard_normal(n), np.empty(n), []

    def product(v):
        seen.append((v, v.copy()))
        buffer[:] = A @ v
        return buffer

    def same(r):
        seen.append((r, r.copy()))
        return r

    kept = b.copy()
    result = minres(product, b, M=same, check_every=3)
    np.testing.assert_array_equal(b, kept)
    for given, then in seen:
        np.testing.assert_array_equal(given, then)
    np.testing.assert_array_equal(result.x, minres(A, b).x)
