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
    "Zero": (lambda n: hessx.Zero(), False),
    "Spectral": (lambda n: hessx.Spectral(), False),
    "Spectral, long": (lambda n: hessx.Spectral("long"), False),
    "Spectral, short": (lambda n: hessx.Spectral("short"), False),
    "Spectral, adaptive": (lambda n: hessx.Spectral("adaptive"), False),
    "DiagonalBFGS": (lambda n: hessx.DiagonalBFGS(), False),
    "WeakSecant": (lambda n: hessx.WeakSecant(), False),
    "DiagonalPSB": (lambda n: hessx.DiagonalPSB(), False),
    "Exact": (lambda n: hessx.Exact(), False),
    "Exact, dense": (lambda n: hessx.Exact(dense=True), False),
    "Newton, eigenvalues": (lambda n: hessx.Newton(), False),
    "Newton, Cholesky": (lambda n: hessx.Newton("cholesky"), False),
    "Sparse": (lambda n: hessx.Sparse(np.ones((n, n))), False),
    "SparseNewton": (lambda n: hessx.SparseNewton(np.ones((n, n))), False),
    "Nystrom": (lambda n: hessx.Nystrom(), False),
    "Nystrom, rank 2": (lambda n: hessx.Nystrom(rank=2, shift=0.5, every=1), False),
    # with less of H, or a larger rest, runs take a hundred iterations
    "LowRank": (lambda n: hessx.LowRank(n - 1), False),
    "LowRank, randomized": (lambda n: hessx.LowRank(2, "randomized", every=2, rest=1.0), False),
    "LowRank, indefinite": (lambda n: hessx.LowRank(2, absolute=False, rest=1.0), False),
    "ExactInverse": (lambda n: hessx.ExactInverse(_matrix(n)), False),
    "Given": (lambda n: hessx.Given(lambda r: r * 0.25), False),
    "Jacobi": (lambda n: hessx.Jacobi(), False),
    "Hutchinson": (lambda n: hessx.Hutchinson(), False),
    "TruncatedInverse": (lambda n: hessx.TruncatedInverse(degree=4), False),
    "Partial": (lambda n: hessx.Partial("exact", slice(1, 4)), False),
    "Partial, BFGS": (
        lambda n: hessx.Partial(hessx.BFGS(), np.arange(n) < n - 1, _diagonal(n)),
        False,
    ),
    "Blockwise": (lambda n: hessx.Blockwise(hessx.LBFGS()), True),
    "LearntDiagonal, patient": (lambda n: hessx.LearntDiagonal(), False),
    "LearntDiagonal": (lambda n: hessx.LearntDiagonal(patient=False), False),
    "PairPreconditioner": (lambda n: hessx.PairPreconditioner(memory=3), False),
    "BFGS": (lambda n: hessx.BFGS(), True),
    "BFGS, number": (lambda n: hessx.BFGS(hess_inv0=0.5), True),
    "BFGS, matrix": (lambda n: hessx.BFGS(hess_inv0=_matrix(n)), True),
    "BFGS, damped": (lambda n: hessx.BFGS(damping=0.2), True),
    "BFGS, self-scaled": (lambda n: hessx.BFGS(scaling="al-baali"), True),
    "DFP": (lambda n: hessx.DFP(), True),
    "DFP, diagonal, scaled": (
        lambda n: hessx.DFP(hess_inv0=_diagonal(n), scaling="oren-luenberger"),
        True,
    ),
    "Broyden": (lambda n: hessx.Broyden(phi=0.3), True),
    "SSBroyden": (lambda n: hessx.SSBroyden(), True),
    "SR1": (lambda n: hessx.SR1(), True),
    "SR1, number": (lambda n: hessx.SR1(hess0=2.0), True),
    "SR1, matrix": (lambda n: hessx.SR1(hess0=_matrix(n)), True),
    "PSB": (lambda n: hessx.PSB(), True),
    "PSB, diagonal": (lambda n: hessx.PSB(hess0=_diagonal(n)), True),
    "LBFGS": (lambda n: hessx.LBFGS(), True),
    "LBFGS, memory 2": (lambda n: hessx.LBFGS(memory=2), True),
    "LBFGS, damped": (lambda n: hessx.LBFGS(damping=0.2), True),
    "LBFGS, number": (lambda n: hessx.LBFGS(hess_inv0=0.5), True),
    "LBFGS, diagonal": (lambda n: hessx.LBFGS(hess_inv0=_diagonal(n)), True),
    "LBFGS, diagonal, memory 2": (lambda n: hessx.LBFGS(hess_inv0=_diagonal(n), memory=2), True),
    "LBFGS, Jacobi": (lambda n: hessx.LBFGS(hess_inv0=hessx.Jacobi(), memory=3), False),
    "LBFGS, learnt": (
        lambda n: hessx.LBFGS(hess_inv0=hessx.LearntDiagonal(patient=False), memory=3),
        False,
    ),
    "LBFGS, function": (lambda n: hessx.LBFGS(hess_inv0=lambda v: v * 0.25, memory=3), False),
    "LSR1": (lambda n: hessx.LSR1(), True),
    "LSR1, memory 2": (lambda n: hessx.LSR1(memory=2), True),
    "LSR1, number": (lambda n: hessx.LSR1(hess0=2.0), True),
    "KnownPlus": (lambda n: hessx.KnownPlus(), True),
    "KnownPlus, dense": (
        lambda n: hessx.KnownPlus(hessx.PSB(hess0=0.0), hessx.Exact(dense=True)),
        True,
    ),
    "KnownPlus, limited": (lambda n: hessx.KnownPlus(hessx.LSR1(memory=2, hess0=0.0)), True),
    "KnownPlus, positive": (
        lambda n: hessx.KnownPlus(hessx.LBFGS(memory=3), hessx.Newton()),
        False,
    ),
    "KnownPlus, J'J": (lambda n: hessx.KnownPlus(known=hessx.GaussNewton()), True),
    "SSM": (lambda n: hessx.SSM(), False),
    "SSM, DFP": (lambda n: hessx.SSM("dfp", sizing=False), False),
    "TSSM": (lambda n: hessx.TSSM(), False),
    "TSSM, PSB": (lambda n: hessx.TSSM("psb"), False),
    "GNSBFGS": (lambda n: hessx.GNSBFGS(), False),
    "FX": (lambda n: hessx.FX(), True),
    "LDFP": (lambda n: hessx.LDFP(), True),
    "LDFP, memory 2": (lambda n: hessx.LDFP(memory=2), True),
    "LDFP, number": (lambda n: hessx.LDFP(hess_inv0=0.5), True),
    "Shampoo": (lambda n: hessx.Shampoo(), False),
    "Shampoo, grafted": (lambda n: hessx.Shampoo(beta=0.5, graft="adagrad", epsilon=0.1), False),
    "SOAP": (lambda n: hessx.SOAP(every=1), False),
    "KFAC": (lambda n: hessx.KFAC(damping=0.1), False),
    "EKFAC": (lambda n: hessx.EKFAC(damping=0.1, every=2), False),
    "Fisher": (lambda n: hessx.Fisher(damping=0.1), False),
    "Fisher, sampled": (lambda n: hessx.Fisher(damping=0.1, labels="sampled"), False),
    "GaussNewton": (lambda n: hessx.GaussNewton(), False),
    "GaussNewton, dense": (lambda n: hessx.GaussNewton(dense=True), False),
    "GaussNewton, damped": (lambda n: hessx.GaussNewton(damping=0.25), False),
    "GaussNewton, dense and damped": (
        lambda n: hessx.GaussNewton(dense=True, damping=0.25),
        False,
    ),
    "NewtonSketch": (lambda n: hessx.NewtonSketch(damping=0.1), False),
    "NewtonSketch, low rank": (lambda n: hessx.NewtonSketch(2, "srht", damping=0.1), False),
}
