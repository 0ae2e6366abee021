"""fides: a trust region in the interior, with the exact Hessian or one that it learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hessx.study.metering import Meter
from hessx.study.peers.diary import Diary
from hessx.study.running import Solve

__all__ = ["bind_fides"]


def bind_fides(update: str, meter: Meter, options: Mapping[str, Any]) -> Solve:
    """Bind fides to a metered problem; without an update, with the exact Hessian of n products."""
    import logging

    import fides

    def solve(*, gtol: float, seconds: float, iterations: int) -> Any:
        diary, n = Diary(meter, gtol, seconds), len(meter.problem.x0)

        def fun(x: np.ndarray) -> tuple[Any, ...]:
            value, grad = diary.fun_and_grad(x)
            return (value, grad) if update else (value, grad, meter.dense(x))

        limits = {"fatol": 0.0, "frtol": 0.0, "xtol": 0.0, "gatol": 0.0, "grtol": 0.0}
        optimizer = fides.Optimizer(
            fun,
            ub=np.full(n, np.inf),
            lb=np.full(n, -np.inf),
            verbose=logging.CRITICAL,
            options={"maxiter": iterations, **limits, **options},
            hessian_update=getattr(fides, update)() if update else None,
        )
        return diary.run(lambda: optimizer.minimize(np.array(meter.problem.x0)))

    return solve
