"""CG on a damped model beside the dense solution of (H + sigma M^-1) p = -g, on every backend."""

from __future__ import annotations

import numpy as np
import pytest

from _helpers.quadratics import Quadratic, symmetric
from _helpers.registry import make_backend
from hessx._xp import record_fetches
from hessx.core import Ball, Cubic, Damped, SettingsError
from hessx.krylov import KrylovOutcome, TruncatedCG
from hessx.krylov._cg import _Solve

n = 12
SPECTRA = {
    "convex": np.linspace(1.0, 10.0, n),
    "indefinite": np.linspace(-1.0, 4.0, n),
    "flat": np.append(np.zeros(3), np.linspace(1.0, 5.0, n - 3)),
}
every = pytest.mark.parametrize("check_every", [1, 3])
conditioned = pytest.mark.parametrize("conditioned", [False, True])


def pose(backend, spectrum, conditioned=False):
    rng = np.random.default_rng(5)
    M = symmetric(rng, np.linspace(0.5, 2.0, n)) if conditioned else None
    return Quadratic(backend, symmetric(rng, SPECTRA[spectrum]), rng.standard_normal(n), M)


def inverse(posed):
    return np.eye(n) if posed.M is None else np.linalg.inv(posed.M)


def dense(posed, sigma):
    return np.linalg.solve(posed.H + sigma * inverse(posed), -posed.g)


def solve(posed, check_every, restraint, **settings):
    tolerance = 100.0 * posed.backend.eps * np.linalg.norm(posed.g)
    return posed.solve(check_every, restraint=restraint, **{"tolerance": tolerance} | settings)


@every
@conditioned
@pytest.mark.parametrize("sigma", [4.0, 100.0])
@pytest.mark.parametrize("spectrum", SPECTRA)
def test_the_step_is_the_dense_one(backend, spectrum, sigma, conditioned, check_every):
    posed = pose(backend, spectrum, conditioned)
    solved = solve(posed, check_every, Damped(sigma))
    posed.check(solved)  # product, slope, decrease: those of H, not of H + sigma M^-1
    expected = dense(posed, sigma)
    error = np.linalg.norm(posed.step_of(solved) - expected)
    assert error <= 1e4 * backend.eps * np.linalg.norm(expected)
    assert solved.restraint == Damped(sigma)
    p = posed.step_of(solved)
    felt = sigma * p @ inverse(posed) @ p > -0.1 * (posed.g @ p)
    assert solved.held_back == felt
    assert solved.newtonian == (not felt)


@every
@conditioned
def test_damping_that_is_hardly_felt_leaves_newton_s_step(backend, conditioned, check_every):
    posed = pose(backend, "convex", conditioned)
    solved = solve(posed, check_every, Damped(1e-3))
    assert solved.outcome in (KrylovOutcome.SOLVED, KrylovOutcome.STAGNATED)
    assert solved.newtonian
    undamped = solve(posed, check_every, Damped(0.0))
    newton = np.linalg.solve(posed.H, -posed.g)
    error = np.linalg.norm(posed.step_of(undamped) - newton)
    assert error <= 1e4 * backend.eps * np.linalg.norm(newton)


@every
@conditioned
def test_sigma_is_found_with_the_first_product(backend, conditioned, check_every):
    posed = pose(backend, "convex", conditioned)
    solved = solve(posed, check_every, Damped(None, 3.0))
    u = posed.g if posed.M is None else posed.M @ posed.g
    sigma = (u @ posed.H @ u) / (posed.g @ u)
    assert solved.restraint.sigma == pytest.approx(sigma, rel=100.0 * backend.eps)
    assert solved.restraint.length == 3.0
    posed.check(solved)
    expected = dense(posed, sigma)
    error = np.linalg.norm(posed.step_of(solved) - expected)
    assert error <= 1e4 * backend.eps * np.linalg.norm(expected)
    assert solved.products >= 2


@every
@conditioned
def test_sigma_where_the_model_bends_down_along_g(backend, conditioned, check_every):
    """The step along -M g has the length that was given, in the 2-norm."""
    posed = pose(backend, "convex", conditioned)
    posed = Quadratic(backend, -posed.H, posed.g, posed.M)
    solved = solve(posed, check_every, Damped(None, 0.25), limit=1)
    assert np.linalg.norm(posed.step_of(solved)) == pytest.approx(0.25, rel=1e3 * backend.eps)
    posed.check(solved)


@every
def test_damping_meant_for_another_preconditioner(backend, check_every):
    """N = 9 M: sigma p'N^-1 p is sigma / 9 p'M^-1 p."""
    posed = pose(backend, "convex", True)
    before = posed.backend.asarray(posed.g @ (9.0 * posed.M) @ posed.g)
    solved = solve(posed, check_every, Damped(18.0), grad_square_before=before)
    assert solved.restraint.sigma == pytest.approx(2.0, rel=100.0 * backend.eps)
    posed.check(solved)
    expected = dense(posed, 2.0)
    error = np.linalg.norm(posed.step_of(solved) - expected)
    assert error <= 1e4 * backend.eps * np.linalg.norm(expected)


@every
@conditioned
@pytest.mark.parametrize("length", [1e-2, 50.0])
def test_where_the_damping_does_not_hold_the_curvature(backend, length, conditioned, check_every):
    """z and a piece along p, as long as z or ``length``, on which the model falls."""
    posed = pose(backend, "indefinite", conditioned)
    solved = solve(posed, check_every, Damped(0.01, length))
    assert solved.outcome is KrylovOutcome.NEGATIVE
    posed.check(solved)
    p, bend = posed.step_of(solved), posed.host(solved.bend)
    assert np.linalg.norm(p) >= length * (1.0 - 1e-3)
    assert solved.slope < 0.0 < solved.decrease
    assert bend @ posed.H @ bend / (bend @ inverse(posed) @ bend) == pytest.approx(
        solved.curvature, rel=1e5 * backend.eps
    )


@every
@conditioned
def test_collected_pairs_are_of_h(backend, conditioned, check_every):
    posed = pose(backend, "convex", conditioned)
    pairs = solve(posed, check_every, Damped(50.0), limit=5, collect=3).pairs
    for slot in range(pairs.count):
        p, s = (posed.host(pairs.rows[2 + 2 * slot + i]) for i in range(2))
        assert np.linalg.norm(posed.H @ p - s) <= 1e4 * backend.eps * np.linalg.norm(s)
    assert pairs.count == 3


@every
@conditioned
def test_a_direction_that_only_the_damping_bends_up_is_no_pair(backend, conditioned, check_every):
    posed = pose(backend, "convex", conditioned)
    posed = Quadratic(backend, -posed.H, posed.g, posed.M)
    assert solve(posed, check_every, Damped(100.0), limit=5, collect=3).pairs.count == 0


@every
@conditioned
@pytest.mark.parametrize("good", [0, 1, 4])
def test_a_product_that_is_not_finite(backend, good, conditioned, check_every):
    posed, calls = pose(backend, "convex", conditioned), []

    def product(v):
        calls.append(1)
        return posed._H @ v * (np.nan if len(calls) > good else 1.0)

    for restraint in (Damped(4.0), Damped(None)):
        calls.clear()
        solved = solve(posed, check_every, restraint, product=product)
        assert solved.outcome is KrylovOutcome.NONFINITE
        assert solved.restraint.known == (restraint.known if good == 0 else True)
        if good:
            posed.check(solved)
        else:
            assert solved.decrease == 0.0


@every
@conditioned
def test_a_long_solve_with_true_residuals(conditioned, check_every):
    """Every 50 steps r = g + (H + sigma M^-1) z is formed anew."""
    rng = np.random.default_rng(2)
    H = symmetric(rng, np.geomspace(1e-3, 1e3, 150))
    M = symmetric(rng, np.linspace(0.5, 2.0, 150)) if conditioned else None
    posed = Quadratic(make_backend("numpy"), H, rng.standard_normal(150), M)
    solved = posed.solve(check_every, restraint=Damped(0.1), limit=800)
    assert solved.products > 100
    W = np.eye(150) if M is None else np.linalg.inv(M)
    expected = np.linalg.solve(H + 0.1 * W, -posed.g)
    assert np.linalg.norm(posed.step_of(solved) - expected) <= 1e-9 * np.linalg.norm(expected)
    error = np.linalg.norm(posed.H @ expected - posed.host(solved.product))
    assert error <= 1e-8 * np.linalg.norm(posed.g)


@conditioned
@pytest.mark.parametrize(("j", "k"), [(20, -15), (-24, 9)])
@pytest.mark.parametrize("sigma", [4.0, None])
@pytest.mark.backends("numpy")
def test_scale_free_to_the_bit(backend, sigma, j, k, conditioned):
    small = pose(backend, "convex", conditioned)
    M = None if small.M is None else small.M * 2.0**-k
    big = Quadratic(backend, small.H * 2.0**k, small.g * 2.0**j, M)
    unit = 1.0 if conditioned else 2.0**k  # M^-1 has the unit of H
    one = solve(small, 1, Damped(sigma))
    two = solve(big, 1, Damped(None if sigma is None else sigma * unit))
    assert one.products == two.products
    np.testing.assert_array_equal(two.step, one.step * 2.0 ** (j - k))
    np.testing.assert_array_equal(two.product, one.product * 2.0**j)
    assert two.restraint.sigma == one.restraint.sigma * unit
    assert two.decrease == one.decrease * 2.0 ** (2 * j - k)


@conditioned
@pytest.mark.parametrize(("sigma", "more"), [(4.0, 0), (None, 1)])
@pytest.mark.backends("fakegpu")
def test_one_wait_per_product_and_one_for_sigma(backend, sigma, more, conditioned):
    posed = pose(backend, "convex", conditioned)
    model = posed.model(restraint=Damped(sigma), tolerance=1e-3)
    with record_fetches() as ledger, backend.fetches() as waits:
        solved = TruncatedCG()(model)
    assert solved.products > 4
    assert waits.count == ledger.fetches == solved.products + more


def test_a_restraint_that_it_does_not_take():
    posed = pose(make_backend("numpy"), "convex")
    with pytest.raises(
        SettingsError, match=r"^restraint = Cubic\(.*TruncatedCG takes Ball, Damped"
    ):
        posed.solve(restraint=Cubic(1.0))
    assert posed.solve(restraint=Damped(1.0)).again(Damped(2.0)) is None
    assert posed.solve(restraint=Ball(1.0)).again(Ball(0.5)) is None


@pytest.mark.backends("dask")
def test_the_plan_of_a_lazy_library_does_not_grow_with_the_steps(backend):
    """M^-1 p and M^-1 z are computed with each product, as the vectors of CG are."""
    posed = pose(backend, "convex", conditioned=True)
    solve = _Solve(posed.model(restraint=Damped(0.5), limit=12))
    tasks = []
    for _ in range(8):
        assert solve.step()
        tasks.append([len(v.__dask_graph__()) for v in (solve.matrix.dual, solve.matrix.dual_sum)])
    assert tasks[-1] == tasks[3]
