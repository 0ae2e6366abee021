"""A few steps of conjugate gradients that the host never looks at."""

from __future__ import annotations

from collections.abc import Callable

from hessx._xp import Array, Space, norm_inf

__all__ = ["cg_steps"]


def cg_steps(
    space: Space,
    product: Callable[[Array], Array],
    b: Array,
    steps: int,
    forcing: float = 0.0,
    M: Callable[[Array], Array] | None = None,
    *,
    descend: bool = True,
) -> Array:
    r"""Give z near H^-1 b, by conjugate gradients from z = 0, without a fetch.

    With r = b, u = M r, p = u:

        alpha = r'u / p'H p,  z <- z + alpha p,  r <- r - alpha H p,  p <- u + (r+'u+ / r'u) p

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
        In [0, 1): z stays as it is once norm(r) <= forcing norm(b), with M in the norm of M.
    M : callable, optional
        r -> M r, positive definite; a new vector.
    descend : bool
        Where p'H p is not positive at the first step, give z = p b'p / abs(p'H p), and p where that
        is 0 / 0, in the place of zero.

    Returns
    -------
    array, shape (n,)
        z, a new vector.  It stays as it is, too, where p'H p <= eps h p'p, h the largest
        abs(p'H p) / p'p so far.  nan where b or a product is not finite.

    Notes
    -----
    b, and with M what it makes of b, are divided by their size: no square leaves the range.

    Cost: ``steps`` products, whatever happens, and about 16 launches and 13 passes over a vector
    for each, with M its own too.

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
    b, size = _sized(space, b)
    z, r, p, unit = space.zeros(space.n), b, b, one
    if M is not None:
        p, unit = _sized(space, M(b))
    first, r_u, trouble = p, r @ p, zero
    enough, largest, going = r_u * forcing**2, zero, r_u > zero
    for j in range(steps):
        s = product(p)
        p_s, p_p = p @ s, p @ p
        trouble = trouble + p_s * 0.0
        bend = xp.abs(p_s) / xp.where(p_p > zero, p_p, one)
        largest = xp.where(bend > largest, bend, largest)
        bowl = p_s > largest * p_p * space.eps
        if j == 0 and descend:
            bowl = xp.logical_or(bowl, p_s < zero)
            p_s = xp.abs(p_s)
            convex, some = s @ first > zero, bowl
        going = xp.logical_and(going, xp.logical_and(bowl, r_u > enough))
        alpha = xp.where(going, r_u, zero) / xp.where(going, p_s, one)
        z, r = z + p * alpha, r - s * alpha
        u = r if M is None else M(r) / unit
        r_u_next = r @ u
        beta = xp.where(going, r_u_next, zero) / xp.where(going, r_u, one)
        p, r_u = u + p * beta, r_u_next
        if descend:
            going = xp.logical_and(going, convex)
    if descend:
        z = xp.where(some, z, first * unit)
    return z * size + trouble


def _sized(space: Space, v: Array) -> tuple[Array, Array]:
    """Divide a vector by its largest entry, and give that; 1 for zeros."""
    size = norm_inf(space, v)
    size = space.xp.where(size > 0.0, size, size * 0.0 + 1.0)
    return v / size, size
