"""Inverses as operators: a fixed number of steps of a Krylov method, without a fetch."""

from __future__ import annotations

from typing import Any

from hessx._xp import Array, quiet
from hessx.core import check_integer
from hessx.krylov._cg_steps import cg_steps
from hessx.krylov._minres_steps import minres_steps
from hessx.operators import LinearOperator, as_operator
from hessx.operators._placed import place

__all__ = ["CGInverse", "Inverse", "MINRESInverse"]


class Inverse(LinearOperator):
    """What all have in common: A on the vectors of a space."""

    def __init__(self, A: Any, like: Any) -> None:
        self._home, self.A = place(A, like)
        n = self._home.n
        self._declare((n, n), self._home, symmetric=True)

    def _apply(self, v: Array) -> Array:
        return self._each(self._solve, v, self.shape[0])

    def _solve(self, v: Array) -> Array:
        raise NotImplementedError


class CGInverse(Inverse):
    r"""Near A^-1 by a fixed number of steps of conjugate gradients, from zero.

    Parameters
    ----------
    A : LinearOperator, array, sparse matrix, operator of another library, or callable
        Symmetric positive definite; a callable is v -> A v, of shape (n,), and needs ``like``.
    steps : int, optional
        Of CG, >= 1; by default n, or 50 where n is larger.
    M : like A, optional
        Symmetric positive definite, near A^-1: a preconditioner.
    like : array, optional
        A vector that says which library, dtype and device, where A holds no array.

    Raises
    ------
    SettingsError
        steps < 1.
    TypeError, ValueError
        A or M is no such operator, or nothing says where its vectors live.

    Notes
    -----
    The steps depend on r: as a function of r it is not linear unless all n steps are taken, and is
    no preconditioner for a method that needs a linear one.  It stays as it is once
    norm(r) <= eps norm(b), and where a direction of no positive curvature is met: at zero, where
    that is the first one.  nan where a product is not finite.

    Cost per apply: ``steps`` products, whatever happens, 13 passes over a vector for each; no
    fetch.  Memory: 5 vectors while it is applied.

    References
    ----------
    Nocedal & Wright (2006), algorithms 5.2 and 5.3.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> A = np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> hessx.CGInverse(A) @ np.array([1.0, 2.0])
    array([0.2, 0.6])
    """

    def __init__(
        self, A: Any, steps: int | None = None, *, M: Any = None, like: Any = None
    ) -> None:
        super().__init__(A, like)
        self.steps = _steps(steps, self.shape[0])
        self.M = None if M is None else as_operator(self._home, M, "M")

    def _solve(self, v: Array) -> Array:
        space, M = self._home, None if self.M is None else self.M.matvec
        with quiet():
            return cg_steps(space, self.A.matvec, v, self.steps, space.eps, M, descend=False)


class MINRESInverse(Inverse):
    r"""Near A^-1 by a fixed number of steps of MINRES, from zero; A may be indefinite.

    Parameters
    ----------
    A : LinearOperator, array, sparse matrix, operator of another library, or callable
        Symmetric; a callable is v -> A v, of shape (n,), and needs ``like``.
    steps : int, optional
        >= 1; by default n, or 50 where n is larger.
    like : array, optional
        A vector that says which library, dtype and device, where A holds no array.

    Raises
    ------
    SettingsError
        steps < 1.
    TypeError, ValueError
        A is no such operator, or nothing says where its vectors live.

    Notes
    -----
    Not linear in r unless all n steps are taken, as `CGInverse`.  It stays as it is once
    norm(r) <= eps norm(b), and where A is singular on what is left.  nan where a product is not
    finite.

    Cost per apply: ``steps`` products, whatever happens, 17 passes over a vector for each; no
    fetch.  Memory: 7 vectors while it is applied.

    References
    ----------
    Paige & Saunders (1975), SIAM J. Numer. Anal. 12, section 5.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> A = np.array([[2.0, 1.0], [1.0, -3.0]])
    >>> (hessx.MINRESInverse(A) @ np.array([4.0, -5.0])).round(12)
    array([1., 2.])
    """

    def __init__(self, A: Any, steps: int | None = None, *, like: Any = None) -> None:
        super().__init__(A, like)
        self.steps = _steps(steps, self.shape[0])

    def _solve(self, v: Array) -> Array:
        return minres_steps(self._home, self.A.matvec, v, self.steps)


def _steps(given: int | None, n: int) -> int:
    return min(n, 50) if given is None else check_integer("steps", given, 1)
