"""K-FAC and EK-FAC: Kronecker factors of the inputs and of the slopes of layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hessx.core import (
    Frame,
    LayerFactors,
    Learns,
    SettingsError,
    saved,
    store_choice,
    store_integer,
    store_real,
)
from hessx.hessians._family import Approximation
from hessx.hessians._kronecker_basis import (
    KRONECKER,
    KroneckerBasis,
    KroneckerCurvature,
    decompose,
)

__all__ = ["EKFAC", "KFAC", "KFACCurvature"]


@saved
class KFACCurvature(KroneckerCurvature):
    """B of what batches have been seen.

    Parameters
    ----------
    frame : Frame
        The variables.
    settings : KFAC or EKFAC
        How it learns.

    Attributes
    ----------
    count : int
        Batches seen.
    """

    __slots__ = ("count", "settings")

    def __init__(self, frame: Frame, settings: Any) -> None:
        super().__init__(frame, [KroneckerBasis(0, frame.space.n, 1)])
        self.settings, self.count = settings, 0

    def update(self, layers: Any) -> str:  # a list of LayerFactors
        """Add a batch to the factors; every so often they become another B.  No fetch.

        Raises
        ------
        SettingsError
            At the first batch: the layers do not cover the variables.
        """
        if self.count == 0:
            self.blocks = _blocks_of(self.frame, layers)
        ordered = sorted(layers, key=lambda layer: layer.span.start)
        beta = _weight(self.count, self.settings.beta)
        for block, layer in zip(self.blocks, ordered, strict=True):
            weight = (1.0 - beta) / layer.inputs.shape[0]
            block.learn(beta, weight, layer.inputs.T, layer.slopes)
        age = self.count % self.settings.every
        self.count += 1
        self.settings.form(self.frame, self.blocks, ordered, age)
        return ""

    def reset(self) -> bool:
        """Forget the batches."""
        had, fresh = self.count > 0, self.settings.begin(self.frame)
        self.blocks, self.count = fresh.blocks, 0
        return had


def _weight(count: int, beta: float) -> float:
    """Give beta of a mean that begins as that of all: min(1 - 1 / (count + 1), beta)."""
    return min(count / (count + 1.0), beta)


def _blocks_of(frame: Frame, layers: Sequence[LayerFactors]) -> list[KroneckerBasis]:
    """Make a block of each layer, with zeros for the factors."""
    space, blocks, at = frame.space, [], 0
    for layer in sorted(layers, key=lambda layer: layer.span.start):
        rows, columns = layer.inputs.shape[1], layer.slopes.shape[1]
        if layer.span.start != at or layer.span.stop != at + rows * columns:
            break
        at = layer.span.stop
        block = KroneckerBasis(layer.span.start, rows, columns)
        block.L, block.R = space.zeros((rows, rows)), space.zeros((columns, columns))
        blocks.append(block)
    if at != space.n or len(blocks) != len(layers):
        spans = ", ".join(
            f"{layer.span.start}:{layer.span.stop} = {layer.inputs.shape[1]} x "
            f"{layer.slopes.shape[1]}"
            for layer in layers
        )
        msg = (
            f"the layers have the variables {spans}, of {space.n}: expected layers of "
            "inputs x slopes variables that cover all of them, each once"
        )
        raise SettingsError(msg)
    return blocks


@dataclass(frozen=True, slots=True)
class _LayerSettings(Approximation):
    """What K-FAC and EK-FAC have in common."""

    damping: float = 1e-3
    beta: float = 0.95
    every: int = 1
    labels: str = "sampled"
    offers = KRONECKER
    learns = Learns.FACTORS

    def __post_init__(self) -> None:
        store_real(self, "damping", 0.0)
        store_real(self, "beta", 0.0, 1.0, "[)")
        store_integer(self, "every", 1)
        store_choice(self, "labels", "sampled", "given")

    def begin(self, frame: Frame) -> KFACCurvature:
        """Begin with I, until a batch has come.

        Raises
        ------
        SettingsError
            An array x_scale, in whose variables there are no such factors.
        """
        if frame.scale is not None:
            msg = (
                f"x_scale is an array, and {type(self).__name__}(...) has Kronecker factors in x "
                "alone: expected a number"
            )
            raise SettingsError(msg)
        return KFACCurvature(frame, self)


@saved
@dataclass(frozen=True, slots=True)
class KFAC(_LayerSettings):
    r"""B = (A + pi damping^(1/2) I) x (G + damping^(1/2) / pi I) of each layer, x Kronecker's.

    A is the mean of a a', a the inputs of a layer with a 1 for b, G that of s s', s the slopes of a
    row's loss by what the layer gives; V = [W; b] becomes (A + ..) V (G + ..).  pi = (mean
    eigenvalue of A / that of G)^(1/2).

    Parameters
    ----------
    damping : float
        > 0, of the unit of the Hessian.
    beta : float
        In [0, 1): A = beta A + (1 - beta) mean(a a'), and the mean of all batches while those are
        fewer than 1 / (1 - beta).
    every : int
        Batches from one decomposition to the next; the first decomposes.
    labels : {"sampled", "given"}
        Slopes for labels drawn from the model, so that B stands for Fisher's matrix, or for those
        of the data (the empirical one).

    Raises
    ------
    SettingsError
        A setting out of range.

    Notes
    -----
    Exact for one layer whose inputs and slopes are independent, as with a squared loss.  It learns
    from `LayerFactors`: `hessx.Preconditioned` is the rule around it.

    Memory for a layer with matrices of a rows and b columns: 2 (a^2 + b^2) + a b numbers.  Cost:
    rows (a^2 + b^2) multiplications for a batch, 2 a b (a + b) for an application, about
    9 (a^3 + b^3) for a decomposition.  No fetch, but one for each decomposition where the library
    has no eigh.

    References
    ----------
    Martens & Grosse (2015), Optimizing neural networks with Kronecker-factored approximate
    curvature, sections 3, 5 and 6.3.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx.core import Frame, LayerFactors
    >>> part = hessx.KFAC(damping=1e-12).begin(Frame(np.zeros((2, 1))))
    >>> X, slopes = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[1.0], [-1.0]])
    >>> part.update([LayerFactors(slice(0, 2), X, slopes)])
    ''
    >>> part.diagonal().round(4)
    array([0.5, 2. ])
    """

    def form(
        self,
        frame: Frame,
        blocks: list[KroneckerBasis],
        layers: Sequence[LayerFactors],  # noqa: ARG002
        age: int,
    ) -> None:
        """Form D of the factors as they stand, where their decomposition is due."""
        if age > 0:
            return
        space, root = frame.space, math.sqrt(self.damping)
        xp, one = space.xp, space.zeros(()) + 1.0
        for block, (a, g) in zip(blocks, decompose(space, blocks), strict=True):
            mean_a, mean_g = xp.mean(a), xp.mean(g)
            known = xp.logical_and(mean_a != 0.0, mean_g != 0.0)
            pi = xp.sqrt(xp.where(known, mean_a, one) / xp.where(known, mean_g, one))
            block.D = (a + pi * root)[:, None] * (g + root / pi)[None, :]


@saved
@dataclass(frozen=True, slots=True)
class EKFAC(_LayerSettings):
    r"""B V = Q_A (D * (Q_A' V Q_G)) Q_G' of each layer, with the second moments of rows for D.

        D_ij = mean((Q_A' a)_i^2 (Q_G' s)_j^2) + damping

    Q_A and Q_G are the eigenvectors of K-FAC's factors; a s' is the gradient of a row, and where D
    has the mean of a product, K-FAC has the product of two means.  Of all matrices that are
    diagonal in these bases it is the nearest to Fisher's.

    Parameters
    ----------
    damping : float
        > 0, of the unit of the Hessian.
    beta : float
        In [0, 1), of the factors as in `KFAC`, and of D since the last decomposition.
    every : int
        Batches from one decomposition to the next; the first decomposes.
    labels : {"sampled", "given"}
        As in `KFAC`.

    Raises
    ------
    SettingsError
        A setting out of range.

    Notes
    -----
    Memory and cost as `KFAC`, and rows (a^2 + b^2 + a b) multiplications more for each batch.

    References
    ----------
    George, Laurent, Bouthillier, Ballas & Vincent (2018), Fast approximate natural gradient descent
    in a Kronecker-factored eigenbasis, algorithm 1.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx.core import Frame, LayerFactors
    >>> part = hessx.EKFAC(damping=0.5).begin(Frame(np.zeros((2, 1))))
    >>> X, slopes = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[3.0], [-1.0]])
    >>> part.update([LayerFactors(slice(0, 2), X, slopes)])
    ''
    >>> part.diagonal().round(12)
    array([5. , 2.5])
    """

    def form(
        self,
        frame: Frame,
        blocks: list[KroneckerBasis],
        layers: Sequence[LayerFactors],
        age: int,
    ) -> None:
        """Add the second moments of a batch in the bases to D, which begins anew with them."""
        if age == 0:
            decompose(frame.space, blocks)
        beta = _weight(age, self.beta)
        for block, layer in zip(blocks, layers, strict=True):
            left, right = layer.inputs @ block.Q_L, layer.slopes @ block.Q_R
            moment = (left * left).T @ (right * right) / layer.inputs.shape[0] + self.damping
            block.D = moment if age == 0 else block.D * beta + moment * (1.0 - beta)
