"""Rows as tables for a terminal of 80 columns."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hessx.study.analysis.costs import UNITS
from hessx.study.analysis.scores import Score
from hessx.study.problems import PROBLEMS
from hessx.study.records import PLAIN, Row, figures

__all__ = ["print_scores", "print_tables", "wrapped"]

_NAME, _OUTCOME = 18, 16  # columns; six figures of together 46 go beside them
# figures, and their headings
_OTHERS = {
    "iterations": "iter",
    "evaluations": "eval",
    "products": "prod",
    "value": "value",
    "grad_norm": "|g|",
    "seconds": "time",
}
_SUMS = {
    "iterations": "iter",
    "passes": "passes",
    "value": "loss",
    "accuracy": "accuracy",
    "seconds": "time",
}


def print_tables(console: Console, rows: Sequence[Row]) -> None:
    """Print a table for each problem, backend, dtype and feature; no name is cut in a word."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.problem, row.backend, row.dtype, row.feature), []).append(row)
    for (problem, backend, dtype, feature), group in groups.items():
        title = f"\n{problem}, {backend}, {dtype}" + (f", {feature}" if feature != PLAIN else "")
        console.print(title, highlight=False, markup=False)
        console.print(_table(group, of_sum=_is_sum(problem)))


def print_scores(console: Console, scores: Sequence[Score], tau: float, unit: str) -> None:
    """Print the table of scores: how many runs, how many solved, and at what cost."""
    title = f"\nsolved: f - f_best <= {tau:g} (f0 - f_best); cost: {UNITS[unit]}"
    console.print(title, highlight=False, markup=False)
    table = _empty_table()
    table.add_column("method", no_wrap=True)
    for heading in ("runs", "solved", "near", "false", "first", "cost", "ratio", "time"):
        table.add_column(heading, justify="right", no_wrap=True)
    for s in scores:
        counts = (s.run, s.solved, s.near_best, s.false_success, s.cheapest)
        means = [_number(x, ".4g") for x in (s.mean_cost, s.mean_ratio)]
        name = wrapped(s.method, _NAME)
        table.add_row(name, *map(str, counts), *means, f"{s.seconds:.1f} s")
    console.print(table)


def wrapped(name: str, width: int) -> str:
    """Break a name into lines after its signs, so that no word of it is cut."""
    lines = [""]
    for word in re.findall(r"[^-_:.]+[-_:.]*|[-_:.]+", name):
        if lines[-1] and len(lines[-1] + word) > width:
            lines.append("")
        lines[-1] += word
    return "\n".join(lines)


def _table(rows: Sequence[Row], *, of_sum: bool) -> Table:
    table = _empty_table()
    table.add_column("method", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    columns = _SUMS if of_sum else _OTHERS
    for heading in columns.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        found = figures(row)
        found["value"] = _number(row.value, ".4g")
        cells = (found[name] for name in columns)
        table.add_row(_label(row), Text(_short(row.outcome), _color(row)), *cells)
    return table


def _empty_table() -> Table:
    return Table(box=None, pad_edge=False, collapse_padding=True)


def _label(row: Row) -> str:
    """Name the method, and what tells its run from others in the table."""
    module, _, attribute = row.method.rpartition(":")
    name = row.method if module == "scipy" else attribute  # which may have the name of hessx's
    rate = "" if row.rate is None else f"\n  rate {row.rate:.3g}"
    seed = f"\n  seed {row.seed}" if row.seed else ""
    return wrapped(name, _NAME) + rate + seed


def _short(outcome: str) -> str:
    """Give an outcome, or its first word where the whole is too long."""
    return outcome if len(outcome) <= _OUTCOME else re.split(r"[:, ]", outcome)[0]


def _color(row: Row) -> str:
    if row.converged:
        return "green"
    return "yellow" if row.completed else "red"


def _is_sum(problem: str) -> bool:
    return problem in PROBLEMS and PROBLEMS[problem].is_sum


def _number(value: float, form: str) -> str:
    return "" if math.isnan(value) else format(value, form)
