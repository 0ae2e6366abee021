"""Approximations of the Hessian and its inverse: one family."""

from hessx.hessians._blockwise import Blockwise
from hessx.hessians._broyden_members import BFGS, DFP, Broyden, SSBroyden
from hessx.hessians._compact import CompactForm
from hessx.hessians._diagonal_bfgs import DiagonalBFGS
from hessx.hessians._exact import Exact, ExactInverse
from hessx.hessians._family import Approximation, Curvature
from hessx.hessians._fisher import Fisher
from hessx.hessians._gauss_newton import GaussNewton
from hessx.hessians._given import Given, Jacobi
from hessx.hessians._hutchinson import Hutchinson
from hessx.hessians._identity import Identity
from hessx.hessians._kfac import EKFAC, KFAC
from hessx.hessians._known_plus import KnownPlus
from hessx.hessians._lbfgs import LBFGS
from hessx.hessians._lbfgs_curvature import LBFGSCurvature
from hessx.hessians._lbfgs_operator import LBFGSInverse
from hessx.hessians._ldfp import LDFP
from hessx.hessians._learnt_diagonal import LearntDiagonal
from hessx.hessians._low_rank import LowRank
from hessx.hessians._lsr1 import LSR1
from hessx.hessians._newton import Newton
from hessx.hessians._newton_sketch import NewtonSketch, SketchCurvature
from hessx.hessians._nystrom import Nystrom
from hessx.hessians._pair_preconditioner import PairPreconditioner
from hessx.hessians._pair_rows import PAIRS, PairRows
from hessx.hessians._pairs import pairs_inverse
from hessx.hessians._partial import Partial
from hessx.hessians._shampoo import Shampoo
from hessx.hessians._size import DEFAULT_BYTES, check_size
from hessx.hessians._soap import SOAP
from hessx.hessians._sparse import Sparse
from hessx.hessians._sparse_newton import SparseNewton
from hessx.hessians._spectral import Spectral
from hessx.hessians._strategies import as_approximation
from hessx.hessians._structured_squares import FX, GNSBFGS, SSM, TSSM
from hessx.hessians._symmetric import PSB, SR1
from hessx.hessians._truncated_inverse import TruncatedInverse
from hessx.hessians._weak_secant import DiagonalPSB, WeakSecant
from hessx.hessians._zero import Zero

__all__ = [
    "BFGS",
    "DEFAULT_BYTES",
    "DFP",
    "EKFAC",
    "FX",
    "GNSBFGS",
    "KFAC",
    "LBFGS",
    "LDFP",
    "LSR1",
    "PAIRS",
    "PSB",
    "SOAP",
    "SR1",
    "SSM",
    "TSSM",
    "Approximation",
    "Blockwise",
    "Broyden",
    "CompactForm",
    "Curvature",
    "DiagonalBFGS",
    "DiagonalPSB",
    "Exact",
    "ExactInverse",
    "Fisher",
    "GaussNewton",
    "Given",
    "Hutchinson",
    "Identity",
    "Jacobi",
    "KnownPlus",
    "LBFGSCurvature",
    "LBFGSInverse",
    "LearntDiagonal",
    "LowRank",
    "Newton",
    "NewtonSketch",
    "Nystrom",
    "PairPreconditioner",
    "PairRows",
    "Partial",
    "SSBroyden",
    "Shampoo",
    "SketchCurvature",
    "Sparse",
    "SparseNewton",
    "Spectral",
    "TruncatedInverse",
    "WeakSecant",
    "Zero",
    "as_approximation",
    "check_size",
    "pairs_inverse",
]
