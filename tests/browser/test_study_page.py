"""The study's page in a browser without a network."""

from __future__ import annotations

import csv
import html
import json
import re

import pytest

pytestmark = pytest.mark.browser

# Runs when the page is ready; what it gives is a note in the document.
SCRIPT = """
<script>
(async () => {
  const pause = (ms = 60) => new Promise((done) => setTimeout(done, ms));
  const show = (element) => {
    element.scrollIntoView();
    dispatchEvent(new Event("scroll")); // a page that nobody looks at sends none
  };
  const buttonOf = (root, text) =>
    [...root.querySelectorAll("button")].find((button) => button.textContent === text);
  const send = (element, name) => element.dispatchEvent(new Event(name, { bubbles: true }));
  while (!document.documentElement.dataset.ready) await pause();
  const seen = await (async () => { BODY })();
  document.body.append(Object.assign(document.createElement("pre"),
    { id: "seen", textContent: JSON.stringify(seen) }));
})();
</script>
"""


@pytest.fixture
def acted(visit, study_page, tmp_path):
    """Do something on the page, and give what a script has seen then."""

    def act(body):
        page = tmp_path / "index.html"
        script = SCRIPT.replace("BODY", body) + "</body>"
        text = study_page.read_text(encoding="utf-8")
        page.write_text(text.replace("</body>", script), encoding="utf-8")
        visited = visit(page.as_uri())
        assert visited.console == []
        assert visited.abroad == []
        return json.loads(html.unescape(re.search(r'<pre id="seen">(.*?)</pre>', visited.dom)[1]))

    return act


@pytest.fixture(scope="session")
def rows(study_page):
    csv.field_size_limit(2**27)
    with (study_page.parent / "rows.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_pictures_are_drawn_as_they_come_into_view_and_switches_draw_them_again(acted, rows):
    seen = acted("""
      const plots = [...document.querySelectorAll(".plot")];
      const before = plots.filter((plot) => plot.dataset.traces).length;
      for (const plot of plots) {
        show(plot);
        for (let i = 0; i < 40 && !plot.dataset.traces; i += 1) await pause(50);
      }
      const lines = (plot) => plot.querySelectorAll(".js-line").length;
      const notes = plots.map((plot) => ({ ...plot.dataset, lines: lines(plot) }));
      for (const select of document.querySelectorAll("select")) {
        for (const option of [...select.options, select.options[0]]) {
          select.value = option.value;
          for (const name of ["change", "input"]) send(select, name);
        }
      }
      const chips = () => document.querySelectorAll(".chip").length;
      const press = (text) => buttonOf(document.getElementById("panel"), text).click();
      document.getElementById("choose").click();
      press("none"); const none = chips();
      press("all"); const all = chips();
      const boxes = document.querySelectorAll("#panel input[name=method]");
      boxes[0].click();
      const color = () => getComputedStyle(document.body).backgroundColor;
      const white = color(); document.getElementById("theme").click();
      const plot = document.querySelector("[data-plot=convergence]");
      document.getElementById("choose").click();
      const first = lines(plot);
      show(plot);
      for (let i = 0; i < 40 && lines(plot) === first; i += 1) await pause(50);
      return { before, notes, none, all, boxes: boxes.length, chips: chips(), white, black: color(),
        problem: plot.dataset.problem, lines: lines(plot), off: boxes[0].value };
    """)
    assert seen["before"] < len(seen["notes"])
    assert [note for note in seen["notes"] if not int(note.get("traces", 0))] == []
    problems = {row["problem"] for row in rows}
    curves = {p: {r["method"] for r in rows if r["problem"] == p and r["curve"]} for p in problems}
    drawn = {(n["problem"], n["quantity"]): n for n in seen["notes"] if n["plot"] == "convergence"}
    assert set(drawn) == {(p, q) for p in problems for q in ("gap", "grad_norm")}
    for (problem, _), note in drawn.items():
        assert 0 < note["lines"] <= len(curves[problem]), problem
    methods = {row["method"] for row in rows}
    assert (seen["none"], seen["all"], seen["boxes"]) == (0, len(methods), len(methods))
    assert seen["chips"] == len(methods) - 1
    here = [r for r in rows if r["problem"] == seen["problem"] and r["curve"]]
    others = {row["method"] for row in here} - {seen["off"]}
    assert len(others) <= seen["lines"] <= sum(row["method"] in others for row in here)  # by seeds
    assert seen["white"] != seen["black"]


def test_tables_are_sorted_and_filtered_by_clicks_and_numbers_lead_to_rows(acted, rows):
    seen = acted("""
      const root = document.querySelector("[data-table=rows]");
      const texts = (elements) => [...elements].map((element) => element.textContent);
      const lines = () => [...root.querySelectorAll("tbody tr")].map((line) => texts(line.cells));
      const column = (name) => {
        const place = texts(root.querySelectorAll("th")).indexOf(name);
        return lines().map((line) => line[place]);
      };
      const click = (name) => buttonOf(root.querySelector("thead"), name).click();
      const found = { all: lines().length };
      click("evaluations"); found.rising = column("evaluations").map(Number);
      click("evaluations"); found.falling = column("evaluations").map(Number);
      found.sort = root.querySelector("th[aria-sort]").ariaSort;
      const choice = root.querySelector("select[data-choice=problem]");
      choice.value = choice.options[1].value; send(choice, "change");
      found.problem = choice.value; found.problems = column("problem");
      choice.value = ""; send(choice, "change");
      const search = root.querySelector("input");
      search.value = "lbfgs"; send(search, "input");
      found.shown = lines().length; found.count = root.querySelector(".count").textContent;

      const link = document.querySelector("[data-table=matrix] tbody a[href^='#row-']");
      link.click(); await pause();
      found.link = [link.closest("tr").cells[0].textContent, link.textContent];
      found.row = lines();
      const sentence = [...document.querySelectorAll("#findings ~ details a.rows")].at(-1);
      sentence.click(); await pause();
      found.promised = Number(sentence.textContent.split(" ")[0]); found.behind = lines().length;

      const method = document.querySelector("details[id^=method-]");
      method.open = true; await pause();
      found.own = [method.id, method.querySelectorAll("tbody tr").length];

      document.querySelectorAll("details").forEach((details) => { details.open = true; });
      document.body.style.width = "390px";
      await pause(200);
      found.wide = [...document.querySelectorAll("main *")]
        .filter((e) => !e.closest(".scroll, .plot") && e.getBoundingClientRect().right > 391)
        .map((e) => e.outerHTML.slice(0, 80));
      return found;
    """)
    assert seen["all"] == min(len(rows), 200)
    assert seen["rising"] == sorted(seen["rising"])
    assert seen["falling"] == sorted(seen["falling"], reverse=True) != seen["rising"]
    assert seen["sort"] == "descending"
    assert set(seen["problems"]) == {seen["problem"]}
    assert len(seen["problems"]) == sum(row["problem"] == seen["problem"] for row in rows)
    found, of, total = seen["count"].split()[:3]
    assert (of, int(total)) == ("of", len(rows)) and seen["shown"] == min(int(found), 200)
    named = sum("lbfgs" in row["method"] for row in rows)
    assert 0 < named <= int(found) < len(rows)  # others say so in their titles and messages
    (line,) = seen["row"]
    assert set(seen["link"]) <= set(line)
    assert seen["behind"] == min(seen["promised"], 200) > 0
    name, count = seen["own"]
    assert count == min(sum(f"method-{row['method']}" == name for row in rows), 60) > 0
    assert seen["wide"] == []


def test_the_check_sees_an_error_and_a_missing_host(visit, tmp_path):
    page = tmp_path / "broken.html"
    page.write_text("<!doctype html><script>undefinedName.call()</script>")
    (message,) = visit(page.as_uri()).console
    assert "undefinedName is not defined" in message
    page.write_text("<!doctype html><script src='https://example.org/a.js'></script>")
    assert visit(page.as_uri()).abroad == ["https://example.org/a.js"]
