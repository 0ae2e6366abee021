"""The array libraries that a study runs on."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["BACKENDS", "Backend", "default_backends", "open_backend"]


@dataclass(frozen=True)
class Backend:
    """One library, device and floating dtype.

    Attributes
    ----------
    name : str
        As in `BACKENDS`.
    xp : module
        The array API namespace.
    dtype : str
        "float64" or "float32".
    put : callable
        Moves a NumPy array there.
    """

    name: str
    xp: Any
    dtype: str
    put: Callable[[np.ndarray], Any]

    def asarray(self, host: Any) -> Any:
        """Move numbers there, in the backend's dtype."""
        return self.put(np.asarray(host, dtype=self.dtype))

    def zeros(self, n: int) -> Any:
        """Make a vector of zeros."""
        return self.asarray(np.zeros(n))

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Have a function of arrays that keeps nothing compiled, where that is usual: by JAX."""
        if self.xp.__name__ != "jax.numpy":
            return function
        return _namespace("jax").jit(function)  # type: ignore[no-any-return]


def _namespace(module: str) -> Any:
    return importlib.import_module(module)


def _numpy(dtype: str) -> Backend:
    return Backend("numpy", _namespace("array_api_compat.numpy"), dtype, np.array)


def _torch(dtype: str, name: str = "torch", device: str = "cpu") -> Backend:
    xp = _namespace("array_api_compat.torch")
    return Backend(name, xp, dtype, lambda host: xp.asarray(host, device=device, copy=True))


def _torch_cuda(dtype: str) -> Backend:
    return _torch(dtype, "torch-cuda", "cuda")


def _cupy(dtype: str) -> Backend:
    xp = _namespace("array_api_compat.cupy")
    return Backend("cupy", xp, dtype, xp.asarray)


def _jax(dtype: str) -> Backend:
    _namespace("jax").config.update("jax_enable_x64", True)
    xp = _namespace("jax.numpy")
    return Backend("jax", xp, dtype, xp.asarray)


def _dask(dtype: str) -> Backend:
    dask = _namespace("dask.array")

    def put(host: np.ndarray) -> Any:
        return dask.from_array(host, chunks=(-(-host.shape[0] // 2), *host.shape[1:]))

    return Backend("dask", _namespace("array_api_compat.dask.array"), dtype, put)


BACKENDS: dict[str, Callable[[str], Backend]] = {
    "numpy": _numpy,
    "torch": _torch,
    "torch-cuda": _torch_cuda,
    "cupy": _cupy,
    "jax": _jax,
    "dask": _dask,
}


def default_backends() -> list[str]:
    """Give NumPy, and PyTorch on the CPU where it is installed."""
    return [name for name in ("numpy", "torch") if importlib.util.find_spec(name)]


def open_backend(name: str, dtype: str) -> Backend:
    """Import a library.

    Raises
    ------
    ValueError
        An unknown name.
    ImportError
        The library is not installed.
    """
    if name not in BACKENDS:
        msg = f"unknown backend {name!r}: expected one of {', '.join(BACKENDS)}"
        raise ValueError(msg)
    return BACKENDS[name](dtype)
