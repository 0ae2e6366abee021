"""All that the page shows, made of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hessx.study.analysis import LADDER, UNITS, Score, best_values, comparable, scores, trials
from hessx.study.analysis.accounts import accounts
from hessx.study.analysis.overview import overview
from hessx.study.analysis.registered import family_of, package_of, title_of
from hessx.study.methods import FAMILIES, METHODS
from hessx.study.problems import PROBLEMS
from hessx.study.records import PLAIN, Row
from hessx.study.report.embedding import curves_of, short, table_of
from hessx.study.report.links import said
from hessx.study.report.look import dashes, looks
from hessx.study.report.oscillation import conducts_of, ranks_of
from hessx.study.report.pareto import pareto_of
from hessx.study.report.profiles import profiles_of
from hessx.study.report.tables import tables_of
from hessx.study.report.trajectories import trajectories_of

__all__ = ["contents_of"]

_ROOM = 1_600_000  # bytes of curves; with plotly's 4.8 MB the page stays below 8
_SHOWN = 8  # methods, at first


def contents_of(rows: Sequence[Row]) -> dict[str, Any]:
    """Give all that the page shows of rows: the same whatever their order."""
    rows = sorted(rows, key=_place)
    places = {row.job.key: i for i, row in enumerate(rows)}
    best = best_values(rows)
    runs = comparable(rows)
    methods = _methods(rows, scores(runs))
    backends = sorted({row.backend for row in rows}, key=_backend_place)
    problems = sorted({row.problem for row in rows}, key=_problem_place)
    return {
        "methods": methods,
        "problems": {name: _about_problem(name, best) for name in problems},
        "missing": _missing(rows, methods),
        "backends": backends,
        "dashes": dashes(backends),
        "shown": _shown([*methods]),
        "units": dict(UNITS),
        "ladder": list(LADDER),
        "rows": table_of(rows),
        "standing": sorted(places[trial.key] for trial in trials(rows)),
        "curves": curves_of(rows, best, _ROOM),
        "profiles": profiles_of(runs),
        "accuracy": pareto_of(runs, places),
        "trajectories": trajectories_of(rows),
        "oscillation": conducts_of(rows, places),
        "ranks": ranks_of(runs),
        "tables": tables_of(rows, runs, places),
        "findings": {
            question: said(statements, places)
            for question, statements in overview(rows).items()
            if statements
        },
        "accounts": {
            account.method: {
                "Cost": said(account.costs, places),
                "Advantages": said(account.advantages, places),
                "Limits": said(account.limits, places),
            }
            for account in accounts(rows)
        },
    }


_PROBLEM_PLACES = {name: i for i, name in enumerate(PROBLEMS)}
_METHOD_PLACES = {name: i for i, name in enumerate(METHODS)}


def _place(row: Row) -> tuple[object, ...]:
    return (
        _METHOD_PLACES.get(row.method, len(METHODS)), row.method,
        _problem_place(row.problem),
        _backend_place(row.backend), row.feature != PLAIN, row.job.key,
    )  # fmt: skip


def _problem_place(name: str) -> tuple[int, str]:
    return _PROBLEM_PLACES.get(name, len(PROBLEMS)), name


def _backend_place(name: str) -> tuple[bool, str]:
    return name != "numpy", name


def _methods(rows: Sequence[Row], ranked: Sequence[Score]) -> dict[str, dict[str, Any]]:
    """Describe the methods, the best first."""
    names = list(dict.fromkeys([*(s.method for s in ranked), *(row.method for row in rows)]))
    look = looks([*dict.fromkeys([*_shown(names), *names])])
    return {
        name: look[name]
        | {
            "title": title_of(name),
            "family": family_of(name),
            "package": package_of(name) or "hessx",
            "what": FAMILIES.get(family_of(name), ""),
        }
        for name in names
    }


def _shown(ranked: Sequence[str]) -> list[str]:
    """Choose what is drawn at first: the best of each family, then the best of all."""
    first: dict[str, str] = {}
    for name in ranked:
        first.setdefault(family_of(name), name)
    return list(dict.fromkeys([*first.values(), *ranked]))[:_SHOWN]


def _about_problem(name: str, best: dict[str, float]) -> dict[str, Any]:
    least = {"best": short(best[name], 8) if name in best else None}
    problem = PROBLEMS.get(name)
    if problem is None:
        return {
            "title": name,
            "about": "",
            "n": None,
            "tags": [],
            "known": [],
            "source": "",
        } | least
    return least | {
        "title": problem.title,
        "about": problem.about,
        "n": problem.n,
        "tags": [str(tag) for tag in problem.tags],
        "known": [str(known) for known in problem.known],
        "source": problem.source,
    }


def _missing(rows: Sequence[Row], methods: dict[str, Any]) -> dict[str, str]:
    """Say why there is no row of a method on a problem, where that can be told."""
    made = {(row.method, row.problem) for row in rows}
    found = {}
    for name in {row.problem for row in rows} & PROBLEMS.keys():
        for method in methods.keys() & METHODS.keys():
            needs = METHODS[method].needs
            if (method, name) not in made and needs and needs not in PROBLEMS[name].known:
                found[f"{method}|{name}"] = f"needs {needs}"
    return dict(sorted(found.items()))
