"""Counts of the benchmarks that are kept with the project, a file of asv's for each commit.

A count (fetches, launches, products, evaluations) does not depend on what else a machine does, and
hardly on the machine, so that one that was kept stands beside one of today: on the page of the
benchmarks, and in a comparison.  Times and peaks of memory are this machine's and are not kept.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KEPT = Path(__file__).parent / "counts"
MORE = {"track": 1.05, "time": 1.5}  # another processor's rounding moves an evaluation or two

Values = dict[str, float]  # by benchmark and parameters; infinite where it failed


def is_count(benchmark: str) -> bool:
    """Whether a benchmark counts, and measures neither time nor memory."""
    name = benchmark.rpartition(".")[2]
    return name.startswith("track_") and not name.startswith("track_peak")


def columns(found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each benchmark of a file of asv's, and its columns by name."""
    for name, values in found["results"].items():
        yield name, dict(zip(found["result_columns"], values, strict=False))


def only_counts(found: dict[str, Any]) -> dict[str, Any]:
    """The counts of a file of asv's, and nothing of the machine, the day or the benchmarks' code.

    Without a version they stand beside those of other code: what comes to count something else
    takes another name.
    """
    return {
        "commit_hash": found["commit_hash"],
        "date": found["date"],
        "env_name": "counts",
        "params": {"machine": "any"},
        "python": "",
        "requirements": {},
        "result_columns": ["result", "params"],
        "results": {
            name: [c["result"], c["params"]] for name, c in columns(found) if is_count(name)
        },
        "version": found["version"],
    }


def read(file: Path) -> dict[str, Any]:
    """A file of asv's."""
    return json.loads(file.read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def write(file: Path, found: dict[str, Any]) -> None:
    """Write a file of asv's."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found) + "\n", encoding="utf-8")


def measured(results: Path, commit: str = "") -> list[Path]:
    """The files of asv's below a folder, of one commit or of all; the newest is the last."""
    files = [
        file
        for file in results.rglob(f"{commit[:8]}*.json")
        if file.name not in ("machine.json", "benchmarks.json")
    ]
    return sorted(files, key=lambda file: (file.stat().st_mtime, file))


def newest(results: Path, commit: str) -> Path:
    """The last of what was measured of a commit."""
    files = measured(results, commit)
    if not files:
        commits = ", ".join(sorted({file.name[:8] for file in measured(results)})) or "none"
        raise SystemExit(f"{results} has no results of {commit}; it has those of {commits}")
    return files[-1]


def keep(results: Path, commit: str, kept: Path = KEPT) -> None:
    """Keep the counts of a commit that asv has run."""
    write(kept / f"{commit[:8]}.json", only_counts(read(newest(results, commit))))


def join(results: Path, joined: Path, kept: Path = KEPT) -> None:
    """Put the kept counts and this machine's results into one folder, for asv publish.

    Counts of a machine are those of any: they are given to this one, and stand on its curves.
    """
    shutil.rmtree(joined, ignore_errors=True)
    shutil.copytree(results, joined)
    last = newest(results, "")
    mine = {key: value for key, value in read(last).items() if key in ("params", "python")}
    for file in measured(kept):
        found = read(file)
        here = {n for f in measured(results, found["commit_hash"]) for n in read(f)["results"]}
        found["results"] = {n: v for n, v in found["results"].items() if n not in here}
        write(joined / last.relative_to(results).with_name(file.name), found | mine)


def values_of(found: dict[str, Any], kind: str) -> Values:
    """Counts (track) or times (time) of a file of asv's; what does not apply is left out."""
    values = {}
    for name, c in columns(found):
        if name.rpartition(".")[2].startswith(f"{kind}_") and (kind == "time" or is_count(name)):
            combinations = list(itertools.product(*c["params"]))
            results = c["result"] or [None] * len(combinations)
            for combination, value in zip(combinations, results, strict=True):
                if value is None or not math.isnan(value):
                    key = f"{name}({', '.join(combination)})"
                    values[key] = math.inf if value is None else value
    return values


def worse(before: Values, after: Values, more: float) -> list[tuple[str, float, float]]:
    """What has grown by more than a factor, or fails now, with both values."""
    both = [(name, value, after[name]) for name, value in before.items() if name in after]
    return [(name, was, now) for name, was, now in both if now - was > (more - 1.0) * abs(was)]


def compare(before: Path, after: Path, kind: str) -> int:
    """Write what has grown from one file of asv's to another, and return how much has."""
    was, now = values_of(read(before), kind), values_of(read(after), kind)
    grown = worse(was, now, MORE[kind])
    width = max((len(name) for name, *_ in grown), default=0)
    lines = [f"{name:{width}} {a:12.6g} -> {b:.6g}\n" for name, a, b in grown]
    total = f"{len(grown)} of {len(was.keys() & now.keys())} are more than {MORE[kind]:g} times "
    sys.stdout.writelines([*lines, total + f"what they were at {before.name[:8]}\n"])
    return len(grown)


def main() -> None:
    """Keep, join or compare, as noxfile.py asks."""
    parser = argparse.ArgumentParser(description=__doc__)
    tasks = parser.add_subparsers(dest="task", required=True)
    task = tasks.add_parser("keep", help="keep the counts of a commit")
    task.add_argument("results", type=Path)
    task.add_argument("commit")
    task = tasks.add_parser("join", help="kept counts and results, in one folder")
    task.add_argument("results", type=Path)
    task.add_argument("joined", type=Path)
    task = tasks.add_parser("compare", help="what has grown; the exit code is 1 if anything has")
    task.add_argument("kind", choices=MORE)
    task.add_argument("before", type=Path, help="folder of results")
    task.add_argument("commit_before")
    task.add_argument("after", type=Path, help="folder of results")
    task.add_argument("commit_after")
    given = parser.parse_args()
    if given.task == "keep":
        keep(given.results, given.commit)
    elif given.task == "join":
        join(given.results, given.joined)
    else:
        files = [
            newest(given.before, given.commit_before), newest(given.after, given.commit_after)
        ]  # fmt: skip
        sys.exit(compare(*files, given.kind) > 0)


if __name__ == "__main__":
    main()
