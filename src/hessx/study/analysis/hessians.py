"""What approximations beside the true Hessian say, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from hessx.comparison import HessianRow
from hessx.study.analysis.statements import Statement, listed, state

__all__ = ["about_hessians", "hessian_key"]

_MOST = 8  # approximations in a sentence


def hessian_key(row: HessianRow) -> str:
    """Give what tells a row from all others, as text."""
    names = row.problem, row.approximation, row.steps, row.point, row.block
    return "|".join(map(str, names))


def about_hessians(rows: Sequence[HessianRow]) -> list[Statement]:
    """Say, problem by problem, how far approximations are from the Hessian, and on which way.

    Parameters
    ----------
    rows : sequence of HessianRow
        In any order; those of blocks are left out.

    Returns
    -------
    list of Statement
        Their keys are those of `hessian_key`.
    """
    runs: dict[str, dict[tuple[str, str], list[HessianRow]]] = {}
    whole = (row for row in rows if not row.block)
    for row in sorted(whole, key=lambda r: (r.problem, r.approximation, r.steps, r.point)):
        place = row.approximation, row.steps
        runs.setdefault(row.problem, {}).setdefault(place, []).append(row)
    return [
        statement
        for problem, own in runs.items()
        for statement in _about(problem or "the problem", list(own.values()))
    ]


def _about(problem: str, runs: Sequence[Sequence[HessianRow]]) -> Iterator[Statement]:
    ends = [last for run in runs if (last := _last(run, "error")) is not None]
    links = sorted((row for row in ends if row.link is not None), key=lambda row: row.link or 0)
    if links:
        yield _enumerated(
            f"On {problem} the error norm(B - H) / norm(H) along the chain is ", "error", links
        )
    others = sorted((row for row in ends if row.link is None), key=lambda row: row.error)
    if others:
        yield _enumerated(
            f"On {problem} the error norm(B - H) / norm(H) at the end of the run is ",
            "error",
            others,
        )
    yield from _dennis_more(problem, runs)
    conditions = [r for run in runs if (r := _last(run, "preconditioned_condition")) is not None]
    known = [row for row in conditions if math.isfinite(row.hessian_condition)]
    if known:
        known.sort(key=lambda row: row.preconditioned_condition / row.hessian_condition)
        yield _enumerated(
            f"On {problem} the condition number of B^-1 H, over that of H, is ",
            "preconditioned_condition",
            known,
            "hessian_condition",
        )


def _dennis_more(problem: str, runs: Sequence[Sequence[HessianRow]]) -> Iterator[Statement]:
    """Say from where to where the ratio has come along each run."""
    ways = []
    for run in runs:
        known = [row for row in run if math.isfinite(row.dennis_more)]
        if len(known) > 1:
            ways.append((known[0], known[-1]))
    ways.sort(key=lambda way: way[1].dennis_more)
    if ways:
        parts = [
            f"{last.approximation} from {{first{i}}} to {{last{i}}}"
            for i, (_, last) in enumerate(ways[:_MOST])
        ]
        numbers = {
            f"{name}{i}": row.dennis_more
            for i, way in enumerate(ways[:_MOST])
            for name, row in zip(("first", "last"), way, strict=True)
        }
        yield state(
            f"On {problem} the Dennis-More ratio norm((B - H) s) / norm(s) goes, along each "
            f"run, of {listed(parts, _MOST)}.",
            (hessian_key(row) for way in ways[:_MOST] for row in way),
            **numbers,
        )


def _enumerated(beginning: str, name: str, rows: Iterable[HessianRow], base: str = "") -> Statement:
    """Give a number of each approximation, over another where it is named."""
    shown = list(rows)[:_MOST]
    parts = [f"{{number{i}}} of {row.approximation}" for i, row in enumerate(shown)]
    numbers = {
        f"number{i}": getattr(row, name) / (getattr(row, base) if base else 1.0)
        for i, row in enumerate(shown)
    }
    return state(f"{beginning}{listed(parts, _MOST)}.", map(hessian_key, shown), **numbers)


def _last(run: Sequence[HessianRow], name: str) -> HessianRow | None:
    """Find the last point at which a number is known."""
    return next((row for row in reversed(run) if math.isfinite(getattr(row, name))), None)
