"""The Lanczos process with delayed normalisation: one packet of scalars per product."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from hessx._xp import Array, Packet, Rows, Space, add_scaled, make_rows, quiet
from hessx.core import saved
from hessx.krylov._tridiagonal import Tridiagonal

__all__ = ["LEAST_ROWS", "Lanczos", "LanczosRows"]

_FIRST_BLOCK = 12
_CARRIED = 2  # vectors that the recurrence needs
LEAST_ROWS = 4  # a block that is written anew leaves the row that was just multiplied


@saved
@dataclass(slots=True)
class LanczosRows:
    """The vectors t_1 ... t_(k+1), in blocks: a short solve takes little memory.

    Attributes
    ----------
    space : Space
        Of the vectors.
    most : int
        Rows of all blocks; when they are full the last block is written anew from its start.
    blocks, sizes : list of Rows, list of int
        Each block after the first begins with the last two vectors of the one before.
    last : int
        Row of the newest vector in the last block.
    """

    space: Space
    most: int
    blocks: list[Rows] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    last: int = -1

    @property
    def rows(self) -> Rows:
        """The block that is written."""
        return self.blocks[-1]

    @property
    def newest(self) -> Array:
        """t_(k+1)."""
        return self.rows[self.last]

    @property
    def full(self) -> bool:
        """Whether one more vector would take the place of another."""
        return self.last + 1 == self.sizes[-1] and sum(self.sizes) >= self.most

    def append(self, v: Array) -> None:
        """Put a vector behind the newest."""
        if not self.blocks:
            self._add_block(_FIRST_BLOCK if self.most >= _FIRST_BLOCK + LEAST_ROWS else self.most)
        elif self.last + 1 == self.sizes[-1]:
            old = self.rows
            if not self.full:
                self._add_block(self.most - self.sizes[0])
            for i in range(_CARRIED):
                self.rows.set(i, old[self.last + 1 - _CARRIED + i])
            self.last = _CARRIED - 1
        self.last += 1
        self.rows.set(self.last, v)

    def combine(self, c: np.ndarray) -> Array:
        """Sum c_i t_i while all are kept; one upload per block."""
        total, start = None, 0
        for i, rows in enumerate(self.blocks):
            stop = len(c)
            if i + 1 < len(self.blocks):
                stop = min(stop, start + self.sizes[i] - _CARRIED)
            if stop > start:
                part = rows.combine(0, c[start:stop])
                total = part if total is None else total + part
            start = stop
        return total

    def drop_old(self) -> None:
        """Keep the last block only."""
        self.blocks, self.sizes = self.blocks[-1:], self.sizes[-1:]
        self.most = self.sizes[0]

    def _add_block(self, size: int) -> None:
        self.blocks.append(make_rows(self.space, size))
        self.sizes.append(size)


@saved(fresh=("precondition",))
@dataclass(slots=True)
class Lanczos:
    """The Krylov space of M H and M g.

    With w_i = t_i / gamma_i and q_i = M w_i, so that W'Q = I and Q'H Q = T:

        H q_k = t_(k+1) + T_kk w_k + gamma_k w_(k-1),      t_1 = g

    gamma_k^2 = t_k'M t_k and T_kk = q_k'H q_k are read when the product with M t_k is at hand,
    norm_2(t_(k+1)) is foretold from the products of the three vectors it is made of.

    Attributes
    ----------
    vectors : LanczosRows
        t_1 ... t_(k+1).
    precondition : callable, optional
        r -> M r.
    matrix : Tridiagonal
        T and gamma_1 ... gamma_k.
    next_norm : float
        norm_2(t_(k+1)).
    q : array, optional
        q_k, until the next product.
    first : tuple of float
        g'Mg, (Mg)'H M g and what was to be read with them.

    References
    ----------
    Gould, Lucidi, Roma & Toint (1999), Algorithm 5.1, steps for gamma, delta and t.
    """

    vectors: LanczosRows
    precondition: Callable[[Array], Array] | None
    matrix: Tridiagonal = field(default_factory=Tridiagonal)
    next_norm: float = math.nan
    t_t: float = math.nan
    first: tuple[float, float, float] = (math.nan, math.nan, math.nan)

    def extend(self, product: Callable[[Array], Array], u: Array, extra: Array | None) -> bool:
        """Take H u, u = M t_k; False, and nothing is changed, where it is not finite."""
        vectors, matrix, space = self.vectors, self.matrix, self.vectors.space
        vectors.append(product(u))
        rows, s = vectors.rows, vectors.last
        old = max(s - 2, 0)
        packet = Packet(space)
        with quiet():  # a product need not be finite
            packet.ask(with_s=rows.products(old, s + 1, s), with_t=rows.products(old, s, s - 1))
            if self.precondition is not None:
                packet.ask(t_u=u @ rows[s - 1], s_u=u @ rows[s])
        if extra is not None:
            packet.ask(extra=extra)
        rows.hold(packet)
        numbers = packet.fetch()
        with_s, with_t = numbers["with_s"], numbers["with_t"]
        s_s, s_t, t_t = float(with_s[-1]), float(with_s[-2]), float(with_t[-1])
        t_u, s_u = numbers.get("t_u", t_t), numbers.get("s_u", s_t)
        if not matrix.norms:
            self.first = (t_u, s_u, numbers.get("extra", 0.0))
        if not (math.isfinite(s_s + s_u) and t_u > 0.0):
            vectors.last -= 1
            return False
        gamma = math.sqrt(t_u)
        c, a = 1.0 / gamma, -s_u / t_u / gamma
        rows.set_scaled(s, rows[s], c)
        add_scaled(rows, s, s - 1, a)
        square = c * c * s_s + a * (a * t_t + 2.0 * c * s_t)
        if matrix.norms:
            b = -gamma / matrix.norms[-1]
            add_scaled(rows, s, s - 2, b)
            s_o, t_o = float(with_s[0]), float(with_t[0])
            square += b * (b * self.t_t + 2.0 * (c * s_o + a * t_o))
        matrix.norms.append(gamma)
        matrix.diagonal.append(s_u / t_u)
        self.t_t = t_t
        if not square > 10.0 * space.eps * c * c * s_s:
            packet = Packet(space)
            packet.ask(square=rows[s] @ rows[s])
            rows.hold(packet)
            square = packet.fetch()["square"]
        self.next_norm = math.sqrt(square)
        return True

    def conditioned(self, r: Array) -> Array:
        """M r."""
        return r if self.precondition is None else self.precondition(r)

    def lift(self, h: np.ndarray) -> Array:
        """W h."""
        return self.vectors.combine(h / self.matrix.norms)
