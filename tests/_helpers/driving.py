"""A solver driven by hand, one answer at a time."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hessx._xp import space_of
from hessx.core import Reply, Wants

__all__ = ["HessianByHand", "Step", "absorbed", "bends", "drive", "never"]


@dataclass
class Step:
    """A point and the gradient that was answered there, read to float64, and what became of it."""

    x: np.ndarray
    g: np.ndarray
    accepted: bool
    note: str
    state: Any  # dead once the next step was asked for


def drive(
    solver: Any,
    backend: Any,
    x0: np.ndarray,
    answer: Callable[[np.ndarray], tuple[float, np.ndarray]],
    *,
    copying: bool = False,
    product: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> Iterator[Step]:
    """Yield every trial point after its answer was absorbed.

    The answer is rounded to the backend's dtype before the solver sees it.  With ``copying``
    every transition gets a deep copy of the state.  ``product`` gives H(x) v to methods of second
    order.
    """
    start = backend.asarray(x0)
    state = solver.init(space_of(start), start)
    keep = copy.deepcopy if copying else lambda state: state
    while True:
        request = state.request
        if request.wants is Wants.HESSIAN:
            reply = Reply(request.ticket, hessian=HessianByHand(backend, request.x, product))
            state = solver.propose(keep(absorbed(solver, keep(state), reply)), never)
            continue
        x = backend.to_numpy(request.x).astype(np.float64)
        value, grad = answer(x)
        grad = np.asarray(grad).astype(backend.dtype_name)
        reply = Reply(request.ticket, float(value), backend.asarray(grad))
        state = absorbed(solver, keep(state), reply)
        yield Step(x, grad.astype(np.float64), state.accepted, state.note, state)
        state = solver.propose(keep(state), never)


def absorbed(solver: Any, state: Any, reply: Reply) -> Any:
    """Take an answer in, as the driver does: measure, one fetch, absorb."""
    return solver.absorb(state, solver.measure(state, reply).fetch())


def never() -> bool:
    """Watch nothing: no budget, no interrupt."""
    return False


class HessianByHand:
    """H at a point as the driver hands it to a solver; the arithmetic is NumPy's, in float64."""

    def __init__(self, backend: Any, x: Any, product: Any) -> None:
        self.backend, self.product = backend, product
        self.x = backend.to_numpy(x).astype(np.float64)

    def __call__(self, v: Any) -> Any:
        p = self.product(self.x, self.backend.to_numpy(v).astype(np.float64))
        return self.backend.asarray(p.astype(self.backend.dtype_name))

    def dense(self, watch: Any = None, *, check: bool = True) -> Any:
        columns = [self.product(self.x, e) for e in np.eye(len(self.x))]
        return self.backend.asarray(np.stack(columns))

    def diagonal(self) -> Any:
        unit = np.eye(len(self.x))
        return self.backend.asarray([self.product(self.x, e) @ e for e in unit])

    def __deepcopy__(self, memo: Any) -> HessianByHand:
        return self  # as the user's function, it is no part of the state


def bends(rng: np.random.Generator, n: int, signs: list[float]) -> Callable[[np.ndarray], Any]:
    """Answer with gradients that change by +-B s, B positive definite and drawn anew each step.

    No function has such gradients: every pair (s, y) says something new.  The values fall, so that
    every step is progress.
    """
    last: list[np.ndarray] = []
    turns, values = iter(signs), itertools.count(0, -1)

    def answer(x: np.ndarray) -> tuple[float, np.ndarray]:
        if not last:
            last[:] = x, rng.standard_normal(n)
        else:
            Q, _ = np.linalg.qr(rng.standard_normal((n, n)))
            B = Q * rng.uniform(0.5, 3.0, n) @ Q.T
            last[:] = x, last[1] + next(turns) * (B @ (x - last[0]))
        return float(next(values)), last[1]

    return answer
