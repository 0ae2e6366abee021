"""Whole runs of every method and every way to ask for one, on any backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_compat as compat

import hessx
from _helpers.backends import Backend

__all__ = ["RUNS", "chained_rosenbrock"]

N = 6


def chained_rosenbrock(x: Any) -> tuple[Any, Any]:
    """Sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2, and its gradient; minimum 0 at ones."""
    xp = compat.array_namespace(x)
    head, tail = x[:-1], x[1:]
    a, b = tail - head * head, 1.0 - head
    zero = xp.zeros(1, dtype=x.dtype, device=compat.device(x))
    left = xp.concat([-400.0 * (a * head) - 2.0 * b, zero])
    right = xp.concat([zero, 200.0 * a])
    return 100.0 * (a @ a) + b @ b, left + right


def bowl(x: Any) -> tuple[Any, Any]:
    """Half of sum (x - 1)^2 + (x - 1)^4 and its gradient; minimum 0 at ones, any shape."""
    xp = compat.array_namespace(x)
    e = x - 1.0
    square = e * e
    return 0.5 * xp.sum(square + square * square), e + 2.0 * (square * e)


def _value(x: Any) -> Any:
    return bowl(x)[0]


def _gradient(x: Any) -> Any:
    return bowl(x)[1]


def _negative(x: Any) -> tuple[Any, Any]:
    value, grad = bowl(x)
    return -value, -grad


def _from(backend: Backend) -> Any:
    return backend.asarray([-1.2, 1.0, 0.8, 0.5, 1.5, 0.0])


def _minimize(fun: Any = bowl, **settings: Any) -> Callable[[Backend], Any]:
    """Few iterations: these runs show what is asked of a library, not where they end."""
    settings = {"jac": True} | settings
    settings["options"] = {"maxiter": 5} | settings.get("options", {})
    return lambda backend: hessx.minimize(fun, _from(backend), **settings)


def _composed(curvature: Any, rule: Any, **options: Any) -> Callable[[Backend], Any]:
    return _minimize(method=hessx.LineSearchMethod(curvature, rule), options=options)


def _scaled(backend: Backend) -> Any:
    scale = backend.asarray([1.0, 2.0, 4.0, 1.0, 2.0, 4.0])
    return hessx.minimize(bowl, _from(backend), jac=True, x_scale=scale)


def _warm(backend: Backend) -> Any:
    first = hessx.minimize(bowl, _from(backend), jac=True, options={"maxiter": 3})
    again = {"hess_inv0": first.hess_inv}
    return hessx.minimize(bowl, first.x, jac=True, options=again)


def _diagonal(backend: Backend) -> Any:
    diagonal = backend.asarray([1.0, 0.5, 1.0, 0.5, 1.0, 0.5])
    return hessx.minimize(bowl, _from(backend), jac=True, options={"hess_inv0": diagonal})


def _exact(backend: Backend) -> Any:
    hessian = [[float(i == j) for j in range(N)] for i in range(N)]
    method = hessx.LineSearchMethod(hessx.ExactInverse(hessian), hessx.HagerZhang())
    return hessx.minimize(bowl, _from(backend), jac=True, method=method)


def _matrix(backend: Backend) -> Any:
    x0 = backend.asarray([[-1.2, 1.0, 0.8], [0.5, 1.5, 0.0]])
    return hessx.minimize(bowl, x0, jac=True)


RUNS: dict[str, Callable[[Backend], Any]] = {
    "lbfgs": _minimize(chained_rosenbrock, method="lbfgs"),
    "L-BFGS-B": _minimize(chained_rosenbrock, method="L-BFGS-B", tol=1e-4),
    "cg": _minimize(chained_rosenbrock, method="cg"),
    "gd": _minimize(method="gd"),
    "more-thuente": _composed(hessx.LBFGS(), hessx.MoreThuente()),
    "damped": _composed(hessx.LBFGS(damping=0.2), hessx.Armijo()),
    "polak-ribiere": _minimize(method="cg", options={"beta": "pr+"}),
    "fixed": _composed(hessx.Identity(), hessx.FixedStep(0.1)),
    "decaying": _composed(hessx.Identity(), hessx.DecayingStep(0.2)),
    "barzilai-borwein": _composed(hessx.Identity(), hessx.BarzilaiBorwein()),
    "separate jac": _minimize(_value, jac=_gradient),
    "2-point": _minimize(_value, jac="2-point"),
    "3-point": _minimize(_value, jac="3-point"),
    "observed": _minimize(history=True, callback=lambda x: None),
    "maximize": _minimize(_negative, maximize=True),
    "array x_scale": _scaled,
    "warm start": _warm,
    "diagonal start": _diagonal,
    "exact inverse": _exact,
    "matrix": _matrix,
}
