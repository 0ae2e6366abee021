"""What an approximation costs: time in units of a gradient, evaluations, products."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from hessx._xp import Array, fetch
from hessx.comparison._learners import Learner
from hessx.comparison._matrices import Numbers
from hessx.comparison._memory import owned_bytes
from hessx.comparison._place import Place, Problem

__all__ = ["Bill", "bill", "costs_of"]

_REPEATS = 3  # the least of them: what else the machine does only adds


@dataclass
class Bill:
    """What has been spent on an approximation since the last point.

    Attributes
    ----------
    seconds : float
        Of the wall.
    gradients, products : int
        Evaluations.
    points : int
        At which it has arrived.
    """

    seconds: float = 0.0
    gradients: int = 0
    products: int = 0
    points: int = 0


@contextmanager
def bill(problem: Problem, to: Bill) -> Iterator[None]:
    """Add what the block spends to a bill."""
    before, began = replace(problem.oracle.counts), time.perf_counter()
    yield
    counts = problem.oracle.counts
    to.seconds += time.perf_counter() - began
    to.gradients += counts.gradients - before.gradients
    to.products += counts.products - before.products


def costs_of(learner: Learner, place: Place, spent: Bill) -> Numbers:
    """Give memory, evaluations and times under the names of `HessianRow`."""
    problem = place.problem
    unit = problem.gradient_seconds
    return {
        "memory": owned_bytes(problem.space, learner.live),
        "build": spent.seconds / spent.points / unit,
        "gradients": spent.gradients / spent.points,
        "products": spent.products / spent.points,
        "product": _seconds(place, learner.matvec) / unit,
        "solve": _seconds(place, learner.solve) / unit,
    }


def _seconds(place: Place, apply: Callable[[Array], Array] | None) -> float:
    """Time an apply to the gradient, and the wait for one number of what comes of it."""
    if apply is None:
        return float("nan")
    space, times = place.problem.space, []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        product: Any = apply(place.grad)
        fetch(space, [product[0]])
        times.append(time.perf_counter() - began)
    return min(times)
