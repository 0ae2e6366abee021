"""Measure hessx and run its tests on this machine's CUDA device; write one report.

``python tests/device/report.py --output report.md`` takes every CUDA backend that is installed;
``--backend numpy`` takes another one, to try the script on a machine without a GPU.  The report is
written as it goes: what was measured is there whenever the script is stopped.  With ``--seconds N``
it ends in time by itself and names what it did not reach.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from measuring import COLUMNS, cases
from suites import Part, Processes, contracts, others, run_parts

HERE = Path(__file__).parent
CUDA_BACKENDS = ["cupy", "cupy-float32", "cuda-torch", "cuda-torch-float32"]
PACKAGES = ["hessx", "numpy", "array-api-compat", "cupy-cuda12x", "cupy-cuda13x", "torch"]
OUT_OF_TIME = "out of time"
WEEK = 7 * 86400.0

NOTES = """\
Sum of D (x^2 / 2 + x^4 / 4), D from 1 to 1e3, from ones. A step is an iteration of L-BFGS (m = 10),
a CG step of trust-ncg. "Outside f" is the time of a run without that of the same evaluations and
products alone. GB/s: 62 passes over a vector per step of L-BFGS, 18 per CG step, in that time;
beside it a copy on the device of a vector of the same size, read and written once."""


class Report:
    """Lines that are in the file as soon as they are added."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = path.open("w", encoding="utf-8")
        self.missing: list[str] = []  # what was not reached
        self.trouble = ""  # why the report ends early, where it is not the time

    def add(self, *lines: str) -> None:
        for line in lines:
            self.file.write(f"{line}\n")
        self.file.flush()
        os.fsync(self.file.fileno())

    def close(self) -> None:
        """Say what is missing, or that nothing is."""
        if self.missing:
            self.add("", f"## Not run: {OUT_OF_TIME}", "", *(f"- {name}" for name in self.missing))
        complete = not self.missing and not self.trouble
        self.add("", "Complete." if complete else f"Incomplete: {self.trouble or OUT_OF_TIME}.")
        self.file.close()


def measurements(
    report: Report, name: str, largest: int, deadline: float, processes: Processes
) -> bool:
    """A table of one backend, row by row; False where it cannot run here."""
    todo, done = cases(largest), 0
    report.add(f"### {name}", "")
    while done < len(todo) and time.monotonic() < deadline:
        last = ""
        for answer in answers(name, largest, done, deadline, processes):
            if isinstance(answer, str):
                last = answer
            elif "unavailable" in answer:
                report.add(f"Not run: {answer['unavailable']}.", "")
                return False
            else:
                add_row(report, name, todo, done, answer)
                done += 1
        if done < len(todo) and time.monotonic() < deadline:
            add_row(report, name, todo, done, {"left out": f"the process ended: {last or '-'}"})
            done += 1
    report.missing += [f"{name}: {method}, n = {n}" for method, n in todo[done:]]
    report.add("")
    return True


def answers(
    name: str, largest: int, first: int, deadline: float, processes: Processes
) -> Iterator[Any]:
    """What the measuring process says: objects, and other lines as they are."""
    left = deadline - time.monotonic()
    script = str(HERE / "measuring.py")
    process = processes.start(
        [script, name, f"--largest={largest}", f"--first={first}", f"--seconds={left}"]
    )
    alarm = threading.Timer(left, processes.end, [process])
    alarm.daemon = True
    alarm.start()
    try:
        for line in process.stdout or ():
            yield json.loads(line) if line.startswith("{") else line.strip()
    finally:
        alarm.cancel()
        processes.end(process)


def add_row(
    report: Report, name: str, todo: list[tuple[str, int]], i: int, row: dict[str, Any]
) -> None:
    method, n = todo[i]
    if i == 0:
        heads = ["method", "n", *COLUMNS.values()]
        report.add(f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}")
    cells = [shown(row.get(key)) for key in COLUMNS]
    if "left out" in row:
        cells = [f"left out: {row['left out']}".replace("|", "/"), *[""] * (len(COLUMNS) - 1)]
        if row["left out"].startswith(OUT_OF_TIME):
            report.missing.append(f"{name}: {method}, n = {n}")
    report.add(f"| {method} | {n:.0e} | {' | '.join(cells)} |")


def shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def suites(
    report: Report, title: str, parts: list[Part], workers: int, deadline: float, all_of: Processes
) -> tuple[int, int]:
    """A line for each file as it ends; how many tests passed, and how much failed."""
    passed = failed = 0
    report.add(f"## {title}", "")
    for part in run_parts(parts, workers, deadline, all_of):
        if OUT_OF_TIME in part.trouble:
            report.missing.append(part.name)
        if not part.seconds:
            continue
        passed += part.passed
        failed += len(part.failures) + (bool(part.trouble) and OUT_OF_TIME not in part.trouble)
        counts = f"{part.passed} passed, {len(part.failures)} failed, {part.skipped} skipped"
        report.add(f"- {part.name}: {part.trouble or counts}, {part.seconds:.0f} s")
        report.add(*(f"  - failed: {failure}" for failure in part.failures))
    report.add("", f"{passed} passed, {failed} failed.", "")
    return passed, failed


def card() -> str:
    """The GPU and its driver, or the processor."""
    try:
        query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return f"no CUDA device; {platform.machine()}"


def versions() -> list[str]:
    lines = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            lines.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return lines


def make(report: Report, asked: argparse.Namespace, deadline: float, processes: Processes) -> bool:
    """Measure, then test; True where something passed and nothing failed."""
    report.add("# hessx on a device", "", card(), "", *(f"- {line}" for line in versions()), "")
    report.add('Written as it goes: what does not end with "Complete." is not all there is.', "")
    report.add("## Measurements", "", NOTES, "")
    names = [
        name
        for name in asked.backend or CUDA_BACKENDS
        if measurements(report, name, asked.largest, deadline, processes)
    ]
    if not names:
        return False
    sections = {"Contract suites": contracts(names), "Other tests": others(names)}
    if asked.tests:
        sections = {"Tests": [Part(file.resolve(), names) for file in asked.tests]}
    passed = failed = 0
    for title, parts in sections.items():
        counts = suites(report, title, parts, asked.workers, deadline, processes)
        passed, failed = passed + counts[0], failed + counts[1]
    return passed > 0 and not failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("device-report.md"))
    parser.add_argument("--backend", action="append", help="default: " + ", ".join(CUDA_BACKENDS))
    parser.add_argument("--seconds", type=float, default=WEEK, help="limit on the time of all")
    parser.add_argument("--largest", type=int, default=10**7, help="number of variables at most")
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 1) // 2))
    parser.add_argument("--tests", type=Path, nargs="+", help="these test files instead of all")
    asked = parser.parse_args()
    deadline = time.monotonic() + 0.98 * asked.seconds  # what is left is for writing it down
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    processes, report, well = Processes(), Report(asked.output), False
    try:
        well = make(report, asked, deadline, processes)
    except BaseException as error:
        report.trouble = f"{type(error).__name__}: {error}"
        raise
    finally:
        processes.close()
        report.close()
    sys.stdout.write(f"{asked.output}\n")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
