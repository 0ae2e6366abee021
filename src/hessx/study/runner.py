"""Has tasks answered by lanes, processes beside this one, in any order."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType

from hessx.study.hessians import Compared, Comparing
from hessx.study.lane import SETUP, lane_of, serve
from hessx.study.records import CRASHED, Job, Row
from hessx.study.tasks import Answer, Task, lost
from hessx.study.tuning import Found, Search

__all__ = ["Runner"]

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_PATIENCE = 3.0 * SETUP  # s beyond a task's own limits, after which its lane is given up


class Runner:
    """Lanes and what is allowed to their runs; use it in a ``with`` block.

    A method is given ``job.seconds`` and asked to keep them; at 1.5 times that and 2 s, or 15 s
    where libraries compile, the process of the run is killed.

    Parameters
    ----------
    memory_limit : float
        Bytes of resident memory that the process of a run may have.
    log : Path
        Where what the runs print goes.
    workers : int
        Lanes, that is, runs at a time.
    """

    def __init__(self, memory_limit: float, log: Path, workers: int = 1) -> None:
        self.memory_limit, self.log = memory_limit, log
        self._lanes = [_Lane() for _ in range(workers)]

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for lane in self._lanes:
            lane.kill()

    def run(self, jobs: Iterable[Job]) -> Iterator[Row]:
        """Make runs, and give their rows as they end; with one lane, in order."""
        return self._answers(jobs)  # type: ignore[return-value]

    def search(self, searches: Iterable[Search]) -> Iterator[Found]:
        """Search for rates, and give what was found as searches end."""
        return self._answers(searches)  # type: ignore[return-value]

    def compare(self, comparisons: Iterable[Comparing]) -> Iterator[Compared]:
        """Compare approximations with the Hessian, and give the rows as comparisons end."""
        return self._answers(comparisons)  # type: ignore[return-value]

    def _answers(self, tasks: Iterable[Task]) -> Iterator[Answer]:
        waiting: dict[
            tuple[str, str, bool], deque[Task]
        ] = {}  # by what their lane must be made for
        for task in tasks:
            waiting.setdefault(lane_of(task), deque()).append(task)
        while True:
            for lane in self._lanes:
                if lane.task is None and any(waiting.values()):
                    kind = lane.kind if waiting.get(lane.kind) else _longest(waiting)
                    lane.give(waiting[kind].popleft(), kind, self.log, self.memory_limit)
            busy = {lane.connection: lane for lane in self._lanes if lane.task is not None}
            if not busy:
                return
            for connection in wait([*busy], timeout=1.0):
                yield busy[connection].answer()  # type: ignore[index]
            for lane in busy.values():
                if lane.task is not None and time.perf_counter() > lane.deadline:
                    yield lane.lose("the lane does not answer")


def _longest(waiting: dict[tuple[str, str, bool], deque[Task]]) -> tuple[str, str, bool]:
    """Begin with what there is most of, so that lanes are made anew seldom."""
    return max(waiting, key=lambda kind: len(waiting[kind]))


class _Lane:
    """A process that answers one task at a time."""

    connection: Connection
    deadline = 0.0

    def __init__(self) -> None:
        self.process: BaseProcess | None = None
        self.task: Task | None = None
        self.kind = ("", "", False)

    def give(self, task: Task, kind: tuple[str, str, bool], log: Path, memory_limit: float) -> None:
        """Let it work on a task; made anew if it was made for another kind."""
        if self.process is None or kind != self.kind:
            self.kill()
            self.kind = kind
            context = multiprocessing.get_context("spawn")
            self.connection, theirs = context.Pipe()
            *_, forked = kind
            with _one_thread(), _deaf_to_ctrl_c():
                self.process = context.Process(
                    target=serve, args=(theirs, log, memory_limit, forked)
                )
                self.process.start()
            theirs.close()  # so that the lane's death is an EOFError here
        self.task = task
        self.deadline = time.perf_counter() + _PATIENCE + 2.0 * task.seconds
        with contextlib.suppress(OSError):  # of a lane that has just died: no answer will come
            self.connection.send(task)

    def answer(self) -> Answer:
        """Take the answer that has come, or the end of the process for one."""
        try:
            reply: Answer = self.connection.recv()
        except (EOFError, OSError):
            return self.lose("the lane was lost")
        self.task = None
        return reply

    def lose(self, message: str) -> Answer:
        """Give up the process, and answer for it."""
        assert self.task is not None
        task, self.task = self.task, None
        self.kill()
        return lost(task, CRASHED, message, float("nan"))

    def kill(self) -> None:
        """End the process, and with it the run that it has under way."""
        if self.process is not None:
            self.connection.close()  # which tells it to take its run down, and to end
            self.process.join(2.0)
            self.process.kill()
            self.process.join()
            self.process = None


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Let a new process ignore what is meant for this one, from its first moment."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


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
