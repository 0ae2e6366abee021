"""Ctrl-C ends a run with the best point in the result; the second one acts as it always does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import hessx
from _helpers.resuming import METHODS, SECOND_ORDER, START, product, run, trail
from _helpers.runs import chained_rosenbrock
from hessx import Outcome

pytestmark = pytest.mark.skipif(os.name != "posix", reason="os.kill with SIGINT is POSIX")


def press():
    os.kill(os.getpid(), signal.SIGINT)


def pressing(times, then=lambda: None):
    """f that presses Ctrl-C in some of its evaluations, counted from 1."""
    calls = 0

    def fun(x):
        nonlocal calls
        calls += 1
        if calls in times:
            press()
            then()
        return chained_rosenbrock(x)

    return fun


@pytest.fixture(autouse=True)
def usual():
    """Python's own handler, before and after."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    after = signal.signal(signal.SIGINT, before)
    assert after is signal.default_int_handler


@pytest.mark.parametrize("name", ["lbfgs-hz", "cg-hs+", "trust region", "newton-cg"])
@pytest.mark.parametrize("when", [1, 2, 9])
def test_inside_f(name, when):
    method, values = METHODS[name], []

    def fun(x):
        value, grad = interrupting(x)
        values.append(value)
        return value, grad

    interrupting = pressing({when})
    result = hessx.minimize(fun, START, jac=True, hessp=product, method=method)
    assert (result.outcome, result.status, result.nfev) == (Outcome.STOPPED_BY_USER, 99, when)
    assert "interrupted" in result.message
    assert result.fun == min(values) == chained_rosenbrock(result.x)[0]


@pytest.mark.parametrize("name", SECOND_ORDER)
def test_inside_a_product(name):
    """Inner CG takes no further product, and f is not evaluated again."""
    products = 0

    def hessp(x, v):
        nonlocal products
        products += 1
        if products == 12:
            press()
        return product(x, v)

    result = hessx.minimize(chained_rosenbrock, START, jac=True, hessp=hessp, method=METHODS[name])
    assert result.outcome is Outcome.STOPPED_BY_USER
    assert result.nhev == products == 12
    assert result.fun == chained_rosenbrock(result.x)[0]
    assert result.fun < chained_rosenbrock(START)[0]


@pytest.mark.parametrize("name", ["trust region", "newton-cg"])
def test_while_the_hessian_is_evaluated(name):
    """No product is taken then, and the run that is taken up is as if nothing had been."""
    settings = {"jac": True, "method": METHODS[name], "history": True}
    calls = 0

    def hess(x):
        nonlocal calls
        calls += 1
        if calls == 5:
            press()
        return lambda v: product(x, v)

    short = hessx.minimize(chained_rosenbrock, START, hess=hess, **settings)
    assert (short.outcome, calls, short.nit) == (Outcome.STOPPED_BY_USER, 5, 4)
    whole = hessx.minimize(chained_rosenbrock, START, hessp=product, **settings)
    result = hessx.minimize(chained_rosenbrock, START, hessp=product, resume=short, **settings)
    assert trail(result) == trail(whole)


def test_the_run_is_taken_up_again(tmp_path):
    path = tmp_path / "run.hessx"
    short = hessx.minimize(
        pressing({6}), START, jac=True, method=METHODS["lbfgs-hz"], history=True, checkpoint=path
    )
    assert (short.outcome, short.nfev) == (Outcome.STOPPED_BY_USER, 6)
    whole = trail(run(START, "lbfgs-hz"))
    assert trail(run(START, "lbfgs-hz", resume=path)) == whole
    assert trail(run(START, "lbfgs-hz", resume=short)) == whole


def test_a_step_that_was_cut_off_is_tried_when_the_run_goes_on():
    products = 0

    def hessp(x, v):
        nonlocal products
        products += 1
        if products == 12:
            press()
        return product(x, v)

    settings = {"jac": True, "method": METHODS["newton-cg"]}
    short = hessx.minimize(chained_rosenbrock, START, hessp=hessp, **settings)
    assert short.outcome is Outcome.STOPPED_BY_USER
    result = hessx.minimize(chained_rosenbrock, START, hessp=product, resume=short, **settings)
    assert result.success
    assert result.nfev > short.nfev


@pytest.mark.parametrize("name", ["lbfgs-hz", "damped", "scaled"])
def test_between_a_proposal_and_its_answer(name, monkeypatch):
    """Ctrl-C inside the solver; hess_inv of the result spoils nothing that is needed later."""
    method, proposals = METHODS[name], 0
    propose = hessx.LineSearchMethod.propose

    def pressed(self, state, watch):
        nonlocal proposals
        proposals += 1
        if proposals == 9:
            press()
        return propose(self, state, watch)

    whole = run(START, name)
    monkeypatch.setattr(hessx.LineSearchMethod, "propose", pressed)
    short = run(START, name)
    assert (short.outcome, short.nfev) == (Outcome.STOPPED_BY_USER, 9)
    assert np.isfinite(short.hess_inv.todense()).all()
    assert trail(run(START, name, method=method, resume=short)) == trail(whole)


def test_the_second_one_raises():
    with pytest.raises(KeyboardInterrupt):
        hessx.minimize(pressing({3}, then=press), START, jac=True)


def test_a_run_inside_f_ends_and_the_outer_one_with_it():
    inner = []

    def fun(x):
        if len(inner) == 3:
            inner.append(hessx.minimize(pressing({2}), START, jac=True))
        else:
            inner.append(None)
        return chained_rosenbrock(x)

    result = hessx.minimize(fun, START, jac=True)
    assert inner[3].outcome is Outcome.STOPPED_BY_USER
    assert (result.outcome, result.nfev) == (Outcome.STOPPED_BY_USER, 4)


def test_a_handler_of_the_programs_own_stays():
    seen = []

    def own(number, frame):
        seen.append(number)

    signal.signal(signal.SIGINT, own)
    try:
        result = hessx.minimize(pressing({2}), START, jac=True, tol=1e-4)
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    assert result.success
    assert seen == [signal.SIGINT]


def test_other_threads_leave_signals_alone():
    results, handlers = [], []

    def fun(x):
        handlers.append(signal.getsignal(signal.SIGINT))
        return chained_rosenbrock(x)

    def minimise():
        results.append(hessx.minimize(fun, START, jac=True, tol=1e-4))

    thread = threading.Thread(target=minimise)
    thread.start()
    thread.join()
    assert results[0].success
    assert set(handlers) == {signal.default_int_handler}


def test_an_error_in_f_restores_the_handler():
    def fail(x):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        hessx.minimize(fail, START, jac=True)


def test_ask_and_tell():
    """While the user evaluates, Ctrl-C is the user's; within tell it ends the run."""
    session = hessx.AskTell(START, METHODS["newton-cg"])
    with pytest.raises(KeyboardInterrupt):
        pressing({1})(session.ask())
    session.tell(*chained_rosenbrock(session.ask()))

    def interrupted(v):
        press()
        return product(START, v)

    session.ask()
    session.tell(hessian=interrupted)
    assert session.done
    result = session.result()
    assert (result.outcome, result.nfev, result.nhev) == (Outcome.STOPPED_BY_USER, 1, 1)
    np.testing.assert_array_equal(result.x, START)


SLOW = """
import sys, time
import numpy as np, hessx

def fun(x):
    print("evaluating", flush=True)
    time.sleep(0.3)
    return float(x @ x), 2 * x

result = hessx.minimize(fun, np.full(3, 5.0), jac=True, method=hessx.LineSearchMethod(
    hessx.Identity(), hessx.FixedStep(1e-3)))
print(result.outcome.name, result.nfev, result.fun < 75.0)
"""


def test_a_real_signal_from_outside():
    child = subprocess.Popen([sys.executable, "-c", SLOW], stdout=subprocess.PIPE, text=True)
    try:
        for _ in range(2):
            assert child.stdout.readline() == "evaluating\n"
        time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        rest, _ = child.communicate(timeout=60)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 0
    assert rest == "STOPPED_BY_USER 2 True\n"
