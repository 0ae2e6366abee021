"""How many bytes of arrays a part owns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import is_dataclass
from typing import Any

from hessx._xp import Space, is_array

__all__ = ["owned_bytes"]

_OF_THE_PROBLEM = ("hessx.models.", "hessx.objectives.")


def owned_bytes(space: Space, part: Any) -> int:
    """Add up the arrays that an object holds, in its attributes and in theirs, each once.

    Parameters
    ----------
    space : Space
        Where the run lives: numbers have its size, those of NumPy their own.
    part : object
        A curvature or a chain of rules.  What functions hold is not counted, nor is the data of the
        problem.

    Returns
    -------
    int
        Bytes.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx._xp import space_of
    >>> from hessx.comparison._memory import owned_bytes
    >>> from hessx.core import Frame
    >>> x = np.zeros(10)
    >>> owned_bytes(space_of(x), hessx.BFGS().begin(Frame(x)))
    0
    """
    total, seen, waiting = 0, set(), [part]
    while waiting:
        part = waiting.pop()
        while is_array(getattr(part, "base", None)):  # NumPy's view of another
            part = part.base
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        if is_array(part):
            size = getattr(getattr(part, "dtype", None), "itemsize", None)
            total += math.prod(part.shape) * (size or space.host_dtype.itemsize)
        else:
            waiting.extend(_inside(part))
    return total


def _inside(part: Any) -> Iterable[Any]:
    """What an object of the library holds, or a container."""
    if isinstance(part, dict):
        return part.values()
    if isinstance(part, list | tuple):
        return part
    module = type(part).__module__
    ours = module.startswith("hessx.") or is_dataclass(part)
    left_out = isinstance(part, Space | type) or module.startswith(_OF_THE_PROBLEM)
    return _attributes(part) if ours and not left_out else ()


def _attributes(part: Any) -> Iterator[Any]:
    yield from getattr(part, "__dict__", {}).values()
    for kind in type(part).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            yield getattr(part, name, None)
