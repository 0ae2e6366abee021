"""A process that has one run made after the other, each in a process that may be lost."""

from __future__ import annotations

import contextlib
import gc
import importlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil

from hessx.study.methods import find_method
from hessx.study.records import CRASHED, HOARDED, HUNG, Job
from hessx.study.tasks import Answer, Task, carry_task_out, job_of, lost
from hessx.study.worker import attempt, pose

__all__ = ["SETUP", "forks", "lane_of", "serve"]

SETUP = 120.0  # s for imports and data, before the clock of a run starts
_PREPARED = "prepared"  # sent when it starts
_LOOK = 0.02  # s between looks at a run's memory
_FORKABLE = ("numpy", "torch")  # on one thread; the others have threads of their own
_TORCH = ("torch", "torchmin")
_THREADED = ("jax", "jaxlib", "optax", "optimistix")
_FIRST = "linear-regression"
# where the package alone does not load what a run needs
_MODULES = {"scipy": "scipy.optimize", "torch": "torch._dynamo", "torchmin": "torch._dynamo"}


class _ParentLostError(Exception):
    """Nobody waits for answers any more."""


def lane_of(task: Task) -> tuple[str, str, bool]:
    """Give what a lane is made for: a library, one that peers bring, and whether runs are forked.

    A process that has loaded PyTorch takes twice as long to be forked.
    """
    job = job_of(task)
    package = find_method(job.method).package
    brought = "jax" if package in _THREADED else "torch" if package in _TORCH else ""
    return job.backend, brought, forks(job.backend, job.method)


def forks(backend: str, method: str) -> bool:
    """Tell whether runs are forked from a process that has everything imported and posed."""
    if sys.platform != "linux" or backend not in _FORKABLE:
        return False
    alone = os.environ.get("OMP_NUM_THREADS", "1") == "1"
    return alone and find_method(method).package not in _THREADED


def serve(parent: Connection, log: Path, memory_limit: float, forked: bool) -> None:
    """Answer tasks until the parent is gone; all that is printed goes to ``log``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    source = _Forked(parent) if forked else _Shared()
    try:
        while True:
            task = parent.recv()
            parent.send(_supervise(source, task, parent, memory_limit))
    except (EOFError, OSError, _ParentLostError):
        return
    finally:
        source.close()


class _Shared:
    """A process that makes many runs; another takes its place when it is lost."""

    process: BaseProcess | None = None
    patience = 15.0  # s beyond a run's limit, as it may compile before it begins

    def begin(self, task: Task) -> Connection:
        """Let a run begin, and give where its answer comes from."""
        if self.process is None:
            context = multiprocessing.get_context("spawn")
            self.connection, theirs = context.Pipe()
            self.process = context.Process(target=_answer_all, args=(theirs,), daemon=True)
            self.process.start()
            theirs.close()  # so that the worker's death is an EOFError here
        self.connection.send(task)
        return self.connection

    def end(self) -> None:
        """Keep the process after a run that has ended well."""

    def close(self) -> None:
        """Kill the process, if there is one."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.connection.close()
            self.process = None


class _Forked(_Shared):
    """A process of its own for each run, forked when everything is imported and posed."""

    patience = 2.0

    def __init__(self, parent: Connection) -> None:
        self.parent = parent
        self.warm: set[tuple[str, str]] = set()

    def begin(self, task: Task) -> Connection:
        """Let a run begin, and give where its answer comes from."""
        job = job_of(task)
        with contextlib.suppress(Exception):  # the run itself meets it, and its row says it
            package = find_method(job.method).package
            importlib.import_module(_MODULES.get(package, package))
            pose(job.problem, job.backend, job.dtype)
            if (job.backend, job.dtype) not in self.warm:
                _warm_up(job)
                self.warm.add((job.backend, job.dtype))
        gc.freeze()  # what is there is shared with the fork, and not moved by it
        context = multiprocessing.get_context("fork")
        self.connection, theirs = context.Pipe(duplex=False)
        self.process = context.Process(target=_answer_one, args=(task, theirs, self.parent))
        self.process.start()
        theirs.close()
        return self.connection

    def end(self) -> None:
        """See the process off."""
        self.close()


def _answer_all(connection: Connection) -> None:
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(carry_task_out(connection.recv(), _teller(connection)))


def _answer_one(task: Task, connection: Connection, parent: Connection) -> None:
    parent.close()  # who is waiting there must not wait for this process
    _warm_up(job_of(task))
    connection.send(carry_task_out(task, _teller(connection)))
    connection.close()
    os._exit(0)  # what the lane has imported is not this process's to take down


def _warm_up(job: Job) -> None:
    """Make a small run: what is loaded late, or shared by a fork, is then counted to no method."""
    attempt(Job(_FIRST, "trust-ncg", job.backend, job.dtype), lambda: None)


def _teller(connection: Connection) -> Callable[[], None]:
    return lambda: connection.send(_PREPARED)


def _supervise(source: _Shared, task: Task, parent: Connection, memory_limit: float) -> Answer:
    """Wait for the answer of a run; one that hangs, hoards or crashes is given one."""
    began = time.perf_counter()
    deadline = began + SETUP
    connection = source.begin(task)
    while True:
        ready = wait([connection, parent], _LOOK)
        if parent in ready:  # which says nothing before the answer
            raise _ParentLostError
        if ready:
            try:
                reply: Any = connection.recv()
            except (EOFError, OSError):
                outcome, message = CRASHED, _last_words(source.process)
                break
            if reply != _PREPARED:
                source.end()
                return reply  # type: ignore[no-any-return]
            began = time.perf_counter()
            deadline = began + 1.5 * task.seconds + source.patience
        elif time.perf_counter() > deadline:
            outcome, message = HUNG, f"limit {task.seconds:g} s"
            break
        elif _memory(source.process) > memory_limit:
            outcome, message = HOARDED, f"limit {memory_limit / 2**20:.0f} MiB"
            break
    source.close()
    return lost(task, outcome, message, time.perf_counter() - began)


def _memory(process: BaseProcess | None) -> float:
    with contextlib.suppress(psutil.Error):
        return float(psutil.Process(process.pid).memory_info().rss)  # type: ignore[union-attr]
    return 0.0


def _last_words(process: BaseProcess | None) -> str:
    assert process is not None
    process.join()
    code = process.exitcode or 0
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
