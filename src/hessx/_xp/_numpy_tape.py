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
        result = tape.outputs[0].at
        self.writes_result = result >= first
        if result >= out and result not in targets:
            targets[result] = out
        elif self.writes_result:  # a slot: what is given out is not to change with it
            moves.insert(0, (result, out))
        places = _Places(tape, targets)
        self.scalars: list[Any] = []
        calls = []
        for i, (name, operands) in enumerate(tape.calls):
            read = [
                places.home[a.at] if isinstance(a, Vector) else self._scalar(a) for a in operands
            ]
            calls.append((getattr(np, name), read, places.place(i)))
        home = places.home
        calls += [(np.positive, [home[v]], at) for v, at in moves if home[v] != at]
        self.result, self.work = out if self.writes_result else result, places.work
        # Scalars stand behind the workspace, of which the size is known now.
        behind = out + self.work + 1
        self.calls = [
            (ufunc, [behind - 1 - a if a < 0 else a for a in read], target)
            for ufunc, read, target in calls
        ]

    def _scalar(self, operand: Any) -> int:
        """Enter a scalar: -1, -2, ..."""
        self.scalars.append(operand)
        return -len(self.scalars)

    def run(self, k: Sequence[Any], given: list[np.ndarray], out: np.ndarray | None) -> np.ndarray:
        """Write result and slots; give the result, which may be a vector given."""
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


class _Places:
    """Where the values of a tape lie: in vectors given, in the result, in workspace.

    A value lies where the last that it goes into will lie, if that place is free until then; so
    most need no workspace.
    """

    def __init__(self, tape: Tape, targets: dict[int, int]) -> None:
        self.given, self.targets = tape.vectors, targets
        self.home = {i: i for i in range(tape.vectors)}
        self.work = 0
        self.free: list[int] = []
        self.reads = [[a.at for a in ops if isinstance(a, Vector)] for _, ops in tape.calls]
        self.last = {v: i for i, read in enumerate(self.reads) for v in read}
        self.last |= {output.at: len(tape.calls) for output in tape.outputs}
        # The call after which a place has no value that is still to be read.
        self.until = {at: self.last.get(at, -1) for at in range(tape.vectors)}

    def place(self, i: int) -> int:
        """Choose the place of what call i gives."""
        v, out = self.given + i, self.given
        ended = {self.home[a] for a in self.reads[i] if self.last[a] == i}
        self.free += [at for at in ended if at > out]
        at = self._goal(v)
        if at is None or self.until.get(at, -1) > i:
            if not self.free:
                self.work += 1
                self.free.append(out + self.work)
            at = self.free.pop()
        self.home[v], self.until[at] = at, self.last.get(v, i)
        return at

    def _goal(self, v: int) -> int | None:
        """Follow a value through its last uses to what has a place of its own."""
        while v not in self.targets:
            following = self.given + self.last.get(v, len(self.reads))
            if following >= self.given + len(self.reads):
                return None
            v = following
        return self.targets[v]
