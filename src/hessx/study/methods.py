"""The methods of a study, by names that another process can look up."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hessx
from hessx.study.peers import Solve, scipy_peer
from hessx.study.problems import Posed, Problem

__all__ = ["METHODS", "Method", "find_method", "suits"]


@dataclass(frozen=True)
class Method:
    """A way to minimise.

    Attributes
    ----------
    title : str
        For the report.
    bind : callable
        ``bind(posed)`` gives a `Solve` for a problem.
    needs_constant_hessian : bool
        Whether it is meant for problems with a known constant Hessian only.
    backends : tuple of str
        Where it runs; empty for everywhere.
    package : str
        What has to be installed.
    """

    title: str
    bind: Callable[[Posed], Solve]
    needs_constant_hessian: bool = False
    backends: tuple[str, ...] = ()
    package: str = "hessx"


def _composed(title: str, curvature: Any, rule: Any) -> Method:
    return _given(title, hessx.LineSearchMethod(curvature, rule))


def _given(title: str, composition: Any) -> Method:
    return Method(title, lambda posed: _solve_with(composition, posed))


def _scipy(title: str, name: str, **options: Any) -> Method:
    bind = scipy_peer(name, **options)
    return Method(title, bind, backends=("numpy",), package="scipy")


def _inverse(alpha: float) -> Method:
    def bind(posed: Posed) -> Solve:
        if posed.constant_hessian is None:
            msg = "the problem has no constant Hessian to invert"
            raise ValueError(msg)
        curvature = hessx.ExactInverse(posed.constant_hessian())
        return _solve_with(hessx.LineSearchMethod(curvature, hessx.FixedStep(alpha)), posed)

    return Method(f"exact inverse, alpha = {alpha:g}", bind, needs_constant_hessian=True)


def _solve_with(composition: Any, posed: Posed) -> Solve:
    hess = posed.hess if getattr(composition, "second_order", False) else None

    def solve(fun: Callable[..., Any], x0: Any, *, gtol: float, seconds: float) -> Any:
        return hessx.minimize(
            fun, x0, method=composition, jac=True, hess=hess,
            tol=gtol, max_seconds=seconds, history=True,
        )  # fmt: skip

    return solve


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
    "newton-cg": _composed("line-search Newton-CG", hessx.NewtonCG(), hessx.HagerZhang()),
    "trust-ncg": _given("trust-region Newton-CG", hessx.TrustRegionMethod()),
    "trust-krylov": _given("trust-region GLTR", hessx.TrustRegionMethod(subproblem=hessx.GLTR())),
    # SciPy's defaults, and no test but the gradient's; Newton-CG has none, and stops when the step
    # has become small
    "scipy-lbfgsb": _scipy(
        "SciPy L-BFGS-B, memory 10", "L-BFGS-B", maxcor=10, ftol=0.0, maxfun=10**6
    ),
    "scipy-newton-cg": _scipy("SciPy Newton-CG", "Newton-CG", xtol=1e-10),
    "scipy-trust-ncg": _scipy("SciPy trust-ncg", "trust-ncg"),
    "inverse-0.01": _inverse(0.01),
    "inverse-1": _inverse(1.0),
}


def suits(name: str, problem: Problem, backend: str) -> bool:
    """Tell whether a method is meant for a problem and runs on a backend here."""
    method = METHODS.get(name)
    if method is None:  # of the user's own
        return True
    return (
        (problem.has_constant_hessian or not method.needs_constant_hessian)
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
        return _given(name, found)
    if callable(found):
        return Method(name, lambda _: found)
    msg = f"{name} is a {type(found).__name__}: expected a composition or a callable"
    raise ValueError(msg)
