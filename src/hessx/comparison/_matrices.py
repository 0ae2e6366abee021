"""B beside H where both are matrices of the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hessx.comparison._rows import QUANTILES

__all__ = [
    "Eigenvalues",
    "Numbers",
    "error_of",
    "norm",
    "ratio",
    "spectrum_numbers",
    "step_numbers",
]

Numbers = dict[str, Any]
_SIGNS = {
    (True, True, False): "indefinite",
    (True, True, True): "indefinite",
    (False, True, False): "positive definite",
    (False, True, True): "positive semidefinite",
    (True, False, False): "negative definite",
    (True, False, True): "negative semidefinite",
    (False, False, True): "zero",
}


def norm(A: np.ndarray) -> float:
    """Give the 2-norm of a vector, Frobenius' of a matrix, without over- or underflow."""
    size = float(np.max(np.abs(A), initial=0.0))
    if not 0.0 < size < np.inf:
        return size
    return size * float(np.linalg.norm(A / size))


def ratio(a: float, b: float) -> float:
    """Give a / b; nan where b is zero."""
    return a / b if b != 0.0 else float("nan")


def error_of(B: np.ndarray, H: np.ndarray) -> Numbers:
    """Compare in Frobenius' norm: the error, the best multiple of B, and the error of that.

    With <B, H> the sum of the products of the entries, norm(c B - H) is least at
    c = <B, H> / <B, B>.
    """
    size, size_B = norm(H), norm(B)
    cosine = float(np.sum((B / size_B) * (H / size))) if size > 0.0 < size_B else 0.0
    scale = max(cosine, 0.0) * ratio(size, size_B)
    return {
        "error": ratio(norm(B - H), size),
        "error_deviation": 0.0,
        "scale": scale,
        "scaled_error": ratio(norm(B * scale - H), size) if size_B > 0.0 else ratio(size, size),
    }


def step_numbers(
    B_s: np.ndarray, H_s: np.ndarray, s: np.ndarray, g: np.ndarray, fall: float
) -> Numbers:
    """Compare along the step s, at the gradient g, where f has fallen by so much."""
    off, length = norm(B_s - H_s), norm(s)
    return {
        "step_norm": length,
        "dennis_more": ratio(off, length),
        "step_error": ratio(off, norm(H_s)),
        "forcing": ratio(norm(g + H_s), norm(g)),
        "model_reduction": -float(g @ s) - 0.5 * float(s @ B_s),
        "reduction": fall,
    }


@dataclass(frozen=True)
class Eigenvalues:
    """All eigenvalues of a symmetric matrix, or of B^-1 H.

    Attributes
    ----------
    values : array, shape (n,)
        Ascending; nan where the matrix is not finite.
    vectors : array, shape (n, n)
        In the columns.
    threshold : float
        Eigenvalues within it of 0 count as 0: n eps times the largest.
    """

    values: np.ndarray
    vectors: np.ndarray
    threshold: float

    @classmethod
    def of(cls, A: np.ndarray, eps: float) -> Eigenvalues:
        """Decompose A, whose entries are rounded by eps."""
        n = len(A)
        if not np.isfinite(A).all():
            return cls(np.full(n, np.nan), np.full((n, n), np.nan), float("nan"))
        w, V = np.linalg.eigh(A)
        return cls(w, V, n * eps * float(np.max(np.abs(w), initial=0.0)))

    def preconditioned(self, H: np.ndarray) -> np.ndarray | None:
        """Eigenvalues of B^-1 H, those of W'H W with W = V diag(w)^(-1/2); None if B is not > 0."""
        if not (self.values[0] > self.threshold and np.isfinite(H).all()):
            return None
        W = self.vectors / np.sqrt(self.values)
        M = W.T @ H @ W
        found: np.ndarray = np.linalg.eigvalsh(0.5 * M + 0.5 * M.T)
        return found

    @property
    def definiteness(self) -> str:
        """What the signs say."""
        if np.isnan(self.threshold):
            return "undecided"
        w, most = self.values, self.threshold
        signs = bool((w < -most).any()), bool((w > most).any()), bool((abs(w) <= most).any())
        return _SIGNS[signs]

    @property
    def negative(self) -> int | None:
        """How many are negative."""
        if np.isnan(self.threshold):
            return None
        return int((self.values < -self.threshold).sum())

    def numbers(self, prefix: str = "") -> Numbers:
        """Give ends, quantiles and signs, under the names of `HessianRow`."""
        return spectrum_numbers(self.values, prefix) | {
            f"{prefix}definiteness": self.definiteness,
            f"{prefix}negative": self.negative,
        }


def spectrum_numbers(w: np.ndarray, prefix: str) -> Numbers:
    """Give ends, condition number and quantiles of eigenvalues."""
    if np.isnan(w).any():
        return {}
    sizes = np.abs(w)
    return {
        f"{prefix}least": float(w[0]),
        f"{prefix}largest": float(w[-1]),
        f"{prefix}condition": ratio(float(sizes.max()), float(sizes.min())),
        f"{prefix}spectrum": tuple(float(f"{q:.6g}") for q in np.quantile(w, QUANTILES)),
    }
