"""The study's page in a browser without a network."""

from __future__ import annotations

import csv
import re
from collections import Counter

import pytest

pytestmark = pytest.mark.browser


def test_no_error_and_a_curve_per_run_of_the_first_backend(visit, study_page):
    seen = visit(study_page.as_uri())
    assert seen.console == []
    assert seen.abroad == []
    with (study_page.parent / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    first = rows[0]["backend"]  # that which is drawn at first
    drawn = [row for row in rows if int(row["iterations"]) > 0 and row["backend"] == first]
    methods = Counter(row["problem"] for row in drawn)
    assert methods
    for problem, count in methods.items():
        for quantity in ("grad_norm", "gap"):
            assert curves(seen.dom, problem, quantity) == count, (problem, quantity)
    table_rows = len(re.findall(r'<td class="text wrap">', seen.dom))
    assert table_rows == len(rows)


def curves(dom: str, problem: str, quantity: str) -> int:
    """Count the lines drawn in a plot."""
    start = dom.index(f'data-problem="{problem}" data-quantity="{quantity}"')
    end = dom.find("data-problem=", start + 1)
    return len(re.findall(r'class="js-line"', dom[start : end if end > 0 else None]))


CLICK_THROUGH = """
  <script>
    for (const input of document.querySelectorAll("input[type=radio]")) input.click();
    for (const input of document.querySelectorAll("input[type=checkbox]")) {
      input.click();
      input.click();
    }
  </script>
"""


def test_every_switch_draws_every_curve_again(visit, study_page, tmp_path):
    page = tmp_path / "index.html"
    html = study_page.read_text(encoding="utf-8")
    page.write_text(html.replace("</body>", CLICK_THROUGH + "</body>"), encoding="utf-8")
    before, after = visit(study_page.as_uri()), visit(page.as_uri())
    assert after.console == []
    # the last switches of the two groups are on: by second, on a linear axis
    assert after.dom.count(">seconds</text>") == before.dom.count(">evaluation</text>") > 0
    assert after.dom.count("js-line") == before.dom.count("js-line") > 0


def test_the_check_sees_an_error_and_a_missing_host(visit, tmp_path):
    page = tmp_path / "broken.html"
    page.write_text("<!doctype html><script>undefinedName.call()</script>")
    (message,) = visit(page.as_uri()).console
    assert "undefinedName is not defined" in message
    page.write_text("<!doctype html><script src='https://example.org/a.js'></script>")
    assert visit(page.as_uri()).abroad == ["https://example.org/a.js"]
