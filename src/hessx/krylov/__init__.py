"""Krylov solvers for one vector: Newton steps, linear systems, least squares."""

from hessx.krylov._basis import KrylovBasis
from hessx.krylov._cg import TruncatedCG
from hessx.krylov._cg_steps import cg_steps
from hessx.krylov._device_cg import device_cg
from hessx.krylov._dogleg import Dogleg
from hessx.krylov._gltr import GLTR
from hessx.krylov._invert import invert
from hessx.krylov._linear import LinearOutcome, LinearResult
from hessx.krylov._lsmr import lsmr
from hessx.krylov._minres import minres
from hessx.krylov._model import KrylovOutcome, ModelStep, QuadraticModel, never
from hessx.krylov._more_sorensen import MoreSorensen
from hessx.krylov._steepest import SteepestStep
from hessx.krylov._subproblem import Subproblem

__all__ = [
    "GLTR",
    "Dogleg",
    "KrylovBasis",
    "KrylovOutcome",
    "LinearOutcome",
    "LinearResult",
    "ModelStep",
    "MoreSorensen",
    "QuadraticModel",
    "SteepestStep",
    "Subproblem",
    "TruncatedCG",
    "cg_steps",
    "device_cg",
    "invert",
    "lsmr",
    "minres",
    "never",
]
