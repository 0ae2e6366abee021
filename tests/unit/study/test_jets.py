"""Derivatives that are carried forward, against those of the calculus books."""

from __future__ import annotations

import numpy as np
import pytest

from hessx.study.problems.jets import Jet, arctan, cos, exp, join, log, sin, sqrt

U = np.array([0.3, 0.7, 1.9])

RULES = {
    "exp": (exp, np.exp(U), np.exp(U), np.exp(U)),
    "log": (log, np.log(U), 1 / U, -1 / U**2),
    "sin": (sin, np.sin(U), np.cos(U), -np.sin(U)),
    "cos": (cos, np.cos(U), -np.sin(U), -np.cos(U)),
    "sqrt": (sqrt, U**0.5, 0.5 * U**-0.5, -0.25 * U**-1.5),
    "arctan": (arctan, np.arctan(U), 1 / (1 + U**2), -2 * U / (1 + U**2) ** 2),
    "square": (lambda u: u**2, U**2, 2 * U, 2 + 0 * U),
    "cube": (lambda u: u**3, U**3, 3 * U**2, 6 * U),
    "power": (lambda u: u**-1.5, U**-1.5, -1.5 * U**-2.5, 3.75 * U**-3.5),
    "reciprocal": (lambda u: 2.0 / u, 2 / U, -2 / U**2, 4 / U**3),
    "line": (lambda u: 1.0 - u * 3.0 / 2.0, 1 - 1.5 * U, -1.5 + 0 * U, 0 * U),
}


def pair(x=U, y=U[::-1]):
    """Two variables."""
    units, none = np.eye(2)[:, :, None], np.zeros((2, 2, 1))
    return (Jet(np, value, unit, none) for value, unit in zip((x, y), units, strict=True))


@pytest.mark.parametrize("rule", RULES)
def test_rules_are_those_of_the_books(rule):
    function, value, slope, bend = RULES[rule]
    jet = function(next(pair())).filled()
    np.testing.assert_allclose(jet.value, value, rtol=1e-14)
    np.testing.assert_allclose(jet.first[0], slope, rtol=1e-14)
    np.testing.assert_allclose(jet.second[0, 0], bend, rtol=1e-14)
    assert not jet.first[1].any() and not jet.second[1].any() and not jet.second[:, 1].any()


def test_products_and_quotients_of_two_variables():
    x, y = pair()
    jet, u, v = x * x / y - y * 4.0 + U, U, U[::-1]
    np.testing.assert_allclose(jet.value, u**2 / v - 4 * v + U, rtol=1e-14)
    np.testing.assert_allclose(jet.first, [2 * u / v, -(u**2) / v**2 - 4], rtol=1e-14)
    crossed = -2 * u / v**2
    expected = [[2 / v, crossed], [crossed, 2 * u**2 / v**3]]
    np.testing.assert_allclose(jet.second, expected, rtol=1e-13)


def test_sums_matrices_slices_and_jets_side_by_side():
    x, y = pair()
    jet, A = x * y, np.arange(6.0).reshape(2, 3)
    for found, expected in (
        (jet.sum(), lambda a: a.sum(axis=-1, keepdims=True)),
        (jet.through(A), lambda a: a @ A.T),
        (jet[1], lambda a: a[..., 1:2]),
        (jet[1:], lambda a: a[..., 1:]),
        (join([jet, x[0], jet], 3), lambda a: a),
    ):
        full = jet.filled()
        for name in ("value", "first", "second"):
            part = getattr(found, name)
            if part.shape[-1] == 9:  # joined, with x[0] repeated in the middle
                part = np.concatenate([part[..., :3], part[..., 6:]], axis=-1)
                np.testing.assert_array_equal(part[..., :3], part[..., 3:])
                part = part[..., :3]
            np.testing.assert_allclose(part, expected(getattr(full, name)), rtol=1e-14)


def test_second_derivatives_are_left_out_where_they_are_not_wanted():
    x = Jet(np, U, np.ones((1, 1)))
    jet = exp(x * x) / x + sin(x) ** 3
    assert jet.second is None
    slope = 2 * np.exp(U**2) - np.exp(U**2) / U**2 + 3 * np.sin(U) ** 2 * np.cos(U)
    np.testing.assert_allclose(jet.first[0], slope, rtol=1e-13)
