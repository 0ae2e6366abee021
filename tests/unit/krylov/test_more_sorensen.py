"""The exact subproblem beside dense references, SciPy's, and its optimality conditions."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from hessx import MoreSorensen
from hessx._xp import record_fetches, space_of
from hessx.core import Ball, Cubic, Damped, Free, SettingsError
from hessx.krylov import KrylovOutcome, QuadraticModel
from reference.trust_region import cubic_step, model_decrease, trust_region_step

n = 12
SPECTRA = {
    "convex": np.linspace(0.5, 4.0, n),
    "indefinite": np.linspace(-1.0, 3.0, n),
    "negative": np.linspace(-3.0, -1.0, n),
    "repeated": np.repeat([-2.0, 1.0, 5.0], n // 3),
    "zero": np.zeros(n),
}
RADII = [1e-3, 0.5, 4.0, 100.0]
SOLVE = MoreSorensen()


class Problem:
    """A model on a backend beside its matrices in float64."""

    def __init__(self, backend, H, g):
        H, g = (np.asarray(a).astype(backend.dtype_name).astype(float) for a in (H, g))
        self.backend, self.H, self.g = backend, H, g
        self.matrix, self.gradient = backend.asarray(H), backend.asarray(g)

    def model(self, restraint):
        space, g_g = space_of(self.gradient), float(self.g @ self.g)
        return QuadraticModel(
            space, self.refuse, self.gradient, g_g, 0.0, 1, restraint, dense=lambda: self.matrix
        )

    def refuse(self, v):
        raise AssertionError("no product is needed")

    def solve(self, restraint):
        return SOLVE(self.model(restraint))

    def read(self, v):
        self.backend.assert_same_kind(v, like=self.gradient)
        return self.backend.to_numpy(v).astype(float)

    def check(self, step, best, multiplier, restraint, loss=1e3):
        """The step solves (H + multiplier I) p = -g, falls as far as the best, and says so."""
        tol, H, g = loss * self.backend.eps, self.H, self.g
        p, norm = self.read(step.step), np.linalg.norm(self.read(step.step))
        assert step.restraint == restraint
        assert step.norm == pytest.approx(norm, rel=tol)
        size = np.linalg.norm(g) + (np.linalg.norm(H, 2) + multiplier) * norm
        assert np.linalg.norm(H @ p + multiplier * p + g) <= tol * size
        assert np.linalg.norm(self.read(step.product) - H @ p) <= tol * size
        falls = model_decrease(H, g, p)
        assert falls == pytest.approx(model_decrease(H, g, best), rel=tol)
        assert step.decrease == pytest.approx(falls, rel=tol)
        assert step.slope == pytest.approx(g @ p, rel=tol, abs=tol * tol)
        assert step.products == 0


@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("spectrum", SPECTRA)
def test_in_a_ball_it_is_the_dense_reference(backend, rng, spectral, spectrum, radius):
    H, _ = spectral(SPECTRA[spectrum])
    problem = Problem(backend, H, rng.standard_normal(n))
    step = problem.solve(Ball(radius))
    best, multiplier = trust_region_step(problem.H, problem.g, radius)
    problem.check(step, best, multiplier, Ball(radius))
    assert step.norm <= radius * (1.0 + 1e3 * backend.eps)
    assert step.held_back == (multiplier > 0.0)
    assert step.newtonian == (multiplier == 0.0)
    least = SPECTRA[spectrum].min()
    held = KrylovOutcome.NEGATIVE if least < 0.0 else KrylovOutcome.BOUNDARY
    assert step.outcome is (held if multiplier > 0.0 else KrylovOutcome.SOLVED)


@pytest.mark.parametrize("sigma", [1e-2, 1.0, 1e3])
@pytest.mark.parametrize("spectrum", SPECTRA)
def test_with_a_cubic_term_it_is_the_dense_reference(backend, rng, spectral, spectrum, sigma):
    H, _ = spectral(SPECTRA[spectrum])
    problem = Problem(backend, H, rng.standard_normal(n))
    step = problem.solve(Cubic(sigma))
    best, multiplier = cubic_step(problem.H, problem.g, sigma)
    problem.check(step, best, multiplier, Cubic(sigma))
    assert sigma * step.norm == pytest.approx(multiplier, rel=1e3 * backend.eps)
    assert (step.outcome is KrylovOutcome.NEGATIVE) == (SPECTRA[spectrum].min() < 0.0)


@pytest.mark.parametrize("sigma", [0.0, 0.01, 1.5, 1e3])
@pytest.mark.parametrize("spectrum", ["convex", "indefinite"])
def test_damped_it_is_a_linear_system(backend, rng, spectral, spectrum, sigma):
    H, _ = spectral(SPECTRA[spectrum])
    problem = Problem(backend, H, rng.standard_normal(n))
    step = problem.solve(Damped(sigma, 7.0))
    shifted = problem.H + sigma * np.eye(n)
    if SPECTRA[spectrum].min() + sigma > 0.0:
        best, multiplier = -np.linalg.solve(shifted, problem.g), sigma
        felt = sigma * (best @ best) > -0.1 * (problem.g @ best)
        assert step.outcome is (KrylovOutcome.RESTRAINED if felt else KrylovOutcome.SOLVED)
    else:
        assert step.norm >= 7.0 * (1.0 - 1e3 * backend.eps)
        best, more = trust_region_step(shifted, problem.g, step.norm)
        multiplier = sigma + more
        assert step.outcome is KrylovOutcome.NEGATIVE
    problem.check(step, best, multiplier, Damped(sigma, 7.0))


def test_without_a_restraint(backend, rng, spectral):
    H, _ = spectral(SPECTRA["convex"])
    problem = Problem(backend, H, rng.standard_normal(n))
    best = -np.linalg.solve(problem.H, problem.g)
    step = problem.solve(Free(2.0))
    problem.check(step, best, 0.0, Free(2.0))
    assert step.outcome is KrylovOutcome.SOLVED
    H, _ = spectral(SPECTRA["indefinite"])
    problem = Problem(backend, H, problem.g)
    step = problem.solve(Free(50.0))
    best, multiplier = trust_region_step(problem.H, problem.g, 50.0)
    problem.check(step, best, multiplier, Free(50.0))
    assert step.outcome is KrylovOutcome.NEGATIVE


@pytest.mark.parametrize("part", [0.0, 1e-30, 1e-12, 1e-6, 1e-2])
@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.backends("numpy", "numpy-float32", "torch", "strict")
def test_the_hard_case_and_nearly(backend, rng, part, copies):
    """g has no part, or hardly any, along the negative eigenvectors, and p is to be long."""
    w = np.concatenate([-np.ones(copies), np.linspace(0.5, 4.0, n - copies)])
    g = np.concatenate([np.full(copies, part), rng.uniform(0.5, 1.0, n - copies)])
    problem = Problem(backend, np.diag(w), g)
    for restraint in (Ball(20.0), Cubic(0.05)):
        step = problem.solve(restraint)
        p = problem.read(step.step)
        assert step.outcome is KrylovOutcome.NEGATIVE
        assert np.linalg.norm(p) == pytest.approx(20.0, rel=0.05)
        number = 20.0 if isinstance(restraint, Ball) else 0.05
        reference = trust_region_step if isinstance(restraint, Ball) else cubic_step
        best, multiplier = reference(problem.H, problem.g, number)
        problem.check(step, best, multiplier, restraint)


@pytest.mark.backends("numpy", "numpy-float32", "torch-float32", "strict")
def test_without_a_gradient_it_follows_negative_curvature(backend, spectral):
    H, Q = spectral(SPECTRA["indefinite"])
    problem = Problem(backend, H, np.zeros(n))
    for restraint, length in (
        (Ball(3.0), 3.0),
        (Ball(None, 3.0), 3.0),
        (Cubic(0.5), 2.0),
        (Free(3.0), 3.0),
    ):
        step = problem.solve(restraint)
        p = problem.read(step.step)
        assert step.norm == pytest.approx(length, rel=1e3 * backend.eps)
        assert abs(p @ Q[:, 0]) == pytest.approx(length, rel=1e3 * backend.eps)
        assert step.slope == 0.0
        assert step.decrease == pytest.approx(0.5 * length**2, rel=1e3 * backend.eps)
    convex = Problem(backend, H + 2.0 * np.eye(n), np.zeros(n))
    step = convex.solve(Ball(3.0))
    assert (step.norm, step.decrease, step.outcome) == (0.0, 0.0, KrylovOutcome.SOLVED)


@pytest.mark.backends("numpy", "numpy-float32", "torch", "torch-float32")
def test_a_singular_matrix_is_not_followed_into_rounding(backend, rng, spectral):
    """g is in the range of H: the shortest minimiser, though the ball has room."""
    w = np.array([0.0] * 3 + [*np.linspace(0.5, 4.0, n - 3)])
    H, Q = spectral(w)
    g = Q[:, 3:] @ rng.standard_normal(n - 3)
    problem = Problem(backend, H, g)
    best = -np.linalg.pinv(H, rcond=1e-6) @ g
    for restraint in (Ball(1e6), Free(1e6), Damped(0.0, 1e6)):
        step = problem.solve(restraint)
        assert step.outcome is KrylovOutcome.SOLVED
        off = np.linalg.norm(problem.read(step.step) - best)
        assert off <= 1e3 * backend.eps * np.linalg.norm(best)


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.backends("numpy")
def test_it_falls_as_far_as_scipys(backend, seed, hard, spectral):
    exact = pytest.importorskip("scipy.optimize._trustregion_exact")
    rng = np.random.default_rng(seed)
    H, Q = spectral(rng.standard_normal(n) * 10.0 ** rng.uniform(-3.0, 3.0))
    g = rng.standard_normal(n)
    if hard:
        first = Q[:, np.argmin(np.einsum("ij,ik,kj->j", Q, H, Q))]
        g -= first * (first @ g)
    radius = 10.0 ** rng.uniform(-2.0, 2.0)
    theirs = exact.IterativeSubproblem(
        np.zeros(n), lambda x: 0.0, lambda x: g, lambda x: H, k_easy=1e-12, k_hard=1e-12
    )
    p, held = theirs.solve(radius)
    step = Problem(backend, H, g).solve(Ball(radius))
    assert step.norm <= radius * (1.0 + 1e-14)
    falls, least = (model_decrease(H, g, q.astype(float)) for q in (step.step, p))
    assert falls >= least * (1.0 - 1e5 * backend.eps)
    assert step.held_back == bool(held)


@pytest.mark.parametrize("power", [-1.0, -0.5, 0.5, 1.0])
@pytest.mark.parametrize("spectrum", ["convex", "indefinite"])
@pytest.mark.backends("numpy", "torch")
def test_f_at_the_ends_of_the_range(backend, rng, spectral, spectrum, power):
    size = (1e300 if backend.dtype_name == "float64" else 1e30) ** power
    H, _ = spectral(SPECTRA[spectrum])
    g = rng.standard_normal(n)
    for radius in (0.1, 100.0):
        best, _ = trust_region_step(H, g, radius)
        with np.errstate(all="ignore"):
            step = Problem(backend, H * size, g * size).solve(Ball(radius))
        p = backend.to_numpy(step.step)
        assert np.linalg.norm(p - best) <= 1e4 * backend.eps * np.linalg.norm(best)
        falls = model_decrease(H, g, best)
        assert step.decrease / size == pytest.approx(falls, rel=1e4 * backend.eps)


@pytest.mark.parametrize(("j", "k"), [(40, -30), (-60, 9)])
@pytest.mark.parametrize("restraint", [Ball(0.5), Ball(1e3), Cubic(2.0), Damped(3.0), Free(2.0)])
@pytest.mark.backends("numpy")
def test_scale_free_to_the_bit(backend, rng, spectral, restraint, j, k):
    """F = 2^(2j-k) f and x = 2^(j-k) z: H by 2^k, g by 2^j."""
    H, _ = spectral(SPECTRA["indefinite"])
    g, length = rng.standard_normal(n), 2.0 ** (j - k)
    other = {
        Ball: lambda r: Ball(r.radius * length, length),
        Cubic: lambda r: Cubic(r.sigma * 2.0**k / length, length),
        Damped: lambda r: Damped(r.sigma * 2.0**k, length),
        Free: lambda r: Free(r.reach * length),
    }[type(restraint)](restraint)
    one = Problem(backend, H, g).solve(restraint)
    two = Problem(backend, H * 2.0**k, g * 2.0**j).solve(other)
    np.testing.assert_array_equal(two.step, one.step * length)
    np.testing.assert_array_equal(two.product, one.product * 2.0**j)
    assert two.decrease == one.decrease * 2.0 ** (2 * j - k)
    assert two.outcome is one.outcome


def test_the_first_number_is_that_of_the_cauchy_step(backend, rng, spectral):
    H, _ = spectral(SPECTRA["convex"])
    problem = Problem(backend, H, rng.standard_normal(n))
    g_g, g_H_g = problem.g @ problem.g, problem.g @ problem.H @ problem.g
    for given in (Ball(None), Damped(None), Cubic(None)):
        found, expected = problem.solve(given).restraint, given.in_force(g_g, g_H_g)
        number = "radius" if isinstance(given, Ball) else "sigma"
        assert getattr(found, number) == pytest.approx(getattr(expected, number), rel=1e-5)


@pytest.mark.parametrize("spectrum", SPECTRA)
def test_again_is_the_same_as_a_first_solve(backend, rng, spectral, spectrum):
    H, _ = spectral(SPECTRA[spectrum])
    problem = Problem(backend, H, rng.standard_normal(n))
    for first, *others in (
        (Ball(4.0), Ball(1.0), Ball(1e-3), Ball(0.0)),
        (Cubic(1.0), Cubic(4.0), Cubic(1e6)),
        (Damped(1.0), Damped(16.0)),
    ):
        step = problem.solve(first)
        twin = copy.deepcopy(step)
        for restraint in others:
            step, new = step.again(restraint), problem.solve(restraint)
            np.testing.assert_array_equal(problem.read(step.step), problem.read(new.step))
            assert (step.decrease, step.restraint) == (new.decrease, restraint)
        again = twin.again(restraint)
        np.testing.assert_array_equal(problem.read(again.step), problem.read(step.step))


@pytest.mark.backends("fakegpu")
def test_one_fetch_and_one_upload_per_model(backend, rng, spectral):
    H, _ = spectral(SPECTRA["indefinite"])
    problem = Problem(backend, H, rng.standard_normal(n))
    with record_fetches() as ledger, backend.fetches() as waits:
        step = problem.solve(Ball(2.0))
    assert (ledger.fetches, ledger.uploads) == (1, 1)
    assert waits.count == 2
    with record_fetches() as ledger, backend.fetches() as waits:
        step.again(Ball(0.5))
    assert (ledger.fetches, ledger.uploads) == (0, 1)
    assert waits.count == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["H", "g"])
def test_what_is_not_finite_is_no_exception(backend, rng, spectral, bad, where):
    H, _ = spectral(SPECTRA["convex"])
    g = rng.standard_normal(n)
    if where == "H":
        H[2, 3] = H[3, 2] = bad
    else:
        g[3] = bad
    problem = Problem(backend, H, g)
    with np.errstate(all="ignore"):
        step = problem.solve(Ball(1.0))
    assert step.outcome is KrylovOutcome.NONFINITE
    assert step.decrease == 0.0
    np.testing.assert_array_equal(problem.read(step.step), 0.0)


def test_a_model_without_a_matrix_is_refused():
    g = np.ones(2)
    model = QuadraticModel(space_of(g), lambda v: v, g, 2.0, 0.0, 1, Ball(1.0))
    with pytest.raises(SettingsError, match="no dense matrix"):
        SOLVE(model)
