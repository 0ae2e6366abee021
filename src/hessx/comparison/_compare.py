"""The front door: approximations beside the true Hessian, along runs or at points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hessx._xp import quiet
from hessx.comparison._along import rows_along
from hessx.comparison._comparison import HessianComparison
from hessx.comparison._hessians import Settings
from hessx.comparison._layers import CHAIN
from hessx.comparison._learners import Learner
from hessx.comparison._names import taken_approximations
from hessx.comparison._paths import run_points, taken_points
from hessx.comparison._place import Problem
from hessx.comparison._rows import HessianRow
from hessx.core import SettingsError, check_integer

__all__ = ["compare_hessians"]

_USUAL = ("gd", "bfgs", "lbfgs")
_COMMON = "lbfgs"  # makes the steps of what has no method of its own


def compare_hessians(
    fun: Any,
    x0: Any,
    approximations: Any = None,
    *,
    args: Any = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    method: Any = None,
    points: Iterable[Any] | None = None,
    iterations: int = 50,
    every: int = 1,
    options: Mapping[str, Any] | None = None,
    rates: Mapping[str, float] | None = None,
    chain: Sequence[str] | None = None,
    batch_size: int | None = None,
    dense: int = 500,
    probes: int = 30,
    products: int = 60,
    draws: int = 0,
    seed: int = 0,
    name: str = "",
) -> HessianComparison:
    r"""Compare approximations B of the Hessian with the true one, H, along runs or at points.

    At each point x with the step s to the next and y = grad f(x + s) - grad f(x):

        norm_F(B - H) / norm_F(H)        error
        norm((B - H) s) / norm(s)        Dennis-More ratio: to 0 where steps become Newton's
        norm(B s - y) / norm(y)          secant error, once B has learnt (s, y)
        -g's - s'B s / 2                 fall of f by the model, beside the real one

    and eigenvalues of H, of B and of B^-1 H, which is what preconditioning by B makes of H; signs,
    memory, and what it costs to form and to apply B.

    Parameters
    ----------
    fun, x0, args, jac, hess, hessp
        As in `minimize`.  Or fun is a model of `hessx.models`, or a `FiniteSum` or `SumOfSquares`.
        H is that of hess or hessp, else of differences of gradients.
    approximations : str, sequence or dict, optional
        Names (see `hessx.comparison.known_approximations`), approximations such as
        ``hessx.BFGS()``, rules such as ``hessx.Adam()``, an operator or matrix, or a function of x
        that gives one; a dict gives names.  By default "gd", "bfgs" and "lbfgs", of a network the
        chain.
    method : str or composition, optional
        Makes the steps from which all learn.  By default each learns from steps of its own: in a
        line search where it is positive definite, else in a trust region, a rule at its rate; what
        is made of x alone is taken along a run of "lbfgs".
    points : sequence of x, optional
        In the place of a run, as ``result.allvecs``: the steps from each to the next.
    iterations : int
        Steps of a run at most.
    every : int
        Steps from one comparison to the next; the last point is always one.
    options : dict, optional
        Of the runs, as in `minimize`, such as ``{"gtol": 1e-9}``.
    rates : dict, optional
        Of rules' own steps, by names.
    chain : sequence of str, optional
        Names among the approximations, each made of the one before, the first of H: rows then say
        what each link adds to the error.  All learn from the same steps.  By default
        `hessx.comparison.CHAIN` where these are the approximations.
    batch_size : int, optional
        Rows of a finite sum from which rules, and approximations that belong to stochastic methods,
        learn at each point, as in their runs; all by default.  H is always that of all rows.
    dense : int
        Up to so many variables B and H are compared as matrices, on the host.
    probes, products : int
        Beyond: random vectors for norms, and products of each Lanczos process; >= 2.
    draws : int
        Of labels at each point, where "kfac" and others learn from layers; 0 takes the expectation
        over all labels, of models of `hessx.models`.
    seed : int
        Of vectors and draws.
    name : str
        Of the problem, for the rows.

    Returns
    -------
    HessianComparison
        Rows, a table, plots, and a file.

    Raises
    ------
    TypeError, ValueError
        As `minimize`.
    SettingsError
        An unknown name or a setting out of range; an approximation that is made of what fun does
        not offer, or that has no A(x).

    Notes
    -----
    The scale of a rule's B is that of a rate of 1; ``scaled_error`` is free of it.  Approximations
    are taught along the points of a run, and not inside it: what learns from rejected trials too
    is taught accepted steps alone.

    Cost at each point that is compared: n products with H and n with each B, about 20 n^3
    operations for each, and a fetch of n^2 numbers; beyond ``dense`` ``probes`` + 4 ``products``
    with each.  A run, and a value and gradient more for each of its points.

    References
    ----------
    Dennis & More (1974), Math. Comput. 28, theorem 2.2; Nocedal & Wright (2006), theorem 3.7;
    Hutchinson (1990), Commun. Statist. Simul. 19, for norms by random signs; Parlett (1998), The
    Symmetric Eigenvalue Problem, section 15.11, for B^-1 H.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> h = np.array([1.0, 4.0, 9.0])
    >>> bowl = lambda x: (h @ x**2 / 2, h * x)
    >>> found = hessx.compare_hessians(
    ...     bowl, np.ones(3), ["gd", "bfgs"], jac=True, hess=lambda x: np.diag(h))
    >>> last = found.last("bfgs")
    >>> last.error < 0.01 < found.last("gd").error, last.definiteness
    (True, 'positive definite')
    >>> round(found.last("gd").preconditioned_condition, 6)  # I^-1 H is H
    9.0
    """
    given = {"args": args, "jac": jac, "hess": hess, "hessp": hessp}
    given = {key: part for key, part in given.items() if part is not None}
    batch_size = None if batch_size is None else check_integer("batch_size", batch_size, 1)
    problem = Problem(fun, x0, given, batch_size)
    settings = Settings(
        check_integer("dense", dense),
        check_integer("probes", probes, 2),
        check_integer("products", products, 2),
        check_integer("seed", seed),
    )
    every, iterations = check_integer("every", every, 1), check_integer("iterations", iterations)
    if approximations is None:
        network = problem.model is not None and problem.space.tree is not None
        approximations = CHAIN if network else _USUAL
    draws = check_integer("draws", draws)
    learners = taken_approximations(problem, approximations, rates or {}, draws, settings.seed)
    if chain is None:
        chain = CHAIN if [learner.name for learner in learners] == [*CHAIN] else ()
    chain = _checked_chain(chain, learners)
    if points is not None and method is not None:
        msg = "points and method are both given: expected the points, or the method that finds them"
        raise SettingsError(msg)

    runs: list[tuple[str, list[Any], list[Learner]]] = []
    if points is not None:
        runs.append(("points", taken_points(problem, points), learners))
    else:
        for steps, composition, group in _methods(learners, method, common=len(chain) > 0):
            found = run_points(problem, composition, iterations, dict(options or {}))
            runs.append((steps, found, group))
    rows: list[HessianRow] = []
    for steps, found, group in runs:
        with quiet():  # at points far out, which the run has met before
            rows += rows_along(
                problem, found, group, steps=steps, every=every, chain=chain, settings=settings
            )
    order = {learner.name: i for i, learner in enumerate(learners)}
    rows.sort(key=lambda row: (order[row.approximation], row.point))
    for row in rows:
        row.problem = name
    return HessianComparison(rows)


def _checked_chain(chain: Sequence[str], learners: Sequence[Learner]) -> list[str]:
    names = [learner.name for learner in learners]
    for name in chain:
        if name not in names:
            msg = f"chain has {name!r}: expected some of {', '.join(names)}"
            raise SettingsError(msg)
    return [*chain]


def _methods(
    learners: Sequence[Learner], method: Any, *, common: bool
) -> list[tuple[str, Any, list[Learner]]]:
    """Give who makes the steps, with what, and for whom."""
    if method is not None or common:
        method = _COMMON if method is None else method
        name = method if isinstance(method, str) else type(method).__name__
        return [(name, method, [*learners])]
    homeless = [learner for learner in learners if learner.method is None]
    runs = [
        (learner.name, learner.method, [learner])
        for learner in learners
        if learner.method is not None
    ]
    return [*runs, (_COMMON, _COMMON, homeless)] if homeless else runs
