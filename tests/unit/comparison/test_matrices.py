"""Errors and eigenvalues beside closed forms and NumPy's general solvers."""

from __future__ import annotations

import numpy as np
import pytest

from hessx.comparison._matrices import Eigenvalues, error_of, norm, step_numbers


def test_errors_of_a_multiple_of_a_diagonal():
    H, B = np.diag([3.0, 4.0]), np.diag([6.0, 8.0])
    found = error_of(B, H)
    assert found["error"] == pytest.approx(1.0)
    assert found["scale"] == pytest.approx(0.5)
    assert found["scaled_error"] == pytest.approx(0.0, abs=1e-15)


def test_the_best_multiple_is_least_squares(rng):
    B, H = (M + M.T for M in rng.standard_normal((2, 5, 5)))
    H = H + 3.0 * B
    (c,), *_ = np.linalg.lstsq(B.reshape(-1, 1), H.ravel(), rcond=None)
    found = error_of(B, H)
    assert found["scale"] == pytest.approx(c)
    best = np.linalg.norm(c * B - H) / np.linalg.norm(H)
    assert found["scaled_error"] == pytest.approx(best)


def test_no_positive_multiple_is_better_than_none():
    found = error_of(np.eye(2), -np.eye(2))
    assert (found["scale"], found["scaled_error"], found["error"]) == (0.0, 1.0, 2.0)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_sizes_do_not_matter(scale, rng):
    B, H = rng.standard_normal((2, 4, 4))
    small, usual = error_of(B * scale, H * scale), error_of(B, H)
    assert all(small[name] == pytest.approx(usual[name]) for name in usual)
    assert norm(H * scale) == pytest.approx(np.linalg.norm(H) * scale)


def test_a_zero_hessian_has_no_relative_error():
    found = error_of(np.eye(2), np.zeros((2, 2)))
    assert np.isnan(found["error"])
    assert found["scale"] == 0.0


def test_preconditioned_eigenvalues_are_those_of_the_product(rng):
    R, S = rng.standard_normal((2, 6, 6))
    B, H = R @ R.T + np.eye(6), S + S.T
    w = Eigenvalues.of(B, 2.0**-52).preconditioned(H)
    expected = np.sort(np.linalg.eigvals(np.linalg.solve(B, H)).real)
    np.testing.assert_allclose(w, expected, atol=1e-12)
    assert Eigenvalues.of(H, 2.0**-52).preconditioned(B) is None  # H is indefinite


KINDS = {
    (1.0, 2.0): "positive definite",
    (0.0, 2.0): "positive semidefinite",
    (-1.0, 2.0): "indefinite",
    (-1.0, -2.0): "negative definite",
    (-1.0, 0.0): "negative semidefinite",
    (0.0, 0.0): "zero",
    (np.nan, 1.0): "undecided",
}


@pytest.mark.parametrize("d", KINDS)
def test_definiteness(d):
    found = Eigenvalues.of(np.diag(d), 2.0**-52)
    assert found.definiteness == KINDS[d]
    assert found.negative == (None if np.isnan(d).any() else sum(np.array(d) < 0.0))


def test_along_a_step():
    s, g, H_s, B_s = (np.array(v) for v in ([3.0, 4.0], [1.0, 0.0], [2.0, 0.0], [2.0, 5.0]))
    found = step_numbers(B_s, H_s, s, g, 0.25)
    assert found["dennis_more"] == pytest.approx(5.0 / 5.0)
    assert found["step_error"] == pytest.approx(5.0 / 2.0)
    assert found["forcing"] == pytest.approx(3.0 / 1.0)
    assert found["model_reduction"] == pytest.approx(-3.0 - 13.0)
    assert found["reduction"] == 0.25
