"""On a quadratic of n variables quasi-Newton methods end in n steps, and know its Hessian then."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx._xp import space_of
from hessx.core import Frame
from hessx.testing._posed import Posed

n = 20
MEMBERS = {
    "BFGS": hessx.BFGS(hess_inv0=1.0, scaling="none"),
    "DFP": hessx.DFP(hess_inv0=1.0, scaling="none"),
    "Broyden": hessx.Broyden(hess_inv0=1.0, phi=0.3, scaling="none"),
    "BFGS, small": hessx.BFGS(hess_inv0=0.1, scaling="none"),
}


class ExactSearch(hessx.Search):
    """Two slopes of a quadratic tell where the third is zero; once more, for the last digits."""

    def __init__(self, ray):
        super().__init__(ray.alpha)
        self.slope0, self.curvature, self.trials = ray.slope, None, 0

    def advance(self, value, slope):
        self.trials += 1
        if self.trials == 3:
            return hessx.Verdict.ACCEPTED
        self.curvature = self.curvature or (slope - self.slope0) / self.alpha
        self.alpha -= slope / self.curvature
        return hessx.Verdict.TRY


class Exact(hessx.StepRule):
    def search(self, ray):
        return ExactSearch(ray)


def quadratic(rng):
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return (Q * np.geomspace(1.0, 1e3, n)) @ Q.T


@pytest.mark.parametrize("name", MEMBERS)
def test_broyden_s_family_with_exact_line_searches(name, rng):
    H, b = quadratic(rng), rng.standard_normal(n)
    first = abs(b).max()
    result = hessx.minimize(
        lambda x: (x @ H @ x / 2 - b @ x, H @ x - b),
        np.zeros(n),
        jac=True,
        method=hessx.LineSearchMethod(MEMBERS[name], Exact()),
        options={"gtol": 1e-10 * first},
    )
    assert result.success, result.message
    assert result.nit <= n + 1
    np.testing.assert_allclose(np.linalg.inv(result.hess_inv), H, atol=1e-6 * abs(H).max())


def test_sr1_without_a_line_search(rng):
    """Whatever the steps, as long as they are independent (Nocedal & Wright 2006, theorem 6.1)."""
    H = quadratic(rng)
    posed = Posed(Frame(space_of(np.zeros(n))), hessx.SR1(), rng)
    curvature = posed.approximation.begin(posed.frame)
    for k, s in enumerate(np.linalg.qr(rng.standard_normal((n, n)))[0]):
        assert posed.teach(curvature, (s, H @ s), known=k > 0) == ""
    np.testing.assert_allclose(curvature.dense(), H, atol=1e-8 * abs(H).max())
