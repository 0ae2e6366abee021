"""check_gradient passes right gradients and finds planted errors."""

from __future__ import annotations

import array_api_compat as compat
import numpy as np
import pytest

import hessx
from hessx import SettingsError

X = np.array([[0.3, -1.2, 2.0], [0.7, 1.1, -0.4]])


def both(x):
    xp = compat.array_namespace(x)
    return xp.sum(xp.sin(x) + x * x), xp.cos(x) + 2.0 * x


def test_right_gradients_pass(backend):
    check = hessx.check_gradient(both, backend.asarray(X))
    assert check.ok, check
    assert check.error <= check.tolerance <= 0.1
    jac = hessx.check_gradient(
        lambda x: both(x)[0], backend.asarray(X), jac=lambda x: both(x)[1], directions=2
    )
    assert jac.ok


@pytest.mark.parametrize(
    "plant",
    [
        lambda g, x: g * 1.25,
        lambda g, x: -g,
        lambda g, x: g + 0.5 * x * x,
        lambda g, x: g * 0.0,
        lambda g, x: g * float("nan"),
    ],
    ids=["factor", "sign", "term", "zero", "nan"],
)
def test_planted_errors_are_found(backend, plant):
    """In float32 differences resolve 3 %; these errors are larger."""

    def wrong(x):
        value, grad = both(x)
        return value, plant(grad, x)

    with np.errstate(invalid="ignore"):
        check = hessx.check_gradient(wrong, backend.asarray(X))
    assert not check.ok, check


def test_one_wrong_entry_is_found():
    def wrong(x):
        value, grad = both(x)
        grad[1, 2] *= 1.5
        return value, grad

    assert not hessx.check_gradient(wrong, X).ok


@pytest.mark.parametrize("size", [1e-8, 1.0, 1e8])
def test_units_do_not_matter(size):
    """f(x / size): the steps follow the size of x."""

    def scaled(x):
        value, grad = both(x / size)
        return value, grad / size

    assert hessx.check_gradient(scaled, X * size).ok
    assert not hessx.check_gradient(lambda x: (scaled(x)[0], 1.05 * scaled(x)[1]), X * size).ok


def test_arguments_are_passed():
    def fun(x, a):
        return a * float(x @ x), 2.0 * a * x

    assert hessx.check_gradient(fun, np.ones(3), args=(4.0,)).ok


def test_bad_input_is_refused():
    with pytest.raises(SettingsError, match="directions = 0: expected an integer >= 1"):
        hessx.check_gradient(both, X, directions=0)
    with pytest.raises(ValueError, match="jac = None: expected a callable or True"):
        hessx.check_gradient(both, X, jac=None)
