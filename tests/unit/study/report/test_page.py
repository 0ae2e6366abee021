"""The page of a study: made of its rows, whole, and of nothing else."""

from __future__ import annotations

import base64
import gzip
import json
import math
import random
import re
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("jinja2")
pytest.importorskip("plotly")
pytest.importorskip("psutil")
pytest.importorskip("scipy")

import hessx
from hessx.study.analysis import LADDER, comparable, data_profiles, performance_profiles
from hessx.study.records import RAISED, Curve, Job, Row
from hessx.study.report import Study, write_page
from hessx.study.report.contents import contents_of
from hessx.study.report.embedding import curves_of, packed
from hessx.study.report.hessians import hessian_rows_of, pictures_of
from hessx.study.worker import attempt

METHODS = ("gd", "bfgs", "lbfgs", "newton", "scipy-lbfgsb")
PROBLEMS = ("linear-regression", "brown-dennis")
WORDS = "</script><b>bold</b>"


def read(text):
    return json.loads(gzip.decompress(base64.b64decode(text)))


@pytest.fixture(scope="module")
def rows():
    jobs = [Job(p, m, seed=s) for p in PROBLEMS for m in METHODS for s in (0, 1)]
    jobs += [Job("linear-regression", m, feature="scaled", seed=1) for m in METHODS]
    raised = Row.of(Job("brown-dennis", "dfp"), 4, RAISED, exception=WORDS)
    return [*(attempt(job, lambda: None) for job in jobs), raised]


@pytest.fixture(scope="module")
def contents(rows):
    return contents_of(rows)


@pytest.fixture(scope="module")
def page(rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "index.html"
    write_page(Study(rows, {"Seed": "0 and 1"}, {"Python": "of the run"}), path)
    assert path.stat().st_size < 8e6
    return path.read_text(encoding="utf-8")


def test_the_page_needs_nothing_else(page):
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"(src|href)=[\"']?(https?:)?//|@import|url\(", own)
    assert not re.search(r"<script[^>]*\ssrc=|<link[^>]*stylesheet", own)
    assert "0 and 1" in own
    assert "of the run" in own


def test_it_holds_every_row_and_words_that_look_like_html_are_words(page, rows):
    assert WORDS not in page
    assert "<b>bold" not in page
    data = read(re.search(r'<script id="study"[^>]*>(.*?)</script>', page)[1])
    table = data["rows"]
    held = {
        (p, m, f, s): (e, v, x)
        for p, m, f, s, e, v, x in zip(
            *(table[name] for name in ("problem", "method", "feature", "seed")),
            *(table[name] for name in ("evaluations", "value", "exception")),
            strict=True,
        )
    }
    assert held == {
        (r.problem, r.method, r.feature, r.seed): (
            r.evaluations, r.value if math.isfinite(r.value) else None, r.exception
        )
        for r in rows
    }  # fmt: skip


def test_it_does_not_hang_on_the_order_of_the_rows(rows, contents):
    shuffled = random.Random(0).sample(rows, len(rows))
    assert contents_of(shuffled) == contents


def rows_of(ranges, contents):
    table = contents["rows"]
    places = []
    for part in filter(None, ranges.split(".")):
        first, _, last = part.partition("-")
        places += range(int(first), int(last or first) + 1)
    return [(table["problem"][i], table["method"][i]) for i in places]


def test_every_sentence_and_number_leads_to_its_rows(contents):
    said = [s for statements in contents["findings"].values() for s in statements]
    for name, account in contents["accounts"].items():
        for text, link, count in (s for statements in account.values() for s in statements):
            behind = rows_of(link.removeprefix("#rows-"), contents)
            assert len(behind) == count > 0
            assert name in {method for _, method in behind}, text
    for text, link, count in said:
        assert len(rows_of(link.removeprefix("#rows-"), contents)) == count > 0, text
    for record in contents["tables"]["scores"]["records"]:
        behind = rows_of(record["rows"], contents)
        assert {method for _, method in behind} == {record["method"]}
        assert len(behind) == record["run"]


def test_a_doctored_row_changes_what_the_page_says(rows, contents):
    place = next(i for i, r in enumerate(rows) if (r.method, r.problem) == ("lbfgs", PROBLEMS[1]))
    row = rows[place]
    dear = Curve(**vars(row.curve) | {"evaluation": [100 * e for e in row.curve.evaluation]})
    doctored = [*rows]
    doctored[place] = replace(
        row, evaluations=100 * row.evaluations, passes=100 * row.passes, curve=dear
    )
    changed = contents_of(doctored)

    def score(found):
        records = found["tables"]["scores"]["records"]
        return next(r["mean_cost"] for r in records if r["method"] == "lbfgs")

    # one cost of three is 100 times as high
    assert score(changed) == pytest.approx(100 ** (1 / 3) * score(contents), rel=1e-9)
    for part in ("rows", "curves", "profiles", "accuracy", "tables", "findings", "accounts"):
        assert changed[part] != contents[part], part
    assert changed["trajectories"] == contents["trajectories"]


def test_curves_are_above_the_best_value_and_as_thin_as_their_room_asks(rows):
    one = next(row for row in rows if row.method == "gd" and row.problem == "brown-dennis")
    curves = [replace(one, seed=i) for i in range(8)]
    (whole, *_) = curves_of(curves, {one.problem: 2145.0}, 10**6)
    np.testing.assert_allclose(whole["gap"], np.asarray(one.curve.value) - 2145.0, rtol=1e-3)
    room = len(packed([whole])) // 2
    thin = curves_of([one], {one.problem: 2145.0}, room)
    assert len(packed(thin)) <= room
    for column in ("gap", "second", "evaluation"):
        assert thin[0][column][0] == whole[column][0]
        assert thin[0][column][-1] == whole[column][-1]
    assert [c is None for c in curves_of(curves, {one.problem: 2145.0}, 0)] == [False] + 7 * [True]


def test_profiles_are_those_of_the_analysis(rows, contents):
    runs = comparable(rows)
    made = {"performance": performance_profiles, "data": data_profiles}
    for kind, unit, level in (("performance", "cost", 5), ("data", "evaluations", 2)):
        for profile in made[kind](runs, LADDER[level], unit):
            x, share, *band = contents["profiles"][kind][unit][level][profile.method]
            np.testing.assert_allclose(x, profile.x, rtol=1e-3)
            np.testing.assert_allclose(share, profile.share, rtol=1e-3)
            assert bool(band) == (profile.low != profile.high)


def test_of_several_rates_the_tuned_one_stands_for_its_method(rows):
    one = next(row for row in rows if row.method == "gd" and row.feature == "plain")
    rates = [replace(one, rate=rate) for rate in (0.1, 0.01, 0.001)]
    rates[1].tuning = 30
    found = contents_of(rates)
    (place,) = found["standing"]
    assert found["rows"]["rate"][place] == 0.01
    (tuned,) = found["tables"]["tuning"]["records"]
    assert (tuned["rate"], tuned["tuning"], tuned["rows"]) == (0.01, 30, str(place))


def test_level_sets_are_of_the_function_around_the_paths(contents):
    (plane,) = contents["trajectories"].values()
    x, y = np.asarray(plane["x"]), np.asarray(plane["y"])
    truth = [[0.5 * sum((a + b * t - 2.0 * t) ** 2 for t in range(1, 6)) for a in x] for b in y]
    np.testing.assert_allclose(plane["f"], truth, rtol=1e-2)
    for xs, ys in plane["paths"].values():
        assert (xs[0], ys[0]) == pytest.approx((1.0, 1.0), abs=1e-2)
        assert (xs[-1], ys[-1]) == pytest.approx((0.0, 2.0), abs=1e-3)


def test_methods_and_problems_that_no_registry_knows_are_taken_as_they_are():
    curve = Curve(
        [0, 1], [1, 2], [0, 0], [1, 2], [0.0, 0.1], [1.0, 0.0], [1.0, 0.0], [math.nan] * 2
    )
    row = Row.of(Job("mine", "my:method"), 3, "converged: gradient", value=0.0, curve=curve)
    row.evaluations, row.passes, row.start_value = 2, 2.0, 1.0
    found = contents_of([row])
    assert found["methods"]["my:method"]["title"] == "my:method"
    assert found["problems"]["mine"]["n"] is None


def test_pictures_of_approximations_are_of_their_rows():
    scales = np.asarray([1.0, 10.0])
    bowl = lambda x: (x @ (scales * x) / 2.0, scales * x)  # noqa: E731
    found = hessx.compare_hessians(
        bowl, np.ones(2), ["gd", "bfgs"], jac=True, hess=lambda x: np.diag(scales), name="bowl"
    )
    pictures = pictures_of(found.rows)["bowl"]
    lines = {trace["name"]: trace["y"] for trace in pictures["error of B"]["data"]}
    table = hessian_rows_of(found.rows)
    for name in ("gd", "bfgs"):
        errors = [row.error for row in found.of(name)]
        np.testing.assert_allclose(lines[name], errors)
        held = zip(table["approximation"], table["error"], strict=True)
        np.testing.assert_allclose([e for a, e in held if a == name], errors, rtol=1e-3)
    # B = I, H = diag(1, 10): 9 / sqrt(101)
    assert lines["gd"][0] == pytest.approx(9.0 / math.sqrt(101.0))
    assert "errors by blocks at the last point" not in pictures  # x is one array
    assert pictures_of([]) == {}
