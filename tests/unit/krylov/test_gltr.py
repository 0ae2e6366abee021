"""GLTR against the dense trust-region problem."""

from __future__ import annotations

import copy
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

import hessx
from hessx._xp import fetch, record_fetches, space_of
from hessx.core import Ball, Free, Restraint, SettingsError
from hessx.krylov import GLTR, KrylovOutcome, QuadraticModel, TruncatedCG
from reference.trust_region import model_decrease, trust_region_step

SPECTRA = {
    "convex": np.linspace(0.5, 4.0, 12),
    "indefinite": np.linspace(-1.0, 3.0, 12),
    "negative": np.linspace(-3.0, -1.0, 12),
    "near-singular": np.array([1e-9, 1e-3, *np.linspace(0.5, 4.0, 10)]),
}
RADII = [1e-3, 0.5, 4.0, 100.0]
EXACT = GLTR(boundary=0.0)


class Problem:
    """A model on a backend beside its matrices in float64."""

    def __init__(self, backend, H, g, M=None):
        H, g = (np.asarray(a).astype(backend.dtype_name).astype(float) for a in (H, g))
        self.backend, self.H, self.g, self.M = backend, H, g, M
        self.matrix, self.gradient = backend.asarray(H), backend.asarray(g)
        self.scaling = None if M is None else backend.asarray(M)
        self.asked = 0

    def product(self, v):
        self.asked += 1
        return self.matrix @ v

    def model(self, restraint, tolerance=None, **more):
        if not isinstance(restraint, Restraint):
            restraint = Ball(restraint)
        space = space_of(self.gradient)
        if tolerance is None:
            tolerance = 100.0 * space.eps
        norm_square = float(self.g @ self.g)
        if self.scaling is not None:
            more["precondition"] = lambda r: self.scaling @ r
        return QuadraticModel(
            space, self.product, self.gradient, norm_square, tolerance * norm_square**0.5,
            more.pop("limit", 40), restraint, **more,
        )  # fmt: skip

    def read(self, v):
        self.backend.assert_same_kind(v, like=self.gradient)
        return self.backend.to_numpy(v).astype(float)

    def check(self, step, radius, loss=1e3, restraint=None):
        """The step is feasible and as good as the dense one, and says the truth of itself."""
        tol = loss * self.backend.eps
        p, best = self.read(step.step), trust_region_step(self.H, self.g, radius, self.M)[0]
        norm = np.sqrt(p @ p if self.M is None else p @ np.linalg.solve(self.M, p))
        assert norm <= radius * (1.0 + tol)
        assert step.norm == pytest.approx(norm, rel=tol)
        assert model_decrease(self.H, self.g, p) >= model_decrease(self.H, self.g, best) * (1 - tol)
        assert step.decrease == pytest.approx(model_decrease(self.H, self.g, p), rel=tol)
        assert step.slope == pytest.approx(self.g @ p, rel=tol)
        scale = np.linalg.norm(self.g) + np.linalg.norm(self.H, 2) * np.linalg.norm(p)
        assert np.linalg.norm(self.read(step.product) - self.H @ p) <= tol * scale
        assert step.restraint == (restraint or Ball(radius))


@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("spectrum", SPECTRA)
def test_the_step_is_the_dense_one(backend, rng, spectral, spectrum, radius):
    H, _ = spectral(SPECTRA[spectrum])
    problem = Problem(backend, H, rng.standard_normal(12))
    step = EXACT(problem.model(radius))
    problem.check(step, radius)
    assert step.products == problem.asked
    _, multiplier = trust_region_step(problem.H, problem.g, radius)
    assert step.held_back == (multiplier > 0.0)


@pytest.mark.parametrize("spectrum", SPECTRA)
def test_a_smaller_radius_asks_for_no_product(backend, rng, spectral, spectrum):
    H, _ = spectral(SPECTRA[spectrum])
    problem = Problem(backend, H, rng.standard_normal(12))
    step = EXACT(problem.model(4.0))
    asked = problem.asked
    for radius in (1.0, 0.25, 1e-3):
        step = step.again(Ball(radius))
        problem.check(step, radius)
    assert problem.asked == asked
    assert step.products == 0


def test_a_preconditioner_shapes_the_region(backend, rng, spectral):
    H, _ = spectral(SPECTRA["indefinite"])
    M, _ = spectral(np.geomspace(0.3, 3.0, 12))
    for radius in RADII:
        problem = Problem(backend, H, rng.standard_normal(12), M)
        step = EXACT(problem.model(radius, 1e3 * backend.eps))
        problem.check(step, radius, loss=1e4)
        problem.check(step.again(Ball(radius / 4.0)), radius / 4.0, loss=1e4)


def test_the_hard_case(backend, rng):
    """g has no part along the only negative direction, which the Krylov space never meets."""
    w = np.array([-1.0, *np.linspace(0.5, 4.0, 11)])
    g = np.array([0.0, *rng.uniform(0.5, 1.0, 11)])
    problem = Problem(backend, np.diag(w), g)
    step = EXACT(problem.model(100.0))
    p = problem.read(step.step)
    assert step.outcome in (KrylovOutcome.SOLVED, KrylovOutcome.STAGNATED)
    np.testing.assert_allclose(p[1:], -problem.g[1:] / w[1:], rtol=1e4 * backend.eps)
    assert p[0] == 0.0


def test_nearly_the_hard_case(backend, rng):
    w = np.array([-1.0, *np.linspace(0.5, 4.0, 11)])
    g = np.array([1e-2, *rng.uniform(0.5, 1.0, 11)])
    problem = Problem(backend, np.diag(w), g)
    step = EXACT(problem.model(10.0))
    problem.check(step, 10.0, loss=1e5)
    assert step.outcome is KrylovOutcome.NEGATIVE


@pytest.mark.parametrize("max_basis", [4, 5, 6])
@pytest.mark.parametrize("part", [0.97, 1e3, np.inf])
def test_past_the_basis_it_is_truncated_cg(backend, rng, spectral, max_basis, part):
    H, _ = spectral(np.linspace(0.2, 4.0, 30))
    problem = Problem(backend, H, rng.standard_normal(30))
    radius = part * float(np.linalg.norm(np.linalg.solve(problem.H, problem.g)))
    model = problem.model(radius, 1e-2, limit=60)
    cg, step = TruncatedCG()(model), GLTR(max_basis=max_basis)(model)
    assert step.outcome is cg.outcome
    assert step.held_back == (part < 1.0)
    assert step.products == cg.products > 6
    assert step.basis is None
    assert step.again(Ball(1.0)) is None
    tol = 1e4 * backend.eps
    for ours, theirs in ((step.step, cg.step), (step.product, cg.product)):
        ours, theirs = problem.read(ours), problem.read(theirs)
        assert np.linalg.norm(ours - theirs) <= tol * np.linalg.norm(theirs)
    for name in ("decrease", "slope", "norm"):
        assert getattr(step, name) == pytest.approx(getattr(cg, name), rel=tol)


def test_a_basis_of_more_than_one_block(backend, rng, spectral):
    H, _ = spectral(np.linspace(0.1, 4.0, 30))
    problem = Problem(backend, H, rng.standard_normal(30))
    step = EXACT(problem.model(10.0, 10.0 * backend.eps, limit=25))
    assert step.products > 12
    assert step.outcome is KrylovOutcome.BOUNDARY
    problem.check(step, 10.0, loss=1e4)
    problem.check(step.again(Ball(2.0)), 2.0, loss=1e4)


def test_negative_curvature_without_a_region(backend, rng, spectral):
    H, _ = spectral(SPECTRA["indefinite"])
    problem = Problem(backend, H, rng.standard_normal(12))
    step = EXACT(problem.model(Free(50.0)))
    assert step.outcome is KrylovOutcome.NEGATIVE
    problem.check(step, 50.0, loss=1e4, restraint=Free(50.0))


def test_the_first_radius_is_the_cauchy_step(backend, rng, spectral):
    H, _ = spectral(SPECTRA["convex"])
    problem = Problem(backend, H, rng.standard_normal(12))
    g = problem.g
    expected = (g @ g) ** 1.5 / (g @ problem.H @ g)
    found = EXACT(problem.model(None)).restraint
    assert found.radius == pytest.approx(expected, rel=100 * backend.eps)
    flat = Problem(backend, -H, g)
    assert EXACT(flat.model(Ball(None, 3.0))).restraint == Ball(3.0, 3.0)


def test_float32_does_not_see_negative_curvature_that_is_not_there(backend, rng, spectral):
    w = np.geomspace(1e-6, 1.0, 40)
    H = np.diag(w[rng.permutation(40)])
    problem = Problem(backend, H, rng.standard_normal(40))
    for radius in (1.0, 1e3, 1e5):
        step = EXACT(problem.model(radius, 1e-4))
        assert step.outcome is not KrylovOutcome.NEGATIVE
        assert step.norm <= radius * (1.0 + 1e-6)


@pytest.mark.backends("fakegpu")
def test_one_wait_per_product(backend, rng, spectral):
    H, _ = spectral(np.linspace(-1.0, 30.0, 30))
    problem = Problem(backend, H, rng.standard_normal(30))
    model = problem.model(2.0, 1e-3)
    with record_fetches() as ledger, backend.fetches() as waits, backend.meter.tally() as tally:
        step = EXACT(model)
    assert ledger.fetches == step.products > 5
    assert waits.count == ledger.fetches + ledger.uploads
    assert ledger.uploads <= 2
    beside = 20  # of one solve
    assert sum(tally.launches.values()) <= 11 * step.products + beside  # one of them is the product
    with record_fetches() as ledger:
        step.again(Ball(0.5))
    assert ledger.fetches == 0
    assert ledger.uploads <= 2


def test_a_product_that_is_not_finite(backend, rng, spectral):
    H, _ = spectral(SPECTRA["convex"])
    problem = Problem(backend, H, rng.standard_normal(12))
    for good in (0, 1, 5):
        count = iter(range(40))
        model = problem.model(1e3, limit=20)
        model.product = lambda v, count=count, good=good: (
            problem.product(v) * (1.0 if next(count) < good else float("nan"))
        )
        step = EXACT(model)
        assert step.outcome is KrylovOutcome.NONFINITE
        assert step.products == good + 1
        cg = TruncatedCG()(problem.model(1e3, limit=good)) if good else None
        expected = problem.read(cg.step) if good else np.zeros(12)
        np.testing.assert_allclose(problem.read(step.step), expected, atol=1e4 * backend.eps)


def test_a_product_beyond_the_range_of_squares():
    """It is not finite in what follows, and no warning of NumPy's."""
    g = np.array([1.0, 2.0])
    step = GLTR()(QuadraticModel(space_of(g), lambda v: v * 1e200, g, 5.0, 1e-8, 5, Ball(1.0)))
    assert step.outcome is KrylovOutcome.NONFINITE


def test_a_watch_ends_the_solve(backend, rng, spectral):
    H, _ = spectral(SPECTRA["convex"])
    problem = Problem(backend, H, rng.standard_normal(12))
    step = EXACT(problem.model(1e3, watch=lambda: problem.asked == 3))
    assert (step.outcome, step.products) == (KrylovOutcome.STOPPED, 3)


@pytest.mark.parametrize("radius", [0.5, 1e3])
@pytest.mark.parametrize(("j", "k"), [(40, -30), (-60, 9)])
@pytest.mark.backends("numpy")
def test_scale_free_to_the_bit(backend, rng, spectral, radius, j, k):
    H, _ = spectral(SPECTRA["indefinite" if radius < 1.0 else "convex"])
    g = rng.standard_normal(12)
    small, big = Problem(backend, H, g), Problem(backend, H * 2.0**k, g * 2.0**j)
    one, two = (EXACT(P.model(r)) for P, r in ((small, radius), (big, radius * 2.0 ** (j - k))))
    assert one.products == two.products
    np.testing.assert_array_equal(two.step, one.step * 2.0 ** (j - k))
    np.testing.assert_array_equal(two.product, one.product * 2.0**j)
    assert two.decrease == one.decrease * 2.0 ** (2 * j - k)


def test_a_copy_of_the_basis_gives_the_same_step(backend, rng, spectral):
    H, _ = spectral(SPECTRA["indefinite"])
    problem = Problem(backend, H, rng.standard_normal(12))
    step = EXACT(problem.model(4.0))
    (_,), _ = fetch(space_of(problem.gradient), [problem.gradient @ step.step])
    twin = copy.deepcopy(step.basis).step_within(Ball(0.5))
    np.testing.assert_array_equal(problem.read(twin.step), problem.read(step.again(Ball(0.5)).step))


def test_a_rejected_step_is_shortened_without_products():
    optimize = pytest.importorskip("scipy.optimize")
    calls = []

    def asked(name, function):
        return lambda *args: calls.append(name) or function(*args)

    result = hessx.minimize(
        asked("f", optimize.rosen), np.full(20, -1.2), jac=optimize.rosen_der,
        method="trust-krylov", hessp=asked("H", optimize.rosen_hess_prod), options={"gtol": 1e-8},
    )  # fmt: skip
    rejected = result.nfev - 1 - result.nit
    assert result.success
    assert result.nhev == calls.count("H")
    assert list(pairwise(calls)).count(("f", "f")) == rejected > 5


def test_the_memory_is_bounded():
    n = 20_000
    d = np.geomspace(1e-4, 1.0, n)
    tracemalloc.start()
    result = hessx.minimize(
        lambda x: float(x @ (d * x)) / 2.0 - float(x.sum()), np.zeros(n), jac=lambda x: d * x - 1.0,
        hessp=lambda x, p: d * p, method="trust-krylov", options={"gtol": 1e-7},
    )  # fmt: skip
    peak = tracemalloc.get_traced_memory()[1] / (8 * n)
    tracemalloc.stop()
    assert result.success
    assert result.nhev > 100
    assert 40.0 < peak <= 50.0 + 11.0


@pytest.mark.parametrize("bad", [{"max_basis": 3}, {"max_basis": 2.5}, {"boundary": -1.0}])
def test_bad_settings(bad):
    with pytest.raises(SettingsError, match=next(iter(bad))):
        GLTR(**bad)
