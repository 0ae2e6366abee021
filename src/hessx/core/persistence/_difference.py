"""Where two trees of a checkpoint differ, in words."""

from __future__ import annotations

from typing import Any

from hessx.core.persistence._encoding import KINDS

__all__ = ["difference"]

_LONG = 60  # characters of what is told as it is


def difference(given: Any, expected: Any, path: str) -> str | None:
    """Say where two trees differ first, if they do."""
    if isinstance(given, dict) and isinstance(expected, dict) and given.keys() == expected.keys():
        below = [
            (given[key], expected[key], path if key in KINDS else f"{path}.{key}") for key in given
        ]
    elif isinstance(given, list) and isinstance(expected, list) and len(given) == len(expected):
        below = [(a, b, path) for a, b in zip(given, expected, strict=True)]
    elif given == expected:
        return None
    else:
        return f"{path} is {_told(given)}, in the checkpoint {_told(expected)}"
    return next(filter(None, (difference(*three) for three in below)), None)


def _told(tree: Any) -> str:
    """Name an object by its class, and what is long by its kind."""
    if isinstance(tree, dict) and "object" in tree:
        return f"a {tree['object'][1]}"
    text = repr(tree)
    if len(text) <= _LONG:
        return text
    return f"a {next(iter(tree))}" if isinstance(tree, dict) and len(tree) == 1 else "another"
