"""All that a trust-region method has between two evaluations."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from hessx._xp import Array, Space
from hessx.core import Outcome, Point, Request
from hessx.globalization import Forcing, Region
from hessx.krylov import ModelStep

__all__ = ["TrustRegionState"]


@dataclass(slots=True)
class TrustRegionState:
    space: Space
    scale: Array | None
    request: Request
    region: Region
    forcing: Forcing
    hessian: Any = None
    model_step: ModelStep | None = None
    grad: Array = None  # in x / x_scale
    grad_square: float = math.nan
    point: Point = field(init=False)
    first: Point = field(init=False)
    best: Point | None = None
    value_before: float = math.nan
    started: bool = False
    rejections: int = 0
    iteration: int = 0
    accepted: bool = False
    alpha: float = math.nan
    step_norm: float = math.nan
    scaled_step_norm: float = math.nan
    trials: int = 0
    turns: bool = False
    old_p: Array = None
    cosine: float = math.nan
    note: str = ""
    trouble: tuple[Outcome, str] | None = None

    @property
    def needs_hessian(self) -> bool:
        return self.started and self.hessian is None
