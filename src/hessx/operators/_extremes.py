"""The eigenvalues at the ends of the spectrum, by the Lanczos process."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hessx._xp import Array, Space, eigh, normal, quiet
from hessx.core import SettingsError, check_flag, check_integer, check_real
from hessx.operators._lanczos import READ, LanczosProcess, LanczosRun, never
from hessx.operators._linear_operator import LinearOperator
from hessx.operators._placed import place

__all__ = ["DEFAULT_PRODUCTS", "ExtremeEigenvalues", "extreme_eigenvalues", "rounding", "search"]

DEFAULT_PRODUCTS = 100
_ENDS = ("smallest", "largest", "both")


@dataclass(frozen=True, slots=True)
class ExtremeEigenvalues:
    """Eigenvalues at the ends of a spectrum.

    Attributes
    ----------
    values : NumPy array, shape (p,)
        Ascending, float64; nan where a product was not finite.
    errors : NumPy array, shape (p,)
        Within errors[i] of values[i] lies an eigenvalue.  That none lies beyond is as good as
        certain where the random start has a part in every eigenspace, but is no bound.
    products : int
        Taken.
    converged : bool
        All errors are within rtol of the largest absolute eigenvalue.
    exact : bool
        All n eigenvalues were computed, each as often as it is one.
    vectors : array, shape (p, n), optional
        Eigenvectors as rows, of length 1, on the device.
    """

    values: np.ndarray
    errors: np.ndarray
    products: int
    converged: bool
    exact: bool = False
    vectors: Array | None = None


def extreme_eigenvalues(
    A: Any,
    like: Any = None,
    *,
    k: int = 1,
    which: str = "both",
    products: int = DEFAULT_PRODUCTS,
    rtol: float | None = None,
    vectors: bool = False,
    seed: int = 0,
) -> ExtremeEigenvalues:
    """Find the k smallest and the k largest eigenvalues of a symmetric A.

    The error of a Ritz value theta_i is the norm of its residual, A u_i - theta_i u_i, and the
    rounding of the process.

    Parameters
    ----------
    A : LinearOperator, array, sparse matrix, operator of another library, or callable
        Square, symmetric; a callable is v, shape (n,) -> A v.
    like : array, optional
        A point x: says which library, dtype and device, and n where A is a callable; not needed
        where A holds arrays.
    k : int
        How many at each end, in [1, n].
    which : {"both", "smallest", "largest"}
        The ends, by sign and not by absolute value.
    products : int
        At most.  n or more are spent on all eigenvalues of the dense matrix.
    rtol : float, optional
        Ends where the errors are below rtol times the largest absolute Ritz value, in (0, 1);
        eps^(1/2) by default, at which the values themselves have most often converged to rounding.
    vectors : bool
        Give the eigenvectors too.
    seed : int
        Of the start.

    Returns
    -------
    ExtremeEigenvalues
        Values, their errors, and vectors on request.

    Raises
    ------
    TypeError, ValueError
        A is none of these, or is not square.
    SettingsError
        A setting is out of range, or k above n.

    Notes
    -----
    A multiple eigenvalue can be found less often than it is one, unless ``exact``: a Krylov space
    holds one vector of each eigenspace, and others by rounding alone.  Where it is invariant and
    k > 1 the process goes on from another random vector.

    Cost: at most ``products`` products, one fetch for every 8, one upload; 8 n operations for each
    pair of vectors.  Memory: ``products`` vectors.

    References
    ----------
    Parlett (1998), The Symmetric Eigenvalue Problem, section 13.2, for the residuals.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> h = np.linspace(1.0, 9.0, 1000)
    >>> h[:2] = -1.0, 10.0
    >>> ends = hessx.extreme_eigenvalues(lambda v: h * v, h)
    >>> ends.values.round(6), ends.converged
    (array([-1., 10.]), True)
    """
    space, A = place(A, like)
    k, most = check_integer("k", k, 1), check_integer("products", products, 1)
    if k > space.n:
        msg = f"k = {k}: expected at most n = {space.n}"
        raise SettingsError(msg)
    if which not in _ENDS:
        msg = f"which = {which!r}: expected 'smallest', 'largest' or 'both'"
        raise SettingsError(msg)
    rtol = space.eps**0.5 if rtol is None else check_real("rtol", rtol, 0.0, 1.0)
    wants_vectors, seed = check_flag("vectors", vectors), check_integer("seed", seed)
    if most >= space.n:
        return _of_all(space, A, k, which, wants_vectors)

    ends = _Ends(k, which, rtol)
    run = search(space, A.matvec, most, seed, ends.found)
    theta, S, residuals = run.ritz()
    at, asked = ends.among(len(theta)), len(ends.among(space.n))
    if not run.finite:
        nothing = np.full(asked, math.nan)
        return ExtremeEigenvalues(nothing, nothing + math.inf, run.products, False)
    converged = len(at) == asked and ends.converged(theta, residuals)
    errors = residuals[at] + rounding(space, theta)
    found = run.lift(S[:, at].T) if wants_vectors else None
    return ExtremeEigenvalues(theta[at], errors, run.products, converged, vectors=found)


def search(
    space: Space,
    product: Callable[[Array], Array],
    most: int,
    seed: int,
    done: Callable[[LanczosRun], bool],
    watch: Callable[[], bool] = never,
) -> LanczosRun:
    """Run Lanczos from a random vector, and on from others where a space is invariant.

    Parameters
    ----------
    space, product, watch
        As in `lanczos`.
    most : int
        Products at most.
    seed : int
        Of the start.
    done : callable
        The run so far -> whether it is enough; asked after each read.

    Returns
    -------
    LanczosRun
        Where it has ended.
    """
    process = LanczosProcess(space, product, normal(space, seed)[0, ...], most, watch)
    while not process.ended and process.products < most:
        process.extend(min(READ, most - process.products))
        run = process.run()
        if not run.finite or done(run):
            break
        if run.invariant:
            process.restart(normal(space, (seed, run.products))[0, ...])
    return process.run()


def rounding(space: Space, theta: np.ndarray) -> float:
    """How much rounding may move an eigenvalue: 4 eps n^(1/2) times the largest absolute one."""
    largest = np.max(np.abs(theta), initial=0.0)
    return 4.0 * space.eps * math.sqrt(space.n) * float(largest)


class _Ends:
    """The Ritz values that are asked for, and whether they are there."""

    __slots__ = ("before", "k", "rtol", "which")

    def __init__(self, k: int, which: str, rtol: float) -> None:
        self.k, self.which, self.rtol = k, which, rtol
        self.before: np.ndarray | None = None  # those of an invariant space

    def among(self, count: int) -> np.ndarray:
        """Places of k at each end, of so many in ascending order."""
        places = np.arange(count)
        low, high = places < self.k, places >= count - self.k
        both = low | high
        return places[{"smallest": low, "largest": high, "both": both}[self.which]]

    def converged(self, theta: np.ndarray, residuals: np.ndarray) -> bool:
        """Whether their residuals are small enough."""
        worst = max(residuals[self.among(len(theta))])
        return bool(worst <= self.rtol * max(abs(theta)))

    def found(self, run: LanczosRun) -> bool:
        """Whether no more products are needed.

        In an invariant space each eigenvalue stands once; what one more such space adds to those
        that are asked for is looked at until nothing is added.
        """
        theta, _, residuals = run.ritz()
        at = self.among(len(theta))
        if not run.invariant:
            return len(at) == len(self.among(len(theta) + self.k)) and self.converged(
                theta, residuals
            )
        before, self.before = self.before, theta[at]
        if self.k == 1:
            return True
        same = before is not None and len(before) == len(at)
        close = self.rtol * max(abs(theta))
        return same and bool(max(abs(theta[at] - before)) <= close)


def _of_all(
    space: Space, A: LinearOperator, k: int, which: str, wants_vectors: bool
) -> ExtremeEigenvalues:
    """Decompose the dense matrix."""
    H = A.dense(like=space.zeros(1))
    with quiet():
        w, V, _ = eigh(space, 0.5 * H + 0.5 * H.T)
    at = _Ends(k, which, 0.0).among(space.n)
    errors = np.full(len(at), rounding(space, w))
    finite = math.isfinite(errors[0])
    found = None
    if wants_vectors:
        rows, count = V.T, len(at)
        found = rows[space.n - k :, :] if which == "largest" else rows[:k, :]
        if count > k:
            found = space.xp.concat([found, rows[space.n - (count - k) :, :]])
    return ExtremeEigenvalues(w[at], errors, space.n, finite, True, found)
