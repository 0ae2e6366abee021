"""A tape written out as one CUDA kernel: each array is read once and written once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hessx._xp._namespace import Array
from hessx._xp._tape import NotRecordedError, Number, Tape, Vector

__all__ = ["CupyTape"]

# As the library's own functions are with nan.
_TEXTS = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "negative": "-{0}",
    "abs": "fabs({0})",
    "sqrt": "sqrt({0})",
    "sign": "{0} > T(0) ? T(1) : {0} < T(0) ? T(-1) : {0}",
    "maximum": "{0} != {0} || {0} > {1} ? {0} : {1}",
    "minimum": "{0} != {0} || {0} < {1} ? {0} : {1}",
}


class CupyTape:
    """An ``ElementwiseKernel``, and which arrays it is given.

    Parameters
    ----------
    tape : Tape
        Whose last vectors given are slots, and whose outputs are the result and the new slots.
    slots : int
        How many; they are written to.

    Notes
    -----
    Products and sums are not contracted, so that the bits are those of the plain expression.
    Numbers are arguments: floats, or 0-d arrays of the device.
    """

    __slots__ = ("kernel", "numbers", "result", "tape", "vectors", "writes_result", "written")

    def __init__(self, tape: Tape, slots: int) -> None:
        import cupy

        self.tape, self.kernel = tape, None
        first, (result, *kept) = tape.vectors - slots, [output.at for output in tape.outputs]
        used = [a for _, operands in tape.calls for a in operands]
        self.numbers = sorted({a.at for a in used if isinstance(a, Number)})
        self.result, self.writes_result = result, result >= first
        self.written = [first + i for i, v in enumerate(kept) if v != first + i]
        read = {a.at for a in used if isinstance(a, Vector)}
        read |= {kept[at - first] for at in self.written}
        read |= {result} if self.writes_result else set()
        self.vectors = sorted(v for v in read if v < tape.vectors)
        lines = [
            f"const T v{tape.vectors + i} = {_TEXTS[name].format(*map(_text, operands))};"
            for i, (name, operands) in enumerate(tape.calls)
        ]
        lines += [f"w{at} = v{kept[at - first]};" for at in self.written]
        lines += [f"result = v{result};"] * self.writes_result
        inputs = [f"T v{v}" for v in self.vectors] + [f"T k{i}" for i in self.numbers]
        outputs = [f"T w{at}" for at in self.written] + ["T result"] * self.writes_result
        if outputs:
            self.kernel = cupy.ElementwiseKernel(
                ", ".join(inputs),
                ", ".join(outputs),
                "\n".join(lines),
                "hessx_pass",
                options=("--fmad=false",),
            )

    def run(self, xp: Any, k: Sequence[Any], given: list[Array]) -> Array:
        """Write result and slots; give the result, which may be a vector given."""
        values = self.tape.count(xp, k)
        out = [xp.empty_like(given[0])] * self.writes_result
        if self.kernel is not None:
            read = [given[v] for v in self.vectors] + [values[i] for i in self.numbers]
            self.kernel(*read, *(given[at] for at in self.written), *out)
        return out[0] if self.writes_result else given[self.result]


def _text(operand: Any) -> str:
    """Write an operand in C: a constant is rounded to the type of the vectors first."""
    if isinstance(operand, Vector):
        return f"v{operand.at}"
    if isinstance(operand, Number):
        return f"k{operand.at}"
    if not math.isfinite(operand):
        raise NotRecordedError(repr(operand))
    return f"T({operand!r})"
