"""Hessians by coloured products at the sizes that they are for; NumPy."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import hessx
from hessx._xp import space_of
from hessx.core import Frame, Request, Wants
from hessx.objectives import make_objective

pytestmark = pytest.mark.long


def test_a_million_variables_on_a_grid_take_nine_gradients():
    """Second differences on a grid, and a cubic term."""
    N = 1000

    def neighbours(i):
        column = i % N
        left, right = np.where(column > 0, i - 1, -1), np.where(column < N - 1, i + 1, -1)
        return [i - N, left, i, right, i + N]

    def differences(u):
        r = 4.0 * u
        r[1:] -= u[:-1]
        r[:-1] -= u[1:]
        r[:, 1:] -= u[:, :-1]
        r[:, :-1] -= u[:, 1:]
        return r

    def jac(x):
        u = x.reshape(N, N)
        return (differences(u) + u**3).reshape(-1)

    x = np.random.default_rng(0).uniform(-1.0, 1.0, N * N)
    objective = make_objective(lambda x: 0.0, jac, (), space_of(x))
    part = hessx.Sparse(hessx.Pattern.of(neighbours, N * N)).begin(Frame(space_of(x)))
    part.at(objective.answer(Request(x, 0, Wants.HESSIAN)).hessian)
    before = objective.counts.gradients
    assert part.prepare()
    assert objective.counts.gradients - before <= 9
    off = part.pattern.rows != part.pattern.indices
    np.testing.assert_allclose(part.values[off], -1.0, atol=1e-6)
    np.testing.assert_allclose(part.diagonal(), 4.0 + 3.0 * x**2, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_newton_by_differences_takes_newtons_iterations(dtype):
    sparse = pytest.importorskip("scipy.sparse")
    n = 100_000
    x0 = np.where(np.arange(n) % 2, 0.5, 0.8).astype(dtype)

    def fun(x):
        a, b = x[1:] - x[:-1] ** 2, 1 - x[:-1]
        return 100 * float(a @ a) + float(b @ b)

    def jac(x):
        a, b = x[1:] - x[:-1] ** 2, 1 - x[:-1]
        g = np.zeros_like(x)
        g[1:] += 200 * a
        g[:-1] -= 400 * a * x[:-1] + 2 * b
        return g

    def hess(x):
        d, side = np.zeros_like(x), -400 * x[:-1]
        d[:-1] += 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
        d[1:] += 200
        return sparse.diags_array([side, d, side], offsets=[-1, 0, 1]).tocsr()

    exact = hessx.minimize(fun, x0, jac=jac, hess=hess, method="sparse-newton")
    tracemalloc.start()
    options = {"pattern": hessx.Pattern.banded(n, 1)}
    result = hessx.minimize(fun, x0, jac=jac, method="sparse-newton", options=options)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert exact.success and result.success
    assert abs(result.nit - exact.nit) <= (0 if dtype == "float64" else 1)
    assert result.nhev <= 6 * result.nit
    assert peak <= 60 * 8 * n  # vectors of float64: the factors are made in it
