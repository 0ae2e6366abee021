"""What every rule promises on every library: its arrays, its iterates, and no wait."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hessx.rules as r
from _helpers.perceptron import SHAPES, leaves_of, start
from _helpers.rules import RULES
from hessx._xp import space_of
from hessx.rules import Chain

STEPS, RATE = 8, 0.1

# Of a step on torch, where ema is one launch and x - rate d another.
LAUNCHES = {
    "sgd": 1, "momentum": 3, "adagrad": 6, "rmsprop": 6, "adadelta": 11, "adam": 9, "adamw": 11,
    "amsgrad": 10, "adamax": 8, "nadam": 11, "radam": 9, "lion": 11, "dog": 11,
}  # fmt: skip


def gradients() -> np.ndarray:
    """Fixed ones, so that rounding is all that differs."""
    return np.random.default_rng(5).standard_normal((STEPS, start().size))


def begin(backend: Any, name: str) -> tuple[Chain, Any, Any]:
    """A chain on the tree of the perceptron, its space and its flat x."""
    tree = {key: backend.asarray(leaf) for key, leaf in leaves_of(start()).items()}
    assert {key: tuple(leaf.shape) for key, leaf in tree.items()} == SHAPES
    space = space_of(tree)
    x = space.flat(tree)
    return Chain.begin(RULES[name], space, x), space, x


def on_numpy(name: str) -> np.ndarray:
    """The last iterate, in float64."""
    space = space_of(leaves_of(start()))
    x, chain = start(), Chain.begin(RULES[name], space, start())
    for t, g in enumerate(gradients(), 1):
        x = chain.step(t, g, x, RATE)
    return x


@pytest.mark.parametrize("name", RULES)
def test_the_same_iterates_everywhere_and_no_wait(backend, name):
    chain, _, x0 = begin(backend, name)
    given = [backend.asarray(g) for g in gradients()]
    before = [backend.to_numpy(a).copy() for a in (x0, *given)]

    def run() -> Any:
        x = x0
        for t, g in enumerate(given, 1):
            x = chain.step(t, g, x, RATE)
        return x

    if backend.counts_fetches:
        with backend.fetches() as waits:
            x = run()
        assert waits.count == 0
    else:
        x = run()
    backend.assert_same_kind(x, x0)
    expected = on_numpy(name)
    off = np.abs(backend.to_numpy(x) - expected).max()
    assert off <= 1e3 * backend.eps * np.abs(expected).max()
    for a, was in zip((x0, *given), before, strict=True):
        np.testing.assert_array_equal(backend.to_numpy(a), was)


@pytest.mark.backends("fakegpu")
@pytest.mark.parametrize("name", LAUNCHES)
def test_launches_of_a_step(backend, name):
    chain, _, x = begin(backend, name)
    g = backend.asarray(gradients()[0])
    x = chain.step(1, g, x, RATE)
    with backend.meter.tally() as tally, backend.meter.forbid_waits():
        chain.step(2, g, x, RATE)
    assert tally.launches.total() <= LAUNCHES[name], tally.launches


def test_a_rate_of_the_device_and_a_base(backend):
    chain, _, x = begin(backend, "momentum")
    again, _, _ = begin(backend, "momentum")
    g, base = backend.asarray(gradients()[0]), backend.asarray(gradients()[1])
    by_float = chain.step(1, g, x, RATE, base)
    by_array = again.step(1, g, x, backend.asarray(RATE), base)
    backend.assert_same_kind(by_array, x)
    expected = gradients()[1] - RATE * gradients()[0]
    for moved in (by_float, by_array):
        np.testing.assert_allclose(backend.to_numpy(moved), expected, atol=8 * backend.eps)


@pytest.mark.parametrize("name", ["adam", "lamb", "prodigy", "d-adapted sgd", "d-adapted adam"])
def test_a_gradient_of_zero_moves_nothing_and_is_no_trouble(backend, name):
    chain, space, x = begin(backend, name)
    if name == "lamb":
        chain = Chain.begin([r.Adam(), r.TrustRatio()], space, x)
    moved = chain.step(2, chain.step(1, x * 0.0, x, RATE) * 0.0, x, RATE)
    np.testing.assert_array_equal(backend.to_numpy(moved), backend.to_numpy(x))
