"""The points of a run in the plane."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("psutil")
pytest.importorskip("scipy")

from hessx.study.methods import METHODS
from hessx.study.problems import PROBLEMS
from hessx.study.records import Curve, Job
from hessx.study.worker import attempt, pose

PLANE = "linear-regression"


@pytest.mark.parametrize(
    "method", ["gd", "lbfgs", "trust-exact", "lm", "scipy-lbfgsb", "scipy-trust-ncg"]
)
def test_a_path_is_of_the_accepted_points(method):
    assert METHODS[method].suits(2, known=PROBLEMS[PLANE].known)
    curve = attempt(Job(PLANE, method), lambda: None).curve
    fun = pose(PLANE, "numpy", "float64").fun
    values = [fun(np.asarray(x))[0] for x in zip(curve.x0, curve.x1, strict=True)]
    assert len(curve) > 1
    np.testing.assert_allclose(values, curve.value, rtol=1e-12)


def test_more_variables_leave_no_path_and_lines_without_one_are_read():
    curve = attempt(Job("brown-dennis", "lbfgs"), lambda: None).curve
    assert len(curve) > 1
    assert curve.x0 == curve.x1 == curve.thinned(5).x0 == []
    assert Curve.from_text("[[0],[1],[0],[0],[0.1],[2.0],[3.0],[null]]").x0 == []
