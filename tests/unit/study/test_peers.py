"""Peers minimise the problem that they are given, and what they ask for is counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hessx.study.backends import open_backend
from hessx.study.metering import Meter
from hessx.study.methods import METHODS
from hessx.study.posed import Known
from hessx.study.problems import PROBLEMS
from hessx.study.running import carry_out

NUMPY = open_backend("numpy", "float64")
PEERS = [m for m in METHODS.values() if m.peer_of and m.name != "scipy-dogleg"]


def run(method, problem="linear-regression", seconds=20.0, **options):
    """Run it; also count what the function really received."""
    if method.missing:
        pytest.skip(method.missing)
    received, posed = {"points": 0}, PROBLEMS[problem].pose(NUMPY)

    def counted(function):
        def call(x):
            received["points"] += 1
            assert type(x) is np.ndarray and x.dtype == np.float64
            return function(x)

        return call

    counting = {"fun": counted(posed.fun)}
    if method.needs is Known.RESIDUAL:
        counting["residual"] = counted(posed.residual)
    meter = Meter(replace(posed, **counting), keep_best=False)
    ending = carry_out(
        method.bind(meter, options), meter, gtol=1e-6, seconds=seconds, iterations=15000
    )
    return ending, meter, received["points"] - 1  # the last is the study's own


@pytest.mark.parametrize("method", PEERS, ids=lambda method: method.name)
def test_a_line_is_fitted_and_evaluations_are_what_the_function_received(method):
    ending, meter, received = run(method)
    if method.peer_of == "pytorch-minimize":  # some of its searches end a step before
        assert abs(ending.grad).max() <= 1e-5
    else:
        assert ending.success and abs(ending.grad).max() <= 1e-6
    np.testing.assert_allclose(ending.result.x, [0.0, 2.0], atol=1e-4)
    assert meter.evaluations == received
    values = ending.result.history["value"]
    assert values[0] >= 15.0 - 1e-12 or method.needs is Known.RESIDUAL
    if method.rate is None:
        assert meter.evaluations <= 600


NEWTONS = ["torchmin-newton-cg", "torchmin-trust-ncg", "fides-exact"]


@pytest.mark.parametrize("name", NEWTONS)
def test_second_order_peers_are_given_exact_products(name):
    ending, meter, _ = run(METHODS[name], "brown-dennis")
    assert 0 < meter.products <= 200
    np.testing.assert_allclose(40.0 * float(ending.value), 85822.2, rtol=1e-6)


@pytest.mark.parametrize("name", ["torch-lbfgs", "scipy-lm", "scipy-trf"])
def test_the_time_is_kept(name):
    ending, meter, _ = run(METHODS[name], "chained-rosenbrock", seconds=0.01)
    assert not ending.success and "0.01 s are up" in ending.message
    assert ending.value <= 50336.0 and meter.evaluations < 1000


@pytest.mark.parametrize("name", ["torch-sgd", "optax-adam"])
def test_a_rate_that_is_looked_for_is_the_one_that_is_taken(name):
    method = METHODS[name]
    slow, _, _ = run(method, seconds=0.1, rate=1e-9)
    assert slow.value == pytest.approx(15.0, rel=1e-2)
    assert run(method, rate=method.rate)[0].success


WHOLE = [m for m in METHODS.values() if m.family == "whole gradient"]


@pytest.mark.parametrize("method", WHOLE, ids=lambda method: method.name)
def test_rules_on_whole_gradients_converge_and_say_so(method):
    ending, meter, received = run(method)
    assert ending.success and abs(ending.grad).max() <= 1e-6
    assert meter.evaluations == received == len(ending.result.history)


def test_heavy_ball_is_that_of_the_textbook():
    """x+ = x - rate m, m = 0.9 m + g (Polyak 1964), by hand."""
    ending, _, _ = run(METHODS["momentum-whole"], rate=1e-2)
    fun = PROBLEMS["linear-regression"].pose(NUMPY).fun
    x, m, values = np.ones(2), 0.0, []
    for _ in range(50):
        value, grad = fun(x)
        values.append(value)
        m = 0.9 * m + grad
        x = x - 1e-2 * m
    np.testing.assert_allclose(ending.result.history["value"][:50], values, rtol=1e-10)


def test_what_is_missing_is_named():
    gone = replace(METHODS["scipy-cg"], package="no_such_package", peer_of="Nobody's")
    assert gone.missing == "Nobody's is not installed" and not gone.suits(2)
    assert gone.fits(2)
