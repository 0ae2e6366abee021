"""What can be done to a problem to see how a method bears it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hessx._xp import fetch, norm_inf, space_of
from hessx.operators import Pattern
from hessx.study.backends import Backend
from hessx.study.linear_maps import Diagonal, LinearMap, Permutation, Reflections
from hessx.study.posed import Posed
from hessx.study.records import PLAIN

__all__ = ["FEATURES", "Feature"]

_MOVED = 0.1  # of max(|x|, 1)
_NOISE = 1e-6  # of f, and of the largest entry of its gradient, at the start
_BITS = 20  # six digits
_SHARE = 0.02  # of evaluations that give NaN
_OCTAVES = 10  # of scales, up and down
_REFLECTIONS = 3


@dataclass(frozen=True)
class Feature:
    """A change of a problem.

    Attributes
    ----------
    name, about : str
        For names of runs, and for the report.
    apply : callable
        ``apply(posed, backend, seed)`` gives the changed problem.  Its ``truth`` is value and
        gradient of the given one; what is random is drawn anew with the same seed each time, in the
        order of the evaluations.
    """

    name: str
    about: str
    apply: Callable[[Posed, Backend, int], Posed]


def _plain(posed: Posed, *_: Any) -> Posed:
    return posed


def _start(posed: Posed, backend: Backend, seed: int) -> Posed:
    (x0,), _ = fetch(space_of(posed.x0), [posed.x0])
    draw = np.random.default_rng(seed).standard_normal(x0.shape)
    return replace(posed, x0=backend.asarray(x0 + _MOVED * np.maximum(np.abs(x0), 1.0) * draw))


def _noise(posed: Posed, backend: Backend, seed: int) -> Posed:
    rng, space = np.random.default_rng(seed), space_of(posed.x0)
    value, grad = posed.fun(posed.x0)
    (f, g), _ = fetch(space, [value, norm_inf(space, grad)])
    f_noise, g_noise = _NOISE * abs(f), _NOISE * g

    def fun(x: Any) -> tuple[Any, Any]:
        value, grad = posed.fun(x)
        draw = rng.standard_normal(space.n + 1)
        return value + f_noise * draw[0], grad + g_noise * backend.asarray(draw[1:])

    return _evaluated(posed, fun)


def _truncated(posed: Posed, backend: Backend, _: int) -> Posed:
    digits = 53 if backend.dtype == "float64" else 24
    split = 2.0 ** (digits - _BITS) + 1.0

    def rounded(x: Any) -> Any:  # Dekker (1971), (5.6): the leading bits
        c = split * x
        return c - (c - x)

    def fun(x: Any) -> tuple[Any, Any]:
        value, grad = posed.fun(x)
        return rounded(value), rounded(grad)

    return _evaluated(posed, fun)


def _nan(posed: Posed, _: Backend, seed: int) -> Posed:
    rng, state = np.random.default_rng(seed), {"begun": False}

    def fun(x: Any) -> tuple[Any, Any]:
        value, grad = posed.fun(x)
        lost = state["begun"] and rng.random() < _SHARE
        state["begun"] = True
        return (value + np.nan, grad + np.nan) if lost else (value, grad)

    return _evaluated(posed, fun)


def _permuted(posed: Posed, backend: Backend, seed: int) -> Posed:
    n = space_of(posed.x0).n
    order = np.random.default_rng(seed).permutation(n)
    pattern = posed.pattern
    if pattern is not None:
        where = order[pattern.rows], order[pattern.indices]
        pattern = Pattern.of(where, pattern.shape)
    return _in_other_variables(posed, Permutation(backend, order), pattern)


def _scaled(posed: Posed, backend: Backend, seed: int) -> Posed:
    n = space_of(posed.x0).n
    octaves = np.random.default_rng(seed).integers(-_OCTAVES, _OCTAVES + 1, n)
    return _in_other_variables(posed, Diagonal(backend, 2.0**octaves), posed.pattern)


def _rotated(posed: Posed, backend: Backend, seed: int) -> Posed:
    n = space_of(posed.x0).n
    draws = np.random.default_rng(seed).standard_normal((_REFLECTIONS, n))
    return _in_other_variables(posed, Reflections(backend, draws), None)


def _evaluated(posed: Posed, fun: Callable[[Any], tuple[Any, Any]]) -> Posed:
    """Change what evaluations give; the Hessian stays, and residuals and rows are not told."""
    return replace(posed, fun=fun, truth=posed.fun, residual=None, classes=None)


def _in_other_variables(posed: Posed, T: LinearMap, pattern: Pattern | None) -> Posed:
    """Minimise over z, where x = T z."""

    def fun(z: Any) -> tuple[Any, Any]:
        value, grad = posed.fun(T.forward(z))
        return value, T.adjoint(grad)

    def hess(z: Any) -> Callable[[Any], Any]:
        product = posed.hess(T.forward(z))
        return lambda v: T.adjoint(product(T.forward(v)))

    def constant_hessian() -> Any:
        by_rows = T.adjoint(posed.constant_hessian())  # type: ignore[misc]
        return T.adjoint(by_rows.T)  # H is symmetric

    def residual(z: Any) -> tuple[Any, Any]:
        r, J = posed.residual(T.forward(z))  # type: ignore[misc]
        if isinstance(J, tuple):
            jvp, vjp = J
            return r, (lambda v: jvp(T.forward(v)), lambda u: T.adjoint(vjp(u)))
        return r, T.adjoint(J)

    return replace(
        posed,
        fun=fun,
        x0=T.inverse(posed.x0),
        hess=hess,
        constant_hessian=None if posed.constant_hessian is None else constant_hessian,
        residual=None if posed.residual is None else residual,
        pattern=pattern,
        classes=None,
        truth=lambda z: posed.fun(T.forward(z)),
    )


FEATURES = {
    feature.name: feature
    for feature in (
        Feature(PLAIN, "the problem as it is", _plain),
        Feature("start", f"the start moved at random by {_MOVED:g} of max(|x|, 1)", _start),
        Feature(
            "noise",
            f"normal noise on f and g, {_NOISE:g} of f and of the largest entry of g at the start",
            _noise,
        ),
        Feature("truncated", f"f and g with their {_BITS} leading bits", _truncated),
        Feature("permuted", "variables in another order", _permuted),
        Feature("scaled", f"each variable in another unit, 2^-{_OCTAVES} to 2^{_OCTAVES}", _scaled),
        Feature(
            "rotated", f"{_REFLECTIONS} reflections at random planes: sparse no more", _rotated
        ),
        Feature("nan", f"NaN at {_SHARE:.0%} of the evaluations, never the first", _nan),
    )
}
