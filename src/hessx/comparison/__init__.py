"""Approximations beside the true Hessian, along runs.

``hessians.csv`` beside the rows of a study holds `HessianRow`, a line each, written by
`write_hessian_rows`; its columns are the attributes of `HessianRow`, in their order.
`HessianComparison` makes tables and pictures of such rows alone.
"""

from hessx.comparison._compare import compare_hessians
from hessx.comparison._comparison import HessianComparison
from hessx.comparison._layers import CHAIN
from hessx.comparison._names import known_approximations
from hessx.comparison._rows import QUANTILES, HessianRow, read_hessian_rows, write_hessian_rows

__all__ = [
    "CHAIN",
    "QUANTILES",
    "HessianComparison",
    "HessianRow",
    "compare_hessians",
    "known_approximations",
    "read_hessian_rows",
    "write_hessian_rows",
]
