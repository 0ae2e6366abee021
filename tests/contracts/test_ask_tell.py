"""A run whose function is evaluated by the user is the run of minimize."""

from __future__ import annotations

import io

import numpy as np
import pytest

import hessx
from _helpers.resuming import LIMIT, METHODS, START, product, run, trail
from _helpers.runs import bowl, chained_rosenbrock
from hessx import Outcome

every_method = pytest.mark.parametrize("name", METHODS)


def evaluate(session, fun=chained_rosenbrock):
    """Answer one question."""
    x = session.ask()
    if session.wants == "hessian":
        session.tell(hessian=lambda v: product(x, v))
    else:
        session.tell(*fun(x))


def begin(x0, name, **settings):
    return hessx.AskTell(x0, METHODS[name], {"maxfun": LIMIT}, history=True, **settings)


@every_method
@pytest.mark.backends("numpy", "torch", "strict-device1", "jax")
def test_the_same_run_as_minimize(backend, name):
    x0 = backend.asarray(START)
    session = begin(x0, name)
    while not session.done:
        evaluate(session)
    result = session.result()
    backend.assert_same_kind(result.x, x0)
    assert trail(result, backend.to_numpy) == trail(run(x0, name), backend.to_numpy)


@every_method
def test_saved_between_any_two_answers(name):
    """Before a point was asked for, while it is evaluated, and while a Hessian is wanted."""
    whole = trail(run(START, name))
    session, steps = begin(START, name), 0
    while not session.done:
        if steps % 2:
            session.ask()
        file = io.BytesIO()
        hessx.save(file, session)
        kept = session.checkpoint
        evaluate(session)  # the run that goes on does not write to what was saved
        steps += 1
        if steps % 4 == 0:
            session = begin(START, name, resume=hessx.load(file))
        elif steps % 5 == 0:
            session = begin(START, name, resume=kept)
        assert steps < 300
    result = session.result()
    assert trail(result) == whole
    assert trail(run(START, name, resume=session)) == whole


def test_any_form_of_the_hessian(backend, xp):
    x0, H = backend.asarray([1.0, 2.0]), backend.asarray([[3.0, 1.0], [1.0, 2.0]])
    forms = [H, lambda v: H @ v, hessx.DenseOperator(H)]
    for form in forms:
        session = hessx.AskTell(x0, METHODS["trust region"])
        while not session.done:
            x = session.ask()
            if session.wants == "hessian":
                session.tell(hessian=form)
            else:
                session.tell(x @ (H @ x) / 2, H @ x)
        result = session.result()
        assert result.success
        assert result.nhev > 0
        np.testing.assert_allclose(backend.to_numpy(result.x), 0.0, atol=1e-3)


def test_the_shape_of_x_and_maximisation(backend):
    x0 = backend.asarray([[3.0, 0.5, -1.0], [2.0, 1.0, 0.0]])
    session = hessx.AskTell(x0, "cg", maximize=True)
    while not session.done:
        x = session.ask()
        backend.assert_same_kind(x, x0)
        value, grad = bowl(x)
        session.tell(-value, -grad)
    result = session.result()
    assert result.success
    assert result.fun <= 0.0
    np.testing.assert_allclose(backend.to_numpy(result.x), 1.0, atol=1e-2)


def test_a_tree():
    session = hessx.AskTell({"a": np.zeros(2), "b": np.zeros((2, 1))})
    while not session.done:
        x = session.ask()
        a, b = x["a"] - 1.0, x["b"] + 2.0
        session.tell(float(a @ a + (b * b).sum()), {"a": 2.0 * a, "b": 2.0 * b})
    x = session.result().x
    np.testing.assert_allclose(x["a"], 1.0, atol=1e-5)
    np.testing.assert_allclose(x["b"], [[-2.0], [-2.0]], atol=1e-5)


def test_the_same_point_until_it_is_told():
    session = begin(START, "trust region")
    session.ask()[:] = np.nan  # an array of the asker's
    np.testing.assert_array_equal(session.ask(), START)
    session.tell(*chained_rosenbrock(START))
    assert session.wants == "hessian"
    session.ask()[:] = np.nan
    np.testing.assert_array_equal(session.ask(), START)


def test_the_best_point_before_the_end():
    session = begin(START, "lbfgs-hz")
    with pytest.raises(ValueError, match="nothing has been told yet"):
        session.result()
    for _ in range(8):
        evaluate(session)
        before = session.ask().copy()
        result = session.result()
        assert (result.outcome, result.success, result.status) == (Outcome.RUNNING, False, -1)
        assert "checkpoint" not in result
        assert result.fun == chained_rosenbrock(result.x)[0]
        np.testing.assert_array_equal(session.ask(), before)
    while not session.done:  # a look at the result has changed nothing
        evaluate(session)
    assert trail(session.result()) == trail(run(START, "lbfgs-hz"))


def test_limits_and_callbacks_end_the_run():
    seen = []
    session = hessx.AskTell(START, options={"maxiter": 3}, callback=lambda x: seen.append(x))
    while not session.done:
        evaluate(session)
    assert session.result().outcome is Outcome.LIMIT_ITERATIONS
    assert len(seen) == 3
    session = hessx.AskTell(START, max_seconds=0.0)
    evaluate(session)
    assert session.result().outcome is Outcome.LIMIT_TIME


G = np.zeros(7)


@pytest.mark.parametrize(
    ("told", "error", "message"),
    [
        (((1.0,), {}), ValueError, r"told value: expected tell\(value, grad\), for value and"),
        (((), {}), ValueError, r"told nothing: expected tell\(value, grad\)"),
        (((), {"hessian": np.eye(7)}), ValueError, "told hessian: expected tell.value, grad."),
        (((1.0, G), {"hessian": np.eye(7)}), ValueError, "told value and grad and hessian"),
        (((1.0, G[:2]), {}), ValueError, r"the gradient has shape \(2,\): expected \(7,\)"),
        (((1.0, [0.0]), {}), ValueError, r"the gradient has shape \(1,\): expected \(7,\)"),
        (((1.0, ["0.0"] * 7), {}), TypeError, "the gradient has type list"),
        ((("low", G), {}), TypeError, "returned a str: expected a number"),
        ((("low", G.astype("f4")), {}), TypeError, "returned a str: expected a number"),
    ],
)
def test_what_is_told_instead_of_a_value(told, error, message):
    session = begin(START, "trust region")
    session.ask()
    with pytest.raises(error, match=message):
        session.tell(*told[0], **told[1])
    session.tell(*chained_rosenbrock(session.ask()))  # nothing was spoilt
    assert session.result().nfev == 1


@pytest.mark.parametrize(
    ("told", "error", "message"),
    [
        (((1.0, G), {}), ValueError, r"told value and grad: expected tell\(hessian=H\)"),
        (((), {"hessian": np.eye(3)}), ValueError, r"shape \(3, 3\): expected \(7, 7\)"),
        (((), {"hessian": "H"}), TypeError, "is a str: expected an array"),
    ],
)
def test_what_is_told_instead_of_a_hessian(told, error, message):
    session = begin(START, "trust region")
    evaluate(session)
    session.ask()
    with pytest.raises(error, match=message):
        session.tell(*told[0], **told[1])
    assert session.wants == "hessian"


def test_told_without_being_asked():
    session = begin(START, "lbfgs-hz")
    with pytest.raises(ValueError, match="tell without ask"):
        session.tell(1.0, G)
    session.tell(*chained_rosenbrock(session.ask()))
    with pytest.raises(ValueError, match="tell without ask"):
        session.tell(1.0, G)


def test_asked_after_the_end():
    session = hessx.AskTell([1.0])
    session.ask()
    session.tell(0.0, np.zeros(1))
    assert (session.done, session.wants) == (True, "nothing")
    assert session.result().success
    with pytest.raises(ValueError, match=r"the run has ended \(converged: gradient\): see result"):
        session.ask()
