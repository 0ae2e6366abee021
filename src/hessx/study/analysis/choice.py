"""Which method to take in which situation, by the rows of a study."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hessx.study.analysis.costs import Trial, comparable
from hessx.study.analysis.registered import SIZES, needs_of, package_of, size_of, tags_of
from hessx.study.analysis.scores import Score, scores
from hessx.study.analysis.statements import Statement, listed, plural, state
from hessx.study.posed import Known, Tag
from hessx.study.records import Row

__all__ = ["Recommendation", "recommendations"]


_ROUGHLY = 0.1
_OF_STUDIES = {Tag.QUICK, Tag.SCALABLE, Tag.CUTEST}  # tags that say nothing of the problem


@dataclass(frozen=True)
class Recommendation:
    """The methods for a situation, the best first.

    Attributes
    ----------
    situation : str
        In words.
    kind : str
        "all", "size", "tag" or "known": by what the problems or the methods were picked.
    tau : float
        How close to the best value is solved.
    problems : tuple of str
        On which the methods were compared.
    ranked : tuple of Score
        By the number of problems solved, then the mean cost over the cheapest.
    """

    situation: str
    kind: str
    tau: float
    problems: tuple[str, ...]
    ranked: tuple[Score, ...]

    @property
    def statement(self) -> Statement:
        """The answer in one sentence."""
        first, count = self.ranked[0], len(self.problems)
        others = [score.method for score in self.ranked[1:4] if score.solved == first.solved]
        return state(
            f"{self.situation} ({plural(count, 'problem')}): {first.method}, which solved "
            f"{{solved}} of {plural(first.run, 'run')} to {{tau}} at {{ratio}} times the cost of "
            "hessx's cheapest there, in the geometric mean"
            f"{f'; {listed(others)} solved as many' if others else ''}.",
            (key for score in self.ranked for key in score.keys),
            tau=self.tau,
            solved=first.solved,
            ratio=first.mean_ratio,
        )


def recommendations(
    rows: Sequence[Row], problem: str | None = None, tau: float = 1e-6, unit: str = "cost"
) -> list[Recommendation]:
    """Rank hessx's methods in every situation that the rows tell of.

    Situations are all problems, the size of a problem, its tags, and what is known beside the
    gradient: nothing, products with the Hessian, residuals, rows to sample, its pattern.

    Parameters
    ----------
    rows : sequence of Row
    problem : str, optional
        Only the situations that this one is in; the most particular, with fewest problems, first.
    tau : float
        How close to the best value is solved.
    unit : str
        One of `hessx.study.analysis.costs.UNITS`.

    Returns
    -------
    list of Recommendation
        None where no method has solved anything.

    Raises
    ------
    ValueError
        No row is of the problem; those that have rows are listed.
    """
    runs = [trial for trial in comparable(rows) if not package_of(trial.method)]
    names = list(dict.fromkeys(trial.row.problem for trial in runs))
    if problem is not None and problem not in names:
        msg = f"no row is of the problem {problem!r}: expected one of {', '.join(names)}"
        raise ValueError(msg)
    found = []
    for situation, kind, close, own in _situations(runs, tau):
        problems = tuple(dict.fromkeys(trial.row.problem for trial in own))
        if problem is None or problem in problems:
            ranked = tuple(score for score in scores(own, close, unit) if score.solved)
            if ranked:
                found.append(Recommendation(situation, kind, close, problems, ranked))
    if problem is not None:
        found.sort(key=lambda r: len(r.problems))
    return found


def _situations(runs: Sequence[Trial], tau: float) -> Iterator[tuple[str, str, float, list[Trial]]]:
    yield "On all problems", "all", tau, list(runs)
    for size in SIZES:
        yield f"With {size}", "size", tau, [t for t in runs if size_of(t.row.n) == size]
    tags = {t.row.problem: set(tags_of(t.row.problem)) - _OF_STUDIES for t in runs}
    for tag in sorted({tag for of_one in tags.values() for tag in of_one}):
        yield (
            f"On problems tagged {tag}",
            "tag",
            tau,
            [t for t in runs if tag in tags[t.row.problem]],
        )
    multiplying = {t.method for t in runs if t.row.products}
    bare = [t for t in runs if needs_of(t.method) is None and t.method not in multiplying]
    yield "With value and gradient alone", "known", tau, bare
    for known in Known:
        instances = {t.instance for t in runs if needs_of(t.method) is known}
        own = [t for t in runs if t.instance in instances]
        yield f"Knowing {known.value}", "known", tau, own
        if known is Known.ROWS:  # samples are for the first part of the way
            yield f"Knowing {known.value}, roughly", "known", _ROUGHLY, own
