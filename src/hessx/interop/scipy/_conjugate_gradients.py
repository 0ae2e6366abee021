"""Conjugate gradients on f, and on its quadratic models: fmin_cg and fmin_ncg."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hessx._xp import space_of, to_point
from hessx.core import check_real
from hessx.interop.scipy._returns import returned, warnflag
from hessx.solvers import minimize

__all__ = ["fmin_cg", "fmin_ncg"]


def fmin_cg(
    f: Callable[..., Any],
    x0: Any,
    fprime: Any = None,
    args: Any = (),
    gtol: float | None = None,
    norm: float = math.inf,
    epsilon: Any = None,
    maxiter: float | None = None,
    full_output: bool = False,
    disp: bool = False,
    retall: bool = False,
    callback: Callable[..., Any] | None = None,
    c1: float = 1e-4,
    c2: float = 0.1,
) -> Any:
    """Minimise by nonlinear conjugate gradients, as ``scipy.optimize.fmin_cg``.

    Parameters
    ----------
    f, x0, fprime, args, gtol, norm, epsilon, maxiter, full_output, disp, retall, callback
        See `fmin_bfgs`.
    c1, c2 : float
        Of the line search's Wolfe conditions, 0 < c1 < c2 < 1 (in SciPy c2 is 0.4).

    Returns
    -------
    xopt : array
        Like x0.
    fopt : float, optional
        The value there.
    func_calls, grad_calls, warnflag : int, optional
        See `fmin_bfgs`.
    allvecs : list of arrays, optional
        The accepted points, x0 first.

    Raises
    ------
    TypeError, ValueError
        See `fmin_bfgs`.

    Notes
    -----
    Cost: see `hessx.NonlinearCG`.

    References
    ----------
    Nocedal & Wright (2006), section 5.2.

    Examples
    --------
    >>> from hessx.interop.scipy import fmin_cg
    >>> fmin_cg(lambda x: x @ x, [3.0, 4.0], lambda x: 2 * x).round(4) + 0.0
    array([0., 0.])
    """
    options = {
        "gtol": gtol, "norm": norm, "eps": epsilon, "maxiter": maxiter, "disp": disp,
        "return_all": retall, "c1": c1, "c2": c2,
    }  # fmt: skip
    result = minimize(f, x0, args, "cg", fprime, callback=callback, options=options)
    calls = result.nfev, result.njev, warnflag(result)
    return returned(result, full_output, result.fun, *calls)


def fmin_ncg(
    f: Callable[..., Any],
    x0: Any,
    fprime: Any,
    fhess_p: Callable[..., Any] | None = None,
    fhess: Any = None,
    args: Any = (),
    avextol: float = 1e-5,
    epsilon: Any = None,
    maxiter: float | None = None,
    full_output: bool = False,
    disp: bool = False,
    retall: bool = False,
    callback: Callable[..., Any] | None = None,
    c1: float = 1e-4,
    c2: float = 0.9,
) -> Any:
    """Minimise by Newton's method with conjugate gradients, as ``scipy.optimize.fmin_ncg``.

    Parameters
    ----------
    f, x0, args, maxiter, full_output, disp, retall, callback, c1, c2
        See `fmin_bfgs`.
    fprime : callable
        ``fprime(x, *args)``, the gradient, like x.
    fhess_p : callable, optional
        ``fhess_p(x, p, *args)``, the product H p; not used where fhess is given.
    fhess : callable, optional
        ``fhess(x, *args)``: see ``hess`` of `minimize`.  With neither, products are differences of
        gradients.
    avextol : float
        Stop at a step with norm_2(s) <= avextol sqrt(n), so that the mean of abs(s_i), SciPy's
        measure, is not above avextol either.  0 is off.  There is no test on the gradient.
    epsilon : float or array, optional
        The step of differences of f, where fprime is None or names them; that of products is
        chosen.

    Returns
    -------
    xopt : array
        Like x0.
    fopt : float, optional
        The value there.
    fcalls, gcalls, hcalls, warnflag : int, optional
        Calls of f; gradients; products with the Hessian (SciPy counts calls of fhess, where that is
        given); and see `fmin_bfgs`, but for 5 where the callback ended the run, as
        in SciPy.
    allvecs : list of arrays, optional
        The accepted points, x0 first.

    Raises
    ------
    TypeError, ValueError
        See `fmin_bfgs`; avextol is no number >= 0.

    Notes
    -----
    Cost: see `hessx.NewtonCG`.

    References
    ----------
    Nocedal & Wright (2006), algorithm 7.1.

    Examples
    --------
    >>> from hessx.interop.scipy import fmin_ncg
    >>> fmin_ncg(lambda x: x @ x, [3.0, 4.0], lambda x: 2 * x, lambda x, p: 2 * p).round(4) + 0.0
    array([0., 0.])
    """
    xtol = check_real("avextol", avextol, 0.0, ends="[)") * math.sqrt(space_of(to_point(x0)).n)
    options = {
        "gtol": 0.0, "xtol": xtol, "eps": epsilon, "maxiter": maxiter, "disp": disp,
        "return_all": retall, "c1": c1, "c2": c2,
    }  # fmt: skip
    hessp = fhess_p if fhess is None else None
    result = minimize(
        f, x0, args, "newton-cg", fprime, fhess, hessp, callback=callback, options=options
    )
    calls = result.nfev, result.njev, result.nhev, warnflag(result, stopped=5)
    return returned(result, full_output, result.fun, *calls)
