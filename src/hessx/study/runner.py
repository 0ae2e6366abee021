"""Runs jobs one after the other in a worker process, and replaces the worker that is lost."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterable, Iterator
from multiprocessing.connection import wait
from pathlib import Path
from types import TracebackType

import psutil

from hessx.study.problems import PROBLEMS
from hessx.study.records import CRASHED, HOARDED, HUNG, Job, Row
from hessx.study.worker import PREPARED, serve

__all__ = ["Runner"]

_LOOK = 0.02  # s between looks at the worker's memory
_SETUP = 120.0  # s for imports and data, before the clock of a run starts
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Runner:
    """A worker and what is allowed to it; use it in a ``with`` block.

    A method is given ``job.seconds`` and asked to keep them; at 1.5 times that and 2 s the
    process is killed.

    Parameters
    ----------
    memory_limit : float
        Bytes of resident memory that the worker may have.
    log : Path
        Where what the worker prints goes.
    """

    def __init__(self, memory_limit: float, log: Path) -> None:
        self.memory_limit, self.log = memory_limit, log
        self._context = multiprocessing.get_context("spawn")
        self._process: multiprocessing.process.BaseProcess | None = None

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._kill()

    def run(self, jobs: Iterable[Job]) -> Iterator[Row]:
        """Make the runs in order; jobs of one backend in a row share their worker."""
        backend = None
        for job in jobs:
            if job.backend != backend:
                self._kill()
                backend = job.backend
            yield self._run(job)

    def _run(self, job: Job) -> Row:
        n = PROBLEMS[job.problem].n
        if self._process is None:
            self._start()
        began = time.perf_counter()
        deadline = began + _SETUP
        try:
            self._connection.send(job)
            while True:
                answered = wait([self._connection], _LOOK)
                if answered:
                    reply = self._connection.recv()
                    if reply != PREPARED:
                        return reply  # type: ignore[no-any-return]
                    began = time.perf_counter()
                    deadline = began + 1.5 * job.seconds + 2.0
                elif time.perf_counter() > deadline:
                    outcome, message = HUNG, f"limit {job.seconds:g} s"
                    break
                elif self._memory() > self.memory_limit:
                    outcome, message = HOARDED, f"limit {self.memory_limit / 2**20:.0f} MiB"
                    break
        except (EOFError, BrokenPipeError, ConnectionResetError):
            outcome, message = CRASHED, self._last_words()
        self._kill()
        return Row.of(job, n, outcome, message=message, seconds=time.perf_counter() - began)

    def _start(self) -> None:
        self._connection, theirs = self._context.Pipe()
        with _one_thread():
            self._process = self._context.Process(
                target=serve, args=(theirs, self.log), daemon=True
            )
            self._process.start()
        theirs.close()  # so that the worker's death is an EOFError here

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None

    def _memory(self) -> float:
        with contextlib.suppress(psutil.Error):
            return float(psutil.Process(self._process.pid).memory_info().rss)  # type: ignore[union-attr]
        return 0.0

    def _last_words(self) -> str:
        assert self._process is not None
        self._process.join()
        code = self._process.exitcode or 0
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Let a new process compute on one thread, unless the user has said how many."""
    added = {name: "1" for name in _THREADS if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
