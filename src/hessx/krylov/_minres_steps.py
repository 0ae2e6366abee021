"""A few steps of MINRES that the host never looks at."""

from __future__ import annotations

from collections.abc import Callable

from hessx._xp import Array, Space, norm_inf, quiet

__all__ = ["minres_steps"]


def minres_steps(
    space: Space,
    product: Callable[[Array], Array],
    b: Array,
    steps: int,
    *,
    convex: bool = False,
) -> Array:
    r"""Give x near H^-1 b, H symmetric, by MINRES from x = 0, without a fetch.

    Step k minimises norm(b - H x) over span{b, H b, ..., H^(k-1) b}.

    Parameters
    ----------
    space : Space
        Of b.
    product : callable
        v -> H v.
    b : array, shape (n,)
        Right-hand side.
    steps : int
        >= 1.
    convex : bool
        Stay where a residual r with r'H r <= 0 is met, so that b'x > 0: at the first step
        x = b b'b / abs(b'H b) then, and b where that is 0 / 0.

    Returns
    -------
    array, shape (n,)
        x, a new vector.  It stays as it is once norm(r) <= eps norm(b), and where H is singular on
        what is left.  nan where b or a product is not finite.

    Notes
    -----
    b, and all products by the first of them, are divided by their size: no square leaves the range.

    Cost: ``steps`` products, whatever happens, and about 31 launches and 17 passes over a vector
    for each.

    References
    ----------
    Paige & Saunders (1975), SIAM J. Numer. Anal. 12, section 5; Liu & Roosta (2022), MINRES: From
    negative curvature detection to monotonicity properties, SIAM J. Optim. 32, for r'H r.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.krylov import minres_steps
    >>> H = np.array([[2.0, 1.0], [1.0, -3.0]])
    >>> minres_steps(space_of(H[0]), lambda v: H @ v, np.array([4.0, -5.0]), 2).round(9)
    array([1., 2.])
    """
    xp, zero = space.xp, space.zeros(())
    one = zero + 1.0

    def divided(v: Array, by: Array) -> Array:
        return v / xp.where(by > zero, by, one)

    def sized(v: Array) -> Array:
        size = norm_inf(space, v)
        return xp.where(size == zero, one, size)

    with quiet():
        size, unit, trouble = sized(b), one, zero
        b = b / size
        norm = xp.sqrt(b @ b)
        x = d = d_old = v_old = space.zeros(space.n)
        v, phi, enough, largest, going = divided(b, norm), norm, norm * space.eps, zero, norm > zero
        beta, c, s, delta, epsilon = zero, -one, zero, zero, zero
        for k in range(steps):
            p = product(v)
            if k == 0:
                unit = sized(p)
            p = p / unit - v_old * beta
            alpha = v @ p
            trouble = trouble + alpha * 0.0
            p = p - v * alpha
            beta = xp.sqrt(p @ p)
            above, gamma = c * delta + s * alpha, s * delta - c * alpha
            bends = c * gamma < zero  # r'H r > 0
            delta, next_epsilon = -c * beta, s * beta
            radius = xp.sqrt(gamma * gamma + beta * beta)
            largest = xp.where(radius > largest, radius, largest)
            going = xp.logical_and(going, radius > largest * space.eps)
            going = xp.logical_and(going, phi > enough)
            if convex:
                if k == 0:
                    first = divided(b, xp.abs(alpha))
                    some, bowl = xp.abs(alpha) > largest * space.eps, bends
                going = xp.logical_and(going, bends)
            c, s = divided(gamma, radius), divided(beta, radius)
            d, d_old = divided(v - d * above - d_old * epsilon, radius), d
            x = x + d * xp.where(going, c * phi, zero)
            phi, epsilon = s * phi, next_epsilon
            v, v_old = divided(p, beta), v
        if convex:
            x = xp.where(bowl, x, xp.where(some, first, b * unit))
        return (x / unit) * size + trouble
