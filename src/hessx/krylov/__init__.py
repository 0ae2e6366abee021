"""Krylov solvers for one vector."""

from hessx.krylov._cg import TruncatedCG
from hessx.krylov._model import KrylovOutcome, ModelStep, Pairs, QuadraticModel

__all__ = ["KrylovOutcome", "ModelStep", "Pairs", "QuadraticModel", "TruncatedCG"]
