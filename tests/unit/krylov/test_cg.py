"""CG by the predicted residual beside textbook CG, in both precisions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from _helpers.quadratics import Quadratic, symmetric
from _helpers.registry import UnavailableError, make_backend
from hessx.krylov import KrylovOutcome
from reference.krylov import conjugate_gradients, steihaug

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


# NumPy computes r'r after each step, the others predict it
predicting = pytest.mark.parametrize("library", ["numpy", "strict"])
predicting_32 = pytest.mark.parametrize("library", ["numpy-float32", "strict-no_float64"])


def opened(library):
    """The backend, with every parameter in the quick suite too."""
    try:
        return make_backend(library)
    except UnavailableError as error:
        pytest.skip(str(error))


def pose(dtype, spectrum, condition, seed, backend=None):
    """A model, and the same matrix and gradient in its precision."""
    rng = np.random.default_rng(seed)
    H = symmetric(rng, SPECTRA[spectrum](condition))
    if backend is None:
        backend = make_backend("numpy" if dtype == "float64" else "numpy-float32")
    posed = Quadratic(backend, H, rng.standard_normal(n))
    return posed, posed.H.astype(dtype), posed.g.astype(dtype)


def rounding_of_the_textbook(H, g, steps):
    """How far its iterates move where sums are taken in another order: 1e-2 at one large value."""
    order = np.random.default_rng(9).permutation(n)
    back = np.argsort(order)
    other = conjugate_gradients(H[order][:, order], g[order], steps)
    pairs = zip(conjugate_gradients(H, g, steps), other, strict=True)
    return [np.linalg.norm(a - b[back]) / np.linalg.norm(a) for a, b in pairs]


@every
@spectra
@predicting
@pytest.mark.parametrize("condition", [1e1, 1e3, 1e6])
def test_the_first_five_steps(library, spectrum, condition, check_every):
    posed, H, g = pose("float64", spectrum, condition, 1, opened(library))
    own = rounding_of_the_textbook(H, g, 5)
    for steps, z in enumerate(conjugate_gradients(H, g, 5), start=1):
        solved = posed.solve(check_every, limit=steps)
        error = np.linalg.norm(posed.step_of(solved) - z) / np.linalg.norm(z)
        assert error <= max(1e-10, 100.0 * max(own[:steps])), (steps, solved.outcome)


@every
@spectra
@predicting
@pytest.mark.parametrize("condition", [1e1, 1e2, 1e4, 1e6, 1e8])
def test_a_solve_to_two_digits(library, spectrum, condition, check_every):
    for seed in range(5):
        posed, H, g = pose("float64", spectrum, condition, seed, opened(library))
        tolerance, limit = 1e-2 * np.linalg.norm(posed.g), 20 * n
        expected = steihaug(H, g, tolerance, limit)
        solved = posed.solve(check_every, tolerance=tolerance, limit=limit)
        slack = max(2.0, 0.2 * expected.products) + check_every - 1
        assert abs(solved.products - expected.products) <= slack
        assert solved.outcome.value == expected.outcome == "solved"
        p = posed.step_of(solved)
        assert np.linalg.norm(posed.g + posed.H @ p) <= 2.0 * tolerance
        # conjugacy is lost far beyond n products: both paths are then full of rounding
        digits = 1e-4 if expected.products <= 2 * n else 3e-4
        assert posed.q(p) == pytest.approx(posed.q(expected.step), rel=digits)


@every
@spectra
@predicting_32
@pytest.mark.parametrize("condition", [1e1, 1e2, 1e4, 1e6])
def test_a_solve_to_two_digits_in_float32(library, spectrum, condition, check_every):
    """Beside textbook CG in float32, which rounding moves: by 1e-3 at condition 1e6."""
    for seed in range(5):
        posed, H, g = pose("float32", spectrum, condition, seed, opened(library))
        tolerance, limit = 1e-2 * np.linalg.norm(posed.g), 20 * n
        expected = steihaug(H, g, np.float32(tolerance), limit)
        solved = posed.solve(check_every, tolerance=tolerance, limit=limit)
        slack = max(2.0, 0.2 * expected.products) + check_every - 1
        assert abs(solved.products - expected.products) <= slack
        assert solved.outcome.value == expected.outcome == "solved"
        p, textbook = posed.step_of(solved), expected.step.astype(float)
        true = np.linalg.norm(posed.g + posed.H @ textbook)
        assert np.linalg.norm(posed.g + posed.H @ p) <= 2.0 * max(tolerance, true)
        digits = 1e-4 + 1e-2 * posed.backend.eps * condition
        assert posed.q(p) == pytest.approx(posed.q(textbook), rel=digits)


@every
@predicting_32
@pytest.mark.parametrize("condition", [1e2, 1e4, 1e6, 1e8])
def test_eigenvalues_that_float32_can_hold(library, condition, check_every):
    """A diagonal matrix has its condition in float32 too, at 1e8 beyond 1 / eps.

    The smallest curvatures are then below eps times the largest, and yet no rounding.
    """
    rng = np.random.default_rng(4)
    for spectrum in SPECTRA:
        for _ in range(8):
            values, g = np.diag(SPECTRA[spectrum](condition)), rng.standard_normal(n)
            posed = Quadratic(opened(library), values, g)
            H, g = posed.H.astype("float32"), posed.g.astype("float32")
            tolerance = 1e-2 * np.linalg.norm(posed.g)
            expected = steihaug(H, g, np.float32(tolerance), 4 * n)
            solved = posed.solve(check_every, tolerance=tolerance, limit=4 * n)
            assert solved.outcome not in (KrylovOutcome.NEGATIVE, KrylovOutcome.FLAT)
            if expected.outcome == "solved":
                slack = max(2.0, 0.2 * expected.products) + check_every - 1
                assert abs(solved.products - expected.products) <= slack, spectrum
                p = posed.step_of(solved)
                assert np.linalg.norm(posed.g + posed.H @ p) <= 2.0 * tolerance, spectrum
                textbook = posed.q(expected.step.astype(float))
                assert posed.q(p) == pytest.approx(textbook, rel=1e-4), spectrum


@every
@pytest.mark.parametrize("condition", [1e7, 3e7, 1e8])
def test_curvature_that_rounding_hides_in_float32(condition, check_every):
    """A dense matrix with a condition near 1 / eps: small curvature is walked on all the same.

    No vector of float32 has a small residual there, and textbook CG ends elsewhere where its sums
    are taken in another order; step by step ours takes them in the same.
    """
    compared = 0
    for spectrum, seed in itertools.product(SPECTRA, range(8)):
        posed, H, g = pose("float32", spectrum, condition, seed)
        tolerance, limit = 1e-2 * np.linalg.norm(posed.g), 20 * n
        expected = steihaug(H, g, np.float32(tolerance), limit)
        if expected.outcome != "solved" or np.linalg.eigvalsh(posed.H)[0] <= 0.0:
            continue  # rounded to float32 it may be indefinite
        compared += 1
        solved = posed.solve(check_every, tolerance=tolerance, limit=limit)
        assert solved.outcome in (KrylovOutcome.SOLVED, KrylovOutcome.STAGNATED)
        slack = max(2.0, 0.2 * expected.products) + check_every - 1
        assert abs(solved.products - expected.products) <= slack
        if check_every == 1:
            p, textbook = posed.step_of(solved), expected.step.astype(float)
            true = np.linalg.norm(posed.g + posed.H @ textbook)
            assert np.linalg.norm(posed.g + posed.H @ p) <= 2.0 * max(tolerance, true)
            assert posed.q(p) == pytest.approx(posed.q(textbook), rel=1e-4)
    assert compared >= 8


@every
@spectra
@pytest.mark.parametrize("condition", [1e2, 1e4, 1e6])
@pytest.mark.parametrize("tolerance", [0.0, 1e-3])
def test_a_positive_definite_hessian_is_never_called_negative(
    spectrum, condition, tolerance, check_every
):
    for seed in range(8):
        posed, _, _ = pose("float32", spectrum, condition, seed)
        assert np.linalg.eigvalsh(posed.H)[0] > 0.0
        limits = {"tolerance": tolerance * np.linalg.norm(posed.g), "limit": 4 * n}
        outcome = posed.solve(check_every, **limits).outcome
        assert outcome not in (KrylovOutcome.NEGATIVE, KrylovOutcome.NONFINITE)


@every
@spectra
@pytest.mark.parametrize("condition", [1e1, 1e3, 1e6])
@pytest.mark.parametrize("share", [0.5, 0.1])
def test_a_settled_solve(spectrum, condition, share, check_every):
    """A stiff part of g hides the rest: the residual is small long before the model is low."""
    posed, H, g = pose("float64", spectrum, condition, 6)
    tolerance = share * np.linalg.norm(g)
    limits = {"tolerance": tolerance, "limit": 20 * n}
    expected = steihaug(H, g, settled=True, **limits)
    solved = posed.solve(check_every, settled=True, **limits)
    q, textbook = posed.q(posed.step_of(solved)), posed.q(expected.step)
    if expected.products <= 12:
        assert expected.products <= solved.products <= expected.products + check_every - 1
        assert q == pytest.approx(textbook, rel=1e-8)
    else:  # rounding decides at which of many small steps the rule holds first
        slack = 0.2 * expected.products + check_every - 1
        assert abs(solved.products - expected.products) <= slack
        assert q == pytest.approx(textbook, rel=0.05)


@spectra
def test_products_that_the_prediction_saves(spectrum):
    """The end is foreseen: no product more than textbook CG, in float64 at moderate condition."""
    posed, H, g = pose("float64", spectrum, 1e3, 3)
    tolerance = 1e-6 * np.linalg.norm(g)
    expected = steihaug(H, g, tolerance, 20 * n)
    assert posed.solve(tolerance=tolerance, limit=20 * n).products <= expected.products + 1


@pytest.mark.parametrize("size", [2.0**-60, 2.0**60])
@every
def test_the_units_of_f_and_x_change_no_digit(size, check_every):
    posed, _, _ = pose("float64", "geometric", 1e4, 2)
    backend = posed.backend
    one = posed.solve(check_every, tolerance=1e-6, radius=0.5)
    other = Quadratic(backend, posed.H * size, posed.g * size)
    scaled = other.solve(check_every, tolerance=1e-6 * size, radius=0.5)
    np.testing.assert_array_equal(scaled.step, one.step)
    assert scaled.decrease == one.decrease * size
    assert (scaled.outcome, scaled.products) == (one.outcome, one.products)


@every
@pytest.mark.backends("numpy-float32", "torch-float32", "strict-no_float64")
@pytest.mark.parametrize("conditioned", [False, True])
def test_squares_beyond_float32_are_no_end(backend, conditioned, check_every):
    """H is so large that s's overflows: no prediction is left, and the residual is measured."""
    values = np.geomspace(1e21, 1e24, n)
    M = np.diag(2.0 / (values + 1e22)) if conditioned else None
    g = np.random.default_rng(6).standard_normal(n)
    posed = Quadratic(backend, np.diag(values), g, M)
    tolerance = 1e-2 * float(np.linalg.norm(posed.g))
    solved = posed.solve(check_every, tolerance=tolerance, limit=4 * n)
    assert solved.outcome is KrylovOutcome.SOLVED
    p = posed.step_of(solved)
    assert np.linalg.norm(posed.g + posed.H @ p) <= 2.0 * tolerance
