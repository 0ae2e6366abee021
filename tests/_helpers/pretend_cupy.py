"""A pretend CuPy: CuPy's names and signatures, computed by NumPy, on a machine without a GPU.

CuPy can be imported without a GPU, but no array of any size can be made.  Here an array is an
uninitialised `cupy.ndarray`, so that array_api_compat takes it for one, around a NumPy array.
Every attribute, operator and function that is used on it must exist in CuPy and take the
arguments given: otherwise the call fails where it is made, as it would on a GPU.  NumPy arrays
are refused as operands, as CuPy refuses them.  Values are what is checked; of a kernel its body is
compiled for the host.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import inspect
import shutil
import subprocess
import tempfile
import types
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import array_api_compat
import array_api_compat.cupy as cupy_namespace
import array_api_compat.numpy as numpy_namespace
import cupy
import numpy as np
import pytest

__all__ = ["DEVICE", "PretendCupyArray", "namespace", "pretending", "waits"]

DEVICE = cupy.cuda.Device(0)

waits: Counter[str] = Counter()  # transfers between host and device since the process began

UFUNC_KEYWORDS = {"out", "dtype", "casting"}
GUFUNC_KEYWORDS = {"out", "dtype", "casting", "axes", "axis", "keepdims"}
READS = ("__bool__", "__float__", "__int__", "__complex__")
PLAIN = ("__len__", "__repr__", "__str__", "__format__")
UNARY = ("neg", "pos", "abs", "invert")
BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor")
COMPARISONS = ("lt", "le", "eq", "ne", "gt", "ge")


class PretendCupyArray(cupy.ndarray):
    """Shows what `cupy.ndarray` has, and answers it with the NumPy array ``raw``."""

    raw: np.ndarray
    __hash__ = None

    def __new__(cls, raw: np.ndarray) -> PretendCupyArray:
        array = super().__new__(cls, _no_init=True)
        array.raw = raw
        return array

    def __getattribute__(self, name: str) -> Any:
        if name in ("raw", "__class__", "__dict__"):
            return object.__getattribute__(self, name)
        if name == "__cupy_override_elementwise_kernel__":  # CuPy hands the kernel over
            return _run_kernel
        getattr(cupy.ndarray, name)  # an AttributeError here is CuPy's own
        if name == "device":
            return DEVICE
        if name == "get":
            waits["get"] += 1
            return self.raw.copy
        if name.startswith("_"):
            return object.__getattribute__(self, name)
        value = getattr(self.raw, name)
        return _carried_out(value) if callable(value) else _wrap(value)

    def __getitem__(self, key: Any) -> PretendCupyArray:
        return _wrap(self.raw[_operand(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        self.raw[_operand(key)] = _operand(value)

    def __iter__(self) -> Iterator[PretendCupyArray]:
        return map(_wrap, self.raw)

    def __array_function__(self, *_: Any) -> Any:
        raise TypeError("a NumPy function was called on a CuPy array")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return _carried_out(getattr(ufunc, method))(*inputs, **kwargs)

    def __dlpack__(self, **_: Any) -> Any:
        raise BufferError("a CuPy array's memory is not on the host")

    def __deepcopy__(self, memo: Any) -> PretendCupyArray:
        return _wrap(self.raw.copy())

    def __reduce__(self) -> tuple[Any, ...]:
        return PretendCupyArray, (self.raw,)


def _define_operators() -> None:
    names = [f"__{prefix}{name}__" for name in BINARY for prefix in ("", "r", "i")]
    names += [f"__{name}__" for name in UNARY + COMPARISONS]
    for name in names:
        if hasattr(cupy.ndarray, name):
            setattr(PretendCupyArray, name, _operator(name))
    for name in PLAIN + READS:
        setattr(PretendCupyArray, name, _special(name))


def _operator(name: str) -> Callable[..., Any]:
    def operate(self: PretendCupyArray, *others: Any) -> Any:
        result = getattr(self.raw, name)(*map(_operand, others))
        if result is NotImplemented:
            return result
        return self if result is self.raw else _wrap(result)

    return operate


def _special(name: str) -> Callable[..., Any]:
    def special(self: PretendCupyArray, *args: Any) -> Any:
        if name in READS:
            waits[name] += 1
        return getattr(self.raw, name)(*args)

    return special


class _Namespace(types.ModuleType):
    """What ``real``, a module of array_api_compat's CuPy, has, carried out by ``base``."""

    def __init__(self, real: types.ModuleType, base: types.ModuleType) -> None:
        super().__init__(real.__name__)
        self._real, self._base = real, base

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)  # an AttributeError here is array_api_compat's own
        base = getattr(self._base, name)
        if isinstance(real, types.ModuleType):
            return _Namespace(real, base)
        if not callable(real) or isinstance(real, type):
            return base

        def call(*args: Any, **kwargs: Any) -> Any:
            _check_arguments(name, real, args, kwargs)
            kwargs.pop("device", None)
            if name != "asarray":
                return _carried_out(base)(*args, **kwargs)
            if not isinstance(args[0], PretendCupyArray):
                waits["asarray"] += 1
                return _wrap(np.array(args[0], dtype=kwargs.get("dtype")))
            return _wrap(base(args[0].raw, **kwargs))

        return call


def _check_arguments(name: str, real: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise TypeError where CuPy's own function would."""
    device = kwargs.get("device", DEVICE)
    if device != DEVICE:
        raise TypeError(f"{name}: device {device!r} is not a CUDA device")
    if isinstance(real, cupy.ufunc):
        if not real.nin <= len(args) <= real.nargs or not kwargs.keys() <= UFUNC_KEYWORDS:
            raise TypeError(f"{name}{args} {kwargs}: {real.nin} operands and {UFUNC_KEYWORDS}")
        return
    signature = inspect.signature(real)
    bound = signature.bind(*args, **kwargs)
    passed_on = next(
        (p.name for p in signature.parameters.values() if p.kind is p.VAR_KEYWORD), None
    )
    extra = bound.arguments.get(passed_on, {})
    if extra and not extra.keys() <= _keywords_of(getattr(cupy, name)):
        raise TypeError(f"cupy.{name} takes none of {sorted(extra)}")


def _keywords_of(function: Any) -> set[str]:
    if type(function).__name__ == "_GUFunc":
        return GUFUNC_KEYWORDS
    return (
        UFUNC_KEYWORDS
        if isinstance(function, cupy.ufunc)
        else set(inspect.signature(function).parameters)
    )


def _carried_out(function: Callable[..., Any]) -> Callable[..., Any]:
    def carry_out(*args: Any, **kwargs: Any) -> Any:
        return _wrap(function(*map(_operand, args), **{k: _operand(v) for k, v in kwargs.items()}))

    return carry_out


def _run_kernel(kernel: cupy.ElementwiseKernel, *arguments: Any) -> None:
    """Carry out an ElementwiseKernel: its body compiled for the host, in a loop."""
    arrays = [a.raw for a in arguments if isinstance(a, PretendCupyArray)]
    (dtype,), n = {a.dtype for a in arrays}, max(a.size for a in arrays)
    compiled = _compile(kernel, {np.dtype("f8"): "double", np.dtype("f4"): "float"}[dtype])
    outputs = arrays[-kernel.nout :]
    assert len(arguments) == kernel.nargs
    assert all(a.flags.c_contiguous and a.shape == outputs[0].shape for a in outputs)
    given = [np.broadcast_to(np.asarray(_operand(a), dtype), (n,)) for a in arguments[: kernel.nin]]
    given = [np.ascontiguousarray(a) for a in given]  # a copy of what is one number
    compiled(ctypes.c_long(n), *(ctypes.c_void_p(a.ctypes.data) for a in [*given, *outputs]))


@functools.cache
def _compile(kernel: cupy.ElementwiseKernel, T: str) -> Any:
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler, to carry out CuPy's kernels on the host")
    names = [p.name for p in (*kernel.in_params, *kernel.out_params)]
    arguments = "".join(f", T* _raw_{name}" for name in names)
    read = "".join(f"const T {p.name}(_raw_{p.name}[i]);\n" for p in kernel.in_params)
    read += "".join(f"T& {p.name} = _raw_{p.name}[i];\n" for p in kernel.out_params)
    source = (
        f"#include <cmath>\nusing std::sqrt; using std::fabs; typedef {T} T;\n"
        f'extern "C" void {kernel.name}(long n{arguments}) {{\n'
        f"for (long i = 0; i < n; ++i) {{\n{read}{kernel.operation}\n}}\n}}\n"
    )
    folder = Path(tempfile.mkdtemp(prefix="pretend-cupy-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "kernel.cpp").write_text(source)
    library = folder / "kernel.so"
    flags = ["-shared", "-fPIC", "-O1", "-ffp-contract=off", "-Wall", "-Werror"]
    subprocess.run([compiler, *flags, str(folder / "kernel.cpp"), "-o", str(library)], check=True)
    return ctypes.CDLL(str(library))[kernel.name]


def _operand(value: Any) -> Any:
    if isinstance(value, PretendCupyArray):
        return value.raw
    if isinstance(value, np.ndarray):
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    if isinstance(value, tuple | list):
        return type(value)(map(_operand, value))
    return value


def _wrap(result: Any) -> Any:
    if isinstance(result, np.ndarray | np.generic):
        return PretendCupyArray(np.asarray(result))
    if isinstance(result, tuple) and any(isinstance(part, np.ndarray) for part in result):
        return tuple(map(_wrap, result))
    return result


_define_operators()
_namespace = _Namespace(cupy_namespace, numpy_namespace)


def namespace() -> types.ModuleType:
    """The pretend array_api_compat.cupy."""
    return _namespace


@contextlib.contextmanager
def pretending() -> Iterator[None]:
    """Let array_api_compat find the pretend namespace as CuPy's."""
    with mock.patch.object(array_api_compat, "cupy", _namespace):
        yield
