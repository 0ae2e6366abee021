"""Truncated conjugate gradients with the scalars of several steps left on the device."""

from __future__ import annotations

import numpy as np

from hessx._xp import Array, fetch, make_rows, quiet
from hessx.krylov._model import KrylovOutcome, ModelStep, Pairs, QuadraticModel
from hessx.krylov._path import Path

__all__ = ["BlockSolve"]


class BlockSolve:
    """k steps of textbook CG on the device, then one packet that tells what became of them.

    The k directions p and products s are rows; the host follows the path through the fetched
    scalars, stops where it ends, and forms z (and r, where the end lies inside the block) from as
    many rows.
    """

    def __init__(self, model: QuadraticModel, k: int) -> None:
        self.model, self.k = model, k
        self.path = Path(model, None if model.precondition is None else self._squares)
        self.rows = make_rows(model.space, 2 * k)  # p_0 .. p_k-1, s_0 .. s_k-1
        self.z: Array = None
        self.r = model.gradient
        u = self._conditioned(self.r)
        self.r_u = self.r @ u
        self.p = -u
        self.bend: Array = None
        self.taken: list[float] = []  # the steps along p of this block
        self.pairs = Pairs(model.space, model.collect) if model.collect else None

    def step(self) -> bool:
        """Take up to k CG steps; False where the solve is over."""
        model, path = self.model, self.path
        start, steps_before = self.r, path.steps
        count, stopped, scalars = self._run()
        before = model.grad_square_before if path.products == 0 else None
        wanted = scalars if before is None else [*scalars, before]
        kept = [*self.rows.kept(), self.p, self.r, *([] if self.z is None else [self.z])]
        values, held = fetch(model.space, wanted, kept)
        self._take_back(list(held))
        products = path.products + count
        taken = self._follow(count, values)
        path.products = products  # those beyond the end of the path too
        if taken:
            step = self.rows.combine(0, np.array(taken))
            self.z = step if self.z is None else self.z + step
        if path.outcome not in (None, KrylovOutcome.SOLVED) or len(taken) < count:
            self.r = start
            if taken:
                self.r = start + self.rows.combine(self.k, np.array(taken))
        if path.outcome is None and stopped:
            path.outcome = KrylovOutcome.STOPPED
        if path.outcome is None and path.wants_residual(steps_before):
            self._refresh()
        return path.outcome is None

    def finish(self) -> ModelStep:
        """Hand out the step; H z = r - g."""
        z = self.model.space.zeros(self.model.space.n) if self.z is None else self.z
        return self.path.result(z, self.r - self.model.gradient, self.bend, self.pairs)

    def _run(self) -> tuple[int, bool, list[Array]]:
        """Take the steps; gives their number and r'u first, then p's, r'r and r'u of each."""
        model, rows = self.model, self.rows
        count = min(self.k, model.limit - self.path.products)
        r, r_u, scalars = self.r, self.r_u, [self.r_u]
        stopped = False
        with quiet():  # past the end of the path anything may happen
            for j in range(count):
                rows.set(j, self.p)
                rows.set(self.k + j, model.product(rows[j]))
                p, s = rows[j], rows[self.k + j]
                p_s = p @ s
                r = r + s * (r_u / p_s)
                u = self._conditioned(r)
                r_r = r @ r
                r_u_next = r_r if u is r else r @ u
                self.p = p * (r_u_next / r_u) - u
                r_u = r_u_next
                scalars += [p_s, r_r, r_u]
                if model.watch():
                    count, stopped = j + 1, True
                    break
        self.r, self.r_u = r, r_u
        return count, stopped, scalars

    def _follow(self, count: int, values: list[float]) -> list[float]:
        """Walk along the path on the host; gives the steps taken along p."""
        path = self.path
        taken = self.taken = []
        r_u, before = values[0], values[-1] if len(values) > 1 + 3 * count else 0.0
        for j in range(count):
            p_s, r_r, r_u_next = values[1 + 3 * j : 4 + 3 * j]
            alpha = path.advance(r_u, p_s, before)
            if path.outcome is KrylovOutcome.NONFINITE:
                break
            taken.append(alpha)
            if self.pairs is not None and p_s > 0.0:
                self.pairs.add(self.rows[j], self.rows[self.k + j])
            if path.bent:
                self.bend = self.rows[j] + 0.0
            if path.outcome is not None or path.go_on(r_r, r_u_next) is None:
                break
            r_u = r_u_next
        return taken

    def _squares(self) -> tuple[float, float]:
        """Read z'z and p'p at the step that is looked at; one fetch, rarely."""
        z, p = self.z, self.rows[len(self.taken)]
        if self.taken:
            step = self.rows.combine(0, np.array(self.taken))
            z = step if z is None else z + step
        (z_z, p_p), _ = fetch(self.model.space, [0.0 if z is None else z @ z, p @ p])
        return z_z, p_p

    def _conditioned(self, r: Array) -> Array:
        return r if self.model.precondition is None else self.model.precondition(r)

    def _refresh(self) -> None:
        """Form r = g + H z anew; one product."""
        self.r = self.model.gradient + self.model.product(self.z)
        self.r_u = self.r @ self._conditioned(self.r)
        self.path.products += 1

    def _take_back(self, held: list[Array]) -> None:
        if self.z is not None:
            self.z = held.pop()
        self.r = held.pop()
        self.p = held.pop()
        self.rows.replace(held)
