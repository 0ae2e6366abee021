"""Rules in other units: f in units of a, x in units of b, powers of two, give the same bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hessx.rules as r
from _helpers.perceptron import gradient, leaves_of, start
from hessx._xp import space_of
from hessx.rules import Chain

STEPS = 20

# Rules and rate, in units: u of the gradient, b of x.  Adadelta's eps and the first steps of RAdam
# mix units.
CASES: dict[str, Callable[[float, float], tuple[Any, float]]] = {
    "momentum": lambda u, b: (r.SGD(0.9), 0.1 * b / u),
    "coupled": lambda u, b: ([r.Decay(0.1 * u / b), r.SGD(0.9, 0.5)], 0.1 * b / u),
    "sign": lambda u, b: ([r.SignSGD(), r.Decay(0.1 / b)], 0.01 * b),
    "lion": lambda u, b: (r.Lion(), 0.01 * b),
    "adagrad": lambda u, b: (r.Adagrad(1e-3 * u, 0.1 * u * u), 0.01 * b),
    "rmsprop": lambda u, b: (r.RMSProp(eps=1e-3 * u), 0.01 * b),
    "centred": lambda u, b: (r.RMSProp(eps=1e-3 * u, centred=True), 0.01 * b),
    "adam": lambda u, b: ([r.Adam(eps=1e-3 * u), r.Decay(0.1 / b)], 0.01 * b),
    "amsgrad": lambda u, b: (r.Adam(eps=1e-3 * u, amsgrad=True), 0.01 * b),
    "adamax": lambda u, b: (r.Adamax(eps=1e-3 * u), 0.01 * b),
    "nadam": lambda u, b: (r.NAdam(eps=1e-3 * u), 0.01 * b),
    "clipped": lambda u, b: (
        [r.ClipNorm(0.3 * u, 1e-6 * u), r.ClipValue(0.1 * u), r.SGD()],
        0.1 * b / u,
    ),
    "lamb": lambda u, b: ([r.Adam(eps=1e-3 * u), r.TrustRatio()], 0.01),
    "muon": lambda u, b: (r.ByLeaf(r.Muon(), r.Adam(eps=1e-3 * u)), 0.01 * b),
    "dog": lambda u, b: (r.DoG(1e-2, b, 1e-8 * u * u), 1.0),
    "prodigy": lambda u, b: (r.Prodigy(eps=1e-3 * u, d0=1e-3 * b), 1.0),
    "d-adapted sgd": lambda u, b: (r.DAdaptSGD(0.5, 1e-3 * b, 2.0), 1.0),
    "d-adapted adam": lambda u, b: (r.DAdaptAdam(eps=1e-3 * u, d0=1e-3 * b), 1.0),
}


def iterates(case: Callable[[float, float], tuple[Any, float]], a: float, b: float) -> np.ndarray:
    """In units of b."""
    u = a / b
    rules, rate = case(u, b)
    x, rows = start() * b, []
    chain = Chain.begin(rules, space_of(leaves_of(x)), x)
    for t in range(1, STEPS + 1):
        x = chain.step(t, gradient(x / b) * u, x, rate)
        rows.append(x / b)
    return np.array(rows)


@pytest.mark.parametrize("name", CASES)
def test_units_do_not_matter(name):
    plain = iterates(CASES[name], 1.0, 1.0)
    assert np.isfinite(plain).all()
    for a, b in ((2.0**30, 1.0), (1.0, 2.0**-20), (2.0**-20, 2.0**12)):
        np.testing.assert_array_equal(iterates(CASES[name], a, b), plain)
