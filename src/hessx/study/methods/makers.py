"""How methods are made of names, compositions and rules."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import hessx
from hessx.study.bindings import (
    bind_hessx,
    bind_inverse,
    bind_on_pattern,
    bind_squares,
    bind_whole,
)
from hessx.study.methods.method import Method
from hessx.study.posed import Known
from hessx.study.sampled import Sampled, bind_sampled

__all__ = [
    "LONG_N",
    "MATRIX_N",
    "along",
    "by_jacobian",
    "fixed",
    "given",
    "inverse",
    "looking",
    "of_squares",
    "on_pattern",
    "sampled",
    "whole",
    "within",
]

MATRIX_N = 300  # n^2 operations per step
LONG_N = 100  # n products and n^3 operations per step, or thousands of steps
_BESIDE_SAMPLES = ("lbfgs", "newton-cg")
_NUMPY = ("numpy",)


def given(
    name: str, title: str, method: Any = None, usual_n: float = math.inf, **settings: Any
) -> Method:
    """Take what ``hessx.minimize`` takes: its own name, with options, or a composition."""
    bind = partial(bind_hessx, name if method is None else method, settings)
    return Method(name, title, bind, usual_n=usual_n, usual_on_sums=name in _BESIDE_SAMPLES)


def inverse(name: str, alpha: float) -> Method:
    """Take fixed steps along the exact inverse."""
    title = f"exact inverse, alpha = {alpha:g}"
    return Method(name, title, partial(bind_inverse, alpha), needs=Known.CONSTANT_HESSIAN)


def along(
    name: str, title: str, A: hessx.Approximation, rule: hessx.StepRule, usual_n: float = math.inf
) -> Method:
    """Search along -A g."""
    return given(name, title, hessx.LineSearchMethod(A, rule), usual_n)


def within(
    name: str, title: str, B: hessx.Approximation, usual_n: float = math.inf, **parts: Any
) -> Method:
    """Minimise a model with B in a region."""
    return given(name, title, hessx.TrustRegionMethod(B, **parts), usual_n)


def looking(
    name: str,
    title: str,
    method: Any,
    usual_n: float = math.inf,
    smallest_n: int = 1,
    **settings: Any,
) -> Method:
    """Take what samples the Hessian at accepted points."""
    made = given(name, title, method, usual_n, **settings)
    return replace(made, smallest_n=smallest_n, usual_backends=_NUMPY)


def on_pattern(name: str, title: str, compose: Callable[[hessx.Pattern], Any]) -> Method:
    """Compose for the pattern of the problem's Hessian."""
    bind = partial(bind_on_pattern, compose)
    return Method(name, title, bind, needs=Known.PATTERN, usual_backends=_NUMPY)


def of_squares(name: str, title: str, method: Any, usual_n: float = math.inf) -> Method:
    """Take what is made for residuals."""
    bind = partial(bind_squares, method)
    return Method(name, title, bind, needs=Known.RESIDUAL, usual_n=usual_n, usual_backends=_NUMPY)


def by_jacobian(name: str, title: str, B: hessx.Approximation) -> Method:
    """Minimise a model with B, of residuals, exactly in a region."""
    method = hessx.TrustRegionMethod(B, hessx.MoreSorensen())
    return of_squares(name, title, method, LONG_N)


def fixed(name: str, title: str, rate: float) -> Method:
    """Take steps of one rate along -g."""

    def bind(meter: Any, options: Any) -> Any:
        rest = dict(options)
        rule = hessx.FixedStep(rest.pop("rate", rate))
        return bind_hessx(hessx.LineSearchMethod(hessx.Identity(), rule), {}, meter, rest)

    return Method(name, title, bind, rate=rate, usual_backends=_NUMPY)


def whole(name: str, title: str, rule: str, rate: float, **settings: Any) -> Method:
    """Take a stochastic method's rule on whole gradients."""
    bind = partial(bind_whole, rule, {"rate": rate, **settings})
    return Method(name, title, bind, rate=rate, usual_backends=_NUMPY)


def sampled(rule: Sampled) -> Method:
    """Take a stochastic method on the rows of a sum."""
    bind = partial(bind_sampled, rule)
    return Method(
        rule.name, rule.title, bind, needs=Known.ROWS, rate=rule.rate,
        usual_backends=_NUMPY, usual_on_sums=True,
    )  # fmt: skip
