"""A few steps of conjugate gradients that the host never looks at."""

from __future__ import annotations

from collections.abc import Callable

from hessx._xp import Array, Space

__all__ = ["cg_steps"]


def cg_steps(
    space: Space, product: Callable[[Array], Array], b: Array, steps: int, forcing: float = 0.0
) -> Array:
    r"""Give z near H^-1 b, by conjugate gradients from z = 0, without a fetch.

    With r = p = b:

        alpha = r'r / p'H p,  z <- z + alpha p,  r <- r - alpha H p,  p <- r + (r+'r+ / r'r) p

    Parameters
    ----------
    space : Space
        Of b.
    product : callable
        v -> H v; what it returns may be a buffer that its next call writes again.
    b : array, shape (n,)
        Right-hand side.
    steps : int
        Of CG, >= 1.
    forcing : float
        In [0, 1): z stays as it is once norm(r) <= forcing norm(b).

    Returns
    -------
    array, shape (n,)
        z, a new vector.  It stays as it is, too, where p'H p <= eps h p'p, h the largest
        abs(p'H p) / p'p so far; where b'H b is negative at the first step, z = b b'b / abs(b'H b),
        and b where that is 0 / 0.

    Notes
    -----
    Cost: ``steps`` products, whatever happens, and about 16 launches and 13 passes over a vector
    for each.

    References
    ----------
    Nocedal & Wright (2006), algorithms 5.2 and 7.1.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.krylov import cg_steps
    >>> b, H = np.array([1.0, 2.0]), np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> cg_steps(space_of(b), lambda v: H @ v, b, 2).round(9)
    array([0.2, 0.6])
    """
    xp, zero = space.xp, space.zeros(())
    one = zero + 1.0
    z, r, p = space.zeros(space.n), b, b
    r_r = r @ r
    enough, largest, going = r_r * forcing**2, zero, r_r > zero
    for j in range(steps):
        s = product(p)
        p_s, p_p = p @ s, p @ p
        bend = xp.abs(p_s) / xp.where(p_p > zero, p_p, one)
        largest = xp.where(bend > largest, bend, largest)
        bowl = p_s > largest * p_p * space.eps
        if j == 0:
            bowl = xp.logical_or(bowl, p_s < zero)
            p_s = xp.abs(p_s)
            convex, some = s @ b > zero, bowl
        going = xp.logical_and(going, xp.logical_and(bowl, r_r > enough))
        alpha = xp.where(going, r_r, zero) / xp.where(going, p_s, one)
        z, r = z + p * alpha, r - s * alpha
        r_r_next = r @ r
        beta = xp.where(going, r_r_next, zero) / xp.where(going, r_r, one)
        p, r_r = r + p * beta, r_r_next
        going = xp.logical_and(going, convex)
    return xp.where(some, z, b)
