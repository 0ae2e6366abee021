"""What the rows say of each method: what it costs, its advantages and its limits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hessx.study.analysis.comparisons import beside, per_step
from hessx.study.analysis.conduct import behaviours
from hessx.study.analysis.costs import Instance, Trial, comparable
from hessx.study.analysis.criteria import geometric_mean
from hessx.study.analysis.registered import needs_of
from hessx.study.analysis.scores import PENALTY, Score, is_false_success, scores
from hessx.study.analysis.statements import Statement, listed, median, plural, state
from hessx.study.records import Row

__all__ = ["Account", "accounts"]

_TAU, _ROUGHLY = 1e-6, 0.1
_BASES = (("gd", _TAU), ("newton", _TAU), ("sgd", _ROUGHLY))  # beside which others are told
_CLEARLY = 1.25  # a ratio worth telling


@dataclass(frozen=True)
class Account:
    """A method in sentences."""

    method: str
    costs: tuple[Statement, ...]
    advantages: tuple[Statement, ...]
    limits: tuple[Statement, ...]


def accounts(rows: Sequence[Row]) -> list[Account]:
    """Give the account of every method, in the order of the registry."""
    runs = comparable(rows)
    by_method: dict[str, list[Trial]] = {}
    for trial in runs:
        by_method.setdefault(trial.method, []).append(trial)
    score = {s.method: s for s in scores(runs, _TAU)}
    count = len({trial.instance for trial in runs})
    does = behaviours(rows)
    cheapest = {tau: _cheapest(runs, tau) for tau in (_ROUGHLY, _TAU)}
    return [
        Account(
            method,
            tuple(_costs(own, score[method])),
            (*_advantages(own, score[method], by_method, cheapest), *does[method].advantages()),
            (*_limits(own, score[method], by_method, count), *does[method].limits()),
        )
        for method, own in by_method.items()
    ]


def _costs(own: Sequence[Trial], score: Score) -> Iterator[Statement]:
    if score.solved:
        unsolved = f", where an unsolved one counts {PENALTY:g} times the dearest that solved it"
        yield state(
            "It needs {ratio} times the evaluations and products of each problem's cheapest "
            f"method, in the geometric mean over {plural(score.run, 'run')}"
            f"{unsolved if score.solved < score.run else ''}.",
            score.keys,
            ratio=score.mean_ratio,
        )
    ended = [trial for trial in own if trial.row.completed and 0.0 < trial.gap < math.inf]
    if ended:
        yield state(
            "{passes} passes over the rows leave {gap} of the way to the best value, in the "
            f"geometric mean over {plural(len(ended), 'run')}.",
            [trial.key for trial in ended],
            passes=median(trial.row.passes for trial in ended),
            gap=geometric_mean([trial.gap for trial in ended]),
        )
    step, keys = per_step(own), [trial.key for trial in own]
    if not math.isnan(step.evaluations):
        yield state(
            "A step takes {evaluations} evaluations, {products} products and {fetches} fetches "
            "in the median.",
            keys,
            evaluations=step.evaluations,
            products=step.products,
            fetches=step.fetches,
        )
    if not math.isnan(step.seconds):
        yield state(
            "Beside the function a step takes {ms} ms in the median.", keys, ms=step.seconds * 1e3
        )
    measured = [trial for trial in own if math.isfinite(trial.row.memory)]
    if measured:
        most = max(measured, key=lambda trial: trial.row.memory)
        yield state(
            f"Memory rose by {{mib}} MiB at most, on {most.row.problem} with {{n}} variables.",
            [most.key],
            mib=most.row.memory / 2**20,
            n=most.row.n,
        )
    tuned = [trial for trial in own if trial.row.tuning > 0]
    if tuned:
        yield state(
            "Its rate was sought beforehand with {evaluations} evaluations a problem.",
            [trial.key for trial in tuned],
            evaluations=median(trial.row.tuning for trial in tuned),
        )


def _advantages(
    own: Sequence[Trial],
    score: Score,
    by_method: dict[str, list[Trial]],
    cheapest: dict[float, dict[str, list[Trial]]],
) -> Iterator[Statement]:
    for tau, by_method_first in cheapest.items():
        first = by_method_first.get(score.method, [])
        if first:
            names = list(dict.fromkeys(trial.row.problem for trial in first))
            yield state(
                f"No method solves {listed(names)} to {{tau}} at less cost.",
                [trial.key for trial in first],
                tau=tau,
            )
    if score.solved == score.run:
        yield state(
            f"It solved every problem that it was run on, {plural(score.run, 'run')} in all.",
            score.keys,
        )
    told = [trial for trial in own if math.isfinite(trial.row.accuracy)]
    if told:
        best = max(told, key=lambda trial: trial.row.accuracy)
        yield state(
            f"Of the rows kept aside it tells {{share}} % rightly on {best.row.problem}, its best.",
            [best.key],
            share=100.0 * best.row.accuracy,
        )
    for name, tau in _BASES:
        base = beside(own, by_method.get(name, ()), tau)
        if base.ratio <= 1.0 / _CLEARLY:
            yield state(
                f"It needs {{ratio}} times fewer evaluations and products than {name} to "
                f"{{tau}}, on {plural(base.problems, 'problem')} that both solved.",
                base.keys,
                ratio=1.0 / base.ratio,
                tau=tau,
            )


def _limits(
    own: Sequence[Trial], score: Score, by_method: dict[str, list[Trial]], count: int
) -> Iterator[Statement]:
    missed = [trial for trial in own if math.isinf(trial.cost(_TAU))]
    if missed:
        names = [f"{trial.row.problem} ({_why(trial)})" for trial in missed]
        yield state(f"It did not solve {listed(names)}.", [trial.key for trial in missed])
    false = [trial for trial in own if is_false_success(trial)]
    if false:
        names = [trial.row.problem for trial in false]
        yield state(
            f"It claimed success without having it on {listed(names)}.", [t.key for t in false]
        )
    needs = needs_of(score.method)
    if needs is not None:
        yield state(f"It needs {needs.value}.", score.keys)
    if score.run < count:
        yield state(
            "It was run on {run} of {count} instances; the largest has {n} variables.",
            score.keys,
            run=score.run,
            count=count,
            n=max(trial.row.n for trial in own),
        )
    for name, tau in _BASES:
        base = beside(own, by_method.get(name, ()), tau)
        if base.ratio >= _CLEARLY:
            yield state(
                f"It needs {{ratio}} times the evaluations and products of {name} to {{tau}}, on "
                f"{plural(base.problems, 'problem')} that both solved.",
                base.keys,
                ratio=base.ratio,
                tau=tau,
            )


def _why(trial: Trial) -> str:
    """Say why a problem counts as unsolved."""
    if trial.row.converged and not is_false_success(trial):
        return "stationary elsewhere"
    return trial.row.outcome


def _cheapest(runs: Sequence[Trial], tau: float) -> dict[str, list[Trial]]:
    """Find, by method, the trials of several that no other of their instance is cheaper than."""
    rivals = Counter(trial.instance for trial in runs)
    least: dict[Instance, float] = {}
    for trial in runs:
        least[trial.instance] = min(least.get(trial.instance, math.inf), trial.cost(tau))
    found: dict[str, list[Trial]] = {}
    for trial in runs:
        if rivals[trial.instance] > 1 and trial.cost(tau) == least[trial.instance] < math.inf:
            found.setdefault(trial.method, []).append(trial)
    return found
