"""Approximations beside the true Hessian, along runs.

``hessians.csv`` beside the rows of a study holds `HessianRow`, a line each, written by
`write_hessian_rows`; its columns are the attributes of `HessianRow`, in their order.
"""

from hessx.comparison._rows import QUANTILES, HessianRow, read_hessian_rows, write_hessian_rows

__all__ = ["QUANTILES", "HessianRow", "read_hessian_rows", "write_hessian_rows"]
