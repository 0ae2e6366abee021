"""The solvers that can be scored, and how each is asked to stop at the gradient test alone."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hessx.study.cutest.metering import Meter

__all__ = ["Method"]

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

# Methods that take more than the gradient.
_HIGHEST_DERIVATIVE = dict.fromkeys(
    ("newton-cg", "trust-ncg", "trust-krylov", "arc"), "products"
) | dict.fromkeys(("newton", "trust-exact", "dogleg"), "hessian")


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
        prefix, _, name = text.rpartition(":")
        chosen = dict(options or {})
        if prefix and prefix != "scipy":
            composition = getattr(importlib.import_module(prefix), name)
            return cls(text, composition, "hessx", chosen, "products")
        derivative = _HIGHEST_DERIVATIVE.get(name.lower(), "gradient")
        return cls(text, name, prefix or "hessx", chosen, derivative)

    def runs_at(self, n: int) -> bool:
        """Whether the method is run on problems of n variables."""
        if self.library == "hessx":
            return True
        return n <= _SCIPY_LARGEST_N.get(self._name, n)

    def minimize(self, meter: Meter, gtol: float) -> Any:
        """Minimise a metered problem from its start; only the gradient test is to stop the solver.

        Parameters
        ----------
        meter : Meter
        gtol : float
            Bound on the max-norm of the gradient.

        Returns
        -------
        object
            The solver's result, with `x`, `success` and `message`.

        Raises
        ------
        BudgetSpentError
            From the problem's functions, when the meter's budget is spent.
        """
        problem = meter.problem
        arguments: dict[str, Any] = {"jac": meter.grad}
        if self.derivative == "products":
            arguments["hessp"] = meter.hessp
        elif self.derivative == "hessian":
            arguments["hess"] = meter.hess
        if problem.bounded:
            arguments["bounds"] = list(zip(problem.lower, problem.upper, strict=True))
        arguments["options"] = self._tolerances(gtol) | dict(self.options)
        return self._solver()(meter.fun, problem.x0.copy(), method=self.method, **arguments)

    @property
    def _name(self) -> str:
        return str(self.method).lower()

    def _solver(self) -> Callable[..., Any]:
        module = "hessx" if self.library == "hessx" else "scipy.optimize"
        solver: Callable[..., Any] = importlib.import_module(module).minimize
        return solver

    def _tolerances(self, gtol: float) -> dict[str, float]:
        if self.library == "hessx":
            limits = dict.fromkeys(("maxiter", "maxfun"), _NO_LIMIT)
            return {"gtol": gtol, "ftol": 0.0, "xtol": 0.0, **limits}
        options = _SCIPY_OPTIONS.get(self._name, {"maxiter": _NO_LIMIT})
        return options if self._name in _SCIPY_WITHOUT_GTOL else {**options, "gtol": gtol}
