"""Every approximation of the family, made for n variables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import hessx

__all__ = ["APPROXIMATIONS"]

_Make = Callable[[int], hessx.Approximation]


def _matrix(n: int) -> np.ndarray:
    """A positive definite matrix that is not diagonal, with entries that float32 can hold."""
    return np.diag(1.0 + np.arange(n) / 4.0) + 0.125


def _diagonal(n: int) -> list[float]:
    return [0.5 + i / 8.0 for i in range(n)]


# name -> (make, whether B s = y after a pair)
APPROXIMATIONS: dict[str, tuple[_Make, bool]] = {
    "Identity": (lambda n: hessx.Identity(), False),
    "Exact": (lambda n: hessx.Exact(), False),
    "Exact, dense": (lambda n: hessx.Exact(dense=True), False),
    "Newton, eigenvalues": (lambda n: hessx.Newton(), False),
    "Newton, Cholesky": (lambda n: hessx.Newton("cholesky"), False),
    "ExactInverse": (lambda n: hessx.ExactInverse(_matrix(n)), False),
    "Given": (lambda n: hessx.Given(lambda r: r * 0.25), False),
    "Jacobi": (lambda n: hessx.Jacobi(), False),
    "LearntDiagonal, patient": (lambda n: hessx.LearntDiagonal(), False),
    "LearntDiagonal": (lambda n: hessx.LearntDiagonal(patient=False), False),
    "PairPreconditioner": (lambda n: hessx.PairPreconditioner(memory=3), False),
    "BFGS": (lambda n: hessx.BFGS(), True),
    "BFGS, initial": (lambda n: hessx.BFGS(initial=0.5), True),
    "SR1": (lambda n: hessx.SR1(), True),
    "SR1, initial": (lambda n: hessx.SR1(initial=2.0), True),
    "LBFGS": (lambda n: hessx.LBFGS(), True),
    "LBFGS, memory 2": (lambda n: hessx.LBFGS(memory=2), True),
    "LBFGS, damped": (lambda n: hessx.LBFGS(damping=0.2), True),
    "LBFGS, number": (lambda n: hessx.LBFGS(hess_inv0=0.5), True),
    "LBFGS, diagonal": (lambda n: hessx.LBFGS(hess_inv0=_diagonal(n)), True),
    "LBFGS, diagonal, memory 2": (lambda n: hessx.LBFGS(hess_inv0=_diagonal(n), memory=2), True),
}
