"""Memory is given out again when, and only when, nothing looks into it any more."""

from __future__ import annotations

import numpy as np
import pytest

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


def test_vectors_outlive_the_recycler():
    vector = Recycler(n, np.dtype(np.float64)).take()
    vector[:] = 1.0
    assert vector.sum() == n
