"""Products with rows, and gradients that take stacks of points, beside closed forms."""

from __future__ import annotations

import array_api_compat as compat
import numpy as np
import pytest

import hessx
from hessx._xp import space_of
from hessx.core import Counts, Request, Wants
from hessx.objectives import make_objective

SHAPE, n = (2, 3), 6
POINT = np.array([[0.5, -1.0, 2.0], [0.25, -0.75, 1.5]])
A = np.arange(1.0, 7.0).reshape(SHAPE)
ROWS = np.array([[1.0, 2.0, -0.5, 0.0, 3.0, -1.0], [0.0, 0.0, 1.0, 0.0, 0.0, 2.0]])
H = np.diag(3.0 * POINT.ravel() ** 2) + np.outer(A, A)


class Gradient:
    """Of f = sum x^4 / 4 + (a'x)^2 / 2, for x as for rows of x; keeps the shapes it is given."""

    def __init__(self, backend):
        self.a, self.seen = backend.asarray(A), []

    def __call__(self, x):
        self.seen.append(tuple(x.shape))
        xp = compat.array_namespace(x)
        return x * x * x + self.a * xp.sum(self.a * x, axis=(-2, -1), keepdims=True)


def hessian_at(backend, jac, hess=None, **settings):
    x = backend.asarray(POINT)
    space = space_of(x)
    objective = make_objective(lambda x: 0.0, jac, (), space, hess=hess, **settings)
    return objective.answer(Request(space.flat(x), 0, Wants.HESSIAN)).hessian, objective.counts


def dense(backend):
    return lambda x: backend.asarray(H)


@pytest.mark.parametrize("hess", ["2-point", "3-point"])
@pytest.mark.parametrize("maximize", [False, True])
def test_rows_by_a_stack_of_gradients(backend, hess, maximize):
    jac = Gradient(backend)
    at, counts = hessian_at(backend, hessx.Stacked(jac), hess, maximize=maximize)
    V = backend.asarray(ROWS)
    found = at.stack(V)
    backend.assert_same_kind(found, V)
    power = 1 / 2 if hess == "2-point" else 2 / 3
    sign = -1.0 if maximize else 1.0
    np.testing.assert_allclose(
        sign * backend.to_numpy(found), ROWS @ H, atol=300 * backend.eps**power * np.abs(H).max()
    )
    sides = 1 if hess == "2-point" else 2
    assert jac.seen == [SHAPE] + [(2, *SHAPE)] * sides
    assert counts == Counts(0, 1 + 2 * sides, 2)


def test_rows_of_what_takes_stacks_and_of_what_does_not(backend):
    matrix, calls = backend.asarray(H), []

    def product(V):
        calls.append(V.ndim)
        return V @ matrix

    for stacks, expected in ((True, [2]), (False, [1, 1])):
        calls.clear()
        A = hessx.LinearOperator((n, n), product, symmetric=True, stacks=stacks)
        at, counts = hessian_at(backend, Gradient(backend), lambda x, A=A: 2.0 * A)
        found = backend.to_numpy(at.stack(backend.asarray(ROWS)))
        np.testing.assert_allclose(found, 2.0 * ROWS @ H, rtol=0, atol=1e3 * backend.eps)
        assert (calls, counts.products) == (expected, 2)


@pytest.mark.backends("numpy")
def test_a_watch_ends_rows_that_are_made_one_by_one():
    at, counts = hessian_at(_numpy(), Gradient(_numpy()), "2-point")
    assert at.stack(ROWS, lambda: counts.products == 1) is None
    assert counts.products == 1
    assert at.stack(ROWS[:1], lambda: True).shape == (1, n)


def _numpy():
    from _helpers.registry import make_backend

    return make_backend("numpy")


@pytest.mark.parametrize("stacked", [False, True])
def test_differences_for_variables_of_all_sizes(backend, stacked):
    """The gradient t^2 / 2 + sum t of t = x / size: what moves one variable would throw another."""
    size = 2.0 ** np.array([-20.0, 0.0, 20.0])  # a product of two is in the range of float32
    s = backend.asarray(size)

    def jac(x):
        t, xp = x / s, compat.array_namespace(x)
        return (t * t / 2.0 + xp.sum(t, axis=-1, keepdims=True)) / s

    x = backend.asarray(1.5 * size)
    jac = hessx.Stacked(jac) if stacked else jac
    objective = make_objective(lambda x: 0.0, jac, (), space_of(x), x_scale=s)
    found = objective.answer(Request(x, 0, Wants.HESSIAN)).hessian.dense()
    in_t = backend.to_numpy(found) * np.outer(size, size)
    expected = 1.5 * np.eye(3) + np.ones((3, 3))
    np.testing.assert_allclose(in_t, expected, atol=100 * backend.eps**0.5)


@pytest.mark.backends("numpy")
def test_a_dense_hessian_in_blocks_is_the_same(monkeypatch):
    monkeypatch.setattr("hessx.objectives._hessian_at._BLOCK", 4 * n)
    jac = Gradient(_numpy())
    at, counts = hessian_at(_numpy(), hessx.Stacked(jac), "3-point")
    np.testing.assert_allclose(at.dense(), H, atol=1e-8)
    first_row_alone = [SHAPE] * 2  # once, to see that the rows of a stack are told apart
    assert jac.seen[1:] == [(4, *SHAPE)] * 2 + first_row_alone + [(2, *SHAPE)] * 2
    assert counts.products == n + 1
    assert at.dense(lambda: True) is None


def test_what_cannot_be_meant(backend):
    with pytest.raises(TypeError, match="jac of Stacked is a float: expected a callable"):
        hessx.Stacked(1.0)
    tree = {"a": backend.asarray([1.0, 2.0])}
    with pytest.raises(TypeError, match="x0 is a tree: give jac itself"):
        hessx.minimize(lambda x: 0.0, tree, jac=hessx.Stacked(lambda x: x))
    at, _ = hessian_at(backend, hessx.Stacked(lambda x: x[0, ...] if x.ndim == 3 else x))
    with pytest.raises(ValueError, match=r"stack of gradients has shape \(2, 3\): expected \(2,"):
        at.stack(backend.asarray(ROWS))
