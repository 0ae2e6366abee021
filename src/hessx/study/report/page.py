"""The report as one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import plotly.offline

from hessx.comparison import HessianRow
from hessx.study.records import Row
from hessx.study.report.contents import contents_of
from hessx.study.report.embedding import packed
from hessx.study.report.environment import environment
from hessx.study.report.hessians import hessian_rows_of, pictures_of

__all__ = ["Study", "write_page"]

_TEXTS = ("findings", "accounts")  # are in the page as they are; the rest is for its scripts
_SCRIPTS = (
    "data.js", "tables.js", "rows.js", "made.js", "plots.js", "controls.js", "convergence.js",
    "figures.js", "conduct.js", "hessians.js", "start.js",
)  # fmt: skip
# Name, in the line of links, and heading.
_SECTIONS = (
    ("findings", "Findings", "What the study found"),
    ("overview", "Overview", "Methods on problems"),
    ("scores", "Scores", "Methods and their scores"),
    ("profiles", "Profiles", "Performance and data profiles"),
    ("accuracy", "Accuracy", "Accuracy against cost"),
    ("convergence", "Convergence", "Convergence"),
    ("hessians", "Hessians", "Approximations beside the true Hessian"),
    ("trajectories", "Paths", "Paths in the plane"),
    ("oscillation", "Oscillation", "Oscillation and order of convergence"),
    ("robustness", "Robustness", "Robustness"),
    ("sensitivity", "Sensitivity", "Sensitivity to the rate"),
    ("stability", "Ranks", "Whether the order of methods is stable"),
    ("peers", "Peers", "Beside other packages"),
    ("failures", "Failures", "Runs that did not end well"),
    ("tuning", "Tuning", "Rates that were searched for"),
    ("methods", "Methods", "Method by method"),
    ("rows", "Rows", "Rows"),
    ("environment", "Settings", "Settings and environment"),
)


@dataclass(frozen=True)
class Study:
    """What a page is made of.

    Attributes
    ----------
    rows : sequence of Row
        In any order.
    settings : dict of str to str
        What was asked for, in words.
    environment : dict of str to str, optional
        Where it was made; by default here.
    hessians : sequence of HessianRow
        Of approximations beside the true Hessian.
    """

    rows: Sequence[Row]
    settings: dict[str, str]
    environment: dict[str, str] | None = None
    hessians: Sequence[HessianRow] = ()


def write_page(study: Study, path: Path) -> None:
    """Write the page."""
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("hessx.study.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    data = contents_of(study.rows) | {
        "hessians": pictures_of(study.hessians),
        "hessianRows": hessian_rows_of(study.hessians),
    }
    page = templates.get_template("page.html.jinja").render(
        data=packed({name: part for name, part in data.items() if name not in _TEXTS}),
        study=data,
        converged=sum(row.converged for row in study.rows),
        sections=_sections(data),
        scripts=_SCRIPTS,
        settings=study.settings,
        environment=study.environment or environment(),
        plotly=plotly.offline.get_plotlyjs(),
    )
    path.write_text(page, encoding="utf-8")


def _sections(data: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Leave out what there are no rows for."""
    tables = data["tables"]
    return [
        section
        for section in _SECTIONS
        if data.get(section[0], tables.get(section[0], {"records": True}).get("records"))
    ]
