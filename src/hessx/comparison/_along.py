"""Approximations along the points of one run, each row as they arrive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hessx._xp import Array
from hessx.comparison._costs import Bill, bill, costs_of
from hessx.comparison._hessians import MatrixOf, ProductsOf, Settings, secant_error
from hessx.comparison._learners import Learner
from hessx.comparison._place import Place, Problem
from hessx.comparison._rows import HessianRow

__all__ = ["rows_along"]


def rows_along(
    problem: Problem,
    points: Sequence[Array],
    learners: Sequence[Learner],
    *,
    steps: str,
    every: int,
    chain: Sequence[str],
    settings: Settings,
) -> Iterator[HessianRow]:
    """Take every approximation along, and compare it at every so manieth point and at the last.

    Parameters
    ----------
    problem : Problem
        f.
    points : sequence of array
        Flat, in the order of the run.
    learners : sequence of Learner
        All of them learn from all steps.
    steps : str
        Who made the steps.
    every : int
        From one comparison to the next.
    chain : sequence of str
        Names of approximations, each a link made of the one before.
    settings : Settings
        How to compare.
    """
    bills = {learner.name: Bill() for learner in learners}
    for learner in learners:
        learner.begin(problem)
    place, last = problem.at(points[0], 0), len(points) - 1
    for i in range(len(points)):
        after = problem.at(points[i + 1], i + 1) if i < last else None
        found, measured = [], i % every == 0 or i == last
        for learner in learners:
            if measured or learner.remembers:
                with bill(problem, bills[learner.name]):
                    learner.arrive(place)
                bills[learner.name].points += 1
        if measured:
            found = _compared(place, after, learners, bills, steps, chain, settings)
        for learner in learners:
            if after is not None:
                with bill(problem, bills[learner.name]):
                    learner.learn(place, after)
                for row in found:
                    if row.approximation == learner.name and not row.block:
                        row.secant_error = secant_error(place, after, learner)
            learner.leave()
        yield from found
        if after is not None:
            place = after


def _compared(
    place: Place,
    after: Place | None,
    learners: Sequence[Learner],
    bills: dict[str, Bill],
    steps: str,
    chain: Sequence[str],
    settings: Settings,
) -> list[HessianRow]:
    """Compare all approximations at a point with the same H."""
    kind = MatrixOf if place.problem.space.n <= settings.dense else ProductsOf
    H: Any = kind(place, settings)
    common = {
        "steps": steps,
        "point": place.number,
        "exact": H.exact,
        "value": place.value,
        "grad_norm": place.grad_norm,
    }
    rows, taken = [], {}
    whole = H.numbers()
    for learner in learners:
        B = taken[learner.name] = H.take(learner)
        spent, bills[learner.name] = bills[learner.name], Bill()
        numbers = whole | H.compare(B, learner) | costs_of(learner, place, spent)
        if after is not None:
            numbers |= H.step(B, learner, after)
        name, n = learner.name, place.problem.space.n
        rows.append(HessianRow(approximation=name, n=n, **common, **numbers))
        for block, size, of_block in H.blocks(B, learner):
            rows.append(HessianRow(approximation=name, n=size, block=block, **common, **of_block))
    _link(H, taken, rows, chain)
    return rows


def _link(H: Any, taken: dict[str, Any], rows: list[HessianRow], chain: Sequence[str]) -> None:
    """Say what each link of the chain adds to the error."""
    before = None
    for link, name in enumerate(chain, start=1):
        added = H.added(taken[name], before)
        row = next(row for row in rows if row.approximation == name and not row.block)
        row.link, row.added, row.added_deviation = link, added["added"], added["added_deviation"]
        before = taken[name]
