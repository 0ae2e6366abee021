"""Gradients at many points in one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Space, take_stack
from hessx.core import Counts

__all__ = ["Stacked", "gradients_of"]


@dataclass(frozen=True, slots=True)
class Stacked:
    """A gradient that takes stacks of points: k of them in one call, as products of a block need.

    Given as ``jac``, it is called with x, and with k points along a first axis where differences of
    gradients make k products with the Hessian, for a coloured or a dense one.

    Parameters
    ----------
    jac : callable
        ``jac(x, *args)``, for x of shape S as for x of shape (k, *S), with as many rows of
        gradients.  What is written for the last axis, or mapped (``jax.vmap``), does so.

    Raises
    ------
    TypeError
        ``jac`` is not callable.

    Notes
    -----
    Cost: k gradients are counted for a call with k points.  At the first point of a run a product
    is made of one point alone, beside those of the stack, and a jac that takes no stacks is refused
    by ValueError: for a dense Hessian that is a gradient more.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> calls = []
    >>> def jac(x):
    ...     calls.append(x.shape)
    ...     return x**3 - 1.0
    >>> result = hessx.minimize(lambda x: (x**4 / 4 - x).sum(), np.full(3, 1.1),
    ...                         jac=hessx.Stacked(jac), method="newton")
    >>> result.success, calls[:2]
    (True, [(3,), (3, 3)])
    """

    jac: Callable[..., Any]

    def __post_init__(self) -> None:
        if not callable(self.jac):
            kind = type(self.jac).__name__
            msg = f"jac of Stacked is a {kind}: expected a callable jac(x, *args)"
            raise TypeError(msg)

    def __call__(self, x: Any, *args: Any) -> Any:
        """Give the gradient at x, or at each of its rows."""
        return self.jac(x, *args)


def gradients_of(
    space: Space, jac: Stacked, args: tuple[Any, ...], counts: Counts, sign: float
) -> Callable[[Array], Array]:
    """Give what evaluates the gradients at the rows of an array, shape (k, n), flat.

    Raises
    ------
    TypeError
        x is a tree.
    """
    if space.tree is not None:
        msg = "jac = Stacked(...) takes stacks of arrays, and x0 is a tree: give jac itself"
        raise TypeError(msg)

    def gradients_at(X: Array) -> Array:
        k = X.shape[0]
        counts.gradients += k
        grads = jac(space.xp.reshape(X, (k, *space.shape)), *args)
        grads = take_stack(space, grads, k, "the stack of gradients")
        return grads if sign > 0.0 else -grads

    return gradients_at
