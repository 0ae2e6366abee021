"""The array libraries, one parameter value each, so that every library has its own curve."""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
from typing import Any

from hessx.study.backends import Backend, open_backend

__all__ = ["DEVICES", "EAGER", "LIBRARIES", "large", "library", "wait"]

DEVICES = ["cupy", "torch-cuda"] if shutil.which("nvidia-smi") else []
EAGER = ["numpy", "torch", *DEVICES]
LIBRARIES = [*EAGER, "jax", "dask"]

# Loaded before asv forks, so that an import is paid for once and not by every benchmark; torch
# loads its compiler at the first step of an optimizer, and when launches are counted.
for _module in ("torch", "torch._dynamo", "jax", "dask.array"):
    with contextlib.suppress(ImportError):
        importlib.import_module(_module)


def large(n: int) -> int:
    """So many variables, or a tenth of them where it is asked only whether all benchmarks run."""
    return n // 10 if os.environ.get("HESSX_BENCHMARKS") == "small" else n


def library(name: str) -> Backend:
    """Open a library in float64; where it cannot run, asv shows n/a."""
    try:
        backend = open_backend(name, "float64")
        backend.zeros(1)
    except Exception as error:  # a missing package, driver or device, each with its own class
        raise NotImplementedError(f"{name}: {error}") from error
    if name == "torch":
        importlib.import_module("torch").set_num_threads(1)
    return backend


def wait(array: Any) -> None:
    """Let a library that computes later, or elsewhere, finish."""
    if hasattr(array, "block_until_ready"):
        array.block_until_ready()
    elif hasattr(array, "compute"):
        array.compute()
    elif type(array).__module__.startswith("cupy"):
        array.device.synchronize()
    elif getattr(array, "is_cuda", False):
        importlib.import_module("torch").cuda.synchronize()
