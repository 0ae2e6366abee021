"""A pretend GPU: a PyTorch device that computes on the host and behaves as a GPU does towards it.

`install` registers the device ``pretend`` in PyTorch's PrivateUse1 slot.  Its tensors keep their
numbers in an ordinary host tensor, so values, autograd and double backward are real, yet

* an operation between them and a host tensor of one or more dimensions raises `DeviceMixError`
  (a host scalar, 0-d, passes as a kernel argument does on CUDA);
* NumPy cannot see into them;
* whatever makes the host wait for the device is tallied, and refused inside `Meter.forbid_waits`.

Three things are tallied.  A **launch** is a dispatched operator other than a view, a bare
allocation, metadata or a transfer.  A **read** is a transfer to the host, or an operator whose
result has a size that the host must learn.  An **upload** is a transfer from the host.  Reads and
uploads are both **waits**: an upload from pageable memory is followed by a synchronisation.

Call `install` before the process's first backward pass: autograd sizes its device queues then.
The registration function is marked experimental in PyTorch; known to work with torch 2.13.0.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

__all__ = [
    "DEVICE",
    "DeviceMixError",
    "Meter",
    "PretendTensor",
    "Tally",
    "UnexpectedWaitError",
    "install",
]

DEVICE = "pretend"

ALLOCATIONS = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"}
METADATA = {"set_", "_reshape_alias", "_unsafe_view", "is_same_size", "lift", "lift_fresh"}
TRANSFERS = {"copy_", "_to_copy", "_copy_from"}
SIZED_BY_VALUES = {
    "_unique2",
    "bincount",
    "equal",
    "masked_select",
    "nonzero",
    "repeat_interleave",
    "unique_consecutive",
    "unique_dim",
}
CHECKED_ON_HOST = {"_linalg_check_errors", "_local_scalar_dense"}


class DeviceMixError(RuntimeError):
    """An operator was given tensors of the pretend GPU together with tensors of the host."""


class UnexpectedWaitError(RuntimeError):
    """The host would have waited for the device where that is forbidden."""


@dataclass
class Tally:
    """What the device was asked for, by operator name."""

    launches: Counter[str] = field(default_factory=Counter)
    reads: Counter[str] = field(default_factory=Counter)
    uploads: Counter[str] = field(default_factory=Counter)

    @property
    def waits(self) -> int:
        """Times that the host waited for the device: reads and uploads."""
        return self.reads.total() + self.uploads.total()


class Meter:
    """Tallies what the device is asked for, and refuses waits where a test forbids them."""

    def __init__(self) -> None:
        self._open: list[Tally] = []
        self._doors: list[frozenset[Any]] = []

    @contextlib.contextmanager
    def tally(self) -> Iterator[Tally]:
        """Count what happens inside the block."""
        tally = Tally()
        self._open.append(tally)
        try:
            yield tally
        finally:
            # by identity: two tallies with equal counts compare equal
            self._open = [other for other in self._open if other is not tally]

    @contextlib.contextmanager
    def forbid_waits(self, *doors: Callable[..., Any]) -> Iterator[None]:
        """Refuse every wait inside the block, except below a call of one of ``doors``.

        A door is known by its code, so it does not matter under which name it was imported.
        """
        self._doors.append(frozenset(inspect.unwrap(door).__code__ for door in doors))
        try:
            yield
        finally:
            self._doors.pop()

    def _launch(self, name: str) -> None:
        for tally in self._open:
            tally.launches[name] += 1

    def _read(self, name: str) -> None:
        self._check_door(f"{name} reads from the device")
        for tally in self._open:
            tally.reads[name] += 1

    def _upload(self, name: str) -> None:
        self._check_door(f"{name} uploads to the device")
        for tally in self._open:
            tally.uploads[name] += 1

    def _check_door(self, what: str) -> None:
        if self._doors and self._doors[-1].isdisjoint(_codes_on_stack()):
            raise UnexpectedWaitError(f"{what}: the host would wait for it here")


def _codes_on_stack() -> Iterator[Any]:
    frame = sys._getframe(1)
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back


_meter = Meter()
_registrations: list[torch.library.Library] = []


def install() -> Meter:
    """Register the device, once in a process, and return its meter."""
    if not _registrations:
        _setup_privateuseone_for_python_backend(DEVICE)
        fallback = torch.library.Library("_", "IMPL")
        fallback.fallback(_without_operands, "PrivateUse1")
        # torch.tensor(..., device=) copies with Python dispatch off, past every tensor subclass
        aten = torch.library.Library("aten", "IMPL")
        aten.impl("_copy_from", _copy_from, "PrivateUse1")
        _registrations.extend([fallback, aten])
    return _meter


class PretendTensor(torch.Tensor):
    """A tensor whose device is the pretend GPU and whose numbers are in the host tensor ``raw``."""

    raw: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, raw: torch.Tensor) -> PretendTensor:
        tensor = torch.Tensor._make_wrapper_subclass(
            cls,
            raw.shape,
            strides=raw.stride(),
            storage_offset=raw.storage_offset(),
            dtype=raw.dtype,
            device=torch.device(DEVICE, 0),
        )
        tensor.raw = raw
        return tensor

    def tolist(self) -> Any:
        """One read, as on CUDA; PyTorch itself refuses it for tensor subclasses."""
        return self.cpu().tolist()

    def __repr__(self) -> str:
        return f"PretendTensor({self.raw!r})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _execute(func, args, kwargs or {})


def _without_operands(func: Any, *args: Any, **kwargs: Any) -> Any:
    """Factories reach the device's dispatch key and not a tensor subclass: they have no operand."""
    return _execute(func, args, kwargs)


def _execute(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    name = _name(func)
    operands = [*_tensors(args), *_tensors(kwargs)]
    target = kwargs.get("device")
    to_device = _is_pretend(target) if target is not None else any(map(_is_ours, operands))
    if name in TRANSFERS:
        _charge_transfer(name, operands, to_device)
    else:
        _refuse_mixing(name, operands)
        _charge(func, name, args)
    if target is not None:
        kwargs = kwargs | {"device": "cpu"}
    result = func(*_mapped(_unwrap, args), **_mapped(_unwrap, kwargs))
    written = _written_operand(func, args, kwargs)
    if written is not None and isinstance(result, torch.Tensor):
        if _is_ours(written) and written.shape != written.raw.shape:
            written.data = PretendTensor(written.raw)
        return written
    return _mapped(_wrap, result) if to_device else result


def _tensors(tree: Any) -> Iterator[torch.Tensor]:
    """The tensors in what an operator takes; torch's own walk takes most of an operator's time."""
    if isinstance(tree, torch.Tensor):
        yield tree
    elif isinstance(tree, tuple | list):
        for branch in tree:
            yield from _tensors(branch)
    elif isinstance(tree, dict):
        yield from _tensors(tuple(tree.values()))


def _mapped(change: Callable[[Any], Any], tree: Any) -> Any:
    """What an operator takes or gives, each leaf changed."""
    if isinstance(tree, tuple | list):
        return type(tree)([_mapped(change, branch) for branch in tree])
    if isinstance(tree, dict):
        return {name: _mapped(change, branch) for name, branch in tree.items()}
    return change(tree)


@functools.cache
def _name(func: Any) -> str:
    return str(func._schema.name.split("::")[-1])


@functools.cache
def _written_argument(func: Any) -> tuple[int, str] | None:
    for position, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            return position, argument.name
    return None


def _charge_transfer(name: str, operands: list[torch.Tensor], to_device: bool) -> None:
    ours = [_is_ours(operand) for operand in operands]
    if name == "_to_copy":
        source, goal = ours[0], to_device
    else:
        goal, source = ours
    if source == goal:
        _meter._launch(name)
    elif goal:
        _meter._upload(name)
    else:
        _meter._read(name)


def _charge(func: Any, name: str, args: tuple[Any, ...]) -> None:
    by_mask = name in ("index", "index_put_", "index_put") and any(
        leaf.dtype == torch.bool for leaf in _tensors(args[1])
    )
    if name in CHECKED_ON_HOST:
        _meter._read(name)
    elif not (func.is_view or name in ALLOCATIONS or name in METADATA):
        if name in SIZED_BY_VALUES or by_mask:
            _meter._read(name)
        _meter._launch(name)


def _refuse_mixing(name: str, operands: list[torch.Tensor]) -> None:
    if not any(map(_is_ours, operands)):
        return
    for operand in operands:
        if not _is_ours(operand) and operand.ndim > 0:
            raise DeviceMixError(
                f"{name}: expected all tensors on {DEVICE}:0, "
                f"found one of shape {tuple(operand.shape)} on {operand.device}"
            )


def _written_operand(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The operand that an in-place or ``out=`` operator writes to and returns, or None."""
    written = _written_argument(func)
    if written is None:
        return None
    position, name = written
    return kwargs.get(name, args[position] if position < len(args) else None)


def _copy_from(
    source: torch.Tensor, goal: torch.Tensor, non_blocking: bool = False
) -> torch.Tensor:
    _charge_transfer("_copy_from", [goal, source], _is_ours(goal))
    _unwrap(goal).copy_(_unwrap(source))
    return goal


def _is_pretend(device: Any) -> bool:
    return torch.device(device).type == DEVICE


def _is_ours(tensor: torch.Tensor) -> bool:
    return isinstance(tensor, PretendTensor)


def _unwrap(leaf: Any) -> Any:
    return leaf.raw if isinstance(leaf, PretendTensor) else leaf


def _wrap(leaf: Any) -> Any:
    return PretendTensor(leaf) if isinstance(leaf, torch.Tensor) else leaf
