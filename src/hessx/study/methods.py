"""The methods of both studies, by names that another process can look up."""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import hessx
from hessx.core import Wants
from hessx.solvers import known_methods
from hessx.study.bindings import (
    bind_function,
    bind_hessx,
    bind_inverse,
    bind_on_pattern,
    bind_squares,
)
from hessx.study.metering import Meter
from hessx.study.peers import LARGEST_N, bind_scipy
from hessx.study.posed import Known
from hessx.study.running import Solve
from hessx.study.sampled import SAMPLED, Sampled, bind_sampled

__all__ = ["METHODS", "Method", "find_method"]

_Options = Mapping[str, Any]


@dataclass(frozen=True)
class Method:
    """A way to minimise.

    Attributes
    ----------
    name : str
        By which `find_method` finds it.
    title : str
        For the report.
    bind : callable
        ``bind(meter, options)`` gives a `Solve` for a metered problem; options are the solver's,
        beside the tolerances and limits that the study sets.
    needs : Known, optional
        What has to be known of the problem.
    backends : tuple of str
        Where it runs; empty for everywhere.
    package : str
        What has to be installed.
    smallest_n, largest_n : float
        Bounds on the number of variables that it is run with.
    usual_n : float
        The largest where nobody has asked for it by name: with more it takes its time.
    usual_backends : tuple of str
        Where it is run if nobody has asked for it; empty for everywhere.
    usual_on_sums : bool
        Whether it is run on sums over rows where nobody has asked for it.
    """

    name: str
    title: str
    bind: Callable[[Meter, _Options], Solve]
    needs: Known | None = None
    backends: tuple[str, ...] = ()
    package: str = "hessx"
    smallest_n: int = 1
    largest_n: float = math.inf
    usual_n: float = math.inf
    usual_backends: tuple[str, ...] = ()
    usual_on_sums: bool = False

    def suits(self, n: int, backend: str = "numpy", known: Collection[Known] = ()) -> bool:
        """Tell whether it is meant for a problem of n variables and runs on a backend here."""
        return (
            self.smallest_n <= n <= self.largest_n
            and (self.needs is None or self.needs in known)
            and (not self.backends or backend in self.backends)
            and importlib.util.find_spec(self.package) is not None
        )


def _given(
    name: str, title: str, method: Any = None, usual_n: float = math.inf, **settings: Any
) -> Method:
    """Take what ``hessx.minimize`` takes: its own name, with options, or a composition."""
    bind = partial(bind_hessx, name if method is None else method, settings)
    return Method(name, title, bind, usual_n=usual_n, usual_on_sums=name in _BESIDE_SAMPLES)


def _scipy(name: str, title: str, method: str, usual_n: float = math.inf) -> Method:
    return Method(
        name,
        title,
        partial(bind_scipy, method),
        backends=("numpy",),
        package="scipy",
        largest_n=LARGEST_N.get(method.lower(), math.inf),
        usual_n=usual_n,
    )


def _inverse(name: str, alpha: float) -> Method:
    title = f"exact inverse, alpha = {alpha:g}"
    return Method(name, title, partial(bind_inverse, alpha), needs=Known.CONSTANT_HESSIAN)


def _along(
    name: str, title: str, A: hessx.Approximation, rule: hessx.StepRule, usual_n: float = math.inf
) -> Method:
    return _given(name, title, hessx.LineSearchMethod(A, rule), usual_n)


def _within(
    name: str, title: str, B: hessx.Approximation, usual_n: float = math.inf, **parts: Any
) -> Method:
    return _given(name, title, hessx.TrustRegionMethod(B, **parts), usual_n)


def _looking(
    name: str,
    title: str,
    method: Any,
    usual_n: float = math.inf,
    smallest_n: int = 1,
    **settings: Any,
) -> Method:
    """Take what samples the Hessian at accepted points."""
    given = _given(name, title, method, usual_n, **settings)
    return replace(given, smallest_n=smallest_n, usual_backends=_NUMPY)


def _on_pattern(name: str, title: str, compose: Callable[[hessx.Pattern], Any]) -> Method:
    bind = partial(bind_on_pattern, compose)
    return Method(name, title, bind, needs=Known.PATTERN, usual_backends=_NUMPY)


def _of_squares(name: str, title: str, method: Any, usual_n: float = math.inf) -> Method:
    bind = partial(bind_squares, method)
    return Method(name, title, bind, needs=Known.RESIDUAL, usual_n=usual_n, usual_backends=_NUMPY)


def _by_jacobian(name: str, title: str, B: hessx.Approximation) -> Method:
    method = hessx.TrustRegionMethod(B, hessx.MoreSorensen())
    return _of_squares(name, title, method, _LONG_N)


def _sampled(rule: Sampled) -> Method:
    bind = partial(bind_sampled, rule)
    return Method(
        rule.name,
        rule.title,
        bind,
        needs=Known.ROWS,
        usual_backends=_NUMPY,
        usual_on_sums=True,
    )


_BESIDE_SAMPLES = ("lbfgs", "newton-cg")
_NUMPY = ("numpy",)
_HAGER_ZHANG = hessx.HagerZhang()
_MATRIX_N = 300  # n^2 operations per step
_LONG_N = 100  # n products and n^3 operations per step, or thousands of steps

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        _given("gd", "gradient descent, Hager-Zhang"),
        _along("bb", "Barzilai-Borwein", hessx.Identity(), hessx.BarzilaiBorwein("short")),
        _along(
            "spectral", "spectral gradient, non-monotone", hessx.Spectral(), hessx.NonMonotone()
        ),
        _given("r2", "quadratic regularisation, R2", usual_n=_LONG_N),
        _given("cg", "nonlinear CG, HS+"),
        _given("cg-hz", "nonlinear CG, Hager-Zhang", "cg", beta="hz"),
        _given("cg-pr+", "nonlinear CG, PR+", "cg", beta="pr+"),
        _along("diagonal-bfgs", "diagonal BFGS", hessx.DiagonalBFGS(), _HAGER_ZHANG, _LONG_N),
        _along("weak-secant", "weak-secant diagonal", hessx.WeakSecant(), _HAGER_ZHANG, _LONG_N),
        _within("diagonal-psb", "diagonal PSB in a region", hessx.DiagonalPSB(), _LONG_N),
        _given("lbfgs", "L-BFGS, Hager-Zhang, memory 10 to 256 by n"),
        _along("lbfgs-mt", "L-BFGS, More-Thuente", hessx.LBFGS(), hessx.MoreThuente()),
        _along(
            "lbfgs-average",
            "L-BFGS, non-monotone",
            hessx.LBFGS(),
            hessx.NonMonotoneAverage(_HAGER_ZHANG),
        ),
        _along("ldfp", "L-DFP", hessx.LDFP(), _HAGER_ZHANG, _LONG_N),
        _given("trust-lbfgs", "L-BFGS in a region"),
        _given("lsr1", "L-SR1 in a region"),
        _given("bfgs", "BFGS", usual_n=_MATRIX_N),
        _given("ssbfgs", "BFGS, sized by Al-Baali", usual_n=_MATRIX_N),
        _given("ssbroyden", "Broyden's class, sized and switched", usual_n=_MATRIX_N),
        _given("broyden", "Broyden's class, phi = 1/2", usual_n=_MATRIX_N),
        _given("dfp", "DFP", usual_n=_LONG_N),
        _given("trust-bfgs", "BFGS in a region", usual_n=_LONG_N),
        _given("sr1", "SR1 in a region", usual_n=_MATRIX_N),
        _given("psb", "PSB in a region", usual_n=_LONG_N),
        _given("newton", "Newton, dense", usual_n=_LONG_N),
        _given("newton-cg", "line-search Newton-CG"),
        _given("trust-ncg", "trust-region Newton-CG"),
        _given("trust-krylov", "trust-region GLTR"),
        _given("trust-exact", "trust region, More-Sorensen", usual_n=_LONG_N),
        _given("dogleg", "trust region, dogleg", usual_n=_LONG_N),
        _given("arc", "cubic regularisation, GLTR"),
        _given("auto", "auto, by gradients alone"),
        _given("auto-products", "auto, with products"),
        _within("damped-ncg", "damped Newton-CG", hessx.Exact(), region=hessx.NielsenRule()),
        _looking(
            "chebyshev", "Chebyshev inverse, degree 8",
            hessx.LineSearchMethod(hessx.TruncatedInverse(), _HAGER_ZHANG), _LONG_N,
        ),
        _looking(
            "low-rank", "saddle-free, rank 8",
            hessx.LineSearchMethod(hessx.LowRank(8), _HAGER_ZHANG), _LONG_N, smallest_n=8,
        ),
        _looking(
            "ncg-hutchinson", "trust-region Newton-CG, Hutchinson",
            "trust-ncg", preconditioner="hutchinson",
        ),
        _looking(
            "ncg-nystrom", "trust-region Newton-CG, Nystrom", "trust-ncg", preconditioner="nystrom"
        ),
        _on_pattern(
            "sparse-newton", "Newton, on a pattern",
            lambda pattern: hessx.LineSearchMethod(hessx.SparseNewton(pattern), _HAGER_ZHANG),
        ),
        _on_pattern(
            "ncg-sparse", "trust-region Newton-CG, on a pattern",
            lambda pattern: hessx.TrustRegionMethod(hessx.Sparse(pattern)),
        ),
        _of_squares("lm", "Levenberg-Marquardt", "lm", _LONG_N),
        _of_squares("lm-cg", "Levenberg-Marquardt, by CG", "lm-cg"),
        _of_squares(
            "gnsbfgs", "Gauss-Newton, structured BFGS",
            hessx.LineSearchMethod(hessx.GNSBFGS(), _HAGER_ZHANG), _LONG_N,
        ),
        _by_jacobian("fx", "Gauss-Newton or BFGS", hessx.FX()),
        _by_jacobian("ssm", "structured secant", hessx.SSM()),
        _by_jacobian("tssm", "totally structured secant", hessx.TSSM()),
        _by_jacobian(
            "gn-sr1", "Gauss-Newton plus SR1", hessx.KnownPlus(known=hessx.GaussNewton(dense=True))
        ),
        _scipy("scipy-cg", "SciPy CG", "CG"),
        _scipy("scipy-lbfgsb", "SciPy L-BFGS-B, memory 10", "L-BFGS-B"),
        _scipy("scipy-bfgs", "SciPy BFGS", "BFGS"),
        _scipy("scipy-newton-cg", "SciPy Newton-CG", "Newton-CG"),
        _scipy("scipy-trust-ncg", "SciPy trust-ncg", "trust-ncg"),
        _scipy("scipy-trust-krylov", "SciPy trust-krylov", "trust-krylov"),
        _scipy("scipy-trust-exact", "SciPy trust-exact", "trust-exact", _LONG_N),
        _scipy("scipy-dogleg", "SciPy dogleg", "dogleg", _LONG_N),
        _inverse("inverse-0.01", 0.01),
        _inverse("inverse-1", 1.0),
        *map(_sampled, SAMPLED.values()),
    )
}  # fmt: skip


def find_method(name: str) -> Method:
    """Look a method up: in `METHODS`, or another of hessx, ``scipy:NAME``, ``module:attribute``.

    The attribute is a `Method`, a composition for ``hessx.minimize(method=...)``, or a function
    ``solve(fun, x0, *, gtol, seconds)`` with fun(x) -> (value, gradient).

    Raises
    ------
    ValueError
        None of these.
    """
    if name in METHODS:
        return METHODS[name]
    module, colon, attribute = name.partition(":")
    if module == "scipy" and colon:
        return _scipy(name, f"SciPy {attribute}", attribute)
    if not colon:
        if name.lower() in known_methods():
            return _given(name, f"hessx {name}")
        known = ", ".join(dict.fromkeys((*METHODS, *known_methods())))
        msg = f"unknown method {name!r}: expected one of {known}, scipy:NAME, or module:attribute"
        raise ValueError(msg)
    found = getattr(importlib.import_module(module), attribute)
    if isinstance(found, Method):
        return replace(found, name=name)
    if Wants.RESIDUAL in getattr(found, "wants", Wants.NOTHING):
        return _of_squares(name, name, found)
    if hasattr(found, "propose"):
        return _given(name, name, found)
    if callable(found):
        return Method(name, name, partial(bind_function, found))
    msg = f"{name} is a {type(found).__name__}: expected a composition or a callable"
    raise ValueError(msg)
