"""Truncated conjugate gradients, one packet of scalars per product."""

from __future__ import annotations

from dataclasses import dataclass

from hessx._xp import add_scaled, fetch, make_rows, scale_and_subtract
from hessx.core import check_integer, saved
from hessx.krylov._cg_blocks import BlockSolve
from hessx.krylov._model import KrylovOutcome, ModelStep, Pairs, QuadraticModel
from hessx.krylov._path import Path

__all__ = ["TruncatedCG"]

_P, _S = 0, 1  # rows of the buffer


@saved
@dataclass(frozen=True, slots=True, kw_only=True)
class TruncatedCG:
    r"""Minimise a quadratic model by conjugate gradients, to the edge of a trust region.

    From z = 0, r = g, p = -M r, with s = H p and u = M r:

        alpha = r'u / p's,  z <- z + alpha p,  r <- r + alpha s,  beta = r+'u+ / r'u,
        p <- -u + beta p

    until norm(r) <= tolerance.  Where the next z would leave the region, or p's is not positive,
    z goes along p to the boundary (Steihaug 1983).  Without a region it goes a piece along p
    where p's is negative (see `QuadraticModel.reach`).  p's is negative below -eps h p'p, with h
    the largest abs(p's) / p'p of the solve, and flat within eps h p'p.

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
    One packet per product: p's, r's, s's, r'r and, with a preconditioner, r'u, s'u, s'v for
    v = M s.  The next squared residual r'r + 2 alpha r's + alpha^2 s's is predicted before another
    product is asked for, and the next packet's explicit r'r corrects it; where prediction has
    cancelled to eps^(1/3) r'r and the solve goes on, r'r is fetched by itself.  Where the
    tolerance is below 100 eps sqrt(k) norm(g), the residual is formed anew every 50 steps, by one
    product.

    Memory: 4 vectors, 6 with a preconditioner, and 2 for temporaries.  Cost per step: one product,
    one fetch, at most 10 launches (14 with a preconditioner, and its own).

    References
    ----------
    Steihaug (1983), SIAM J. Numer. Anal. 20; Nocedal & Wright (2006), algorithms 7.1 and 7.2;
    Conn, Gould & Toint (2000), Trust-Region Methods, algorithm 7.5.1.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> method = hessx.TrustRegionMethod(hessx.TruncatedCG(check_every=4))
    >>> fun = lambda x: ((x - 1) ** 4).sum()
    >>> result = hessx.minimize(fun, np.zeros(3), jac=lambda x: 4 * (x - 1) ** 3, method=method,
    ...                         hessp=lambda x, p: 12 * (x - 1) ** 2 * p)
    >>> result.success
    True
    """

    check_every: int = 1

    def __post_init__(self) -> None:
        check_integer("check_every", self.check_every, 1)

    def __call__(self, model: QuadraticModel) -> ModelStep:
        """Solve."""
        solve = _Solve(model) if self.check_every == 1 else BlockSolve(model, self.check_every)
        while solve.path.products < model.limit:
            if not solve.step():
                break
        return solve.finish()


class _Solve:
    """Rows p, s, (v), z, r, (u): one operation advances z, r and u by p, s and v."""

    def __init__(self, model: QuadraticModel) -> None:
        self.model, self.conditioned = model, model.precondition is not None
        self.path = Path(model, self._squares if self.conditioned else None)
        width = self.width = 3 if self.conditioned else 2
        self.rows = make_rows(model.space, 2 * width)
        self.z, self.r = width, width + 1
        self.u = width + 2 if self.conditioned else self.r
        self.rows.set(self.r, model.gradient)
        if self.conditioned:
            self.rows.set(self.u, model.precondition(model.gradient))  # type: ignore[misc]
        self.rows.set(_P, -self.rows[self.u])
        self.pairs = Pairs(model.space, model.collect) if model.collect else None

    def step(self) -> bool:
        """Take one CG step; False where the solve is over."""
        model, rows, path = self.model, self.rows, self.path
        rows.set(_S, model.product(rows[_P]))
        if self.conditioned:
            rows.set(2, model.precondition(rows[_S]))  # type: ignore[misc]
        r_r, r_u, p_s, r_s, s_s, s_u, s_v, before = self._measure()
        alpha = path.advance(r_u, p_s, s_s, before)
        if alpha != 0.0:
            add_scaled(rows, self.z, _P, self.width, alpha)
        if self.pairs is not None and p_s > 0.0:
            self.pairs.add(rows[_P], rows[_S])
        if path.outcome is not None:
            return False
        r_r_next = r_r + alpha * (2.0 * r_s + alpha * s_s)
        r_u_next = r_u + alpha * (2.0 * s_u + alpha * s_v) if self.conditioned else r_r_next
        refresh = path.wants_residual(path.steps - 1)
        if refresh:
            self._refresh()
        if refresh or path.is_rough(r_r, r_r_next, r_u, r_u_next):
            r_r_next, r_u_next = self._residual()
        beta = path.go_on(r_r_next, r_u_next)
        if beta is not None and model.watch():
            path.outcome = KrylovOutcome.STOPPED
        if path.outcome is not None:
            return False
        scale_and_subtract(rows, _P, beta, self.u)  # type: ignore[arg-type]
        return True

    def finish(self) -> ModelStep:
        """Hand out the step; H z = r - g."""
        z = self.model.space.copy(self.rows[self.z])  # the block is let go
        Hz = self.rows[self.r] - self.model.gradient
        bend = self.rows[_P] + 0.0 if self.path.bent else None
        return self.path.result(z, Hz, bend, self.pairs)

    def _measure(self) -> list[float]:
        """Bring the step's scalars, in one packet."""
        model, rows, r = self.model, self.rows, self.r
        with_s = rows.products(0, 2 * self.width, _S)
        with_r = rows.products(r, 2 * self.width, r)
        before = model.grad_square_before if self.path.products == 0 else None
        wanted = [with_s, with_r] if before is None else [with_s, with_r, before]
        (a, b, *rest), held = fetch(model.space, wanted, rows.kept())
        rows.replace(list(held))
        s_v = float(a[2])
        return [
            float(b[0]), float(b[-1]), float(a[_P]), float(a[r]), float(a[_S]), float(a[self.u]),
            s_v, rest[0] if rest else 0.0,
        ]  # fmt: skip

    def _squares(self) -> tuple[float, float]:
        """Read z'z and p'p; one fetch, rarely."""
        z, p = self.rows[self.z], self.rows[_P]
        (z_z, p_p), _ = fetch(self.model.space, [z @ z, p @ p])
        return z_z, p_p

    def _residual(self) -> tuple[float, float]:
        """Read r'r and r'u themselves; one fetch."""
        rows = self.rows
        wanted = [rows.products(self.r, 2 * self.width, self.r)]
        (b,), held = fetch(self.model.space, wanted, rows.kept())
        rows.replace(list(held))
        return float(b[0]), float(b[-1])

    def _refresh(self) -> None:
        """Form r = g + H z anew; one product."""
        model, rows = self.model, self.rows
        rows.set(self.r, model.gradient + model.product(rows[self.z]))
        self.path.products += 1
        if self.conditioned:
            rows.set(self.u, model.precondition(rows[self.r]))  # type: ignore[misc]
