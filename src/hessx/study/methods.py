"""The methods of a study, by names that another process can look up."""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import hessx
from hessx.core import Record
from hessx.study.problems import Posed, Problem

__all__ = ["METHODS", "Method", "Solve", "find_method", "suits"]

# solve(fun, x0, gtol=, seconds=) with fun(x) -> (value, gradient); gives an object with x and, as
# far as it has them, outcome, message, nit, nfev, njev and history, as `hessx.minimize` does.
Solve = Callable[..., Any]


@dataclass(frozen=True)
class Method:
    """A way to minimise.

    Attributes
    ----------
    title : str
        For the report.
    bind : callable
        ``bind(posed)`` gives a `Solve` for a problem.
    needs_hessian : bool
        Whether it is meant for problems with a known constant Hessian only.
    backends : tuple of str
        Where it runs; empty for everywhere.
    package : str
        What has to be installed.
    """

    title: str
    bind: Callable[[Posed], Solve]
    needs_hessian: bool = False
    backends: tuple[str, ...] = ()
    package: str = "hessx"


def _composed(title: str, curvature: Any, rule: Any) -> Method:
    return Method(title, lambda _: _solve_with(hessx.LineSearchMethod(curvature, rule)))


def _inverse(alpha: float) -> Method:
    def bind(posed: Posed) -> Solve:
        if posed.hessian is None:
            msg = "the problem has no constant Hessian to invert"
            raise ValueError(msg)
        curvature = hessx.ExactInverse(posed.hessian())
        return _solve_with(hessx.LineSearchMethod(curvature, hessx.FixedStep(alpha)))

    return Method(f"exact inverse, alpha = {alpha:g}", bind, needs_hessian=True)


def _solve_with(composition: Any) -> Solve:
    def solve(fun: Callable[..., Any], x0: Any, *, gtol: float, seconds: float) -> Any:
        return hessx.minimize(
            fun, x0, method=composition, jac=True, tol=gtol, max_seconds=seconds, history=True
        )

    return solve


def _bind_scipy(_: Posed) -> Solve:
    """SciPy's L-BFGS-B with its default memory, 10, and only the gradient test."""
    from scipy.optimize import minimize

    def solve(fun: Callable[..., Any], x0: np.ndarray, *, gtol: float, seconds: float) -> Any:
        diary = _Diary(fun, seconds)
        options = {"maxcor": 10, "gtol": gtol, "ftol": 0.0, "maxiter": 15000, "maxfun": 10**6}
        result = minimize(
            diary, x0, jac=True, method="L-BFGS-B", callback=diary.write, options=options
        )
        result.history = diary.history
        return result

    return solve


class _Diary:
    """The history of a solver that keeps none: SciPy accepts the last point evaluated."""

    def __init__(self, fun: Callable[..., Any], seconds: float) -> None:
        self.fun, self.seconds, self.history = fun, seconds, hessx.History()
        self.began, self.evaluations = time.perf_counter(), 0

    def __call__(self, x: np.ndarray) -> tuple[Any, np.ndarray]:
        self.evaluations += 1
        self.value, self.grad = self.fun(x)
        if not len(self.history):
            self.write(x)
        return self.value, self.grad

    def write(self, _: Any) -> None:
        """Note an accepted point; ends the run when its time is up."""
        elapsed = time.perf_counter() - self.began
        grad_norm = float(np.abs(self.grad).max())
        self.history.append(
            Record(len(self.history), self.evaluations, elapsed, float(self.value), grad_norm)
        )
        if elapsed > self.seconds:
            raise StopIteration


METHODS: dict[str, Method] = {
    "gd": _composed("gradient descent, Hager-Zhang", hessx.Identity(), hessx.HagerZhang()),
    "bb": _composed("Barzilai-Borwein", hessx.Identity(), hessx.BarzilaiBorwein("short")),
    "cg": _composed("nonlinear CG, HS+", hessx.NonlinearCG(), hessx.HagerZhang(c2=0.1)),
    "cg-hz": _composed(
        "nonlinear CG, Hager-Zhang", hessx.NonlinearCG("hz"), hessx.HagerZhang(c2=0.1)
    ),
    "cg-pr+": _composed("nonlinear CG, PR+", hessx.NonlinearCG("pr+"), hessx.HagerZhang(c2=0.1)),
    "lbfgs": _composed(
        "L-BFGS, Hager-Zhang, memory 10 to 256 by n", hessx.LBFGS(), hessx.HagerZhang()
    ),
    "lbfgs-mt": _composed(
        "L-BFGS, More-Thuente, memory 10 to 256 by n", hessx.LBFGS(), hessx.MoreThuente()
    ),
    "scipy-lbfgsb": Method(
        "SciPy L-BFGS-B, memory 10", _bind_scipy, backends=("numpy",), package="scipy"
    ),
    "inverse-0.01": _inverse(0.01),
    "inverse-1": _inverse(1.0),
}


def suits(name: str, problem: Problem, backend: str) -> bool:
    """Tell whether a method is meant for a problem and runs on a backend here."""
    method = METHODS.get(name)
    if method is None:  # of the user's own
        return True
    return (
        (problem.has_hessian or not method.needs_hessian)
        and (not method.backends or backend in method.backends)
        and importlib.util.find_spec(method.package) is not None
    )


def find_method(name: str) -> Method:
    """Look a method up: a name in `METHODS`, or ``module:attribute``.

    The attribute is a `Method`, a composition for ``hessx.minimize(method=...)``, or a `Solve`.

    Raises
    ------
    ValueError
        Neither.
    """
    if name in METHODS:
        return METHODS[name]
    module, colon, attribute = name.partition(":")
    if not colon:
        known = ", ".join(METHODS)
        msg = f"unknown method {name!r}: expected one of {known}, or module:attribute"
        raise ValueError(msg)
    found = getattr(importlib.import_module(module), attribute)
    if isinstance(found, Method):
        return found
    if hasattr(found, "propose"):
        return Method(name, lambda _: _solve_with(found))
    if callable(found):
        return Method(name, lambda _: found)
    msg = f"{name} is a {type(found).__name__}: expected a composition or a callable"
    raise ValueError(msg)
