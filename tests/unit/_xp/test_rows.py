"""Rows of one array and rows in a list answer alike."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from hessx._xp import ListedRows, Packet, WrittenRows, _numpy_rows, make_rows, space_of

k, n = 5, 4


@pytest.fixture
def forms(backend, monkeypatch):
    """Every form that the backend allows."""
    space = space_of(backend.asarray(np.zeros(n)))
    forms = [make_rows(space, k), ListedRows(space, k)]
    if space.writeable:
        forms.append(WrittenRows(space, k))
    if space.kind == "numpy":  # blocks and groups that do not divide n and k
        monkeypatch.setattr(_numpy_rows, "_WIDTH", 3)
        monkeypatch.setattr(_numpy_rows, "_READ", 2)
        monkeypatch.setattr(_numpy_rows, "_SUM", 2)
        forms.append(_numpy_rows.BlockedRows(space, k))
    return forms


def test_rows_do_what_numpy_does(backend, forms, rng):
    host = rng.standard_normal((k, n)).astype(backend.dtype_name)
    u, c = host[0] + 1, np.array([0.5, -2.0, 3.0])
    for rows in forms:
        expected = host.copy()
        for i in range(k):
            rows.set(i, backend.asarray(host[i]))
        rows.set_scaled(1, backend.asarray(u), -0.5)
        expected[1] = -0.5 * u
        rows.set_product(2, backend.asarray(u), backend.asarray(host[3]))
        expected[2] = u * host[3]
        rows.set_difference(4, 3, 0)
        expected[4] = host[3] - host[0]
        for i in range(k):
            np.testing.assert_array_equal(backend.to_numpy(rows[i]), expected[i])
        wide = expected.astype(np.float64)
        close = {"rtol": 0, "atol": 50 * backend.eps}
        products = backend.to_numpy(rows.products(1, 4, 0))
        np.testing.assert_allclose(products, wide[1:4] @ wide[0], **close)
        products = backend.to_numpy(rows.products_with(1, 3, backend.asarray(u)))
        np.testing.assert_allclose(products, wide[1:3] @ u, **close)
        for out in (None, rows.space.zeros(n)):
            combined = rows.combine(1, c, out=out)
            backend.assert_same_kind(combined, backend.asarray(u))
            np.testing.assert_allclose(backend.to_numpy(combined), c @ wide[1:4], **close)
        combined = rows.combine_on_device(1, backend.asarray(c))
        np.testing.assert_allclose(backend.to_numpy(combined), c @ wide[1:4], **close)


def test_a_direction_goes_into_a_row_that_it_is_formed_from(backend, forms, rng):
    host = rng.standard_normal((k, n)).astype(backend.dtype_name)
    c = np.array([0.5, -2.0, 3.0])
    d = c @ host[1:4].astype(np.float64)
    close = {"rtol": 0, "atol": 50 * backend.eps}
    x, z = backend.asarray(host[0]), host[4]
    for rows, a, scaled, with_out in product(forms, (-0.25, 1.0), (False, True), (False, True)):
        for i in range(k):
            rows.set(i, backend.asarray(host[i]))
        scale = backend.asarray(z) if scaled else None
        out = rows.space.zeros(n) if with_out else None
        combined, moved, square = rows.follow(1, c, 2, a, x, scale, out)
        backend.assert_same_kind(combined, backend.asarray(host[0]))
        np.testing.assert_allclose(backend.to_numpy(combined), d, **close)
        for i in range(k):
            expected = a * d if i == 2 else host[i]
            np.testing.assert_allclose(backend.to_numpy(rows[i]), expected, **close)
        assert math.isnan(square) or square == pytest.approx(d @ d, rel=1e3 * backend.eps)
        step = backend.to_numpy(rows[2]) * z if scaled else backend.to_numpy(rows[2])
        for there in (moved, rows.moved(x, 2, scale)):
            backend.assert_same_kind(there, x)
            np.testing.assert_array_equal(backend.to_numpy(there), host[0] + step)


@pytest.mark.parametrize("scaled", [False, True])
def test_a_gradient_is_taken_in(backend, forms, rng, scaled):
    host = rng.standard_normal((k, n)).astype(backend.dtype_name)
    u, z = rng.standard_normal((2, n)).astype(backend.dtype_name)
    g = u * z if scaled else u
    expected = host.copy()
    expected[1], expected[4] = g, g - host[0]
    wide = expected.astype(np.float64)
    close = {"rtol": 0, "atol": 50 * backend.eps}
    for rows in forms:
        for i in range(k):
            rows.set(i, backend.asarray(host[i]))
        scale = backend.asarray(z) if scaled else None
        named = rows.take_in(backend.asarray(u), scale, 1, 4, 0, 1, k)
        *bounds, products, pair = named
        assert [float(backend.to_numpy(a)) for a in bounds] == [u.max(), u.min()]
        for i in range(k):
            np.testing.assert_array_equal(backend.to_numpy(rows[i]), expected[i])
        np.testing.assert_allclose(backend.to_numpy(products), wide[1:] @ wide[1], **close)
        np.testing.assert_allclose(backend.to_numpy(pair), wide[3:] @ wide[4], **close)


def test_rows_grow(backend, forms, rng):
    """What stood there stays, what comes is zero, and both are written and multiplied alike."""
    host = rng.standard_normal((k, n)).astype(backend.dtype_name)
    for rows in forms:
        for i in range(k):
            rows.set(i, backend.asarray(host[i]))
        rows.grow(k + 3)
        assert rows.count == k + 3
        rows.set(k + 1, backend.asarray(host[0]))
        expected = np.vstack([host, np.zeros((3, n))])
        expected[k + 1] = host[0]
        for i in range(k + 3):
            np.testing.assert_array_equal(backend.to_numpy(rows[i]), expected[i])
        products = backend.to_numpy(rows.products(0, k + 3, 1))
        np.testing.assert_allclose(products, expected @ host[1], rtol=0, atol=50 * backend.eps)


def test_rows_begin_as_zeros(backend, forms):
    for rows in forms:
        for i in range(k):
            np.testing.assert_array_equal(backend.to_numpy(rows[i]), np.zeros(n))


def test_what_was_written_is_held_once(backend, forms):
    """Held arrays take the place of what was written; a second packet need not hold them again."""
    for rows in forms:
        rows.set(3, backend.asarray(np.ones(n)))
        rows.set_scaled(1, backend.asarray(np.ones(n)), 2.0)
        packet = Packet(rows.space)
        rows.hold(packet)
        assert len(packet.holders) == (2 if rows.space.lazy else 0)
        assert packet.fetch() == {}
        again = Packet(rows.space)
        rows.hold(again)
        assert again.holders == []
        np.testing.assert_array_equal(backend.to_numpy(rows[1]), np.full(n, 2.0))
        np.testing.assert_array_equal(backend.to_numpy(rows[3]), np.ones(n))
