"""L-BFGS in trouble: pairs of the wrong curvature that are damped, trials that are not finite."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

import hessx
from _helpers.driving import absorbed, bends, drive, never
from hessx.core import Reply
from reference.quasi_newton import TwoLoop, dense_inverse, powell_damped

n, m, ALPHA = 8, 3, 0.7
PLUS = [1.0] * 9  # three times round the ring
MIXED = [1.0, -1.0, 1.0, 1.0, -1.0, -1.0, 1.0, 1.0, 1.0, -1.0, 1.0]


def method(**settings):
    return hessx.LineSearchMethod(hessx.LBFGS(memory=m, **settings), hessx.FixedStep(ALPHA))


def walk(solver, backend, rng, signs):
    answer = bends(rng, n, signs)
    return list(islice(drive(solver, backend, rng.standard_normal(n), answer), len(signs) + 1))


def pairs_of(steps):
    return [(b.x - a.x, b.g - a.g) for a, b in pairwise(steps)]


def assert_close(actual, expected, eps):
    """Agreement to a few hundred roundings of the largest entry."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=500 * eps * abs(expected).max())


def test_damped_pairs_are_powells(backend, rng):
    """The matrix B of the damping is the inverse of the dense BFGS inverse."""
    steps = walk(method(damping=0.2), backend, rng, MIXED)
    pairs, gamma, damped = [], 1.0, 0
    for here, there in pairwise(steps):
        A = dense_inverse(pairs[-m:], gamma, n)
        s, y = there.x - here.x, there.g - here.g
        assert_close(s, -ALPHA * A @ here.g, backend.eps)
        mixed = powell_damped(s, y, np.linalg.inv(A), 0.2)
        assert (there.note == "damped") == (mixed is not y)
        damped += mixed is not y
        pairs.append((s, mixed))
        gamma = s @ mixed / (mixed @ mixed)
    assert damped >= MIXED.count(-1.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_trial_that_is_not_finite_stays_out_of_the_operator(backend, rng, bad):
    """The trial stands where the oldest pair stood; the others are as they were."""
    solver = method()
    steps = walk(solver, backend, rng, PLUS)
    pairs = pairs_of(steps)[-(m - 1) :]
    s, y = pairs[-1]
    state = solver.propose(steps[-1].state, never)
    worst = backend.asarray(np.full(n, bad))
    with np.errstate(invalid="ignore"):
        state = absorbed(solver, state, Reply(state.request.ticket, bad, worst))
    assert not state.accepted
    A = dense_inverse(pairs, s @ y / (y @ y), n)
    assert_close(solver.inverse_hessian(state).todense(), A, backend.eps)


def test_pairs_count_again_after_a_search_among_values_that_are_not_finite(backend, rng):
    """Every trial along one direction is nan: the memory is dropped, and is filled anew."""
    solver = method()
    answer, trials = bends(rng, n, PLUS), iter(range(100))
    shrunk = 30  # as often as a given step is shortened

    def broken(x):
        if m + 1 < next(trials) <= m + 1 + shrunk:
            return np.nan, np.full(n, np.nan)
        return answer(x)

    with np.errstate(invalid="ignore"):
        steps = list(islice(drive(solver, backend, np.ones(n), broken), len(PLUS) + 1 + shrunk))
    finite = [step for step in steps if np.isfinite(step.g).all()]
    assert [step.note for step in finite[m + 1 :]] == ["", "restart", *[""] * (len(PLUS) - m - 2)]
    two_loop = TwoLoop(m)
    for here, there in pairwise(finite[m + 1 :]):
        s = there.x - here.x
        if two_loop.pairs:
            error = abs(s + ALPHA * two_loop.apply(here.g)).max()
            assert error <= backend.eps * (500 * abs(s).max() + 2 * abs(here.x).max())
        two_loop.add(s, there.g - here.g)
    assert len(two_loop.pairs) == m
