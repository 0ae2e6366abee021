"""The report as Markdown: traceable, whole, and the same for the same rows."""

from __future__ import annotations

import random
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

pytest.importorskip("jinja2")

from _helpers.study_rows import a_study
from hessx.comparison import HessianRow, write_hessian_rows
from hessx.study.markdown import write_markdown
from hessx.study.markdown.axes import Axis
from hessx.study.markdown.drawing import Drawing, Series
from hessx.study.rows import RowFile, read_rows

HESSIANS = [
    HessianRow("bfgs", "bfgs", point, 2, problem="bowl", error=error, dennis_more=2 * error)
    for point, error in ((0, 0.9), (11, 0.01), (2, 0.3))
]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("md")
    return write_markdown(a_study(), folder, {"Limit": "3 s | 2 GiB"}, HESSIANS)


def contents(path):
    drawings = sorted((path.parent / "figures").iterdir())
    return {p.name: p.read_bytes() for p in (path, *drawings)}


def test_the_same_rows_give_the_same_bytes_in_any_order(report, tmp_path):
    rows = random.Random(2).sample(a_study(), len(a_study()))
    again = write_markdown(rows, tmp_path, {"Limit": "3 s | 2 GiB"}, HESSIANS[::-1])
    assert contents(again) == contents(report)


def test_a_doctored_row_changes_the_page(report, tmp_path):
    rows = a_study()
    curve = replace(rows[1].curve, value=[0.7] * len(rows[1].curve))
    rows[1] = replace(rows[1], outcome="limit: time", value=0.7, curve=curve)
    changed = write_markdown(rows, tmp_path).read_text()
    assert changed != report.read_text()
    assert "It did not solve linear-regression (limit: time)" in changed


def test_every_reference_leads_to_a_row_or_method_that_is_there(report):
    text = report.read_text()
    targets = set(re.findall(r'<a id="([^"]+)">', text))
    links = set(re.findall(r"\]\(#([^)]+)\)", text))
    assert links
    assert links <= targets
    assert len([t for t in targets if t.startswith("row-")]) == len(a_study())
    for drawing in re.findall(r"\]\((figures/[^)]+)\)", text):
        assert (report.parent / drawing).exists()


def test_tables_are_not_broken_by_what_is_in_them(report):
    text = report.read_text()
    assert "3.01 s \\| limit 3 s" in text
    assert "TypeError: no &lt;Tensor&gt; here" in text
    widths = None
    for line in text.splitlines():
        if line.startswith("|"):
            width = len(re.findall(r"(?<!\\)\|", line))
            assert widths in (None, width), line
            widths = width
        else:
            widths = None


def test_it_is_written_beside_the_page_from_the_files_of_a_study(report, tmp_path):
    pytest.importorskip("plotly")
    console = pytest.importorskip("rich.console")
    from hessx.study.making import write_report

    source = tmp_path / "rows.csv"
    file = RowFile(source)
    file.append(a_study())
    write_hessian_rows(tmp_path / "hessians.csv", HESSIANS)
    with (tmp_path / "said").open("w") as said:
        write_report(console.Console(file=said), read_rows(source), source, tmp_path / "out")
    assert "report.md" in (tmp_path / "said").read_text()
    written = (tmp_path / "out" / "report.md").read_text()
    assert written == report.read_text().partition("## Settings")[0]


def test_no_rows_are_refused(tmp_path):
    with pytest.raises(ValueError, match="run the study first"):
        write_markdown([], tmp_path)


def test_drawings_are_svg_that_stays_in_its_frame(report):
    for name, data in contents(report).items():
        if name.endswith(".svg"):
            root = ET.fromstring(data)
            lines = root.findall(f"{SVG}polyline")
            assert lines or root.findall(f"{SVG}circle"), name
            for line in lines:
                for pair in line.attrib["points"].split():
                    x, y = map(float, pair.split(","))
                    assert 64.0 <= x <= 520.0
                    assert 36.0 <= y <= 330.0


def test_a_line_goes_through_its_points():
    drawing = Drawing("t", "x", "y", [Series("a & b", [0.0, 5.0, 10.0], [0.0, 1.0, 0.5])])
    root = ET.fromstring(drawing.to_svg())
    points = root.find(f"{SVG}polyline").attrib["points"].split()
    assert points == ["64.0,330.0", "292.0,36.0", "520.0,183.0"]
    assert "a & b" in [text.text for text in root.iter(f"{SVG}text")]


def test_steps_hold_until_the_next_point():
    drawing = Drawing("t", "x", "y", [Series("a", [0.0, 10.0], [0.0, 1.0], steps=True)])
    points = ET.fromstring(drawing.to_svg()).find(f"{SVG}polyline").attrib["points"].split()
    assert points == ["64.0,330.0", "520.0,330.0", "520.0,36.0", "520.0,36.0"]


@pytest.mark.parametrize(
    ("low", "high", "log", "ticks"),
    [
        (0.0, 1.0, False, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (3.0, 47.0, False, [10.0, 20.0, 30.0, 40.0]),
        (1.0, 1e4, True, [1.0, 10.0, 1e2, 1e3, 1e4]),
        (1.0, 9.0, True, [1.0, 2.0, 5.0]),
        (1e-16, 1.0, True, [1e-16, 1e-13, 1e-10, 1e-7, 1e-4, 1e-1]),
    ],
)
def test_ticks_are_round(low, high, log, ticks):
    assert Axis(low, high, 0.0, 100.0, log).ticks() == pytest.approx(ticks)


def test_an_axis_holds_what_it_can_show():
    axis = Axis.around([0.0, 4.0, 1.0, float("inf")], 0.0, 100.0, log=True)
    assert (axis.low, axis.high) == (1.0, 4.0)
    assert axis.place(2.0) == pytest.approx(50.0)
    assert axis.place(0.0) == 0.0
    assert Axis.around([], 0.0, 1.0).ticks()
