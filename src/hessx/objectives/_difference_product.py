"""Products with the Hessian by differences of gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

from hessx._xp import Array, Space, dot, quiet

__all__ = ["DifferenceProduct"]

_SINGLE = 2.0**-23  # eps of float32


class DifferenceProduct:
    r"""Products by differences of gradients.

    With h = step * max(norm(x), norm(x_scale)) / norm(v):

        2-point:  H v = (g(x + h v) - g(x)) / h,              step = eps^(1/2)
        3-point:  H v = (g(x + h v) - g(x - h v)) / (2 h),    step = eps^(1/3)

    with eps that of x, or that of float32 where all entries of the gradient are numbers of float32,
    and those of x are not: then it was computed in float32, whatever its dtype.

    Parameters
    ----------
    space : Space
        Of x.
    gradient_at : callable
        x (flat) -> gradient, flat; may be a buffer that the next call writes again.
    x, grad : array, shape (n,)
        The point, and the gradient there.
    central : bool
        3-point.
    x_scale : float or array
        Natural size of the variables.
    coarse : float
        h is longer by this factor.
    gradients_at : callable, optional
        Rows x -> rows of gradients, (k, n).

    Notes
    -----
    Cost: one gradient per product, two for 3-point; norms stay on the device, no fetch.

    References
    ----------
    Nocedal & Wright (2006), eq. (8.20).

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.objectives import DifferenceProduct
    >>> x = np.array([1.0, 2.0])
    >>> H = DifferenceProduct(space_of(x), lambda x: 4 * x**3, x, 4 * x**3, False, 1.0)
    >>> H(np.array([0.0, 1.0])).round(5)
    array([ 0., 48.])
    """

    def __init__(
        self,
        space: Space,
        gradient_at: Callable[[Array], Array],
        x: Array,
        grad: Array,
        central: bool,
        x_scale: Any,
        coarse: float = 1.0,
        gradients_at: Callable[[Array], Array] | None = None,
    ) -> None:
        xp = space.xp
        self.xp, self.gradient_at, self.x, self.grad = xp, gradient_at, x, grad
        self.central, self.x_scale, self.gradients_at = central, x_scale, gradients_at
        scale = x_scale * space.n**0.5 if isinstance(x_scale, Real) else xp.sqrt(x_scale @ x_scale)
        norm = xp.sqrt(x @ x)
        size = xp.where(norm > scale, norm, norm * 0.0 + scale)
        size, power = size * coarse, 1 / 3 if central else 1 / 2
        self.length = size * space.eps**power
        self.step: Any = _power_of_two(coarse * space.eps**power)
        if space.eps < _SINGLE:
            single = xp.logical_and(_is_single(space, grad), xp.logical_not(_is_single(space, x)))
            self.length = xp.where(single, size * _SINGLE**power, self.length)
            coarser = _power_of_two(coarse * _SINGLE**power)
            self.step = xp.where(single, norm * 0.0 + coarser, norm * 0.0 + self.step)

    def __call__(self, v: Array) -> Array:
        """Multiply."""
        h = self.length / self.xp.sqrt(v @ v)
        return self._quotient(self.gradient_at, v * h, h)

    def stack(self, V: Array) -> Array:
        """Multiply each row of V, shape (k, n), by one stack of gradients."""
        h = self.length / self.xp.sqrt(dot(V, V))[:, None]
        return self._quotient(self.gradients_at, V * h, h)

    @property
    def sizes(self) -> Array:
        """max(abs(x_i), x_scale_i), such that a step of it is exact: x_i + step sizes_i - x_i."""
        xp, x = self.xp, self.x
        size = xp.abs(x)
        size = xp.where(size > self.x_scale, size, x * 0.0 + self.x_scale)
        return ((x + self.step * size) - x) / self.step  # a power of two: without rounding

    @property
    def noise(self) -> Array:
        """What eps abs(g_i) in the gradient makes of the entries of `sized` products."""
        rough = self.step * self.step if self.central else self.step  # eps / step
        return self.xp.abs(self.grad) * rough

    def sized(self, V: Array) -> Array:
        """Multiply v, or each row, whose entries are 0 or of the order of `sizes`: h = step.

        Each variable then moves by what suits it, however many move.
        """
        at = self.gradient_at if V.ndim == 1 else self.gradients_at
        return self._quotient(at, V * self.step, self.step)

    def _quotient(self, gradient_at: Any, step: Array, h: Any) -> Array:
        above = gradient_at(self.x + step)
        if not self.central:
            return (above - self.grad) / h
        above = above + 0.0  # may be the buffer that the next call writes
        return (above - gradient_at(self.x - step)) / (2.0 * h)


def _power_of_two(h: float) -> float:
    return 2.0 ** round(math.log2(h))


def _is_single(space: Space, v: Array) -> Array:
    """Whether all entries are numbers of float32, as a 0-d array."""
    with quiet():  # they may be beyond its range
        single = space.xp.astype(v, space.xp.float32)
    return space.xp.all(space.xp.astype(single, space.dtype) == v)
