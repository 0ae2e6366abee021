"""The first trial of each ray, beside what the rule says it is."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

import hessx

CURVATURE = np.array([1.0, 4.0, 9.0])


@dataclass
class Scaling(hessx.Approximation):
    """A = diag(a): an approximation whose slope is not known before a trial."""

    a: np.ndarray
    learns = hessx.Learns.NOTHING

    def begin(self, frame):
        return Scaled(self.a)


@dataclass
class Scaled(hessx.Curvature):
    a: np.ndarray
    sized = False

    def solve(self, v):
        return self.a * v


def quadratic(x):
    return 0.5 * (CURVATURE * x) @ x, CURVATURE * x


def test_an_unknown_slope_repeats_the_last_step():
    """Gradient descent in x / sqrt(a): alpha is repeated until the search changes it."""
    x0 = np.array([3.0, -2.0, 1.0])
    method = hessx.LineSearchMethod(Scaling(0.1 / np.sqrt(CURVATURE)), hessx.HagerZhang())
    result = hessx.minimize(quadratic, x0, jac=True, method=method, history=True)
    assert result.success
    np.testing.assert_allclose(result.x, 0.0, atol=1e-5)
    alphas, trials = result.history["alpha"], result.history["trials"]
    repeated = [
        b == a for a, b, t in zip(alphas[1:], alphas[2:], trials[2:], strict=False) if t == 1
    ]
    assert repeated and all(repeated)


def test_the_first_step_has_the_length_of_x_scale():
    steps = []
    for x_scale in (1.0, 0.125):
        seen = []
        hessx.minimize(
            lambda x, seen=seen: (seen.append(x), quadratic(x))[1],
            np.array([30.0, -20.0, 10.0]),
            jac=True,
            method="lbfgs",
            x_scale=x_scale,
        )
        steps.append(np.linalg.norm(seen[1] - seen[0]))
    np.testing.assert_allclose(steps, [1.0, 0.125], rtol=1e-14)


def test_barzilai_and_borweins_long_step_finds_the_size_of_a_fixed_inverse():
    """With A = H^-1 / 1.3 the step that fits s = alpha A y is 1.3, which solves a quadratic."""
    method = hessx.LineSearchMethod(
        hessx.ExactInverse(1.3 * np.diag(CURVATURE)), hessx.BarzilaiBorwein("long")
    )
    result = hessx.minimize(
        quadratic, np.array([3.0, -2.0, 1.0]), jac=True, method=method, history=True
    )
    assert result.nit == 2
    np.testing.assert_allclose(result.history["alpha"][1:], [1.0, 1.3], rtol=1e-12)
    np.testing.assert_allclose(result.x, 0.0, atol=1e-12)


@pytest.mark.parametrize("method", ["lbfgs", "cg", "gd"])
def test_cosines_of_steps_are_those_of_the_iterates(method):
    points = [np.array([3.0, -2.0, 1.0])]
    result = hessx.minimize(
        quadratic,
        points[0],
        jac=True,
        method=method,
        history=True,
        callback=lambda x: points.append(x),
    )
    steps = np.diff(points, axis=0)
    expected = [a @ b / np.sqrt((a @ a) * (b @ b)) for a, b in pairwise(steps)]
    np.testing.assert_allclose(result.history["cosine"][2:], expected, rtol=0, atol=1e-6)
