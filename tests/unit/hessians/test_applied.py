"""d = -A g with the identity, the exact inverse, and an approximation of the user's own."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

import hessx
from _helpers.driving import bends, drive
from _helpers.runs import bowl
from hessx.core import SettingsError
from reference.quasi_newton import bfgs_update

n = 5


class DenseBFGS(hessx.Approximation):
    """The BFGS inverse as one dense matrix, written by a user: settings."""

    def begin(self, frame):
        space = frame.space
        return DenseBFGSInverse(space.xp.eye(space.n, dtype=space.dtype, device=space.device))


class DenseBFGSInverse(hessx.Curvature):
    """The matrix at work in a run."""

    def __init__(self, A):
        self.A, self.pairs = A, []

    def solve(self, grad):
        return self.A @ grad

    def update(self, pair):
        s, y, s_y = pair.s, pair.y, pair.s_y
        self.pairs.append((pair, None if pair.B_s is None else self.A @ pair.B_s))
        if not s_y > 0.0:
            return "skipped"
        A_y = self.A @ y
        mixed = s[:, None] * A_y[None, :] + A_y[:, None] * s[None, :]
        bend = (s_y + y @ A_y) / (s_y * s_y)
        self.A = self.A + bend * (s[:, None] * s[None, :]) - mixed / s_y
        return ""


def test_the_users_approximation_sees_the_pairs(backend, rng):
    signs = [1.0, 1.0, -1.0, 1.0, 1.0]
    solver = hessx.LineSearchMethod(DenseBFGS(), hessx.FixedStep(0.5))
    steps = list(islice(drive(solver, backend, np.ones(n), bends(rng, n, signs)), 6))
    A, seen = np.eye(n), steps[-1].state.direction.curvature.pairs
    for (here, there), (pair, A_B_s) in zip(pairwise(steps), seen, strict=True):
        s, y = there.x - here.x, there.g - here.g
        np.testing.assert_allclose(s, -0.5 * A @ here.g, atol=500 * backend.eps * abs(s).max())
        assert there.note == ("" if s @ y > 0.0 else "skipped")
        close = {"rtol": 500 * backend.eps, "atol": 500 * backend.eps * abs(s).max()}
        np.testing.assert_allclose(backend.to_numpy(pair.s), s, **close)
        np.testing.assert_allclose(backend.to_numpy(A_B_s), s, **close)
        numbers = (pair.s_y, pair.y_y, pair.s_s, pair.s_B_s)
        expected = (s @ y, y @ y, s @ s, s @ np.linalg.solve(A, s))
        np.testing.assert_allclose(numbers, expected, rtol=1e4 * backend.eps, atol=backend.eps)
        assert pair.accepted and all(type(number) is float for number in numbers)
        if s @ y > 0.0:
            A = bfgs_update(A, s, y)


@pytest.mark.backends("numpy")
def test_a_step_along_minus_g_says_nothing_of_what_was_approximated(backend):
    """After a failed search d = -g, once: the pair is learnt, B s is not known."""

    class Backwards(DenseBFGS):
        def begin(self, frame):
            part = super().begin(frame)
            part.A = -part.A
            return part

    method = hessx.LineSearchMethod(Backwards(), hessx.HagerZhang())
    made = []

    def answer(x):
        return float(x @ x) / 2.0, x

    for step in islice(drive(method, backend, np.ones(n), answer), 6):
        made += [pair for pair, _ in step.state.direction.curvature.pairs[len(made) :]]
    assert made[0].B_s is None and np.isnan(made[0].s_B_s)


@pytest.mark.backends("numpy", "strict", "torch", "fakegpu", "jax", "cupy-signatures", "cupy")
@pytest.mark.parametrize("rule", [hessx.HagerZhang(), hessx.MoreThuente(), hessx.Armijo()])
def test_the_users_approximation_minimises(backend, rule):
    x0 = backend.asarray(np.linspace(-1.0, 2.0, n))
    method = hessx.LineSearchMethod(DenseBFGS(), rule)
    result = hessx.minimize(bowl, x0, jac=True, method=method, options={"gtol": 1e-2})
    assert result.success, result.message
    backend.assert_same_kind(result.x, x0)
    # the Hessian of the bowl is at least 1
    np.testing.assert_allclose(backend.to_numpy(result.x), 1.0, atol=np.sqrt(n) * 1e-2)


def test_the_exact_inverse_solves_a_quadratic_in_one_step(backend, rng):
    root = rng.standard_normal((n, n)).astype(backend.dtype_name)
    H, x_min = root @ root.T + np.eye(n, dtype=root.dtype), np.arange(float(n))
    matrix, b = backend.asarray(H), backend.asarray(H @ x_min)

    def fun(x):
        return x @ (matrix @ x) / 2 - b @ x, matrix @ x - b

    x0 = backend.asarray(np.ones(n))
    for hessian in (matrix, H.tolist()):
        method = hessx.LineSearchMethod(hessx.ExactInverse(hessian), hessx.FixedStep(1.0))
        result = hessx.minimize(fun, x0, jac=True, method=method, options={"maxiter": 1})
        assert result.nfev == 2
        condition = np.linalg.cond(H.astype(np.float64))
        error = backend.to_numpy(result.x) - x_min
        assert abs(error).max() <= 10 * n * condition * backend.eps


def test_the_identity_in_scaled_variables_is_a_diagonal(backend):
    scale = np.array([1.0, 2.0, 4.0])
    method = hessx.LineSearchMethod(hessx.Identity(), hessx.FixedStep(0.25), scale)
    start = np.array([1.0, -1.0, 1.0])
    steps = list(islice(drive(method, backend, start, lambda x: (0.0, x)), 2))
    np.testing.assert_array_equal(steps[1].x, [0.75, 0.0, -3.0])  # x - 0.25 scale^2 x


@pytest.mark.parametrize(
    ("hessian", "message"),
    [
        (np.ones((2, 3)), r"shape \(2, 3\): expected \(n, n\)"),
        (np.ones(3), r"shape \(3,\)"),
        ([[1.0, 2.0], [0.0, 1.0]], "not symmetric"),
        ([[1.0, 2.0], [2.0, 1.0]], "not positive definite"),
        ([[0.0, 0.0], [0.0, 0.0]], "not positive definite"),
    ],
)
def test_what_is_no_hessian_is_refused(hessian, message):
    with pytest.raises(SettingsError, match=message):
        hessx.ExactInverse(hessian)


def test_a_hessian_of_another_size_is_refused(backend):
    method = hessx.LineSearchMethod(hessx.ExactInverse(np.eye(3)), hessx.FixedStep(1.0))
    with pytest.raises(SettingsError, match=r"shape \(3, 3\): expected \(2, 2\), as x0"):
        hessx.minimize(bowl, backend.asarray([1.0, 2.0]), jac=True, method=method)


def test_parts_that_do_not_fit_are_refused():
    with pytest.raises(SettingsError, match="rule is a float: expected a line search"):
        hessx.LineSearchMethod(hessx.Identity(), 0.1)
    with pytest.raises(
        SettingsError, match="direction is a str: expected an approximation such as hessx"
    ):
        hessx.LineSearchMethod("lbfgs", hessx.HagerZhang())
    with pytest.raises(SettingsError, match="short Barzilai-Borwein step belongs to Identity"):
        hessx.LineSearchMethod(hessx.LBFGS(), hessx.BarzilaiBorwein("short"))
    with pytest.raises(SettingsError, match="x_scale = -1"):
        hessx.LineSearchMethod(hessx.LBFGS(), hessx.HagerZhang(), -1.0)
