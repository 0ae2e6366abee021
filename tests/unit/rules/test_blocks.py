"""Passes in blocks, against the plain expressions: the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hessx
from _helpers.perceptron import gradient, leaves_of, start
from _helpers.rules import ENTRIES
from hessx._xp import _cupy_tape, _numpy_tape, _pointwise, space_of
from hessx.core import Counts
from hessx.objectives import HessianAt
from hessx.rules import SGD, Chain, Rule

STEPS = 4


@pytest.fixture
def blocks(monkeypatch):
    """Blocks of 7 entries, of vectors of any length."""
    monkeypatch.setattr(_pointwise, "_LONG", 1)
    monkeypatch.setattr(_numpy_tape, "BLOCK", 7)


def run(rules: Any, dtype: str) -> list[np.ndarray]:
    """Iterates, and a direction at the end."""
    x = start().astype(dtype)
    chain = Chain.begin(rules, space_of(x), x)
    rows = []
    for t in range(1, STEPS + 1):
        x = chain.step(t, gradient(x).astype(dtype), x, 0.01, base=x + 1.0 if t == 2 else None)
        rows.append(x)
    return [*rows, np.array(chain.direction(STEPS + 1, gradient(x).astype(dtype), x))]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ENTRIES)
def test_blocks_give_the_bits_of_the_plain_expressions(name, dtype, monkeypatch, blocks):
    seen = []
    plain = _numpy_tape.NumpyTape.run
    monkeypatch.setattr(
        _numpy_tape.NumpyTape, "run", lambda *args: seen.append(name) or plain(*args)
    )
    in_blocks = run(ENTRIES[name], dtype)
    assert len(seen) >= STEPS + 1  # none ran plain
    monkeypatch.setattr(_pointwise, "_LONG", 10**9)
    for a, b in zip(in_blocks, run(ENTRIES[name], dtype), strict=True):
        assert a.dtype == b.dtype == dtype
        np.testing.assert_array_equal(a, b)


@pytest.mark.backends("cupy-signatures", "cupy")
@pytest.mark.parametrize(
    ("name", "dtype"),
    [(name, "float64") for name in ENTRIES] + [("adam", "float32"), ("dog", "float32")],
)
def test_a_kernel_gives_the_bits_of_the_plain_expressions(backend, name, dtype, monkeypatch):
    """CuPy's, whose body is compiled for the host where there is no GPU; one launch a pass."""
    launched = []
    plain = _cupy_tape.CupyTape.run
    monkeypatch.setattr(
        _cupy_tape.CupyTape, "run", lambda *args: launched.append(name) or plain(*args)
    )
    on_host, x = start().astype(dtype), backend.asarray(start(), dtype)
    chain = Chain.begin(ENTRIES[name], space_of(x), x)
    expected = Chain.begin(ENTRIES[name], space_of(on_host), on_host)
    for t in range(1, STEPS + 1):
        g = gradient(on_host).astype(dtype)
        x = chain.step(t, backend.asarray(g, dtype), x, 0.01)
        on_host = expected.step(t, g, on_host, 0.01)
        np.testing.assert_array_equal(backend.to_numpy(x), on_host)
    assert len(launched) == STEPS * len(chain.links)


@pytest.mark.backends("torch", "torch-float32")
@pytest.mark.parametrize("name", ["adam", "nesterov", "dog", "clipped"])
def test_torch_runs_in_blocks_on_the_host(backend, name, monkeypatch):
    """Bits may differ: lerp takes another path at the end of a vector."""
    ends = []
    for fresh in (1, 10**9):
        monkeypatch.setattr(_pointwise, "_FRESH", fresh)
        monkeypatch.setattr(_pointwise, "_BLOCK", 7)
        x = x0 = backend.asarray(start())
        chain = Chain.begin(ENTRIES[name], space_of(x), x)
        for t in range(1, STEPS + 1):
            x = chain.step(t, backend.asarray(gradient(start() * t)), x, 0.01)
        backend.assert_same_kind(x, x0)
        np.testing.assert_array_equal(
            backend.to_numpy(x0), backend.to_numpy(backend.asarray(start()))
        )
        ends.append(backend.to_numpy(x))
    np.testing.assert_allclose(*ends, rtol=0.0, atol=8 * backend.eps)


@pytest.mark.backends("jax", "jax-float32")
@pytest.mark.parametrize("name", ["adam", "nadam", "momentum"])
def test_jax_compiles_a_pass_once_and_leaves_x_to_its_owner(backend, name):
    x = x0 = backend.asarray(start())
    chain = Chain.begin(ENTRIES[name], space_of(x), x)
    for t in range(1, STEPS + 1):
        x = chain.step(t, x0, x, 0.1 / t)
    (link,) = chain.links
    assert link.pointwise.made["_moved"]._cache_size() == 1
    assert not x0.is_deleted()


def test_what_a_tape_does_not_know_runs_plain(blocks):
    class Cubed(Rule):
        def turn(self, xp, k, g, x):
            return (g**3,)

    class Branching(Rule):
        def turn(self, xp, k, g, x):
            return (g if xp.sum(g) > 0 else -g,)

    x = np.array([1.0, -2.0, 3.0])
    assert (Chain.begin(Cubed(), space_of(x), x).direction(1, x, x) == x**3).all()
    assert (Chain.begin(Branching(), space_of(x), x).direction(1, x, x) == x).all()


def test_slots_that_change_places_run_plain(blocks):
    class Swapping(Rule):
        slots = ("a", "b")

        def turn(self, xp, k, g, x, a, b):
            return g + a, b, g * 1.0

    x = np.array([1.0, -2.0, 3.0])
    chain = Chain.begin(Swapping(), space_of(x), x)
    found = [chain.direction(t, x * t, x) for t in (1, 2, 3)]
    np.testing.assert_array_equal(found, [x, 2 * x, 3 * x + x])


def test_a_slot_may_become_the_gradient_and_still_be_read(blocks):
    """SGD with the difference of two gradients: the old slot is read after the new is known."""

    class Difference(Rule):
        slots = ("before",)

        def turn(self, xp, k, g, x, before):
            return g * 2.0 - before, g

    x = np.array([1.0, -2.0, 3.0])
    chain = Chain.begin(Difference(), space_of(x), x)
    given = [x * t for t in (1.0, 4.0, 9.0)]
    found = [np.array(chain.direction(t, g, x)) for t, g in enumerate(given, 1)]
    np.testing.assert_array_equal(found, [2 * x, 7 * x, 14 * x])
    np.testing.assert_array_equal(given, [x, 4 * x, 9 * x])


@pytest.mark.parametrize("name", ["momentum", "nesterov", "adam"])
def test_a_direction_given_out_does_not_change_with_the_next(name, blocks):
    x = start()
    chain = Chain.begin(ENTRIES[name], space_of(x), x)
    d = chain.direction(1, gradient(x), x)
    was = d.copy()
    chain.step(2, gradient(x + 1.0), x, 0.1)
    np.testing.assert_array_equal(d, was)


@pytest.mark.parametrize("rule", [hessx.AdaHessian(), hessx.SophiaH()])
def test_rules_with_lessons_run_in_blocks_too(rule, monkeypatch):
    x0, ends = start(), []
    for long in (1, 10**9):
        monkeypatch.setattr(_pointwise, "_LONG", long)
        monkeypatch.setattr(_numpy_tape, "BLOCK", 7)
        x, space = x0, space_of(x0)
        chain = Chain.begin(rule, space, x)
        hessian = HessianAt(space, lambda v: v * 3.0, Counts(), 1.0)
        for t in range(1, STEPS + 1):
            if chain.lesson_due(t):
                chain.learn(t, hessian)
            x = chain.step(t, gradient(x), x, 0.01)
        ends.append(x)
        assert bool(chain.links[0].pointwise.made.get("_moved")) == (long == 1)
    np.testing.assert_array_equal(*ends)


def test_arrays_given_are_not_written_to_in_blocks(blocks):
    x, g = start(), gradient(start())
    chain = Chain.begin(SGD(0.9, nesterov=True), space_of(leaves_of(x)), x)
    for a in (x, g):
        a.flags.writeable = False
    once, twice = chain.step(1, g, x, 0.1), chain.step(2, g, x, 0.1)
    assert not np.shares_memory(once, twice)
    assert not any(np.shares_memory(a, b) for a in (once, twice) for b in (x, g))
