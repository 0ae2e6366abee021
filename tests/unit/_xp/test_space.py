"""Where a run lives: the space of x0, its algebra, its random numbers, what does not belong."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import hessx
from hessx._xp import dot, extremes, like, norm_inf, normal, rademacher, space_of, to_point, uniform


def test_the_space_of_a_point(backend, xp):
    x = backend.asarray(np.zeros((2, 3)))
    space = space_of(x)
    assert space.xp.__name__ == xp.__name__
    assert (space.shape, space.n, space.eps) == ((2, 3), 6, backend.eps)
    assert space.dtype == backend.dtype
    assert space.writeable == backend.writeable
    assert tuple(space.flat(x).shape) == (6,)
    backend.assert_same_kind(space.shaped(space.flat(x)), x)
    backend.assert_same_kind(space.zeros((2, 3)), x)


def test_a_point_is_a_copy(backend):
    x0 = backend.asarray([1.0, 2.0])
    point = to_point(x0)
    backend.assert_same_kind(point, x0)
    if backend.writeable:
        x0[0] = 5.0
    np.testing.assert_array_equal(backend.to_numpy(point), [1.0, 2.0])


@pytest.mark.backends("torch", "fakegpu")
def test_a_point_has_no_graph(backend):
    x0 = backend.asarray([1.0, 2.0]).requires_grad_()
    assert not to_point(x0).requires_grad
    result = hessx.minimize(lambda x: ((x * x0) @ x, 2 * x * x0), x0, jac=True)
    assert not result.x.requires_grad
    assert not result.jac.requires_grad


def test_what_differs_is_named(backend, xp):
    space = space_of(backend.asarray([1.0, 2.0]))
    assert space.mismatch(backend.asarray([3.0])) is None
    assert space.mismatch([1.0]).startswith("type list, expected an array of")
    other = "int32"
    message = space.mismatch(backend.asarray([1, 2], dtype=other))
    assert message.startswith("dtype")
    assert other in message
    assert backend.dtype_name in message
    if backend.family != "numpy":
        message = space.mismatch(np.array([1.0]))
        assert "ndarray" in message or "an array of numpy" in message
        assert "expected" in message


@pytest.mark.backends("strict-device1", "fakegpu")
def test_another_device_is_named(backend, xp):
    space = space_of(backend.asarray([1.0, 2.0]))
    message = space.mismatch(xp.asarray([1.0, 2.0], dtype=backend.dtype))
    assert message.startswith("device")
    assert str(backend.device) in message


def test_auxiliary_arrays_come_from_the_host_or_the_space(backend):
    x = backend.asarray([1.0, 2.0])
    space = space_of(x)
    for given in ([3.0, 4.0], (3, 4), np.array([3.0, 4.0]), backend.asarray([3.0, 4.0])):
        a = like(space, given, "scale")
        backend.assert_same_kind(a, x)
        np.testing.assert_array_equal(backend.to_numpy(a), [3.0, 4.0])
    with pytest.raises(TypeError, match="scale has dtype"):
        like(space, ["a", "b"], "scale")


@pytest.mark.parametrize("draw", [normal, rademacher])
def test_the_same_draws_everywhere(backend, draw):
    x = backend.asarray(np.zeros((2, 3)))
    drawn = draw(space_of(x), 7, 500)
    backend.assert_same_kind(drawn, backend.asarray(np.zeros((500, 6))))
    host = backend.to_numpy(drawn)
    expected = draw(space_of(np.zeros(6)), 7, 500)
    np.testing.assert_array_equal(host, expected.astype(backend.dtype_name))
    assert not np.array_equal(host, backend.to_numpy(draw(space_of(x), 8, 500)))
    # 3000 numbers of mean 0 and variance 1
    assert abs(host.mean()) < 5 / np.sqrt(3000)
    assert abs(host.var() - 1.0) < 5 * np.sqrt(2 / 3000)
    if draw is rademacher:
        assert set(host.ravel()) == {-1.0, 1.0}


def test_uniform_numbers_stay_below_one(backend):
    """Multiples of 2^-24 are numbers of every dtype: nothing is rounded up to 1."""
    space = space_of(backend.asarray(np.zeros(2)))
    drawn = uniform(space, (7, 1), 3000)
    backend.assert_same_kind(drawn, backend.asarray(np.zeros(3000)))
    host = backend.to_numpy(drawn).astype(float)
    np.testing.assert_array_equal(host, uniform(space_of(np.zeros(1)), (7, 1), 3000))
    np.testing.assert_array_equal(host * 2.0**24, np.round(host * 2.0**24))
    assert host.min() >= 0.0
    assert host.max() < 1.0
    assert abs(host.mean() - 0.5) < 5 / np.sqrt(12 * 3000)
    assert not np.array_equal(host, backend.to_numpy(uniform(space, (7, 2), 3000)))


def test_normal_numbers_of_another_length(backend):
    space = space_of(backend.asarray(np.zeros(2)))
    drawn = backend.to_numpy(normal(space, 7, 5, 6))
    expected = normal(space_of(np.zeros(6)), 7, 5)
    np.testing.assert_array_equal(drawn, expected.astype(backend.dtype_name))


def test_products_over_the_last_axis(backend, rng):
    a, b = rng.standard_normal((2, 3, 4, 5)).astype(backend.dtype_name)
    products = backend.to_numpy(dot(backend.asarray(a), backend.asarray(b)))
    np.testing.assert_allclose(products, (a * b).sum(-1), rtol=0, atol=50 * backend.eps)
    one = dot(backend.asarray(a[0, 0]), backend.asarray(b[0, 0]))
    np.testing.assert_allclose(
        backend.to_numpy(one), a[0, 0] @ b[0, 0], rtol=0, atol=50 * backend.eps
    )


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf, -np.inf])
def test_the_largest_entry(backend, bad):
    host = np.array([1.0, -3.0, bad, 2.0])
    v = backend.asarray(host)
    space = space_of(v)
    high, low = (float(backend.to_numpy(a)) for a in extremes(space, v))
    expected = abs(host).max()
    np.testing.assert_equal(max(high, -low) if bad == bad else high + low, expected)
    np.testing.assert_equal(float(backend.to_numpy(norm_inf(space, v))), expected)


def test_the_space_of_another_shape(backend):
    """Library, dtype and device are the first one's, all else is of the second."""
    x = backend.asarray(np.ones(3))
    tree = {"a": backend.asarray([[1.0, 2.0]]), "b": backend.asarray([3.0])}
    space = space_of(x).with_shape_of(tree)
    assert (space.n, space.dtype, space.tree is not None) == (3, backend.dtype, True)
    flat = space_of(x).with_shape_of(tree["a"])
    assert (flat.n, flat.shape, flat.tree) == (2, (1, 2), None)
    backend.assert_same_kind(flat.for_user(backend.asarray([5.0, 6.0])), tree["a"])


def test_a_space_out_of_a_pickle_hands_out_vectors():
    long = np.arange(2.0**14)
    space = pickle.loads(pickle.dumps(space_of(long)))
    np.testing.assert_array_equal(space.for_user(long), long)
