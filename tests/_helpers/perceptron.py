"""A small perceptron to run rules on: two matrices and a bias in one flat vector, on NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hessx._xp import space_of
from hessx.rules import Chain

__all__ = ["SHAPES", "gradient", "iterates", "leaves_of", "ours", "start"]

SHAPES = {"V": (4, 6), "b": (6,), "W": (6, 3)}

_rng = np.random.default_rng(3)
_X = _rng.standard_normal((40, 4))
_Y = np.sin(_X @ _rng.standard_normal((4, 3)))
_START = {name: 0.5 * _rng.standard_normal(shape) for name, shape in SHAPES.items()}


def start() -> np.ndarray:
    """The starting point, flat."""
    return np.concatenate([leaf.ravel() for leaf in _START.values()])


def leaves_of(x: np.ndarray) -> dict[str, np.ndarray]:
    """Cut a flat vector."""
    ends = np.cumsum([np.prod(shape) for shape in SHAPES.values()])[:-1]
    pieces = zip(SHAPES.items(), np.split(x, ends), strict=True)
    return {name: piece.reshape(shape) for (name, shape), piece in pieces}


def gradient(x: np.ndarray) -> np.ndarray:
    """The gradient of the mean of norm(W' tanh(V'x + b) - y)^2 / 2, by hand."""
    V, b, W = leaves_of(x).values()
    hidden = np.tanh(_X @ V + b)
    off = (hidden @ W - _Y) / len(_X)
    back = (off @ W.T) * (1.0 - hidden**2)
    parts = {"V": _X.T @ back, "b": back.sum(0), "W": hidden.T @ off}
    return np.concatenate([part.ravel() for part in parts.values()])


def iterates(step: Callable[[int, np.ndarray], np.ndarray], steps: int) -> np.ndarray:
    """Take steps x -> step(t, x) from the starting point, one row each."""
    x, rows = start(), []
    for t in range(1, steps + 1):
        x = step(t, x)
        rows.append(np.array(x))
    return np.array(rows)


def ours(rules: Any, rate: float, steps: int) -> np.ndarray:
    """The iterates of a chain."""
    chain = Chain.begin(rules, space_of(_START), start())
    return iterates(lambda t, x: chain.step(t, gradient(x), x, rate), steps)
