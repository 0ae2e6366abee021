"""Structured approximations of sums of squares: a step, an application, and whole fits, counted."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np

import hessx
from benchmarks.libraries import EAGER, library, wait
from hessx._xp import Packet, space_of, under
from hessx.core import Counts, Frame, Offer, Pair
from hessx.hessians import Approximation
from hessx.objectives import ResidualAt, dense_jacobian

SMALL = 1_000  # variables, and twice as many residuals
SETTINGS: dict[str, Approximation] = {
    "SSM": hessx.SSM(fall=1.0),
    "TSSM": hessx.TSSM(fall=1.0),
    "GNSBFGS": hessx.GNSBFGS(fall=1.0),
    "FX": hessx.FX(),
}


class Step:
    """To and fro between two points, with a pair that is learnt each time."""

    params: Any = (EAGER, list(SETTINGS), [SMALL])
    param_names = ("library", "approximation", "n")

    def setup(self, name: str, kind: str, n: int) -> None:
        backend, rng = library(name), np.random.default_rng(7)
        s, J = rng.standard_normal(n), rng.standard_normal((2 * n, n))
        r = rng.standard_normal(2 * n)
        bend = np.outer(r, s) / (s @ s) / 10.0  # s'(J+ - J)'r > 0
        self.v = backend.asarray(s)
        self.space = space = space_of(self.v)
        self.points = [
            ResidualAt(
                space, backend.asarray(r), dense_jacobian(space, backend.asarray(M)), Counts()
            )
            for M in (J, J + bend)
        ]
        y = backend.asarray((J + bend).T @ r - J.T @ r)
        self.steps = [(-self.v, -y), (self.v, y)]  # to the first, and to the second
        self.curvature = SETTINGS[kind].begin(Frame(space))
        self.curvature.focus(Offer.DENSE)
        self.to = 0
        self.arrive()
        for _ in range(2):
            self.step()

    def arrive(self) -> None:
        self.curvature.at(self.points[self.to])
        self.curvature.prepare()
        wait(self.curvature.matvec(self.v))

    def step(self) -> str:
        self.to = 1 - self.to
        pair, packet = Pair(*self.steps[self.to]), Packet(self.space)
        packet.ask_products(s_y=(pair.s, pair.y), y_y=(pair.y, pair.y), s_s=(pair.s, pair.s))
        self.curvature.measure(pair, packet.under("B: "))
        self.curvature.hold(packet)
        numbers = packet.fetch()
        pair.s_y, pair.y_y, pair.s_s = numbers["s_y"], numbers["y_y"], numbers["s_s"]
        pair.numbers = under(numbers, "B: ")
        note = self.curvature.update(pair)
        self.curvature.leave()
        self.arrive()
        return note


class Update(Step):
    """A step: J'J, what is learnt, and the first product."""

    def time_update(self, name: str, kind: str, n: int) -> None:
        self.step()


class Apply(Step):
    """B v."""

    def time_apply(self, name: str, kind: str, n: int) -> None:
        wait(self.curvature.matvec(self.v))


class Peak(Step):
    """Memory of a step, in matrices of n^2 numbers, without the Jacobians of two points."""

    params = (["numpy"], list(SETTINGS), [SMALL])

    def track_peak_matrices(self, name: str, kind: str, n: int) -> float:
        tracemalloc.start()
        self.step()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak / (8 * n * n)

    track_peak_matrices.unit = "matrices"  # type: ignore[attr-defined]


def rational() -> tuple[hessx.SumOfSquares, np.ndarray]:
    """A quotient of polynomials through data that it does not fit: residuals stay large."""
    t = np.linspace(-3.0, 3.0, 40)
    y = 100.0 * np.tanh(t) + 40.0 * np.cos(4.0 * t)

    def residual(x: np.ndarray) -> np.ndarray:
        return (x[0] + x[1] * t + x[2] * t**2) / (1.0 + x[3] * t**2) - y

    def jacobian(x: np.ndarray) -> np.ndarray:
        below = 1.0 + x[3] * t**2
        bend = -(x[0] + x[1] * t + x[2] * t**2) * t**2 / below**2
        return np.stack([1.0 / below, t / below, t**2 / below, bend], axis=1)

    return hessx.SumOfSquares(residual, jacobian), np.array([1.0, 10.0, 1.0, 1.0])


class Runs:
    """Whole fits: evaluations and fetches."""

    params = (["GaussNewton", *SETTINGS],)
    param_names = ("approximation",)

    def run(self, kind: str) -> hessx.Result:
        squares, start = rational()
        B = type(SETTINGS[kind])() if kind in SETTINGS else hessx.GaussNewton(dense=True)
        method = hessx.TrustRegionMethod(B, hessx.MoreSorensen())
        return hessx.minimize(squares, start, method=method, tol=1e-8)

    def track_evaluations(self, kind: str) -> int:
        return self.run(kind).nfev

    def track_fetches(self, kind: str) -> int:
        with hessx._xp.record_fetches() as ledger:
            self.run(kind)
        return ledger.fetches
