"""Pictures of rows on Hessians."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from hessx.comparison._rows import QUANTILES, HessianRow

__all__ = ["FIGURES"]

_LINES = ("solid", "dash", "dot", "dashdot")
_COLOURS = (
    "#636efa", "#ef553b", "#00cc96", "#ab63fa", "#ffa15a", "#19d3f3", "#ff6692", "#6b8e23",
    "#c71585", "#8c564b",
)  # fmt: skip
_RANGE = 1e-6  # of the largest: what is below, most often rounding, is drawn there


def _figure() -> Any:
    import plotly.graph_objects as go

    return go.Figure()


def _of_points(
    column: str, title: str, *, deviation: str = "", beside: str = "", beside_title: str = ""
) -> Callable[[Any], Any]:
    """Give what draws a column over the points, on a logarithmic axis; a column of H beside it."""

    def draw(comparison: Any) -> Any:
        figure = _figure()
        known = {name: _known(comparison.of(name), column) for name in comparison.names}
        everything = [getattr(row, column) for rows in known.values() for row in rows]
        least = _RANGE * max(everything, default=1.0)
        for i, (name, rows) in enumerate(known.items()):
            values = [getattr(row, column) for row in rows]
            bars = [getattr(row, deviation) for row in rows] if deviation else []
            figure.add_scatter(
                x=[row.point for row in rows],
                y=[max(value, least) for value in values],
                hovertext=[f"{value:.4g}" for value in values],
                error_y={"array": bars} if any(bars) else None,
                name=name,
                mode="lines+markers",
                line={"color": _COLOURS[i % 10], "dash": _LINES[i // 10 % len(_LINES)]},
            )
        if beside:
            rows = _known(comparison.of(comparison.names[0]), beside)
            figure.add_scatter(
                x=[row.point for row in rows],
                y=[getattr(row, beside) for row in rows],
                name=beside_title,
                mode="lines",
                line={"color": "gray", "dash": "dot"},
            )
        return figure.update_layout(xaxis_title="step", yaxis_title=title, yaxis_type="log")

    return draw


def _known(rows: Iterable[HessianRow], column: str) -> list[HessianRow]:
    return [row for row in rows if math.isfinite(getattr(row, column))]


def _models(comparison: Any) -> Any:
    """Draw the real fall of f over that of the model; on the diagonal they agree."""
    figure, ends = _figure(), []
    for name in comparison.names:
        rows = [row for row in comparison.of(name) if row.model_reduction > 0.0 < row.reduction]
        falls = [row.model_reduction for row in rows], [row.reduction for row in rows]
        ends += [*falls[0], *falls[1]]
        figure.add_scatter(
            x=falls[0], y=falls[1], name=name, mode="markers", text=[row.point for row in rows]
        )
    if ends:
        both = [min(ends), max(ends)]
        figure.add_scatter(x=both, y=both, name="equal", mode="lines", line_color="gray")
    return figure.update_layout(
        xaxis_title="fall of f by the model",
        yaxis_title="fall of f",
        xaxis_type="log",
        yaxis_type="log",
    )


def _spectra(comparison: Any) -> Any:
    """Draw the quantiles at the last point: of H, of each B^-1 H, and, where asked for, of B."""
    figure = _figure()
    first = comparison.last(comparison.names[0])
    drawn: list[tuple[Any, ...]] = [
        ("H", first.hessian_spectrum, {"color": "gray", "width": 4}, True)
    ]
    for i, name in enumerate(comparison.names):
        row, colour = comparison.last(name), _COLOURS[i % 10]
        inside = row.preconditioned_spectrum
        drawn.append((f"{name}: B^-1 H", inside, {"color": colour}, True))
        hidden = "legendonly" if inside else True
        drawn.append((f"{name}: B", row.spectrum, {"color": colour, "dash": "dash"}, hidden))
    for title, values, line, visible in drawn:
        if values:
            figure.add_scatter(
                x=list(QUANTILES),
                y=list(values),
                name=title,
                mode="lines",
                line=line,
                visible=visible,
            )
    return figure.update_layout(
        xaxis_title="share of the eigenvalues below", yaxis_title="eigenvalue", yaxis_type="log"
    )


def _chain(comparison: Any) -> Any:
    """Draw what each link adds, point by point, as bars beside each other."""
    figure = _figure()
    links = {row.link: row.approximation for row in comparison.rows if row.link is not None}
    for link in sorted(links):
        rows = [row for row in comparison.of(links[link]) if row.link == link]
        figure.add_bar(
            x=[str(row.point) for row in rows],
            y=[row.added for row in rows],
            error_y={"array": [row.added_deviation for row in rows]},
            name=f"{links[link]} of {links.get(link - 1, 'H')}",
        )
    return figure.update_layout(
        barmode="group", xaxis_title="step", xaxis_type="category", yaxis_title="error added"
    )


def _blocks(comparison: Any) -> Any:
    """Draw the errors by blocks at the last point."""
    figure = _figure()
    for name in comparison.names:
        last = comparison.last(name).point
        rows = [r for r in comparison.rows if r.approximation == name and r.point == last]
        rows = [row for row in rows if row.block]
        figure.add_bar(x=[row.block for row in rows], y=[row.error for row in rows], name=name)
    return figure.update_layout(barmode="group", xaxis_title="block", yaxis_title="error")


def _costs(comparison: Any) -> Any:
    """Draw median error over the median time to bring B to a point and to apply B^-1 once.

    Where B^-1 v is not known, to apply B.
    """
    figure, found = _figure(), []
    for name in comparison.names:
        rows = comparison.of(name)
        error, memory = _median(r.scaled_error for r in rows), _median(r.memory for r in rows)
        build, solve, product = (
            _median(getattr(r, part) for r in rows) for part in ("build", "solve", "product")
        )
        found.append((name, error, build + (product if math.isnan(solve) else solve), memory))
    least = _RANGE * max((error for _, error, *_ in found if error == error), default=1.0)
    for i, (name, error, time, memory) in enumerate(found):
        figure.add_scatter(
            x=[time],
            y=[max(error, least)],
            name=name,
            mode="markers",
            marker={"size": 12, "color": _COLOURS[i % 10], "symbol": i // 10},
            hovertext=f"{error:.3g}, {memory:.0f} bytes",
        )
    return figure.update_layout(
        xaxis_title="time to form and to apply, in gradients",
        yaxis_title="norm(c B - H) / norm(H), the best c",
        xaxis_type="log",
        yaxis_type="log",
    )


def _median(values: Iterable[float | None]) -> float:
    known = sorted(v for v in values if v is not None and math.isfinite(v))
    return known[len(known) // 2] if known else math.nan


FIGURES: dict[str, Callable[[Any], Any]] = {
    "errors": _of_points("error", "norm(B - H) / norm(H)", deviation="error_deviation"),
    "scaled": _of_points("scaled_error", "norm(c B - H) / norm(H), the best c"),
    "ratios": _of_points("dennis_more", "norm((B - H) s) / norm(s)"),
    "steps": _of_points("step_error", "norm((B - H) s) / norm(H s)"),
    "secants": _of_points("secant_error", "norm(B s - y) / norm(y)"),
    "models": _models,
    "conditions": _of_points(
        "preconditioned_condition",
        "condition number of B^-1 H",
        beside="hessian_condition",
        beside_title="H",
    ),
    "spectra": _spectra,
    "chain": _chain,
    "blocks": _blocks,
    "costs": _costs,
}
