"""Tables of a page: columns by name, and records that know the rows behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hessx.study.analysis.behaviour import robustness, sensitivities
from hessx.study.analysis.costs import Trial
from hessx.study.analysis.failures import failures
from hessx.study.analysis.peers import beside_peers
from hessx.study.analysis.registered import family_of
from hessx.study.analysis.scores import scores
from hessx.study.analysis.stability import Reordering, leaving_one_out, under_tolerances
from hessx.study.records import PLAIN, Row
from hessx.study.report.embedding import finite
from hessx.study.report.links import ranges

__all__ = ["tables_of"]

# By the records' names: title, format of the page's script, and what it says when pointed at.
_Columns = Mapping[str, tuple[str, str, str]]

_SCORES: _Columns = {
    "method": ("method", "method", ""),
    "family": ("family", "text", ""),
    "run": ("runs", "number", ""),
    "solved": ("solved", "number", "(f - f_best) <= 1e-6 (f0 - f_best) was reached"),
    "near_best": ("near best", "number", "f within 1e-6 max(1, |f_best|) of the best known"),
    "stationary": ("stationary", "number", "|g| <= 1e-5 max(1, |g0|)"),
    "false_success": (
        "false success",
        "number",
        "claimed, and none of the three holds",
    ),
    "cheapest": ("cheapest", "number", "no other method was cheaper"),
    "mean_cost": ("mean cost", "number", "geometric mean of evaluations + products until solved"),
    "mean_ratio": ("mean ratio", "number", "geometric mean of cost over the cheapest method's"),
    "seconds": ("time", "duration", "of all its runs together"),
}
_ROBUSTNESS: _Columns = {
    "method": ("method", "method", ""),
    "feature": ("feature", "text", ""),
    "runs": ("runs", "number", ""),
    "solved": (
        "solved",
        "number",
        "(f - f_best) <= 1e-3 (f0 - f_best), of f without it",
    ),
    "share": ("share", "share", "solved of the runs"),
    "ratio": ("cost ratio", "number", "median of the cost over that on the problem as it is"),
}
_SENSITIVITY: _Columns = {
    "method": ("method", "method", ""),
    "problem": ("problem", "text", ""),
    "best": ("best rate", "number", "of the least cost to 1e-3"),
    "low": ("from", "number", "rates from here on cost at most twice that"),
    "high": ("to", "number", "up to here"),
    "decades": ("decades", "share", "the width of that range, in powers of ten"),
    "tried": ("rates", "number", "how many were tried"),
}
_TUNING: _Columns = {
    "method": ("method", "method", ""),
    "problem": ("problem", "text", ""),
    "rate": ("rate", "number", "that the search has found"),
    "tuning": ("evaluations", "number", "that the search has taken, beside the run"),
}
_STABILITY: _Columns = {
    "change": ("change", "text", ""),
    "correlation": ("Kendall's tau", "share", "of the order with that at 1e-6 on all problems"),
    "moved": ("methods that move", "number", ""),
    "moves": ("the first of them", "wrap", "place before and after"),
}
_PEERS: _Columns = {
    "problem": ("problem", "text", ""),
    "peer": ("package", "text", ""),
    "method": ("hessx's best", "method", ""),
    "cost": ("evaluations", "number", "until (f - f_best) <= 1e-6 (f0 - f_best)"),
    "peer_method": ("the package's best", "method", ""),
    "peer_cost": ("evaluations", "number", ""),
    "behind": ("cheaper", "text", ""),
}
_FAILURES: _Columns = {
    "kind": ("kind", "text", ""),
    "method": ("method", "method", ""),
    "problem": ("problem", "text", ""),
    "backend": ("backend", "text", ""),
    "feature": ("feature", "text", ""),
    "near": ("near best", "text", "whether the value is near the best all the same"),
    "reason": ("reason", "wrap", ""),
}


def tables_of(
    rows: Sequence[Row], runs: Sequence[Trial], places: Mapping[str, int]
) -> dict[str, dict[str, Any]]:
    """Make the tables whose numbers lead to rows.

    Parameters
    ----------
    rows : sequence of Row
    runs : sequence of Trial
        Of the rows.
    places : mapping
        Of the rows' keys to places in the table of rows.
    """
    everyone = [trial.key for trial in runs]
    made: dict[str, tuple[str, _Columns, Iterable[dict[str, Any]]]] = {
        "scores": (
            "methods",
            _SCORES,
            (asdict(s) | {"family": family_of(s.method)} for s in scores(runs)),
        ),
        "robustness": (
            "methods and features",
            _ROBUSTNESS,
            (asdict(r) | {"share": r.solved / r.runs} for r in robustness(rows)),
        ),
        "sensitivity": (
            "methods and problems",
            _SENSITIVITY,
            (asdict(s) | {"decades": s.decades} for s in sensitivities(rows)),
        ),
        "tuning": (
            "methods and problems",
            _TUNING,
            (
                {"keys": [row.job.key]} | {name: getattr(row, name) for name in _TUNING}
                for row in rows
                if row.tuning > 0 and row.feature == PLAIN
            ),
        ),
        "stability": (
            "changes",
            _STABILITY,
            [
                *(_reordered(r, "tolerance ", everyone) for r in under_tolerances(runs)),
                *(_reordered(r, "without ", everyone) for r in leaving_one_out(runs)),
            ],
        ),
        "peers": (
            "problems and packages",
            _PEERS,
            (
                asdict(v)
                | {"keys": (v.key, v.peer_key), "problem": v.instance.problem}
                | {"behind": v.peer if v.behind else "hessx" if v.cost < v.peer_cost else "equal"}
                for v in beside_peers(runs)
            ),
        ),
        "failures": (
            "runs",
            _FAILURES,
            (asdict(f) | {"keys": [f.key], "near": _said(f.near_best)} for f in failures(rows)),
        ),
    }
    return {name: _table(*parts, places) for name, parts in made.items()}


def _table(
    unit: str,
    columns: _Columns,
    records: Iterable[Mapping[str, Any]],
    places: Mapping[str, int],
) -> dict[str, Any]:
    return {
        "unit": unit,
        "columns": [[name, *about] for name, about in columns.items()],
        "records": [
            {name: finite(record[name]) for name in columns}
            | {"rows": ranges(places[key] for key in record["keys"])}
            for record in records
        ],
    }


def _reordered(found: Reordering, what: str, keys: Sequence[str]) -> dict[str, Any]:
    return {
        "change": what + found.change,
        "correlation": found.correlation,
        "moved": len(found.moves),
        "moves": ", ".join(f"{m.method} {m.before} → {m.after}" for m in found.moves[:6]),
        "keys": keys,
    }


def _said(yes: bool) -> str:
    return "yes" if yes else ""
