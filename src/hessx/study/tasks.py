"""What a worker is asked for, and what it answers: a row, a rate, or rows of Hessians."""

from __future__ import annotations

from collections.abc import Callable

from hessx.study.hessians import Compared, Comparing, compare
from hessx.study.problems import find_problem
from hessx.study.records import Job, Row
from hessx.study.searching import search_rate
from hessx.study.tuning import Found, Search
from hessx.study.worker import attempt

__all__ = ["Answer", "Task", "carry_task_out", "job_of", "lost"]

Task = Job | Search | Comparing
Answer = Row | Found | Compared


def job_of(task: Task) -> Job:
    """Give the run that it is about."""
    return task if isinstance(task, Job) else task.job


def carry_task_out(task: Task, prepared: Callable[[], None]) -> Answer:
    """Answer a task; ``prepared`` is called before its clock starts."""
    if isinstance(task, Job):
        return attempt(task, prepared)
    return search_rate(task, prepared) if isinstance(task, Search) else compare(task, prepared)


def lost(task: Task, outcome: str, message: str, seconds: float) -> Answer:
    """Answer for a worker that cannot."""
    if isinstance(task, Search):
        return Found(task, message=f"{outcome}: {message}")
    if isinstance(task, Comparing):
        return Compared(task, message=f"{outcome}: {message}")
    n = find_problem(task.problem).n
    return Row.of(task, n, outcome, message=message, seconds=seconds)
