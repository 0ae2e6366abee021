"""CUTEst's MANCINO: sums of squares of large terms, whose minimum is 0."""

from __future__ import annotations

import numpy as np

__all__ = ["Mancino"]


class Mancino:
    """r_i = sum over j of v_ij (sin^5 log v_ij + cos^5 log v_ij) + 14 n x_i + (i - n / 2)^3.

    v_ij = (x_i^2 + i / j)^(1/2); the curvature of r'r is near 2 (14 n)^2.
    """

    def __init__(self, n):
        i, self.n = np.arange(1, n + 1), n
        self.ratio, self.shift = i[:, None] / i, (i - n / 2.0) ** 3
        fixed = self._terms(np.zeros(n))[0].sum(axis=1) + self.shift
        self.x0 = -14 * n * fixed / (14**2 * n**2 - 36 * (n - 1) ** 2)

    def _terms(self, x):
        """The terms, and their derivatives by x_i."""
        v = np.sqrt(x[:, None] ** 2 + self.ratio)
        s, c = np.sin(np.log(v)), np.cos(np.log(v))
        terms = v * (s**5 + c**5)
        slopes = x[:, None] / v * (s**5 + c**5 + 5 * (s**4 * c - c**4 * s))
        for matrix in (terms, slopes):
            np.fill_diagonal(matrix, 0.0)
        return terms, slopes

    def _residual(self, x):
        terms, slopes = self._terms(x)
        r = terms.sum(axis=1) + 14 * self.n * x + self.shift
        return r, slopes.sum(axis=1) + 14 * self.n

    def fun(self, x):
        r, _ = self._residual(x)
        return r @ r

    def jac(self, x):
        r, slopes = self._residual(x)
        return 2.0 * r * slopes
