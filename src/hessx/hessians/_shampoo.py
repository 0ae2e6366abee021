"""Shampoo: roots of the second moments of the rows and of the columns of gradients."""

from __future__ import annotations

from dataclasses import dataclass

from hessx._xp import Array, Packet, Space
from hessx.core import Frame, Learns, saved, store_choice, store_integer, store_real
from hessx.hessians._family import Approximation
from hessx.hessians._kronecker_basis import (
    KRONECKER,
    KroneckerBasis,
    KroneckerCurvature,
    blocks_of,
    decompose,
)

__all__ = ["Shampoo", "ShampooBlock", "ShampooCurvature"]


@saved
class ShampooBlock(KroneckerBasis):
    """A block that knows the squares of its gradients.

    Attributes
    ----------
    squares : array, shape (rows, columns), optional
        Sum or ema of G * G, where there is neither L nor R, or where steps have Adagrad's length.
    root : array, shape (rows, columns), optional
        D before it is divided by the length of the step.
    """

    __slots__ = ("root", "squares")

    def __init__(self, start: int, rows: int, columns: int) -> None:
        super().__init__(start, rows, columns)
        self.squares: Array = None
        self.root: Array = None

    def hold(self, packet: Packet) -> None:
        """Name the arrays."""
        super().hold(packet)
        packet.hold(self, "squares", "root")


@saved
class ShampooCurvature(KroneckerCurvature):
    """B of what gradients have been seen.

    Parameters
    ----------
    frame : Frame
        The variables.
    settings : Shampoo
        How it learns.

    Attributes
    ----------
    count : int
        Gradients seen.
    """

    __slots__ = ("count", "settings")

    def __init__(self, frame: Frame, settings: Shampoo) -> None:
        super().__init__(frame, blocks_of(frame.space, ShampooBlock, settings.max_size))
        self.settings, self.count = settings, 0
        for block in self.blocks:
            if settings.graft == "adagrad" or (block.L is None and block.R is None):
                block.squares = frame.space.zeros((block.rows, block.columns))

    def update(self, g: Array) -> str:
        """Add a gradient to the moments; every so often they become another B.  No fetch."""
        settings, space = self.settings, self.frame.space
        beta = settings.beta
        before, weight = (1.0, 1.0) if beta is None else (beta, 1.0 - beta)
        matrices = [block.matrix(space, g) for block in self.blocks]
        for block, G in zip(self.blocks, matrices, strict=True):
            block.learn(before, weight, G, G)
            if block.squares is not None:
                block.squares = block.squares * before + G * G * weight
        self.count += 1
        if (self.count - 1) % settings.every == 0:
            self._renew()
        for block, G in zip(self.blocks, matrices, strict=True):
            block.D = block.root
            if settings.graft is not None:
                block.D = block.root * self._shortening(block, G)
        return ""

    def reset(self) -> bool:
        """Forget the gradients."""
        had, fresh = self.count > 0, self.settings.begin(self.frame)
        self.blocks, self.count = fresh.blocks, 0
        return had

    def _moment(self, w: Array) -> Array:
        """Divide by what the weights of all gradients sum to, 1 for a sum, and add epsilon."""
        beta = self.settings.beta
        return w / (1.0 if beta is None else 1.0 - beta**self.count) + self.settings.epsilon

    def _renew(self) -> None:
        """Form the roots of the moments as they stand."""
        space, power = self.frame.space, 2.0 * self.settings.power
        for block, (left, right) in zip(self.blocks, decompose(space, self.blocks), strict=True):
            if left is None and right is None:
                moment = self._moment(block.squares)
            elif right is None:
                moment = self._moment(left)[:, None] + space.zeros((1, block.columns))
            elif left is None:
                moment = self._moment(right)[None, :] + space.zeros((block.rows, 1))
            else:
                roots = [space.xp.sqrt(self._moment(w)) for w in (left, right)]
                moment = roots[0][:, None] * roots[1][None, :]
            block.root = _powered(space, moment, power)

    def _shortening(self, block: ShampooBlock, G: Array) -> Array:
        """norm(A G) / norm(step), where step is G itself or Adagrad's; 1 where one is 0."""
        space, step = self.frame.space, G
        xp, one = space.xp, space.zeros(()) + 1.0
        if self.settings.graft == "adagrad":
            step = G / _powered(space, self._moment(block.squares), 0.5)
        block.D = block.root
        long, due = (xp.sqrt(xp.sum(V * V)) for V in (block.solve(G), step))
        known = xp.logical_and(long != 0.0, due != 0.0)
        return xp.where(known, long, one) / xp.where(known, due, one)


def _powered(space: Space, moment: Array, power: float) -> Array:
    """moment^power; 1 where it is 0, as no gradient has been there."""
    xp = space.xp
    known = xp.where(moment == 0.0, space.zeros(()) + 1.0, moment)
    return xp.sqrt(known) if power == 0.5 else known**power


@saved
@dataclass(frozen=True, slots=True)
class Shampoo(Approximation):
    r"""B G = L^power G R^power of each matrix of x, L = sum G_t G_t', R = sum G_t' G_t.

    With the eigenvalues l and r of L and R that is (l_i r_j)^power in their eigenvectors: with a
    power of 1/4 the root of what stands for the second moments of the entries.  A vector has
    Adagrad's diagonal, the sum of g_t * g_t to the power 2 power.

    Parameters
    ----------
    beta : float, optional
        In [0, 1): L, R and squares are exponential means, beta L + (1 - beta) G G', divided by
        1 - beta^t.  Without it they are sums.
    power : float
        In (0, 1].  1/2 is L^(1/2) x R^(1/2).
    epsilon : float
        >= 0, of the square of the gradient's unit: added to each eigenvalue, that is to L and R as
        epsilon I.
    every : int
        Gradients from one decomposition to the next; the first decomposes.
    max_size : int
        A side that is longer has no matrix: B G is then L^(2 power) G, or G R^(2 power), or that of
        a vector.
    graft : {"sgd", "adagrad"}, optional
        Gives A G_t, of the last gradient, the length that it has in gradient descent, or in
        Adagrad (with ``beta`` in RMSProp, corrected), block by block: B is multiplied by a number.

    Raises
    ------
    SettingsError
        A setting out of range.

    Notes
    -----
    Leaves of more than two axes are matrices by merging all axes but the first.  Eigenvalues below
    eps times the largest are raised to that, since they are rounding.  It learns from gradients:
    `hessx.Preconditioned` is the rule around it.

    Memory for a matrix of a rows and b columns: 2 (a^2 + b^2) + 2 a b numbers, a b more with
    grafting of Adagrad's length.  Cost: a b (a + b) multiplications for each gradient, twice that
    for an application, about 9 (a^3 + b^3) for a decomposition.  No fetch, but one for each
    decomposition where the library has no eigh.

    References
    ----------
    Gupta, Koren & Singer (2018), Shampoo: preconditioned stochastic tensor optimization, algorithm
    1.  Grafting: Agarwal, Anil, Hazan, Koren & Zhang (2020), Disentangling adaptive gradient
    methods from learning rates.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx.core import Frame
    >>> G = np.diag([1.0, 16.0])
    >>> part = hessx.Shampoo().begin(Frame(G))
    >>> note = part.update(G.ravel())
    >>> part.solve(G.ravel()).round(12)
    array([1., 0., 0., 1.])
    """

    beta: float | None = None
    power: float = 0.25
    epsilon: float = 0.0
    every: int = 1
    max_size: int = 4096
    graft: str | None = None
    offers = KRONECKER
    learns = Learns.GRADIENTS

    def __post_init__(self) -> None:
        store_real(self, "beta", 0.0, 1.0, "[)")
        store_real(self, "power", 0.0, 1.0, "(]")
        store_real(self, "epsilon", 0.0, ends="[)")
        store_integer(self, "every", 1)
        store_integer(self, "max_size", 1)
        store_choice(self, "graft", "sgd", "adagrad")

    def begin(self, frame: Frame) -> ShampooCurvature:
        """Begin with I, until a gradient has come."""
        return ShampooCurvature(frame, self)
