# ruff: noqa: T201 - a script that prints
"""Rules on NumPy beside torch.optim: microseconds a step, gradients given.

"bytes" is the time of the arrays that have to be read and written, 7 n for Adam and 5 n for
momentum, at the bandwidth of np.add(out=) in the same run.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

import hessx
from hessx._xp import space_of
from hessx.rules import Chain

__all__ = ["compare_rules"]

CASES = [  # name, rule, torch.optim's, vectors that are read or written
    ("adam", hessx.Adam(), ("Adam", {}), 7),
    ("momentum", hessx.SGD(0.9), ("SGD", {"momentum": 0.9}), 5),
]
SIZES = [(1_000, "float64"), (10**6, "float64"), (10**6, "float32"), (10**7, "float64")]
RATE = 1e-3


def stepping(rule: Any, n: int, dtype: str) -> Callable[[], None]:
    """Steps of a chain, from a point that moves."""
    rng = np.random.default_rng(0)
    x, g = (rng.standard_normal(n).astype(dtype) for _ in range(2))
    chain, t = Chain.begin(rule, space_of(x), x), 0

    def step() -> None:
        nonlocal x, t
        t += 1
        x = chain.step(t, g, x, RATE)

    return step


def torchs(name: str, settings: dict[str, Any], n: int, dtype: str) -> Callable[[], None]:
    """Steps of torch.optim, in place."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    p, g = (torch.from_numpy(rng.standard_normal(n).astype(dtype)) for _ in range(2))
    p = torch.nn.Parameter(p)
    p.grad = g
    return getattr(torch.optim, name)([p], lr=RATE, **settings).step


def adding(n: int, dtype: str) -> Callable[[], None]:
    """Three vectors read or written."""
    a, b, c = (np.ones(n, dtype) for _ in range(3))
    return lambda: np.add(a, b, out=c)


def microseconds(steps: dict[str, Callable[[], Any]], repeats: int, each: int) -> dict[str, float]:
    """Medians, the candidates in turn."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for repeat in range(-2, repeats):
        for name, step in steps.items():
            began = time.perf_counter()
            for _ in range(each):
                step()
            if repeat >= 0:
                times[name].append((time.perf_counter() - began) / each * 1e6)
    return {name: median(spent) for name, spent in times.items()}


def compare_rules(repeats: int) -> None:
    """Print the table."""
    print("Rules: microseconds a step: medians")
    head = ("hessx", "bytes", "ratio", "torch", "ratio")
    print(f"{'rule':>9} {'n':>9} {'dtype':>8} " + " ".join(f"{name:>9}" for name in head))
    for n, dtype in SIZES:
        for name, rule, (peer, settings), vectors in CASES:
            steps = {
                "hessx": stepping(rule, n, dtype),
                "torch": torchs(peer, settings, n, dtype),
                "add": adding(n, dtype),
            }
            spent = microseconds(steps, repeats, max(1, 200_000 // n))
            ours, theirs, bytes_ = spent["hessx"], spent["torch"], spent["add"] * vectors / 3
            print(
                f"{name:>9} {n:9d} {dtype:>8} {ours:9.1f} {bytes_:9.1f} {ours / bytes_:9.2f} "
                f"{theirs:9.1f} {ours / theirs:9.2f}",
                flush=True,
            )
