"""Truncated conjugate gradients with the scalars of several steps left on the device."""

from __future__ import annotations

from hessx._xp import Array, Packet, fetch, make_rows, plus_scaled, quiet
from hessx.core import PairRing
from hessx.krylov._damping import matrix_of
from hessx.krylov._model import KrylovOutcome, ModelStep, QuadraticModel
from hessx.krylov._path import Path

__all__ = ["BlockSolve"]


class BlockSolve:
    """k steps of textbook CG on the device, then one packet that tells what became of them.

    The k directions p and products s are rows; the host follows the path through the fetched
    scalars, stops where it ends, and moves z (and r, where the end lies inside the block) along as
    many rows, one after the other as single steps do.  Where a damped model has a preconditioner,
    k more rows are M^-1 p.
    """

    def __init__(self, model: QuadraticModel, k: int) -> None:
        self.model, self.k = model, k
        self.path = Path(model, None if model.precondition is None else self._squares)
        self.matrix = matrix_of(model, self.path)
        self.duals = 0 if self.matrix.dual is None else 2 * k  # where their rows start
        # p_0 .. p_k-1, s_0 .. s_k-1 and M^-1 p_0 .. M^-1 p_k-1
        self.rows = make_rows(model.space, (3 if self.duals else 2) * k)
        self.z = model.space.zeros(model.space.n)
        self.r = model.gradient
        u = self._conditioned(self.r)
        self.r_u = self.r @ u
        self.p = -u
        self.bend: Array = None
        self.taken: list[float] = []  # the steps along p of this block
        self.pairs = PairRing(model.space, model.collect) if model.collect else None
        self.rows.set(0, self.p)
        self.matrix.begin(self.p, self.r_u)

    def step(self) -> bool:
        """Take up to k CG steps; False where the solve is over."""
        model, path = self.model, self.path
        start = self.r
        packet = Packet(model.space)
        count, stopped = self._run(packet)
        if path.products == 0 and self.matrix.before is not None:
            packet.ask(before=self.matrix.before)
        self.rows.hold(packet)
        packet.hold(self, "p", "r", "z")
        packet.hold(self.matrix, "dual", "dual_sum")
        with quiet():  # a lazy library computes here
            numbers = packet.fetch()
        products = path.products + count
        taken = self._follow(count, numbers)
        path.products = products  # those beyond the end of the path too
        self.z = self._moved(self.z, 0)
        if self.duals:
            self.matrix.dual_sum = self._moved(self.matrix.dual_sum, self.duals)
        if path.outcome not in (None, KrylovOutcome.SOLVED) or len(taken) < count:
            self.r = self._moved(start, self.k)
        if path.outcome is None and path.renews():
            self._refresh(count - 1)
        if path.outcome is None and stopped:
            path.outcome = KrylovOutcome.STOPPED
        return path.outcome is None

    def finish(self) -> ModelStep:
        """Hand out the step; H z = r - g, the damping aside."""
        Hz = self.matrix.undamped_sum(self.r - self.model.gradient, self.z)
        return self.path.result(self.z, Hz, self.bend, self.pairs)

    def _run(self, packet: Packet) -> tuple[int, bool]:
        """Take the steps, and ask for r'u and the p's, r'r and r'u of each; gives their number."""
        model, rows, matrix = self.model, self.rows, self.matrix
        count = min(self.k, model.limit - self.path.products)
        r, r_u, stopped = self.r, self.r_u, False
        packet.ask(r_u=r_u)
        with quiet():  # past the end of the path anything may happen
            for j in range(count):
                rows.set(j, self.p)
                if self.duals:
                    rows.set(self.duals + j, matrix.dual)
                rows.set(self.k + j, matrix.product(rows[j]))
                p, s = rows[j], rows[self.k + j]
                p_s = p @ s
                r = r + s * (r_u / p_s)
                u = self._conditioned(r)
                r_r = r @ r
                r_u_next = r_r if u is r else r @ u
                beta = r_u_next / r_u
                self.p = p * beta - u
                matrix.redirect(beta, r)
                r_u = r_u_next
                packet.ask(**{f"p_s {j}": p_s, f"r_r {j}": r_r, f"r_u {j}": r_u})
                stopped = model.watch()
                if stopped or self.path.renews(j + 1):
                    count = j + 1
                    break
        self.r, self.r_u = r, r_u
        return count, stopped

    def _follow(self, count: int, numbers: dict[str, float]) -> list[float]:
        """Walk along the path on the host; gives the steps taken along p."""
        path = self.path
        taken = self.taken = []
        r_u, before = numbers["r_u"], numbers.get("before", 0.0)
        for j in range(count):
            p_s, r_u_next = numbers[f"p_s {j}"], numbers[f"r_u {j}"]
            alpha = path.advance(r_u, p_s, before)
            if path.outcome is KrylovOutcome.NONFINITE:
                break
            taken.append(alpha)
            if self.pairs is not None and path.bends_up(p_s):
                product = self.matrix.undamped(self.rows[self.k + j], self.rows[self.duals + j])
                self.pairs.add(self.rows[j], product)
            if path.bent:
                self.bend = self.rows[j] + 0.0
            over = path.outcome is not None or path.renews()
            if over or path.go_on(numbers[f"r_r {j}"], r_u_next) is None:
                break
            r_u = r_u_next
        return taken

    def _squares(self) -> tuple[float, float]:
        """Read z'z and p'p at the step that is looked at; one fetch, rarely."""
        z, p = self._moved(self.z, 0), self.rows[len(self.taken)]
        (z_z, p_p), _ = fetch(self.model.space, [z @ z, p @ p])
        return z_z, p_p

    def _moved(self, v: Array, start: int) -> Array:
        """Give v after this block's steps along the rows from ``start`` on."""
        for j, alpha in enumerate(self.taken):
            v = plus_scaled(self.model.space, v, self.rows[start + j], alpha)
        return v

    def _conditioned(self, r: Array) -> Array:
        return r if self.model.precondition is None else self.model.precondition(r)

    def _refresh(self, j: int) -> None:
        """Form r = g + H z anew, and turn p_j; one product and one fetch."""
        model, matrix = self.model, self.matrix
        r = model.gradient + matrix.product_of_sum(self.z)
        u = self._conditioned(r)
        squares = [r @ r, r @ u]
        (r_r, r_u), (self.z, self.r, u, self.r_u) = fetch(
            model.space, squares, [self.z, r, u, squares[1]]
        )
        self.path.products += 1
        beta = self.path.go_on(r_r, r_u)
        if beta is not None:
            self.p = self.rows[j] * beta - u
            if self.duals:
                matrix.dual = self.rows[self.duals + j]
                matrix.redirect(beta, self.r)
