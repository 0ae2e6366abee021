"""Count the operators that PyTorch dispatches: the launches of a GPU, on any device."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["Launches"]

NO_KERNEL = {"empty", "empty_strided", "empty_like", "detach", "lift_fresh", "_to_copy"}


class Launches(TorchDispatchMode):
    """A context in which operators other than views and allocations are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.count, self.paused = 0, False

    @contextlib.contextmanager
    def pause(self) -> Iterator[None]:
        """Leave out what happens inside the block."""
        self.paused = True
        try:
            yield
        finally:
            self.paused = False

    def without(self, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Wrap a function whose own operators are left out."""

        def paused(x: Any) -> Any:
            with self.pause():
                return function(x)

        return paused

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name.removeprefix("aten::")
        self.count += not (self.paused or func.is_view or name in NO_KERNEL)
        return func(*args, **(kwargs or {}))
