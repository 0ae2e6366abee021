"""How exactly a Newton equation is solved: forcing terms."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Forcing", "ForcingRule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcingRule:
    """eta = min(ceiling, max(floor, sqrt(norm(g) / norm(g0)))), the floor lower near the end."""

    ceiling: float = 0.5
    floor: float = 0.1
    last_floor: float = 1e-3
    power: float = 0.5

    def begin(self) -> Forcing:
        return Forcing(self)


@dataclass(slots=True)
class Forcing:
    rule: ForcingRule
    first: float = math.nan
    newton_steps: int = 0
    newtonian: bool = False

    def term(self, norm: float) -> float:
        rule = self.rule
        if math.isnan(self.first):
            self.first = norm
        floor = rule.last_floor if self.newtonian else rule.floor
        return min(rule.ceiling, max(floor, (norm / self.first) ** rule.power))

    def after(self, ratio: float, *, interior: bool) -> None:
        """The model is trusted once two steps in a row were interior and foretold."""
        good = interior and abs(ratio - 1.0) <= 0.1
        self.newton_steps = self.newton_steps + 1 if good else 0
        self.newtonian = self.newton_steps >= 2
