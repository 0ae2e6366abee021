"""The door between device and host: one transfer for everything, and a ledger."""

from __future__ import annotations

import numpy as np
import pytest

from hessx._xp import fetch, record_fetches, space_of, to_host, upload


def test_scalars_vectors_and_floats_come_in_order(backend, xp):
    v = backend.asarray([1.0, 2.0, 4.0])
    space = space_of(v)
    values, kept = fetch(space, [v @ v, 0.1, v * 2.0, xp.max(v), 3.0, v[:1]], [v])
    assert [type(value) for value in values] == [float, float, np.ndarray, float, float, np.ndarray]
    assert (values[0], values[1], values[3], values[4]) == (21.0, 0.1, 4.0, 3.0)
    np.testing.assert_array_equal(values[2], [2.0, 4.0, 8.0])
    assert values[2].dtype == values[5].dtype == np.float64
    assert values[5].shape == (1,)
    (held,) = kept
    backend.assert_same_kind(held, v)
    np.testing.assert_array_equal(backend.to_numpy(held), [1.0, 2.0, 4.0])


def test_nothing_but_floats(backend):
    space = space_of(backend.asarray([1.0]))
    assert fetch(space, [1.5, -2.0]) == ([1.5, -2.0], ())


@pytest.mark.backends("numpy", "torch", "jax", "dask", "strict", "cupy-signatures", "cupy")
def test_values_of_another_precision(backend):
    """f may be computed in more or fewer digits than x."""
    if not backend.has_float64 or backend.name.startswith("jax-"):
        pytest.skip("one precision only")
    space = space_of(backend.asarray([1.0, 2.0]))
    third = {kind: backend.asarray(1.0 / 3.0, dtype=kind) for kind in ("float32", "float64")}
    own = backend.asarray([0.1])[0]
    (narrow, wide, other), _ = fetch(space, [third["float32"], third["float64"], own])
    assert narrow == float(np.float32(1.0 / 3.0))
    assert wide == 1.0 / 3.0
    assert other == float(np.asarray(0.1, backend.dtype_name))


@pytest.mark.backends("fakegpu", "cupy-signatures", "dask")
def test_a_fetch_is_one_wait(backend, xp):
    v = backend.asarray([1.0, 2.0, 4.0])
    space = space_of(v)
    with backend.fetches() as waits, record_fetches() as ledger:
        fetch(space, [v @ v, v * 2.0, 1.0, xp.max(v)], [v + 1.0, v - 1.0])
    assert waits.count == ledger.fetches == 1
    with backend.fetches() as waits, record_fetches() as ledger:
        upload(space, np.arange(3.0))
    assert ledger.uploads == 1
    assert waits.count == (0 if backend.lazy else 1)


@pytest.mark.backends("dask")
def test_what_is_kept_is_computed_once(backend):
    import dask.array as da

    blocks = []

    def seen(block):
        blocks.append(len(block))
        return block + 1.0

    v = da.map_blocks(seen, backend.asarray(np.arange(4.0)), dtype=float, meta=np.empty(0))
    space = space_of(v)
    (square,), (held,) = fetch(space, [v @ v], [v])
    assert square == 30.0
    assert sum(blocks) == 4
    (again,), _ = fetch(space, [held @ held])
    np.testing.assert_array_equal(backend.to_numpy(held), [1.0, 2.0, 3.0, 4.0])
    assert again == 30.0
    assert sum(blocks) == 4
    assert held.numblocks == (2,)


def test_ledgers_nest(backend):
    space = space_of(backend.asarray([1.0]))
    with record_fetches() as outer:
        fetch(space, [1.0])
        with record_fetches() as inner:
            fetch(space, [1.0])
            upload(space, np.ones(1))
    assert (outer.fetches, outer.uploads) == (2, 1)
    assert (inner.fetches, inner.uploads) == (1, 1)


def test_an_upload_has_the_dtype_of_x(backend):
    """Rounded on the host: float64 coefficients would turn a float32 run into float64."""
    v = backend.asarray([1.0, 2.0])
    there = upload(space_of(v), np.array([1.0 / 3.0, 2.0]))
    backend.assert_same_kind(there, v)
    expected = np.array([1.0 / 3.0, 2.0], backend.dtype_name)
    np.testing.assert_array_equal(backend.to_numpy(there), expected)


def test_to_host(backend):
    a = backend.asarray([[1.0, 2.0], [3.0, 4.0]])
    host = to_host(a)
    assert type(host) is np.ndarray
    np.testing.assert_array_equal(host, [[1.0, 2.0], [3.0, 4.0]])
