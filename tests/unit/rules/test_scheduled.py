"""Settings that follow schedules: the iterates of torch under OneCycleLR."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.perceptron import gradient, start
from hessx import SettingsError

STEPS = 200

CASES = {
    "sgd": (hessx.SGD(momentum=0.9), "momentum", lambda t, p: t.optim.SGD([p], momentum=0.9)),
    "nesterov": (
        hessx.SGD(momentum=0.9, nesterov=True),
        "momentum",
        lambda t, p: t.optim.SGD([p], momentum=0.9, nesterov=True),
    ),
    "adam": (hessx.Adam(), "beta1", lambda t, p: t.optim.Adam([p])),
}


def ours(rule, setting, **more):
    cycle = hessx.OneCycle(0.02)
    method = hessx.StochasticMethod(
        hessx.Scheduled(rule, {setting: hessx.OneCycleMomentum(cycle)}), cycle, steps=STEPS
    )
    return hessx.minimize(
        lambda x: (0.0, gradient(x)), start(), jac=True, method=method,
        options={"lower_limit": -1.0}, **more,
    )  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_iterates_are_those_of_torch(name):
    torch = pytest.importorskip("torch")
    rule, setting, make = CASES[name]
    p = torch.nn.Parameter(torch.tensor(start()))
    optimizer = make(torch, p)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=STEPS)
    for t in range(STEPS):
        p.grad = torch.tensor(gradient(p.detach().numpy()))
        optimizer.step()
        if t + 1 < STEPS:
            schedule.step()
    expected = p.detach().numpy()
    off = np.abs(ours(rule, setting).x - expected).max()
    assert off <= 1e-12 * np.abs(expected).max()


def test_a_saved_run_goes_on(tmp_path):
    path = tmp_path / "run.npz"
    seen = []

    def stop(intermediate_result):
        seen.append(intermediate_result)
        if len(seen) == 30:
            raise StopIteration

    short = ours(hessx.Adam(), "beta1", callback=stop)
    assert short.outcome is hessx.Outcome.STOPPED_BY_USER
    hessx.save(path, short)
    again = hessx.minimize(lambda x: (0.0, gradient(x)), start(), jac=True, resume=path)
    np.testing.assert_array_equal(again.x, ours(hessx.Adam(), "beta1").x)


@pytest.mark.parametrize(
    ("rule", "settings", "message"),
    [
        (hessx.ClipNorm(1.0), {"limit": hessx.Cosine()}, "acts on entries, neither measures"),
        (hessx.Muon(), {"beta": hessx.Cosine()}, "acts on entries"),
        (hessx.Adam(), {}, "expected a dict of schedules"),
        (hessx.Adam(), {"momentum": hessx.Cosine()}, "has beta1, beta2, eps, amsgrad"),
        (hessx.Adam(), {"beta1": 0.9}, r"settings\['beta1'\] is a float"),
    ],
)
def test_what_is_refused(rule, settings, message):
    with pytest.raises(SettingsError, match=message):
        hessx.Scheduled(rule, settings)
