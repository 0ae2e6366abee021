"""What a comparison has found: rows, and what can be made of them alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hessx.comparison._rows import HessianRow, read_hessian_rows, write_hessian_rows

__all__ = ["HessianComparison"]

_TABLE = (
    ("point", "point"),
    ("error", "error"),
    ("scaled", "scaled_error"),
    ("DM ratio", "dennis_more"),
    ("secant", "secant_error"),
    ("forcing", "forcing"),
    ("B^-1 H", "preconditioned_condition"),
)


class HessianComparison:
    """Approximations beside the true Hessian.

    Parameters
    ----------
    rows : sequence of HessianRow
        Of one problem or several; everything else is made of them.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> bowl, hess = lambda x: (x @ x, 2.0 * x), lambda x: 2.0 * np.eye(2)
    >>> found = hessx.compare_hessians(bowl, np.ones(2), "gd", jac=True, hess=hess)
    >>> found.to_csv("hessians.csv")
    >>> hessx.HessianComparison.from_csv("hessians.csv").rows == found.rows
    True
    >>> found.names, found.first("gd").error
    (['gd'], 0.5)
    """

    def __init__(self, rows: Sequence[HessianRow]) -> None:
        self.rows = [*rows]

    @classmethod
    def from_csv(cls, path: Path | str) -> HessianComparison:
        """Read the file of `to_csv`.

        Raises
        ------
        ValueError
            Other columns, or a damaged line, which is named by its number.
        """
        return cls(read_hessian_rows(path))

    def to_csv(self, path: Path | str) -> None:
        """Write all rows, a line each, in the place of what was there."""
        write_hessian_rows(path, self.rows)

    @property
    def names(self) -> list[str]:
        """Of the approximations, in their order."""
        return [*dict.fromkeys(row.approximation for row in self.rows)]

    def of(self, name: str, block: str = "") -> list[HessianRow]:
        """Give the rows of an approximation in the order of the points, of the whole or a block.

        Raises
        ------
        KeyError
            There is no such approximation.
        """
        if name not in self.names:
            msg = f"no approximation {name!r}: expected one of {', '.join(self.names)}"
            raise KeyError(msg)
        return [row for row in self.rows if row.approximation == name and row.block == block]

    def first(self, name: str) -> HessianRow:
        """Give the first point's row."""
        return self.of(name)[0]

    def last(self, name: str) -> HessianRow:
        """Give the last row with a step: what came of the run."""
        rows = self.of(name)
        return next((row for row in reversed(rows) if not math.isnan(row.step_norm)), rows[-1])

    def __str__(self) -> str:
        """The last rows as a table of 80 columns; under B^-1 H its condition number."""
        lines = [["approximation", *(title for title, _ in _TABLE)]]
        for name in self.names:
            row = self.last(name)
            lines.append([name, *(_shown(getattr(row, column)) for _, column in _TABLE)])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )

    def __repr__(self) -> str:
        """How much there is."""
        return f"HessianComparison({len(self.rows)} rows of {', '.join(self.names)})"

    def plot(self, kind: str = "errors") -> Any:
        """Draw a picture of the rows.

        Parameters
        ----------
        kind : str
            - "errors": norm_F(B - H) / norm_F(H) at each point, with the standard error of
              estimates;
            - "scaled": the same of the best multiple of B;
            - "ratios": Dennis-More ratio, norm((B - H) s) / norm(s);
            - "steps": the same relative to H, norm((B - H) s) / norm(H s);
            - "secants": norm(B s - y) / norm(y);
            - "models": fall of f beside that of the model;
            - "conditions": condition number of B^-1 H, and of H;
            - "spectra": quantiles of the eigenvalues of H and B^-1 H at the last point, and of B,
              which the legend shows;
            - "chain": what each link adds to the error, point by point;
            - "blocks": errors by blocks at the last point;
            - "costs": error beside the time to form and to apply.

        Returns
        -------
        plotly.graph_objects.Figure
            Made of the rows alone.

        Raises
        ------
        ValueError
            No such kind.
        ImportError
            plotly is not installed.
        """
        from hessx.comparison._figures import FIGURES

        if kind not in FIGURES:
            msg = f"kind = {kind!r}: expected one of {', '.join(map(repr, FIGURES))}"
            raise ValueError(msg)
        return FIGURES[kind](self)


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.3g}"
    return str(value)
