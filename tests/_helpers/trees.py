"""Trees of arrays made from a flat one and put together again, without the code under test."""

from __future__ import annotations

from typing import Any, NamedTuple

import array_api_compat as compat

__all__ = ["Layer", "containers", "cut", "glue", "leaves"]


class Layer(NamedTuple):
    """A tree that is a namedtuple."""

    weight: Any
    bias: Any


def cut(tree: Any, vector: Any) -> Any:
    """The leaves of a flat array in their containers; an integer asks for a 0-d array."""
    if isinstance(tree, slice):
        return vector[tree]
    if isinstance(tree, int):
        return compat.array_namespace(vector).reshape(vector[tree : tree + 1], ())
    if isinstance(tree, dict):
        return type(tree)((name, cut(child, vector)) for name, child in tree.items())
    children = [cut(child, vector) for child in tree]
    return Layer(*children) if isinstance(tree, Layer) else type(tree)(children)


def glue(tree: Any) -> Any:
    """The flat array again."""
    parts = [compat.array_namespace(a).reshape(a, (-1,)) for a in leaves(tree)]
    return compat.array_namespace(parts[0]).concat(parts)


def leaves(tree: Any) -> list[Any]:
    """The arrays in their order."""
    if isinstance(tree, dict):
        tree = tree.values()
    elif not isinstance(tree, list | tuple):
        return [tree]
    return [leaf for child in tree for leaf in leaves(child)]


def containers(tree: Any) -> Any:
    """The tree's types, keys and lengths."""
    if isinstance(tree, dict):
        return type(tree), [(name, containers(child)) for name, child in tree.items()]
    if isinstance(tree, list | tuple):
        return type(tree), [containers(child) for child in tree]
    return "leaf"
