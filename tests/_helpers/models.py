"""The models beside their formulae in PyTorch, for automatic differentiation to be the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from hessx.models import LinearLeastSquares, LogisticRegression, MultinomialLogistic, Perceptron

__all__ = ["CASES", "LINEAR", "ROWS", "ModelCase", "make_data"]

ROWS, INPUTS, CLASSES, HIDDEN = 23, 3, 3, (4, 2)


@dataclass(frozen=True)
class ModelCase:
    """A model, and what it is by definition.

    Attributes
    ----------
    make : callable
        (X, y, l2) -> model.
    targets : {"binary", "labels", "numbers", "vectors"}
        What y is.
    layers : tuple of int
        Sizes from inputs to outputs; 0 for one output without an axis.
    bias : bool
        Whether layers have one.
    activation : str
        Of hidden layers, a function of torch.
    total : bool
        A sum over rows, not a mean.
    """

    make: Callable[[Any, Any, float], Any]
    targets: str
    layers: tuple[int, ...]
    bias: bool = True
    activation: str = ""
    total: bool = False

    @property
    def shapes(self) -> list[tuple[tuple[int, ...], tuple[int, ...] | None]]:
        """Shapes of W and b, layer by layer."""
        return [
            ((i, o) if o else (i,), ((o,) if o else ()) if self.bias else None)
            for i, o in pairwise(self.layers)
        ]

    @property
    def n(self) -> int:
        """Weights in all."""
        return len(self.penalised)

    @property
    def penalised(self) -> np.ndarray:
        """1.0 where the flat w has an entry of some W, 0.0 at biases."""
        parts = []
        for W, b in self.shapes:
            parts += [np.ones(int(np.prod(W)))]
            parts += [] if b is None else [np.zeros(int(np.prod(b)))]
        return np.concatenate(parts)

    def cut(self, v: Any) -> list[tuple[Any, Any]]:
        """Cut a flat vector of any library."""
        weights, start = [], 0
        for shapes in self.shapes:
            pair = []
            for shape in shapes:
                size = 0 if shape is None else int(np.prod(shape))
                pair.append(None if shape is None else v[start : start + size].reshape(shape))
                start += size
            weights.append(tuple(pair))
        return weights

    def w(self, backend: Any, flat: np.ndarray) -> Any:
        """Put a flat vector of the host where the model takes it."""
        if self.activation:
            leaves = [[backend.asarray(leaf) for leaf in pair] for pair in self.cut(flat)]
            return {f"layer{i}": {"W": W, "b": b} for i, (W, b) in enumerate(leaves)}
        shape = (-1,) if self.layers[-1] == 0 else (-1, self.layers[-1])
        return backend.asarray(flat.reshape(shape))

    def flat(self, backend: Any, w: Any) -> np.ndarray:
        """Read what has the shape of w."""
        leaves = [a for pair in w.values() for a in pair.values()] if self.activation else [w]
        return np.concatenate([backend.to_numpy(leaf).reshape(-1).astype(float) for leaf in leaves])

    def outputs(self, w: Any, X: Any) -> Any:
        """Give z, with torch."""
        import torch

        a, weights = X, self.cut(w)
        for i, (W, b) in enumerate(weights):
            z = a @ W if b is None else a @ W + b
            if i < len(weights) - 1:
                functions = {"softplus": torch.nn.functional.softplus, "relu": torch.relu}
                function = functions.get(self.activation) or getattr(torch, self.activation)
                a = function(z)
        return z

    def losses(self, z: Any, y: Any) -> Any:
        """Give the loss of each row, with torch."""
        import torch

        if self.targets == "binary":
            return torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="none")
        if self.targets == "labels":
            return torch.nn.functional.cross_entropy(z, y.to(torch.int64), reduction="none")
        return ((z - y) ** 2).reshape(len(z), -1).sum(axis=1) / 2


def make_data(case: ModelCase, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """X, y and flat w, numbers that float32 holds."""
    X, w = rng.standard_normal((ROWS, INPUTS)), rng.standard_normal(case.n) / 2
    y = {
        "binary": lambda: rng.integers(0, 2, ROWS),
        "labels": lambda: np.append(rng.integers(0, CLASSES, ROWS - 1), CLASSES - 1),
        "numbers": lambda: rng.standard_normal(ROWS),
        "vectors": lambda: rng.standard_normal((ROWS, 2)),
    }[case.targets]()
    return tuple(a.astype("float32").astype(float) for a in (X, y, w))


def _perceptron(activation: str, loss: str) -> ModelCase:
    make = partial(_make_perceptron, activation, loss)
    outputs = CLASSES if loss == "softmax" else 2
    targets = "labels" if loss == "softmax" else "vectors"
    return ModelCase(make, targets, (INPUTS, *HIDDEN, outputs), activation=activation)


def _make_perceptron(activation: str, loss: str, X: Any, y: Any, l2: float) -> Perceptron:
    return Perceptron(X, y, HIDDEN, activation, loss, l2)


LINEAR = {
    "logistic": ModelCase(LogisticRegression, "binary", (INPUTS, 0)),
    "logistic, no intercept": ModelCase(
        partial(LogisticRegression, intercept=False), "binary", (INPUTS, 0), bias=False
    ),
    "least squares": ModelCase(LinearLeastSquares, "numbers", (INPUTS, 0), bias=False, total=True),
    "multinomial": ModelCase(
        lambda X, y, l2: MultinomialLogistic(X, y, l2=l2), "labels", (INPUTS, CLASSES)
    ),
    "multinomial, no intercept": ModelCase(
        lambda X, y, l2: MultinomialLogistic(X, y, l2=l2, intercept=False),
        "labels",
        (INPUTS, CLASSES),
        bias=False,
    ),
}
CASES = LINEAR | {
    "tanh, softmax": _perceptron("tanh", "softmax"),
    "sigmoid, squared": _perceptron("sigmoid", "squared"),
    "softplus, softmax": _perceptron("softplus", "softmax"),
    "relu, squared": _perceptron("relu", "squared"),
}
