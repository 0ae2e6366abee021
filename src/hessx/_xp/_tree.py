"""Trees: dicts, lists and tuples of arrays, and where each leaf lies in one flat vector."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import array_api_compat as compat
import numpy as np

__all__ = ["Tree", "cut", "is_tree", "match", "rebuild", "walk"]

_CONTAINERS = (dict, list, tuple)
_SEQUENCES = (list, tuple)
_NUMBERS = (float, int, np.generic)


@dataclass(frozen=True, slots=True)
class Tree:
    """The structure of a tree of arrays.

    Attributes
    ----------
    containers : dict, list or tuple
        Those of x0, nested as there, with None for each leaf.
    shapes : tuple of tuple of int
        Of the leaves, in the order of x0.
    spans : tuple of slice
        Where the leaves lie in the flat vector, one after the other.
    """

    containers: Any
    shapes: tuple[tuple[int, ...], ...]
    spans: tuple[slice, ...]

    @classmethod
    def of(cls, x: Any) -> Tree:
        """Find the structure of a tree of arrays."""
        shapes = tuple(tuple(leaf.shape) for _, leaf in walk(x, "x"))
        ends = accumulate((math.prod(shape) for shape in shapes), initial=0)
        spans = tuple(slice(start, stop) for start, stop in pairwise(ends))
        return cls(rebuild(x, iter([None] * len(shapes))), shapes, spans)

    @property
    def paths(self) -> list[str]:
        """Names of the leaves: keys in brackets, as in ``['layers'][0]``."""
        return [path for path, _ in match(self.containers, self.containers, "", "")]

    def match(
        self, given: Any, path: str, whose: str
    ) -> Iterator[tuple[str, Any, tuple[int, ...]]]:
        """Give path, value and due shape of each leaf of a user's tree; see `match`."""
        leaves = match(self.containers, given, path, whose)
        for (name, leaf), shape in zip(leaves, self.shapes, strict=True):
            yield name, leaf, shape

    def cut(self, v: Any, reshape: Callable[[Any, tuple[int, ...]], Any]) -> Any:
        """View a flat vector as the tree."""
        pieces = zip(self.spans, self.shapes, strict=True)
        leaves = (v[span] if len(shape) == 1 else reshape(v[span], shape) for span, shape in pieces)
        return rebuild(self.containers, leaves)


def cut(xp: Any, v: Any, shapes: Sequence[tuple[int, ...]]) -> list[Any]:
    """View a flat vector as arrays of these shapes, one after the other."""
    pieces, start = [], 0
    for shape in shapes:
        stop = start + math.prod(shape)
        piece = v if start == 0 and stop == v.shape[0] else v[start:stop]
        pieces.append(piece if len(shape) == 1 else xp.reshape(piece, shape))
        start = stop
    return pieces


def is_tree(a: Any) -> bool:
    """Tell whether ``a`` is a dict, or a list or tuple that holds an array or a dict somewhere."""
    if isinstance(a, dict):
        return True
    return isinstance(a, _SEQUENCES) and any(
        not isinstance(b, _NUMBERS) and (is_tree(b) or compat.is_array_api_obj(b)) for b in a
    )


def walk(tree: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Give path and value of each leaf.

    Parameters
    ----------
    tree : dict, list or tuple, or a leaf
        Of any depth.
    path : str
        The name of the tree; that of a leaf has its keys behind it: ``x0['layers'][0]``.

    Yields
    ------
    path, leaf : str, object
        In the order of the tree.

    Raises
    ------
    TypeError
        A container that could not be built again, or one of numbers only.
    """
    if not isinstance(tree, _CONTAINERS):
        yield path, tree
        return
    if type(tree) not in (dict, OrderedDict, list, tuple) and not hasattr(tree, "_make"):
        msg = f"{path} is a {type(tree).__name__}: expected a dict, list, tuple or namedtuple"
        raise TypeError(msg)
    if tree and not is_tree(tree):
        msg = f"{path} is a {type(tree).__name__} without an array: expected an array in its place"
        raise TypeError(msg)
    for key in _keys(tree):
        yield from walk(tree[key], f"{path}[{key!r}]")


def match(tree: Any, given: Any, path: str, whose: str) -> Iterator[tuple[str, Any]]:
    """Give path and value of each leaf of ``given``, in the order of ``tree``.

    Dicts are matched by key, and any list or tuple with one of the same length.  ``whose`` tree it
    is, for messages.

    Raises
    ------
    TypeError
        Another container than in ``tree``.
    ValueError
        Other keys, or another length.
    """
    if not isinstance(tree, _CONTAINERS):
        yield path, given
        return
    keys = _keys(tree)
    same_kind = isinstance(given, dict if isinstance(tree, dict) else _SEQUENCES)
    if not same_kind or len(given) != len(tree) or any(key not in _keys(given) for key in keys):
        found = _size(given) if same_kind else f"type {type(given).__name__}"
        expected = f"a {type(tree).__name__} with {_size(tree)}"
        msg = f"{path} has {found}: expected {expected}, as {whose}"
        raise ValueError(msg) if same_kind else TypeError(msg)
    for key in keys:
        yield from match(tree[key], given[key], f"{path}[{key!r}]", whose)


def rebuild(tree: Any, leaves: Iterator[Any]) -> Any:
    """Make the containers of ``tree`` anew around other leaves, given in its order."""
    if not isinstance(tree, _CONTAINERS):
        return next(leaves)
    children = [rebuild(tree[key], leaves) for key in _keys(tree)]
    if isinstance(tree, dict):
        return type(tree)(zip(tree, children, strict=True))
    return tree._make(children) if hasattr(tree, "_make") else type(tree)(children)


def _keys(tree: Any) -> Any:
    return tree if isinstance(tree, dict) else range(len(tree))


def _size(tree: Any) -> str:
    return f"the keys {list(tree)}" if isinstance(tree, dict) else f"{len(tree)} entries"
