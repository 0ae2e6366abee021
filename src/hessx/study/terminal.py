"""What the commands share on the terminal."""

from __future__ import annotations

from collections.abc import Collection

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hessx.study.methods import Method, find_method

__all__ = ["chosen_method", "progress_bar", "taken_names"]


def chosen_method(name: str) -> Method:
    """Look a method up; an unknown one is a mistake on the command line."""
    try:
        return find_method(name)
    except (ValueError, ImportError, AttributeError) as error:
        raise typer.BadParameter(str(error)) from error


def taken_names(given: str, default: list[str], known: Collection[str] = ()) -> list[str]:
    """Take names with commas between them, each once; one that is not known is a mistake."""
    names = [name.strip() for name in given.split(",") if name.strip()] or default
    for name in names:
        if known and name not in known:
            raise typer.BadParameter(f"unknown {name!r}: expected {', '.join(known)}")
    return list(dict.fromkeys(names))


def progress_bar(console: Console, width: int, *, transient: bool = False) -> Progress:
    """Show what is under way, in so many columns, and how much is done."""
    return Progress(
        TextColumn(f"{{task.description:{width}}}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=transient,
    )
