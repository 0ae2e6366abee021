"""The compact form of a matrix: a diagonal and a low rank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hessx._xp import Array

__all__ = ["CompactForm"]


@dataclass(frozen=True, slots=True, eq=False)
class CompactForm:
    r"""B = diag(d) + U' C U with few rows in U.

    ``Curvature.compact()`` gives that of B, and ``compact()`` of ``result.hess_inv`` that of A.

    Parameters
    ----------
    diagonal : float or array, shape (n,)
        d: a number for a multiple of I, else a vector.
    factors : array, shape (k, n)
        U, of x's library, dtype and device; the vectors are its rows.
    middle : NumPy array, shape (k, k)
        C, symmetric, on the host in float64; it may be indefinite, and singular.
    products : NumPy array, shape (k, k), or None
        U U', on the host, where it is known without a fetch: by ``Curvature.compact()``, where d is
        a number.  With it all that lies in the span of U is settled on the host, as the eigenvalues
        of B are.  ``result.hess_inv`` does not know it: form ``U @ U.T``.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> fun = lambda x: x @ x + x[0] ** 4
    >>> result = hessx.minimize(fun, np.ones(3), method="lbfgs", options={"maxiter": 2})
    >>> A = result.hess_inv.compact()
    >>> d, U, C = A.diagonal, A.factors, A.middle
    >>> bool(np.allclose(d * np.eye(3) + U.T @ C @ U, np.asarray(result.hess_inv)))
    True
    """

    diagonal: float | Array
    factors: Array
    middle: np.ndarray
    products: np.ndarray | None = None
