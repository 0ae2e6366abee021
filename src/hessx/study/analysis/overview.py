"""What the rows of a study say as a whole, under the questions that its readers have."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import fmean

from hessx.study.analysis.behaviour import Conduct, conducts
from hessx.study.analysis.choice import recommendations
from hessx.study.analysis.comparisons import beside, per_step
from hessx.study.analysis.conduct import in_runs, order_of, turns_back
from hessx.study.analysis.costs import Trial, comparable
from hessx.study.analysis.peers import beside_peers
from hessx.study.analysis.registered import family_of, package_of
from hessx.study.analysis.scores import Score, scores
from hessx.study.analysis.stability import Reordering, leaving_one_out, under_tolerances
from hessx.study.analysis.statements import Statement, listed, median, plural, state
from hessx.study.records import Row

__all__ = ["overview"]

_TAU = 1e-6
_ROUGHLY = 0.1  # for families that come no closer: samples are for the first part of the way
_ACCURACIES = (0.1, 1e-3, 1e-6, 1e-9)
_EXACT = "newton"
_APPROXIMATE = ("newton-cg", "bfgs", "lbfgs", "gd")


_Best = tuple[Score, float]  # and the tolerance that it was solved to


def overview(rows: Sequence[Row]) -> dict[str, list[Statement]]:
    """Give the statements of the study by question; each names the rows behind it.

    Parameters
    ----------
    rows : sequence of Row
        In any order; that of the statements does not hang on it.
    """
    runs = comparable(rows)
    own = [trial for trial in runs if not package_of(trial.method)]
    best = _best_of_families(own)
    went: dict[str, list[Conduct]] = {}
    for conduct in conducts(rows):
        if not package_of(conduct.method):
            went.setdefault(conduct.method, []).append(conduct)
    found = {
        "Why approximate": _why(_by_method(own)),
        "Which approximations there are": _which(own, best),
        "How accurate they are": _accuracy(own, best, went),
        "What they cost": _costs(own, best),
        "When they oscillate": _oscillation(went),
        "How to choose": _choice(rows, own),
        "Beside other packages": _peers(runs),
    }
    return {question: list(statements) for question, statements in found.items()}


def _by_method(runs: Sequence[Trial]) -> dict[str, list[Trial]]:
    found: dict[str, list[Trial]] = {}
    for trial in runs:
        found.setdefault(trial.method, []).append(trial)
    return found


def _best_of_families(runs: Sequence[Trial]) -> dict[str, _Best]:
    """Find the first method of each family in the order of scores, the best family first."""
    best: dict[str, _Best] = {}
    for tau in (_TAU, _ROUGHLY):
        for score in scores(runs, tau):
            if score.solved:
                best.setdefault(family_of(score.method), (score, tau))
    return best


def _why(runs: dict[str, list[Trial]]) -> Iterator[Statement]:
    exact = runs.get(_EXACT, [])
    for name in _APPROXIMATE:
        cost = beside(runs.get(name, []), exact, _TAU)
        if cost.problems:
            steps = beside(runs[name], exact, _TAU, "iterations")
            seconds = beside(runs[name], exact, _TAU, "seconds")
            yield state(
                f"{name} needs {{steps}} times the steps of exact Newton ({_EXACT}), {{cost}} "
                "times its evaluations and products and {seconds} times its seconds, on "
                f"{plural(cost.problems, 'problem')} that both solved.",
                cost.keys,
                steps=steps.ratio,
                cost=cost.ratio,
                seconds=seconds.ratio,
            )
    if exact:
        largest = max(exact, key=lambda trial: trial.row.n)
        others = [t for name in _APPROXIMATE for t in runs.get(name, [])]
        beyond = [t for t in others if t.row.n > largest.row.n and math.isfinite(t.cost(_TAU))]
        if beyond:
            names = list(dict.fromkeys(trial.method for trial in beyond))
            yield state(
                f"Exact Newton was run with up to {{exact}} variables; {listed(names)} solved "
                "problems with up to {n}.",
                [largest.key, *(trial.key for trial in beyond)],
                exact=largest.row.n,
                n=max(trial.row.n for trial in beyond),
            )


def _which(runs: Sequence[Trial], best: dict[str, _Best]) -> Iterator[Statement]:
    names: dict[str, list[str]] = {}
    for name in _by_method(runs):
        names.setdefault(family_of(name), []).append(name)
    for family, (score, tau) in best.items():
        yield state(
            f"{family[0].upper()}{family[1:]}: {plural(len(names[family]), 'method')}. The first "
            f"is {score.method}, which solved {{solved}} of {plural(score.run, 'run')} to {{tau}} "
            "at {ratio} times the cost of hessx's cheapest.",
            [trial.key for trial in runs if family_of(trial.method) == family],
            solved=score.solved,
            tau=tau,
            ratio=score.mean_ratio,
        )


def _accuracy(
    runs: Sequence[Trial], best: dict[str, _Best], went: dict[str, list[Conduct]]
) -> Iterator[Statement]:
    by_method = _by_method(runs)
    for family, (score, _) in best.items():
        own = by_method[score.method]
        reached = [sum(math.isfinite(t.cost(tau)) for t in own) for tau in _ACCURACIES]
        yield state(
            f"{score.method} ({family}) solved {{first}} of {plural(len(own), 'run')} to 0.1, "
            "{rough} to 1e-3, {fine} to 1e-6 and {finest} to 1e-9.",
            score.keys,
            first=reached[0],
            rough=reached[1],
            fine=reached[2],
            finest=reached[3],
        )
    for score, _ in best.values():
        known = [c for c in went.get(score.method, ()) if math.isfinite(c.order.order)]
        if known:
            yield state(
                f"{score.method} converges with a fitted order of {{order}}{in_runs(known)}.",
                [c.key for c in known],
                **order_of(known),
            )


def _costs(runs: Sequence[Trial], best: dict[str, _Best]) -> Iterator[Statement]:
    by_method = _by_method(runs)
    for family, (score, _) in best.items():
        own = by_method[score.method]
        step = per_step(own)
        if not math.isnan(step.evaluations):
            yield state(
                f"A step of {score.method} ({family}) takes {{evaluations}} evaluations, "
                "{products} products and {fetches} fetches in the median.",
                score.keys,
                evaluations=step.evaluations,
                products=step.products,
                fetches=step.fetches,
            )
        memory = [trial for trial in own if math.isfinite(trial.row.memory)]
        if memory:
            yield state(
                f"{score.method} raised the peak of memory by {{mib}} MiB in the median.",
                [trial.key for trial in memory],
                mib=median(trial.row.memory for trial in memory) / 2**20,
            )


def _oscillation(went: dict[str, list[Conduct]]) -> Iterator[Statement]:
    families: dict[str, list[Conduct]] = {}
    for method, own in went.items():
        known = [c for c in own if math.isfinite(c.cosine)]
        if known:
            families.setdefault(family_of(method), []).extend(known)
    for family, own in sorted(families.items(), key=lambda item: -_share_turning(item[1])):
        yield state(
            f"{family[0].upper()}{family[1:]}: {{share}} % of the steps turn back by more than 120 "
            f"degrees, in the mean of {plural(len(own), 'run')}; in {{turning}} of them at "
            "least three in ten do. The cosine between successive steps is {cosine} in the mean.",
            [c.key for c in own],
            share=100.0 * _share_turning(own),
            turning=sum(map(turns_back, own)),
            cosine=fmean(c.cosine for c in own),
        )


def _share_turning(own: Sequence[Conduct]) -> float:
    return fmean(c.reversals for c in own)


def _choice(rows: Sequence[Row], runs: Sequence[Trial]) -> Iterator[Statement]:
    for recommendation in recommendations(rows):
        yield recommendation.statement
    keys = [trial.key for trial in runs]
    changed = under_tolerances(runs, _TAU), leaving_one_out(runs, _TAU)
    for what, others in zip(("another tolerance", "one problem left out"), changed, strict=True):
        known = [other for other in others if math.isfinite(other.correlation)]
        if known:
            yield _stability(what, known, keys)


def _stability(what: str, others: Sequence[Reordering], keys: Sequence[str]) -> Statement:
    least = min(others, key=lambda other: other.correlation)
    return state(
        f"With {what} the order of hessx's methods is correlated with the one at 1e-6 by {{least}} "
        f"at least ({least.change}), as Kendall's tau, and by {{median}} in the median.",
        keys,
        least=least.correlation,
        median=median(other.correlation for other in others),
    )


def _peers(runs: Sequence[Trial]) -> Iterator[Statement]:
    found, with_products = beside_peers(runs, _TAU), beside_peers(runs, _TAU, "cost")
    for peer in dict.fromkeys(versus.peer for versus in found):
        own = [versus for versus in found if versus.peer == peer]
        behind = [versus for versus in own if versus.behind]
        both = [versus for versus in with_products if versus.peer == peer]
        yield state(
            f"hessx's best method needs at most as many evaluations as the best of {peer} on "
            f"{{ahead}} of {plural(len(own), 'instance')}, and evaluations and products on "
            f"{{both}}; {peer} solved {{solved}} of them, hessx {{ours}}.",
            [key for versus in (*own, *both) for key in (versus.key, versus.peer_key)],
            ahead=len(own) - len(behind),
            both=sum(not versus.behind for versus in both),
            solved=sum(math.isfinite(versus.peer_cost) for versus in own),
            ours=sum(math.isfinite(versus.cost) for versus in own),
        )
        for versus in behind:
            yield state(
                f"On {versus.instance.problem} {versus.peer_method} needs {{theirs}} evaluations, "
                f"and {versus.method} {{ours}}.",
                [versus.key, versus.peer_key],
                theirs=versus.peer_cost,
                ours=versus.cost,
            )
