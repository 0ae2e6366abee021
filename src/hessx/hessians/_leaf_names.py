"""Approximations by the names of leaves."""

from __future__ import annotations

from typing import Any

from hessx.core import SettingsError
from hessx.hessians._family import Approximation

__all__ = ["chosen_by_leaf"]


def chosen_by_leaf(
    paths: list[str], given: Any, otherwise: Approximation | None
) -> list[Approximation]:
    """Find the approximation of each leaf.

    Parameters
    ----------
    paths : list of str
        Those of the leaves, as in ``['layers'][0]``.
    given : approximation, or dict of them
        For every leaf, or by paths, by keys of the top, or by paths to more than a leaf; the
        longest that fits counts.
    otherwise : approximation, optional
        For leaves that none fits.

    Raises
    ------
    SettingsError
        A name that fits no leaf, or a leaf that none fits.
    """
    if not isinstance(given, dict):
        return [given] * len(paths)
    names = {_path(name, paths): name for name in given}
    for path, name in names.items():
        if not any(_within(leaf, path) for leaf in paths):
            msg = f"blocks has {name!r}, which names no leaf: expected some of {paths}"
            raise SettingsError(msg)
    chosen = []
    for leaf in paths:
        path = max((path for path in names if _within(leaf, path)), key=len, default="")
        found = given[names[path]] if path else otherwise
        if found is None:
            msg = f"blocks has nothing for leaf {leaf!r}: expected it, or otherwise"
            raise SettingsError(msg)
        chosen.append(found)
    return chosen


def _path(name: Any, paths: list[str]) -> str:
    """Give the path that a name stands for."""
    is_path = isinstance(name, str) and any(_within(leaf, name) for leaf in paths)
    return name if is_path else f"[{name!r}]"


def _within(leaf: str, path: str) -> bool:
    """Whether a leaf is at a path, or inside."""
    return leaf == path or leaf.startswith(f"{path}[")
