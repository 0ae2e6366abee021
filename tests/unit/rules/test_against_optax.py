"""Iterates equal those of optax, and of the authors' D-adaptation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import hessx.rules as r
from _helpers.perceptron import gradient, iterates, leaves_of, ours, start

STEPS = 200
BEFORE_CHAOS = 40  # D-adaptation then runs away from this function, or multiplies rounding


def lamb(
    optax: Any, rate: float = 0.005, b1: float = 0.9, b2: float = 0.999, decay: float = 0.0
) -> Any:
    """optax.lamb, whose default eps is that of the paper."""
    return optax.lamb(rate, b1=b1, b2=b2, weight_decay=decay)


CASES = {
    "lamb": ([r.Adam(eps=1e-6), r.TrustRatio()], 0.005, lamb),
    "lamb, decay": (
        [r.Adam(eps=1e-6), r.Decay(0.1), r.TrustRatio()],
        0.005,
        lambda optax: lamb(optax, decay=0.1),
    ),
    "lamb, betas": (
        [r.Adam(0.8, 0.99, 1e-6), r.TrustRatio()],
        0.001,
        lambda optax: lamb(optax, 0.001, 0.8, 0.99),
    ),
    "lion": ([r.Lion()], 1e-3, lambda o: o.lion(1e-3, weight_decay=0.0)),
    "lion, decay": ([r.Lion(), r.Decay(0.1)], 1e-3, lambda o: o.lion(1e-3, weight_decay=0.1)),
    "lion, betas": (
        [r.Lion(0.5, 0.9)],
        1e-3,
        lambda o: o.lion(1e-3, b1=0.5, b2=0.9, weight_decay=0.0),
    ),
    "dog": (r.DoG(), 1.0, lambda o: o.contrib.dog(init_step=("heuristic", 1e-6))),
    "dog, larger": (
        r.DoG(1e-4, eps=1e-3),
        1.0,
        lambda o: o.contrib.dog(init_step=("heuristic", 1e-4), eps=1e-3),
    ),
    "prodigy": (r.Prodigy(bias_correction=True), 1.0, lambda o: o.contrib.prodigy()),
    "prodigy, settings": (
        r.Prodigy(0.8, 0.99, 0.95, 1e-3, 1e-5, 0.1, bias_correction=True),
        1.0,
        lambda o: o.contrib.prodigy(
            betas=(0.8, 0.99), beta3=0.95, eps=1e-3, estim_lr0=1e-5, estim_lr_coef=0.1
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_iterates_equal_those_of_optax(name):
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    rules, rate, make = CASES[name]
    with jax.enable_x64(True):
        made = make(optax)
        leaves = leaves_of(start())
        state, update = made.init(leaves), jax.jit(made.update)

        def step(t: int, x: np.ndarray) -> np.ndarray:
            nonlocal state
            tree = leaves_of(x)
            moves, state = update(leaves_of(gradient(x)), state, tree)
            return np.concatenate([np.ravel(tree[key] + moves[key]) for key in tree])

        expected = iterates(step, STEPS)
    assert np.isfinite(expected).all()
    off = np.abs(ours(rules, rate, STEPS) - expected).max()
    assert off <= 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize(
    ("rule", "settings"),
    [
        (r.DAdaptSGD(), {}),
        (r.DAdaptSGD(0.9), {"momentum": 0.9}),
        (r.DAdaptSGD(0.5, 1e-4, 1.5), {"momentum": 0.5, "d0": 1e-4, "growth_rate": 1.5}),
        (r.DAdaptAdam(), {}),
        (r.DAdaptAdam(bias_correction=True), {"use_bias_correction": True}),
        (
            r.DAdaptAdam(0.5, 0.9, 1e-3, 1e-4, 1.5),
            {"betas": (0.5, 0.9), "eps": 1e-3, "d0": 1e-4, "growth_rate": 1.5},
        ),
    ],
)  # fmt: skip
def test_iterates_equal_those_of_the_authors(rule, settings):
    torch, dadaptation = pytest.importorskip("torch"), pytest.importorskip("dadaptation")
    p = torch.nn.Parameter(torch.from_numpy(start()))
    made = getattr(dadaptation, type(rule).__name__)([p], lr=1.0, **settings)

    def step(t: int, x: np.ndarray) -> np.ndarray:
        p.grad = torch.from_numpy(gradient(x))
        made.step()
        return p.detach().numpy()

    expected = iterates(step, BEFORE_CHAOS)
    assert np.abs(expected[-1] - start()).max() > 1e-3
    off = np.abs(ours(rule, 1.0, BEFORE_CHAOS) - expected).max()
    assert off <= 1e-12 * np.abs(expected).max()
