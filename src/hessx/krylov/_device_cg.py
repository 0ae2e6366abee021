"""Conjugate gradients whose every decision is made on the device."""

from __future__ import annotations

from collections.abc import Callable

from hessx._xp import Array, Space, dot, norm_inf

__all__ = ["device_cg"]


def device_cg(
    space: Space, product: Callable[[Array], Array], v: Array, jacobi: Array, steps: int
) -> Array:
    r"""Solve B x = v for positive definite B by ``steps`` of preconditioned CG, without a fetch.

    The scalars stay on the device.  Where v'M v of the residual has come down to eps^2 of that at
    first, or p'Bp <= 0, they are zero from then on, and what is left of the steps changes nothing.

    Parameters
    ----------
    space : Space
        Of v.
    product : callable
        p -> B p, of stacks too where v is one.
    v : array, shape (n,) or (k, n)
        Right-hand sides.
    jacobi : array, shape (n,)
        M = diag(jacobi), positive.
    steps : int
        As many products.

    Returns
    -------
    array, shape of v
        x, as near as ``steps`` products come; along p'Bp <= 0 it ends before, with v'x > 0.

    Notes
    -----
    Cost: ``steps`` products and about 15 launches each, be they needed or not.

    References
    ----------
    Nocedal & Wright (2006), algorithm 5.3.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.krylov import device_cg
    >>> v, B = np.array([1.0, 2.0]), np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> device_cg(space_of(v), lambda p: p @ B, v, 1.0 / B.diagonal(), 2).round(9)
    array([0.2, 0.6])
    """
    xp = space.xp
    size = norm_inf(space, v)[..., None]
    size = xp.where(size > 0.0, size, size * 0.0 + 1.0)
    r = v / size  # whose squares are in range
    x, u = r * 0.0, r * jacobi
    p, r_u = u, dot(r, u)[..., None]
    least, nothing, one = r_u * space.eps * space.eps, r_u * 0.0, r_u * 0.0 + 1.0
    for _ in range(steps):
        q = product(p)
        p_q = dot(p, q)[..., None]
        going = xp.logical_and(r_u > least, p_q > 0.0)
        alpha = xp.where(going, r_u / xp.where(going, p_q, one), nothing)
        x, r = x + alpha * p, r - alpha * q
        u = r * jacobi
        r_u_next = dot(r, u)[..., None]
        p = u + xp.where(going, r_u_next / xp.where(going, r_u, one), nothing) * p
        r_u = xp.where(going, r_u_next, nothing)
    return x * size
