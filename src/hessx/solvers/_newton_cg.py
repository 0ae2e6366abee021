"""Newton directions by conjugate gradients, for line searches."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import Any

from hessx._xp import Array, Space
from hessx.globalization import ForcingRule
from hessx.hessians import Needs, VectorMemory
from hessx.krylov import KrylovOutcome, ModelStep, QuadraticModel, steihaug

__all__ = ["NewtonCG"]


class NewtonMemory(VectorMemory):
    __slots__ = ("fallback", "forcing", "hessian", "length", "model_step", "part")

    def __init__(self, space: Space, scale: Array | None, part: NewtonCG, needs: Needs, length) -> None:
        super().__init__(space, scale, pairs=needs.pair)
        self.part = part
        self.forcing = part.forcing.begin()
        self.hessian: Any = None
        self.model_step: ModelStep | None = None
        self.fallback = False
        self.unit_step = True
        self.length = length

    @property
    def needs_hessian(self) -> bool:
        return self.hessian is None and not self.fallback

    def linearise(self, hessian):
        self.hessian = hessian

    def direct(self) -> None:
        self.unit_step = not self.fallback
        if self.fallback:
            self.model_step = None
            self.turn(-self.g, -self.grad_square)
            return
        norm = math.sqrt(self.grad_square)
        n = self.space.n
        model = QuadraticModel(
            self.space, self._product, self.g, self.grad_square, self.forcing.term(norm) * norm,
            self.part.max_products or min(max(2 * n, 50), 200), math.inf, reach=self.length,
        )
        p = self.model_step = steihaug(model)
        if not -math.inf < p.slope < 0.0:
            self.turn(-self.g, -self.grad_square)
            self.unit_step = False
            return
        self.turn(p.step, p.slope)

    def _product(self, v):
        if self.scale is None:
            return self.hessian(v)
        return self.hessian(v * self.scale) * self.scale

    def take(self) -> str:
        p = self.model_step
        if p is not None:
            ratio = -0.5 * (self.start_slope + self.slope) / p.decrease
            newton = p.outcome in (KrylovOutcome.SOLVED, KrylovOutcome.STAGNATED)
            self.forcing.after(ratio, interior=newton and self.alpha == 1.0)
        self.length = abs(self.alpha) * math.sqrt(self.d_square)
        super().take()
        self.hessian, self.fallback = None, False
        return ""

    def drop(self) -> bool:
        had, self.fallback = not self.fallback, True
        return had


@dataclass(frozen=True, slots=True, kw_only=True)
class NewtonCG:
    forcing: ForcingRule = field(default_factory=ForcingRule)
    max_products: int | None = None
    second_order = True

    def remember(self, space: Space, scale: Array | None, needs: Needs) -> NewtonMemory:
        return NewtonMemory(space, scale, self, needs, 1.0)
