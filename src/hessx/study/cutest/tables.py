"""Scores as text: a line per run, notes, and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table

from hessx.study.cutest.runner import Run
from hessx.study.cutest.scoring import Entry, Outcome, Total, differences
from hessx.study.metering import Budget
from hessx.study.methods import Method

__all__ = ["comparison_table", "notes", "run_line", "totals_table"]

_LONGEST_COMPARISON = 20


def run_line(entry: Entry, method: Method, result: Run) -> str:
    """One run on one line."""
    lowest = result.improvements[-1][1] if result.improvements else float("nan")
    return (
        f"{entry.name:12} {method.name:18} cost {result.cost:6d}  f {lowest:15.8e}  "
        f"known {entry.best_fun:15.8e}  |g| {result.grad_norm:8.1e}  {result.seconds:6.2f} s  "
        f"{result.message[:60]}"
    )


def notes(
    entries: Sequence[Entry], best: Mapping[str, float], outcomes: Sequence[Outcome]
) -> Iterator[str]:
    """A line for each new best value, each run that missed tau 1e-6, and each false success."""
    for entry in entries:
        if best[entry.name] < entry.best_fun - 1e-6 * max(1.0, abs(entry.best_fun)):
            yield f"{entry.name}: new best value {best[entry.name]!r}, was {entry.best_fun!r}"
    for outcome in outcomes:
        if outcome.cost_6 is None:
            yield f"{outcome.method} {outcome.problem}: {_why(outcome)}"
    for outcome in outcomes:
        if outcome.false_success:
            yield f"{outcome.method} {outcome.problem}: reports success, is not solved"


def totals_table(totals: Sequence[Total]) -> Table:
    """One row per method."""
    table = Table("method")
    headings = (
        "problems", "tau 1e-3", "tau 1e-6", "near-best", "g-solved", "gm cost",
        "false success", "seconds",
    )  # fmt: skip
    for heading in headings:
        table.add_column(heading, justify="right")
    for t in totals:
        table.add_row(
            t.method, str(t.problems), str(t.tau_3), str(t.tau_6), str(t.near_best),
            str(t.stationary), f"{t.mean_cost:.1f}", str(len(t.false_success)), f"{t.seconds:.1f}",
        )  # fmt: skip
    return table


def comparison_table(
    rows: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]], label: str
) -> Table:
    """The problems where a method's costs differ most from saved ones.

    Parameters
    ----------
    rows, others : sequence of mapping
        Records as `Outcome.as_row` gives them; `others` may be of several methods.
    label : str
        The method. It is compared with itself where `others` has it, else with the first there.

    Returns
    -------
    rich.table.Table
    """
    saved = [row["method"] for row in others]
    other_label = label if label in saved else saved[0]
    table = Table("problem", title=f"cost to tau 1e-6: {label}, and saved {other_label}")
    for heading in ("now", "saved", "ratio"):
        table.add_column(heading, justify="right")
    changes = differences(
        [row for row in rows if row["method"] == label],
        [row for row in others if row["method"] == other_label],
        Budget().total,
    )
    for name, now, before in changes[:_LONGEST_COMPARISON]:
        table.add_row(name, str(now), str(before), f"{now / before:.2f}")
    return table


def _why(outcome: Outcome) -> str:
    if outcome.run is None:
        return "not run at this size"
    note = "stationary elsewhere" if outcome.stationary else "unsolved"
    return f"{note}, {'success: ' if outcome.run.success else ''}{outcome.run.message}"
