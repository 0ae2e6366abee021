"""SciPy's strategies for hess: the same matrices, pair by pair."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import hessx
from hessx._xp import space_of
from hessx.core import Frame
from hessx.hessians import as_approximation
from hessx.testing._posed import Posed

theirs = pytest.importorskip("scipy.optimize")

n = 5
M = np.diag(np.linspace(1.0, 3.0, n)) + 0.25
KNOWN = {
    "bfgs": lambda: theirs.BFGS(),
    "bfgs of a size": lambda: theirs.BFGS(init_scale=2.5),
    "bfgs of an integer": lambda: theirs.BFGS(init_scale=np.int64(3)),
    "bfgs of a matrix": lambda: theirs.BFGS(init_scale=M),
    "damped bfgs": lambda: theirs.BFGS("damp_update", init_scale=2.0),
    "more damped bfgs": lambda: theirs.BFGS("damp_update", min_curvature=0.5, init_scale=M),
    "sr1 of a size": lambda: theirs.SR1(init_scale=np.array(2.5)),
    "sr1 of a matrix": lambda: theirs.SR1(init_scale=M - 1.5 * np.eye(n)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_matrices_are_scipys(backend, rng, name):
    strategy = KNOWN[name]()
    approximation = as_approximation(strategy)
    asked = Posed(Frame(space_of(backend.asarray(np.zeros(n)))), approximation, rng)
    part = approximation.begin(asked.frame)
    strategy.initialize(n, "hess")
    for factor in (1.0, 1.0, -1.0, 1.0, 1.0):  # one pair has negative curvature
        s, y = pair = asked.pair(factor)
        asked.teach(part, pair)
        strategy.update(asked.host(s), asked.host(y))
        B = strategy.get_matrix()
        limit = 1e4 * backend.eps * abs(B).max()
        np.testing.assert_allclose(asked.host(part.dense()), B, atol=limit)
    if "damped" in name:
        assert approximation.damping == strategy.min_curvature


def test_a_strategy_is_left_as_it_is():
    strategy = theirs.BFGS(init_scale=M)
    hessx.minimize(lambda x: (x @ x, 2 * x), np.ones(n), jac=True, hess=strategy)
    assert strategy.B is None and strategy.init_scale is M


def test_what_is_no_strategy():
    class Own(theirs.HessianUpdateStrategy):
        pass

    class BFGS(theirs.BFGS):
        """Of a user, who may have changed anything."""

    for given in (None, "2-point", lambda x: x, M, Own(), BFGS(), int, np.ndarray):
        assert as_approximation(given) is None
    given = hessx.PSB()
    assert as_approximation(given) is given


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hessx.BFGS, r"hess is the class BFGS: expected an object, BFGS\(\)"),
        (lambda: theirs.SR1, r"hess is the class SR1: expected an object, SR1\(\)"),
        (lambda: theirs.BFGS(init_scale=-1.0), "init_scale = -1.0: expected a number in"),
        (lambda: theirs.BFGS(init_scale=np.diag([1.0, -1.0])), "init_scale is not positive def"),
        (lambda: theirs.BFGS(init_scale=np.triu(M)), "init_scale is not symmetric"),
        (lambda: theirs.BFGS(init_scale="large"), "init_scale is a str: expected a positive nu"),
        (lambda: theirs.BFGS("damp_update", min_curvature=2.0), "damping = 2.0: expected a numb"),
        (lambda: theirs.SR1(init_scale=0.0), "init_scale = 0.0: expected a number in"),
    ],
)
def test_settings_that_mean_nothing(make, message):
    with pytest.raises(hessx.SettingsError, match=message):
        as_approximation(make())


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: theirs.BFGS(min_curvature=1e-3), "min_curvature"),
        (lambda: theirs.SR1(min_denominator=1e-3), "min_denominator"),
    ],
)
def test_settings_without_a_counterpart_are_named(make, name):
    with pytest.warns(hessx.OptionWarning, match=f"{name} of SciPy's strategy") as seen:
        hessx.minimize(lambda x: (x @ x, 2 * x), np.ones(2), jac=True, hess=make())
    assert [w.filename for w in seen] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        as_approximation(theirs.BFGS())
        as_approximation(theirs.SR1())
