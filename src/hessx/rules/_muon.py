"""Momentum of matrices, made orthogonal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, ema
from hessx.core import SettingsError, check_flag, saved, store_choice, store_integer, store_real
from hessx.rules._rule import Arrays, Coefficients, Rule

__all__ = ["Muon"]

_QUINTIC = (3.4445, -4.7750, 2.0315)  # singular values of (0, 1] come into 0.7 to 1.2


@saved
@dataclass(frozen=True, slots=True)
class Muon(Rule):
    """Momentum of a matrix, with its singular values made about 1.

        m = beta m + (1 - beta) G
        d = sqrt(max(1, rows / columns)) polar(beta m + (1 - beta) G)

    polar(M) = U V' of M = U S V' comes of ``iterations`` of Newton-Schulz, X = a X + (b X X' + c (X
    X')^2) X, from X = M / norm(M), which takes the singular values to between 0.7 and 1.2.

    Parameters
    ----------
    beta : float
        In [0, 1).
    nesterov : bool
        Look ahead; without it d is of m.
    iterations : int
        >= 1.
    outputs : {"rows", "columns"}
        What the outputs of a layer are in its matrix: rows, as in torch.nn.Linear, or columns, as
        in `hessx.models`, where the root is of columns / rows.

    Raises
    ------
    SettingsError
        A setting outside its range; as the run begins, a leaf of x that is no matrix (see
        `ByLeaf`).

    Notes
    -----
    Iterates in the precision of x, where torch.optim.Muon rounds to bfloat16.  Memory: m.  Cost:
    6 r^2 s flops an iteration for r x s, r <= s; no fetch.

    References
    ----------
    Jordan et al. (2024), Muon: an optimizer for hidden layers in neural networks,
    kellerjordan.github.io/posts/muon.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Chain, Muon
    >>> W = np.array([[3.0, 0.0, 0.0], [0.0, -0.5, 0.0]])
    >>> space = space_of(W)
    >>> d = Chain.begin(Muon(), space, space.flat(W)).direction(1, space.flat(W), space.flat(W))
    >>> space.shaped(d).round(1)
    array([[ 0.7,  0. ,  0. ],
           [ 0. , -1. ,  0. ]])
    """

    beta: float = 0.95
    nesterov: bool = True
    iterations: int = 5
    outputs: str = "rows"

    acts_on = "leaf"
    slots = ("m",)

    def __post_init__(self) -> None:
        store_real(self, "beta", 0.0, 1.0, "[)")
        check_flag("nesterov", self.nesterov)
        store_integer(self, "iterations", 1)
        store_choice(self, "outputs", "rows", "columns")

    def start(self, xp: Any, x: Array) -> list[Array]:
        """Begin with zeros, at a matrix."""
        if len(x.shape) != 2:
            msg = f"Muon is given a leaf of shape {tuple(x.shape)}: expected a matrix; see ByLeaf"
            raise SettingsError(msg)
        return [xp.zeros_like(x)]

    def turn(self, xp: Any, k: Coefficients, g: Array, x: Array, m: Array) -> Arrays:
        """Move the mean, and make it orthogonal."""
        m = ema(self.beta, m, g)
        rows, columns = g.shape
        M = ema(self.beta, m, g) if self.nesterov else m
        X = _polar(xp, M.T if rows > columns else M, self.iterations)
        ratio = rows / columns if self.outputs == "rows" else columns / rows
        return (X.T if rows > columns else X) * math.sqrt(max(1.0, ratio)), m


def _polar(xp: Any, M: Array, iterations: int) -> Array:
    """Newton-Schulz on r x s, r <= s; zeros stay zeros."""
    a, b, c = _QUINTIC
    X = M / (xp.sqrt(xp.sum(M * M)) + xp.finfo(M.dtype).smallest_normal)
    for _ in range(iterations):
        gram = X @ X.T
        X = X * a + (gram * b + (gram @ gram) * c) @ X
    return X
