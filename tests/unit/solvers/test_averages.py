"""Averages equal those of torch and optax, iterate by iterate, along whole runs."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.perceptron import gradient, leaves_of, start

STEPS = 200


def averaged(rules, rate, average):
    """The point that a run of as many steps returns, for each number of steps at once."""
    points = []

    def fun(x):
        return 0.0, gradient(x)

    method = hessx.StochasticMethod(
        rules, rate, steps=STEPS, average=average, report=hessx.Report(every=1)
    )
    hessx.minimize(fun, start(), jac=True, method=method, callback=lambda x: points.append(x))
    return np.array(points)


FREE = {
    "sgd": (hessx.SGD(), 0.3, {}, lambda o, rate: o.sgd(rate)),
    "sgd, beta": (hessx.SGD(), 0.3, {"beta": 0.5}, lambda o, rate: o.sgd(rate)),
    "warm-up": (
        hessx.SGD(),
        hessx.Phases((50, hessx.WarmUp(0.3)), (None, hessx.Constant(0.3))),
        {},
        None,
    ),
    "adamw": (
        [hessx.Adam(beta1=0.0), hessx.Decay(0.1)],
        0.01,
        {"power": 1.0},
        lambda o, rate: o.adamw(rate, b1=0.0, weight_decay=0.1),
    ),
}


@pytest.mark.parametrize("name", FREE)
def test_schedule_free_is_that_of_optax(name):
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    rules, rate, settings, base = FREE[name]
    with jax.enable_x64(True):
        rates = [rate] * STEPS
        given = weighed = rate
        if isinstance(rate, hessx.Schedule):
            live = rate.begin(STEPS)
            rates = [live.at(t) for t in range(1, STEPS + 1)]
            # optax counts from 0 in the one, from 1 in the other
            given = lambda count: jax.numpy.asarray(rates)[count]  # noqa: E731
            weighed = lambda count: jax.numpy.asarray(rates)[count - 1]  # noqa: E731
        made = optax.contrib.schedule_free(
            optax.sgd(given) if base is None else base(optax, given),
            weighed,
            b1=settings.get("beta", 0.9),
            weight_lr_power=settings.get("power", 2.0),
        )
        y = leaves_of(start())
        state, update, expected = made.init(y), jax.jit(made.update), []
        for _ in range(STEPS):
            flat = np.concatenate([np.ravel(leaf) for leaf in y.values()])
            moves, state = update(leaves_of(gradient(flat)), state, y)
            y = {key: y[key] + moves[key] for key in y}
            x = optax.contrib.schedule_free_eval_params(state, y)
            expected.append(np.concatenate([np.ravel(x[key]) for key in leaves_of(start())]))
    expected = np.array(expected)
    off = np.abs(averaged(rules, rate, hessx.ScheduleFree(**settings)) - expected).max()
    assert off <= 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("decay", [0.5, 0.99])
def test_exponential_is_that_of_torch(decay):
    torch = pytest.importorskip("torch")
    from torch.optim import swa_utils

    model = torch.nn.ParameterList([torch.tensor(start())])
    mean = swa_utils.AveragedModel(model, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(decay))
    expected = []
    for _ in range(STEPS):
        with torch.no_grad():
            model[0] -= 0.3 * torch.tensor(gradient(model[0].detach().numpy()))
        mean.update_parameters(model)
        expected.append(mean.module[0].detach().numpy().copy())
    expected = np.array(expected)
    off = np.abs(averaged(hessx.SGD(), 0.3, hessx.Exponential(decay)) - expected).max()
    assert off <= 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("skipped", [0, 7])
def test_polyak_is_the_mean(skipped):
    x, points = start(), []
    for _ in range(STEPS):
        x = x - 0.3 * gradient(x)
        points.append(x)
    means = [np.mean(points[skipped : k + 1], axis=0) for k in range(skipped, STEPS)]
    ours = averaged(hessx.SGD(), 0.3, hessx.Polyak(skipped))[skipped:]
    np.testing.assert_allclose(ours, means, rtol=0.0, atol=1e-14)


def test_a_saved_average_goes_on(backend, tmp_path):
    x0 = backend.asarray(start())
    fun = lambda x: (x @ x / 2, x)  # noqa: E731
    for average in (hessx.Polyak(2), hessx.Exponential(0.5), hessx.ScheduleFree()):
        method = hessx.StochasticMethod(hessx.SGD(), 0.1, steps=4, average=average)
        short = hessx.minimize(fun, x0, jac=True, method=method)
        hessx.save(tmp_path / "run.npz", short)
        path = tmp_path / "run.npz"
        again = hessx.minimize(fun, x0, jac=True, resume=path, options={"steps": 8})
        whole = hessx.minimize(fun, x0, jac=True, method=method, options={"steps": 8})
        assert (backend.to_numpy(again.x) == backend.to_numpy(whole.x)).all()
