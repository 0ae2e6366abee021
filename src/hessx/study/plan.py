"""From settings to runs: which methods meet which problems, and in what order rows stand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from hessx.study.backends import BACKENDS
from hessx.study.features import FEATURES
from hessx.study.methods import METHODS, Method, find_method
from hessx.study.posed import Known, Problem
from hessx.study.problems import PROBLEMS, find_problem
from hessx.study.records import PLAIN, Job, Row
from hessx.study.settings import Part, Settings
from hessx.study.tuning import Found, Search

__all__ = ["Plan", "in_order", "planned"]


@dataclass(frozen=True)
class Plan:
    """The runs of a study, in order.

    Attributes
    ----------
    tasks : list
        Runs, and in the place of those whose rate is to be found, the searches.
    """

    tasks: list[Job | Search]

    @property
    def searches(self) -> list[Search]:
        """The searches for rates."""
        return [task for task in self.tasks if isinstance(task, Search)]

    def jobs(self, found: Mapping[str, Found]) -> dict[Job, int]:
        """Give all runs, with what the search for the rate of each has taken.

        Parameters
        ----------
        found : mapping
            What searches came to, by their keys; where there is no rate, the method's own is taken.
        """
        jobs: dict[Job, int] = {}
        for task in self.tasks:
            if isinstance(task, Job):
                jobs.setdefault(task, 0)
            elif task.key in found:
                answer = found[task.key]
                jobs[replace(task.job, rate=answer.rate)] = answer.evaluations
        return jobs


def planned(settings: Settings) -> Plan:
    """Plan the runs of all parts, each once.

    A method that takes its time on a problem, or that is not usual there, is run where it is
    named; one that needs what is not known of the problem is not.

    Raises
    ------
    ValueError
        A problem or method is not known; those that are known are listed.
    """
    tasks: dict[Job | Search, None] = {}
    for part in settings.parts:
        tasks |= dict.fromkeys(_tasks(part))
    return Plan([*tasks])


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Sort rows as the registries have their names, however the runs ended."""
    registries = (PROBLEMS, BACKENDS, FEATURES, METHODS)
    places = [{name: i for i, name in enumerate(names)} for names in registries]

    def place(row: Row) -> tuple[object, ...]:
        names = (row.problem, row.backend, row.feature, row.method)
        at = [(of.get(name, len(of)), name) for of, name in zip(places, names, strict=True)]
        rate = -1.0 if row.rate is None else row.rate
        return (*at[:3], row.dtype, row.seed, at[3], rate, row.gtol, row.limit)

    return sorted(rows, key=place)


def _tasks(part: Part) -> Iterator[Job | Search]:
    problems, methods = _problems(part.problems), _methods(part.methods)
    for backend, problem, feature, seed in product(
        part.backends, problems, part.features, part.seeds
    ):
        for method, named in methods.items():
            if not _meant(method, problems[problem], backend, feature, named=named):
                continue
            job = Job(problem, method.name, backend, part.dtype, feature, seed)
            job = replace(job, gtol=part.gtol, seconds=part.seconds)
            if method.rate is None:
                yield job
            elif part.tuning.budget:
                search = part.tuning
                yield Search(job, search.budget, search.trials, search.width)
            else:
                for times in part.rates:
                    yield job if times == 1.0 else replace(job, rate=times * method.rate)


def _meant(method: Method, problem: Problem, backend: str, feature: str, *, named: bool) -> bool:
    usual = problem.n <= method.usual_n and backend in (method.usual_backends or (backend,))
    if problem.is_sum:
        usual = usual and method.usual_on_sums and backend == "numpy"
    if feature != PLAIN and method.needs is Known.ROWS:  # features know the whole sum alone
        return False
    # what is not installed is left out by a row that says so
    return method.fits(problem.n, backend, problem.known) and (named or usual)


def _problems(names: Sequence[str]) -> dict[str, Problem]:
    tags = {tag: None for problem in PROBLEMS.values() for tag in problem.tags}
    chosen: dict[str, Problem] = {}
    for name in names:
        kind, _, value = name.partition(":")
        if name == "all":
            chosen |= PROBLEMS
        elif kind == "tag":
            _check(value, "tag", tags)
            chosen |= {name: p for name, p in PROBLEMS.items() if value in p.tags}
        else:
            chosen[name] = find_problem(name)
    return chosen


def _methods(names: Sequence[str]) -> dict[Method, bool]:
    """Give methods, and whether they are named one by one."""
    families = dict.fromkeys(method.family for method in METHODS.values())
    chosen: dict[str, bool] = {}
    for name in names:
        kind, _, value = name.partition(":")
        if name == "all":
            chosen = dict.fromkeys(METHODS, False) | chosen
        elif kind == "family":
            _check(value, "family", families)
            own = [name for name, method in METHODS.items() if method.family == value]
            chosen = dict.fromkeys(own, False) | chosen
        else:
            chosen[name] = True
    return {find_method(name): named for name, named in chosen.items()}


def _check(name: str, kind: str, known: Collection[str]) -> None:
    if name not in known:
        msg = f"unknown {kind} {name!r}: expected one of {', '.join(map(str, known))}"
        raise ValueError(msg)
