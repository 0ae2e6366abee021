"""A solver driven by hand, one answer at a time."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hessx._xp import space_of
from hessx.core import Reply

__all__ = ["Step", "bends", "drive"]


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
) -> Iterator[Step]:
    """Yield every requested point after its answer was absorbed.

    The answer is rounded to the backend's dtype before the solver sees it.  With ``copying``
    every transition gets a deep copy of the state.
    """
    start = backend.asarray(x0)
    state = solver.init(space_of(start), start)
    keep = copy.deepcopy if copying else lambda state: state
    while True:
        x = backend.to_numpy(state.request.x).astype(np.float64)
        value, grad = answer(x)
        grad = np.asarray(grad).astype(backend.dtype_name)
        reply = Reply(float(value), backend.asarray(grad), state.request.ticket)
        state = solver.absorb(keep(state), reply)
        yield Step(x, grad.astype(np.float64), state.accepted, state.note, state)
        state = solver.propose(keep(state))


def bends(rng: np.random.Generator, n: int, signs: list[float]) -> Callable[[np.ndarray], Any]:
    """Answer with gradients that change by +-B s, B positive definite and drawn anew each step.

    No function has such gradients: every pair (s, y) says something new.
    """
    last: list[np.ndarray] = []
    turns = iter(signs)

    def answer(x: np.ndarray) -> tuple[float, np.ndarray]:
        if not last:
            last[:] = x, rng.standard_normal(n)
        else:
            Q, _ = np.linalg.qr(rng.standard_normal((n, n)))
            B = Q * rng.uniform(0.5, 3.0, n) @ Q.T
            last[:] = x, last[1] + next(turns) * (B @ (x - last[0]))
        return 0.0, last[1]

    return answer
