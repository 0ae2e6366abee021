"""The array libraries that the tests run on, each behind the same few questions.

A `Backend` makes arrays of one library, on one device, in one floating dtype, and reads them
back without going through the code under test.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import array_api_compat as compat
import numpy as np

__all__ = [
    "Backend",
    "Cupy",
    "Dask",
    "Jax",
    "PretendCupy",
    "PretendGpu",
    "ReadOnlyNumpy",
    "Strict",
    "Torch",
    "Waits",
    "family_of",
]


@dataclass
class Waits:
    """How often the host waited for a backend, by the backend's own count."""

    count: int = 0


@dataclass(frozen=True)
class Backend:
    """One library, device and floating dtype.

    Attributes
    ----------
    name, family : str
        ``"torch-float32"`` is of the family ``"torch"``.
    xp : module
        The array API namespace, wrapped by array_api_compat where that knows the library.
    device : object
        As ``xp.asarray(..., device=)`` takes it.
    dtype_name : str
        ``"float64"`` or ``"float32"``.
    writeable : bool
        Whether an array from `asarray` may be written to.
    lazy : bool
        Whether values are computed only when they are asked for.
    has_float64 : bool
        Whether the device has float64 at all.
    counts_fetches : bool
        Whether `fetches` can count here.
    """

    name: str
    xp: Any
    device: Any
    dtype_name: str = "float64"
    writeable: bool = True
    lazy: bool = False
    has_float64: bool = True
    counts_fetches: bool = False

    @property
    def family(self) -> str:
        """The library's entry in ``--backend``."""
        return family_of(self.name)

    @property
    def dtype(self) -> Any:
        """The floating dtype, as the library spells it."""
        return getattr(self.xp, self.dtype_name)

    @property
    def eps(self) -> float:
        """Machine epsilon of `dtype`."""
        return float(np.finfo(self.dtype_name).eps)

    def asarray(self, data: Any, dtype: str | None = None) -> Any:
        """Make an array from numbers, nested lists or a NumPy array.

        ``dtype`` is a name, such as ``"float32"`` or ``"int64"``; the backend's own by default.
        """
        return self._put(np.array(data, dtype=dtype or self.dtype_name))

    def to_numpy(self, a: Any) -> np.ndarray:
        """Read an array of this backend."""
        return np.asarray(a)

    def assert_same_kind(self, a: Any, like: Any) -> None:
        """Assert that ``a`` has the library, dtype, device and shape of ``like``."""
        assert compat.is_array_api_obj(a), f"{type(a).__name__} is not an array"
        library, expected = (compat.array_namespace(b).__name__ for b in (a, like))
        assert library == expected, f"library {library}, expected {expected}"
        assert isinstance(a, np.generic) == isinstance(like, np.generic), f"got a {type(a)}"
        assert a.dtype == like.dtype, f"dtype {a.dtype}, expected {like.dtype}"
        device, expected = compat.device(a), compat.device(like)
        assert device == expected, f"device {device}, expected {expected}"
        assert tuple(a.shape) == tuple(like.shape), f"shape {a.shape}, expected {like.shape}"

    @contextlib.contextmanager
    def fetches(self) -> Iterator[Waits]:
        """Count how often the host waits inside the block, where ``counts_fetches``."""
        raise NotImplementedError(f"{self.name} cannot count the host's waits")
        yield

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Hold the library's process-wide settings for one test."""
        yield

    def _put(self, host: np.ndarray) -> Any:
        return self.xp.asarray(host, device=self.device)


class ReadOnlyNumpy(Backend):
    """NumPy arrays that must not be written to."""

    def _put(self, host: np.ndarray) -> np.ndarray:
        host.flags.writeable = False
        return host


@dataclass(frozen=True)
class Strict(Backend):
    """array-api-strict at the 2024.12 standard; a ``strictest`` one without its optional parts."""

    strictest: bool = False

    def to_numpy(self, a: Any) -> np.ndarray:
        return np.asarray(self.xp.asarray(a, device=self.xp.Device("CPU_DEVICE")))

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        with self.xp.ArrayAPIStrictFlags(
            api_version="2024.12",
            boolean_indexing=not self.strictest,
            data_dependent_shapes=not self.strictest,
            enabled_extensions=() if self.strictest else ("linalg", "fft"),
        ):
            yield


class Torch(Backend):
    """PyTorch on a device of its own."""

    def to_numpy(self, a: Any) -> np.ndarray:
        return a.detach().cpu().numpy()


@dataclass(frozen=True)
class PretendGpu(Torch):
    """PyTorch on the pretend GPU, which counts."""

    meter: Any = None

    @contextlib.contextmanager
    def fetches(self) -> Iterator[Waits]:
        waits = Waits()
        with self.meter.tally() as tally:
            yield waits
        waits.count = tally.waits


class Jax(Backend):
    """JAX with 64 bits switched on, or off for float32 as is its default."""

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        import jax

        with jax.enable_x64(self.has_float64):
            yield


class Dask(Backend):
    """dask arrays of two chunks along the first axis."""

    def _put(self, host: np.ndarray) -> Any:
        import dask.array

        first = -(-host.shape[0] // 2) if host.ndim and host.shape[0] else None
        chunks = (first or -1, *host.shape[1:]) if host.ndim else ()
        return dask.array.from_array(host, chunks=chunks)

    @contextlib.contextmanager
    def fetches(self) -> Iterator[Waits]:
        from dask.callbacks import Callback

        waits = Waits()

        def computed(graph: Any) -> None:
            waits.count += 1

        with Callback(start=computed):
            yield waits

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        import dask

        with dask.config.set(scheduler="synchronous"):
            yield


class Cupy(Backend):
    """CuPy on the current CUDA device."""

    def to_numpy(self, a: Any) -> np.ndarray:
        return a.get()


class PretendCupy(Cupy):
    """CuPy's names and signatures, carried out by NumPy."""

    @contextlib.contextmanager
    def fetches(self) -> Iterator[Waits]:
        from _helpers import pretend_cupy

        waits, before = Waits(), pretend_cupy.waits.total()
        yield waits
        waits.count = pretend_cupy.waits.total() - before

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        from _helpers import pretend_cupy

        with pretend_cupy.pretending():
            yield


def family_of(name: str) -> str:
    """The library's entry in ``--backend``: a name up to its first dash."""
    return name if name == "cupy-signatures" else name.split("-")[0]
