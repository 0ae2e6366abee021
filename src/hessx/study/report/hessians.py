"""Approximations beside the true Hessian, as the page draws them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from hessx.comparison import HessianComparison, HessianRow
from hessx.study.report.embedding import finite, short

__all__ = ["hessian_rows_of", "pictures_of"]

_KINDS = {
    "errors": "error of B",
    "scaled": "error of the best multiple of B",
    "ratios": "error along the step: the ratio of Dennis and Moré",
    "steps": "the same ratio, relative to H",
    "secants": "secant residual",
    "models": "fall of f beside that of the model",
    "conditions": "condition number of B^-1 H, dotted: of H",
    "spectra": "eigenvalues at the last point; those of B by the legend",
    "chain": "what each link of a chain adds to the error",
    "blocks": "errors by blocks at the last point",
    "costs": "error beside the time to form and to apply B",
}
_COLUMNS = (
    "approximation", "problem", "steps", "point", "block", "n", "error", "error_deviation",
    "scaled_error", "dennis_more", "step_error", "forcing", "secant_error", "model_reduction",
    "reduction", "hessian_condition", "condition", "preconditioned_condition", "definiteness",
    "memory", "build", "product", "solve", "gradients", "products",
)  # fmt: skip


def pictures_of(rows: Sequence[HessianRow]) -> dict[str, dict[str, Any]]:
    """Give, by problem, the pictures that there are numbers for, by their title."""
    found = {}
    for problem in dict.fromkeys(row.problem for row in rows):
        comparison = HessianComparison([row for row in rows if row.problem == problem])
        drawn = {title: _figure(comparison, kind) for kind, title in _KINDS.items()}
        found[problem] = {title: figure for title, figure in drawn.items() if _has_numbers(figure)}
    return found


def hessian_rows_of(rows: Sequence[HessianRow]) -> dict[str, list[Any]]:
    """Give the rows, column by column."""
    texts = [asdict(row) for row in rows]
    return {name: [_shortened(text[name]) for text in texts] for name in _COLUMNS}


def _figure(comparison: HessianComparison, kind: str) -> dict[str, Any]:
    figure: dict[str, Any] = json.loads(comparison.plot(kind).to_json())
    for look in ("template", "title"):
        figure["layout"].pop(look, None)  # the page has its own
    return figure


def _has_numbers(figure: dict[str, Any]) -> bool:
    return any(trace.get("x") for trace in figure["data"])


def _shortened(value: Any) -> Any:
    return short(value) if isinstance(value, float) else finite(value)
