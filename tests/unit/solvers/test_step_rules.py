"""The live part of a step rule: what a run tells it, and whose it is."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import hessx
from _helpers.resuming import LIMIT, START, put_down, run, taken_up, trail
from _helpers.runs import chained_rosenbrock
from hessx.globalization import GivenSearch

EVERY_A = {
    "identity": hessx.Identity(),
    "cg": hessx.NonlinearCG(),
    "lbfgs": hessx.LBFGS(),
    "applied": hessx.ExactInverse(2e2 * np.eye(7)),
    "newton": hessx.NewtonCG(),
}


@hessx.saved
@dataclasses.dataclass(frozen=True)
class Cautious(hessx.StepRule):
    """Armijo's rule below twice the mean of the steps so far."""

    def begin(self) -> CautiousSteps:
        return CautiousSteps()


@hessx.saved
class CautiousSteps:
    def __init__(self) -> None:
        self.total, self.count = 0.0, 0

    def search(self, ray: hessx.Ray) -> hessx.Search:
        if self.count:
            ray = dataclasses.replace(ray, alpha=min(ray.alpha, 2.0 * self.total / self.count))
        return hessx.Armijo().search(ray)

    def after(self, ray: hessx.Ray, alpha: float, s_y: float, y_y: float) -> None:
        self.total, self.count = self.total + alpha, self.count + 1


class Listening(hessx.StepRule):
    """A line search's steps, and all that is said of them."""

    needs_pair = True

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def search(self, ray: hessx.Ray) -> hessx.Search:
        return hessx.HagerZhang().search(ray)

    def after(self, ray: hessx.Ray, alpha: float, s_y: float, y_y: float) -> None:
        self.heard.append((ray.value, ray.slope, alpha, s_y, y_y))


@pytest.mark.parametrize("name", EVERY_A)
def test_told_of_each_accepted_step(name):
    """f, alpha slope = g's, s'y and y'y, as formed from the points of the run."""
    rule = Listening()
    method = hessx.LineSearchMethod(EVERY_A[name], rule)
    result = run(START, name, method=method, options={"maxfun": LIMIT, "return_all": True})
    points = [chained_rosenbrock(x) for x in result.allvecs]
    steps, changes = np.diff(result.allvecs, axis=0), np.diff([g for _, g in points], axis=0)
    assert len(rule.heard) == result.nit == len(steps) > 5
    assert [heard[2] for heard in rule.heard] == list(result.history["alpha"][1:])
    for heard, (f, g), s, y in zip(rule.heard, points[:-1], steps, changes, strict=True):
        value, slope, alpha, s_y, y_y = heard
        assert value == f
        np.testing.assert_allclose([alpha * slope, s_y, y_y], [g @ s, s @ y, y @ y], rtol=1e-8)


@pytest.mark.parametrize("name", ["identity", "lbfgs", "applied"])
def test_the_past_is_put_down_with_the_run(name, tmp_path):
    """Bitwise the uninterrupted run, after each evaluation."""
    method = hessx.LineSearchMethod(EVERY_A[name], Cautious())
    whole = run(START, name, method=method)
    for evaluations in range(whole.nfev):
        data = put_down(START, name, evaluations, tmp_path, method=method)
        assert trail(taken_up(data, START, name, method=None)) == trail(whole), evaluations


@pytest.mark.parametrize("rule", [Cautious(), hessx.BarzilaiBorwein(), hessx.HagerZhang()])
def test_two_runs_of_one_object_share_no_past(rule):
    method = hessx.LineSearchMethod(hessx.Identity(), rule)
    starts = [START, -0.5 * START]
    runs = [hessx.AskTell(x0, method, {"maxfun": LIMIT}, history=True) for x0 in starts]
    while not all(one.done for one in runs):
        for one in runs:
            if not one.done:
                one.tell(*chained_rosenbrock(one.ask()))
    for one, x0 in zip(runs, starts, strict=True):
        assert trail(one.result()) == trail(run(x0, "", method=method))


def test_a_rule_that_needs_no_slope_is_asked_before_it_is_known():
    """Of an approximation of one's own the slope comes with the first trial."""
    slopes = []

    class Asked(hessx.StepRule):
        def __init__(self, needs_slope: bool) -> None:
            self.needs_slope = needs_slope

        def search(self, ray: hessx.Ray) -> hessx.Search:
            slopes.append(ray.slope)
            return GivenSearch(ray.alpha)

    for needs_slope in (True, False):
        method = hessx.LineSearchMethod(EVERY_A["applied"], Asked(needs_slope))
        run(START, "", method=method, options={"maxiter": 1})
    known, unknown = slopes
    g = chained_rosenbrock(START)[1]
    np.testing.assert_allclose(known, -g @ g / 2e2, rtol=1e-12)
    assert np.isnan(unknown)


def test_a_rule_without_a_search():
    class Empty(hessx.StepRule):
        pass

    method = hessx.LineSearchMethod(hessx.LBFGS(), Empty())
    with pytest.raises(NotImplementedError, match=r"Empty has no search\(ray\) of its own"):
        run(START, "", method=method)
