"""Doglegs beside the path itself and SciPy's."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from hessx import Dogleg
from hessx._xp import record_fetches, space_of
from hessx.core import Ball, SettingsError
from hessx.krylov import KrylovOutcome, QuadraticModel
from reference.trust_region import dogleg_step, model_decrease

n = 10
SPECTRA = {"mild": np.linspace(0.5, 4.0, n), "spread": np.geomspace(1e-2, 30.0, n)}
BOTH = pytest.mark.parametrize("double", [False, True])


class Problem:
    """A positive definite model on a backend beside its matrices in float64."""

    def __init__(self, backend, B, g, double=False):
        B, g = (np.asarray(a).astype(backend.dtype_name).astype(float) for a in (B, g))
        self.backend, self.B, self.g, self.double = backend, B, g, double
        self.matrix, self.gradient = backend.asarray(B), backend.asarray(g)
        self.inverse = backend.asarray(np.linalg.inv(B))
        self.products = 0

    def product(self, v):
        self.products += 1
        return self.matrix @ v

    def solve(self, radius, **changed):
        space, g_g = space_of(self.gradient), float(self.g @ self.g)
        ball = radius if isinstance(radius, Ball) else Ball(radius)
        model = QuadraticModel(
            space, self.product, self.gradient, g_g, 0.0, 1, ball, solve=lambda v: self.inverse @ v
        )
        for name, value in changed.items():
            setattr(model, name, value)
        return Dogleg(double=self.double)(model)

    def read(self, v):
        self.backend.assert_same_kind(v, like=self.gradient)
        return self.backend.to_numpy(v).astype(float)

    def check(self, step, radius):
        tol = 1e4 * self.backend.eps
        p, best = self.read(step.step), dogleg_step(self.B, self.g, radius, self.double)
        assert np.linalg.norm(p - best) <= tol * np.linalg.norm(best)
        assert np.linalg.norm(p) <= radius * (1.0 + tol)
        assert step.norm == pytest.approx(np.linalg.norm(p), rel=tol)
        B_p = self.B @ p
        assert np.linalg.norm(self.read(step.product) - B_p) <= tol * np.linalg.norm(self.g)
        assert step.decrease == pytest.approx(model_decrease(self.B, self.g, p), rel=tol)
        assert step.slope == pytest.approx(self.g @ p, rel=tol)
        newton = np.linalg.norm(np.linalg.solve(self.B, self.g))
        inside = KrylovOutcome.SOLVED if newton <= radius else KrylovOutcome.BOUNDARY
        assert (step.outcome, step.restraint) == (inside, Ball(radius))


@BOTH
@pytest.mark.parametrize("part", [1e-3, 0.1, 0.4, 0.7, 0.9, 0.999, 1.5])
@pytest.mark.parametrize("spectrum", SPECTRA)
def test_it_leaves_the_ball_where_the_path_does(backend, rng, spectral, spectrum, part, double):
    B, _ = spectral(SPECTRA[spectrum])
    problem = Problem(backend, B, rng.standard_normal(n), double)
    newton = np.linalg.norm(np.linalg.solve(problem.B, problem.g))
    step = problem.solve(part * newton)
    problem.check(step, part * newton)
    assert step.products == problem.products == 1


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.backends("numpy")
def test_it_is_scipys(backend, seed, spectral):
    dogleg = pytest.importorskip("scipy.optimize._trustregion_dogleg")
    rng = np.random.default_rng(seed)
    B, _ = spectral(10.0 ** rng.uniform(-2.0, 2.0, n))
    problem = Problem(backend, B, rng.standard_normal(n))
    B, g = problem.B, problem.g
    newton = np.linalg.norm(np.linalg.solve(B, g))
    radius = newton * 10.0 ** rng.uniform(-2.0, 0.2)
    theirs = dogleg.DoglegSubproblem(np.zeros(n), lambda x: 0.0, lambda x: g, lambda x: B)
    p, held = theirs.solve(radius)
    step = problem.solve(radius)
    assert np.linalg.norm(step.step - p) <= 1e6 * backend.eps * np.linalg.norm(p)
    assert step.held_back == bool(held)


@BOTH
def test_again_costs_neither_product_nor_fetch(backend, rng, spectral, double):
    B, _ = spectral(SPECTRA["spread"])
    problem = Problem(backend, B, rng.standard_normal(n), double)
    newton = float(np.linalg.norm(np.linalg.solve(problem.B, problem.g)))
    step = problem.solve(2.0 * newton)
    twin = copy.deepcopy(step)
    with record_fetches() as ledger:
        for part in (0.8, 0.3, 1e-2):
            step = step.again(Ball(part * newton))
            problem.check(step, part * newton)
            assert step.products == 0
    assert (ledger.fetches, ledger.uploads, problem.products) == (0, 0, 1)
    again = twin.again(Ball(part * newton))
    np.testing.assert_array_equal(problem.read(again.step), problem.read(step.step))


@pytest.mark.backends("fakegpu")
def test_one_fetch_per_model(backend, rng, spectral):
    B, _ = spectral(SPECTRA["spread"])
    problem = Problem(backend, B, rng.standard_normal(n))
    with record_fetches() as ledger, backend.fetches() as waits:
        problem.solve(0.5)
    assert (ledger.fetches, ledger.uploads, waits.count) == (1, 0, 1)


@BOTH
def test_a_multiple_of_i_has_a_path_of_one_point(backend, rng, double):
    """C = N: between them there is nothing to divide by."""
    problem = Problem(backend, 3.0 * np.eye(n), rng.standard_normal(n), double)
    newton = np.linalg.norm(problem.g) / 3.0
    for part in (0.5, 1.0 - 1e-6, 1.0 + 1e-6):
        step = problem.solve(part * newton)
        best = -problem.g * min(part, 1.0) / 3.0
        assert np.linalg.norm(problem.read(step.step) - best) <= 1e2 * backend.eps * newton


def test_the_first_radius_is_the_cauchy_step(backend, rng, spectral):
    B, _ = spectral(SPECTRA["spread"])
    problem = Problem(backend, B, rng.standard_normal(n))
    g, radius = problem.g, (problem.g @ problem.g) ** 1.5 / (problem.g @ problem.B @ problem.g)
    step = problem.solve(Ball(None))
    assert step.restraint.radius == pytest.approx(radius, rel=1e2 * backend.eps)
    cauchy = -(g @ g) / (g @ problem.B @ g) * g
    off = np.linalg.norm(problem.read(step.step) - cauchy)
    assert off <= 1e3 * backend.eps * np.linalg.norm(cauchy)


@BOTH
@pytest.mark.parametrize(("j", "k"), [(20, -15), (-25, 4)])
@pytest.mark.parametrize("radius", [1e-2, 0.5, 1.0, 1e3])
@pytest.mark.backends("numpy")
def test_scale_free_to_the_bit(backend, rng, spectral, radius, j, k, double):
    B, _ = spectral(SPECTRA["mild"])
    g, length = rng.standard_normal(n), 2.0 ** (j - k)
    one, two = Problem(backend, B, g, double), Problem(backend, B * 2.0**k, g * 2.0**j, double)
    two.inverse = one.inverse * 2.0**-k
    one, two = one.solve(radius), two.solve(radius * length)
    np.testing.assert_array_equal(two.step, one.step * length)
    np.testing.assert_array_equal(two.product, one.product * 2.0**j)
    assert two.decrease == one.decrease * 2.0 ** (2 * j - k)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_no_exception(backend, rng, spectral, bad):
    B, _ = spectral(SPECTRA["mild"])
    problem = Problem(backend, B, rng.standard_normal(n))
    with np.errstate(all="ignore"):
        step = problem.solve(1.0, product=lambda v: v * bad)
        assert step.outcome is KrylovOutcome.NONFINITE
        assert step.decrease == 0.0
        np.testing.assert_array_equal(problem.read(step.step), 0.0)
        step = problem.solve(100.0, solve=lambda v: v * bad)
    g, B = problem.g, problem.B
    cauchy = -(g @ g) / (g @ B @ g) * g
    assert step.outcome is KrylovOutcome.LIMIT
    np.testing.assert_allclose(problem.read(step.step), cauchy, rtol=1e3 * backend.eps)
    assert step.decrease == pytest.approx(model_decrease(B, g, cauchy), rel=1e3 * backend.eps)


def test_what_is_not_positive_ends_at_the_boundary_along_the_gradient(backend, rng, spectral):
    B, _ = spectral(-SPECTRA["mild"])
    problem = Problem(backend, B, rng.standard_normal(n))
    step = problem.solve(2.0)
    p = -2.0 * problem.g / np.linalg.norm(problem.g)
    np.testing.assert_allclose(problem.read(step.step), p, rtol=1e2 * backend.eps)
    assert step.held_back
    falls = model_decrease(problem.B, problem.g, p)
    assert step.decrease == pytest.approx(falls, rel=1e3 * backend.eps)


def test_what_cannot_be_solved_is_refused():
    g = np.ones(2)
    model = QuadraticModel(space_of(g), lambda v: v, g, 2.0, 0.0, 1, Ball(1.0))
    with pytest.raises(SettingsError, match="cannot be solved"):
        Dogleg()(model)


def test_bad_settings():
    with pytest.raises(SettingsError, match="double"):
        Dogleg(double="yes")
