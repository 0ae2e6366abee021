"""The backends answer truthfully: arrays are where and what they say."""

from __future__ import annotations

import array_api_compat as compat
import numpy as np
import pytest


def test_arrays_have_the_backends_kind(backend, xp, rng):
    host = rng.standard_normal((4, 3)).astype(backend.dtype_name)
    a = backend.asarray(host)
    assert compat.array_namespace(a).__name__ == xp.__name__
    assert a.dtype == backend.dtype
    assert compat.device(a) == backend.device
    assert a.shape == (4, 3)
    np.testing.assert_array_equal(backend.to_numpy(a), host)
    assert xp.finfo(a.dtype).eps == backend.eps


@pytest.mark.parametrize("data", [2.0, [1.0, 2.0, 3.0], [[1.0], [2.0]], []])
def test_numbers_and_lists_become_arrays(backend, data):
    a = backend.asarray(data)
    backend.assert_same_kind(a, backend.asarray(np.asarray(data)))
    np.testing.assert_array_equal(backend.to_numpy(a), np.asarray(data, backend.dtype_name))


def test_integers_on_request(backend):
    assert backend.asarray([1, 2], dtype="int32").dtype == backend.xp.int32


def test_writeable_is_what_the_library_does(backend):
    a = backend.asarray([1.0, 2.0])
    if backend.writeable:
        a[0] = 5.0
        assert backend.to_numpy(a)[0] == 5.0
    elif not backend.lazy:  # dask writes to a copy of its graph
        with pytest.raises((TypeError, ValueError)):
            a[0] = 5.0


@pytest.mark.backends("dask")
def test_a_dask_vector_has_two_chunks(backend):
    assert backend.asarray([1.0, 2.0, 3.0]).numblocks == (2,)


def test_same_kind_names_the_first_difference(backend, rng):
    a = backend.asarray([1.0, 2.0])
    backend.assert_same_kind(a + 1.0, a)
    with pytest.raises(AssertionError, match="shape"):
        backend.assert_same_kind(backend.asarray([1.0]), a)
    with pytest.raises(AssertionError, match="dtype"):
        backend.assert_same_kind(backend.asarray([1, 2], dtype="int32"), a)
    with pytest.raises(AssertionError, match="not an array"):
        backend.assert_same_kind([1.0, 2.0], a)
    if backend.family != "numpy":
        with pytest.raises(AssertionError, match="library"):
            backend.assert_same_kind(np.asarray([1.0, 2.0]), a)


@pytest.mark.backends("fakegpu", "dask", "cupy-signatures")
def test_fetches_counts_waits(backend):
    a = backend.asarray([1.0, 2.0, 3.0])
    assert backend.counts_fetches
    with backend.fetches() as waits:
        total = backend.xp.sum(a * a)
        assert waits.count == 0
        values = float(total), float(backend.xp.max(a))
    assert values == (14.0, 3.0)
    assert waits.count == 2


@pytest.mark.backends("strict-strictest")
def test_the_strictest_has_no_optional_parts(backend):
    x = backend.asarray([1.0, -2.0])
    with pytest.raises(RuntimeError, match="boolean"):
        x[x > 0.0]
    with pytest.raises(RuntimeError, match="data-dependent"):
        backend.xp.nonzero(x)
    assert not hasattr(backend.xp, "linalg")


@pytest.mark.backends("strict-device1")
def test_device1_refuses_the_host(backend):
    x = backend.asarray([1.0, -2.0])
    with pytest.raises(ValueError, match="device"):
        x + backend.xp.asarray([1.0, 2.0])
    with pytest.raises(RuntimeError, match="device1"):
        np.asarray(x)
