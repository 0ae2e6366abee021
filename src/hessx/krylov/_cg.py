"""Truncated conjugate gradients, one packet of scalars per product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hessx._xp import fetch, make_cg_vectors
from hessx.core import Ball, Damped, Free, PairRing, saved, store_integer
from hessx.krylov._cg_blocks import BlockSolve
from hessx.krylov._damping import matrix_of
from hessx.krylov._model import KrylovOutcome, ModelStep, QuadraticModel
from hessx.krylov._path import Path
from hessx.krylov._subproblem import Subproblem

__all__ = ["TruncatedCG"]


@saved
@dataclass(frozen=True, slots=True, kw_only=True)
class TruncatedCG(Subproblem):
    r"""Minimise a quadratic model by conjugate gradients, to the edge of a trust region.

    From z = 0, r = g, p = -M r, with s = H p and u = M r:

        alpha = r'u / p's,  z <- z + alpha p,  r <- r + alpha s,  beta = r+'u+ / r'u,
        p <- -u + beta p

    until norm(r) <= tolerance.  Where the next z would leave the region, or p's is not positive,
    z goes along p to the boundary (Steihaug 1983).  Under `Damped` H + sigma M^-1 takes the place
    of H.  There, and under `Free`, z goes a piece along p where p's is negative, as long as z or
    the ``length`` or ``reach`` of the restraint.  p's is negative below -eps h p'p, with h
    the largest abs(p's) / p'p of the solve, and flat from there to eps^1.5 h p'p, in a region to 0.
    A small positive p's is followed, though from eps h p'p down it may be rounding: the steps end
    nearer to the minimum of the model than where it was met, in float32 above all.

    Parameters
    ----------
    check_every : int
        Steps between fetches, >= 1.  Above 1 the scalars of so many steps stay on the device, and
        the step at which the solve ends is found in hindsight: at most check_every - 1 products
        are spent beyond it, and check_every vectors are held twice.

    Raises
    ------
    SettingsError
        check_every < 1.

    Notes
    -----
    One packet per product.  The device itself divides r'u by p's and moves r on, so that p's
    arrives together with r'r and r'u of the next residual: the numbers are those of the textbook,
    in its order, and the end is known before another product is asked for.  Where p's then says
    that the step is another, r is moved anew.  Where the tolerance is below
    100 eps sqrt(k) norm(g), the residual is formed anew every 50 steps, by one product.

    Memory: 5 vectors, 7 with a preconditioner (4 and 5 on NumPy), s among them.  Cost per step: one
    product, one fetch, 10 launches (one more with a preconditioner, and its own).

    Under `Damped`: one vector more, and two more with a preconditioner, by whose recurrences M^-1 p
    and M^-1 z are known; 2 launches more per step (6 with a preconditioner); one fetch more where
    sigma is to be found first, or to be translated for another M.

    References
    ----------
    Steihaug (1983), SIAM J. Numer. Anal. 20; Nocedal & Wright (2006), algorithms 7.1 and 7.2;
    Conn, Gould & Toint (2000), Trust-Region Methods, algorithm 7.5.1.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> method = hessx.TrustRegionMethod(subproblem=hessx.TruncatedCG(check_every=4))
    >>> fun = lambda x: ((x - 1) ** 4).sum()
    >>> result = hessx.minimize(fun, np.zeros(3), jac=lambda x: 4 * (x - 1) ** 3, method=method,
    ...                         hessp=lambda x, p: 12 * (x - 1) ** 2 * p)
    >>> result.success
    True
    """

    takes: ClassVar = (Ball, Damped, Free)
    learns: ClassVar = True
    check_every: int = 1

    def __post_init__(self) -> None:
        store_integer(self, "check_every", 1)

    def __call__(self, model: QuadraticModel) -> ModelStep:
        """Solve."""
        self.check(model.restraint)
        solve = _Solve(model) if self.check_every == 1 else BlockSolve(model, self.check_every)
        while solve.path.products < model.limit:
            if not solve.step():
                break
        return solve.finish()


class _Solve:
    """The path of CG, a product and a packet at a time."""

    def __init__(self, model: QuadraticModel) -> None:
        self.model = model
        M = model.precondition
        self.path = Path(model, None if M is None else self._squares)
        self.vectors = make_cg_vectors(model.space, model.gradient, M)
        self.pairs = PairRing(model.space, model.collect) if model.collect else None
        self.matrix = matrix_of(model, self.path)
        self.matrix.begin(self.vectors.p, self.vectors.r_u)

    def step(self) -> bool:
        """Take one CG step; False where the solve is over."""
        model, vectors, path, matrix = self.model, self.vectors, self.path, self.matrix
        before = matrix.before if path.products == 0 else None
        s = matrix.product(vectors.p)
        (r_u, p_s, *rest), matrix.held = vectors.measure(s, before, matrix.held)
        alpha = path.advance(r_u, p_s, *rest)
        if alpha != 0.0:
            vectors.advance(alpha, whole=path.outcome is None)
            matrix.advance(alpha)
        if self.pairs is not None and path.bends_up(p_s):
            dual = vectors.p if matrix.dual is None else matrix.dual
            self.pairs.add(vectors.p, matrix.undamped(vectors.s, dual))
        if path.outcome is not None:
            return False
        if path.renews():
            self._refresh()
        beta = path.go_on(*vectors.squares())
        if beta is not None and model.watch():
            path.outcome = KrylovOutcome.STOPPED
        if path.outcome is not None:
            return False
        if path.products == model.limit:
            return False
        vectors.redirect(beta)  # type: ignore[arg-type]
        matrix.redirect(beta, vectors.r)
        return True

    def finish(self) -> ModelStep:
        """Hand out the step."""
        vectors = self.vectors
        bend = vectors.p + 0.0 if self.path.bent else None
        z, Hz = vectors.hand_out(self.model.gradient)
        return self.path.result(z, self.matrix.undamped_sum(Hz, z), bend, self.pairs)

    def _squares(self) -> tuple[float, float]:
        """Read z'z and p'p; one fetch, rarely."""
        z, p = self.vectors.z, self.vectors.p
        (z_z, p_p), _ = fetch(self.model.space, [0.0 if z is None else z @ z, p @ p])
        return z_z, p_p

    def _refresh(self) -> None:
        """Form r = g + H z anew; one product."""
        model, vectors = self.model, self.vectors
        vectors.restart(model.gradient + self.matrix.product_of_sum(vectors.z))
        self.path.products += 1
