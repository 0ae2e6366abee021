"""Lines and points as SVG that is read on light and on dark paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import pairwise

import jinja2

from hessx.study.analysis.statements import number
from hessx.study.markdown.axes import Axis

__all__ = ["COLORS", "Drawing", "Series"]

COLORS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7f5fb0", "#a67c00", "#777777", "#3fa7d6",
)  # fmt: skip
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 520.0, 36.0, 330.0  # the frame within 720 x 390


@dataclass(frozen=True)
class Series:
    """What is drawn in one colour: a line, a line of steps, or points.

    Attributes
    ----------
    name : str
    x, y : sequence of float
    steps : bool
        Whether y holds until the next x.
    marks : bool
        Whether points are drawn, without a line.
    color : str
        Empty for the next of `COLORS`.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    steps: bool = False
    marks: bool = False
    color: str = ""


@dataclass(frozen=True)
class Drawing:
    """A frame with axes, and series in it.

    Attributes
    ----------
    title, x_label, y_label : str
    series : sequence of Series
    log_x, log_y : bool
    y_range : (float, float), optional
        Of the axis; what the series have if it is not given.
    """

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series] = field(default_factory=list)
    log_x: bool = False
    log_y: bool = False
    y_range: tuple[float, float] | None = None

    def to_svg(self) -> str:
        """Write it as SVG, in fractions of a tenth of a pixel."""
        across = Axis.around((x for s in self.series for x in s.x), _LEFT, _RIGHT, log=self.log_x)
        numbers = self.y_range or [y for s in self.series for y in s.y]
        up = Axis.around(numbers, _BOTTOM, _TOP, log=self.log_y)
        source = files("hessx.study.markdown").joinpath("templates/drawing.svg.jinja")
        template = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
        return template.from_string(source.read_text(encoding="utf-8")).render(
            drawing=self,
            frame=(_LEFT, _TOP, _RIGHT, _BOTTOM),
            colors=COLORS,
            across=[(f"{across.place(x):.1f}", number(x)) for x in across.ticks()],
            up=[(f"{up.place(y):.1f}", number(y)) for y in up.ticks()],
            lines=[_placed(s, across, up) for s in self.series],
        )


def _placed(series: Series, across: Axis, up: Axis) -> list[tuple[str, str]]:
    """Place the points; a line of steps turns at each of them."""
    points = [
        (f"{across.place(x):.1f}", f"{up.place(y):.1f}")
        for x, y in zip(series.x, series.y, strict=True)
    ]
    if not series.steps or not points:
        return points
    turned = [points[0]]
    for before, after in pairwise(points):
        turned += [(after[0], before[1]), after]
    return [*turned, (f"{across.end:.1f}", points[-1][1])]
