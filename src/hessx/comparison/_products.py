"""B beside H by products alone: random vectors for norms, Lanczos for eigenvalues."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hessx._xp import Array, Space, dot, fetch, normal, quiet
from hessx.comparison._matrices import Numbers, ratio
from hessx.comparison._rows import QUANTILES
from hessx.operators import LinearOperator, SpectralDensity, extreme_eigenvalues, spectral_density

__all__ = [
    "Squares",
    "ends_of",
    "pencil_ends",
    "products_of",
    "quantiles_of",
    "root_of_ratio",
    "squares_of",
]

_SAMPLES = 4  # vectors of the quadrature
_Apply = Callable[[Array], Array]


def products_of(space: Space, apply: _Apply, Z: Array) -> Array:
    """Multiply each row of Z."""
    return space.xp.stack([apply(Z[i, ...]) + 0.0 for i in range(Z.shape[0])])


@dataclass(frozen=True)
class Squares:
    """Squares of products with random signs z, of which the means are squares of Frobenius norms.

    E norm(M z)^2 = norm_F(M)^2 for any M (Hutchinson 1990).

    Attributes
    ----------
    off, whole, modelled, both : array, shape (probes,)
        norm((B - H) z)^2, norm(H z)^2, norm(B z)^2 and (B z)'(H z).
    """

    off: np.ndarray
    whole: np.ndarray
    modelled: np.ndarray
    both: np.ndarray

    def __add__(self, other: Squares) -> Squares:
        """Give the squares of vectors that are joined."""
        pairs = zip(self._parts, other._parts, strict=True)
        return Squares(*(mine + theirs for mine, theirs in pairs))

    @property
    def _parts(self) -> tuple[np.ndarray, ...]:
        return self.off, self.whole, self.modelled, self.both

    def error(self) -> tuple[float, float]:
        """Give norm_F(B - H) / norm_F(H) and its standard error, by the method of deltas."""
        return root_of_ratio(self.off, self.whole)

    def numbers(self) -> Numbers:
        """Give the errors under the names of `HessianRow`."""
        error, deviation = self.error()
        both, modelled = float(self.both.mean()), float(self.modelled.mean())
        scale = 0.0 if modelled == 0.0 else max(both / modelled, 0.0)
        rest = self.modelled * scale**2 - self.both * (2.0 * scale) + self.whole
        left = max(float(rest.mean()), 0.0)
        return {
            "error": error,
            "error_deviation": deviation,
            "scale": scale,
            "scaled_error": math.sqrt(ratio(left, float(self.whole.mean()))),
        }


def root_of_ratio(above: np.ndarray, below: np.ndarray) -> tuple[float, float]:
    """Give the root of mean(above) / mean(below), and its standard error."""
    mean = float(below.mean())
    square = ratio(float(above.mean()), mean)
    if not square > 0.0 or len(above) < 2:
        return math.sqrt(square) if square >= 0.0 else math.nan, 0.0 if square == 0.0 else math.nan
    spread = float(np.std((above - square * below) / mean, ddof=1)) / math.sqrt(len(above))
    return math.sqrt(square), spread / (2.0 * math.sqrt(square))


def squares_of(space: Space, BZ: Array, HZ: Array) -> Squares:
    """Take the squares of products; one fetch."""
    off = BZ - HZ
    values, _ = fetch(space, [dot(off, off), dot(HZ, HZ), dot(BZ, BZ), dot(BZ, HZ)])
    return Squares(*values)


def ends_of(space: Space, apply: _Apply, products: int, seed: int, prefix: str) -> Numbers:
    """Give the ends of a spectrum by Lanczos, and the definiteness that they tell."""
    A = LinearOperator((space.n, space.n), apply, symmetric=True)
    found = extreme_eigenvalues(A, space.zeros(space.n), products=products, seed=seed)
    least, largest = float(found.values[0]), float(found.values[-1])
    error = float(np.max(found.errors))
    if not math.isfinite(least + largest):
        return {f"{prefix}definiteness": "undecided"}
    signs = {(True, True): "indefinite", (False, True): "", (True, False): ""}
    text = signs.get((least < -error, largest > error), "undecided")
    if text == "":
        sure = least > error if largest > error else largest < -error
        sign = "positive" if largest > error else "negative"
        text = f"{sign} definite" if sure else "undecided"
    condition = (
        math.nan
        if text == "indefinite"
        else ratio(max(abs(least), abs(largest)), min(abs(least), abs(largest)))
    )
    return {
        f"{prefix}least": least,
        f"{prefix}largest": largest,
        f"{prefix}condition": condition,
        f"{prefix}definiteness": text,
    }


def quantiles_of(space: Space, apply: _Apply, products: int, seed: int, prefix: str) -> Numbers:
    """Give quantiles of a spectrum by Lanczos quadrature."""
    A = LinearOperator((space.n, space.n), apply, symmetric=True)
    steps = max(products // _SAMPLES, 1)
    try:
        found = spectral_density(A, space.zeros(space.n), steps=steps, samples=_SAMPLES, seed=seed)
    except ValueError:  # a product is not finite
        return {}
    return {f"{prefix}spectrum": _quantiles(found)}


def _quantiles(found: SpectralDensity) -> tuple[float, ...]:
    known = ~np.isnan(found.nodes)
    nodes, weights = found.nodes[known], found.weights[known]
    order = np.argsort(nodes)
    share = np.cumsum(weights[order]) / weights.sum()
    at = np.minimum(np.searchsorted(share, np.array(QUANTILES) - 1e-12), len(order) - 1)
    return tuple(float(f"{q:.6g}") for q in nodes[order][at])


def pencil_ends(space: Space, H: _Apply, solve: _Apply, products: int, seed: int) -> Numbers:
    r"""Give the ends of the spectrum of A H, A = B^-1 positive definite, by Lanczos.

    The process in the inner product of A, which is the one that preconditioned CG runs:

        u_j = A v_j,   alpha_j = u_j'H u_j,   r = H u_j - alpha_j v_j - beta_j v_(j-1),
        beta_(j+1)^2 = r'A r,   v_(j+1) = r / beta_(j+1)

    with V'A V = I, so that T has Ritz values of A H; kept orthogonal by projections.

    Notes
    -----
    Cost: ``products`` products with H and as many with A, two fetches each.

    References
    ----------
    Parlett (1998), The Symmetric Eigenvalue Problem, section 15.11.
    """
    xp = space.xp
    r, V, U = normal(space, seed)[0, ...], [], []
    alphas: list[float] = []
    betas: list[float] = []
    with quiet():
        for _ in range(min(products, space.n)):
            u = solve(r)
            (square,), _ = fetch(space, [r @ u])
            if not (math.isfinite(square) and square > 0.0):
                break
            beta = math.sqrt(square)
            if alphas and beta <= space.eps**0.75 * max(map(abs, alphas)):
                break
            if alphas:
                betas.append(beta)
            V.append(r / beta)
            U.append(u / beta)
            w = H(U[-1]) + 0.0
            (alpha,), _ = fetch(space, [U[-1] @ w])
            if not math.isfinite(alpha):
                return {}
            alphas.append(alpha)
            r = w
            for _ in range(2):
                r = r - (xp.stack(U) @ r) @ xp.stack(V)
    if not alphas:
        return {}
    theta = np.linalg.eigvalsh(_tridiagonal(alphas, betas))
    sizes = np.abs(theta)
    definite = theta[0] * theta[-1] > 0.0
    return {
        "preconditioned_least": float(theta[0]),
        "preconditioned_largest": float(theta[-1]),
        "preconditioned_condition": ratio(float(sizes.max()), float(sizes.min()))
        if definite
        else math.nan,
    }


def _tridiagonal(alphas: list[float], betas: list[float]) -> np.ndarray:
    k = len(alphas)
    T: np.ndarray = np.diag(np.array(alphas))
    off = np.array(betas[: k - 1])
    T[np.arange(k - 1), np.arange(1, k)] = off
    T[np.arange(1, k), np.arange(k - 1)] = off
    return T
