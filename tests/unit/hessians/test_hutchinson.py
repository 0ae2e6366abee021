"""Estimated diagonals beside those of the matrix, and their variance beside its closed form."""

from __future__ import annotations

import io

import numpy as np
import pytest

import hessx
from hessx._xp import like, record_fetches, space_of
from hessx.core import Counts, Frame
from hessx.objectives import HessianAt

n = 6


def dominant(rng):
    """A matrix whose entries float32 holds, with a diagonal that dominates."""
    A = rng.integers(-4, 5, (n, n)) / 8.0
    return (A + A.T) / 2.0 + np.diag(2.0 ** np.arange(n)) * np.where(np.arange(n) == 2, -1.0, 1.0)


def begun(backend, scale=None, **settings):
    space = space_of(backend.asarray(np.zeros(n)))
    frame = Frame(space, None if scale is None else backend.asarray(scale))
    return hessx.Hutchinson(**settings).begin(frame)


def hessian(part, H, counts=None):
    space = part.frame.space
    M = like(space, H, "H")
    return HessianAt(space, lambda v: M @ v, counts or Counts(), 1.0)


def visited(part, *matrices):
    for H in matrices:
        part.leave()
        part.at(hessian(part, H))
        part.prepare()
    return part


def samples(space, seed, point, H, count):
    """Those of a point, drawn again: z * (H z)."""
    draws = [np.random.default_rng((seed, point, k)) for k in range(count)]
    Z = [draw.integers(0, 2, (1, space.n))[0] * 2.0 - 1.0 for draw in draws]
    return [z * (H @ z) for z in Z]


def test_is_the_weighted_mean_of_all_samples(backend, rng):
    matrices = [dominant(rng) for _ in range(3)]
    part = visited(begun(backend, samples=2, beta=0.5, seed=3), *matrices)
    values, weights = [], []
    for t, H in enumerate(matrices):
        values += samples(part.frame.space, 3, t, H, 2)
        weights += [0.5 ** (3 - t) / 2.0] * 2  # (1 - beta) beta^(2 - t) / samples
    w = np.array(weights) / sum(weights)
    mean = w @ np.array(values)
    found = backend.to_numpy(part.diagonal())
    np.testing.assert_allclose(found, np.maximum(abs(mean), backend.eps), rtol=50 * backend.eps)
    spread = w @ (np.array(values) - mean) ** 2
    expected = spread * (w @ w) / (1.0 - w @ w)
    found = backend.to_numpy(part.variance())
    np.testing.assert_allclose(found, expected, atol=200 * backend.eps * mean.max() ** 2)


def test_with_a_scale_it_is_that_in_z(backend):
    scale = 2.0 ** np.arange(-3, 3)
    part = visited(begun(backend, scale), np.diag(np.arange(1.0, 7.0)))
    np.testing.assert_allclose(
        backend.to_numpy(part.diagonal()), np.arange(1.0, 7.0) * scale**2, rtol=8 * backend.eps
    )


def test_the_variance_is_that_of_the_rows(rng):
    H = dominant(rng)
    part = hessx.Hutchinson(samples=4000).begin(Frame(space_of(np.zeros(n))))
    visited(part, H)
    expected = ((H**2).sum(axis=1) - np.diag(H) ** 2) / 4000
    np.testing.assert_allclose(part.variance(), expected, rtol=0.15)
    assert (abs(part.diagonal() - abs(np.diag(H))) <= 4.0 * np.sqrt(expected)).all()


def test_one_sample_has_no_variance_and_a_known_diagonal_none(backend, rng):
    part = visited(begun(backend), dominant(rng))
    assert np.isinf(backend.to_numpy(part.variance())).all()
    counts = Counts()
    H = dominant(rng)
    M = like(part.frame.space, H, "H")
    part.leave()
    known = HessianAt(part.frame.space, lambda v: M @ v, counts, 1.0, hessx.DenseOperator(M, True))
    part.at(known)
    part.prepare()
    np.testing.assert_array_equal(backend.to_numpy(part.diagonal()), abs(np.diag(H)))
    np.testing.assert_array_equal(backend.to_numpy(part.variance()), 0.0)
    assert counts.products == 0


def test_takes_its_samples_with_one_fetch(backend, rng):
    part, counts = begun(backend, samples=3), Counts()
    part.at(hessian(part, dominant(rng), counts))
    with record_fetches() as ledger:
        part.prepare()
    assert (ledger.fetches, counts.products) == (1, 3)
    with record_fetches() as ledger:
        part.solve(backend.asarray(np.ones(n)))
        part.variance()
    assert (ledger.fetches, counts.products) == (0, 3)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_broken_and_zero_has_no_size(backend, rng, bad):
    H = dominant(rng)
    part = visited(begun(backend, samples=2), H)
    assert part.sized
    assert not part.broken
    there = part.frame.space
    part.leave()
    part.at(HessianAt(there, lambda v: v * bad, Counts(), 1.0))
    part.prepare()
    assert part.broken
    assert np.isnan(backend.to_numpy(part.solve(backend.asarray(np.ones(n))))).all()
    assert part.operator(inverse=True) is None
    zero = visited(begun(backend), H * 0.0)
    np.testing.assert_array_equal(backend.to_numpy(zero.diagonal()), 1.0)
    assert not zero.sized


@pytest.mark.backends("numpy")
def test_a_watch_ends_it_between_samples(backend, rng):
    part, counts = begun(backend, samples=5), Counts()
    part.at(hessian(part, dominant(rng), counts))
    assert not part.prepare(lambda: counts.products >= 2)
    assert counts.products == 2
    assert part.mean is None


def test_a_point_is_not_sampled_twice_after_a_load():
    d = np.geomspace(1.0, 1e6, n)
    given = {
        "jac": lambda x: d * x + x**3,
        "hessp": lambda x, v: d * v + 3.0 * x**2 * v,
        "method": hessx.LineSearchMethod(hessx.Hutchinson(), hessx.HagerZhang()),
    }

    def run(maxiter, **more):
        return hessx.minimize(
            lambda x: (d * x) @ x / 2.0 + (x**4).sum() / 4.0, np.ones(n), **given,
            options={"maxiter": maxiter}, **more,
        )  # fmt: skip

    whole, file = run(100), io.BytesIO()
    hessx.save(file, run(2))
    file.seek(0)
    resumed = run(100, resume=file)
    assert (resumed.x == whole.x).all()
    assert resumed.counts.products == whole.counts.products == whole.nit


@pytest.mark.parametrize(
    "settings", [{"samples": 0}, {"beta": 1.0}, {"floor": 0.0}, {"floor": 1.0}, {"seed": -1}]
)
def test_bad_settings(settings):
    with pytest.raises(hessx.SettingsError, match=next(iter(settings))):
        hessx.Hutchinson(**settings)
