"""Two methods in turn: one run, in which the second begins where the first has come to."""

from __future__ import annotations

import functools
import io

import numpy as np
import pytest

import hessx
from _helpers.driving import drive
from _helpers.registry import make_backend
from _helpers.resuming import START, StoppedError, product, put_down, run, taken_up, trail
from _helpers.runs import bowl, chained_rosenbrock, matrix_of, product_of
from _helpers.solvers import MINIMISER, Quadratic
from hessx import Outcome, SettingsError, _xp

_RULE = hessx.HagerZhang()
GD = hessx.LineSearchMethod(hessx.Identity(), _RULE)
PAIRS = hessx.LineSearchMethod(hessx.LBFGS(memory=4), _RULE)
NEWTON_CG = hessx.LineSearchMethod(hessx.NewtonCG(), _RULE)
REGION = hessx.TrustRegionMethod()
METHODS = {
    "gd, lbfgs": hessx.SwitchMethod(GD, PAIRS, 3),
    "gd, newton-cg": hessx.SwitchMethod(GD, NEWTON_CG, 3),
    "lbfgs, newton-cg": hessx.SwitchMethod(PAIRS, NEWTON_CG, 4),
    "lbfgs, region": hessx.SwitchMethod(PAIRS, REGION, 4),
    "region, lbfgs": hessx.SwitchMethod(REGION, PAIRS, 2),
    "cg, dense": hessx.SwitchMethod(
        hessx.LineSearchMethod(hessx.NonlinearCG(), hessx.MoreThuente(c2=0.1)),
        hessx.TrustRegionMethod(hessx.BFGS(), hessx.Dogleg()),
        hessx.ModelGood(),
    ),
}
each = pytest.mark.parametrize("name", METHODS)


def minimise(fun, x0, method, **settings):
    given = {"jac": True, "hessp": product_of(fun)} | settings
    return hessx.minimize(fun, x0, method=method, **given)


# on every backend


@each
def test_kind_solution_and_counts(backend, name):
    fun, x0 = Quadratic(backend), backend.asarray(np.zeros((2, 3)))
    result = minimise(fun, x0, METHODS[name])
    backend.assert_same_kind(result.x, x0)
    backend.assert_same_kind(result.jac, x0)
    assert result.outcome is Outcome.CONVERGED_GRADIENT, result.message
    assert (result.nfev, result.nhev) == (fun.calls, fun.products)
    x = backend.to_numpy(result.x)
    gtol = 1e-5 if backend.dtype_name == "float64" else 1e-3
    assert abs(x - MINIMISER).max() <= gtol + 20 * backend.eps


def iterates(backend, name):
    seen = []
    result = minimise(
        chained_rosenbrock,
        backend.asarray(START),
        METHODS[name],
        callback=lambda x: seen.append(backend.to_numpy(x).astype(np.float64)),
        options={"maxiter": 7, "gtol": 0.0},
    )
    assert "took over" in result.message
    return seen


@functools.cache
def on_numpy(name):
    return iterates(make_backend("numpy"), name)


@each
def test_the_same_iterates_everywhere(backend, name):
    np.testing.assert_allclose(
        iterates(backend, name), on_numpy(name), rtol=0, atol=1e5 * backend.eps
    )


@each
@pytest.mark.backends("fakegpu")
def test_nothing_waits_outside_of_the_one_door(backend, name):
    x0 = backend.asarray(START)
    with backend.meter.forbid_waits(_xp.fetch, _xp.upload):
        result = minimise(chained_rosenbrock, x0, METHODS[name], options={"maxiter": 7})
    assert "took over" in result.message


@pytest.mark.parametrize("second", [PAIRS, NEWTON_CG], ids=["lbfgs", "newton-cg"])
def test_the_change_costs_one_fetch(second):
    """Beside one for each trial and each product."""
    with _xp.record_fetches() as ledger:
        result = minimise(bowl, np.linspace(1.3, 2.2, 6), hessx.SwitchMethod(GD, second, 2))
    assert "took over" in result.message
    assert ledger.fetches == result.nfev + result.nhev + 1


# what one run of two methods is


@pytest.mark.parametrize("second", [PAIRS, NEWTON_CG, REGION], ids=["lbfgs", "newton-cg", "region"])
@pytest.mark.parametrize("first", [GD, PAIRS], ids=["gd", "lbfgs"])
def test_the_second_does_what_it_does_alone_from_there(first, second):
    """Without what the first has learnt; the point is not evaluated again."""
    x0, seen = np.linspace(1.3, 2.2, 6), []
    method = hessx.SwitchMethod(first, second, 2, carry=False)
    whole = minimise(bowl, x0, method, callback=seen.append)
    begin = minimise(bowl, x0, first, options={"maxiter": 2})
    alone = []
    then = minimise(bowl, begin.x, second, callback=alone.append)
    assert whole.success and then.success
    np.testing.assert_array_equal(seen[2:], alone)
    assert (whole.fun, whole.nit) == (then.fun, 2 + then.nit)
    assert whole.nfev == begin.nfev + then.nfev - 1
    assert whole.nhev == then.nhev


def test_pairs_go_on():
    """What the first has met of the Hessian is not to be found out again."""
    h = np.geomspace(1.0, 1e3, 8)
    fun = lambda x: (h @ x**2 / 2, h * x)  # noqa: E731
    given = {"jac": True, "hessp": lambda x, v: h * v, "options": {"gtol": 1e-10}}
    first = hessx.LineSearchMethod(hessx.LBFGS(memory=40), hessx.MoreThuente(c2=1e-3))
    for second in (REGION, NEWTON_CG, hessx.LineSearchMethod(hessx.LBFGS(memory=40), _RULE)):
        kept, dropped = (
            hessx.minimize(fun, np.ones(8), method=method, **given)
            for method in (
                hessx.SwitchMethod(first, second, 5, carry=carry) for carry in (True, False)
            )
        )
        assert kept.success and dropped.success
        assert kept.nfev + kept.nhev < dropped.nfev + dropped.nhev


def test_history_and_message():
    result = minimise(chained_rosenbrock, START, METHODS["lbfgs, region"], history=True)
    assert result.success
    assert "the second method took over at step 4: as set" in result.message
    history = result.history
    assert history["iteration"] == list(range(result.nit + 1))
    assert [record.iteration for record in history if record.note == "switch"] == [4]
    assert sum(history["trials"]) == result.nfev - 1
    assert history["evaluations"] == sorted(history["evaluations"])
    assert np.isfinite(history["step_norm"][1:]).all()


@pytest.mark.parametrize("power", [-9, 12])
def test_scaled_values_change_nothing(power):
    """f times a power of two, with its tolerance: the same iterates, bit by bit."""
    c = 2.0**power

    def scaled(x):
        value, grad = chained_rosenbrock(x)
        return c * value, c * grad

    runs = []
    for fun, unit in ((chained_rosenbrock, 1.0), (scaled, c)):
        result = hessx.minimize(
            fun, START, jac=True, hessp=lambda x, v, unit=unit: unit * product(x, v),
            method="lbfgs-newton-cg", options={"gtol": 1e-5 * unit},
        )  # fmt: skip
        assert "a parabola" in result.message
        runs.append((result.x.tobytes(), result.nfev, result.nhev))
    assert runs[0] == runs[1]


def test_maximised():
    def hill(x):
        value, grad = bowl(x)
        return -value, -grad

    x0, given = np.linspace(1.3, 2.2, 6), {"options": {"gtol": 1e-9}}
    down = minimise(bowl, x0, METHODS["gd, newton-cg"], **given)
    up = hessx.minimize(
        hill, x0, jac=True, hessp=lambda x, v: -product_of(bowl)(x, v), maximize=True,
        method=METHODS["gd, newton-cg"], **given,
    )  # fmt: skip
    assert up.success
    np.testing.assert_array_equal(up.x, down.x)


@each
def test_states_can_be_copied(name):
    """With each transition on a deep copy the run is the same, bit by bit."""
    backend = make_backend("numpy")
    ways = (
        drive(METHODS[name], backend, START, chained_rosenbrock, copying=copying, product=product)
        for copying in (False, True)
    )
    for _, one, other in zip(range(16), *ways, strict=False):
        np.testing.assert_array_equal(one.x, other.x)


# stopping, failing, taking up


@each
@pytest.mark.backends("numpy", "torch")
def test_put_down_after_each_evaluation(backend, name, tmp_path):
    x0, method = backend.asarray(START), METHODS[name]
    whole = run(x0, name, method=method)
    assert "took over" in whole.message
    expected = trail(whole, backend.to_numpy)
    for evaluations in range(0, whole.nfev, 1 if backend.name == "numpy" else 3):
        data = put_down(x0, name, evaluations, tmp_path, method=method)
        result = taken_up(data, x0, name, method=None)
        assert trail(result, backend.to_numpy) == expected, evaluations


def test_asked_and_told():
    method = METHODS["gd, newton-cg"]
    alone = minimise(bowl, [2.0, 0.5], method)
    session, wanted = hessx.AskTell([2.0, 0.5], method), []
    while not session.done:
        x = session.ask()
        wanted.append(session.wants)
        if session.wants == "hessian":
            session.tell(hessian=matrix_of(bowl)(x))
        else:
            session.tell(*bowl(x))
    assert wanted[:3] == ["value and gradient"] * 3
    assert "hessian" in wanted
    np.testing.assert_allclose(session.result().x, alone.x, atol=1e-6)
    assert session.result().nfev == alone.nfev


@each
@pytest.mark.parametrize("limit", [1, 3, 5])
def test_limits_hold(name, limit):
    x0 = np.linspace(1.3, 2.2, 6)
    by_steps, by_calls = (
        minimise(chained_rosenbrock, x0, METHODS[name], options={"gtol": 0.0, option: limit})
        for option in ("maxiter", "maxfun")
    )
    assert (by_steps.outcome, by_steps.nit) == (Outcome.LIMIT_ITERATIONS, limit)
    assert (by_calls.outcome, by_calls.nfev) == (Outcome.LIMIT_EVALUATIONS, limit)


def test_products_are_limited_in_the_second():
    result = minimise(
        chained_rosenbrock, START, METHODS["lbfgs, newton-cg"], options={"max_products": 4}
    )
    assert (result.outcome, result.nhev) == (Outcome.LIMIT_EVALUATIONS, 4)


def test_where_the_first_fails_the_second_takes_over():
    """A search of one trial, of which the first is far too long."""
    blunt = hessx.LineSearchMethod(hessx.Identity(), hessx.Armijo(max_trials=1), x_scale=1e3)
    x0 = np.array([3.0, -1.0])
    alone = hessx.minimize(bowl, x0, jac=True, method=blunt)
    assert alone.outcome is Outcome.FAILED_LINE_SEARCH
    result = hessx.minimize(bowl, x0, jac=True, method=hessx.SwitchMethod(blunt, PAIRS, ()))
    assert result.success, result.message
    assert f"took over at step {alone.nit}: failed: line search, no acceptable" in result.message
    np.testing.assert_allclose(result.x, 1.0, atol=1e-5)


def test_a_start_that_is_none_is_reported_at_once():
    nowhere = lambda x: (np.nan, x)  # noqa: E731
    result = hessx.minimize(nowhere, [30.0, 1.0], jac=True, method=METHODS["gd, lbfgs"])
    assert (result.outcome, result.nfev) == (Outcome.FAILED_NONFINITE, 1)


def test_a_success_of_the_first_is_one():
    result = minimise(bowl, np.full(3, 2.0), hessx.SwitchMethod(PAIRS, REGION, 1000))
    assert result.success
    assert "took over" not in result.message
    assert result.nhev == 0


def test_a_stationary_start_is_left_by_the_second():
    def saddle(x):
        return x[0] ** 4 / 4 - x[0] ** 2 / 2 + x[1] ** 2, np.array([x[0] ** 3 - x[0], 2 * x[1]])

    def hess(x):
        return np.diag([3 * x[0] ** 2 - 1, 2.0])

    result = hessx.minimize(saddle, [0.0, 0.0], jac=True, hess=hess, method="gd-newton-cg")
    assert result.success
    assert result.fun == pytest.approx(-0.25)
    stays = hessx.minimize(saddle, [0.0, 0.0], jac=True, method="gd-lbfgs")
    assert (stays.nit, stays.success) == (0, True)
    assert "second order was not checked" in stays.message


# on samples first


@pytest.fixture
def regression(rng):
    A, b = rng.standard_normal((60, 4)), rng.standard_normal(60)

    def fun(x, A, b):
        r = A @ x - b
        return r @ r / (2 * len(r)), A.T @ r / len(r)

    return hessx.FiniteSum(fun, (A, b), jac=True), np.linalg.lstsq(A, b)[0]


OPTIONS = {"rate": 0.05, "batch_size": 10, "epochs": 3}


def test_samples_then_the_whole(regression):
    loss, expected = regression
    adam = hessx.minimize(loss, np.zeros(4), method="adam", options=OPTIONS)
    result = hessx.minimize(loss, np.zeros(4), method="adam-lbfgs", options=OPTIONS, history=True)
    assert result.success, result.message
    assert "took over at step 18: 18 steps, 3 epochs" in result.message
    np.testing.assert_allclose(result.x, expected, atol=1e-4)
    assert adam.fun in result.history["value"]
    then = hessx.minimize(loss, adam.x, method="lbfgs")
    assert result.nfev == adam.nfev + then.nfev - 1
    assert result.counts.rows == adam.counts.rows + then.counts.rows - 60


def test_a_rule_ends_the_samples(regression):
    loss, expected = regression
    options = OPTIONS | {"epochs": 400, "switch": hessx.Stalled(steps=3)}
    result = hessx.minimize(loss, np.zeros(4), method="adam-lbfgs", options=options)
    assert result.success
    assert "f fell by" in result.message
    assert result.nit < 400 * 6
    np.testing.assert_allclose(result.x, expected, atol=1e-4)


def test_a_number_of_steps_on_samples_is_kept_to(regression):
    loss, _ = regression
    options = OPTIONS | {"epochs": 30, "switch": 20}  # 6 steps an epoch
    result = hessx.minimize(loss, np.zeros(4), method="adam-lbfgs", options=options)
    assert result.success and "took over at step 20" in result.message
    fewer = hessx.minimize(loss, np.zeros(4), method="adam-lbfgs", options=OPTIONS | {"switch": 20})
    assert "took over at step 18: 18 steps, 3 epochs" in fewer.message


def test_samples_put_down_after_each_evaluation(regression):
    loss, _ = regression
    whole = hessx.minimize(loss, np.zeros(4), method="adam-lbfgs", options=OPTIONS, history=True)
    for limit in range(1, whole.nfev):
        options = OPTIONS | {"maxfun": limit}
        short = hessx.minimize(
            loss, np.zeros(4), method="adam-lbfgs", options=options, history=True
        )
        assert short.outcome is Outcome.LIMIT_EVALUATIONS
        if "took over" not in short.message:
            continue  # it has evaluated the whole, to close with
        file = io.BytesIO()
        hessx.save(file, short)
        again = hessx.minimize(
            loss, np.zeros(4), resume=hessx.load(io.BytesIO(file.getvalue())), history=True,
            options={},
        )  # fmt: skip
        assert trail(again) == trail(whole)


# what cannot be meant

SAMPLED = hessx.StochasticMethod(hessx.SGD(), rate=0.1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hessx.SwitchMethod(GD, SAMPLED), "second is a StochasticMethod: expected a hessx"),
        (lambda: hessx.SwitchMethod("gd", PAIRS), "first is a str"),
        (lambda: hessx.SwitchMethod(GD, hessx.LBFGS()), "second is a LBFGS"),
        (lambda: hessx.SwitchMethod(hessx.LineSearchMethod, PAIRS), "first is the class"),
        (lambda: hessx.SwitchMethod(METHODS["gd, lbfgs"], PAIRS), "first is a SwitchMethod"),
        (lambda: hessx.SwitchMethod(GD, PAIRS, 0.1), "when = 0.1: expected a number of steps"),
        (lambda: hessx.SwitchMethod(GD, PAIRS, True), "when = True"),
        (lambda: hessx.SwitchMethod(GD, PAIRS, 0), "steps = 0"),
        (lambda: hessx.SwitchMethod(GD, PAIRS, hessx.Stalled), "when ="),
        (lambda: hessx.SwitchMethod(GD, PAIRS, carry="no"), "carry = 'no'"),
        (lambda: hessx.SwitchMethod(SAMPLED, PAIRS, hessx.ModelGood()), "ModelGood.* on samples"),
        (lambda: hessx.SwitchMethod(SAMPLED, PAIRS, hessx.GradientBelow()), "GradientBelow"),
        (lambda: hessx.ModelGood(tolerance=0.0), "tolerance = 0.0"),
        (lambda: hessx.GradientBelow(1.0), "factor = 1.0"),
        (lambda: hessx.Stalled(steps=0), "steps = 0"),
        (lambda: hessx.PairPreconditioner(hess_inv0=2.0), "hess_inv0 is a float: expected the hes"),
    ],
)
def test_parts_that_do_not_fit(make, message):
    with pytest.raises(SettingsError, match=message):
        make()


def test_options_of_both_and_of_neither():
    given = {"maxcor": 3, "max_inner": 5, "c2": 0.5, "switch": 2}
    result = minimise(bowl, [2.0, 0.5], "lbfgs-newton-cg", options=given)
    method = result.checkpoint.method
    assert method.first.direction.approximation.memory == 3
    assert method.second.direction.max_inner == 5
    assert method.first.rule.c2 == method.second.rule.c2 == 0.5
    with pytest.raises(ValueError, match="unknown option 'max_basis'"):
        minimise(bowl, [2.0], "lbfgs-newton-cg", options={"max_basis": 3})
    with pytest.raises(SettingsError, match="x_scale"):
        hessx.minimize(bowl, [2.0], jac=True, method="adam-lbfgs", options={"x_scale": 2.0})


def test_missing_derivatives_are_told_at_once():
    calls = []
    with pytest.raises(ValueError, match="second-order methods need products with the Hessian"):
        hessx.minimize(lambda x: calls.append(1) or x @ x, [1.0], method="gd-newton-cg")
    assert not calls
    assert hessx.minimize(lambda x: x @ x, [1.0, 2.0], method="gd-lbfgs").success


def test_a_file_of_another_method_is_refused(tmp_path):
    data = put_down(START, "", 3, tmp_path, method=METHODS["gd, lbfgs"])
    with pytest.raises(SettingsError, match="method"):
        taken_up(data, START, "", method=METHODS["gd, newton-cg"])
    with pytest.raises(StoppedError):
        run(START, "", method=METHODS["gd, lbfgs"], stop_after=2)


@pytest.mark.parametrize("method", ["adam", "adam-lbfgs"])
def test_a_limit_at_the_last_step_on_samples_makes_no_further_step(regression, method):
    loss, _ = regression
    whole = hessx.minimize(loss, np.zeros(4), method=method, options=OPTIONS, history=True)
    short = hessx.minimize(
        loss, np.zeros(4), method=method, options=OPTIONS | {"maxfun": 18}, history=True
    )
    assert short.outcome is Outcome.LIMIT_EVALUATIONS and short.nit == 18  # of 3 epochs
    again = hessx.minimize(
        loss, np.zeros(4), method=method, options=OPTIONS, resume=short, history=True
    )
    assert again.nit == whole.nit and again.outcome is whole.outcome
    np.testing.assert_array_equal(again.x, whole.x)
    np.testing.assert_array_equal(again.history["value"], whole.history["value"])
