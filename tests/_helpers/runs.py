"""Whole runs of every method and every way to ask for one, on any backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_compat as compat

import hessx
from _helpers.backends import Backend

__all__ = ["PRODUCTS", "RUNS", "bowl", "chained_rosenbrock", "matrix_of", "product_of"]

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


def _chained_product(x: Any, v: Any) -> Any:
    """The Hessian of `chained_rosenbrock` at x, times v."""
    xp = compat.array_namespace(x)
    head, tail = x[:-1], x[1:]
    zero = xp.zeros(1, dtype=x.dtype, device=compat.device(x))
    left = (1200.0 * (head * head) - 400.0 * tail + 2.0) * v[:-1] - 400.0 * (head * v[1:])
    right = 200.0 * v[1:] - 400.0 * (head * v[:-1])
    return xp.concat([left, zero]) + xp.concat([zero, right])


def _bowl_product(x: Any, v: Any) -> Any:
    """The Hessian of `bowl` at x, times v."""
    e = x - 1.0
    return v + 6.0 * (e * e * v)


PRODUCTS: dict[Any, Callable[[Any, Any], Any]] = {
    chained_rosenbrock: _chained_product,
    bowl: _bowl_product,
}


def product_of(fun: Any) -> Callable[[Any, Any], Any]:
    """hessp of one of the functions here, or of an object that has it."""
    return fun.hessp if hasattr(fun, "hessp") else PRODUCTS[fun]


def matrix_of(fun: Any) -> Callable[[Any], Any]:
    """Hess of the same: a dense matrix, of products with the unit vectors."""
    product = product_of(fun)

    def hess(x: Any) -> Any:
        xp = compat.array_namespace(x)
        n = x.size if isinstance(x.size, int) else x.numel()
        unit = xp.eye(n, dtype=x.dtype, device=compat.device(x))
        columns = [product(x, xp.reshape(unit[i, :], x.shape)) for i in range(n)]
        return xp.stack([xp.reshape(column, (n,)) for column in columns])

    return hess


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


def _second_order(method: Any, fun: Any = chained_rosenbrock, **settings: Any) -> Any:
    return _minimize(fun, method=method, **({"hessp": PRODUCTS[fun]} | settings))


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
    "newton-cg": _second_order("newton-cg"),
    "trust-ncg": _second_order("trust-ncg"),
    "newton-cg, check_every": _second_order("newton-cg", options={"check_every": 3}),
    "trust-ncg, check_every": _second_order("trust-ncg", options={"check_every": 3}),
    "newton-cg, jacobi": _second_order(
        "newton-cg",
        hessp=None,
        hess=matrix_of(bowl),
        fun=bowl,
        options={"preconditioner": "jacobi"},
    ),
    "trust-ncg, pairs": _second_order("trust-ncg", options={"preconditioner": "pairs"}),
    "trust-ncg, differences": _second_order("trust-ncg", bowl, hessp=None),
}
