"""The vectors of conjugate gradients, and what a step does with them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hessx._xp._algebra import quiet
from hessx._xp._fetch import fetch
from hessx._xp._namespace import Array, Space
from hessx._xp._numpy_rows import make_rows
from hessx._xp._updates import add_scaled, scale_and_subtract

__all__ = ["CGVectors", "NumpyCGVectors", "make_cg_vectors"]

_Precondition = Callable[[Array], Array]

_P, _S, _V = 0, 1, 2  # rows; without a preconditioner there is no v
_WIDTH = 2**17  # entries of a block on NumPy: a megabyte of each vector, for a third-level cache


class CGVectors:
    """z, r = g + H z and p; u = M r with a preconditioner; s = H p and v = M s of a step.

    They are rows p, s, (v), z, r, (u) of one block, so that one operation advances z, r and u by
    p, s and v, and one product brings what is to be known of s.  The squares of the next residual
    are predicted from it, so that a step needs one packet.

    Parameters
    ----------
    space : Space
        Of the vectors.
    g : array, shape (n,)
        The first residual.
    M : callable, optional
        The preconditioner; the first direction is -M g, or -g.
    """

    __slots__ = ("M", "known", "rows", "space", "u_row", "width")

    def __init__(self, space: Space, g: Array, M: _Precondition | None) -> None:
        self.space, self.M = space, M
        self.width = 2 if M is None else 3
        self.rows = make_rows(space, 2 * self.width)
        self.u_row = 2 * self.width - 1  # that of r without a preconditioner
        self.known: list[float] = []
        self.restart(g)
        self.rows.set(_P, -self.rows[self.u_row])

    @property
    def p(self) -> Array:
        """The direction; valid until it is turned."""
        return self.rows[_P]

    @property
    def s(self) -> Array:
        """H p."""
        return self.rows[_S]

    @property
    def z(self) -> Array:
        """The iterate; valid until it is advanced."""
        return self.rows[self.width]

    @property
    def r(self) -> Array:
        """The residual, likewise."""
        return self.rows[self.width + 1]

    def restart(self, r: Array) -> None:
        """Take a residual."""
        self.rows.set(self.width + 1, r)
        if self.M is not None:
            self.rows.set(self.u_row, self.M(r))

    def take(self, s: Array) -> None:
        """Take H p, which may be a buffer of the user's."""
        self.rows.set(_S, s)
        if self.M is not None:
            self.rows.set(_V, self.M(self.rows[_S]))

    def measure(self, extra: Array | None = None) -> list[float]:
        """Bring r'r, r'u, p's and another scalar; with them, in the packet, r's, s's, s'u, s'v."""
        rows, r = self.rows, self.width + 1
        with_s = rows.products(0, 2 * self.width, _S)
        with_r = rows.products(r, 2 * self.width, r)
        wanted = [with_s, with_r] if extra is None else [with_s, with_r, extra]
        (a, b, *rest), held = fetch(self.space, wanted, rows.kept())
        rows.replace(list(held))
        s_v = a[_S if self.M is None else _V]
        self.known = [float(k) for k in (b[0], b[-1], a[r], a[_S], a[self.u_row], s_v)]
        return [*self.known[:2], float(a[_P]), *rest]

    def advance(self, alpha: float) -> None:
        """Advance z, r and u by alpha times p, s and v."""
        add_scaled(self.rows, self.width, _P, self.width, alpha)
        r_r, r_u, r_s, s_s, s_u, s_v = self.known
        self.known[0] = r_r + alpha * (2.0 * r_s + alpha * s_s)
        self.known[1] = r_u + alpha * (2.0 * s_u + alpha * s_v)

    def squares(self) -> list[float]:
        """Give r'r and r'u, as foretold."""
        return self.known[:2]

    def residual(self) -> list[float]:
        """Bring r'r and r'u; one packet."""
        rows, r = self.rows, self.width + 1
        (b,), held = fetch(self.space, [rows.products(r, 2 * self.width, r)], rows.kept())
        rows.replace(list(held))
        return [float(b[0]), float(b[-1])]

    def turn(self, beta: float) -> None:
        """Turn p to beta p - u."""
        scale_and_subtract(self.rows, _P, beta, self.u_row)

    def hand_out(self, g: Array) -> tuple[Array, Array]:
        """Give z and H z = r - g for good; the block is let go."""
        return self.space.copy(self.z), self.r - g


class NumpyCGVectors:
    """The same on NumPy, as in the textbook: r'r, u = M r and r'u are computed after each step.

    Scalars cost nothing to bring there.  s and u stay where they are; one block after the other is
    read.  s is held until the next has come: let go before, it would be the end of the heap that
    malloc gives back, and takes anew at each product, at the price of half a step in page faults.
    """

    __slots__ = ("M", "cuts", "p", "r", "r_r", "r_u", "s", "space", "u", "work", "z")
    s: Array  # None before it is taken
    u: Array  # None where r is new

    def __init__(self, space: Space, g: np.ndarray, M: _Precondition | None) -> None:
        self.space, self.M = space, M
        self.z, self.r = np.zeros_like(g), np.empty_like(g)
        self.s = None
        self.restart(g)
        self.squares()
        self.p = np.negative(self.u)
        self.cuts = [slice(a, a + _WIDTH) for a in range(0, space.n, _WIDTH)]
        self.work = np.empty(min(space.n, _WIDTH), g.dtype)

    def restart(self, r: np.ndarray) -> None:
        """Take a residual."""
        self.r[:] = r
        self.r_r = float(r.dot(r))
        self.u = None

    def take(self, s: np.ndarray) -> None:
        """Take H p, which may be a buffer of the user's: it is read in this step only."""
        self.s = s

    def measure(self, extra: np.ndarray | None = None) -> list[float]:
        """Bring r'r, r'u, p's and another scalar."""
        with quiet():  # a product need not be finite
            numbers = [self.r_r, self.r_u, self.p.dot(self.s)]
        return fetch(self.space, numbers if extra is None else [*numbers, extra])[0]

    def advance(self, alpha: float) -> None:
        """Advance z and r by alpha times p and s."""
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

    def residual(self) -> list[float]:
        """Give r'r and r'u."""
        return self.squares()

    def turn(self, beta: float) -> None:
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
