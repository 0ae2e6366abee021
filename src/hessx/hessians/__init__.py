"""Approximations of the Hessian and its inverse, and what a run remembers of them."""

from hessx.hessians._applied import Applied, ExactInverse, Identity
from hessx.hessians._conjugate import NonlinearCG
from hessx.hessians._lbfgs import LBFGS
from hessx.hessians._lbfgs_operator import LBFGSInverse
from hessx.hessians._memory import (
    Approximation,
    BoundApproximation,
    Curvature,
    Memory,
    Needs,
)
from hessx.hessians._pairs import pairs_inverse
from hessx.hessians._vector_memory import VectorMemory

__all__ = [
    "LBFGS",
    "Applied",
    "Approximation",
    "BoundApproximation",
    "Curvature",
    "ExactInverse",
    "Identity",
    "LBFGSInverse",
    "Memory",
    "Needs",
    "NonlinearCG",
    "VectorMemory",
    "pairs_inverse",
]
