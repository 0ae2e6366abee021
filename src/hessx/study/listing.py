"""What a study knows by name, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from hessx.study.backends import BACKENDS, default_backends
from hessx.study.features import FEATURES
from hessx.study.methods import METHODS
from hessx.study.problems import PROBLEMS
from hessx.study.tables import wrapped

__all__ = ["listing"]

_NAME = 24  # columns


def listing(console: Console) -> None:
    """Print tables of problems, methods, features and backends."""
    problems = ((own, str(p.n), ", ".join(p.tags), p.title) for own, p in PROBLEMS.items())
    console.print(f"\n{len(PROBLEMS)} problems")
    console.print(_table(("name", "n", "tags", "title"), problems))
    methods = (
        (name, method.family, "" if method.needs is None else f"needs {method.needs}", method.title)
        for name, method in METHODS.items()
    )
    console.print(f"\n{len(METHODS)} methods")
    console.print(_table(("name", "family", "", "title"), methods))
    features = ((name, feature.about) for name, feature in FEATURES.items())
    console.print("\nfeatures of problems")
    console.print(_table(("name", "what it does"), features))
    usual = default_backends()
    backends = ((name, "by default" if name in usual else "where asked for") for name in BACKENDS)
    console.print("\nbackends")
    console.print(_table(("name", "run"), backends))


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    for i, heading in enumerate(headings):
        table.add_column(heading, no_wrap=i == 0, justify="right" if heading == "n" else "left")
    for name, *others in rows:
        table.add_row(wrapped(name, _NAME), *others)
    return table
