"""The pretend CuPy computes, and refuses what CuPy lacks."""

from __future__ import annotations

import array_api_compat as compat
import numpy as np
import pytest

pytestmark = pytest.mark.backends("cupy-signatures")


@pytest.fixture
def x(backend):
    return backend.asarray([1.0, -2.0, 3.0])


def test_it_passes_for_cupy(xp, x):
    assert compat.is_cupy_array(x)
    assert compat.array_namespace(x) is xp
    assert compat.is_writeable_array(x)
    assert compat.size(x) == 3


def test_values(backend, xp, x):
    rows = xp.zeros((2, 3), dtype=xp.float64, device=x.device)
    rows[1, ...] = x
    xp.multiply(x, 2.0, out=rows[0, ...])
    x *= -1.0
    host = np.array([1.0, -2.0, 3.0])
    np.testing.assert_array_equal(backend.to_numpy(rows), [2 * host, host])
    np.testing.assert_array_equal(backend.to_numpy(2.0 - x), 2.0 + host)
    assert float(x @ x) == float(xp.linalg.vector_norm(x) ** 2) == pytest.approx(14.0)
    assert (x @ x).shape == ()
    assert type(x[0]) is type(x)


@pytest.mark.parametrize(
    ("use", "error"),
    [
        (lambda xp, x: x.__array_namespace__(), AttributeError),
        (lambda xp, x: x.to_device("cpu"), AttributeError),
        (lambda xp, x: xp.no_such_function(x), AttributeError),
        (lambda xp, x: xp.divide(x, x, where=x > 0), TypeError),
        (lambda xp, x: xp.sqrt(x, x, x), TypeError),
        (lambda xp, x: xp.sum(x, keep=True), TypeError),
        (lambda xp, x: xp.zeros(3, xp.float64), TypeError),
        (lambda xp, x: xp.matmul(x, x, where=True), TypeError),
        (lambda xp, x: xp.zeros(3, device="cpu"), TypeError),
        (lambda xp, x: x + np.ones(3), TypeError),
        (lambda xp, x: np.ones(3) @ x, TypeError),
        (lambda xp, x: np.dot(x, x), TypeError),
        (lambda xp, x: np.asarray(x), TypeError),
        (lambda xp, x: np.from_dlpack(x), (BufferError, TypeError, AttributeError)),
        (lambda xp, x: range(xp.sum(x > 0)), TypeError),
    ],
)
def test_what_cupy_lacks_fails(xp, x, use, error):
    with pytest.raises(error):
        use(xp, x)
