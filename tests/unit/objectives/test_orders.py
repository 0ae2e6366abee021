"""Orders are pure functions of seed and epoch, and draw rows as they say."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import hessx
from hessx._xp import space_of
from hessx.core.persistence._encoding import Reader, Writer
from hessx.objectives._epochs import Epochs

RANDOM = [
    hessx.Shuffled(3),
    hessx.Shuffled(3, block=7),
    hessx.WithReplacement(3),
    hessx.Importance(np.arange(1.0, 61.0), 3),
]
PERMUTATIONS = [hessx.Shuffled(3), hessx.Shuffled(3, block=7), hessx.Sequential()]


@pytest.mark.parametrize("order", [*RANDOM, hessx.Sequential()], ids=repr)
def test_the_same_epoch_is_the_same_again_whatever_came_between(order):
    first = order.indices(5, 60)
    order.indices(6, 60)
    assert first.dtype == np.int64
    np.testing.assert_array_equal(order.indices(5, 60), first)


@pytest.mark.parametrize("order", RANDOM, ids=repr)
def test_epochs_and_seeds_differ(order):
    other = replace(order, seed=4)
    drawn = [order.indices(0, 60), order.indices(1, 60), other.indices(0, 60)]
    for i, one in enumerate(drawn):
        for two in drawn[:i]:
            assert (one == two).mean() < 0.3


@pytest.mark.parametrize("order", PERMUTATIONS, ids=repr)
@pytest.mark.parametrize("N", [1, 7, 60])
def test_each_row_once(order, N):
    for epoch in range(3):
        np.testing.assert_array_equal(np.sort(order.indices(epoch, N)), np.arange(N))


def test_blocks_stay_together_and_come_in_any_order():
    order, starts = hessx.Shuffled(0, block=7), set()
    for epoch in range(20):
        numbers = order.indices(epoch, 60) // 7
        changes = np.flatnonzero(np.diff(numbers)) + 1
        assert len(changes) == 8  # nine blocks, each in one piece
        starts.add(numbers[0])
    assert len(starts) > 4


def test_rows_are_drawn_with_their_probabilities():
    p = np.array([1.0, 2.0, 3.0, 4.0]) / 10
    for order, expected in (
        (hessx.Importance(p * 7), p),
        (hessx.WithReplacement(), np.full(4, 0.25)),
    ):
        counts = sum(np.bincount(order.indices(e, 4), minlength=4) for e in range(2000))
        sigma = np.sqrt(8000 * expected * (1 - expected))
        assert np.all(abs(counts - 8000 * expected) < 5 * sigma)


def test_every_place_of_a_shuffle_sees_every_row():
    """Means over 2000 epochs of what stands at each place, against those of a uniform draw."""
    drawn = np.array([hessx.Shuffled(1).indices(epoch, 12) for epoch in range(2000)])
    sigma = np.sqrt((12**2 - 1) / 12 / 2000)
    assert np.all(abs(drawn.mean(axis=0) - 5.5) < 5 * sigma)


def test_weights_make_the_expectation_of_any_number_its_mean(rng):
    p, f = rng.random(30) + 0.1, rng.standard_normal(30)
    order = hessx.Importance(list(p))
    assert (p / p.sum()) @ (order.weights(30) * f) == pytest.approx(f.mean(), rel=1e-13)
    for other in (hessx.Shuffled(), hessx.Sequential(), hessx.WithReplacement()):
        assert other.weights(30) is None


def test_importance_of_any_library(backend):
    given = [1.0, 2.0, 5.0]
    order = hessx.Importance(backend.asarray(given))
    assert order == hessx.Importance(given)
    assert hash(order) == hash(hessx.Importance(np.array(given)))
    assert order != hessx.Importance([1.0, 2.0, 4.0])


@pytest.mark.parametrize("order", [*RANDOM, hessx.Sequential()], ids=repr)
def test_a_sample_is_saved_with_its_order(order):
    sample, writer = hessx.Sample(order, 7, 10, 20), Writer()
    tree = json.loads(json.dumps(writer.tree(sample, "sample"), allow_nan=False))
    loaded = Reader(space_of(np.ones(2)), writer.arrays, []).value(tree)
    assert loaded == sample
    np.testing.assert_array_equal(loaded.order.indices(7, 60), order.indices(7, 60))
    if order.weights(60) is not None:
        np.testing.assert_array_equal(loaded.order.weights(60), order.weights(60))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hessx.Shuffled(-1), "seed = -1: expected an integer >= 0"),
        (lambda: hessx.Shuffled(0.5), "seed = 0.5"),
        (lambda: hessx.Shuffled(block=0), "block = 0: expected an integer >= 1"),
        (lambda: hessx.WithReplacement("a"), "seed = 'a'"),
        (lambda: hessx.Importance([0.5, 0.0]), "expected a vector of positive numbers"),
        (lambda: hessx.Importance([[1.0]]), "expected a vector of positive numbers"),
        (lambda: hessx.Importance([1.0, np.nan]), "expected a vector of positive numbers"),
        (lambda: hessx.Importance("ab"), "expected a vector of positive numbers"),
        (lambda: hessx.Importance([1.0, 1.0]).indices(0, 3), "2 probabilities: expected 3"),
        (lambda: hessx.Importance([1.0, 1.0]).weights(3), "2 probabilities: expected 3"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(hessx.SettingsError, match=message):
        make()


@pytest.mark.parametrize(
    ("indices", "error", "message"),
    [
        (lambda N: np.arange(N - 1), TypeError, r"shape \(4,\): expected a NumPy array of 5"),
        (lambda N: list(range(N)), TypeError, "returned a list"),
        (lambda N: np.ones(N), TypeError, "returned a ndarray"),
        (lambda N: np.arange(N) - 1, ValueError, "rows from -1 to 3: expected 0 to 4"),
        (lambda N: np.arange(N) + 1, ValueError, "rows from 1 to 5: expected 0 to 4"),
    ],
)
def test_what_an_order_of_ones_own_may_not_return(indices, error, message):
    class Own(hessx.Order):
        def indices(self, epoch, N):
            return indices(N)

    with pytest.raises(error, match=message):
        Epochs(5).on_host(hessx.Sample(Own(), 0, 0, 2))
