"""Where the Hessian comes from: hessp, hess, or differences of gradients."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

from hessx._xp import Array, Space, is_array, like
from hessx.core import Counts, Request
from hessx.objectives._difference_product import DifferenceProduct
from hessx.objectives._hessian_at import HessianAt
from hessx.operators import Pattern, PatternProbe, as_operator

__all__ = ["check_hessian", "make_hessian", "shown"]


_HessianOracle = Callable[[Request], HessianAt]  # makes H at the point of a request


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
    if isinstance(hess, Pattern | PatternProbe):
        msg = (
            f"hess is a {type(hess).__name__}, which says where the Hessian has entries: expected "
            "hess = hessx.Sparse(pattern), which makes them by products"
        )
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
    gradients_at: Callable[[Array], Array] | None = None,
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
    gradients_at : callable, optional
        Rows x -> rows of gradients, (k, n), in one call.

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
        product = DifferenceProduct(
            space, gradient_at, x, grad, central, scale, request.coarse, gradients_at
        )
        # gradient_at has the sign already
        return HessianAt(space, product, counts, 1.0, differences=product)

    return from_differences
