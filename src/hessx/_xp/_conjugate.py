"""The vectors of conjugate gradients, and what a step does with them."""

from __future__ import annotations

import numpy as np

from hessx._xp._algebra import quiet
from hessx._xp._fetch import fetch
from hessx._xp._namespace import Array, Space
from hessx._xp._numpy_rows import make_rows
from hessx._xp._updates import add_scaled, scale_and_subtract

__all__ = ["CGVectors", "NumpyCGVectors", "make_cg_vectors"]

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
    u : array, optional
        M g; the first direction is -u, or -g.
    """

    __slots__ = ("conditioned", "known", "rows", "space", "u_row", "width")
    explicit = False  # what `advance` gives is a prediction

    def __init__(self, space: Space, g: Array, u: Array | None) -> None:
        self.space, self.conditioned = space, u is not None
        self.width = 3 if self.conditioned else 2
        self.rows = make_rows(space, 2 * self.width)
        self.u_row = 2 * self.width - 1  # that of r without a preconditioner
        self.restart(g, u)
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

    def restart(self, r: Array, u: Array | None) -> None:
        """Take a residual, and M r."""
        self.rows.set(self.width + 1, r)
        if u is not None:
            self.rows.set(self.u_row, u)

    def take(self, s: Array) -> None:
        """Take H p, which may be a buffer of the user's."""
        self.rows.set(_S, s)

    def take_conditioned(self, v: Array) -> None:
        """Take M s."""
        self.rows.set(_V, v)

    def measure(self, extra: Array | None = None) -> list[float]:
        """Bring r'r, r'u, p's and another scalar; with them, in the packet, r's, s's, s'u, s'v."""
        rows, r = self.rows, self.width + 1
        with_s = rows.products(0, 2 * self.width, _S)
        with_r = rows.products(r, 2 * self.width, r)
        wanted = [with_s, with_r] if extra is None else [with_s, with_r, extra]
        (a, b, *rest), held = fetch(self.space, wanted, rows.kept())
        rows.replace(list(held))
        s_v = a[_V if self.conditioned else _S]
        self.known = [float(k) for k in (b[0], b[-1], a[r], a[_S], a[self.u_row], s_v)]
        return [*self.known[:2], float(a[_P]), *rest]

    def residual(self) -> list[float]:
        """Bring r'r and r'u; one packet."""
        rows, r = self.rows, self.width + 1
        (b,), held = fetch(self.space, [rows.products(r, 2 * self.width, r)], rows.kept())
        rows.replace(list(held))
        return [float(b[0]), float(b[-1])]

    def advance(self, alpha: float) -> tuple[float, float]:
        """Advance z, r and u by alpha times p, s and v; predict r'r and r'u."""
        add_scaled(self.rows, self.width, _P, self.width, alpha)
        r_r, r_u, r_s, s_s, s_u, s_v = self.known
        return r_r + alpha * (2.0 * r_s + alpha * s_s), r_u + alpha * (2.0 * s_u + alpha * s_v)

    def turn(self, beta: float) -> None:
        """Turn p to beta p - u."""
        scale_and_subtract(self.rows, _P, beta, self.u_row)

    def hand_out(self) -> Array:
        """Give z for good."""
        return self.space.copy(self.z)  # the block is let go


class NumpyCGVectors:
    """The same on NumPy: s and v stay where they are, and one block after the other is read.

    Scalars cost nothing to bring, so that r'r and r'u are computed after each step.
    """

    __slots__ = ("cuts", "p", "r", "r_r", "r_u", "s", "space", "u", "v", "work", "z")
    explicit = True

    def __init__(self, space: Space, g: np.ndarray, u: np.ndarray | None) -> None:
        self.space = space
        self.z, self.r = np.zeros_like(g), np.empty_like(g)
        self.u = None if u is None else np.empty_like(g)
        self.s: np.ndarray = self.r  # until there is one
        self.v: np.ndarray = self.r
        self.restart(g, u)
        self.p = -(g if u is None else u)
        self.cuts = [slice(a, a + _WIDTH) for a in range(0, space.n, _WIDTH)]
        self.work = np.empty(min(space.n, _WIDTH), g.dtype)

    def restart(self, r: np.ndarray, u: np.ndarray | None) -> None:
        """Take a residual, and M r."""
        self.r[:] = r
        self.r_r = self.r_u = float(r.dot(r))
        if u is not None:
            self.u[:] = u  # type: ignore[index]
            self.r_u = float(r.dot(u))

    def take(self, s: np.ndarray) -> None:
        """Take H p, which may be a buffer of the user's: it is read in this step only."""
        self.s = s

    def take_conditioned(self, v: np.ndarray) -> None:
        """Take M s."""
        self.v = v

    def measure(self, extra: np.ndarray | None = None) -> list[float]:
        """Bring r'r, r'u, p's and another scalar."""
        with quiet():  # a product need not be finite
            p_s = self.p.dot(self.s)
        numbers = [self.r_r, self.r_u, p_s]
        return fetch(self.space, numbers if extra is None else [*numbers, extra])[0]

    def residual(self) -> list[float]:
        """Give r'r and r'u."""
        return [self.r_r, self.r_u]

    def advance(self, alpha: float) -> tuple[float, float]:
        """Advance z, r and u by alpha times p, s and v; r'r and r'u."""
        self.r_r = self.r_u = 0.0
        for cut in self.cuts:
            self._add(self.z[cut], self.p[cut], alpha)
            r = self._add(self.r[cut], self.s[cut], alpha)
            self.r_r += float(r.dot(r))
            if self.u is not None:
                self.r_u += float(r.dot(self._add(self.u[cut], self.v[cut], alpha)))
        if self.u is None:
            self.r_u = self.r_r
        return self.r_r, self.r_u

    def turn(self, beta: float) -> None:
        """Turn p to beta p - u."""
        for cut in self.cuts:
            p = self.p[cut]
            np.multiply(p, beta, out=p)
            np.subtract(p, self._last[cut], out=p)

    def hand_out(self) -> np.ndarray:
        """Give z for good."""
        return self.z

    def _add(self, y: np.ndarray, d: np.ndarray, alpha: float) -> np.ndarray:
        """Add alpha d to y, in place."""
        y += np.multiply(d, alpha, out=self.work[: len(y)])
        return y

    @property
    def _last(self) -> np.ndarray:
        """Give u, which is r without a preconditioner."""
        return self.r if self.u is None else self.u


def make_cg_vectors(space: Space, g: Array, u: Array | None = None) -> CGVectors | NumpyCGVectors:
    """Make the vectors in the form that suits the library."""
    kind = NumpyCGVectors if space.kind == "numpy" else CGVectors
    return kind(space, g, u)
