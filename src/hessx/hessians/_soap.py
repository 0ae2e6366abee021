"""SOAP: Adam in the eigenvectors of Shampoo's matrices."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx._xp import Array, Packet, orthonormal
from hessx.core import Frame, Learns, check_flag, saved, store_integer, store_real
from hessx.hessians._family import Approximation
from hessx.hessians._kronecker_basis import (
    KRONECKER,
    KroneckerBasis,
    KroneckerCurvature,
    blocks_of,
    decompose,
)

__all__ = ["SOAP", "SOAPBlock", "SOAPCurvature"]


@saved
class SOAPBlock(KroneckerBasis):
    """A block with the second moments of its gradients in the bases.

    Attributes
    ----------
    v : array, shape (rows, columns), optional
        ema of (Q_L' G Q_R)^2.
    """

    __slots__ = ("v",)

    def __init__(self, start: int, rows: int, columns: int) -> None:
        super().__init__(start, rows, columns)
        self.v: Array = None

    def hold(self, packet: Packet) -> None:
        """Name the arrays."""
        super().hold(packet)
        packet.hold(self, "v")


@saved
class SOAPCurvature(KroneckerCurvature):
    """B of what gradients have been seen.

    Parameters
    ----------
    frame : Frame
        The variables.
    settings : SOAP
        How it learns.

    Attributes
    ----------
    count : int
        Gradients seen, but for the first, of which come the first bases alone.
    """

    __slots__ = ("count", "settings")

    def __init__(self, frame: Frame, settings: SOAP) -> None:
        super().__init__(frame, blocks_of(frame.space, SOAPBlock, settings.max_size))
        self.settings, self.count = settings, -1
        for block in self.blocks:
            block.v = frame.space.zeros((block.rows, block.columns))

    def update(self, g: Array) -> str:
        """Add a gradient to the moments; no fetch.

        The bases are those of the gradients before it.
        """
        settings, space = self.settings, self.frame.space
        if self.count > 0 and self.count % settings.every == 0:
            self._turn()
        self.count += 1
        beta, factor_beta = settings.beta, settings.factor_beta
        factor_beta = beta if factor_beta is None else factor_beta
        unbiased = math.sqrt(1.0 - beta**self.count) if settings.corrected else 1.0
        for block in self.blocks:
            G = block.matrix(space, g)
            block.learn(factor_beta, 1.0 - factor_beta, G, G)
            if self.count > 0:
                turned = block.into(G)
                block.v = block.v * beta + turned * turned * (1.0 - beta)
                block.D = (space.xp.sqrt(block.v) + settings.eps) / unbiased
        if self.count == 0:
            decompose(space, self.blocks)
        return ""

    def reset(self) -> bool:
        """Forget the gradients."""
        had, fresh = self.count >= 0, self.settings.begin(self.frame)
        self.blocks, self.count = fresh.blocks, -1
        return had

    def _turn(self) -> None:
        """Take one step of the power method from each basis, its columns sorted first.

        Column k of a basis stands for row (or column) k of the second moments, which move with it.
        """
        space = self.frame.space
        xp, powers = space.xp, []
        for block in self.blocks:
            for axis, (M, Q) in enumerate(((block.L, block.Q_L), (block.R, block.Q_R))):
                if M is not None:
                    M_Q = M @ Q
                    order = xp.argsort(xp.sum(Q * M_Q, axis=0), descending=True)
                    powers.append(xp.take(M_Q, order, axis=1))
                    block.v = xp.take(block.v, order, axis=axis)
        bases = iter(orthonormal(space, powers) if powers else ())
        for block in self.blocks:
            block.Q_L = next(bases) if block.L is not None else None
            block.Q_R = next(bases) if block.R is not None else None


@saved
@dataclass(frozen=True, slots=True)
class SOAP(Approximation):
    r"""B G = Q_L (D * (Q_L' G Q_R)) Q_R' of each matrix of x, with Adam's D in Shampoo's bases.

        D = (v^(1/2) + eps) / (1 - beta^t)^(1/2),  v = beta v + (1 - beta) (Q_L' G Q_R)^2

    Q_L and Q_R are near the eigenvectors of exponential means L of G G' and R of G' G.  They begin
    as those of the first gradient; after each ``every`` gradients one step of the power method, the
    Q of L Q_L = Q T, takes them on, and sorts the columns and v with them.  A vector has Adam's
    diagonal.

    Parameters
    ----------
    beta : float
        In [0, 1), of the second moments.
    factor_beta : float, optional
        In [0, 1), of L and R; without it that is beta.
    eps : float
        >= 0, of the gradient's unit.
    every : int
        Gradients from one step of the power method to the next.
    max_size : int
        A side that is longer keeps I for a basis.
    corrected : bool
        Divide by (1 - beta^t)^(1/2).

    Raises
    ------
    SettingsError
        A setting out of range.

    Notes
    -----
    The first gradient gives the first bases alone, and B stays I: `hessx.Preconditioned`, the rule
    around it, does not move x then.  In the one of SOAP's authors beta is that of the moment too.
    Leaves of more than two axes are matrices by merging all axes but the first.

    Memory for a matrix of a rows and b columns: 2 (a^2 + b^2) + 2 a b numbers.  Cost: 2 a b (a + b)
    multiplications for each gradient, as many for an application, and about 5 (a^3 + b^3) for a
    step of the power method.  No fetch, but one for the first gradient and one for each such step
    where the library has neither eigh nor qr.

    References
    ----------
    Vyas, Morwani, Zhao, Kwun, Shapira, Brandfonbrener, Janson & Kakade (2024), SOAP: improving and
    stabilizing Shampoo using Adam, algorithms 3 and 4, with the first step and the corrections of
    their program.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx.core import Frame
    >>> G = np.diag([1.0, 16.0])
    >>> part = hessx.SOAP(eps=0.0).begin(Frame(G))
    >>> part.update(G.ravel()), part.active, part.update(G.ravel() + 1.0), part.active
    ('', False, '', True)
    >>> part.solve(G.ravel() + 1.0).round(12)
    array([1., 1., 1., 1.])
    """

    beta: float = 0.95
    factor_beta: float | None = None
    eps: float = 1e-8
    every: int = 10
    max_size: int = 4096
    corrected: bool = True
    offers = KRONECKER
    learns = Learns.GRADIENTS

    def __post_init__(self) -> None:
        store_real(self, "beta", 0.0, 1.0, "[)")
        store_real(self, "factor_beta", 0.0, 1.0, "[)")
        store_real(self, "eps", 0.0, ends="[)")
        store_integer(self, "every", 1)
        store_integer(self, "max_size", 1)
        object.__setattr__(self, "corrected", check_flag("corrected", self.corrected))

    def begin(self, frame: Frame) -> SOAPCurvature:
        """Begin with I, until a second gradient has come."""
        return SOAPCurvature(frame, self)
