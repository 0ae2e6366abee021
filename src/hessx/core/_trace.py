"""The record of an iteration, and the history that collects them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

__all__ = ["History", "Record"]


@dataclass(slots=True)
class Record:
    """Host numbers of an accepted point; iteration 0 is the start.

    Attributes
    ----------
    iteration, evaluations : int
        Accepted steps and evaluations of f so far.
    seconds : float
        Since the start of the run.
    value, grad_norm : float
        f(x) and norm_inf of its gradient.
    step_norm, alpha : float
        2-norm of the step that led here, in x / x_scale where x_scale is an array, and its
        multiple of the direction; nan at the start.
    trials : int
        Evaluations that this step took.
    cosine : float
        Of the angle between this step and the one before, in x / x_scale as well; near -1 is
        oscillation.  nan where there is none, or where no history is kept.
    note : str
        What the Hessian approximation did with the pair ("skipped", "damped", "dropped" where it
        overflows), "restart", or "switch" where another method goes on from here; else empty.
    rows : int
        Of a finite sum, over how many rows the evaluations so far went; N are one pass.
    """

    iteration: int
    evaluations: int
    seconds: float
    value: float
    grad_norm: float
    step_norm: float = float("nan")
    alpha: float = float("nan")
    trials: int = 0
    cosine: float = float("nan")
    note: str = ""
    rows: int = 0


class History:
    """Records of a run in order, with columns, counts of oscillation and a plot.

    Raises
    ------
    KeyError
        There is no such column; the known ones are named.

    Notes
    -----
    Cost: host numbers only, no fetch; the cosine keeps a copy of the last direction and adds one
    inner product to the packet of a ray's first trial.

    Examples
    --------
    >>> history = History()
    >>> history.append(Record(0, 1, 0.0, value=3.0, grad_norm=2.0))
    >>> history.append(Record(1, 2, 0.1, value=1.0, grad_norm=0.5))
    >>> history["value"]
    [3.0, 1.0]
    >>> history.rises
    0
    """

    def __init__(self) -> None:
        self.records: list[Record] = []

    def append(self, record: Record) -> None:
        """Add the record of one more accepted point."""
        self.records.append(record)

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __getitem__(self, column: str) -> list[Any]:
        """Give one field of all records, by its name."""
        if column not in Record.__dataclass_fields__:
            known = ", ".join(Record.__dataclass_fields__)
            msg = f"no column {column!r}: expected one of {known}"
            raise KeyError(msg)
        return [getattr(record, column) for record in self.records]

    @property
    def rises(self) -> int:
        """How many accepted steps raised the value."""
        values = self["value"]
        return sum(later > earlier for earlier, later in pairwise(values))

    def plot(self, by: str = "evaluations") -> Any:
        """Draw value and gradient norm on a logarithmic axis.

        Parameters
        ----------
        by : str
            The column on the horizontal axis: "iteration", "evaluations", "rows" or "seconds".

        Returns
        -------
        plotly.graph_objects.Figure
            Value above the lowest recorded, and norm_inf of the gradient; the lowest itself, a gap
            of 0, is not drawn on the logarithmic axis.

        Raises
        ------
        ImportError
            plotly is not installed.
        KeyError
            There is no column ``by``.
        """
        import plotly.graph_objects as go

        across = self[by]
        lowest = min(self["value"], default=0.0)
        gaps = [value - lowest for value in self["value"]]
        figure = go.Figure()
        figure.add_scatter(x=across, y=gaps, name="value above the lowest")
        figure.add_scatter(x=across, y=self["grad_norm"], name="norm_inf of the gradient")
        return figure.update_layout(xaxis_title=by, yaxis_type="log")
