"""The test files, several at once, each in a process of its own that ends with the time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Part", "Processes", "contracts", "others", "run_parts"]

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
FAILED, NO_TESTS = 1, 5  # pytest's exit status: a test failed, nothing was selected


@dataclass
class Part:
    """A file on some backends, and what came of it."""

    file: Path
    backends: Sequence[str]
    passed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)
    trouble: str = ""  # why there is no complete answer
    seconds: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.file.relative_to(ROOT)} ({', '.join(self.backends)})"


def contracts(backends: Sequence[str]) -> list[Part]:
    """A part for each file and backend: they take the longest."""
    return [Part(file, [name]) for file in _files("contracts") for name in backends]


def others(backends: Sequence[str]) -> list[Part]:
    """The other tests that run on backends."""
    return [
        Part(f, backends) for folder in ("unit", "properties", "device") for f in _files(folder)
    ]


def _files(folder: str) -> list[Path]:
    found = sorted((TESTS / folder).rglob("test_*.py"))
    return [file for file in found if "(backend" in file.read_text(encoding="utf-8")]


class Processes:
    """What runs now, so that nothing is left behind."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._lock, self._closed = threading.Lock(), False

    def start(self, command: Sequence[str]) -> subprocess.Popen[str]:
        """Start a process that leads a group, with what this one finds on its path."""
        with self._lock:
            if self._closed:
                raise InterruptedError("the report is being ended")
            process = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=_environment(), text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
            self._running.add(process)
        return process

    def end(self, process: subprocess.Popen[str]) -> None:
        """Stop a process and its children."""
        with self._lock:
            self._running.discard(process)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def close(self) -> None:
        """Stop all, and start no more."""
        with self._lock:
            self._closed, running = True, list(self._running)
        for process in running:
            self.end(process)


def _environment() -> dict[str, str]:
    """This process's, with a PYTHONPATH that holds in another folder."""
    path = [str(Path(p).resolve()) for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    return os.environ | {"PYTHONPATH": os.pathsep.join(path)}


def run_parts(
    parts: Sequence[Part], workers: int, deadline: float, processes: Processes
) -> Iterator[Part]:
    """Run the tests of each part; give it as it ends, or as there is no time for it."""
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(_run, part, deadline, processes) for part in parts]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            processes.close()
            raise


def _run(part: Part, deadline: float, processes: Processes) -> Part:
    began = time.monotonic()
    if began >= deadline:
        part.trouble = "not run: out of time"
        return part
    asked = [option for name in part.backends for option in ("--backend", name)]
    with tempfile.TemporaryDirectory() as folder:
        answers = Path(folder) / "answers.xml"
        command = ["-m", "pytest", str(part.file), *asked, f"--junitxml={answers}", "--tb=short"]
        process = processes.start(command)
        try:
            output, _ = process.communicate(timeout=deadline - began)
        except subprocess.TimeoutExpired:
            part.trouble = f"not finished: out of time after {deadline - began:.0f} s"
            return part
        finally:
            processes.end(process)
            part.seconds = time.monotonic() - began
        if answers.exists():
            _read(part, answers)
        if process.returncode not in (0, FAILED, NO_TESTS):
            last = (output.strip().splitlines() or ["no output"])[-1]
            part.trouble = f"ended with status {process.returncode}: {last}"
    return part


def _read(part: Part, answers: Path) -> None:
    for case in ElementTree.parse(answers).iter("testcase"):
        kinds = {child.tag: child for child in case}
        problem = kinds.get("failure", kinds.get("error"))
        if problem is not None:
            text = (problem.get("message") or "").splitlines()
            part.failures.append(f"{case.get('name')}: {text[0] if text else ''}")
        elif "skipped" in kinds:
            part.skipped += 1
        else:
            part.passed += 1
