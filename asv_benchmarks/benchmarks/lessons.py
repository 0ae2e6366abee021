"""What a run shows an approximation: pairs, the Hessian, and a vector to multiply."""

from __future__ import annotations

from typing import Any

import numpy as np

from hessx._xp import Array, Packet
from hessx.core import Counts, Frame, Offer, Pair, PairRing
from hessx.hessians import Approximation, Curvature
from hessx.objectives import HessianAt
from hessx.operators import DenseOperator, DiagonalOperator
from hessx.study.backends import Backend

__all__ = ["PAIRS", "Lessons"]

PAIRS = 10  # memory of limited ones, and of a solve that collects
_SHIFTS = 1_000
_MATRIX = 10_000  # variables at most


class Lessons:
    """Pairs without end, from two vectors: s is a window of noise, and y that of T noise.

    T = tridiag(-1, 2.5, -1), so that y = T s but at both ends, and s'y > 0.

    Parameters
    ----------
    backend : Backend
        Where they live.
    frame : Frame
        Of n variables.
    hessian : bool
        Whether that is wanted too.
    """

    def __init__(self, backend: Backend, frame: Frame, *, hessian: bool) -> None:
        n = frame.space.n
        noise = np.random.default_rng(7).standard_normal(n + _SHIFTS)
        changed = 2.5 * noise
        changed[1:] -= noise[:-1]
        changed[:-1] -= noise[1:]
        self.frame, self.shift = frame, 0
        self.steps, self.changes = backend.asarray(noise), backend.asarray(changed)
        self.v = self.steps[_SHIFTS:]
        self.hessian = self._hessian(backend) if hessian else None

    def _hessian(self, backend: Backend) -> HessianAt:
        """Give a matrix with few variables, else a diagonal."""
        n = self.frame.space.n
        diagonal = np.linspace(1.0, 2.0, n)
        operator: Any = DiagonalOperator(backend.asarray(diagonal))
        if n <= _MATRIX:
            operator = DenseOperator(backend.asarray(np.diag(diagonal) + 1.0 / n))
        return HessianAt(self.frame.space, operator.matvec, Counts(), 1.0, operator)

    def begin(self, approximation: Approximation, needs: Offer) -> Curvature:
        """Begin a run, which asks for one product at each step; the first Hessian is there."""
        curvature = approximation.begin(self.frame)
        curvature.focus(needs)
        if self.hessian is not None:
            curvature.at(self.hessian)
        curvature.prepare()
        return curvature

    def pair(self) -> tuple[Array, Array]:
        """Give the next s and y."""
        self.shift = (self.shift + 1) % _SHIFTS
        window = slice(self.shift, self.shift + self.frame.space.n)
        return self.steps[window], self.changes[window]

    def teach(self, curvature: Curvature) -> str:
        """Do what a trial does: one packet, with the products that it has anyway, and the pair."""
        if curvature.collect:
            return self._collect(curvature)
        s, y = self.pair()
        found, packet = Pair(s, y), Packet(self.frame.space)
        packet.ask(s_y=s @ y, y_y=y @ y, s_s=s @ s)
        curvature.measure(found, packet)
        curvature.hold(packet)
        found.numbers = numbers = packet.fetch()
        found.s_y, found.y_y, found.s_s = numbers["s_y"], numbers["y_y"], numbers["s_s"]
        return curvature.update(found)

    def _collect(self, curvature: Curvature) -> str:
        """Do what a solve does: it hands over its last pairs."""
        ring = PairRing(self.frame.space, curvature.collect)
        for _ in range(curvature.collect):
            ring.add(*self.pair())
        curvature.collected(ring)
        return ""
