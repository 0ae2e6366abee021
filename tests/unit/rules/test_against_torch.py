"""Iterates equal those of torch.optim, setting by setting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import hessx.rules as r
from _helpers.perceptron import gradient, iterates, leaves_of, ours, start

torch = pytest.importorskip("torch")

STEPS = 200


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    """torch's NAdam keeps the product of mu in the default dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def theirs(optimizer: str, rate: float, clip: Callable[[Any], Any] | None, **settings: Any) -> Any:
    """The iterates of torch.optim, on one flat parameter."""
    p = torch.nn.Parameter(torch.from_numpy(start()))
    made = getattr(torch.optim, optimizer)([p], lr=rate, **settings)

    def step(t: int, x: np.ndarray) -> np.ndarray:
        p.grad = torch.from_numpy(gradient(x))
        if clip is not None:
            clip([p])
        made.step()
        return p.detach().numpy()

    return iterates(step, STEPS)


def norm_at(limit: float) -> Callable[[Any], Any]:
    return lambda ps: torch.nn.utils.clip_grad_norm_(ps, limit)


def value_at(limit: float) -> Callable[[Any], Any]:
    return lambda ps: torch.nn.utils.clip_grad_value_(ps, limit)


# Rates at which the iterates settle: elsewhere a run multiplies rounding by 1e10.
BETAS = {"betas": (0.5, 0.9), "eps": 1e-3}
APART = {"weight_decay": 0.1, "decoupled_weight_decay": True}
ALPHA = {"alpha": 0.9, "centered": True}
CASES = [
    # ours, rate, torch's name, its settings, its clipping
    (r.SGD(), 0.05, "SGD", {}, None),
    ([r.Decay(0.1), r.SGD()], 0.05, "SGD", {"weight_decay": 0.1}, None),
    ([r.ClipNorm(0.1), r.SGD()], 0.05, "SGD", {}, norm_at(0.1)),
    ([r.ClipValue(0.02), r.SGD()], 0.05, "SGD", {}, value_at(0.02)),
    (r.SGD(0.9), 0.02, "SGD", {"momentum": 0.9}, None),
    (r.SGD(0.5), 0.05, "SGD", {"momentum": 0.5}, None),
    ([r.Decay(0.1), r.SGD(0.9)], 0.02, "SGD", {"momentum": 0.9, "weight_decay": 0.1}, None),
    (r.SGD(0.9, 0.9), 0.05, "SGD", {"momentum": 0.9, "dampening": 0.9}, None),
    (r.SGD(0.5, 0.1), 0.05, "SGD", {"momentum": 0.5, "dampening": 0.1}, None),
    (r.SGD(0.9, 1.0), 0.05, "SGD", {"momentum": 0.9, "dampening": 1.0}, None),
    (r.SGD(0.9, nesterov=True), 0.02, "SGD", {"momentum": 0.9, "nesterov": True}, None),
    (r.SGD(0.5, nesterov=True), 0.05, "SGD", {"momentum": 0.5, "nesterov": True}, None),
    (
        [r.ClipNorm(0.1), r.Decay(0.01), r.SGD(0.9, nesterov=True)], 0.02,
        "SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}, norm_at(0.1),
    ),
    (r.Adagrad(), 0.01, "Adagrad", {}, None),
    (r.Adagrad(1e-3, 0.1), 0.05, "Adagrad", {"eps": 1e-3, "initial_accumulator_value": 0.1}, None),
    ([r.Decay(0.1), r.Adagrad()], 0.01, "Adagrad", {"weight_decay": 0.1}, None),
    (r.RMSProp(), 0.001, "RMSprop", {}, None),
    (r.RMSProp(0.9, 1e-3), 0.001, "RMSprop", {"alpha": 0.9, "eps": 1e-3}, None),
    ([r.Decay(0.1), r.RMSProp()], 0.001, "RMSprop", {"weight_decay": 0.1}, None),
    (r.RMSProp(0.9, 1e-3, centred=True), 0.001, "RMSprop", {**ALPHA, "eps": 1e-3}, None),
    (r.RMSProp(0.9, 1e-2, centred=True), 0.005, "RMSprop", {**ALPHA, "eps": 1e-2}, None),
    ([r.RMSProp(), r.SGD(0.9)], 0.0003, "RMSprop", {"momentum": 0.9}, None),
    (
        [r.RMSProp(0.9, 1e-3, centred=True), r.SGD(0.5)], 0.001,
        "RMSprop", {**ALPHA, "eps": 1e-3, "momentum": 0.5}, None,
    ),
    (r.Adadelta(), 0.1, "Adadelta", {}, None),
    (r.Adadelta(0.5, 1e-4), 0.2, "Adadelta", {"rho": 0.5, "eps": 1e-4}, None),
    ([r.Decay(0.1), r.Adadelta()], 0.1, "Adadelta", {"weight_decay": 0.1}, None),
    (r.Adam(), 0.002, "Adam", {}, None),
    (r.Adam(0.5, 0.9, 1e-3), 0.005, "Adam", BETAS, None),
    ([r.Decay(0.1), r.Adam()], 0.002, "Adam", {"weight_decay": 0.1}, None),
    ([r.ClipNorm(0.05), r.Adam()], 0.002, "Adam", {}, norm_at(0.05)),
    ([r.Adam(), r.Decay(0.01)], 0.002, "AdamW", {"weight_decay": 0.01}, None),
    ([r.Adam(0.5, 0.9, 1e-3), r.Decay(0.5)], 0.001, "AdamW", {**BETAS, "weight_decay": 0.5}, None),
    (
        [r.ClipValue(0.01), r.Adam(), r.Decay(0.1)], 0.002,
        "AdamW", {"weight_decay": 0.1}, value_at(0.01),
    ),
    (r.Adam(amsgrad=True), 0.002, "Adam", {"amsgrad": True}, None),
    (r.Adam(0.5, 0.9, 1e-3, amsgrad=True), 0.005, "Adam", {**BETAS, "amsgrad": True}, None),
    (
        [r.Adam(amsgrad=True), r.Decay(0.1)], 0.002,
        "AdamW", {"amsgrad": True, "weight_decay": 0.1}, None,
    ),
    (r.Adamax(), 0.002, "Adamax", {}, None),
    (r.Adamax(0.5, 0.9, 1e-3), 0.002, "Adamax", BETAS, None),
    ([r.Decay(0.1), r.Adamax()], 0.002, "Adamax", {"weight_decay": 0.1}, None),
    (r.NAdam(), 0.002, "NAdam", {}, None),
    (r.NAdam(0.5, 0.9, 1e-3, 0.1), 0.002, "NAdam", {**BETAS, "momentum_decay": 0.1}, None),
    ([r.Decay(0.1), r.NAdam()], 0.002, "NAdam", {"weight_decay": 0.1}, None),
    ([r.NAdam(), r.Decay(0.1)], 0.002, "NAdam", {**APART}, None),
    (r.RAdam(), 0.002, "RAdam", {}, None),
    (r.RAdam(0.5, 0.9, 1e-3), 0.002, "RAdam", BETAS, None),
    ([r.Decay(0.1), r.RAdam()], 0.002, "RAdam", {"weight_decay": 0.1}, None),
    ([r.RAdam(), r.Decay(0.1)], 0.002, "RAdam", {**APART}, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "rate", "optimizer", "settings", "clip"),
    CASES,
    ids=[f"{i}-{case[2]}" for i, case in enumerate(CASES)],
)
def test_iterates_equal_those_of_torch(rules, rate, optimizer, settings, clip):
    expected = theirs(optimizer, rate, clip, foreach=False, **settings)
    assert np.isfinite(expected).all()
    off = np.abs(ours(rules, rate, STEPS) - expected).max()
    assert off <= 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize(
    ("rules", "settings"),
    [
        (r.Muon(), {"weight_decay": 0.0}),
        (r.Muon(0.5), {"momentum": 0.5, "weight_decay": 0.0}),
        (r.Muon(nesterov=False), {"nesterov": False, "weight_decay": 0.0}),
        ([r.Muon(), r.Decay(0.1)], {}),
    ],
)
def test_muon_equals_torchs_up_to_bfloat16(rules, settings):
    rate, steps = 0.005, 10
    chosen = r.ByLeaf(rules, r.SGD())
    leaves = [torch.nn.Parameter(torch.from_numpy(a.copy())) for a in leaves_of(start()).values()]
    muon = torch.optim.Muon([a for a in leaves if a.ndim == 2], lr=rate, **settings)
    sgd = torch.optim.SGD([a for a in leaves if a.ndim == 1], lr=rate)

    def step(t: int, x: np.ndarray) -> np.ndarray:
        for leaf, g in zip(leaves, leaves_of(gradient(x)).values(), strict=True):
            leaf.grad = torch.from_numpy(g)
        muon.step()
        sgd.step()
        return np.concatenate([leaf.detach().numpy().ravel() for leaf in leaves])

    expected = iterates(step, steps)
    np.testing.assert_allclose(
        ours(chosen, rate, steps), expected, rtol=0.0, atol=1e-3 * np.abs(expected).max()
    )
