"""Expressions on entries, and how one pass over them runs on each library."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import array_api_compat as compat
import numpy as np

from hessx._xp._cupy_tape import CupyTape
from hessx._xp._namespace import Array, Space
from hessx._xp._numpy_tape import NumpyTape
from hessx._xp._tape import NotRecordedError, record

__all__ = ["Pointwise", "bounded", "divisor", "ema", "moved", "sign"]

_LONG = 2**18  # entries from which temporaries leave the cache
_FRESH = 2**25  # bytes from which malloc takes fresh pages for each array, to be paid one by one
_BLOCK = 2**17  # entries, for each thread

_Expression = Callable[..., tuple[Array, list[list[Array]]]]


class Pointwise:
    """The ways to run expressions on entries, kept from pass to pass.

    An expression is pure, ``expression(xp, k, slots, *vectors) -> (result, slots)``; ``k`` is a
    list of tuples of numbers, floats or 0-d arrays, and ``slots`` a list of lists of vectors.

    Parameters
    ----------
    space : Space
        Of the vectors.
    """

    __slots__ = ("made", "space")

    def __init__(self, space: Space) -> None:
        self.space = space
        self.made: dict[str, Any] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> Pointwise:
        """Begin anew: an expression belongs to its owner."""
        return Pointwise(self.space)

    def run(
        self, expression: _Expression, k: list[Any], slots: list[list[Array]], *vectors: Array
    ) -> tuple[Array, list[list[Array]]]:
        """Run an expression, and give the result and the new slots.

        Where the library has ``out=`` the new slots may lie in the memory of the old ones, which
        are not to be used any more.  Vectors are not written to.
        """
        kind, xp = self.space.kind, self.space.xp
        if kind == "cupy" or (kind == "numpy" and vectors[0].shape[0] >= _LONG):
            tape = self._taped(expression, k, slots, len(vectors))
            if tape is not None:
                return self._run_tape(tape, k, slots, vectors)
        elif kind == "jax":
            return self._jitted(expression, gives=1)(k, slots, *vectors)  # type: ignore[no-any-return]
        elif kind == "torch" and _is_fresh_on_the_host(vectors[0]):
            return _run_torch_blocks(xp, expression, k, slots, vectors)
        return expression(xp, k, slots, *vectors)

    def measure(self, function: Callable[..., tuple[Array, ...]], *operands: Any) -> list[Array]:
        """Call ``function(xp, *operands)``, which gives 0-d arrays."""
        if self.space.kind == "jax":
            return [*self._jitted(function)(*operands)]
        return [*function(self.space.xp, *operands)]

    def _jitted(self, expression: Callable[..., Any], gives: Any = ()) -> Any:
        """Compile; the old slots are given away, and vectors are not."""
        import jax

        name = expression.__name__
        if name not in self.made:
            bound = partial(expression, self.space.xp)
            self.made[name] = jax.jit(bound, donate_argnums=gives)
        return self.made[name]

    def _taped(self, expression: _Expression, k: Any, slots: Any, vectors: int) -> Any:
        """Record an expression once; None where that cannot be."""
        name = expression.__name__
        if name not in self.made:
            make = CupyTape if self.space.kind == "cupy" else NumpyTape
            try:
                self.made[name] = make(record(expression, k, slots, vectors), sum(map(len, slots)))
            except NotRecordedError:
                self.made[name] = None
        return self.made[name]

    def _run_tape(
        self,
        tape: NumpyTape | CupyTape,
        k: list[Any],
        slots: list[list[Array]],
        vectors: tuple[Array, ...],
    ) -> tuple[Array, list[list[Array]]]:
        numbers = [number for group in k for number in group]
        if isinstance(tape, CupyTape):
            given = [*vectors, *(a for own in slots for a in own)]
            return tape.run(self.space.xp, numbers, given), slots
        n, out = vectors[0].shape[0], None
        slots = [[a if a.flags.writeable else a.copy() for a in own] for own in slots]
        if tape.writes_result:
            recycler = self.space.recycler
            whole = recycler is not None and recycler.n == n
            out = recycler.take() if recycler and whole else np.empty(n, vectors[0].dtype)
        return tape.run(numbers, [*vectors, *(a for own in slots for a in own)], out), slots


def _is_fresh_on_the_host(v: Array) -> bool:
    return str(compat.device(v)) == "cpu" and v.shape[0] * v.element_size() >= _FRESH


def _run_torch_blocks(
    xp: Any,
    expression: _Expression,
    k: list[Any],
    slots: list[list[Array]],
    vectors: tuple[Array, ...],
) -> tuple[Array, list[list[Array]]]:
    """Run the plain expression over blocks: its temporaries stay in the cache, in old memory."""
    import torch

    n, block = vectors[0].shape[0], _BLOCK * torch.get_num_threads()
    out = xp.empty_like(vectors[0])
    for start in range(0, n, block):
        span = slice(start, start + block)
        old = [[a[span] for a in own] for own in slots]
        result, new = expression(xp, k, old, *(v[span] for v in vectors))
        out[span] = result
        for own, kept in zip(old, new, strict=True):
            for a, b in zip(own, kept, strict=True):
                if a is not b:
                    a[:] = b
    return out, slots


def ema(beta: Any, m: Array, g: Array) -> Array:
    """Give beta m + (1 - beta) g, an exponential moving average."""
    if compat.is_torch_array(m):
        return m.lerp(g, 1.0 - beta)
    return m * beta + g * (1.0 - beta)


def moved(x: Array, rate: Any, d: Array) -> Array:
    """Give x - rate d; the rate is a float or a 0-d array."""
    if compat.is_torch_array(x) and isinstance(rate, float):
        return x.sub(d, alpha=rate)
    return x - d * rate


def sign(xp: Any, a: Array) -> Array:
    """Give -1, 0 or 1, and nan for nan.

    array_api_compat's sign writes by a mask on torch and CuPy, where the library's own takes nan
    for 0.
    """
    if compat.is_torch_array(a) or compat.is_cupy_array(a):
        one = xp.ones_like(a)
        return xp.where(a > 0, one, xp.where(a < 0, -one, a))
    return xp.sign(a)


def divisor(xp: Any, a: Array) -> Array:
    """Give a, and 1 where it is 0, or is negative or nan: what `where` has to leave out."""
    return xp.where(a > 0, a, xp.ones_like(a))


def bounded(xp: Any, a: Array, low: float | None, high: float | None) -> Array:
    """Give max(low, min(a, high)), and nan for nan; None is no bound."""
    if compat.is_torch_array(a):
        return a.clamp(low, high)
    a = a if high is None else xp.minimum(a, high)
    return a if low is None else xp.maximum(a, low)
