"""Krylov kernels for one vector: linear systems and least squares."""

from hessx.krylov._linear import LinearOutcome, LinearResult
from hessx.krylov._lsmr import lsmr
from hessx.krylov._minres import minres

__all__ = ["LinearOutcome", "LinearResult", "lsmr", "minres"]
