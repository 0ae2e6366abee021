"""The study as one HTML page that needs nothing else, and as a table for the terminal."""

from __future__ import annotations

import importlib.metadata
import json
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import plotly.offline

import hessx
from hessx.study.methods import METHODS
from hessx.study.posed import Problem
from hessx.study.problems import PROBLEMS
from hessx.study.records import Row, duration, figures

__all__ = ["Study", "environment", "write_page"]

_POINTS = 300  # of a drawn curve, at most
_COLORS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#5d3a9b", "#8c6d1f", "#444444", "#e69f00",
    "#56b4e9", "#b2182b", "#117733", "#882255", "#999933", "#1f1f7a", "#a0522d",
)  # fmt: skip
# One per round of colours.
_SYMBOLS = (
    "circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "hourglass",
)  # fmt: skip
# As Plotly and as SVG call them.
_DASHES = (
    ("solid", ""), ("dash", "7 4"), ("dot", "2 3"), ("dashdot", "7 3 2 3"), ("longdash", "12 4"),
    ("longdashdot", "12 3 2 3"),
)  # fmt: skip
_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "jax", "dask", "array-api-compat")


@dataclass(frozen=True)
class Study:
    """What a page is made of."""

    rows: Sequence[Row]
    settings: dict[str, str]


def write_page(study: Study, path: Path) -> None:
    """Write the page."""
    template = files("hessx.study").joinpath("report.html.jinja").read_text(encoding="utf-8")
    page = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page.filters |= {"figures": figures, "duration": duration, "grade": _grade}
    methods = list(dict.fromkeys(row.method for row in study.rows))
    backends = list(dict.fromkeys(row.backend for row in study.rows))
    problems = list(dict.fromkeys(row.problem for row in study.rows))
    colors = {name: _COLORS[i % len(_COLORS)] for i, name in enumerate(methods)}
    symbols = {name: _SYMBOLS[i // len(_COLORS) % len(_SYMBOLS)] for i, name in enumerate(methods)}
    dashes = {name: _DASHES[i % len(_DASHES)] for i, name in enumerate(backends)}
    data = {
        "curves": [_drawn(row, study.rows) for row in study.rows if row.curve.value],
        "colors": colors,
        "symbols": symbols,
        "dashes": {name: dash for name, (dash, _) in dashes.items()},
    }
    html = page.from_string(template).render(
        rows=study.rows,
        cells={(row.problem, row.method, row.backend): row for row in study.rows},
        problems={name: PROBLEMS[name] for name in problems},
        titles={name: METHODS[name].title if name in METHODS else name for name in methods},
        backends=backends,
        reason=_reason,
        colors=colors,
        symbols=symbols,
        dashes=dashes,
        settings=study.settings,
        environment=environment(),
        # inside a script element "<" could end it
        data=json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c"),
        plotly=plotly.offline.get_plotlyjs(),
    )
    path.write_text(html, encoding="utf-8")


def environment() -> dict[str, str]:
    """Describe the machine and the versions of what ran on it."""
    versions = [f"hessx {hessx.__version__}"]
    for package in _PACKAGES:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "Libraries": ", ".join(versions),
        "System": platform.platform(),
        "CPU": f"{_cpu()}, {os.cpu_count()} logical cores",
        "Threads": os.environ.get("OMP_NUM_THREADS", "1") + " per run",
    }


def _grade(row: Row) -> str:
    """Name the colour of an outcome."""
    if row.converged:
        return "good"
    return "late" if row.outcome.startswith(("limit", "completed")) else "bad"


def _reason(method: str, problem: Problem) -> str:
    """Say why a run was not made."""
    needs = METHODS[method].needs if method in METHODS else None
    return "not run" if needs is None or needs in problem.known else f"needs {needs}"


def _cpu() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _drawn(row: Row, rows: Sequence[Row]) -> dict[str, Any]:
    """Thin a curve out, and put the values above the lowest of all runs on the problem."""
    lowest = min(
        value
        for other in rows
        if other.problem == row.problem
        for value in (*other.curve.value, other.value)
        if math.isfinite(value)
    )
    curve = row.curve
    chosen = _spread(len(curve.value))
    return {
        "problem": row.problem,
        "method": row.method,
        "backend": row.backend,
        "iteration": [curve.iteration[i] for i in chosen],
        "evaluation": [curve.evaluation[i] for i in chosen],
        "second": [float(f"{curve.second[i]:.4g}") for i in chosen],
        "gap": [_plain(curve.value[i] - lowest) for i in chosen],
        "grad_norm": [_plain(curve.grad_norm[i]) for i in chosen],
    }


def _plain(value: float) -> float | None:
    """Shorten for the page; JSON has no numbers that are not finite."""
    return float(f"{value:.4g}") if math.isfinite(value) else None


def _spread(count: int) -> list[int]:
    """Choose indices, first and last included, spread evenly on a logarithmic axis."""
    if count <= _POINTS:
        return list(range(count))
    last = count - 1
    return sorted({round(count ** (i / (_POINTS - 1))) - 1 for i in range(_POINTS)} | {0, last})
