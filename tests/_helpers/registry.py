"""The backends by name: how each is made, and why it cannot be where it cannot."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from _helpers.backends import (
    Backend,
    Cupy,
    Dask,
    Jax,
    PretendCupy,
    PretendGpu,
    ReadOnlyNumpy,
    Strict,
    Torch,
)

__all__ = ["BACKENDS", "UnavailableError", "make_backend"]


class UnavailableError(Exception):
    """A backend cannot run here; the message says why."""


def _numpy(name: str) -> Backend:
    import array_api_compat.numpy as xp

    if name == "numpy-readonly":
        return ReadOnlyNumpy(name, xp, "cpu", writeable=False)
    return Backend(name, xp, "cpu", _dtype_in(name))


def _strict(name: str) -> Backend:
    xp = _library("array_api_strict", "array-api-strict")
    device = xp.Device(
        {"strict-device1": "device1", "strict-no_float64": "no_float64"}.get(name, "CPU_DEVICE")
    )
    if name == "strict-no_float64":
        return Strict(name, xp, device, "float32", has_float64=False)
    return Strict(name, xp, device, strictest=name == "strict-strictest")


def _torch(name: str) -> Backend:
    _library("torch")
    import array_api_compat.torch as xp

    if name == "fakegpu":
        from _helpers import pretend_gpu

        meter = pretend_gpu.install()
        return PretendGpu(
            name, xp, xp.device(pretend_gpu.DEVICE, 0), counts_fetches=True, meter=meter
        )
    device = xp.device("cuda", 0) if name.startswith("cuda") else xp.device("cpu")
    if device.type == "cuda" and not xp.cuda.is_available():
        raise UnavailableError("torch sees no CUDA device here")
    return Torch(name, xp, device, _dtype_in(name))


def _jax(name: str) -> Backend:
    jax = _library("jax")
    dtype = _dtype_in(name)
    return Jax(
        name,
        jax.numpy,
        jax.devices("cpu")[0],
        dtype,
        writeable=False,
        has_float64=dtype == "float64",
    )


def _dask(name: str) -> Backend:
    _library("dask.array", "dask[array]")
    import array_api_compat.dask.array as xp

    return Dask(name, xp, "cpu", writeable=False, lazy=True, counts_fetches=True)


def _cupy(name: str) -> Backend:
    cupy = _library("cupy")
    if name == "cupy-signatures":
        from _helpers import pretend_cupy

        return PretendCupy(name, pretend_cupy.namespace(), pretend_cupy.DEVICE, counts_fetches=True)
    if not cupy.is_available():
        raise UnavailableError("cupy sees no CUDA device here")
    import array_api_compat.cupy as xp

    return Cupy(name, xp, cupy.cuda.Device(), _dtype_in(name))


def _library(module: str, package: str | None = None) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UnavailableError(f"{package or module} is not installed ({error})") from error


def _dtype_in(name: str) -> str:
    return "float32" if name.endswith("float32") else "float64"


BACKENDS: dict[str, Callable[[str], Backend]] = {
    "numpy": _numpy,
    "numpy-float32": _numpy,
    "numpy-readonly": _numpy,
    "strict": _strict,
    "strict-device1": _strict,
    "strict-no_float64": _strict,
    "strict-strictest": _strict,
    "torch": _torch,
    "torch-float32": _torch,
    "fakegpu": _torch,
    "cuda-torch": _torch,
    "cuda-torch-float32": _torch,
    "jax": _jax,
    "jax-float32": _jax,
    "dask": _dask,
    "cupy": _cupy,
    "cupy-float32": _cupy,
    "cupy-signatures": _cupy,
}


def make_backend(name: str) -> Backend:
    """Make the backend of a name in `BACKENDS`, or raise `UnavailableError` with the reason."""
    return BACKENDS[name](name)
