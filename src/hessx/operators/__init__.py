"""Linear operators: their algebra, those that hold arrays, the user's own, and checks of them."""

from hessx.operators._application import Application
from hessx.operators._as_operator import as_operator, as_products
from hessx.operators._checks import OperatorCheck, check_adjoint, check_linearity, check_symmetry
from hessx.operators._colouring import Colouring, colour, colour_columns, colour_star
from hessx.operators._compressed import Compressed
from hessx.operators._dense import DenseOperator
from hessx.operators._diagonal import DiagonalOperator, IdentityOperator
from hessx.operators._linear_operator import LinearOperator, Unary
from hessx.operators._low_rank import LowRankOperator
from hessx.operators._pattern import Pattern
from hessx.operators._probing import PatternProbe, probe_pattern
from hessx.operators._sparse import SparseOperator, SparsePlaces

__all__ = [
    "Application",
    "Colouring",
    "Compressed",
    "DenseOperator",
    "DiagonalOperator",
    "IdentityOperator",
    "LinearOperator",
    "LowRankOperator",
    "OperatorCheck",
    "Pattern",
    "PatternProbe",
    "SparseOperator",
    "SparsePlaces",
    "Unary",
    "as_operator",
    "as_products",
    "check_adjoint",
    "check_linearity",
    "check_symmetry",
    "colour",
    "colour_columns",
    "colour_star",
    "probe_pattern",
]
