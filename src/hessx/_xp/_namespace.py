"""Namespace, device and dtype of a run, found once from its starting point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import array_api_compat as compat
import numpy as np
from array_api_compat import array_namespace

from hessx._xp._recycler import Recycler
from hessx._xp._tree import Tree, cut, walk

__all__ = [
    "Array",
    "Library",
    "Space",
    "detach",
    "is_array",
    "is_real_floating",
    "library_of",
    "space_of",
]

# The standard has no type for "an array of some library".
Array = Any


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """What is known of all arrays of one type and dtype.

    Attributes
    ----------
    xp : module
        Array API namespace.
    kind : {"numpy", "cupy", "torch", "jax", "dask"} or another library's name
        The library.
    bits, eps, smallest, largest : int, float, float, float
        Of the dtype, normal numbers alone; 0 and nan where it is not real floating.
    has_out : bool
        Functions take ``out=``: no temporaries.
    host_dtype : numpy.dtype, optional
        NumPy's name of a real floating dtype.
    """

    xp: Any
    kind: str
    bits: int
    eps: float
    smallest: float
    largest: float
    has_out: bool
    host_dtype: Any


_libraries: dict[tuple[type, Any], Library] = {}


def library_of(a: Array) -> Library:
    """Find what is known of an array's type and dtype; looked up once for each."""
    key = type(a), a.dtype
    library = _libraries.get(key)
    if library is None:
        library = _libraries[key] = _look_up(a)
    return library


def _look_up(a: Array) -> Library:
    xp, kind, has_out = array_namespace(a), _kind_of(a), False
    if not xp.isdtype(a.dtype, "real floating"):
        return Library(xp, kind, 0, math.nan, math.nan, math.nan, has_out, None)
    info, has_out = xp.finfo(a.dtype), kind in ("numpy", "cupy", "torch")
    host = np.dtype(f"float{info.bits}")
    eps, smallest, largest = float(info.eps), float(info.smallest_normal), float(info.max)
    return Library(xp, kind, int(info.bits), eps, smallest, largest, has_out, host)


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Where the vectors of a run live: R^n on one device of one library, in one dtype.

    Attributes
    ----------
    xp, kind, eps, smallest, largest, has_out, host_dtype : object
        As in `Library`.
    device, dtype : object
        Of every vector of the run.
    shape : tuple of int
        The user's shape of x, (n,) where x is a tree; inside, x is flat.
    n : int
        Number of variables.
    lazy : bool
        Arrays are computed when a fetch asks for them.
    tree : Tree, optional
        The structure of x, where the user gave a tree of arrays.
    recycler : Recycler, optional
        On NumPy, memory of the vectors that the user is given.
    of_part : bool
        Of some entries of x, see `part`.
    """

    xp: Any
    device: Any
    dtype: Any
    shape: tuple[int, ...]
    n: int
    eps: float
    smallest: float
    largest: float
    kind: str
    has_out: bool
    host_dtype: Any
    array_type: Any
    writeable: bool
    lazy: bool
    chunks: Any = None  # of a flat x, on dask
    tree: Tree | None = None
    recycler: Recycler | None = None
    of_part: bool = False

    def __deepcopy__(self, memo: dict[int, Any]) -> Space:
        """Share: a space holds no data of the run."""
        return self

    def __reduce__(self) -> Any:
        """Be found again from an array of its kind, in whatever process."""
        return _space_again, (self.zeros(()), self.shape, self.n, self.chunks, self.tree)

    def flat(self, a: Any) -> Array:
        """View an array of the user's shape as a vector, or join the leaves of a user's tree."""
        if self.tree is not None and not is_array(a):
            return self.join([leaf for _, leaf, _ in self.tree.match(a, "x", "x0")])
        return a if a.ndim == 1 else self.xp.reshape(a, (-1,))

    def join(self, leaves: list[Array]) -> Array:
        """Join the leaves of a tree to a vector, one concatenation."""
        flat = [a if a.ndim == 1 else self.xp.reshape(a, (-1,)) for a in leaves]
        return flat[0] if len(flat) == 1 else self.xp.concat(flat)

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of the leaves of x in order; an array x is one leaf."""
        return (self.shape,) if self.tree is None else self.tree.shapes

    def leaves(self, v: Array) -> list[Array]:
        """View a vector as the leaves of x, in order; `join` is the way back."""
        return cut(self.xp, v, self.shapes)

    def shaped(self, v: Array) -> Any:
        """View a vector in the user's shape, or as the user's tree."""
        if self.tree is not None:
            return self.tree.cut(v, self.xp.reshape)
        return v if len(self.shape) == 1 else self.xp.reshape(v, self.shape)

    def for_user(self, v: Array) -> Any:
        """Hand out a vector in the user's shape; on NumPy a copy, which may be written to."""
        if self.recycler is not None:
            v = self.recycler.copy_of(v)
        return v if len(self.shape) == 1 and self.tree is None else self.shaped(v)

    def zeros(self, shape: int | tuple[int, ...]) -> Array:
        """Make zeros of this device and dtype."""
        return self.xp.zeros(shape, dtype=self.dtype, device=self.device)

    def empty(self, shape: int | tuple[int, ...]) -> Array:
        """Make an uninitialised array of this device and dtype."""
        return self.xp.empty(shape, dtype=self.dtype, device=self.device)

    def copy(self, a: Array) -> Array:
        """Copy an array."""
        return np.array(a) if self.kind == "numpy" else self.xp.asarray(a, copy=True)

    def part(self, shape: Sequence[int], chunks: Any = None) -> Space:
        """Give the space of some entries, in an array of a shape of its own."""
        n = math.prod(shape)
        chunks = None if self.chunks is None else (tuple(chunks[0]) if chunks else (n,),)
        own: dict[str, Any] = {
            "shape": tuple(shape),
            "n": n,
            "chunks": chunks,
            "tree": None,
            "recycler": None,
        }
        return replace(self, **own, of_part=True)

    def with_shape_of(self, x: Any) -> Space:
        """Give the space of the shape or tree of x in this library, dtype and device."""
        other = space_of(x)
        recycler = None if self.recycler is None else Recycler(other.n, self.host_dtype)
        shape, n, chunks, tree = other.shape, other.n, other.chunks, other.tree
        return replace(self, shape=shape, n=n, chunks=chunks, tree=tree, recycler=recycler)

    def mismatch(self, a: Any) -> str | None:
        """Say in which of library, dtype and device ``a`` differs from this space, if in any."""
        if type(a) is self.array_type and a.dtype == self.dtype:
            if self.kind == "numpy" or self.kind == "dask" or compat.device(a) == self.device:
                return None
            return f"device {compat.device(a)}, expected {self.device}"
        if not is_array(a):
            return f"type {type(a).__name__}, expected an array of {self.kind_name}"
        if array_namespace(a) is not self.xp:
            return f"an array of {_kind_of(a)}, expected one of {self.kind_name}"
        if a.dtype != self.dtype:
            return f"dtype {a.dtype}, expected {self.dtype}"
        if compat.device(a) != self.device:
            return f"device {compat.device(a)}, expected {self.device}"
        return None

    @property
    def kind_name(self) -> str:
        """The library's name, for messages."""
        return str(self.xp.__name__).removeprefix("array_api_compat.")


def is_array(a: object) -> bool:
    """Tell whether ``a`` is an array of a library that speaks the standard."""
    return bool(compat.is_array_api_obj(a))


def is_real_floating(a: Array) -> bool:
    """Tell whether an array has real floating numbers, of whatever size."""
    return library_of(a).bits > 0


def _kind_of(a: Array) -> str:
    for kind in ("numpy", "cupy", "torch", "jax", "dask"):
        if getattr(compat, f"is_{kind}_array")(a):
            return kind
    return str(array_namespace(a).__name__)


def detach(a: Array) -> Array:
    """Cut an autodiff graph off (torch); other arrays pass."""
    return a.detach() if getattr(a, "requires_grad", False) else a


def space_of(x: Any, shape: tuple[int, ...] | None = None) -> Space:
    """Find the space of a floating array, or of a tree of them.

    Parameters
    ----------
    x : array, or dict, list or tuple of arrays
        Of any library that speaks the standard, and of any shape; the leaves of a tree are of
        one library, device and dtype.
    shape : tuple of int, optional
        That of the vectors, where it is not that of x, an array.

    Returns
    -------
    Space
        R^n with the library, device, dtype and shape of x.
    """
    if shape is not None:
        return _make_space(x, shape, math.prod(shape), None, None)
    tree = None if is_array(x) else Tree.of(x)
    leaves = [x] if tree is None else [leaf for _, leaf in walk(x, "x")]
    a, n = leaves[0], sum([math.prod(leaf.shape) for leaf in leaves])
    chunks = _flat_chunks(library_of(a).xp, leaves) if library_of(a).kind == "dask" else None
    return _make_space(a, tuple(a.shape) if tree is None else (n,), n, chunks, tree)


def _make_space(a: Array, shape: tuple[int, ...], n: int, chunks: Any, tree: Any) -> Space:
    """Make a space of arrays like a."""
    library = library_of(a)
    lazy, host = library.kind == "dask", library.kind == "numpy"
    return Space(
        xp=library.xp,
        device=compat.device(a),
        dtype=a.dtype,
        shape=shape,
        n=n,
        eps=library.eps,
        smallest=library.smallest,
        largest=library.largest,
        kind=library.kind,
        has_out=library.has_out,
        host_dtype=library.host_dtype,
        array_type=type(a),
        writeable=bool(compat.is_writeable_array(a)) and not lazy,
        lazy=lazy,
        chunks=chunks,
        tree=tree,
        recycler=Recycler(n, library.host_dtype) if host else None,
    )


def _space_again(a: Array, shape: tuple[int, ...], n: int, chunks: Any, tree: Any) -> Space:
    return _make_space(a, shape, n, chunks, tree)


def _flat_chunks(xp: Any, leaves: list[Array]) -> Any:
    """Chunks of the leaves, flat and one after the other."""
    return (sum((xp.reshape(a, (-1,)).chunks[0] for a in leaves), ()),)
