"""Quasi-Newton methods: fmin_bfgs and fmin_l_bfgs_b."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from hessx.core import OptionWarning, check_integer, check_real
from hessx.interop.scipy._returns import returned, warnflag
from hessx.solvers import minimize

__all__ = ["fmin_bfgs", "fmin_l_bfgs_b"]

_EPS = 2.0**-52  # by which SciPy multiplies factr, whatever the dtype


def fmin_bfgs(
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
    xrtol: float = 0.0,
    c1: float = 1e-4,
    c2: float = 0.9,
    hess_inv0: Any = None,
) -> Any:
    """Minimise by BFGS, as ``scipy.optimize.fmin_bfgs``.

    Parameters
    ----------
    f : callable
        ``f(x, *args)``: the value.
    x0 : array of any shape, or what else `minimize` takes
        Start.
    fprime : callable, optional
        ``fprime(x, *args)``, the gradient, like x; differences of f otherwise.
    args : tuple
        Further arguments of f and fprime.
    gtol : float, optional
        Stop at norm(g) <= gtol.  Default 1e-5, in float32 1e-3.
    norm : {inf, 2}
        The norm of the gradient test.
    epsilon : float or array, optional
        The step of differences; by default chosen by the noise of f (in SciPy 1.5e-8).
    maxiter : float, optional
        Limit on iterations, 15000 (in SciPy 200 n).
    full_output : bool
        Return all of what is below.
    disp : bool
        Show a progress bar (SciPy prints, by default).
    retall : bool
        Return the accepted points too.
    callback : callable, optional
        ``callback(xk)`` or ``callback(intermediate_result)`` after each iteration;
        ``StopIteration`` ends the run.
    xrtol : float
        Stop at a step with norm_2(s) <= xrtol (xrtol + norm_2(x)); 0 is off.
    c1, c2 : float
        Of the line search's Wolfe conditions, 0 < c1 < c2 < 1.
    hess_inv0 : array, shape (n, n), optional
        Inverse Hessian at first, symmetric positive definite; see `hessx.BFGS` for more forms.  By
        default the first pair gives its size (in SciPy I).

    Returns
    -------
    xopt : array
        Like x0.
    fopt, gopt, Bopt : float, array, array, optional
        Value, gradient and approximate inverse Hessian, shape (n, n), at xopt.
    func_calls, grad_calls, warnflag : int, optional
        Calls of f; gradients; and 0 on success, 1 at a limit, 2 where no step could be found, or f
        is unbounded, 3 where f or the gradient is not finite, 99 after Ctrl-C.  Where the callback
        ended the run it is 0, as in SciPy.
    allvecs : list of arrays, optional
        The accepted points, x0 first.

    Raises
    ------
    TypeError, ValueError
        See `minimize`, whose names for fprime and epsilon are ``jac`` and ``eps``.

    Notes
    -----
    Cost: see `hessx.BFGS`; `minimize` with ``method="bfgs"`` says more of how a run ended.

    References
    ----------
    Nocedal & Wright (2006), algorithm 6.1.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx.interop.scipy import fmin_bfgs
    >>> x0, weights = np.array([-3.0, -4.0]), np.array([1.0, 10.0])
    >>> cost = lambda x, w: w @ x**2
    >>> slope = lambda x, w: 2 * w * x
    >>> x, f, g, B, calls, gradients, flag = fmin_bfgs(cost, x0, slope, (weights,), full_output=1)
    >>> flag, bool(abs(x).max() < 1e-5), B.shape
    (0, True, (2, 2))
    """
    options = {
        "gtol": gtol, "norm": norm, "eps": epsilon, "maxiter": maxiter, "disp": disp,
        "return_all": retall, "xrtol": xrtol, "c1": c1, "c2": c2, "hess_inv0": hess_inv0,
    }  # fmt: skip
    result = minimize(f, x0, args, "bfgs", fprime, callback=callback, options=options)
    calls = result.nfev, result.njev, warnflag(result)
    return returned(result, full_output, result.fun, result.jac, result.hess_inv, *calls)


def fmin_l_bfgs_b(
    func: Callable[..., Any],
    x0: Any,
    fprime: Any = None,
    args: Any = (),
    approx_grad: bool = False,
    bounds: Any = None,
    m: int = 10,
    factr: float = 1e7,
    pgtol: float | None = None,
    epsilon: Any = None,
    iprint: Any = None,
    maxfun: float | None = 15000,
    maxiter: float | None = 15000,
    disp: Any = None,
    callback: Callable[..., Any] | None = None,
    maxls: int = 30,
) -> tuple[Any, float, dict[str, Any]]:
    """Minimise by L-BFGS, without bounds, as ``scipy.optimize.fmin_l_bfgs_b``.

    Parameters
    ----------
    func : callable
        ``func(x, *args)``: (value, gradient), or the value alone where fprime or approx_grad is
        given.
    x0, args, callback
        See `fmin_bfgs`.
    fprime : callable, optional
        ``fprime(x, *args)``, the gradient, like x.
    approx_grad : bool
        Form the gradient by differences of func.
    bounds : optional
        Those that are all infinite; others are refused.
    m : int
        Pairs kept, >= 1.
    factr : float
        Stop at f_k - f_{k+1} <= factr 2^-52 max(abs(f_k), abs(f_{k+1}), 1); 0 is off.
    pgtol : float, optional
        Stop at norm_inf(g) <= pgtol.  Default 1e-5, in float32 1e-3.
    epsilon : float or array, optional
        The step of differences; by default chosen by the noise of func (in SciPy 1e-8).
    iprint : optional
        Ignored, with a warning.
    maxfun, maxiter : float, optional
        Limits on calls of func and on iterations; None and inf are no limit.
    disp : bool, optional
        Show a progress bar (SciPy: nothing).
    maxls : int
        Trials at most in a line search (in SciPy 20).

    Returns
    -------
    x : array
        Like x0.
    f : float
        The value there.
    d : dict
        "grad", the gradient there; "task", why the run ended; "funcalls", "nit"; and "warnflag": 0
        on success, 1 at a limit, else 2.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        See `fmin_bfgs`; m or factr out of range; bounds that are finite.

    Warns
    -----
    OptionWarning
        iprint is given.

    Notes
    -----
    Cost: see `hessx.LBFGS`.

    References
    ----------
    Nocedal (1980), Math. Comp. 35.

    Examples
    --------
    >>> from hessx.interop.scipy import fmin_l_bfgs_b
    >>> x, f, d = fmin_l_bfgs_b(lambda x: (x @ x, 2 * x), [3.0, 4.0])
    >>> f < 1e-9, d["warnflag"]
    (True, 0)
    """
    if iprint is not None:
        text = "iprint of SciPy's means nothing here and is ignored"
        warnings.warn(text, OptionWarning, stacklevel=2)
    options = {
        "maxcor": check_integer("m", m, 1),
        "ftol": check_real("factr", factr, 0.0, ends="[)") * _EPS,
        "gtol": pgtol if pgtol is None else check_real("pgtol", pgtol, 0.0, ends="[)"),
        "eps": epsilon, "maxfun": maxfun, "maxiter": maxiter, "disp": disp, "maxls": maxls,
    }  # fmt: skip
    jac = None if approx_grad else True if fprime is None else fprime
    result = minimize(
        func, x0, args, "l-bfgs-b", jac, bounds=bounds, callback=callback, options=options
    )
    d = {
        "grad": result.jac, "task": result.message, "funcalls": result.nfev, "nit": result.nit,
        "warnflag": min(result.status, 2),
    }  # fmt: skip
    return result.x, result.fun, d
