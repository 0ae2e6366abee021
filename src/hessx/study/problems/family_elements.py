"""Elements of test functions of n variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hessx.study.backends import Backend
from hessx.study.problems.jets import Jet, cos, exp, sin
from hessx.study.problems.places import Hub, Predictor, Windows
from hessx.study.problems.separable import Elements

__all__ = [
    "arrowhead",
    "banded",
    "blocks",
    "boundary_value",
    "cosine",
    "cragg_levy",
    "dixon",
    "engval",
    "nondiagonal_quartic",
    "quadratic",
    "tridia",
    "tridiagonal",
]

_Jets = Sequence[Jet]


def blocks(formula: Callable[..., Any], n: int, backend: Backend) -> list[Elements]:
    """Take four variables after the other."""
    return [Elements(Windows(backend, n, 4, 4), formula)]


def tridiagonal(n: int, backend: Backend) -> list[Elements]:
    """Take each with its neighbours, zero beyond the ends: Broyden's tridiagonal function."""

    def formula(u: _Jets) -> _Jets:
        left, x, right = u
        return [(3.0 - 2.0 * x) * x - left - 2.0 * right + 1.0]

    return [Elements(Windows(backend, n, 3, 1, 1, 1), formula)]


def banded(n: int, backend: Backend) -> list[Elements]:
    """Take each with five before and one after, zero beyond the ends: Broyden's banded function."""

    def formula(u: _Jets) -> _Jets:
        x, around = u[5], (*u[:5], u[6])
        residual = x * (2.0 + 5.0 * x**2) + 1.0
        for y in around:
            residual = residual - y * (1.0 + y)
        return [residual]

    return [Elements(Windows(backend, n, 7, 1, 5, 1), formula)]


def boundary_value(n: int, backend: Backend) -> list[Elements]:
    """Take each with its neighbours, zero at the ends: -u'' + (u + t + 1)^3 / 2 = 0."""
    h = 1.0 / (n + 1.0)
    t = backend.asarray(h * np.arange(1.0, n + 1.0))

    def formula(u: _Jets) -> _Jets:
        left, x, right = u
        return [2.0 * x - left - right + 0.5 * h * h * (x + t + 1.0) ** 3]

    return [Elements(Windows(backend, n, 3, 1, 1, 1), formula)]


def engval(n: int, backend: Backend) -> list[Elements]:
    """Take neighbours."""
    return [Elements(Windows(backend, n, 2), _quartic, squared=False)]


def arrowhead(n: int, backend: Backend) -> list[Elements]:
    """Take each with the last."""
    return [Elements(Hub(backend, n, 1), _quartic, squared=False)]


def _quartic(u: _Jets) -> _Jets:
    x, y = u
    return [(x**2 + y**2) ** 2 - 4.0 * x + 3.0]


def nondiagonal_quartic(n: int, backend: Backend) -> list[Elements]:
    """Take neighbours with the last, and the neighbours at both ends."""
    ends = backend.asarray(_picked(n - 1, 0, -1))
    return [
        Elements(Hub(backend, n, 2), lambda u: [(u[0] + u[1] + u[2]) ** 2]),
        Elements(Windows(backend, n, 2), lambda u: [(u[0] - u[1]) * ends]),
    ]


def cosine(n: int, backend: Backend) -> list[Elements]:
    """Take neighbours."""
    pairs = Windows(backend, n, 2)
    return [Elements(pairs, lambda u: [cos(u[0] ** 2 - 0.5 * u[1])], squared=False)]


def cragg_levy(n: int, backend: Backend) -> list[Elements]:
    """Take two neighbours with the next two."""

    def formula(u: _Jets) -> _Jets:
        a, b, c, d = u
        z = c - d
        bent = (sin(z) / cos(z) + z) ** 2
        return [(exp(a) - b) ** 2, 10.0 * (b - c) ** 3, bent, a**4, d - 1.0]

    return [Elements(Windows(backend, n, 4, 2), formula)]


def dixon(n: int, backend: Backend) -> list[Elements]:
    """Take the first and the last, and neighbours but for the first two."""
    ends, inner = backend.asarray(_picked(n, 0, -1)), backend.asarray(1.0 - _picked(n - 1, 0))
    return [
        Elements(Windows(backend, n, 1), lambda u: [(u[0] - 1.0) * ends]),
        Elements(Windows(backend, n, 2), lambda u: [(u[0] - u[1]) * inner]),
    ]


def tridia(n: int, backend: Backend) -> list[Elements]:
    """Take the first, and neighbours."""
    first = backend.asarray(_picked(n, 0))
    roots = backend.asarray(np.sqrt(np.arange(2.0, n + 1.0)))
    return [
        Elements(Windows(backend, n, 1), lambda u: [(u[0] - 1.0) * first]),
        Elements(Windows(backend, n, 2), lambda u: [(2.0 * u[1] - u[0]) * roots]),
    ]


def quadratic(condition: float, n: int, backend: Backend) -> list[Elements]:
    """Take a matrix with eigenvalues from 1 to the condition, the eigenvectors of a reflection."""
    w = np.random.default_rng(0).standard_normal(n)
    reflection = np.eye(n) - 2.0 * np.outer(w, w) / (w @ w)
    root = np.sqrt(0.5 * np.geomspace(1.0, condition, n))[:, None] * reflection
    targets = backend.asarray(root @ np.ones(n))
    return [Elements(Predictor(backend, root), lambda u: [u[0] - targets])]


def _picked(n: int, *which: int) -> np.ndarray:
    picked = np.zeros(n)
    picked[list(which)] = 1.0
    return picked
