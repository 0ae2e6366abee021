"""Where the Hessian comes from: hessp, hess, or differences of gradients."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

from hessx._xp import Array, Space, is_array, like, quiet
from hessx.core import Counts, Request
from hessx.objectives._hessian_at import HessianAt
from hessx.operators import as_operator

__all__ = [
    "DifferenceProduct",
    "check_hessian",
    "make_hessian",
    "shown",
]


_HessianOracle = Callable[[Request], HessianAt]  # makes H at the point of a request


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
    ) -> None:
        xp = space.xp
        self.xp, self.gradient_at, self.x, self.grad = xp, gradient_at, x, grad
        self.central = central
        scale = x_scale * space.n**0.5 if isinstance(x_scale, Real) else xp.sqrt(x_scale @ x_scale)
        norm = xp.sqrt(x @ x)
        size = xp.where(norm > scale, norm, norm * 0.0 + scale)
        size, power = size * coarse, 1 / 3 if central else 1 / 2
        self.length = size * space.eps**power
        if space.eps < _SINGLE:
            single = xp.logical_and(_is_single(space, grad), xp.logical_not(_is_single(space, x)))
            self.length = xp.where(single, size * _SINGLE**power, self.length)

    def __call__(self, v: Array) -> Array:
        """Multiply."""
        h = self.length / self.xp.sqrt(v @ v)
        step = v * h
        above = self.gradient_at(self.x + step)
        if not self.central:
            return (above - self.grad) / h
        above = above + 0.0  # may be the buffer that the next call writes
        return (above - self.gradient_at(self.x - step)) / (2.0 * h)


def _is_single(space: Space, v: Array) -> Array:
    """Whether all entries are numbers of float32, as a 0-d array."""
    with quiet():  # they may be beyond its range
        single = space.xp.astype(v, space.xp.float32)
    return space.xp.all(space.xp.astype(single, space.dtype) == v)


def check_hessian(hess: Any, hessp: Any) -> None:
    """Refuse what is no Hessian.

    Raises
    ------
    TypeError
        hess is neither a callable nor the name of a difference, or hessp no callable.
    """
    if hessp is not None and not callable(hessp):
        msg = f"hessp is a {type(hessp).__name__}: expected a callable hessp(x, v) or None"
        raise TypeError(msg)
    named = isinstance(hess, str) and hess in ("2-point", "3-point")
    if not (hess is None or named or callable(hess)):
        msg = (
            f"{shown('hess', hess)}: expected a callable, '2-point', '3-point', an approximation "
            "such as hessx.BFGS(), or None"
        )
        raise TypeError(msg)


def shown(name: str, given: Any) -> str:
    """Say what was given, for messages: of an array its type, not all of its numbers."""
    return f"{name} is a {type(given).__name__}" if is_array(given) else f"{name} = {given!r}"


def make_hessian(
    space: Space,
    hess: Any,
    hessp: Any,
    args: tuple[Any, ...],
    gradient_at: Callable[[Array], Array] | None,
    counts: Counts,
    sign: float,
    x_scale: Any,
) -> _HessianOracle:
    """Take hess and hessp, as SciPy does; differences of gradients where neither is given.

    Parameters
    ----------
    space : Space
        Of x.
    hess : callable, "2-point", "3-point" or None
        ``hess(x, *args)``: a dense array, a sparse matrix, a linear operator, or v -> H v.
    hessp : callable, optional
        ``hessp(x, v, *args)``; goes before hess.
    args : tuple
        Further arguments of both.
    gradient_at : callable, optional
        x -> gradient of what is minimised, both flat; None where no gradient is given.
    counts, sign : Counts, float
        Those of the objective.
    x_scale : float or array
        Natural size of the variables, for differences.

    Returns
    -------
    callable
        ``request -> HessianAt``.

    Raises
    ------
    ValueError
        There is nothing to form products from.
    """
    if hessp is not None:

        def from_hessp(request: Request) -> HessianAt:
            here, give = space.for_user(request.x), space.for_user
            return HessianAt(space, lambda v: hessp(here, give(v), *args), counts, sign)

        return from_hessp
    if callable(hess):

        def from_hess(request: Request) -> HessianAt:
            operator = as_operator(space, hess(space.for_user(request.x), *args), "hess(x)")
            return HessianAt(space, operator.matvec, counts, sign, operator)

        return from_hess
    if gradient_at is None:
        msg = (
            "second-order methods need products with the Hessian: give hessp or hess, or jac as a "
            "callable or True, from which products are formed by differences"
        )
        raise ValueError(msg)
    central = hess == "3-point"
    scale = x_scale if isinstance(x_scale, Real) else space.flat(like(space, x_scale, "x_scale"))

    def from_differences(request: Request) -> HessianAt:
        x, known = request.x, request.grad
        grad = space.copy(gradient_at(x)) if known is None else known()
        product = DifferenceProduct(space, gradient_at, x, grad, central, scale, request.coarse)
        # gradient_at has the sign already
        return HessianAt(space, product, counts, 1.0)

    return from_differences
