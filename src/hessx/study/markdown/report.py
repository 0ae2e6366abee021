"""The report of a study as Markdown, with drawings as SVG beside it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from hessx.comparison import HessianRow
from hessx.study.analysis.accounts import accounts
from hessx.study.analysis.costs import Trial, comparable
from hessx.study.analysis.failures import failures
from hessx.study.analysis.hessians import about_hessians, hessian_key
from hessx.study.analysis.overview import overview
from hessx.study.analysis.peers import beside_peers
from hessx.study.analysis.registered import family_of, problem_of, title_of
from hessx.study.analysis.scores import scores
from hessx.study.analysis.stability import leaving_one_out, under_tolerances
from hessx.study.analysis.statements import listed, number
from hessx.study.markdown.drawing import Drawing
from hessx.study.markdown.figures import (
    convergence,
    data_profile,
    pareto_front,
    performance_profile,
)
from hessx.study.markdown.numbering import Numbering
from hessx.study.plan import in_order
from hessx.study.records import Row, figures

__all__ = ["write_markdown"]

_TAU, _ROUGH = 1e-6, 1e-3


def write_markdown(
    rows: Sequence[Row],
    folder: Path,
    settings: Mapping[str, str] | None = None,
    hessians: Sequence[HessianRow] = (),
) -> Path:
    """Write ``report.md``, and its drawings into ``figures``; the same rows give the same bytes.

    Parameters
    ----------
    rows : sequence of Row
        In any order.
    folder : Path
        Made if it is not there.
    settings : mapping, optional
        Words for the section on settings.
    hessians : sequence of HessianRow
        Of approximations beside the true Hessian.

    Returns
    -------
    Path
        The Markdown file.

    Raises
    ------
    ValueError
        There are no rows.
    """
    if not rows:
        msg = "no rows: run the study first"
        raise ValueError(msg)
    runs = comparable(rows)
    ordered = in_order(rows)
    drawings = _drawings(runs)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for name, drawing in drawings.items():
        (folder / "figures" / f"{name}.svg").write_text(drawing.to_svg(), encoding="utf-8")
    source = files("hessx.study.markdown").joinpath("templates/report.md.jinja")
    # Markdown, whose cells `_cell` makes safe
    template = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, autoescape=False)
    template.filters |= {"cell": _cell, "number": _short, "figures": figures, "listed": listed}
    text = template.from_string(source.read_text(encoding="utf-8")).render(
        rows=ordered,
        numbering=Numbering([row.job.key for row in ordered]),
        **_beside_hessians(hessians),
        drawings={name: drawing.title for name, drawing in drawings.items()},
        problems={row.problem: _title(row.problem) for row in ordered},
        figure_of=_file_name,
        overview=overview(rows),
        scores=scores(runs, _TAU),
        stability={
            "tolerance": under_tolerances(runs, _TAU),
            "without": leaving_one_out(runs, _TAU),
        },
        peers=beside_peers(runs, _TAU),
        failures=failures(rows),
        accounts=accounts(rows),
        title_of=title_of,
        family_of=family_of,
        settings=settings or {},
    )
    path = folder / "report.md"
    path.write_text(text, encoding="utf-8")
    return path


def _beside_hessians(rows: Sequence[HessianRow]) -> dict[str, Any]:
    """Give the statements on approximations, and the rows that they are made of."""
    statements = about_hessians(rows)
    named = {key for statement in statements for key in statement.keys}
    behind = {key: row for row in rows if (key := hessian_key(row)) in named}
    ordered = sorted(behind.items(), key=lambda item: (*item[0].split("|")[:3], item[1].point))
    return {
        "about_hessians": statements,
        "hessian_rows": ordered,
        "hessian_numbering": Numbering([key for key, _ in ordered], "hessian-"),
    }


def _drawings(runs: Sequence[Trial]) -> dict[str, Drawing]:
    """Draw all figures, by the names of their files."""
    found = {
        "performance-profile": performance_profile(runs, _TAU),
        "performance-profile-rough": performance_profile(runs, _ROUGH),
        "data-profile": data_profile(runs, _TAU),
        "pareto-front": pareto_front(runs, _TAU),
    }
    for problem in dict.fromkeys(trial.row.problem for trial in runs):
        own = [trial for trial in runs if trial.row.problem == problem]
        first = [trial for trial in own if trial.instance == own[0].instance]
        found[_file_name(problem)] = convergence(first, _title(problem))
    return found


def _title(problem: str) -> str:
    found = problem_of(problem)
    return problem if found is None else found.title


def _file_name(problem: str) -> str:
    return "convergence-" + re.sub(r"[^A-Za-z0-9.-]+", "-", problem)


def _short(x: float) -> str:
    """Write a number to three digits; empty where it is none."""
    return number(float(f"{x:.3g}")) if math.isfinite(x) else "" if math.isnan(x) else "never"


def _cell(text: str) -> str:
    """Make a text safe in a cell of a table."""
    flat = " ".join(text.split())
    for sign, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "\\|")):
        flat = flat.replace(sign, safe)
    return re.sub(r"([*_`\[\]])", r"\\\1", flat)
