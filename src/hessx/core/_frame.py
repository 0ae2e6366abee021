"""The variables of a method: x in units of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

from hessx._xp import Array, Packet, Space, space_of
from hessx.core._saved import saved
from hessx.core._scale import positive_vector

__all__ = ["Frame"]

_Map = Callable[[Array], Array]


@saved
@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    r"""x = scale z, entry by entry: methods work in z, users see x.

    Gradients are pulled into z, steps pushed out of it; both are multiplied by ``scale``.

    Parameters
    ----------
    space : Space, or x
        Of x, and of z; an array, or tree, says which.
    scale : array, shape (n,), optional
        Positive; without it z is x.
    length : float
        That of a step in z along which nothing is known.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx.core import Frame
    >>> frame = Frame.of(np.ones(2), [1.0, 10.0])
    >>> frame.pull(np.array([3.0, 4.0])), frame.push(np.array([1.0, 1.0]))
    (array([ 3., 40.]), array([ 1., 10.]))
    """

    space: Space
    scale: Array | None = None
    length: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.space, Space):
            object.__setattr__(self, "space", space_of(self.space))

    @classmethod
    def of(cls, space: Space, x_scale: Any) -> Frame:
        """Take x_scale: a number is a length alone, anything else the scale of each variable."""
        space = cls(space).space
        if isinstance(x_scale, Real):
            return cls(space, None, x_scale)  # type: ignore[arg-type]
        return cls(space, positive_vector(space, x_scale, "x_scale"))

    def pull(self, grad: Array) -> Array:
        """Give a gradient in z; it may be the same array, of the user's."""
        return grad if self.scale is None else grad * self.scale

    def keep(self, g: Array) -> Array:
        """Give what was pulled in an array that nobody else writes."""
        return self.space.copy(g) if self.scale is None and self.space.writeable else g

    def gradient(self, g: Array) -> Array:
        """Give a gradient in x again, a new array."""
        return self.space.copy(g) if self.scale is None else g / self.scale

    def push(self, step: Array) -> Array:
        """Give a step in x; it may be the same array."""
        return step if self.scale is None else step * self.scale

    def product(self, hessian: _Map) -> _Map:
        """Give v -> H v in z."""
        return hessian if self.scale is None else lambda v: self.pull(hessian(self.push(v)))

    def inverse(self, apply: _Map) -> _Map:
        """Give r -> M r in z, for an M near the inverse Hessian."""
        s = self.scale
        return apply if s is None else lambda r: apply(r / s) / s

    def inverse_matrix(self, A: Array) -> Array:
        """Give a matrix near the inverse Hessian in z."""
        s = self.scale
        return A if s is None else A / s[:, None] / s[None, :]

    def matrix(self, B: Array) -> Array:
        """Give a matrix near the Hessian in z."""
        s = self.scale
        return B if s is None else B * s[:, None] * s[None, :]

    def diagonal(self, d: Array) -> Array:
        """Give the diagonal of a Hessian in z."""
        return d if self.scale is None else d * self.scale * self.scale

    def inverse_diagonal(self, d: Array) -> Array:
        """Give the diagonal of an inverse Hessian in z."""
        return d if self.scale is None else d / self.scale / self.scale

    def __deepcopy__(self, memo: dict[int, Any]) -> Frame:
        """Share: nothing is written."""
        return self

    def ask_square(self, packet: Packet, grad: Array) -> None:
        """Ask for the square of a gradient in x, where it is not that in z."""
        if self.scale is not None:
            packet.ask(square=grad @ grad)

    def square(self, numbers: dict[str, Any], g_g: float) -> float:
        """Give the square of a gradient in x, from that in z."""
        return g_g if self.scale is None else numbers["square"]
