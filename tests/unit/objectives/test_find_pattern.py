"""The pattern of a function's Hessian, beside the one that its formula has."""

from __future__ import annotations

import numpy as np
import pytest

import hessx


def chain(x):
    """Sum of cos(x_i x_i+5)."""
    u = x[:-5] * x[5:]
    slope, grad = -np.sin(u), np.zeros_like(x)
    grad[:-5] += slope * x[5:]
    grad[5:] += slope * x[:-5]
    return np.cos(u).sum(), grad


CHAIN = hessx.Pattern.of(lambda i: [i - 5, i, i + 5], 300)
x = np.random.default_rng(1).standard_normal(300)


@pytest.mark.parametrize("hess", [None, "3-point"])
def test_by_differences_of_gradients(hess):
    probe = hessx.find_pattern(chain, x, jac=True, hess=hess)
    assert probe.pattern == CHAIN and probe.noise > 1e-14


def test_variables_of_any_size():
    sizes = 10.0 ** np.linspace(-6, 6, 300)

    def scaled(z):
        value, grad = chain(z * sizes)
        return value, grad * sizes

    probe = hessx.find_pattern(scaled, x / sizes, jac=True, hess="3-point", x_scale=1 / sizes)
    assert probe.pattern == CHAIN


def test_an_entry_that_is_zero_at_one_point_is_found_at_another():
    def fun(x):
        return (x[0] * x[1] * x[2]) ** 2

    def hess(x):
        return np.array(
            [
                [2 * (x[1] * x[2]) ** 2, 4 * x[0] * x[1] * x[2] ** 2, 4 * x[0] * x[1] ** 2 * x[2]],
                [4 * x[0] * x[1] * x[2] ** 2, 2 * (x[0] * x[2]) ** 2, 4 * x[0] ** 2 * x[1] * x[2]],
                [4 * x[0] * x[1] ** 2 * x[2], 4 * x[0] ** 2 * x[1] * x[2], 2 * (x[0] * x[1]) ** 2],
            ]
        )

    here = np.array([1.0, 0.0, 1.0])
    one = hessx.find_pattern(fun, here, hess=hess, points=1)
    np.testing.assert_array_equal(one.pattern.dense(), hess(here) != 0)
    assert hessx.find_pattern(fun, here, hess=hess).pattern.nnz == 9


def test_trees_products_and_arguments(backend):
    d = backend.asarray(np.arange(1.0, 7.0))
    tree = {"a": backend.asarray(np.ones((2, 2))), "b": backend.asarray(np.ones(2))}

    def hessp(x, v, factor):
        return {"a": factor * v["a"] * backend.xp.reshape(d[:4], (2, 2)), "b": factor * v["b"]}

    probe = hessx.find_pattern(lambda x, factor: 0.0, tree, (2.0,), hessp=hessp)
    assert probe.pattern == hessx.Pattern.banded(6, 0)


def test_an_oracle_is_asked():
    class Bowl:
        offers = hessx.Wants.VALUE | hessx.Wants.GRADIENT | hessx.Wants.HESSIAN
        counts = hessx.Counts()

        def answer(self, request):
            return hessx.Reply(request.ticket, hessian=lambda v: v * request.x)

    assert hessx.find_pattern(Bowl(), np.ones(40)).pattern == hessx.Pattern.banded(40, 0)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="second-order methods need products"):
        hessx.find_pattern(lambda x: x @ x, np.ones(3))
    with pytest.raises(hessx.SettingsError, match="points = 0"):
        hessx.find_pattern(chain, x, jac=True, points=0)
    with pytest.raises(hessx.SettingsError, match=r"spread = -1\.0"):
        hessx.find_pattern(chain, x, jac=True, spread=-1.0)
    with pytest.raises(TypeError, match="fun is a str"):
        hessx.find_pattern("chain", x, jac=True)


def test_one_argument_needs_no_tuple_and_what_was_found_is_a_pattern():
    def jac(x, factor):
        return factor * chain(x)[1]

    probe = hessx.find_pattern(lambda x, factor: factor * chain(x)[0], x, 2.0, jac=jac)
    assert probe.pattern == CHAIN
    assert hessx.Pattern.of(probe) == hessx.Sparse(probe).pattern == CHAIN
    for given in (probe, CHAIN):
        with pytest.raises(TypeError, match=r"hess is a Pattern.*hess = hessx\.Sparse\(pattern\)"):
            hessx.minimize(chain, x, jac=True, hess=given)
    dense = hessx.find_pattern(lambda x: (x.sum() ** 2, 2 * x.sum() * np.ones(300)), x, jac=True)
    with pytest.raises(ValueError, match="no pattern was found: dense"):
        hessx.Pattern.of(dense)
