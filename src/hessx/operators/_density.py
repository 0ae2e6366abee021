"""How the eigenvalues of a symmetric operator are distributed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hessx._xp import rademacher
from hessx.core import check_integer, check_real
from hessx.operators._lanczos import lanczos
from hessx.operators._placed import place
from hessx.operators._trace_estimate import TraceEstimate

__all__ = ["SpectralDensity", "spectral_density"]


@dataclass(frozen=True, slots=True)
class SpectralDensity:
    """Gauss quadratures for the mean over the eigenvalues: (1 / n) sum f(lambda_i).

    Attributes
    ----------
    nodes, weights : NumPy array, shape (samples, steps)
        Ritz values of each random vector, ascending, and the squares of the first components of
        the eigenvectors of T, which sum to 1 in each row.  Rows that are shorter end in nodes of
        nan, of weight 0.
    n : int
        Of eigenvalues.
    products : int
        Taken.
    """

    nodes: np.ndarray
    weights: np.ndarray
    n: int
    products: int

    def cdf(self, x: Any) -> Any:
        """Give the fraction of eigenvalues <= x.

        Parameters
        ----------
        x : float or array of NumPy
            Where.

        Returns
        -------
        float or array of NumPy, like x
            In [0, 1]; a staircase, the mean of those of the samples.
        """
        below = self.nodes[..., None] <= np.ravel(x)
        return self._mean(below).reshape(np.shape(x))[()]

    def density(self, x: Any, width: float) -> Any:
        """Give the density of eigenvalues, each smeared to a Gaussian.

        Parameters
        ----------
        x : float or array of NumPy
            Where.
        width : float
            Standard deviation of the Gaussian, > 0; structure below the distance of the nodes
            is that of the quadrature.

        Returns
        -------
        float or array of NumPy, like x
            Its integral is 1.
        """
        width = check_real("width", width, 0.0)
        t = (np.ravel(x) - np.nan_to_num(self.nodes)[..., None]) / width
        bell = np.exp(-0.5 * t * t) / (width * math.sqrt(2.0 * math.pi))
        return self._mean(bell).reshape(np.shape(x))[()]

    def trace(self, f: Callable[[Any], Any]) -> TraceEstimate:
        """Estimate the trace of f(A), the sum of f over the eigenvalues.

        Parameters
        ----------
        f : callable
            Of a NumPy array of nodes, entry by entry, such as ``numpy.log``.

        Returns
        -------
        TraceEstimate
            The mean over the samples, and its standard error (nan for one sample).
        """
        values = np.asarray(f(np.where(self.weights > 0.0, self.nodes, self.nodes[:, :1])))
        sums = self.n * np.sum(self.weights * values, axis=1)
        return TraceEstimate.of_samples(sums, self.products, "lanczos")

    def plot(self, width: float | None = None) -> Any:
        """Draw the density.

        Parameters
        ----------
        width : float, optional
            As in `density`; by default a fiftieth of the span of the nodes.

        Returns
        -------
        plotly.graph_objects.Figure
            The density, and the cumulated distribution on an axis of its own.

        Raises
        ------
        ImportError
            plotly is not installed.
        """
        import plotly.graph_objects as go

        low, high = float(np.nanmin(self.nodes)), float(np.nanmax(self.nodes))
        span = (high - low) or abs(high) or 1.0
        width = span / 50.0 if width is None else width
        x = np.linspace(low - 3.0 * width, high + 3.0 * width, 501)
        figure = go.Figure()
        figure.add_scatter(x=x, y=self.density(x, width), name="density", fill="tozeroy")
        figure.add_scatter(x=x, y=self.cdf(x), name="fraction below", yaxis="y2")
        second = {"overlaying": "y", "side": "right", "range": [0, 1]}
        return figure.update_layout(
            xaxis_title="eigenvalue", yaxis_title="density", yaxis2=second, legend_x=0.02
        )

    def _mean(self, values: np.ndarray) -> Any:
        """Mean over samples of sums over nodes, shape (samples, steps, p) to (p,)."""
        return np.mean(np.sum(self.weights[..., None] * values, axis=1), axis=0)


def spectral_density(
    A: Any, like: Any = None, *, steps: int = 100, samples: int = 5, seed: int = 0
) -> SpectralDensity:
    r"""Estimate the distribution of the eigenvalues of a symmetric A by Lanczos quadrature.

    From random vectors z of signs, with z'z = n and T = S diag(theta) S' after k steps,

        (1 / n) sum_i f(lambda_i) = E z'f(A) z / n,      z'f(A) z / n = sum_j S_1j^2 f(theta_j)

    the second exactly for polynomials f of degree below 2 k.

    Parameters
    ----------
    A : LinearOperator, array, sparse matrix, operator of another library, or callable
        Square, symmetric; a callable is v, shape (n,) -> A v.
    like : array, optional
        A point x: says which library, dtype and device, and n where A is a callable; not needed
        where A holds arrays.
    steps : int
        k, of each process; n are enough.
    samples : int
        Random vectors.
    seed : int
        Of the vectors.

    Returns
    -------
    SpectralDensity
        Nodes and weights; ``cdf(x)``, ``density(x, width)``, ``trace(f)`` and ``plot()``.

    Raises
    ------
    TypeError, ValueError
        A is none of these, is not square, or gives a product that is not finite.
    SettingsError
        A setting is out of range.

    Notes
    -----
    The staircase of one vector differs from its own distribution by the weight of a node at most,
    about 1 / steps; that from the distribution of all eigenvalues by chance, about
    (n samples)^(-1/2).

    Cost: steps samples products, one fetch and one upload for each sample; 8 n operations for each
    pair of vectors.  Memory: ``steps`` vectors.

    References
    ----------
    Ubaru, Chen & Saad (2017), SIAM J. Matrix Anal. Appl. 38, 1075-1099, algorithm 1; Golub &
    Meurant (1994).

    Examples
    --------
    >>> import hessx, numpy as np
    >>> h = np.linspace(0.0, 4.0, 10**4)
    >>> found = hessx.spectral_density(lambda v: h * v, h)
    >>> bool(abs(found.cdf(np.array([1.0, 2.0])) - [0.25, 0.5]).max() < 0.02)
    True
    >>> bool(abs(found.trace(np.exp).value / np.exp(h).sum() - 1.0) < 0.02)
    True
    """
    space, A = place(A, like)
    steps, samples = check_integer("steps", steps, 1), check_integer("samples", samples, 1)
    seed, most = check_integer("seed", seed), min(steps, space.n)
    nodes, weights = np.full((samples, most), math.nan), np.zeros((samples, most))
    products = 0
    for i in range(samples):
        z = rademacher(space, (seed, i))[0, ...]
        run = lanczos(space, A.matvec, z, most, every=most)
        if not run.finite:
            msg = "a product with A is not finite: expected a finite operator"
            raise ValueError(msg)
        theta, S, _ = run.ritz()
        nodes[i, : len(theta)], weights[i, : len(theta)] = theta, S[0, :] ** 2
        products += run.products
    return SpectralDensity(nodes, weights, space.n, products)
