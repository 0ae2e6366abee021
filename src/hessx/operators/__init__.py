"""Linear operators: their algebra, those that hold arrays, the user's own, and checks of them."""

from hessx.operators._application import Application
from hessx.operators._as_operator import as_operator, as_products
from hessx.operators._block_diagonal import BlockDiagonalOperator
from hessx.operators._checks import OperatorCheck, check_adjoint, check_linearity, check_symmetry
from hessx.operators._colouring import Colouring, colour, colour_columns, colour_star
from hessx.operators._compressed import Compressed
from hessx.operators._condition import ConditionNumber, condition_number
from hessx.operators._dense import DenseOperator
from hessx.operators._density import SpectralDensity, spectral_density
from hessx.operators._diagonal import DiagonalOperator, IdentityOperator
from hessx.operators._diagonal_estimate import DiagonalEstimate, estimate_diagonal
from hessx.operators._diagonal_sample import diagonal_sample
from hessx.operators._eigen import RitzPairs, lanczos_eigh, randomized_eigh
from hessx.operators._extremes import ExtremeEigenvalues, extreme_eigenvalues, rounding, search
from hessx.operators._inertia import Inertia, count_signs, inertia
from hessx.operators._lanczos import LanczosRun, lanczos
from hessx.operators._linear_operator import LinearOperator, Unary
from hessx.operators._low_rank import LowRankOperator
from hessx.operators._low_rank_plus import LowRankPlusDiagonal
from hessx.operators._nystrom import Sketch, nystrom, sketched_pairs
from hessx.operators._orthonormal import orthonormal_rows
from hessx.operators._pattern import Pattern
from hessx.operators._probing import PatternProbe, probe_pattern
from hessx.operators._sparse import SparseOperator, SparsePlaces
from hessx.operators._trace import estimate_trace
from hessx.operators._trace_estimate import TraceEstimate

__all__ = [
    "Application",
    "BlockDiagonalOperator",
    "Colouring",
    "Compressed",
    "ConditionNumber",
    "DenseOperator",
    "DiagonalEstimate",
    "DiagonalOperator",
    "ExtremeEigenvalues",
    "IdentityOperator",
    "Inertia",
    "LanczosRun",
    "LinearOperator",
    "LowRankOperator",
    "LowRankPlusDiagonal",
    "OperatorCheck",
    "Pattern",
    "PatternProbe",
    "RitzPairs",
    "Sketch",
    "SparseOperator",
    "SparsePlaces",
    "SpectralDensity",
    "TraceEstimate",
    "Unary",
    "as_operator",
    "as_products",
    "check_adjoint",
    "check_linearity",
    "check_symmetry",
    "colour",
    "colour_columns",
    "colour_star",
    "condition_number",
    "count_signs",
    "diagonal_sample",
    "estimate_diagonal",
    "estimate_trace",
    "extreme_eigenvalues",
    "inertia",
    "lanczos",
    "lanczos_eigh",
    "nystrom",
    "orthonormal_rows",
    "probe_pattern",
    "randomized_eigh",
    "rounding",
    "search",
    "sketched_pairs",
    "spectral_density",
]
