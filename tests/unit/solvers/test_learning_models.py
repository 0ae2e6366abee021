"""Models that learn, in a region and in a line search, beside dense ones of the run's own pairs.

Every model that a run solves is written down: its B is that of the dense recursion on the steps and
gradients so far, and its step is Steihaug's for this B.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
import pytest

import hessx
from _helpers.driving import drive
from _helpers.runs import chained_rosenbrock
from reference.krylov import steihaug
from reference.quasi_newton import bfgs_hessian_update, dense_hessian, sr1_size, sr1_update

n = 4
START = np.array([-1.2, 1.0, 0.8, 0.5])
MEMORY = 3


@dataclass
class Solved:
    """A model as it was solved."""

    B: np.ndarray
    g: np.ndarray
    p: np.ndarray
    radius: float
    tolerance: float
    settled: bool
    products: int


class Recorded(hessx.Subproblem):
    """Truncated CG that writes down what it solves."""

    takes = hessx.TruncatedCG.takes

    def __init__(self, backend):
        self.backend, self.seen, self.products = backend, [], 0

    def __call__(self, model):
        host = lambda a: np.array(self.backend.to_numpy(a), dtype=np.float64)  # noqa: E731
        g = host(model.gradient)
        units = [self.backend.asarray(e) for e in np.eye(len(g))]
        B = np.stack([host(model.product(e)) for e in units])
        p = hessx.TruncatedCG()(model)
        radius = getattr(p.restraint, "radius", None)
        self.seen.append(
            Solved(
                B, g, host(p.step), math.inf if radius is None else radius, model.tolerance,
                model.settled, p.products,
            )
        )  # fmt: skip
        return p


class Dense:
    """The dense recursions, and the size that they have before they have learnt."""

    def __init__(self, name):
        self.name, self.B, self.pairs = name, None, []

    def model(self, g, length):
        if self.B is None:
            return np.eye(len(g)) * np.linalg.norm(g) / length
        return self.B

    def learn(self, s, y, accepted, least, last):
        taught = self.name == "SR1" and self.B is not None and np.linalg.norm(s) <= 30.0 * last
        if not (accepted or taught):
            return
        if self.name == "SR1":
            B = np.eye(len(s)) * sr1_size(s, y) if self.B is None else self.B
            self.B = sr1_update(B, s, y, least)
        elif s @ y > 0.0 and self.name == "BFGS":
            B = np.eye(len(s)) * (y @ y) / (s @ y) if self.B is None else self.B
            self.B = bfgs_hessian_update(B, s, y)
        elif s @ y > 0.0:
            self.pairs = [*self.pairs, (s, y)][-MEMORY:]
            self.B = dense_hessian(self.pairs, s @ y / (y @ y), len(s))


KINDS = {
    "BFGS": hessx.BFGS(scaling="none"),
    "SR1": hessx.SR1(),
    "LBFGS": hessx.LBFGS(memory=MEMORY),
}


def region(kind, subproblem, **settings):
    settings = {"preconditioner": None} | settings
    return hessx.TrustRegionMethod(KINDS[kind], subproblem=subproblem, **settings)


def searched(kind, subproblem):
    direction = hessx.NewtonCG(
        approximation=KINDS[kind], subproblem=subproblem, preconditioner=None
    )
    return hessx.LineSearchMethod(direction, hessx.HagerZhang())


def follow(
    method, recorded, backend, kind, trials, *, x0=START, fun=chained_rosenbrock, length=1.0
):
    """Compare every model of a run's first trials; gives the numbers of rejected trials."""
    dense, least, rejected = Dense(kind), math.sqrt(backend.eps), 0
    x = g = None
    models = 0
    for step in islice(drive(method, backend, x0, fun), trials):
        if x is None:
            x, g = step.x, step.g
            continue
        if len(recorded.seen) > models:
            models, solved = len(recorded.seen), recorded.seen[-1]
            B = dense.model(g, length)
            close = {"rtol": 0, "atol": 1e6 * backend.eps * abs(B).max()}
            np.testing.assert_allclose(solved.B, B, **close)
            np.testing.assert_array_equal(solved.g, g)
            textbook = steihaug(
                solved.B, g, solved.tolerance, 100, solved.radius, settled=solved.settled
            )
            assert len(textbook.directions) == solved.products
            if textbook.outcome != "negative curvature" or math.isfinite(solved.radius):
                small = 1e6 * backend.eps * np.linalg.norm(textbook.step)
                np.testing.assert_allclose(solved.p, textbook.step, rtol=0, atol=small)
        s, y = step.x - x, step.g - g
        if step.accepted or isinstance(method, hessx.TrustRegionMethod):
            dense.learn(s, y, step.accepted, least, length / 5.0)
        if step.accepted:
            x, g, length = step.x, step.g, 5.0 * float(np.linalg.norm(s))
        else:
            rejected += 1
    assert models >= 3
    return rejected


@pytest.mark.parametrize("kind", KINDS)
def test_models_in_a_region_are_the_dense_ones(backend, kind):
    recorded = Recorded(backend)
    follow(region(kind, recorded), recorded, backend, kind, 12)


@pytest.mark.parametrize("kind", KINDS)
def test_models_in_a_line_search_are_the_dense_ones(backend, kind):
    recorded = Recorded(backend)
    follow(searched(kind, recorded), recorded, backend, kind, 12)


def alternate(x):
    """f = sum x^4 / 4 - x^2 / 2 with a long first step: rejected trials, negative curvature."""
    return float(np.sum(x**4) / 4.0 - x @ x / 2.0), x**3 - x


@pytest.mark.parametrize("kind", KINDS)
def test_rejected_trials_teach_sr1_alone(backend, kind):
    recorded = Recorded(backend)
    method = region(kind, recorded, region=hessx.RadiusRule(initial=8.0), x_scale=8.0)
    x0 = np.array([0.3, -0.2, 0.4, 0.1])
    rejected = follow(method, recorded, backend, kind, 8, x0=x0, fun=alternate, length=8.0)
    assert rejected >= 1
    same_point = [(a, b) for a, b in pairwise(recorded.seen) if (a.g == b.g).all()]
    assert same_point
    assert all((a.B == b.B).all() for a, b in same_point) == (kind != "SR1")
