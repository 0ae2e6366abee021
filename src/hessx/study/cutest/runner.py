"""Running one method on one problem within a budget."""

from __future__ import annotations

import importlib
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hessx.study.cutest.metering import Budget, BudgetSpentError, Meter
from hessx.study.cutest.problems import Array, CutestProblem

# A limit that no run within a budget reaches: nothing but the gradient test may stop a solver.
_NO_LIMIT = 10**9

# Every tolerance of SciPy's solvers except gtol is off; where 0 is not allowed, tiny.
_SCIPY_OPTIONS: dict[str, dict[str, float]] = {
    "l-bfgs-b": {"ftol": 0.0, "maxiter": _NO_LIMIT, "maxfun": _NO_LIMIT},
    "tnc": {"ftol": 0.0, "xtol": 0.0, "maxfun": _NO_LIMIT},
    "slsqp": {"ftol": 1e-15, "maxiter": _NO_LIMIT},
    "newton-cg": {"xtol": 1e-10, "maxiter": _NO_LIMIT},
}
_SCIPY_WITHOUT_GTOL = {"slsqp", "newton-cg"}
# Beyond these sizes the method's dense matrices make a run take minutes.
_SCIPY_LARGEST_N = {"bfgs": 300, "slsqp": 200}

_NEEDS_PRODUCTS = {"newton-cg", "trust-ncg", "trust-krylov", "steihaug", "gltr", "arc"}
_NEEDS_HESSIAN = {"newton", "trust-exact", "dogleg"}


@dataclass(frozen=True)
class Method:
    """A solver to be scored.

    Attributes
    ----------
    label : str
        Its name in tables.
    method : object
        What ``hessx.minimize`` or ``scipy.optimize.minimize`` takes as `method`.
    library : {"hessx", "scipy"}
    options : mapping
        Options beside the tolerances that the scoring sets.
    derivative : {"gradient", "products", "hessian"}
        The highest derivative that is handed over.
    """

    label: str
    method: Any
    library: str = "hessx"
    options: Mapping[str, Any] = field(default_factory=dict)
    derivative: str = "gradient"

    @classmethod
    def parse(cls, text: str, options: Mapping[str, Any] | None = None) -> Method:
        """Read a method from the command line.

        Parameters
        ----------
        text : str
            ``"lbfgs"``, a name of hessx; ``"scipy:L-BFGS-B"``, a name of SciPy; or
            ``"package.module:attribute"``, a hessx composition to be imported.
        options : mapping, optional
            Options for the solver.

        Returns
        -------
        Method
        """
        prefix, colon, rest = text.rpartition(":")
        name = rest.lower()
        derivative = (
            "products"
            if name in _NEEDS_PRODUCTS
            else "hessian"
            if name in _NEEDS_HESSIAN
            else "gradient"
        )
        chosen = dict(options or {})
        if prefix == "scipy":
            return cls(text, rest, "scipy", chosen, derivative)
        if colon:
            composition = getattr(importlib.import_module(prefix), rest)
            derivative = getattr(composition, "derivative", "products")
            return cls(text, composition, "hessx", chosen, derivative)
        return cls(text, text, "hessx", chosen, derivative)


@dataclass(frozen=True)
class Run:
    """What one method did on one problem.

    Attributes
    ----------
    cost, fun_calls, grad_calls, products : int
        What was spent in all.
    improvements : list of (int, float)
        Cost and value at every new best value.
    fun0, grad_norm0 : float
        Value and max-norm of the gradient at the start.
    fun, grad_norm : float
        Value and max-norm of the projected gradient at the returned point.
    success : bool
        What the solver says of itself; False when the budget ended it.
    message : str
    seconds : float
    """

    cost: int
    fun_calls: int
    grad_calls: int
    products: int
    improvements: list[tuple[int, float]]
    fun0: float
    grad_norm0: float
    fun: float
    grad_norm: float
    success: bool
    message: str
    seconds: float


def perturbed(problem: CutestProblem, size: float, seed: int) -> CutestProblem:
    """The same problem from a start moved at random by a relative `size`.

    ``x0_i (1 + size u_i)``, and ``size u_i`` where ``x0_i = 0``, with u uniform in [-1, 1]; then
    moved into the bounds. The draw depends on `seed` and the problem's name alone.

    Parameters
    ----------
    problem : CutestProblem
    size : float
        Zero leaves the start as it is.
    seed : int

    Returns
    -------
    CutestProblem
    """
    rng = np.random.default_rng([seed, zlib.crc32(problem.name.encode())])
    u = rng.uniform(-1.0, 1.0, problem.n)
    moved = np.where(problem.x0 == 0, size * u, problem.x0 * (1 + size * u))
    return replace(problem, x0=np.clip(moved, problem.lower, problem.upper))


def run(
    method: Method,
    problem: CutestProblem,
    gtol: float = 1e-6,
    budget: Budget | None = None,
) -> Run | None:
    """Run `method` on `problem` until its gradient test holds or the budget is spent.

    Parameters
    ----------
    method : Method
    problem : CutestProblem
    gtol : float
        The bound on the max-norm of the gradient that the solver is asked for.
    budget : Budget, optional

    Returns
    -------
    Run or None
        None where the method is not run on a problem of this size.
    """
    name = str(method.method).lower()
    if method.library == "scipy" and problem.n > _SCIPY_LARGEST_N.get(name, problem.n):
        return None
    meter = Meter(problem, budget or Budget())
    start = time.perf_counter()
    x: Array | None
    try:
        result = _minimizer(method.library)(
            meter.fun, problem.x0.copy(), **_arguments(method, problem, meter, gtol)
        )
        x, success, message = np.asarray(result.x), bool(result.success), str(result.message)
    except BudgetSpentError:
        x, success, message = meter.best_x, False, "the budget is spent"
    seconds = time.perf_counter() - start
    x = problem.x0 if x is None else x
    fun, grad = problem.fun_and_grad(x)
    fun0, grad0 = problem.fun_and_grad(problem.x0)
    return Run(
        cost=meter.cost,
        fun_calls=meter.fun_calls,
        grad_calls=meter.grad_calls,
        products=meter.products,
        improvements=meter.improvements,
        fun0=fun0,
        grad_norm0=float(np.max(np.abs(grad0))),
        fun=fun,
        grad_norm=float(np.max(np.abs(problem.projected_gradient(x, grad)))),
        success=success,
        message=message,
        seconds=seconds,
    )


def _minimizer(library: str) -> Callable[..., Any]:
    if library == "scipy":
        import scipy.optimize

        return scipy.optimize.minimize  # type: ignore[no-any-return]
    import hessx

    return hessx.minimize


def _arguments(method: Method, problem: CutestProblem, meter: Meter, gtol: float) -> dict[str, Any]:
    arguments: dict[str, Any] = {"method": method.method, "jac": meter.grad}
    if method.derivative == "products":
        arguments["hessp"] = meter.hessp
    elif method.derivative == "hessian":
        arguments["hess"] = meter.hess
    if problem.bounded:
        arguments["bounds"] = list(zip(problem.lower, problem.upper, strict=True))
    arguments["options"] = _tolerances(method, gtol) | dict(method.options)
    return arguments


def _tolerances(method: Method, gtol: float) -> dict[str, float]:
    if method.library == "hessx":
        return {"gtol": gtol, "ftol": 0.0, "xtol": 0.0, "maxiter": _NO_LIMIT, "maxfun": _NO_LIMIT}
    name = str(method.method).lower()
    options = dict(_SCIPY_OPTIONS.get(name, {"maxiter": _NO_LIMIT}))
    if name not in _SCIPY_WITHOUT_GTOL:
        options["gtol"] = gtol
    return options
