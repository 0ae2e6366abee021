"""Objects as JSON trees and arrays, and back.

A tree is what JSON has, with everything else as ``{kind: content}``.  Objects are numbered in the
order in which they are met and arrays named by number, so that what is shared stays shared.  Rows
and arrays of the host come without the zeros at their ends, where room is left for more.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from functools import reduce
from operator import or_
from types import FunctionType
from typing import Any

from hessx._xp import (
    Array,
    ListedRows,
    Space,
    WrittenRows,
    host_array,
    host_rows,
    is_array,
    is_host_scalar,
    padded,
    placed_array,
    placed_rows,
    trimmed,
)
from hessx.core._saved import Entry, entry_named, entry_of

__all__ = ["KINDS", "Reader", "Writer", "packed"]

_Tree = Any


class Writer:
    """Turn objects into trees.

    Attributes
    ----------
    arrays : dict of NumPy arrays
        What the trees name; those of libraries on the CPU are views.
    objects : list
        What was met, in order.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, Any] = {}
        self.objects: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._keys: dict[int, str] = {}
        self._held: list[Any] = []  # ids stay those of living arrays

    def tree(self, value: Any, path: str, *, given: bool = False, host: bool = False) -> _Tree:
        """Describe a value.

        Parameters
        ----------
        value : object
            See `saved` for what can be described.
        path : str
            Its name, for messages.
        given : bool
            Whether what cannot be saved will be given again: then its type alone is noted.
        host : bool
            Whether an array belongs to the host.

        Raises
        ------
        TypeError
            Something that cannot be saved.
        """
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if type(value) is list:
            return [
                self.tree(v, f"{path}[{i}]", given=given, host=host) for i, v in enumerate(value)
            ]
        if type(value) is tuple:
            return {"tuple": self.tree([*value], path, given=given, host=host)}
        if type(value) is dict:
            pairs = [[k, v] for k, v in value.items()]
            return {"dict": self.tree(pairs, path, given=given, host=host)}
        if is_host_scalar(value):
            return {"scalar": self._key(value, host_array)}
        if isinstance(value, WrittenRows | ListedRows):
            return {"rows": [self._key(value, host_rows), value.count]}
        if is_array(value) and host:
            shape = [*value.shape]
            return {"host": [self._key(value, lambda a: trimmed(host_array(a))), shape]}
        if is_array(value):
            return {"array": self._key(value, host_array)}
        if isinstance(value, Space):
            return {"space": [value.shape, value.chunks] if value.of_part else None}
        return self._part(value, path, given)

    def _key(self, value: Any, read: Callable[[Any], Any]) -> str:
        if id(value) not in self._keys:
            key = self._keys[id(value)] = str(len(self.arrays))
            self.arrays[key] = read(value)
            self._held.append(value)
        return self._keys[id(value)]

    def _part(self, value: Any, path: str, given: bool) -> _Tree:
        if id(value) in self._numbers:
            return {"same": self._numbers[id(value)]}
        entry = entry_of(value if isinstance(value, FunctionType) else type(value))
        if entry is not None and isinstance(value, FunctionType):
            return {"function": entry.name}
        if entry is not None and isinstance(value, enum.Enum):
            return {"member": [entry.name, value.name or ""]}  # "A|B" of flags
        if entry is None and not given:
            msg = (
                f"{path} is a {type(value).__name__}, which cannot be saved: "
                f"register its class with @hessx.saved, or replace it by what can be saved"
            )
            raise TypeError(msg)
        number = self._numbers[id(value)] = len(self.objects)
        self.objects.append(value)
        if entry is None:
            kind = value if hasattr(value, "__qualname__") else type(value)
            return {"given": [number, f"{kind.__module__}.{kind.__qualname__}"]}
        fields = {
            name: self.tree(getattr(value, name), f"{path}.{name}", given=given, host=on_host)
            if hasattr(value, name)
            else {"unset": None}
            for name, on_host in _fields(entry, value)
        }
        return {"object": [number, entry.name, fields]}


def _fields(entry: Entry, value: Any) -> list[tuple[str, bool]]:
    names = entry.attributes if entry.arguments is None else entry.arguments
    if entry.open and entry.arguments is None:
        names += tuple(vars(value))
    return [(name, name in entry.host) for name in names if name not in entry.fresh]


class Reader:
    """Make the objects of trees.

    Parameters
    ----------
    space : Space
        Where arrays go.
    arrays : dict of NumPy arrays
        What the trees name.
    objects : list
        The first objects, where they are there already.

    Raises
    ------
    LookupError
        A class that is not registered here, or something that was to be given again.
    KeyError, ValueError, TypeError
        A tree that no `Writer` has written.
    """

    def __init__(self, space: Space, arrays: dict[str, Any], objects: list[Any]) -> None:
        self.space, self.arrays = space, arrays
        self._objects: dict[int, Any] = dict(enumerate(objects))
        self._placed: dict[str, Array] = {}

    def value(self, tree: _Tree) -> Any:
        """Make what a tree describes."""
        if isinstance(tree, list):
            return [self.value(v) for v in tree]
        if not isinstance(tree, dict):
            return tree
        ((kind, content),) = tree.items()
        return _READ[kind](self, content)

    def _tuple(self, content: Any) -> Any:
        return tuple(self.value(content))

    def _dict(self, content: Any) -> Any:
        return dict(self.value(content))

    def _scalar(self, key: str) -> Any:
        return self.arrays[key][()]

    def _host(self, content: Any) -> Any:
        key, shape = content
        return self._once(key, lambda host: padded(host, tuple(shape)))

    def _array(self, key: str) -> Any:
        return self._once(key, lambda host: placed_array(self.space, host))

    def _rows(self, content: Any) -> Any:
        key, count = content
        return self._once(key, lambda host: placed_rows(self.space, host, count))

    def _once(self, key: str, place: Callable[[Any], Any]) -> Any:
        if key not in self._placed:
            self._placed[key] = place(self.arrays[key])
        return self._placed[key]

    def _space(self, content: Any) -> Any:
        """The space of the run, or of some entries of x."""
        return self.space if content is None else self.space.part(*content)

    def _same(self, number: int) -> Any:
        return self._objects[number]

    def _function(self, name: str) -> Any:
        return _entry(name).part

    def _member(self, content: Any) -> Any:
        name, member = content
        kind = _entry(name).part
        return reduce(or_, (kind[part] for part in member.split("|"))) if member else kind(0)

    def _given(self, content: Any) -> Any:
        if content[0] in self._objects:
            return self._objects[content[0]]
        msg = f"the method holds a {content[1]}, which was not saved: give method= again"
        raise LookupError(msg)

    def _object(self, content: Any) -> Any:
        number, name, trees = content
        entry = _entry(name)
        if number in self._objects:
            return self._objects[number]
        if entry.arguments is not None:
            fields = {field: self.value(tree) for field, tree in trees.items()}
            self._objects[number] = entry.part(**fields)
            return self._objects[number]
        unlike = {*trees} ^ {*entry.attributes} - entry.fresh
        if unlike and not entry.open:
            msg = f"{name} has other attributes here: {', '.join(sorted(unlike))}"
            raise ValueError(msg)
        part = self._objects[number] = object.__new__(entry.part)
        for field, tree in trees.items():
            if tree == {"unset": None}:
                continue
            if field in entry.attributes:
                object.__setattr__(part, field, self.value(tree))
            else:
                part.__dict__[field] = self.value(tree)
        for field in entry.fresh:
            object.__setattr__(part, field, None)
        return part


_READ: dict[str, Callable[[Reader, Any], Any]] = {
    "float": lambda _, text: float({"nan": "nan", "inf": "inf", "-inf": "-inf"}[text]),
    "tuple": Reader._tuple,
    "dict": Reader._dict,
    "scalar": Reader._scalar,
    "host": Reader._host,
    "array": Reader._array,
    "rows": Reader._rows,
    "space": Reader._space,
    "same": Reader._same,
    "function": Reader._function,
    "member": Reader._member,
    "given": Reader._given,
    "object": Reader._object,
}


def _entry(name: str) -> Entry:
    entry = entry_named(name)
    if entry is None:
        msg = f"it holds a {name}, which is not known here: import its module first"
        raise LookupError(msg)
    return entry


KINDS = _READ.keys()  # what an entry may be, and no name of a field


def packed(part: Any, space: Space) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Describe an object of a registered class for pickle, as ``__reduce__`` does."""
    writer = Writer()
    tree = writer.tree(part, type(part).__name__)
    return _unpacked, (space, tree, writer.arrays)


def _unpacked(space: Space, tree: _Tree, arrays: dict[str, Any]) -> Any:
    return Reader(space, arrays, []).value(tree)
