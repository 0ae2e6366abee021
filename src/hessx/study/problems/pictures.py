"""A photograph that was blurred, and pictures of digits as products of few."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hessx.study.backends import Backend
from hessx.study.posed import Known, Posed, Problem, Tag
from hessx.study.problems.jets import sqrt
from hessx.study.problems.places import Grid, Smoothed
from hessx.study.problems.separable import Elements, pose

__all__ = ["PICTURES", "photograph"]

_SIDE, _BINNED = 64, 4  # nodes of the photograph, and its pixels to a node
_CORNER = 85, 192  # of the part that is taken
_WIDTH, _NOISE = 1.5, 0.01  # of the blur, in nodes; grey values are from 0 to 1
_VARIATION, _ROUNDING = 1e-3, 0.05  # weight of the total variation, and where its root is rounded
_RANK, _L2 = 5, 1e-3


def photograph() -> np.ndarray:
    """Give grey values from 0 to 1, shape (64, 64)."""
    from sklearn.datasets import load_sample_image

    row, column = _CORNER
    size = _SIDE * _BINNED
    grey = load_sample_image("china.jpg").mean(axis=2) / 255.0
    part = grey[row : row + size, column : column + size]
    return np.asarray(part.reshape(_SIDE, _BINNED, _SIDE, _BINNED).mean(axis=(1, 3)))


def _blur() -> np.ndarray:
    """Give the matrix that smooths columns by a Gaussian, its rows of sum 1."""
    i = np.arange(_SIDE)
    weights = np.exp(-0.5 * ((i[:, None] - i) / _WIDTH) ** 2)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _deblurring(backend: Backend) -> Posed:
    A, noise = _blur(), np.random.default_rng(0).standard_normal((_SIDE, _SIDE))
    blurred = np.ravel(A @ photograph() @ A.T + _NOISE * noise)

    def elements(backend: Backend) -> list[Elements]:
        given = backend.asarray(blurred)
        neighbours = Grid(backend, _SIDE, _SIDE, ((0, 0), (0, 1), (1, 0)))

        def variation(u: Any) -> Any:
            steps = (u[1] - u[0]) ** 2 + (u[2] - u[0]) ** 2
            return [sqrt(steps + _ROUNDING**2) * _VARIATION]

        return [
            Elements(Smoothed(backend, A, A), lambda u: [(u[0] - given) * math.sqrt(0.5)]),
            Elements(neighbours, variation, squared=False),
        ]

    return pose(backend, blurred, elements)


def _digits() -> np.ndarray:
    from sklearn.datasets import load_digits

    return np.asarray(load_digits().data / 16.0)


def _factors(backend: Backend) -> Posed:
    """Pose f = |U V' - X|^2 / 2 N + l2 / 2 (|U|^2 + |V|^2)."""
    host = _digits()
    N, columns = host.shape
    X, xp, cut = backend.asarray(host), backend.xp, N * _RANK
    root, penalty = N**-0.5, _L2**0.5
    start = 0.1 * np.random.default_rng(0).standard_normal((N + columns) * _RANK)

    def halves(x: Any) -> tuple[Any, Any]:
        return xp.reshape(x[:cut], (N, _RANK)), xp.reshape(x[cut:], (columns, _RANK))

    def flat(U: Any, V: Any) -> Any:
        return xp.concat([xp.reshape(U, (-1,)), xp.reshape(V, (-1,))])

    def turned(A: Any) -> Any:
        return xp.permute_dims(A, (1, 0))

    def fun(x: Any) -> tuple[Any, Any]:
        U, V = halves(x)
        R = U @ turned(V) - X
        value = xp.sum(R * R) / (2.0 * N) + 0.5 * _L2 * (x @ x)
        return value, flat(R @ V, turned(R) @ U) / N + _L2 * x

    def hess(x: Any) -> Any:
        U, V = halves(x)
        R = U @ turned(V) - X

        def product(v: Any) -> Any:
            dU, dV = halves(v)
            dR = dU @ turned(V) + U @ turned(dV)
            return flat(dR @ V + R @ dV, turned(dR) @ U + turned(R) @ dU) / N + _L2 * v

        return product

    def residual(x: Any) -> tuple[Any, Any]:
        U, V = halves(x)

        def jvp(v: Any) -> Any:
            dU, dV = halves(v)
            dR = dU @ turned(V) + U @ turned(dV)
            return xp.concat([root * xp.reshape(dR, (-1,)), penalty * v])

        def vjp(u: Any) -> Any:
            R = xp.reshape(u[: N * columns], (N, columns))
            return root * flat(R @ V, turned(R) @ U) + penalty * u[N * columns :]

        R = U @ turned(V) - X
        return xp.concat([root * xp.reshape(R, (-1,)), penalty * x]), (jvp, vjp)

    return Posed(fun, backend.asarray(start), hess, residual=residual)


PICTURES = {
    "deblurring": Problem(
        "Deblurring a photograph",
        "|K x - y|² / 2 + total variation, its root rounded, 64 x 64 nodes; K a Gaussian blur of "
        f"{_WIDTH:g} nodes, noise of {_NOISE:g}; from y.",
        _SIDE * _SIDE,
        _deblurring,
        (),
        (Tag.CONVEX, Tag.REAL_DATA, Tag.IMAGE),
        "Rudin, Osher & Fatemi 1992; china.jpg, by scikit-learn's load_sample_image",
    ),
    "digits-factors": Problem(
        "Factors of the digits",
        f"|U V' - X|² / 2 N + l2/2 (|U|² + |V|²), X 1797 x 64, {_RANK} columns, l2 = {_L2:g}, "
        "from drawn factors.",
        (1797 + 64) * _RANK,
        _factors,
        (Known.RESIDUAL,),
        (Tag.NONCONVEX, Tag.LEAST_SQUARES, Tag.REAL_DATA, Tag.IMAGE),
        "UCI, optical recognition of handwritten digits, by scikit-learn's load_digits",
        1.3976227738,  # by singular values
    ),
}
