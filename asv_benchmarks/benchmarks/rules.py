"""Time of a step of the rules, gradients given, and of torch.optim beside them."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

import hessx
from benchmarks.libraries import EAGER, large, library, wait
from hessx._xp import space_of
from hessx.rules import Chain

RULES = {"adam": hessx.Adam(), "momentum": hessx.SGD(0.9)}
PEERS = {"adam": ("Adam", {}), "momentum": ("SGD", {"momentum": 0.9})}
SIZES = [1_000, large(1_000_000)]  # ten million: compare_rules.py
RATE = 1e-3


class Step:
    """x+ = x - rate d by a chain."""

    params = (EAGER, [*RULES], SIZES)
    param_names = ("library", "rule", "n")

    def setup(self, name: str, rule: str, n: int) -> None:
        backend = library(name)
        rng = np.random.default_rng(3)
        self.x, self.g = (backend.asarray(rng.standard_normal(n)) for _ in range(2))
        self.chain, self.t = Chain.begin(RULES[rule], space_of(self.x), self.x), 0
        self.time_step(name, rule, n)  # JAX compiles

    def time_step(self, name: str, rule: str, n: int) -> None:
        self.t += 1
        self.x = self.chain.step(self.t, self.g, self.x, RATE)
        wait(self.x)


class Peer:
    """The same by torch.optim, in place."""

    params = ([*RULES], SIZES)
    param_names = ("rule", "n")

    def setup(self, rule: str, n: int) -> None:
        backend, torch = library("torch"), importlib.import_module("torch")
        rng = np.random.default_rng(3)
        p = torch.nn.Parameter(backend.asarray(rng.standard_normal(n)))
        p.grad = backend.asarray(rng.standard_normal(n))
        name, settings = PEERS[rule]
        self.optimizer: Any = getattr(torch.optim, name)([p], lr=RATE, **settings)
        self.time_step(rule, n)

    def time_step(self, rule: str, n: int) -> None:
        self.optimizer.step()
