"""Runs with rules that learn: put down and taken up, waits, and what they ask of the sum."""

from __future__ import annotations

import io

import numpy as np
import pytest

import hessx
from hessx import models
from hessx._xp import record_fetches, space_of

N, BATCH, EPOCHS = 60, 10, 3

RULES = {
    "adahessian": hessx.AdaHessian(every=2),
    "sophia-g": hessx.SophiaG(every=4),
    "shampoo": hessx.Preconditioned(hessx.Shampoo(epsilon=1e-3)),
    "soap": hessx.Preconditioned(hessx.SOAP(every=2)),
    "kfac": hessx.Preconditioned(hessx.KFAC(damping=0.1, every=2), every=3, fresh=True),
    "ekfac": hessx.Preconditioned(hessx.EKFAC(damping=0.1), every=2),
    "fisher": hessx.Preconditioned(hessx.Fisher(damping=0.3)),
    "fisher, drawn": hessx.Preconditioned(hessx.Fisher(damping=0.3, labels="sampled"), every=2),
}


def model_on(backend):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((N, 4)), rng.integers(0, 3, N)
    return models.Perceptron(backend.asarray(X), backend.asarray(y, "int64"), layers=(5,), l2=1e-3)


def train(model, rule, epochs=EPOCHS, **more):
    method = hessx.StochasticMethod(rule, 0.05, epochs=epochs, batch_size=BATCH)
    return hessx.minimize(hessx.FiniteSum(model), model.start(0), method=method, **more)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.backends("numpy", "torch")
def test_a_run_that_is_taken_up_ends_where_the_whole_one_does(backend, name):
    model = model_on(backend)
    whole, file = train(model, RULES[name]), io.BytesIO()
    hessx.save(file, train(model, RULES[name], epochs=1))
    file.seek(0)
    again = train(model, RULES[name], resume=file)
    space = space_of(whole.x)
    assert again.nit == whole.nit == EPOCHS * N // BATCH
    same = [backend.to_numpy(space.flat(result.x)) for result in (again, whole)]
    np.testing.assert_array_equal(*same)
    value, _ = model(model.start(0))
    assert whole.fun < float(value)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.backends("fakegpu")
def test_the_host_waits_for_reports_alone(backend, name):
    model = model_on(backend)
    train(model, RULES[name], epochs=1)
    with record_fetches() as some:
        train(model, RULES[name], epochs=2)
    with record_fetches() as more:
        train(model, RULES[name], epochs=5)
    assert more.fetches - some.fetches == 3  # one for each report
