"""Namespace, device and dtype of a run, found once from its starting point."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import array_api_compat as compat
import numpy as np
from array_api_compat import array_namespace

__all__ = ["Array", "Space", "detach", "is_array", "like", "space_of", "to_point"]

# The standard has no type for "an array of some library".
Array = Any


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Where the vectors of a run live: R^n on one device of one library, in one dtype.

    Attributes
    ----------
    xp : module
        Array API namespace.
    device, dtype : object
        Of every vector of the run.
    shape : tuple of int
        The user's shape of x; inside, x is flat.
    n : int
        Number of variables.
    eps : float
        Machine epsilon of ``dtype``.
    kind : {"numpy", "cupy", "torch", "jax", "dask"} or another library's name
        The library.
    """

    xp: Any
    device: Any
    dtype: Any
    shape: tuple[int, ...]
    n: int
    eps: float
    kind: str
    array_type: Any
    writeable: bool
    chunks: Any = None  # of a flat x, on dask
    has_out: bool = field(init=False)  # functions take out=: no temporaries
    host_dtype: np.dtype[Any] = field(init=False)  # NumPy's name of dtype

    def __post_init__(self) -> None:
        bits = self.xp.finfo(self.dtype).bits
        object.__setattr__(self, "host_dtype", np.dtype(f"float{bits}"))
        object.__setattr__(self, "has_out", self.kind in ("numpy", "cupy", "torch"))

    def __deepcopy__(self, memo: dict[int, Any]) -> Space:
        """Share: a space holds no data of the run."""
        return self

    def flat(self, a: Array) -> Array:
        """View an array of the user's shape as a vector."""
        return a if a.ndim == 1 else self.xp.reshape(a, (-1,))

    def shaped(self, v: Array) -> Array:
        """View a vector in the user's shape."""
        return v if len(self.shape) == 1 else self.xp.reshape(v, self.shape)

    def zeros(self, shape: int | tuple[int, ...]) -> Array:
        """Make zeros of this device and dtype."""
        return self.xp.zeros(shape, dtype=self.dtype, device=self.device)

    def empty(self, shape: int | tuple[int, ...]) -> Array:
        """Make an uninitialised array of this device and dtype."""
        return self.xp.empty(shape, dtype=self.dtype, device=self.device)

    def copy(self, a: Array) -> Array:
        """Copy an array."""
        return self.xp.asarray(a, copy=True)

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


def _kind_of(a: Array) -> str:
    for kind in ("numpy", "cupy", "torch", "jax", "dask"):
        if getattr(compat, f"is_{kind}_array")(a):
            return kind
    return str(array_namespace(a).__name__)


def to_point(x0: Any) -> Array:
    """Take a user's starting point as a real floating array of its own library, unshared.

    Numbers, nested lists and tuples of numbers, and integer NumPy arrays become float64 NumPy
    arrays; a number becomes shape ``(1,)``, as in SciPy.

    Raises
    ------
    TypeError
        Complex x0, half precision, an integer array of another library, or something that is no
        array.
    ValueError
        An empty x0, or one of unknown shape (dask).
    """
    if not compat.is_array_api_obj(x0):
        try:
            array = np.asarray(x0)
        except ValueError as error:
            msg = f"x0 = {x0!r}: expected an array or (nested) lists of numbers of equal length"
            raise TypeError(msg) from error
        x0 = array.reshape(1) if array.ndim == 0 else array
    xp = array_namespace(x0)
    if compat.is_numpy_array(x0) and x0.dtype.kind not in "buifc":
        msg = f"x0 has dtype {x0.dtype}: expected real numbers"
        raise TypeError(msg)
    if xp.isdtype(x0.dtype, "complex floating"):
        msg = (
            f"x0 has complex dtype {x0.dtype}: expected a real floating array; "
            "minimise over real and imaginary parts as two real arrays"
        )
        raise TypeError(msg)
    if compat.is_numpy_array(x0) and x0.dtype.kind in "bui":
        x0 = x0.astype(np.float64)
    if not xp.isdtype(x0.dtype, "real floating"):
        msg = f"x0 has dtype {x0.dtype}: expected a real floating dtype; convert x0 first"
        raise TypeError(msg)
    if xp.finfo(x0.dtype).bits < 32:
        msg = f"x0 has dtype {x0.dtype}: expected float32 or float64; convert x0 first"
        raise TypeError(msg)
    size = compat.size(x0)
    if size is None or (isinstance(size, float) and math.isnan(size)):
        msg = f"x0 has unknown shape {x0.shape}: compute its chunk sizes first"
        raise ValueError(msg)
    if size == 0:
        msg = f"x0 has shape {x0.shape}: expected at least one variable"
        raise ValueError(msg)
    x0 = detach(x0)
    return xp.asarray(x0, copy=True)


def detach(a: Array) -> Array:
    """Cut an autodiff graph off (torch); other arrays pass."""
    return a.detach() if getattr(a, "requires_grad", False) else a


def space_of(x: Array) -> Space:
    """Find the space of a floating array.

    Parameters
    ----------
    x : array
        Of any library that speaks the standard, and of any shape.

    Returns
    -------
    Space
        R^n with the library, device, dtype and shape of x.
    """
    xp = array_namespace(x)
    return Space(
        xp=xp,
        device=compat.device(x),
        dtype=x.dtype,
        shape=tuple(x.shape),
        n=math.prod(x.shape),
        eps=float(xp.finfo(x.dtype).eps),
        kind=_kind_of(x),
        array_type=type(x),
        writeable=bool(compat.is_writeable_array(x)) and not compat.is_dask_array(x),
        chunks=xp.reshape(x, (-1,)).chunks if compat.is_dask_array(x) else None,
    )


def like(space: Space, a: Any, what: str) -> Array:
    """Take a user's auxiliary array (a scale, a diagonal) into the space, or say why not.

    Parameters
    ----------
    space : Space
        Where to.
    a : array or (nested) list
        NumPy arrays and lists are moved and rounded to the dtype; others must be there already.
    what : str
        Its name, for messages.

    Returns
    -------
    array
        A copy.

    Raises
    ------
    TypeError
        Another library, dtype or device than x; not real numbers.
    """
    if compat.is_array_api_obj(a) and not compat.is_numpy_array(a):
        problem = space.mismatch(a)
        if problem is not None:
            msg = f"{what} has {problem} (that of x0)"
            raise TypeError(msg)
        return space.xp.asarray(detach(a), copy=True)
    host = np.asarray(a)
    if host.dtype.kind not in "buif":
        msg = f"{what} has dtype {host.dtype}: expected real numbers"
        raise TypeError(msg)
    return space.xp.asarray(host.astype(space.host_dtype), device=space.device)
