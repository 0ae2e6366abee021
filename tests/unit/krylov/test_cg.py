"""CG with one packet per product beside textbook CG, in both precisions."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest

from _helpers.quadratics import Quadratic, symmetric
from _helpers.registry import UnavailableError, make_backend
from hessx.core import Ball
from hessx.krylov import KrylovOutcome

n = 60
SPECTRA = {
    "geometric": lambda condition: np.geomspace(1.0, condition, n),
    "linear": lambda condition: np.linspace(1.0, condition, n),
    "clusters": lambda condition: np.repeat([1.0, condition**0.5, condition], n // 3),
    "one large": lambda condition: np.append(np.linspace(1.0, 2.0, n - 1), condition),
    "one small": lambda condition: np.append(np.linspace(0.5, 1.0, n - 1), 1.0 / condition),
}
spectra = pytest.mark.parametrize("spectrum", SPECTRA)
every = pytest.mark.parametrize("check_every", [1, 4])
in_double = pytest.mark.parametrize("library", ["numpy", "torch"])
in_single = pytest.mark.parametrize("library", ["numpy-float32", "torch-float32"])
# array-api-strict checks each operation, which takes long: here it runs the shorter tests only
also_strict = pytest.mark.parametrize("library", ["numpy", "torch", "strict"])


def opened(library):
    """The backend, with every parameter in the quick suite too."""
    try:
        return make_backend(library)
    except UnavailableError as error:
        pytest.skip(str(error))


def seeds(library, count):
    """Random problems: all on NumPy, three on torch, which takes five times as long for each."""
    return range(count if library.startswith("numpy") else 3)


def pose(library, spectrum, condition, seed):
    """A model with random eigenvectors; H and g are those that the precision can hold."""
    rng = np.random.default_rng(seed)
    H = symmetric(rng, SPECTRA[spectrum](condition))
    return Quadratic(opened(library), H, rng.standard_normal(n))


def residual(posed, p):
    """norm(g + H p), recomputed in float64, in units of norm(g)."""
    return np.linalg.norm(posed.g + posed.H @ p) / np.linalg.norm(posed.g)


@functools.lru_cache(maxsize=40)  # the problems of one test, for the next check_every
def textbook_on(library, spectrum, condition, seed):
    posed = pose(library, spectrum, condition, seed)
    ended = posed.textbook(1e-2 * np.linalg.norm(posed.g), 20 * n)
    ended.iterates, ended.directions = [], []  # thousands of vectors
    return posed, ended


def solve_beside_the_textbook(posed, expected, check_every, limit=20 * n):
    """Solve to two digits and compare: the step; None where the textbook does not get there.

    The textbook runs in the same library, so that its sums are in the same order: beyond condition
    1 / eps it agrees with itself to no digit where rows and columns are permuted.
    """
    if expected.outcome != "solved":
        return None
    solved = posed.solve(check_every, tolerance=1e-2 * np.linalg.norm(posed.g), limit=limit)
    slack = max(2.0, 0.2 * expected.products) + check_every - 1
    assert abs(solved.products - expected.products) <= slack
    assert solved.outcome is KrylovOutcome.SOLVED
    p, z = posed.step_of(solved), posed.host(expected.step)
    assert residual(posed, p) <= 2.0 * max(1e-2, residual(posed, z))
    assert posed.q(p) == pytest.approx(posed.q(z), rel=1e-4)
    return p


@every
@spectra
@also_strict
@pytest.mark.parametrize("condition", [1e1, 1e3, 1e6])
def test_the_first_five_steps(library, spectrum, condition, check_every):
    posed = pose(library, spectrum, condition, 1)
    for steps, iterate in enumerate(posed.textbook(0.0, 5).iterates, start=1):
        solved, z = posed.solve(check_every, limit=steps), posed.host(iterate)
        error = np.linalg.norm(posed.step_of(solved) - z) / np.linalg.norm(z)
        assert error <= 1e-10, (steps, solved.outcome)


@every
@spectra
@in_double
@pytest.mark.parametrize("condition", [1e1, 1e2, 1e4, 1e6, 1e8])
def test_a_solve_to_two_digits(library, spectrum, condition, check_every):
    for seed in seeds(library, 5):
        posed, expected = textbook_on(library, spectrum, condition, seed)
        p = solve_beside_the_textbook(posed, expected, check_every)
        assert residual(posed, p) <= 2e-2


@every
@spectra
@in_single
@pytest.mark.parametrize("condition", [1e1, 1e2, 1e4, 1e6])
def test_a_solve_to_two_digits_in_float32(library, spectrum, condition, check_every):
    for seed in seeds(library, 5):
        posed, expected = textbook_on(library, spectrum, condition, seed)
        assert solve_beside_the_textbook(posed, expected, check_every) is not None


@every
@in_single
@pytest.mark.parametrize("condition", [1e2, 1e4, 1e6, 1e8])
def test_eigenvalues_that_float32_can_hold(library, condition, check_every):
    """A diagonal matrix has its condition in float32 too, at 1e8 beyond 1 / eps.

    The smallest curvatures are then below eps times the largest, and yet no rounding.
    """
    rng = np.random.default_rng(4)
    for spectrum in SPECTRA:
        for _ in seeds(library, 8):
            values, g = np.diag(SPECTRA[spectrum](condition)), rng.standard_normal(n)
            posed = Quadratic(opened(library), values, g)
            expected = posed.textbook(1e-2 * np.linalg.norm(posed.g), 4 * n)
            p = solve_beside_the_textbook(posed, expected, check_every, 4 * n)
            assert p is None or residual(posed, p) <= 2e-2
            outcome = posed.solve(check_every, limit=4 * n).outcome
            assert outcome not in (KrylovOutcome.NEGATIVE, KrylovOutcome.FLAT)


@every
@in_single
@pytest.mark.parametrize("condition", [1e7, 3e7, 1e8])
def test_curvature_that_rounding_hides_in_float32(library, condition, check_every):
    """A dense matrix with a condition near 1 / eps: small curvature is walked on all the same.

    No vector of float32 has a small residual there.
    """
    compared, problems = 0, [*itertools.product(SPECTRA, seeds(library, 8))]
    for spectrum, seed in problems:
        posed, expected = textbook_on(library, spectrum, condition, seed)
        if np.linalg.eigvalsh(posed.H)[0] > 0.0:  # rounded to float32 it may be indefinite
            compared += solve_beside_the_textbook(posed, expected, check_every) is not None
    assert compared >= len(problems) / 5


@every
@spectra
@in_single
@pytest.mark.parametrize("condition", [1e2, 1e4, 1e6])
@pytest.mark.parametrize("tolerance", [0.0, 1e-3])
def test_a_positive_definite_hessian_is_never_called_negative(
    library, spectrum, condition, tolerance, check_every
):
    for seed in seeds(library, 8):
        posed = pose(library, spectrum, condition, seed)
        assert np.linalg.eigvalsh(posed.H)[0] > 0.0
        limits = {"tolerance": tolerance * np.linalg.norm(posed.g), "limit": 4 * n}
        outcome = posed.solve(check_every, **limits).outcome
        assert outcome not in (KrylovOutcome.NEGATIVE, KrylovOutcome.NONFINITE)


@every
@spectra
@in_double
@pytest.mark.parametrize("condition", [1e1, 1e3, 1e6])
@pytest.mark.parametrize("share", [0.5, 0.1])
def test_a_settled_solve(library, spectrum, condition, share, check_every):
    """A stiff part of g hides the rest: the residual is small long before the model is low."""
    posed = pose(library, spectrum, condition, 6)
    limits = {"tolerance": share * np.linalg.norm(posed.g), "limit": 20 * n, "settled": True}
    expected, solved = posed.textbook(**limits), posed.solve(check_every, **limits)
    assert expected.products <= solved.products <= expected.products + check_every - 1
    q, textbook = posed.q(posed.step_of(solved)), posed.q(posed.host(expected.step))
    assert q == pytest.approx(textbook, rel=1e-8)


@also_strict
@spectra
def test_the_end_is_seen_before_another_product(library, spectrum):
    posed = pose(library, spectrum, 1e3, 3)
    limits = {"tolerance": 1e-6 * np.linalg.norm(posed.g), "limit": 20 * n}
    assert posed.solve(**limits).products == posed.textbook(**limits).products


@pytest.mark.parametrize("size", [2.0**-60, 2.0**60])
@every
def test_the_units_of_f_and_x_change_no_digit(size, check_every):
    posed = pose("numpy", "geometric", 1e4, 2)
    backend = posed.backend
    one = posed.solve(check_every, tolerance=1e-6, restraint=Ball(0.5))
    other = Quadratic(backend, posed.H * size, posed.g * size)
    scaled = other.solve(check_every, tolerance=1e-6 * size, restraint=Ball(0.5))
    np.testing.assert_array_equal(scaled.step, one.step)
    assert scaled.decrease == one.decrease * size
    assert (scaled.outcome, scaled.products) == (one.outcome, one.products)


@every
@pytest.mark.backends("numpy-float32", "torch-float32", "strict-no_float64")
@pytest.mark.parametrize("conditioned", [False, True])
def test_squares_beyond_float32_are_no_end(backend, conditioned, check_every):
    """H is so large that s's would overflow, and r'r does not."""
    values = np.geomspace(1e21, 1e24, n)
    M = np.diag(2.0 / (values + 1e22)) if conditioned else None
    g = np.random.default_rng(6).standard_normal(n)
    posed = Quadratic(backend, np.diag(values), g, M)
    tolerance = 1e-2 * float(np.linalg.norm(posed.g))
    solved = posed.solve(check_every, tolerance=tolerance, limit=4 * n)
    assert solved.outcome is KrylovOutcome.SOLVED
    p = posed.step_of(solved)
    assert np.linalg.norm(posed.g + posed.H @ p) <= 2.0 * tolerance
