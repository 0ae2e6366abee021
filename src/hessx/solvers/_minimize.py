"""The front door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx.core import Oracle, Result, Wants, check_flag
from hessx.hessians import as_approximation
from hessx.objectives import GivenOracle, as_oracle, check_offers, make_objective
from hessx.solvers._driver import drive
from hessx.solvers._keeper import Keeper
from hessx.solvers._setup import Setup
from hessx.solvers._switch_method import SwitchMethod
from hessx.solvers._unconstrained import refuse_bounds, refuse_constraints, refuse_derivatives

__all__ = ["minimize"]


def minimize(
    fun: Callable[..., Any] | Oracle,
    x0: Any,
    args: Any = (),
    method: Any = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: float | None = None,
    callback: Callable[..., Any] | None = None,
    options: dict[str, Any] | None = None,
    *,
    x_scale: Any = None,
    max_seconds: float | None = None,
    history: bool = False,
    progress: bool = False,
    maximize: bool = False,
    resume: Any = None,
    checkpoint: Any = None,
    checkpoint_every: float = 60.0,
) -> Result:
    r"""Minimise a smooth function of an array, wherever the array lives.

    Find x with small grad f(x), from x0, by x+ = x - alpha A(x) grad f(x).  The run stays on x0's
    library, device and dtype; the host sees one packet of scalars per trial point.

    Parameters
    ----------
    fun : callable or Oracle
        ``fun(x, *args)`` gives the value: a number, or a 0-d array of x's library and device.
        x has the shape of x0 and is never written again; on NumPy it is fun's own, as in SciPy, and
        what fun writes to it changes nothing.  Elsewhere do not write to it.  An `Oracle` answers
        requests instead; it has no use for args, jac, hess, hessp and steps of differences.
    x0 : array of any shape, or dict, list or tuple of arrays, or number or nested list
        Start: an array of any library that speaks the array API standard, float32 or float64 (half
        precision is refused).  Numbers, lists of numbers and integer NumPy arrays become float64
        NumPy arrays, a number of shape (1,).  A dict, or a list or tuple with arrays, is a tree of
        one library, device and dtype: x, gradient, products, result and an array ``x_scale`` have
        the same containers.
    args : tuple
        Further arguments of fun and jac.
    method : str or composition, optional
        "lbfgs" (also "L-BFGS-B", without bounds), "cg" (nonlinear CG, Hestenes-Stiefel+), "gd"
        (steepest descent) and "newton-cg", all with `HagerZhang`; "trust-ncg" (Steihaug) and
        "trust-krylov" (GLTR), in any case of letters; or a composition such as
        `LineSearchMethod`.  Dense, for n up to some thousands: "bfgs", "ssbfgs", "ssbroyden",
        "broyden", "dfp" and "newton" along rays ("sparse-newton" on a pattern), "trust-exact",
        "sr1", "psb", and by Powell's dogleg "dogleg" and "trust-bfgs" in a region; others are
        "trust-lbfgs", by the dogleg too, "lsr1", "arc" and "r2".  Of a `SumOfSquares`: "lm"
        (Levenberg-Marquardt in a region, by the singular values of the Jacobian) and "lm-cg"
        (damped, by products).  None is "auto": "lm" for a `SumOfSquares`, "newton-cg" where hess or
        hessp is given, or an oracle offers the Hessian, else "lbfgs", and "bfgs" up to 5 variables;
        of those that suit, one that takes the given options.  `recommend` looks closer.

        Stochastic, on batches of a `FiniteSum`: "sgd", "momentum", "nesterov", "signsgd", "lion",
        "adagrad", "rmsprop", "adadelta", "adam", "adamw", "amsgrad", "nadam", "radam", "adamax",
        "lamb", "muon", without a rate to choose "dog", "prodigy", "dadapt-sgd", "dadapt-adam",
        averaging "schedule-free", with less variance "svrg", "saga", "sarah", and learning of the
        Hessian "adahessian", "sophia-h", "sophia-g", "shampoo", "soap", "kfac", "ekfac", "fisher",
        "sqn", "olbfgs", "multibatch-lbfgs", "subsampled-newton-cg", "newton-sketch"; or a
        `StochasticMethod`.
    jac : callable, True, "2-point" or "3-point", optional
        ``jac(x, *args)``, like x; True when fun returns (value, gradient); differences of fun
        otherwise: None is "2-point", and "3-point" where that no longer resolves a step.
        ``hessx.Stacked(jac)`` says that jac takes stacks of points, for products.  Where x0
        is NumPy's, what fun, jac, hess and hessp return is taken as in SciPy: lists, columns,
        Series, other real dtypes.
    hess : callable, "2-point", "3-point" or Approximation, optional
        ``hess(x, *args)``: a dense or sparse matrix, a linear operator, or a function v -> H v; it
        is called once per accepted point.  By default differences of gradients.  Like hessp for
        the Newton methods only.  Or what is in its place there, learnt from the steps, such as
        ``hessx.BFGS()`` or SciPy's ``BFGS()`` and ``SR1()``, or sampled, ``hessx.Sparse(pattern)``.
    hessp : callable, optional
        ``hessp(x, v, *args)``, the product H v, like x; goes before a callable hess.
    bounds, constraints : optional
        Not supported: anything given raises, but for bounds that are all infinite.
    tol : float, optional
        ``gtol`` of every method, and ``ftol`` of "L-BFGS-B".
    callback : callable, optional
        ``callback(intermediate_result)`` or ``callback(x)`` after each iteration; raise
        ``StopIteration`` to end the run.
    options : dict, optional
        See `Stopping`: ``gtol`` (1e-5; 1e-3 in float32), ``gtol_rel`` (0), ``norm`` (inf),
        ``ftol``, ``xtol`` (0, off), ``maxiter`` (15000), ``maxfun`` or ``maxfev``,
        ``max_seconds``, ``lower_limit`` (none).  Of differences: ``eps``, the step itself, or
        ``finite_diff_rel_step``, relative to max(abs(x_i), x_scale).  All names: ``maxls`` (30),
        ``c1`` (1e-4), ``c2`` (0.9; "cg" 0.1).  L-BFGS: ``maxcor`` (10 to 256, by n, see `LBFGS`;
        "L-BFGS-B" 10), ``hess_inv0``, ``damping``.  "cg": ``beta`` ("hs+").  Newton methods:
        ``preconditioner``, ``forcing``, ``max_inner``, ``check_every``, ``max_products``;
        "trust-...": ``initial_trust_radius``, ``max_trust_radius``, ``eta``; "trust-krylov":
        ``max_basis``.  Stochastic ones: ``rate``, ``schedule``, ``epochs`` (20), ``steps``,
        ``batch_size`` (32), ``seed`` or ``order``, ``weight_decay``, ``clip_norm``,
        ``clip_value``, ``estimate``, ``average``, ``report``, ``early``, ``lesson_size``,
        ``skip_nonfinite`` (see `StochasticMethod`), and the settings of their rules, as ``beta1``;
        ``maxiter`` is ``steps``.  Also ``x_scale``, ``disp`` (a bar), and ``return_all``: the
        accepted points are ``result.allvecs``, the start first.  Limits may be inf.
    x_scale : float, array or tree, optional
        Natural size of the variables (1): the length of the first step, and with an array the
        coordinates in which the method works.
    max_seconds : float, optional
        Limit on the time of the run.
    history : bool
        Record each iteration in ``result.history``.
    progress : bool
        Show a bar.
    maximize : bool
        Maximise instead; value and gradient in the result are those of fun.
    resume : path, binary file, Checkpoint or Result, optional
        Take a run up where it was put down, bitwise as if it had not been.  x0 then says where to
        (library and device) and must have the run's shape and dtype; its values are not used.
        Without ``method`` it is the run's own; a method that is given must be that one.  Tolerances
        and limits are those of this call, and counts and seconds go on.
    checkpoint : path, optional
        Save the run there at the start, from time to time, at the end, and where fun raises; a kill
        at any moment leaves a complete file.  Its folder has to exist.
    checkpoint_every : float
        Seconds between two checkpoints, written before an evaluation of f; 0 for each.

    Returns
    -------
    Result
        A dict with attributes, as in SciPy.  On success a stated tolerance holds at ``x``; else
        ``x`` is the best point met.

    Raises
    ------
    TypeError, ValueError
        Input that cannot be meant; the message says what was given and what was expected.  An
        exception of fun or jac passes through.

    Warns
    -----
    OptionWarning
        An option of SciPy's that means nothing here, such as ``workers``, is ignored, and so is an
        approximation as hess where the method uses no Hessian.

    Notes
    -----
    Cost of L-BFGS per trial point: one evaluation of f and gradient, one fetch, about 4 m n
    multiplications; 2 m + 11 vectors of memory in all.  Of Newton methods: one fetch per product
    and per trial point, 14 vectors beside x0, "trust-krylov" 61.  A tree adds one concatenation per
    gradient.  On NumPy fun, jac, hess, hessp and callback are given copies, which are theirs.

    References
    ----------
    Nocedal & Wright (2006), Numerical Optimization, chapters 3, 5 and 7.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> def rosenbrock(x):
    ...     a, b = x[1:] - x[:-1] ** 2, 1 - x[:-1]
    ...     g = np.zeros_like(x)
    ...     g[1:] += 200 * a
    ...     g[:-1] -= 400 * a * x[:-1] + 2 * b
    ...     return 100 * a @ a + b @ b, g
    >>> result = hessx.minimize(rosenbrock, np.zeros(10), jac=True)
    >>> result.success, bool(abs(result.x - 1).max() < 1e-4)
    (True, True)

    >>> def fun(x):
    ...     e = x["a"] + x["b"] - 1
    ...     return e @ e + x["b"] ** 2, {"a": 2 * e, "b": 2 * e.sum() + 2 * x["b"]}
    >>> hessx.minimize(fun, {"a": np.zeros(2), "b": 3.0}, jac=True).x["a"].round(4)
    array([1., 1.])
    """
    refuse_bounds(bounds)
    refuse_constraints(constraints)
    progress = check_flag("progress", progress)
    args = args if isinstance(args, tuple) else (args,)
    learnt = as_approximation(hess)
    hess = None if learnt is not None else hess
    products = hess is not None or hessp is not None
    given = as_oracle(fun)
    residuals = given is not None and Wants.RESIDUAL in given.offers
    if given is not None:
        refuse_derivatives(given, args=args or None, jac=jac, hess=hess, hessp=hessp)
        products = Wants.HESSIAN in given.offers
    setup = Setup(
        x0,
        method,
        options,
        tol,
        x_scale=x_scale,
        max_seconds=max_seconds,
        history=history,
        maximize=maximize,
        resume=resume,
        products=products,
        residuals=residuals,
        learnt=learnt,
        N=getattr(given, "N", None),
    )
    space, plan = setup.space, setup.plan
    keeper = Keeper(checkpoint, checkpoint_every)
    wants = plan.solver.wants
    oracle: Oracle
    if given is not None:
        oracle = GivenOracle(given, space, setup.sign, wants)
    else:
        oracle = objective = make_objective(
            fun,
            jac,
            args,
            space,
            hess=hess,
            hessp=hessp,
            maximize=maximize,
            rel_step=plan.rel_step,
            abs_step=plan.abs_step,
            x_scale=plan.x_scale,
        )
        if isinstance(plan.solver, SwitchMethod) and Wants.HESSIAN in wants:
            objective.prepare()  # what is missing is told now, not when much has been evaluated
        if wants & ~(Wants.VALUE | Wants.GRADIENT | Wants.HESSIAN):
            check_offers(oracle.offers, wants)
    run = setup.run(oracle.counts, callback, progress=progress or plan.progress)
    return drive(run, oracle, keeper)
