"""Expressions on entries, recorded once: straight lines of host numbers and of ufunc calls.

An expression is a function of a namespace, numbers and vectors that knows nothing of the position
of an entry.  Called once with operands that record, it leaves a `Tape`, which runs without it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["NotRecordedError", "Number", "Operand", "Tape", "Vector", "record"]

_UNARY = ("sqrt", "abs", "sign", "negative")
_BINARY = ("add", "subtract", "multiply", "divide", "maximum", "minimum")

_OPERATORS = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide"}


class NotRecordedError(Exception):
    """The expression does what a tape does not know: it runs as it stands."""


class Operand:
    """A value while an expression is recorded: of the host, or of n entries.

    Attributes
    ----------
    tape : Tape
        What records.
    at : int
        Which number, or which vector.
    """

    __slots__ = ("at", "tape")

    def __init__(self, tape: Tape, at: int) -> None:
        self.tape, self.at = tape, at

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        msg = "=="
        raise NotRecordedError(msg)

    def __bool__(self) -> bool:
        msg = "a rule branches on a value: branches on t belong into numbers"
        raise NotRecordedError(msg)

    def __neg__(self) -> Operand:
        return self.tape.call("negative", self)

    def __abs__(self) -> Operand:
        return self.tape.call("abs", self)


def _define_operators() -> None:
    for short, name in _OPERATORS.items():

        def forward(self: Operand, other: Any, name: str = name) -> Operand:
            return self.tape.call(name, self, other)

        def backward(self: Operand, other: Any, name: str = name) -> Operand:
            return self.tape.call(name, other, self)

        setattr(Operand, f"__{short}__", forward)
        setattr(Operand, f"__r{short}__", backward)


_define_operators()


class Number(Operand):
    """A number of the host."""

    __slots__ = ()


class Vector(Operand):
    """An operand of n entries."""

    __slots__ = ()


class _Namespace:
    """The functions that a tape knows."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def __getattr__(self, name: str) -> Callable[..., Operand]:
        if name not in _UNARY and name not in _BINARY:
            raise NotRecordedError(name)
        return lambda *operands: self._tape.call(name, *operands)


class Tape:
    """Two straight lines: what is computed of numbers, and of vectors.

    Attributes
    ----------
    numbers : int
        How many are given.
    vectors : int
        How many are given; after them come the results of ``calls``, in order.
    sums : list of (str, operands)
        On numbers; an operand is a float, or the position of a number.
    calls : list of (str, operands)
        On vectors; an operand is a `Vector`, a `Number` or a float.
    outputs : list of Vector
        What the expression gives: the result, and new slots.
    """

    __slots__ = ("calls", "numbers", "outputs", "sums", "vectors")

    def __init__(self, numbers: int, vectors: int) -> None:
        self.numbers, self.vectors = numbers, vectors
        self.sums: list[tuple[str, tuple[Any, ...]]] = []
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.outputs: list[Vector] = []

    def call(self, name: str, *operands: Any) -> Operand:
        """Record a call; operands are recorded ones or Python numbers."""
        for operand in operands:
            if not isinstance(operand, Operand | float | int):
                raise NotRecordedError(type(operand).__name__)
        if any(isinstance(operand, Vector) for operand in operands):
            self.calls.append((name, operands))
            return Vector(self, self.vectors + len(self.calls) - 1)
        self.sums.append((name, operands))
        return Number(self, self.numbers + len(self.sums) - 1)

    def count(self, xp: Any, given: Sequence[Any]) -> list[Any]:
        """Compute the numbers of a step from those given, in the library's own arithmetic."""
        values = list(given)
        for name, operands in self.sums:
            known = [values[a.at] if isinstance(a, Number) else a for a in operands]
            values.append(
                _OF_NUMBERS[name](*known) if name in _OF_NUMBERS else getattr(xp, name)(*known)
            )
        return values


_OF_NUMBERS: dict[str, Callable[..., Any]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul,
    "divide": operator.truediv, "negative": operator.neg, "abs": operator.abs,
}  # fmt: skip


def record(expression: Callable[..., Any], k: Any, slots: Any, vectors: int) -> Tape:
    """Call an expression once, with operands in the place of numbers and arrays.

    Parameters
    ----------
    expression : callable
        ``expression(xp, k, slots, *vectors) -> (result, slots)``, pure.
    k, slots : list of tuples, list of lists
        Of which only the lengths count.
    vectors : int
        How many; they stand before the slots.

    Raises
    ------
    NotRecordedError
        The expression does what a tape does not know.
    """
    tape = Tape(sum(map(len, k)), vectors + sum(map(len, slots)))
    numbers = iter([Number(tape, i) for i in range(tape.numbers)])
    given = iter([Vector(tape, i) for i in range(tape.vectors)])
    own = [next(given) for _ in range(vectors)]
    groups = [tuple(next(numbers) for _ in group) for group in k]
    owned = [[next(given) for _ in group] for group in slots]
    try:
        result, kept = expression(_Namespace(tape), groups, owned, *own)
    except (TypeError, AttributeError) as error:  # an operator that operands lack
        raise NotRecordedError(str(error)) from None
    tape.outputs = [result, *(slot for group in kept for slot in group)]
    if not all(isinstance(output, Vector) for output in tape.outputs):
        raise NotRecordedError("a result is no vector")
    return tape
