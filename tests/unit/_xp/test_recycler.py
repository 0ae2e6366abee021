"""Memory is given out again when, and only when, nothing looks into it any more."""

from __future__ import annotations

import numpy as np
import pytest

from hessx._xp import _recycler
from hessx._xp._recycler import Recycler

n = 100


def address(a):
    return a.__array_interface__["data"][0]


def test_a_vector_that_is_gone_makes_room():
    recycler = Recycler(n, np.dtype(np.float32))
    first = recycler.take()
    assert first.dtype == np.float32
    assert first.shape == (n,)
    assert first.flags.writeable
    at = address(first)
    del first
    assert address(recycler.take()) == at


@pytest.mark.parametrize(
    "look",
    [
        lambda a: a[::2],
        lambda a: a.reshape(10, 10)[3],
        lambda a: a.view(np.int64),
        memoryview,
        lambda a: memoryview(a)[1:],
        lambda a: np.frombuffer(a),
        lambda a: np.from_dlpack(a),
        lambda a: [a],
        lambda a: np.broadcast_to(a, (2, n)),
    ],
)
def test_whatever_looks_into_a_vector_keeps_it(look):
    recycler = Recycler(n, np.dtype(np.float64))
    first = recycler.take()
    first[:] = 7.0
    at, held = address(first), look(first)
    del first
    others = [recycler.take() for _ in range(3)]
    for other in others:
        other[:] = 0.0
    assert at not in [address(other) for other in others]
    del held
    assert address(recycler.take()) == at


def test_torch_looks_too():
    torch = pytest.importorskip("torch")
    recycler = Recycler(n, np.dtype(np.float64))
    held = torch.from_numpy(recycler.take())[3:]
    at = held.data_ptr() - 24
    assert address(recycler.take()) != at
    del held
    assert at in [address(a) for a in [recycler.take(), recycler.take()]]


def test_a_copy_that_was_written_with_its_vector_is_given_out_once():
    recycler = Recycler(n, np.dtype(np.float64))
    first, second = recycler.take_twins()
    first[:] = second[:] = 1.0
    assert recycler.copy_of(first.copy()) is not second
    assert recycler.copy_of(first) is second
    second[:] = 2.0
    third = recycler.copy_of(first)
    assert third is not first
    np.testing.assert_array_equal(third, 1.0)


def test_twins_that_nobody_asked_for_make_room():
    recycler = Recycler(n, np.dtype(np.float64))
    places = {address(a) for a in recycler.take_twins()}
    assert {address(a) for a in recycler.take_twins()} == places


@pytest.mark.parametrize("long", [1, 2 * n])
def test_a_copy_is_memory_of_its_own(monkeypatch, long):
    monkeypatch.setattr(_recycler, "_LONG", long)
    recycler, v = Recycler(n, np.dtype(np.float32)), np.arange(n, dtype=np.float32)
    copies = [recycler.copy_of(v), recycler.copy_of(v)]
    copies[0][:] = 0.0
    np.testing.assert_array_equal(copies[1], v)
    assert copies[1].dtype == v.dtype
    at = address(copies[1])
    del copies
    if long == 1:
        again = [recycler.copy_of(v), recycler.copy_of(v)]
        assert at in [address(a) for a in again]


def test_vectors_outlive_the_recycler():
    vector = Recycler(n, np.dtype(np.float64)).take()
    vector[:] = 1.0
    assert vector.sum() == n
