"""How methods and backends look in every picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["dashes", "looks"]

# Told from one another on white and on black.
_COLORS = (
    "#2a7fd4", "#e0662a", "#2a9d6e", "#c95aa3", "#8a63d2", "#b08600", "#d64545", "#0f9fb0",
    "#7b8794", "#6b8e23", "#b5651d", "#5c6bc0", "#d4569a", "#3d9a4b", "#9c6ade", "#c77d2a",
)  # fmt: skip
# One per round of colours.
_SYMBOLS = (
    "circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "hourglass", "star",
)  # fmt: skip
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def looks(methods: Sequence[str]) -> dict[str, dict[str, str]]:
    """Give each method a colour and a symbol; those that come first have colours of their own."""
    return {
        name: {
            "color": _COLORS[i % len(_COLORS)],
            "symbol": _SYMBOLS[i // len(_COLORS) % len(_SYMBOLS)],
        }
        for i, name in enumerate(methods)
    }


def dashes(backends: Iterable[str]) -> dict[str, str]:
    """Give each backend a kind of line."""
    return {name: _DASHES[i % len(_DASHES)] for i, name in enumerate(backends)}
