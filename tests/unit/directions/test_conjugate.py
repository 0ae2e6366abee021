"""Nonlinear conjugate gradients beside the published formulae."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

import hessx
from _helpers.driving import bends, drive
from hessx.core import SettingsError
from reference.descent import conjugate_direction

n, ALPHA = 6, 0.3


@pytest.mark.parametrize("rule", ["hz", "hs+", "pr+"])
def test_directions_are_the_published_ones(backend, rng, rule):
    solver = hessx.LineSearchMethod(hessx.NonlinearCG(rule), hessx.FixedStep(ALPHA))
    answer = bends(rng, n, [1.0] * 12)
    steps = list(islice(drive(solver, backend, rng.standard_normal(n), answer), 13))
    d, plain = -steps[0].g, 0
    for (before, here), there in zip(pairwise(steps), steps[2:], strict=False):
        following = conjugate_direction(rule, here.g, before.g, d)
        if not following @ here.g < -0.01 * here.g @ here.g:  # hardly a descent
            following, plain = -here.g, plain + 1
        d = following
        error = abs((there.x - here.x) - ALPHA * d).max()
        assert error <= 500 * backend.eps * max(abs(d).max(), abs(there.x).max())
    assert plain <= 6


@pytest.mark.parametrize("rule", ["hz", "hs+", "pr+"])
def test_n_steps_solve_a_quadratic_of_n_variables(backend, rule):
    """With exact line searches every rule is the conjugate gradient method (n = 4)."""
    weights = np.array([1.0, 2.0, 5.0, 9.0])

    def gradient(x):
        return weights * x

    class Exact(hessx.StepRule):
        """The minimiser along a ray of a quadratic, from the slopes at 0 and at 1."""

        def search(self, ray):
            return Secant(ray)

    class Secant(hessx.Search):
        def __init__(self, ray):
            super().__init__(1.0)
            self.slope, self.tried = ray.slope, False

        def advance(self, value, slope):
            if self.tried:
                return hessx.Verdict.ACCEPTED
            self.tried = True
            self.alpha = self.slope / (self.slope - slope)
            return hessx.Verdict.TRY

    w = backend.asarray(weights)
    method = hessx.LineSearchMethod(hessx.NonlinearCG(rule), Exact())
    result = hessx.minimize(
        lambda x: ((w * x) @ x / 2, w * x),
        backend.asarray([1.0, -1.0, 2.0, 1.0]),
        jac=True,
        method=method,
        options={"gtol": 1e3 * backend.eps},
    )
    assert result.success
    assert result.nit == 4


def test_an_unknown_rule_is_refused():
    with pytest.raises(SettingsError, match=r"beta = 'fr': expected .*'pr\+'"):
        hessx.NonlinearCG("fr")
