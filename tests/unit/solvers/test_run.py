"""A run by hand, one reply at a time, beside the driver's."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.runs import PRODUCTS, chained_rosenbrock
from _helpers.solvers import NEWTON
from hessx import Outcome
from hessx._xp import space_of, to_point
from hessx.core import Counts, Reply, Stopping
from hessx.objectives import make_objective
from hessx.solvers._best_point import returned_point
from hessx.solvers._observers import Observers
from hessx.solvers._run import Run

START = np.array([-1.2, 1.0, 0.8, 0.5])
METHODS = {"lbfgs": hessx.LineSearchMethod(hessx.LBFGS(), hessx.HagerZhang())} | {
    name: method for name, method in NEWTON.items() if "jacobi" not in name
}
each = pytest.mark.parametrize("name", METHODS)


def begin(name, backend=None, fun=chained_rosenbrock, start=START, **stops):
    """A run, and the objective that answers for it."""
    x0 = to_point(start if backend is None else backend.asarray(start))
    space = space_of(x0)
    objective = make_objective(fun, True, (), space, hessp=PRODUCTS[chained_rosenbrock])
    run = Run(
        METHODS[name], space, x0, Stopping(**stops), Observers(space, None), objective.counts, 1.0
    )
    return run, objective


def step(run, objective):
    """What the driver does with a trial: a Hessian that it takes comes before the next."""
    run.absorb(objective.answer(run.request))
    linearise(run, objective)


def linearise(run, objective):
    """Go on to the next trial."""
    while run.running and (run.answered or run.wants_hessian):
        if run.answered:
            run.go_on()
        else:
            run.absorb(objective.answer(run.request))


@each
def test_by_hand_and_by_the_driver(backend, name):
    if backend.lazy:
        pytest.skip("takes long on a lazy library")
    run, objective = begin(name, backend, max_iterations=8)
    while run.running:
        step(run, objective)
    by_hand = run.result()
    whole = hessx.minimize(
        chained_rosenbrock, backend.asarray(START), jac=True, hessp=PRODUCTS[chained_rosenbrock],
        method=METHODS[name], options={"maxiter": 8},
    )  # fmt: skip
    for part in ("x", "jac"):
        np.testing.assert_array_equal(
            backend.to_numpy(by_hand[part]), backend.to_numpy(whole[part])
        )
    for part in ("fun", "nit", "nfev", "njev", "nhev", "outcome", "message", "status"):
        assert by_hand[part] == whole[part]


@each
def test_the_hessian_is_wanted_once_per_accepted_point(name):
    run, objective = begin(name, max_iterations=10)
    wanted = []
    while run.running:
        if run.wants_hessian:
            assert run.request.x is run.state.point.x
            wanted.append(run.request.x.tobytes())
        run.absorb(objective.answer(run.request))
        if run.running:
            run.go_on()
    if name == "lbfgs":
        assert wanted == []
    else:
        assert len(wanted) == len(set(wanted))
        assert run.state.iteration <= len(wanted) <= run.state.iteration + 1


@each
def test_a_result_between_any_two_evaluations(name):
    """It is the best point so far, whenever it is asked for."""
    run, objective = begin(name)
    seen = []
    for _ in range(12):
        x = run.state.request.x
        seen.append((float(chained_rosenbrock(x)[0]), x.copy()))
        run.absorb(objective.answer(run.request))
        value, best = min(seen, key=lambda pair: pair[0])
        result = run.result()
        if result.outcome is Outcome.RUNNING:
            assert result.status == -1
            assert not result.success
        assert result.fun <= seen[0][0]
        if not run.state.accepted:
            assert result.fun == value
            np.testing.assert_array_equal(result.x, best)
        linearise(run, objective)


@each
def test_a_spent_reply_is_refused(name):
    run, objective = begin(name)
    first = run.state.request
    step(run, objective)
    with pytest.raises(ValueError, match="spent"):
        run.absorb(Reply(first.ticket, *chained_rosenbrock(first.x)))


@each
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_start_without_a_value(name, bad):
    run, objective = begin(name, fun=lambda x: (bad, x))
    run.absorb(objective.answer(run.request))
    assert run.outcome is Outcome.FAILED_NONFINITE
    assert not run.running
    assert not run.wants_hessian
    result = run.result()
    np.testing.assert_array_equal(result.x, START)
    assert result.counts == Counts(1, 1, 0)


def test_on_success_the_current_point_is_returned_else_the_best():
    run, objective = begin("trust")
    step(run, objective)
    point, best = run.state.point, object()
    run.state.best = best
    assert returned_point(run.state, Outcome.CONVERGED_GRADIENT) is point
    assert returned_point(run.state, Outcome.LIMIT_ITERATIONS) is best
    run.state.best = None
    assert returned_point(run.state, Outcome.LIMIT_ITERATIONS) is point
