"""Krylov solvers for one vector."""

from hessx.krylov._cg import steihaug
from hessx.krylov._model import KrylovOutcome, ModelStep, QuadraticModel

__all__ = ["KrylovOutcome", "ModelStep", "QuadraticModel", "steihaug"]
