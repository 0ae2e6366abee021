"""In float32 every method gets three digits off the gradient, and nothing turns to float64."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx.study.backends import open_backend
from hessx.study.posed import Known
from hessx.study.problems import PROBLEMS


def along_rays(curvature, rule):
    return lambda posed: hessx.LineSearchMethod(curvature, rule)


METHODS = {
    "lbfgs-hz": along_rays(hessx.LBFGS(), hessx.HagerZhang()),
    "lbfgs-mt": along_rays(hessx.LBFGS(), hessx.MoreThuente()),
    "lbfgs-armijo": along_rays(hessx.LBFGS(), hessx.Armijo()),
    "cg-hz-hz": along_rays(hessx.NonlinearCG("hz"), hessx.HagerZhang(c2=0.1)),
    "cg-hz-mt": along_rays(hessx.NonlinearCG("hz"), hessx.MoreThuente(c2=0.1)),
    "cg-pr+-hz": along_rays(hessx.NonlinearCG("pr+"), hessx.HagerZhang(c2=0.1)),
    "cg-pr+-mt": along_rays(hessx.NonlinearCG("pr+"), hessx.MoreThuente(c2=0.1)),
    "gd-armijo": along_rays(hessx.Identity(), hessx.Armijo()),
    "gd-hz": along_rays(hessx.Identity(), hessx.HagerZhang()),
    "gd-mt": along_rays(hessx.Identity(), hessx.MoreThuente()),
    "bb-short": along_rays(hessx.Identity(), hessx.BarzilaiBorwein("short")),
    "bb-long": along_rays(hessx.Identity(), hessx.BarzilaiBorwein("long")),
    "inverse": lambda posed: hessx.LineSearchMethod(
        hessx.ExactInverse(posed.constant_hessian()), hessx.FixedStep(0.01)
    ),
}
CHOSEN = (
    "linear-regression",
    "brown-dennis",
    "breast-cancer",
    "extended-rosenbrock",
    "chained-rosenbrock",
)
PAIRS = [
    (method, problem)
    for method in METHODS
    for problem in CHOSEN
    if method != "inverse" or Known.CONSTANT_HESSIAN in PROBLEMS[problem].known
]


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize(("method", "problem"), PAIRS)
def test_three_digits_in_float32(library, method, problem):
    if library != "numpy":
        pytest.importorskip(library)
    if problem == "breast-cancer":
        pytest.importorskip("sklearn")
    backend = open_backend(library, "float32")
    posed = PROBLEMS[problem].pose(backend)
    seen = set()

    def fun(x):
        f, g = posed.fun(x)
        seen.update((x.dtype, g.dtype))
        return f, g

    result = hessx.minimize(
        fun,
        posed.x0,
        jac=True,
        method=METHODS[method](posed),
        options={"gtol": 0.0, "gtol_rel": 1e-3, "maxiter": 5000},
    )
    seen |= {result.x.dtype, result.jac.dtype}
    assert all(dtype == backend.xp.float32 for dtype in seen)
    first, last = (np.abs(np.asarray(posed.fun(x)[1])).max() for x in (posed.x0, result.x))
    assert last <= 1e-3 * first, result.message
    assert result.success
