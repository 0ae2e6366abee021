"""Krylov solvers for one vector: Newton steps, linear systems, least squares."""

from hessx.krylov._basis import KrylovBasis
from hessx.krylov._cg import TruncatedCG
from hessx.krylov._cg_steps import cg_steps
from hessx.krylov._chebyshev import ChebyshevPolynomial
from hessx.krylov._device_cg import device_cg
from hessx.krylov._dogleg import Dogleg
from hessx.krylov._gltr import GLTR
from hessx.krylov._inverse_operators import CGInverse, MINRESInverse
from hessx.krylov._invert import invert
from hessx.krylov._linear import LinearOutcome, LinearResult
from hessx.krylov._lsmr import lsmr
from hessx.krylov._minres import minres
from hessx.krylov._minres_steps import minres_steps
from hessx.krylov._model import KrylovOutcome, ModelStep, QuadraticModel, never
from hessx.krylov._more_sorensen import MoreSorensen
from hessx.krylov._polynomial_inverses import (
    ChebyshevInverse,
    NeumannInverse,
    definite_interval,
    neumann,
)
from hessx.krylov._spectral_bounds import SpectralBounds, spectral_bounds
from hessx.krylov._steepest import SteepestStep
from hessx.krylov._subproblem import Subproblem

__all__ = [
    "GLTR",
    "CGInverse",
    "ChebyshevInverse",
    "ChebyshevPolynomial",
    "Dogleg",
    "KrylovBasis",
    "KrylovOutcome",
    "LinearOutcome",
    "LinearResult",
    "MINRESInverse",
    "ModelStep",
    "MoreSorensen",
    "NeumannInverse",
    "QuadraticModel",
    "SpectralBounds",
    "SteepestStep",
    "Subproblem",
    "TruncatedCG",
    "cg_steps",
    "definite_interval",
    "device_cg",
    "invert",
    "lsmr",
    "minres",
    "minres_steps",
    "neumann",
    "never",
    "spectral_bounds",
]
