"""The only code that knows array libraries: namespaces, the door to the host, rows, draws."""

from hessx._xp._algebra import dot, extremes, norm_inf, quiet, times
from hessx._xp._autodiff import Derivatives, derivatives_of
from hessx._xp._bases import eigenbases, orthonormal
from hessx._xp._conjugate import make_cg_vectors
from hessx._xp._eigh import eigh
from hessx._xp._factor import SparseFactor, has_sparse_factors
from hessx._xp._fetch import Ledger, fetch, record_fetches, to_host, upload, upload_integers
from hessx._xp._intake import (
    as_float,
    converted,
    eps_of,
    take_array,
    take_gradient,
    take_product,
    take_stack,
    take_value,
    take_vector,
)
from hessx._xp._inverse import inverse
from hessx._xp._memory import memory_at_hand
from hessx._xp._namespace import Array, Space, detach, is_array, is_real_floating, space_of
from hessx._xp._numpy_rows import make_rows
from hessx._xp._outside import first_leaf, foreign, is_mapped, place_rows, read_rows
from hessx._xp._packet import Numbers, Packet, under
from hessx._xp._point import like, plain, to_point
from hessx._xp._pointwise import Pointwise, bounded, divisor, ema, moved, sign
from hessx._xp._portable import (
    host_array,
    host_rows,
    host_space,
    in_one_piece,
    in_rows,
    is_host_scalar,
    padded,
    placed_array,
    placed_rows,
    read_npy,
    same_bits,
    trimmed,
    write_npy,
)
from hessx._xp._put_rows import put_rows
from hessx._xp._random import normal, permuted, rademacher, uniform
from hessx._xp._residual_autodiff import ResidualDerivatives, residual_derivatives_of
from hessx._xp._rows import ListedRows, Rows, WrittenRows
from hessx._xp._sparse import in_chunks, make_sparse_product, place_indices, scipy_matrix, taken
from hessx._xp._sparse_entries import sparse_entries
from hessx._xp._svd import eigh_of_root
from hessx._xp._tree import cut
from hessx._xp._updates import add_scaled, plus_scaled

__all__ = [
    "Array",
    "Derivatives",
    "Ledger",
    "ListedRows",
    "Numbers",
    "Packet",
    "Pointwise",
    "ResidualDerivatives",
    "Rows",
    "Space",
    "SparseFactor",
    "WrittenRows",
    "add_scaled",
    "as_float",
    "bounded",
    "converted",
    "cut",
    "derivatives_of",
    "detach",
    "divisor",
    "dot",
    "eigenbases",
    "eigh",
    "eigh_of_root",
    "ema",
    "eps_of",
    "extremes",
    "fetch",
    "first_leaf",
    "foreign",
    "has_sparse_factors",
    "host_array",
    "host_rows",
    "host_space",
    "in_chunks",
    "in_one_piece",
    "in_rows",
    "inverse",
    "is_array",
    "is_host_scalar",
    "is_mapped",
    "is_real_floating",
    "like",
    "make_cg_vectors",
    "make_rows",
    "make_sparse_product",
    "memory_at_hand",
    "moved",
    "norm_inf",
    "normal",
    "orthonormal",
    "padded",
    "permuted",
    "place_indices",
    "place_rows",
    "placed_array",
    "placed_rows",
    "plain",
    "plus_scaled",
    "put_rows",
    "quiet",
    "rademacher",
    "read_npy",
    "read_rows",
    "record_fetches",
    "residual_derivatives_of",
    "same_bits",
    "scipy_matrix",
    "sign",
    "space_of",
    "sparse_entries",
    "take_array",
    "take_gradient",
    "take_product",
    "take_stack",
    "take_value",
    "take_vector",
    "taken",
    "times",
    "to_host",
    "to_point",
    "trimmed",
    "under",
    "uniform",
    "upload",
    "upload_integers",
    "write_npy",
]
