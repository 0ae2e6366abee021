"""Where a truncated solve ends, and that what it hands out is true there, on every backend."""

from __future__ import annotations

import math

import numpy as np
import pytest

from _helpers.quadratics import Quadratic, symmetric
from _helpers.registry import make_backend
from hessx.core import Ball, Free
from hessx.krylov import KrylovOutcome, TruncatedCG
from reference.krylov import conjugate_gradients, steihaug

n = 12
GENTLE = np.linspace(1.0, 10.0, n)
every = pytest.mark.parametrize("check_every", [1, 3])


@pytest.fixture
def convex(backend, rng):
    return Quadratic(backend, symmetric(rng, GENTLE), rng.standard_normal(n))


@pytest.fixture
def bent(backend, rng):
    """Two negative eigenvalues that CG meets after a few products."""
    values = np.append([-0.5, -0.25], np.linspace(1.0, 5.0, n - 2))
    return Quadratic(backend, symmetric(rng, values), rng.standard_normal(n))


def close(posed, step, expected, factor=1e3):
    scale = factor * posed.backend.eps * np.linalg.norm(expected)
    np.testing.assert_allclose(posed.step_of(step), expected, rtol=0.0, atol=scale)


@every
def test_solved(convex, check_every):
    tolerance = 1e-3 * np.linalg.norm(convex.g)
    solved = convex.solve(check_every, tolerance=tolerance)
    convex.check(solved)
    assert solved.outcome is KrylovOutcome.SOLVED
    assert solved.newtonian
    assert not solved.held_back
    expected = steihaug(convex.H, convex.g, tolerance, n)
    close(convex, solved, expected.step)
    assert expected.products <= solved.products <= expected.products + check_every - 1


@every
@pytest.mark.parametrize("fraction", [0.05, 0.5, 0.9])
def test_boundary(convex, check_every, fraction):
    newton = np.linalg.solve(convex.H, -convex.g)
    radius = fraction * float(np.linalg.norm(newton))
    solved = convex.solve(check_every, restraint=Ball(radius))
    convex.check(solved)
    expected = steihaug(convex.H, convex.g, 0.0, n, radius)
    assert solved.outcome.value == expected.outcome == "boundary"
    close(convex, solved, expected.step)
    length = np.linalg.norm(convex.step_of(solved))
    assert abs(length - radius) <= 50.0 * convex.backend.eps * radius
    assert solved.norm == pytest.approx(radius, rel=50.0 * convex.backend.eps)
    assert solved.restraint == Ball(radius)
    assert solved.held_back
    assert expected.products <= solved.products <= expected.products + check_every - 1


@every
def test_a_wide_region_is_not_felt(convex, check_every):
    tolerance = 1e-3 * np.linalg.norm(convex.g)
    free = convex.solve(check_every, tolerance=tolerance)
    radius = 1.01 * free.norm
    held = convex.solve(check_every, tolerance=tolerance, restraint=Ball(radius))
    assert held.outcome is KrylovOutcome.SOLVED
    np.testing.assert_array_equal(convex.step_of(held), convex.step_of(free))


@every
def test_the_first_radius_is_the_length_of_the_cauchy_step(convex, check_every):
    g = convex.g
    cauchy = -(g @ g) / (g @ convex.H @ g) * g
    solved = convex.solve(check_every, restraint=Ball(None))
    convex.check(solved)
    assert solved.restraint.radius == pytest.approx(
        np.linalg.norm(cauchy), rel=50.0 * convex.backend.eps
    )
    close(convex, solved, cauchy)
    assert solved.held_back


@every
def test_without_positive_curvature_the_first_radius_is_the_default(backend, rng, check_every):
    posed = Quadratic(backend, symmetric(rng, -GENTLE), rng.standard_normal(n))
    solved = posed.solve(check_every, restraint=Ball(None, 2.5))
    posed.check(solved)
    assert (solved.outcome, solved.restraint) == (KrylovOutcome.NEGATIVE, Ball(2.5, 2.5))
    close(posed, solved, -2.5 * posed.g / np.linalg.norm(posed.g))


@every
@pytest.mark.parametrize("radius", [3.0, 20.0])
def test_negative_curvature_in_a_region(bent, check_every, radius):
    expected = steihaug(bent.H, bent.g, 0.0, 2 * n, radius)
    solved = bent.solve(check_every, restraint=Ball(radius))
    bent.check(solved)
    assert solved.outcome.value == expected.outcome
    close(bent, solved, expected.step, 1e4)
    assert np.linalg.norm(bent.step_of(solved)) == pytest.approx(radius, rel=1e3 * bent.backend.eps)
    assert solved.decrease > 0.0


@every
@pytest.mark.parametrize("reach", [0.01, 50.0])
def test_negative_curvature_on_a_ray(bent, check_every, reach):
    """z and a piece along the bend, as long as z or ``reach``, downhill."""
    expected = steihaug(bent.H, bent.g, 0.0, 2 * n)
    assert expected.outcome == "negative curvature"
    solved = bent.solve(check_every, restraint=Free(reach))
    bent.check(solved)
    assert solved.outcome is KrylovOutcome.NEGATIVE
    z, p = expected.step, expected.directions[-1]
    piece = bent.step_of(solved) - z
    length = max(np.linalg.norm(z), reach)
    assert np.linalg.norm(piece) == pytest.approx(length, rel=1e4 * bent.backend.eps)
    assert abs(piece @ p) == pytest.approx(length * np.linalg.norm(p), rel=1e4 * bent.backend.eps)
    assert bent.g @ piece <= 0.0
    assert solved.slope < 0.0
    assert solved.decrease > 0.0


@every
def test_the_bend_comes_with_its_curvature(bent, check_every):
    solved = bent.solve(check_every, restraint=Ball(100.0))
    assert solved.outcome is KrylovOutcome.NEGATIVE
    bend = bent.host(solved.bend)
    quotient = bend @ bent.H @ bend / (bend @ bend)
    assert quotient < 0.0
    assert solved.curvature == pytest.approx(quotient, rel=1e4 * bent.backend.eps)


@every
def test_flat(backend, check_every):
    """H = diag(1, 0): the second direction of CG is exactly flat."""
    posed = Quadratic(backend, np.diag([1.0, 0.0]), [1.0, 1.0])
    on_a_ray = posed.solve(check_every)
    posed.check(on_a_ray)
    assert on_a_ray.outcome is KrylovOutcome.FLAT
    np.testing.assert_array_equal(posed.step_of(on_a_ray), [-2.0, -2.0])
    in_a_region = posed.solve(check_every, restraint=Ball(5.0))
    posed.check(in_a_region)
    assert in_a_region.outcome is KrylovOutcome.FLAT
    np.testing.assert_allclose(
        posed.step_of(in_a_region), [-2.0, -math.sqrt(21.0)], rtol=20.0 * backend.eps
    )


@every
def test_next_to_flat(backend, check_every):
    """H = diag(1, c), c < eps^1.5: a region bounds the step to (-1, -1), a ray does not."""
    c = backend.eps**1.6
    posed = Quadratic(backend, np.diag([1.0, c]), [1.0, c])
    on_a_ray = posed.solve(check_every)
    assert on_a_ray.outcome is KrylovOutcome.FLAT
    np.testing.assert_allclose(posed.step_of(on_a_ray), [-1.0, 0.0], atol=10.0 * backend.eps)
    wide = posed.solve(check_every, restraint=Ball(100.0), tolerance=1e-3 * c)
    assert wide.outcome is KrylovOutcome.SOLVED
    assert not wide.held_back
    np.testing.assert_allclose(posed.step_of(wide), [-1.0, -1.0], rtol=100.0 * backend.eps)
    narrow = posed.solve(check_every, restraint=Ball(1.25), tolerance=1e-3 * c)
    assert narrow.held_back
    np.testing.assert_allclose(posed.step_of(narrow), [-1.0, -0.75], rtol=100.0 * backend.eps)


@every
def test_flat_at_once(backend, check_every):
    posed = Quadratic(backend, np.zeros((2, 2)), [3.0, 4.0])
    for restraint, length in ((Free(2.0), 2.0), (Ball(5.0), 5.0)):
        solved = posed.solve(check_every, restraint=restraint)
        assert solved.outcome is KrylovOutcome.FLAT
        np.testing.assert_allclose(
            posed.step_of(solved), [-0.6 * length, -0.8 * length], rtol=20.0 * backend.eps
        )
        assert solved.decrease == pytest.approx(5.0 * length, rel=20.0 * backend.eps)


@every
@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_limit(convex, check_every, limit):
    solved = convex.solve(check_every, limit=limit)
    convex.check(solved)
    assert (solved.outcome, solved.products) == (KrylovOutcome.LIMIT, limit)
    close(convex, solved, conjugate_gradients(convex.H, convex.g, limit)[-1])
    assert not solved.newtonian


@every
@pytest.mark.parametrize("allowed", [1, 3, 4])
def test_the_watch_ends_the_solve_with_what_it_has(convex, check_every, allowed):
    asked = []

    def watch():
        asked.append(1)
        return len(asked) >= allowed

    solved = convex.solve(check_every, watch=watch)
    convex.check(solved)
    assert (solved.outcome, solved.products) == (KrylovOutcome.STOPPED, allowed)
    close(convex, solved, conjugate_gradients(convex.H, convex.g, allowed)[-1])


@every
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("good", [0, 1, 3, 4])
def test_a_product_that_is_not_finite(convex, check_every, bad, good):
    calls = []

    def product(v):
        calls.append(1)
        return convex._H @ v * (bad if len(calls) > good else 1.0)

    solved = convex.solve(check_every, product=product)
    assert solved.outcome is KrylovOutcome.NONFINITE
    expected = [np.zeros(n), *conjugate_gradients(convex.H, convex.g, 5)][good]
    close(convex, solved, expected)
    assert math.isfinite(solved.decrease)
    if good:
        convex.check(solved)


@every
def test_one_variable(backend, check_every):
    posed = Quadratic(backend, [[4.0]], [2.0])
    solved = posed.solve(check_every)
    posed.check(solved)
    assert posed.step_of(solved) == [-0.5]


@every
def test_what_is_multiplied_is_not_kept(convex, check_every):
    """The product may be a buffer that the next call writes, and v may not be written."""
    if not convex.backend.writeable:
        pytest.skip("these arrays are not written to")
    buffer = convex.backend.asarray(np.zeros(n))

    def product(v):
        buffer[...] = convex._H @ v
        return buffer

    plain = convex.solve(check_every, collect=3)
    reusing = convex.solve(check_every, product=product, collect=3)
    np.testing.assert_array_equal(convex.step_of(reusing), convex.step_of(plain))
    for row in range(2, 8):
        a, b = (convex.host(solved.pairs.rows[row]) for solved in (plain, reusing))
        np.testing.assert_array_equal(a, b)


def test_a_true_residual_where_much_accuracy_is_asked_for(rng):
    """Every 50 steps r = g + H z is formed anew, by a product of z that is counted."""
    values, size = np.geomspace(1.0, 1e8, 200), 200
    posed = Quadratic(make_backend("numpy"), symmetric(rng, values), np.ones(size))
    seen = []

    def product(v):
        seen.append(v.copy())
        return posed.H @ v

    solved = TruncatedCG()(posed.model(product=product, limit=120))
    assert solved.products == len(seen) == 120
    z = TruncatedCG()(posed.model(limit=50)).step
    np.testing.assert_array_equal(seen[50], z)
    size = np.linalg.norm(posed.H, 2) * np.linalg.norm(solved.step)
    error = posed.H @ solved.step - solved.product
    assert np.linalg.norm(error) <= 1e3 * posed.backend.eps * size
