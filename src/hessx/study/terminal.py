"""What the commands share on the terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hessx.study.methods import Method, find_method

__all__ = ["chosen_method", "mistakes_shown", "progress_bar", "split_names", "taken_names"]


@contextmanager
def mistakes_shown() -> Iterator[None]:
    """Show a wrong name, setting or file as a mistake on the command line."""
    try:
        yield
    except (ValueError, ImportError, AttributeError, OSError) as error:
        raise typer.BadParameter(str(error)) from error


def chosen_method(name: str) -> Method:
    """Look a method up; an unknown one is a mistake on the command line."""
    with mistakes_shown():
        return find_method(name)


def split_names(given: str) -> list[str]:
    """Take names with commas between them, each once."""
    return list(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))


def taken_names(given: str, default: list[str], known: Collection[str] = ()) -> list[str]:
    """Take names with commas between them, each once; one that is not known is a mistake."""
    names = split_names(given) or default
    for name in names:
        if known and name not in known:
            raise typer.BadParameter(f"unknown {name!r}: expected {', '.join(known)}")
    return names


def progress_bar(console: Console, width: int, *, transient: bool = False) -> Progress:
    """Show what is under way, in so many columns, and how much is done."""
    return Progress(
        TextColumn(f"{{task.description:{width}.{width}}}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=transient,
        expand=True,
    )
