"""Methods of hessx, and functions that solve, bound to metered problems."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import hessx
from hessx._xp import fetch, norm_inf, space_of
from hessx.core import Counts, Record
from hessx.study.metering import Meter
from hessx.study.running import NO_LIMIT, Solve

__all__ = [
    "bind_function",
    "bind_hessx",
    "bind_inverse",
    "bind_on_pattern",
    "bind_squares",
    "bind_whole",
]

_Options = Mapping[str, Any]


def bind_hessx(method: Any, settings: _Options, meter: Meter, options: _Options) -> Solve:
    """Bind a name or a composition, with the problem's Hessian."""
    # "auto" means the choice for a gradient alone; who needs no Hessian leaves it where it is
    hess = None if isinstance(method, str) and method.lower() == "auto" else meter.hess
    method = "auto" if method == "auto-products" else method

    def solve(*, gtol: float, seconds: float, iterations: int) -> Any:
        return hessx.minimize(
            meter.fun_and_grad, meter.problem.x0, method=method, jac=True, hess=hess,
            bounds=meter.problem.bounds,
            options={**_limits(gtol, iterations), **settings, **options},
            max_seconds=seconds, history=True,
        )  # fmt: skip

    return solve


def bind_squares(method: Any, meter: Meter, options: _Options) -> Solve:
    """Bind a name or a composition that is made for residuals; J'J v counts as a product."""
    if meter.problem.residual is None:
        msg = "the problem is no sum of squares"
        raise ValueError(msg)
    squares = hessx.SumOfSquares(meter.residual, jac=True)
    meter.elsewhere = squares.counts

    def solve(*, gtol: float, seconds: float, iterations: int) -> Any:
        try:
            return hessx.minimize(
                squares, meter.problem.x0, method=method, bounds=meter.problem.bounds,
                options={**_limits(gtol, iterations), **options},
                max_seconds=seconds, history=True,
            )  # fmt: skip
        finally:
            meter.products, meter.elsewhere = meter.products + squares.counts.products, Counts()

    return solve


def bind_on_pattern(
    compose: Callable[[hessx.Pattern], Any], meter: Meter, options: _Options
) -> Solve:
    """Bind what is composed of a pattern to the problem's."""
    if meter.problem.pattern is None:
        msg = "the problem does not say where its Hessian has entries"
        raise ValueError(msg)
    return bind_hessx(compose(meter.problem.pattern), {}, meter, options)


def bind_inverse(alpha: float, meter: Meter, options: _Options) -> Solve:
    """Bind fixed steps along the exact inverse."""
    if meter.problem.constant_hessian is None:
        msg = "the problem has no constant Hessian to invert"
        raise ValueError(msg)
    curvature = hessx.ExactInverse(meter.problem.constant_hessian())
    method = hessx.LineSearchMethod(curvature, hessx.FixedStep(alpha))
    return bind_hessx(method, {}, meter, options)


def bind_whole(rule: str, settings: _Options, meter: Meter, options: _Options) -> Solve:
    """Bind a stochastic method's rule to the whole: a sum of one row, sampled at each step.

    The gradient's test is made at each step, which stochastic methods leave for the end.
    """
    space = space_of(meter.problem.x0)

    def solve(*, gtol: float, seconds: float, iterations: int) -> Any:
        history, began = hessx.History(), time.perf_counter()

        def fun(x: Any, _: Any) -> tuple[Any, Any]:
            value, grad = meter.fun_and_grad(x)
            (f, size), _ = fetch(space, [value, norm_inf(space, grad)])
            elapsed = time.perf_counter() - began
            history.append(Record(len(history), meter.evaluations, elapsed, f, size))
            if size <= gtol:
                raise _ReachedError(x, size)
            return value, grad

        one_row = space.xp.zeros(1, dtype=space.dtype, device=space.device)
        try:
            result: Any = hessx.minimize(
                hessx.FiniteSum(fun, (one_row,), jac=True), meter.problem.x0, method=rule,
                max_seconds=seconds,
                options={**settings, **options, "epochs": iterations, "batch_size": 1},
            )  # fmt: skip
        except _ReachedError as reached:
            x, size = reached.args
            result = SimpleNamespace(
                x=x, nit=len(history) - 1, success=True, outcome=hessx.Outcome.CONVERGED_GRADIENT,
                message=f"gradient norm {size:.3g} <= {gtol:g}",
            )  # fmt: skip
        result.history = history
        return result

    return solve


class _ReachedError(Exception):
    """The gradient's test holds: x, and its norm."""


def bind_function(function: Callable[..., Any], meter: Meter, options: _Options) -> Solve:
    """Bind a function that solves."""
    if meter.problem.bounds is not None:
        msg = f"{function!r} is a function of fun and x0: it cannot be given the problem's bounds"
        raise ValueError(msg)

    def solve(*, gtol: float, seconds: float, **_: int) -> Any:
        return function(meter.fun_and_grad, meter.problem.x0, gtol=gtol, seconds=seconds, **options)

    return solve


def _limits(gtol: float, iterations: int) -> dict[str, Any]:
    return {"gtol": gtol, "ftol": 0.0, "xtol": 0.0, "maxiter": iterations, "maxfun": NO_LIMIT}
