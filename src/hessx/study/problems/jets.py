"""Values with first and second derivatives, carried forward through a formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["Jet", "arctan", "cos", "exp", "join", "log", "sin", "sqrt"]


class Jet:
    """M values that depend on k variables, with their derivatives; shapes broadcast.

    Sums, products, quotients and powers with other jets, numbers, and arrays of shape (M,) that
    stand to the right, are formed by the rules of differentiation: for a product,

        (u v)' = u v' + v u',    (u v)'' = u v'' + v u'' + u' v'^T + v' u'^T.

    Parameters
    ----------
    xp : module
        The array API namespace.
    value : array, shape (M,)
        Values.
    first : array, shape (k, M) or (k, 1)
        First derivatives.
    second : array, shape (k, k, M) or (k, k, 1), optional
        Second derivatives; None where they are not wanted.
    """

    def __init__(self, xp: Any, value: Any, first: Any, second: Any = None) -> None:
        self.xp, self.value, self.first, self.second = xp, value, first, second

    def apply(self, value: Any, slope: Any, bend: Callable[[], Any]) -> Jet:
        """Give phi(u) of phi, phi' and, where it is wanted, phi'' at u: the chain rule."""
        second = self.second
        if second is not None:
            second = slope * second + bend() * _outer(self.first, self.first)
        return Jet(self.xp, value, slope * self.first, second)

    def sum(self) -> Jet:
        """Sum the values: M is 1."""
        full = self.filled()
        return full._each(lambda a: self.xp.sum(a, axis=-1)[..., None])

    def through(self, A: Any) -> Jet:
        """Multiply the values by a matrix of shape (L, M)."""
        transposed = self.xp.permute_dims(A, (1, 0))
        return self.filled()._each(lambda a: a @ transposed)

    def filled(self) -> Jet:
        """Give the derivatives the full last axis."""
        M = self.value.shape[-1]
        return self._each(lambda a: self.xp.broadcast_to(a, (*a.shape[:-1], M)))

    def _each(self, change: Callable[[Any], Any]) -> Jet:
        parts = (self.value, self.first, self.second)
        return Jet(self.xp, *(part if part is None else change(part) for part in parts))

    def __getitem__(self, index: int | slice) -> Jet:
        """Take the value of an index from 0 up, or a slice."""
        part = slice(index, index + 1) if isinstance(index, int) else index
        return self.filled()._each(lambda a: a[..., part])

    def __add__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet(self.xp, self.value + other, self.first, self.second)
        second = self.second
        if second is not None:
            second = second + other.second
        return Jet(self.xp, self.value + other.value, self.first + other.first, second)

    def __mul__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return self._each(lambda a: a * other)
        u, v, second = self.value, other.value, self.second
        if second is not None:
            crossed = _outer(self.first, other.first)
            swapped = _outer(other.first, self.first)
            second = u * other.second + v * second + crossed + swapped
        return Jet(self.xp, u * v, u * other.first + v * self.first, second)

    def __pow__(self, p: float) -> Jet:
        u = self.value
        if p == 2:
            return self.apply(u * u, 2.0 * u, lambda: 2.0)
        return self.apply(u**p, p * u ** (p - 1), lambda: p * (p - 1) * u ** (p - 2))

    def __truediv__(self, other: Any) -> Jet:
        return self.__mul__(other.reciprocal() if isinstance(other, Jet) else 1.0 / other)

    def reciprocal(self) -> Jet:
        """Give 1 / u."""
        r = 1.0 / self.value
        return self.apply(r, -r * r, lambda: 2.0 * r * r * r)

    def __neg__(self) -> Jet:
        return self.__mul__(-1.0)

    def __sub__(self, other: Any) -> Jet:
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> Jet:
        return self.__neg__().__add__(other)

    def __rtruediv__(self, other: Any) -> Jet:
        return self.reciprocal().__mul__(other)

    def __radd__(self, other: Any) -> Jet:
        return self.__add__(other)

    def __rmul__(self, other: Any) -> Jet:
        return self.__mul__(other)


def join(jets: Sequence[Jet], M: int = 1) -> Jet:
    """Put jets side by side, each with a multiple of M values or one that is repeated M times."""
    xp, full = jets[0].xp, [_repeated(jet, M).filled() for jet in jets]
    if len(full) == 1:
        return full[0]
    second = None
    if full[0].second is not None:
        second = xp.concat([jet.second for jet in full], axis=-1)
    return Jet(
        xp,
        xp.concat([jet.value for jet in full]),
        xp.concat([jet.first for jet in full], axis=-1),
        second,
    )


def exp(u: Jet) -> Jet:
    """Give exp(u)."""
    e = u.xp.exp(u.value)
    return u.apply(e, e, lambda: e)


def log(u: Jet) -> Jet:
    """Give the natural logarithm."""
    r = 1.0 / u.value
    return u.apply(u.xp.log(u.value), r, lambda: -r * r)


def sqrt(u: Jet) -> Jet:
    """Give the root of what is positive."""
    root = u.xp.sqrt(u.value)
    return u.apply(root, 0.5 / root, lambda: -0.25 / (root * u.value))


def sin(u: Jet) -> Jet:
    """Give sin(u)."""
    s, c = u.xp.sin(u.value), u.xp.cos(u.value)
    return u.apply(s, c, lambda: -s)


def cos(u: Jet) -> Jet:
    """Give cos(u)."""
    s, c = u.xp.sin(u.value), u.xp.cos(u.value)
    return u.apply(c, -s, lambda: -c)


def arctan(u: Jet) -> Jet:
    """Give arctan(u)."""
    r = 1.0 / (1.0 + u.value * u.value)
    return u.apply(u.xp.atan(u.value), r, lambda: -2.0 * u.value * r * r)


def _outer(a: Any, b: Any) -> Any:
    return a[:, None, :] * b[None, :, :]


def _repeated(jet: Jet, M: int) -> Jet:
    short = jet.value.shape[-1] < M
    value = jet.xp.broadcast_to(jet.value, (M,)) if short else jet.value
    return Jet(jet.xp, value, jet.first, jet.second)
