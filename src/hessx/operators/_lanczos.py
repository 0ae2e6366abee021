"""The Lanczos process with full reorthogonalisation, whose coefficients are read some at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hessx._xp import Array, Packet, Rows, Space, make_rows, norm_inf, quiet, upload
from hessx.operators._kinds import as_space

__all__ = ["READ", "LanczosProcess", "LanczosRun", "lanczos", "never"]

READ = 8  # products between two reads
_INVARIANT = 10.0  # eps of the largest coefficient: what is left of a vector is rounding


def never() -> bool:
    """End nothing early."""
    return False


@dataclass(frozen=True, slots=True)
class LanczosRun:
    """A V' = V' T + beta_k v_(k+1) e_k', with v_1 ... v_k the rows of V.

    Attributes
    ----------
    alpha, beta : NumPy array, shape (k,)
        T_ii, and T_(i+1)i = beta_i; beta_k is the norm of what is left.  float64.
    rows : Rows
        v_1 ... v_k are the first k of them.
    products : int
        Taken; more than k where the space was found to be invariant.
    invariant : bool
        The k vectors span an invariant space, up to rounding: beta_k is taken as 0.
    finite : bool
        All products were finite; where one was not, the vectors before it are left.
    """

    alpha: np.ndarray
    beta: np.ndarray
    rows: Rows
    products: int
    invariant: bool = False
    finite: bool = True

    @property
    def basis(self) -> Array:
        """V, an array of shape (k, n); made anew on libraries whose arrays are not written."""
        k, rows = len(self.alpha), self.rows
        if hasattr(rows, "array"):
            return rows.array[:k, :]
        return rows.space.xp.stack(rows.rows[:k])

    def ritz(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give theta, S and residuals, with T = S diag(theta) S'.

        Returns
        -------
        theta : NumPy array, shape (k,)
            Ritz values, ascending.
        S : NumPy array, shape (k, k)
            `lift` turns its columns, as rows, into Ritz vectors.
        residuals : NumPy array, shape (k,)
            norm(A u_i - theta_i u_i) = beta_k abs(S_ki): within this of theta_i lies an eigenvalue.
        """
        side = self.beta[:-1]
        theta, S = np.linalg.eigh(np.diag(self.alpha) + np.diag(side, 1) + np.diag(side, -1))
        return theta, S, self.beta[-1:] * np.abs(S[-1:, :]).reshape(-1)

    def lift(self, C: np.ndarray) -> Array:
        """Give C V for coefficients of shape (p, k): an array of shape (p, n); one upload."""
        return upload(self.rows.space, C) @ self.basis


class LanczosProcess:
    """Vectors and coefficients of a Lanczos process as it goes on.

    Each new vector is made orthogonal to all before it by two passes of classical Gram-Schmidt,
    in two products of matrices and vectors each.

    Parameters
    ----------
    space : Space
        Of the vectors.
    product : callable
        v, shape (n,) -> A v, A symmetric.
    start : array, shape (n,)
        v_1 before it is normalised; not zero.
    most : int
        Vectors at most; n are enough.
    watch : callable
        Asked after each product; True ends the process.
    """

    __slots__ = (
        "alpha", "beta", "finite", "invariant", "least", "most", "product", "products", "rows",
        "space", "stopped", "watch",
    )  # fmt: skip

    def __init__(
        self,
        space: Space,
        product: Callable[[Array], Array],
        start: Array,
        most: int,
        watch: Callable[[], bool] = never,
    ) -> None:
        self.space, self.product, self.watch = space, product, watch
        self.most = min(most, space.n)
        self.rows = make_rows(space, self.most)
        self.least = space.zeros(()) + space.smallest
        self.alpha, self.beta = np.zeros(0), np.zeros(0)
        self.products, self.invariant, self.finite, self.stopped = 0, False, True, False
        self._put(0, start)

    @property
    def ended(self) -> bool:
        """Whether there is no more to come."""
        full = len(self.alpha) >= self.most
        return full or self.invariant or self.stopped or not self.finite

    def extend(self, steps: int = READ) -> None:
        """Take up to so many steps, then read their coefficients: one fetch."""
        if self.ended:
            return
        packet, first = Packet(self.space), len(self.alpha)
        last = min(first + steps, self.most)
        taken = 0
        for j in range(first, last):
            w = self.product(self.rows[j])
            self.products, taken = self.products + 1, taken + 1
            with quiet():  # a product need not be finite
                w, along = self._orthogonal(w, j + 1)
                norm = self._put(j + 1, w)
            packet.ask(**{f"alpha{taken}": along, f"beta{taken}": norm})
            self.stopped = self.watch()
            if self.stopped:
                break
        self.rows.hold(packet)
        with quiet():  # here lazy libraries compute
            numbers = packet.fetch()
        for name in ("alpha", "beta"):
            new = [numbers[f"{name}{i + 1}"] for i in range(taken)]
            setattr(self, name, np.append(getattr(self, name), new))
        self._cut(first)

    def restart(self, start: Array) -> None:
        """Go on from an invariant space with a new vector, made orthogonal to all."""
        if not self.invariant or len(self.alpha) >= self.most:
            return
        w, _ = self._orthogonal(start, len(self.alpha))
        self._put(len(self.alpha), w)
        self.invariant = False

    def run(self) -> LanczosRun:
        """Give what there is."""
        return LanczosRun(
            self.alpha, self.beta, self.rows, self.products, self.invariant, self.finite
        )

    def _orthogonal(self, w: Array, k: int) -> tuple[Array, Array]:
        """Take the first k rows out of w, twice; give what is left, and the product with row k."""
        rows, along = self.rows, None
        count = rows.count if rows.whole else k  # rows not yet written are zero
        for _ in range(2):
            h = rows.products_with(0, count, w)
            w = w - rows.combine_on_device(0, h)
            along = h[k - 1] if along is None else along + h[k - 1]
        return w, along

    def _put(self, i: int, w: Array) -> Array:
        """row_i <- w / norm(w); the norm.  Divided by its size first, no square overflows."""
        size = self.space.xp.maximum(norm_inf(self.space, w), self.least)
        w = w / size
        norm = self.space.xp.sqrt(w @ w)
        if i < self.most:
            self.rows.set(i, w / self.space.xp.maximum(norm, self.least))
        return norm * size

    def _cut(self, first: int) -> None:
        """Leave out what came after an invariant space, or a product that was not finite."""
        largest = float(np.max(np.abs(np.append(self.alpha[:first], self.beta[:first])), initial=0))
        for j in range(first, len(self.alpha)):
            a, b = float(self.alpha[j]), float(self.beta[j])
            self.finite = math.isfinite(a) and math.isfinite(b)
            largest = max(largest, abs(a), b)
            self.invariant = self.finite and b <= _INVARIANT * self.space.eps * largest
            if self.invariant or not self.finite:
                keep = j + self.invariant
                self.alpha, self.beta = self.alpha[:keep], self.beta[:keep].copy()
                self.beta[j:] = 0.0
                return


def lanczos(
    space: Space | Array,
    product: Callable[[Array], Array],
    start: Array,
    steps: int,
    *,
    watch: Callable[[], bool] = never,
    every: int = READ,
) -> LanczosRun:
    r"""Tridiagonalise a symmetric A on the Krylov space of a vector.

        A v_j = beta_(j-1) v_(j-1) + alpha_j v_j + beta_j v_(j+1),      v_1 = start / norm(start)

    Parameters
    ----------
    space : Space or array, shape (n,)
        Of the vectors; an array of theirs says which.
    product : callable
        v, shape (n,) -> A v.
    start : array, shape (n,)
        Not zero.
    steps : int
        k at most, >= 1; n are enough.
    watch : callable
        Asked after each product; True ends the process.
    every : int
        Products between two reads.

    Returns
    -------
    LanczosRun
        T, and the orthonormal vectors.  Fewer than ``steps`` where they span an invariant space,
        or a product is not finite.

    Notes
    -----
    Cost: a product per step, 8 k n operations for its reorthogonalisation, and a fetch per
    ``every`` steps; up to ``every - 1`` products are taken in vain where the space turns out to
    be invariant.  Memory: k vectors.

    References
    ----------
    Lanczos (1950), J. Res. Nat. Bur. Standards 45; Golub & Van Loan (2013), Matrix Computations,
    section 10.3.1, on full reorthogonalisation.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx.operators import lanczos
    >>> h = np.array([1.0, 2.0, 4.0])
    >>> run = lanczos(h, lambda v: h * v, np.ones(3), steps=3)
    >>> run.ritz()[0].round(12)
    array([1., 2., 4.])
    """
    process = LanczosProcess(as_space(space), product, start, steps, watch)
    while not process.ended:
        process.extend(every)
    return process.run()
