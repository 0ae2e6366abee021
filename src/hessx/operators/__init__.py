"""Linear operators: their algebra, those that hold arrays, the user's own, and checks of them."""

from hessx.operators._application import Application
from hessx.operators._as_operator import as_operator, as_products
from hessx.operators._checks import OperatorCheck, check_adjoint, check_linearity, check_symmetry
from hessx.operators._dense import DenseOperator
from hessx.operators._diagonal import DiagonalOperator, IdentityOperator
from hessx.operators._diagonal_sample import diagonal_sample
from hessx.operators._lanczos import LanczosRun, lanczos
from hessx.operators._linear_operator import LinearOperator, Unary
from hessx.operators._low_rank import LowRankOperator

__all__ = [
    "Application",
    "DenseOperator",
    "DiagonalOperator",
    "IdentityOperator",
    "LanczosRun",
    "LinearOperator",
    "LowRankOperator",
    "OperatorCheck",
    "Unary",
    "as_operator",
    "as_products",
    "check_adjoint",
    "check_linearity",
    "check_symmetry",
    "diagonal_sample",
    "lanczos",
]
