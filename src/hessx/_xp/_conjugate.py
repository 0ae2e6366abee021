"""The vectors of conjugate gradients, and what a step does with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from hessx._xp._algebra import quiet
from hessx._xp._fetch import fetch
from hessx._xp._namespace import Array, Space
from hessx._xp._updates import aligned, move, plus_scaled, scale_and_subtract

__all__ = ["CGVectors", "NumpyCGVectors", "make_cg_vectors"]

_Precondition = Callable[[Array], Array]

_WIDTH = 2**17  # entries of a block on NumPy: a megabyte of each vector, for a third-level cache


class CGVectors:
    """z, r = g + H z, u = M r and p; s = H p of a step; one packet for each product.

    The device divides: r moves on by alpha = r'u / p's before the host has seen p's, so that the
    packet which brings p's brings r'r and r'u of the next residual too.  Where the step along p
    turns out to be another, r moves anew from where it was.

    Parameters
    ----------
    space : Space
        Of the vectors.
    g : array, shape (n,)
        The first residual.
    M : callable, optional
        The preconditioner; the first direction is -M g, or -g.
    """

    __slots__ = ("M", "known", "next", "p", "r", "r_u", "s", "space", "u", "z")
    known: list[float] | None  # r'r and r'u
    next: list[Array]  # r, u and r'u beyond a whole step
    s: Array

    def __init__(self, space: Space, g: Array, M: _Precondition | None) -> None:
        self.space, self.M = space, M
        self.z: Array = None  # 0, before the first step
        self.restart(g)
        self.p = -self.u

    def restart(self, r: Array) -> None:
        """Take a residual."""
        self.r, self.u, self.known = r, r if self.M is None else self.M(r), None
        self.r_u = r @ self.u

    def measure(
        self, s: Array, extra: Array | None = None, beside: Sequence[Array] = ()
    ) -> tuple[list[float], Sequence[Array]]:
        """Take s = H p, which may be a buffer of the user's; bring r'u, p's and another scalar.

        A lazy library computes what is ``beside`` in the same go.
        """
        with quiet():  # a product need not be finite, nor p's be positive
            p_s = self.p @ s
            r = plus_scaled(self.space, self.r, s, self.r_u / p_s)
            u = r if self.M is None else self.M(r)
            r_r = r @ r
            r_u = r_r if self.M is None else r @ u
            wanted = [self.r_u, p_s, r_r, r_u, *([] if extra is None else [extra])]
            values, held = fetch(self.space, wanted, [self.z, self.p, s, r, u, r_u, *beside])
        self.z, self.p, self.s, *self.next = held[:6]
        self.known = values[2:4]
        return [*values[:2], *values[4:]], held[6:]

    def advance(self, alpha: float, *, whole: bool) -> None:
        """Move z by alpha p and r by alpha s; whole where alpha = r'u / p's."""
        first = self.z is None
        self.z = self.p * alpha if first else move(self.space, self.z, self.p, alpha)
        if whole:
            self.r, self.u, self.r_u = self.next
        else:
            self.r, self.known = plus_scaled(self.space, self.r, self.s, alpha), None
        self.next = []

    def squares(self) -> list[float]:
        """Give r'r and r'u; a packet of their own where r is new."""
        if self.known is None:
            wanted, kept = [self.r @ self.r, self.r_u], [self.r, self.u, self.r_u]
            self.known, (self.r, self.u, self.r_u) = fetch(self.space, wanted, kept)
        return self.known

    def redirect(self, beta: float) -> None:
        """Turn p to beta p - u."""
        self.p = scale_and_subtract(self.space, self.p, beta, self.u)

    def hand_out(self, g: Array) -> tuple[Array, Array]:
        """Give z and H z = r - g for good."""
        return self.space.zeros(self.space.n) if self.z is None else self.z, self.r - g


class NumpyCGVectors:
    """The same on NumPy, where scalars cost nothing to bring: r moves when alpha is known.

    s and u stay where they are; one block after the other is read.  s is held until the next has
    come: let go before, it would be the end of the heap that malloc gives back, and takes anew at
    each product, at the price of half a step in page faults.
    """

    __slots__ = ("M", "cuts", "p", "r", "r_r", "r_u", "s", "space", "u", "work", "z")
    s: Array  # None before it is taken
    u: Array  # None where r is new

    def __init__(self, space: Space, g: np.ndarray, M: _Precondition | None) -> None:
        self.space, self.M = space, M
        self.z, self.r, self.p = (aligned(space.n, g.dtype) for _ in range(3))
        self.s, self.z[:] = None, 0.0
        self.restart(g)
        self.squares()
        np.negative(self.u, out=self.p)
        self.cuts = [slice(a, a + _WIDTH) for a in range(0, space.n, _WIDTH)]
        self.work = aligned(min(space.n, _WIDTH), g.dtype)

    def restart(self, r: np.ndarray) -> None:
        """Take a residual."""
        self.r[:] = r
        self.r_r = float(r.dot(r))
        self.u = None

    def measure(
        self, s: np.ndarray, extra: np.ndarray | None = None, beside: Sequence[np.ndarray] = ()
    ) -> tuple[list[float], Sequence[np.ndarray]]:
        """Take s = H p, which may be a buffer of the user's; bring r'u, p's and another scalar."""
        self.s = s
        with quiet():  # a product need not be finite
            numbers = [self.r_u, self.p.dot(s)]
        return fetch(self.space, numbers if extra is None else [*numbers, extra])[0], beside

    def advance(self, alpha: float, *, whole: bool) -> None:  # noqa: ARG002
        """Move z by alpha p and r by alpha s."""
        self.r_r, self.u = 0.0, None
        for cut in self.cuts:
            self._add(self.z[cut], self.p[cut], alpha)
            r = self._add(self.r[cut], self.s[cut], alpha)
            self.r_r += float(r.dot(r))

    def squares(self) -> list[float]:
        """Give r'r and r'u, with M applied where r is new."""
        if self.u is None:
            self.u = self.r if self.M is None else self.M(self.r)
            self.r_u = self.r_r if self.M is None else float(self.r.dot(self.u))
        return [self.r_r, self.r_u]

    def redirect(self, beta: float) -> None:
        """Turn p to beta p - u."""
        for cut in self.cuts:
            p = self.p[cut]
            np.multiply(p, beta, out=p)
            np.subtract(p, self.u[cut], out=p)
        self.u = None  # room for the next

    def hand_out(self, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give z and H z = r - g for good."""
        return self.z, np.subtract(self.r, g, out=self.r)

    def _add(self, y: np.ndarray, d: np.ndarray, alpha: float) -> np.ndarray:
        """Add alpha d to y, in place."""
        y += np.multiply(d, alpha, out=self.work[: len(y)])
        return y


def make_cg_vectors(
    space: Space, g: Array, M: _Precondition | None = None
) -> CGVectors | NumpyCGVectors:
    """Make the vectors in the form that suits the library."""
    kind = NumpyCGVectors if space.kind == "numpy" else CGVectors
    return kind(space, g, M)
