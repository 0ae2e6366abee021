"""Runs that are put down after any evaluation of f, and taken up."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import array_api_compat as compat
import numpy as np

import hessx
from _helpers.runs import chained_rosenbrock
from _helpers.solvers import LEARNING, MEMORY, SOLVERS

__all__ = [
    "DENSE",
    "METHODS",
    "SECOND_ORDER",
    "START",
    "StoppedError",
    "product",
    "put_down",
    "run",
    "taken_up",
    "trail",
]

START = np.array([-1.2, 1.0, 0.8, 0.5, 1.5, 0.0, -0.7])  # odd: rows of a block differ in alignment
LIMIT = 24

SECOND_ORDER = {
    "newton-cg": hessx.LineSearchMethod(hessx.NewtonCG(), hessx.HagerZhang()),
    "newton-cg, pairs": hessx.LineSearchMethod(
        hessx.NewtonCG(preconditioner="pairs"), hessx.Armijo()
    ),
    "trust region": hessx.TrustRegionMethod(),
    "trust region, pairs": hessx.TrustRegionMethod(preconditioner="pairs"),
    "trust region, GLTR": hessx.TrustRegionMethod(subproblem=hessx.GLTR()),
    "damped, pairs": hessx.TrustRegionMethod(region=hessx.NielsenRule(), preconditioner="pairs"),
    "arc": hessx.TrustRegionMethod(subproblem=hessx.GLTR(), region=hessx.CubicRule()),
    "trust region, scaled": hessx.TrustRegionMethod(x_scale=[1.0, 2.0, 1.0, 0.5, 1.0, 2.0, 1.0]),
}
# of second order too, and for short vectors; with settings that make runs longer
_EXACT, _NEWTON = hessx.Exact(dense=True), hessx.Newton(floor=0.1)
DENSE = {
    "newton": hessx.LineSearchMethod(_NEWTON, hessx.HagerZhang()),
    "newton, cholesky": hessx.LineSearchMethod(
        hessx.Newton("cholesky", floor=0.1), hessx.HagerZhang()
    ),
    "trust region, exact": hessx.TrustRegionMethod(
        _EXACT, hessx.MoreSorensen(), hessx.RadiusRule(largest=0.25)
    ),
    "damped, exact": hessx.TrustRegionMethod(_EXACT, hessx.MoreSorensen(), hessx.NielsenRule()),
    "trust region, dogleg": hessx.TrustRegionMethod(_NEWTON, hessx.Dogleg()),
}
# with a shorter step where Rosenbrock's function needs one
METHODS = (
    SOLVERS
    | {
        "fixed": hessx.LineSearchMethod(hessx.Identity(), hessx.FixedStep(1e-3)),
        "decaying": hessx.LineSearchMethod(hessx.Identity(), hessx.DecayingStep(1e-3)),
        "inverse": hessx.LineSearchMethod(hessx.ExactInverse(2e2 * np.eye(7)), hessx.HagerZhang()),
        "damped": hessx.LineSearchMethod(hessx.LBFGS(memory=MEMORY, damping=0.2), hessx.Armijo()),
        "scaled": hessx.LineSearchMethod(
            hessx.LBFGS(memory=3), hessx.MoreThuente(), [1.0, 2.0, 1.0, 0.5, 1.0, 3.0, 1.0]
        ),
    }
    | SECOND_ORDER
    | DENSE
    | LEARNING
)


class StoppedError(Exception):
    """f gives up, as a program that is ended does."""


def product(x: Any, v: Any) -> Any:
    """H v of the chained Rosenbrock function."""
    xp = compat.array_namespace(x)
    zero = xp.zeros(1, dtype=x.dtype, device=compat.device(x))
    head, tail = x[:-1], x[1:]
    corner = -400.0 * head
    diagonal = xp.concat([1200.0 * head * head - 400.0 * tail + 2.0, zero])
    diagonal = diagonal + xp.concat([zero, head * 0.0 + 200.0])
    return diagonal * v + xp.concat([corner * v[1:], zero]) + xp.concat([zero, corner * v[:-1]])


def run(x0: Any, name: str, *, stop_after: int | None = None, **settings: Any) -> hessx.Result:
    """Minimise, as far as evaluation ``stop_after``."""
    calls = 0

    def fun(x: Any) -> Any:
        nonlocal calls
        if calls == stop_after:
            raise StoppedError
        calls += 1
        return chained_rosenbrock(x)

    settings = {"options": {"maxfun": LIMIT}, "history": True} | settings
    if "method" not in settings:
        settings["method"] = METHODS[name]
    return hessx.minimize(fun, x0, jac=True, hessp=product, **settings)


def put_down(x0: Any, name: str, evaluations: int, folder: Path, **settings: Any) -> bytes:
    """Give the checkpoint of a run whose f gives up after so many evaluations."""
    path = folder / "run.hessx"
    try:
        run(x0, name, stop_after=evaluations, checkpoint=path, checkpoint_every=1e9, **settings)
    except StoppedError:
        return path.read_bytes()
    raise AssertionError(f"the run ended before evaluation {evaluations}")


def trail(result: hessx.Result, to_numpy: Callable[[Any], np.ndarray] = np.asarray) -> list[Any]:
    """All that two runs must have in common, but for the time: bits and numbers."""
    history = result.history
    return [
        to_numpy(result.x).tobytes().hex(),
        to_numpy(result.jac).tobytes().hex(),
        result.fun,
        [result.nit, result.nfev, result.njev, result.nhev],
        result.message,
        *(repr(history[name]) for name in ("evaluations", "value", "grad_norm", "alpha", "cosine")),
    ]


def taken_up(data: bytes, x0: Any, name: str, **settings: Any) -> hessx.Result:
    """Finish the run of a checkpoint."""
    return run(x0, name, resume=hessx.load(io.BytesIO(data)), **settings)
