"""Products with random vectors, and which of their entries are more than noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from hessx._xp import Array, Space, fetch, in_chunks, quiet, upload, upload_integers
from hessx.operators._intervals import Intervals

__all__ = ["Probes"]

_AT_ONCE = 8  # products to a fetch
_ABOVE = 8.0  # times the noise


class Probes:
    """Products of a matrix, or of several of one shape, with random vectors.

    Parameters
    ----------
    space : Space
        Of the vectors.
    products : list of callables
        v -> A v, shape (m,).  Those that are not finite, or no more than noise, are left out.
    m : int
        Rows.
    seed : int
        Of the vectors.

    Attributes
    ----------
    spent : int
        Products so far.
    noise : float
        Of usual rows, relative to what they have, the largest of the products that are asked; nan
        where none can be told from noise.
    filled : bool
        Whether each entry of the last products was above the noise.
    """

    def __init__(
        self, space: Space, products: list[Callable[[Array], Array]], m: int, seed: int
    ) -> None:
        self.space, self.m, self.spent, self.filled = space, m, 0, False
        self.noise = math.nan
        self._draws = np.random.default_rng(seed)
        u, v = self._vector(), self._vector()
        self._asked: list[
            tuple[Callable[[Array], Array], Any]
        ] = []  # products, and the noise of each row
        for product in products:
            A_u, A_v, A_sum = self._taken(product, [u, v, u + v])
            with quiet():
                size = np.maximum(np.maximum(abs(A_u), abs(A_v)), abs(A_sum))
                gap = abs(A_sum - A_u - A_v)
            noise = self._relative(gap, size)
            if _ABOVE * noise < 1.0:
                self.noise = max(noise, self.noise) if self._asked else noise
                self._asked.append((product, _ABOVE * np.maximum(gap, size * noise)))

    def _relative(self, gap: Any, size: Any) -> float:
        """Give the relative error of nine rows in ten, >= eps; nan where one is not finite."""
        if not np.isfinite(gap).all():
            return math.nan
        there = size > 0.0
        usual = np.quantile(gap[there] / size[there], 0.9) if there.any() else 0.0
        return max(float(usual), self.space.eps)

    def cost(self, count: int) -> int:
        """How many products ``count`` vectors take."""
        return count * len(self._asked)

    def reached(self, colours: Any, count: int, rows: Intervals) -> Any:
        """Tell which intervals of rows the columns of each colour reach, shape (count, k)."""
        space, xp = self.space, self.space.xp
        vector, at = self._vector(), in_chunks(space, upload_integers(space, colours))
        reached = np.zeros((count, len(rows)), dtype=bool)
        self.filled = True
        for start in range(0, count, _AT_ONCE):
            group = range(start, min(start + _AT_ONCE, count))
            vectors = [xp.where(at == c, vector, space.zeros(())) for c in group]
            for product, noise in self._asked:
                for c, A_v in zip(group, self._taken(product, vectors), strict=True):
                    above = ~(abs(A_v) <= noise)  # nan may be anything
                    self.filled = self.filled and bool(above.all())
                    reached[c] |= rows.any_of(above)
        return reached

    def _vector(self) -> Array:
        """Draw signs and sizes from [1, 2): no sum of a few is zero."""
        signs = self._draws.integers(0, 2, self.space.n) * 2.0 - 1.0
        return in_chunks(
            self.space, upload(self.space, signs * (1.0 + self._draws.random(self.space.n)))
        )

    def _taken(self, product: Callable[[Array], Array], vectors: list[Array]) -> list[Any]:
        """Multiply, and read the products in one fetch."""
        self.spent += len(vectors)
        taken = [product(v) + 0.0 for v in vectors]  # may be a buffer that is written again
        values, _ = fetch(self.space, taken)
        return values
