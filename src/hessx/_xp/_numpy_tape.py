"""A tape run on NumPy: over blocks that stay in the cache, without temporaries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hessx._xp._tape import NotRecordedError, Number, Tape, Vector

__all__ = ["BLOCK", "NumpyTape"]

BLOCK = 2**17  # entries


class NumpyTape:
    """Ufunc calls with ``out=``, and where each value lies.

    Parameters
    ----------
    tape : Tape
        Whose last vectors given are slots, and whose outputs are the result and the new slots.
    slots : int
        How many; they are written to.

    Raises
    ------
    NotRecordedError
        A slot becomes another, which has no order to write them in.

    Notes
    -----
    The views of a block are those of the vectors given, of the result, of workspace, and scalars.
    A new slot is written straight into the old one where that is read no more.
    """

    __slots__ = ("calls", "result", "scalars", "tape", "work", "writes_result")

    def __init__(self, tape: Tape, slots: int) -> None:
        self.tape = tape
        first, out = tape.vectors - slots, tape.vectors
        targets = {output.at: first + i for i, output in enumerate(tape.outputs[1:])}
        moves = [(v, at) for v, at in targets.items() if v != at]
        if len(targets) < slots or any(first <= v < out for v, _ in moves):
            raise NotRecordedError("a slot becomes another")
        self.result = tape.outputs[0].at
        self.writes_result = self.result >= out and self.result not in targets
        last = {
            a.at: i
            for i, (_, operands) in enumerate(tape.calls)
            for a in operands
            if isinstance(a, Vector)
        }
        last |= {output.at: len(tape.calls) for output in tape.outputs}
        home = {i: i for i in range(out)}
        free: list[int] = []
        self.work = 0
        self.scalars: list[Any] = []
        calls = []
        for i, (name, operands) in enumerate(tape.calls):
            v = out + i
            read = [home[a.at] if isinstance(a, Vector) else self._scalar(a) for a in operands]
            free += {
                home[a.at]
                for a in operands
                if isinstance(a, Vector) and last[a.at] == i and home[a.at] > out
            }
            target = out if v == self.result and self.writes_result else targets.get(v)
            if target is None or (target != out and last.get(target, -1) > i):
                if not free:
                    self.work += 1
                    free.append(out + self.work)
                target = free.pop()
            home[v] = target
            calls.append((getattr(np, name), read, target))
        calls += [(np.positive, [home[v]], at) for v, at in moves if home[v] != at]
        # Scalars stand behind the workspace, of which the size is known now.
        behind = out + self.work + 1
        self.calls = [
            (ufunc, [behind - 1 - a if a < 0 else a for a in read], target)
            for ufunc, read, target in calls
        ]
        self.result = home[self.result]

    def _scalar(self, operand: Any) -> int:
        """Enter a scalar: -1, -2, ..."""
        self.scalars.append(operand)
        return -len(self.scalars)

    def run(self, k: Sequence[Any], given: list[np.ndarray], out: np.ndarray | None) -> np.ndarray:
        """Write result and slots; give the result, which may be a vector given, or a slot."""
        n, dtype = given[0].shape[0], given[0].dtype
        values = self.tape.count(np, k)
        scalars = [
            np.array(values[a.at] if isinstance(a, Number) else a, dtype) for a in self.scalars
        ]
        whole = [*given, given[0] if out is None else out]
        work = [np.empty(min(n, BLOCK), dtype) for _ in range(self.work)]
        for start in range(0, n, BLOCK):
            stop = min(start + BLOCK, n)
            views = [a[start:stop] for a in whole]
            views += [w[: stop - start] for w in work]
            views += scalars
            for ufunc, read, at in self.calls:
                ufunc(*[views[i] for i in read], out=views[at])
        return whole[self.result]
