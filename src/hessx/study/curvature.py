"""Steps with the Gauss-Newton matrix and with what is left of it: blocks, factors, a diagonal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import hessx
from hessx._xp import space_of
from hessx.core import Frame, LayerFactors
from hessx.models import Perceptron

__all__ = ["CURVATURES", "DAMPINGS", "LEVELS", "Descent", "descend", "network"]

LEVELS = (1.0, 0.5, 0.2, 0.1, 0.05)  # losses
DAMPINGS = (1e-2, 1e-3, 1e-4, 1e-5)
_DIGITS = 500
_DRAWS = 10  # of labels, for factors
_DESCENT = 1e-4  # Armijo's
_HALVINGS = 30


@dataclass(frozen=True)
class Descent:
    """What one matrix has come to.

    Attributes
    ----------
    name : str
        Of `CURVATURES`.
    damping : float
        Added to the matrix.
    losses : list of float
        After each step, the start first.
    """

    name: str
    damping: float
    losses: list[float]

    def steps_to(self, level: float) -> int | None:
        """Give the steps until the loss is as low; None: it never was."""
        return next((i for i, loss in enumerate(self.losses) if loss <= level), None)


def network() -> tuple[Perceptron, Any]:
    """Give a network of 16, 8, 8 and 10 units on 500 digits of 4 x 4 pixels, and x0."""
    from sklearn.datasets import load_digits

    X, y = (part[:_DIGITS] for part in load_digits(return_X_y=True))
    pixels = X.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(len(X), -1)
    model = Perceptron(pixels / 16.0, y, layers=(8, 8))
    return model, model.start(0)


def _full(G: Any, damping: float, g: np.ndarray, seed: int) -> np.ndarray:  # noqa: ARG001
    return _solved(G.dense(), damping, g)


def _layerwise(G: Any, damping: float, g: np.ndarray, seed: int) -> np.ndarray:  # noqa: ARG001
    dense, d = G.dense(), np.zeros_like(g)
    for layer in G.factors():
        d[layer.span] = _solved(dense[layer.span, layer.span], damping, g[layer.span])
    return d


def _solved(block: np.ndarray, damping: float, g: np.ndarray) -> np.ndarray:
    return np.linalg.solve(block + damping * np.eye(len(g)), g)


def _diagonal(G: Any, damping: float, g: np.ndarray, seed: int) -> np.ndarray:  # noqa: ARG001
    return g / (np.diagonal(G.dense()) + damping)


def _by_layers(kind: Callable[..., hessx.Approximation]) -> Callable[..., np.ndarray]:
    def direction(G: Any, damping: float, g: np.ndarray, seed: int) -> np.ndarray:
        curvature = kind(damping=damping).begin(Frame(space_of(g)))
        draws = [G.factors(seed * _DRAWS + k) for k in range(_DRAWS)]
        layers: Any = [_joined(parts) for parts in zip(*draws, strict=True)]
        curvature.update(layers)
        return curvature.solve(g)  # type: ignore[no-any-return]

    return direction


def _joined(parts: tuple[LayerFactors, ...]) -> LayerFactors:
    inputs, slopes = ([getattr(part, name) for part in parts] for name in ("inputs", "slopes"))
    return LayerFactors(parts[0].span, np.concatenate(inputs), np.concatenate(slopes))


# name: (G, damping, g, seed) -> d, the nearest to the whole matrix first
CURVATURES: dict[str, Callable[..., np.ndarray]] = {
    "full": _full,
    "layerwise": _layerwise,
    "ekfac": _by_layers(hessx.EKFAC),
    "kfac": _by_layers(hessx.KFAC),
    "diagonal": _diagonal,
}


def descend(model: Perceptron, w: Any, name: str, damping: float, steps: int) -> Descent:
    """Take steps w - rate d, the first rate of 1, 1/2, ... with a sufficient decrease."""
    space, direction = space_of(w), CURVATURES[name]
    x, (value, tree) = space.flat(w), model(w)
    losses = [float(value)]
    for step in range(steps):
        g = space.flat(tree)
        d = direction(model.gauss_newton(space.shaped(x)), damping, g, step)
        rate, slope = 1.0, float(g @ d)
        for _ in range(_HALVINGS):
            value, tree = model(space.shaped(x - rate * d))
            if float(value) <= losses[-1] - _DESCENT * rate * slope:
                break
            rate /= 2.0
        else:
            break
        x = x - rate * d
        losses.append(float(value))
        if losses[-1] <= LEVELS[-1]:
            break
    return Descent(name, damping, losses)
