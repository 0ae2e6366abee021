"""Making a study: what is missing of its runs, under a bar, and then its report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TaskID

from hessx.comparison import read_hessian_rows, write_hessian_rows
from hessx.study.markdown import write_markdown
from hessx.study.plan import Plan, in_order
from hessx.study.records import Row
from hessx.study.report import Study, environment, write_page
from hessx.study.rows import RowFile, read_rows
from hessx.study.runner import Runner
from hessx.study.settings import Settings
from hessx.study.terminal import progress_bar
from hessx.study.tuning import RateFile

__all__ = ["Making", "write_report"]

_LABEL = 34  # columns of the bar's text
_ABOUT = "study.json"  # beside the rows: what was asked for, and where it was made
_HESSIANS = "hessians.csv"  # likewise: approximations beside the true Hessian


class Making:
    """A study on its way; what an earlier one has left in the folder is taken up.

    Parameters
    ----------
    settings : Settings
    plan : Plan
    out : Path
        Folder of the files ``rows.csv``, ``rates.jsonl``, ``hessians.csv``, ``study.json`` and
        ``worker.log``.
    fresh : bool
        Begin anew.

    Raises
    ------
    ValueError
        A file is damaged; its line is named.
    """

    def __init__(self, settings: Settings, plan: Plan, out: Path, *, fresh: bool = False) -> None:
        self.settings, self.plan, self.out = settings, plan, out
        rows, rates = out / "rows.csv", out / "rates.jsonl"
        if fresh:
            rows.unlink(missing_ok=True)
            rates.unlink(missing_ok=True)
            (out / _HESSIANS).unlink(missing_ok=True)
        self.file, self.rates = RowFile(rows), RateFile(rates)

    def run(self, console: Console) -> list[Row]:
        """Make the runs that are missing, and give the rows of all, in the order of registries."""
        about = {"settings": self.settings.in_words(), "environment": environment()}
        (self.out / _ABOUT).write_text(json.dumps(about, indent=1), encoding="utf-8")
        limit, log = self.settings.memory_limit * 2**20, self.out / "worker.log"
        with (
            Runner(limit, log, self.settings.workers) as runner,
            progress_bar(console, _LABEL) as progress,
        ):
            self._search(runner, progress)
            self._compare(runner, progress)
            jobs = self.plan.jobs(self.rates.found)
            missing = [job for job in jobs if job not in self.file]
            bar = progress.add_task("", total=len(jobs), completed=len(jobs) - len(missing))
            for row in runner.run(missing):
                row.tuning = jobs[row.job]
                self.file.append([row])
                _advance(progress, bar, f"{row.backend} {row.problem} {row.method}")
            progress.update(bar, description="runs")
        # as they are in the file, so that a report that is made again is the same
        found = {row.job.key: row for row in read_rows(self.file.path)}
        return in_order(found[job.key] for job in jobs)

    def _search(self, runner: Runner, progress: Progress) -> None:
        searches = self.plan.searches
        if not searches:
            return
        missing = [search for search in searches if search.key not in self.rates.found]
        done = len(searches) - len(missing)
        bar = progress.add_task("", total=len(searches), completed=done)
        for found in runner.search(missing):
            self.rates.append([found])
            job = found.search.job
            rate = "no rate" if found.rate is None else f"rate {found.rate:.3g}"
            _advance(progress, bar, f"{job.problem} {job.method} {rate}", found.message)
        progress.update(bar, description="searches for rates")

    def _compare(self, runner: Runner, progress: Progress) -> None:
        path = self.out / _HESSIANS
        rows = read_hessian_rows(path) if path.exists() else []
        missing = [each for each in self.settings.hessians if not each.is_in(rows)]
        if not missing:
            return
        bar = progress.add_task("", total=len(missing))
        for compared in runner.compare(missing):
            problem = compared.comparing.problem
            rows = [row for row in rows if row.problem != problem] + compared.rows
            rows.sort(key=lambda row: row.problem)  # each problem's stay in their order
            write_hessian_rows(path, rows)
            _advance(progress, bar, problem, compared.message)
        progress.update(bar, description="Hessians")

    def report(self, console: Console, rows: Sequence[Row]) -> None:
        """Write the report of the study's rows."""
        write_report(console, rows, self.file.path, self.out)


def write_report(console: Console, rows: Sequence[Row], source: Path, out: Path) -> None:
    """Write the page of rows, and the same as Markdown, and say where they are.

    Parameters
    ----------
    console : Console
    rows : sequence of Row
    source : Path
        The file they are from; what is known of their study lies beside it.
    out : Path
        A folder.
    """
    out.mkdir(parents=True, exist_ok=True)
    about, page = source.with_name(_ABOUT), out / "index.html"
    known = json.loads(about.read_text(encoding="utf-8")) if about.exists() else {}
    beside = source.with_name(_HESSIANS)
    hessians = read_hessian_rows(beside) if beside.exists() else []
    settings = known.get("settings", {})
    write_page(Study(rows, settings, known.get("environment"), hessians), page)
    text = write_markdown(rows, out, settings, hessians)
    for name, path in (("rows", source), ("text", text.resolve()), ("page", page.resolve())):
        console.print(f"{name}: {path}", soft_wrap=True, highlight=False)


def _advance(progress: Progress, bar: TaskID, label: str, trouble: str = "") -> None:
    progress.update(bar, advance=1, description=label)
    if trouble:
        progress.console.print(f"{label}: {trouble}", highlight=False, markup=False)
