"""The benchmarks' page, served on this machine, in a browser without a network."""

from __future__ import annotations

import html
import itertools
import json
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]


def test_overview_shows_every_benchmark(visit, dashboard):
    seen = visit(f"{dashboard.address}/")
    assert seen.console == []
    assert seen.abroad == []
    assert not dashboard.missing, "\n".join(dashboard.missing)
    text = html.unescape(seen.dom)
    names = index(dashboard)["benchmarks"]
    shown = [name for name in names if name in text]
    below = re.search(r"tiles… \((\d+)/(\d+)\)", text)  # they come when the page is scrolled
    whole = len(names), len(names)
    assert (len(shown), len(names)) == (tuple(map(int, below.groups())) if below else whole)


@pytest.mark.parametrize("kind", ["time", "peakmemory", "track"])
def test_a_curve_per_backend(visit, dashboard, kind):
    benchmark = next(
        b
        for b in index(dashboard)["benchmarks"].values()
        if b["type"] == kind and len(libraries(b)) > 1
    )
    series = one_series_per_backend(dashboard, benchmark)
    assert "numpy" in series
    view = {"view": "explore", "bench": benchmark["name"]}
    view["params"] = ",".join(map(str, series.values()))
    seen = visit(f"{dashboard.address}/#{urlencode(view)}")
    assert seen.console == []
    assert seen.abroad == []
    assert not dashboard.missing, "\n".join(dashboard.missing)
    legend = re.findall(
        r'chart-legend-sw" style="background: rgb\((.*?)\)[^<]*</i>(.*?)<', seen.dom
    )
    assert len(legend) == len(series)
    drawn = re.search(r'data-drawn="(.*?)"', seen.dom)[1].split()
    for (color, label), backend in zip(legend, series, strict=True):
        assert backend in label
        assert "#{:02x}{:02x}{:02x}".format(*map(int, color.split(","))) in drawn, label


def test_counts_go_back_over_the_commits_that_are_kept(visit, dashboard):
    kept = list((ROOT / "asv_benchmarks" / "counts").glob("*.json"))
    name = "counts.Doors.track_fetches_per_trial"
    (graph,) = (p for p in (dashboard.folder / "graphs").rglob(f"{name}.json") if one_machine(p))
    points = json.loads(graph.read_text())
    assert len(points) in (len(kept), len(kept) + 1)  # and the one that was measured
    seen = visit(f"{dashboard.address}/#{urlencode({'view': 'explore', 'bench': name})}")
    assert seen.console == []
    assert seen.abroad == []


def one_machine(graph):
    return graph.parent.name != "summary"


def index(dashboard):
    return json.loads((dashboard.folder / "index.json").read_text())


def libraries(benchmark):
    return dict(zip(benchmark["param_names"], benchmark["params"], strict=True)).get("library", ())


def one_series_per_backend(dashboard, benchmark):
    """For each backend that has results, the index of one of its combinations of parameters."""
    graphs = (dashboard.folder / "graphs").rglob(f"{benchmark['name']}.json")
    points = json.loads(next(p for p in graphs if one_machine(p)).read_text())
    position = benchmark["param_names"].index("library")
    found = {}
    for i, combination in enumerate(itertools.product(*benchmark["params"])):
        if any(values[i] is not None for _, values in points if values is not None):
            found.setdefault(combination[position].strip("'"), i)
    return found
