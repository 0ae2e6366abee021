"""Arrays and states belong to who made them: the user's stay as they were, spent states refuse."""

from __future__ import annotations

import copy
from itertools import islice

import numpy as np
import pytest

import hessx
from _helpers.driving import HessianByHand, absorbed, drive, never
from _helpers.registry import make_backend
from _helpers.runs import chained_rosenbrock, product_of
from _helpers.solvers import EVERY, LEARNING, MEMORY, NEWTON, products
from _helpers.trees import leaves
from hessx._xp import _numpy_rows, _recycler, space_of
from hessx.core import Reply, Wants

START = np.array([-1.2, 1.0, 0.8, 0.5, 1.5, 0.0])
# a shorter step, which Rosenbrock's function needs
METHODS = (
    EVERY
    | LEARNING
    | {
        "fixed": hessx.LineSearchMethod(hessx.Identity(), hessx.FixedStep(1e-3)),
        "decaying": hessx.LineSearchMethod(hessx.Identity(), hessx.DecayingStep(1e-3)),
        "inverse": hessx.LineSearchMethod(
            hessx.ExactInverse(200.0 * np.eye(6)), hessx.HagerZhang()
        ),
        "damped": hessx.LineSearchMethod(hessx.LBFGS(memory=MEMORY, damping=0.2), hessx.Armijo()),
        "scaled": hessx.LineSearchMethod(
            hessx.LBFGS(memory=3), hessx.MoreThuente(), [1.0, 2.0, 1.0, 0.5, 1.0, 3.0]
        ),
    }
)
every_method = pytest.mark.parametrize("name", METHODS)


def iterates(backend, fun, name, wrap=lambda fun: fun):
    seen = []
    result = hessx.minimize(
        wrap(fun),
        backend.asarray(START),
        jac=True,
        method=METHODS[name],
        callback=lambda x: seen.append(backend.to_numpy(x).copy()),
        options={"maxiter": 12},
        **products(name, fun),
    )
    seen += [backend.to_numpy(result.x), backend.to_numpy(result.jac)]
    return np.stack(seen)


@every_method
@pytest.mark.backends("numpy", "torch", "strict-device1", "jax-float32", "cupy-signatures", "cupy")
def test_f_may_keep_every_x(backend, name):
    kept = []

    def keeping(fun):
        def evaluate(x):
            kept.append((x, backend.to_numpy(x).copy()))
            return fun(x)

        return evaluate

    plain = iterates(backend, chained_rosenbrock, name)
    np.testing.assert_array_equal(iterates(backend, chained_rosenbrock, name, keeping), plain)
    for x, then in kept:
        np.testing.assert_array_equal(backend.to_numpy(x), then)


@every_method
@pytest.mark.backends("numpy", "torch", "strict-device1", "cupy-signatures", "cupy")
def test_f_may_return_the_same_gradient_buffer_each_time(backend, name):
    if not backend.writeable:
        pytest.skip("these arrays are not written to")
    buffer = backend.asarray(np.zeros(6))

    def reusing(fun):
        def evaluate(x):
            value, grad = fun(x)
            buffer[...] = grad
            return value, buffer

        return evaluate

    plain = iterates(backend, chained_rosenbrock, name)
    np.testing.assert_array_equal(iterates(backend, chained_rosenbrock, name, reusing), plain)


def spoiling(function):
    """The same function, which overwrites its arguments once it knows the answer.

    hessp gets one x for all products at a point: what was written to it stays there.
    """
    last = [None, None]

    def evaluate(x, *vectors):
        if x is not last[0]:
            last[:] = x, copy.deepcopy(x)
        answer = function(last[1], *vectors)
        for argument in (x, *vectors):
            for leaf in leaves(argument):
                leaf[...] = np.nan
        return answer

    return evaluate


def same_run(fun, x0, method, given, **settings):
    """Assert that functions which write into their arguments change nothing of a run."""
    runs = []
    for wrap in (lambda function: function, spoiling):
        seen = []
        functions = {key: wrap(f) if callable(f) else f for key, f in given.items()}
        callback = wrap(lambda x, seen=seen: seen.append(np.concatenate(flat(x))))
        result = hessx.minimize(
            wrap(fun), x0, method=method, callback=callback, **functions, **settings
        )
        runs.append(([*seen, *flat(result.x), *flat(result.jac)], result.counts, result.message))
    (plain, *numbers), (spoilt, *others) = runs
    assert len(plain) > 3
    assert numbers == others
    for a, b in zip(plain, spoilt, strict=True):
        np.testing.assert_array_equal(a, b)


def flat(x):
    return [leaf.ravel() for leaf in leaves(x)]


def valley(x):
    return chained_rosenbrock(x)[0]


@every_method
@pytest.mark.backends("numpy")
def test_what_the_functions_write_to_their_arguments_changes_nothing(backend, name):
    given = {"jac": True, **products(name, chained_rosenbrock)}
    options = {"maxiter": 12}
    same_run(chained_rosenbrock, backend.asarray(START), METHODS[name], given, options=options)


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("name", ["lbfgs-hz", "scaled", "trust"])
def test_jac_has_an_x_of_its_own(backend, name):
    given = {"jac": lambda x: chained_rosenbrock(x)[1], **products(name, chained_rosenbrock)}
    same_run(valley, backend.asarray(START), METHODS[name], given, options={"maxiter": 12})


@pytest.mark.parametrize("scheme", ["2-point", "3-point"])
@pytest.mark.parametrize("name", ["lbfgs-hz", "trust"])
def test_differences_are_taken_at_points_of_their_own(name, scheme):
    """Of f for the gradient, and of the gradient for products."""
    jac, fun = (scheme, valley) if name == "lbfgs-hz" else (True, chained_rosenbrock)
    given = {"jac": jac} if name == "lbfgs-hz" else {"jac": jac, "hess": scheme}
    same_run(fun, START, METHODS[name], given, options={"maxiter": 6})


@pytest.mark.parametrize("name", ["lbfgs-hz", "cg-hs+", "newton-hz", "trust-jacobi"])
@pytest.mark.parametrize("shape", [(2, 3), "tree", 1])
def test_arguments_of_any_shape_may_be_written_to(name, shape):
    x0 = {"a": START[:4].reshape(2, 2), "b": [START[4:]]} if shape == "tree" else START
    x0 = np.reshape(START[: np.prod(shape)], shape) if shape != "tree" else x0
    space = space_of(x0)

    def fun(x):
        v = space.flat(x)
        return np.cosh(v).sum() + (v**4).sum(), space.shaped(np.sinh(v) + 4.0 * v**3)

    def second(x):
        return np.cosh(space.flat(x)) + 12.0 * space.flat(x) ** 2

    given = {"jac": True}
    if "jacobi" in name:
        given["hess"] = lambda x: np.diag(second(x))
    elif name in NEWTON:
        given["hessp"] = lambda x, v: space.shaped(second(x) * space.flat(v))
    same_run(fun, x0, METHODS[name], given, options={"gtol": 1e-9})


@every_method
@pytest.mark.parametrize("long", [False, True])
def test_f_may_write_its_gradient_into_x(monkeypatch, name, long):
    if long:  # in blocks, x and its copy in one pass, and in memory that is used again
        monkeypatch.setattr(_numpy_rows, "_WIDTH", 3)
        monkeypatch.setattr(_recycler, "_LONG", 1)
    backend = make_backend("numpy")

    def in_place(fun):
        def evaluate(x):
            value, x[...] = fun(x)
            return value, x

        return evaluate

    plain = iterates(backend, chained_rosenbrock, name)
    np.testing.assert_array_equal(iterates(backend, chained_rosenbrock, name, in_place), plain)


def test_a_run_taken_up_hands_out_copies_too(tmp_path, monkeypatch):
    """The copy that was written with a point is not saved."""
    monkeypatch.setattr(_numpy_rows, "_WIDTH", 3)
    whole = hessx.minimize(chained_rosenbrock, START, jac=True)
    session = hessx.AskTell(START)
    while not session.done:
        hessx.save(tmp_path / "run.hessx", session.checkpoint)
        session = hessx.AskTell(START, resume=tmp_path / "run.hessx")
        again, x = session.ask(), session.ask()
        again[...] = np.nan
        answer = chained_rosenbrock(x)
        x[...] = np.nan
        session.tell(*answer)
    result = session.result()
    np.testing.assert_array_equal(result.x, whole.x)
    assert (result.nit, result.nfev) == (whole.nit, whole.nfev)


@every_method
def test_the_callback_may_keep_every_x(name):
    kept = []
    hessx.minimize(
        chained_rosenbrock,
        START,
        jac=True,
        method=METHODS[name],
        callback=lambda x: kept.append((x, x.copy())),
        options={"maxiter": 12},
        **products(name, chained_rosenbrock),
    )
    for x, then in kept:
        np.testing.assert_array_equal(x, then)


@every_method
@pytest.mark.backends(
    "numpy", "torch", "strict-strictest", "jax-float32", "cupy-signatures", "cupy"
)
def test_copied_states_give_the_same_run(backend, name):
    """A state that is copied before every transition is bitwise the state that is handed on."""

    def answer(x):
        value, grad = chained_rosenbrock(x)
        return value, grad

    product = product_of(chained_rosenbrock)

    def run(**how):
        steps = drive(METHODS[name], backend, START, answer, product=product, **how)
        return np.stack([step.x for step in islice(steps, 15 if name in NEWTON else 25)])

    runs = [run(), run(copying=True)]
    np.testing.assert_array_equal(*runs)


@every_method
def test_an_answer_to_an_earlier_question_is_refused(name):
    solver = METHODS[name]
    state = solver.init(space_of(START), START)
    first = state.request
    state = absorbed(solver, state, Reply(first.ticket, *chained_rosenbrock(first.x)))
    state = solver.propose(state, never)
    if state.request.wants is Wants.HESSIAN:
        H = HessianByHand(make_backend("numpy"), first.x, product_of(chained_rosenbrock))
        state = absorbed(solver, state, Reply(state.request.ticket, hessian=H))
        state = solver.propose(state, never)
    with pytest.raises(ValueError, match="spent"):
        solver.measure(state, Reply(first.ticket, *chained_rosenbrock(first.x)))


def test_x0_is_copied(backend):
    x0 = backend.asarray(START)
    before = backend.to_numpy(x0).copy()
    result = hessx.minimize(chained_rosenbrock, x0, jac=True, options={"maxiter": 3})
    np.testing.assert_array_equal(backend.to_numpy(x0), before)
    assert result.x is not x0
    if backend.writeable:
        seen = []

        def fun(x):
            seen.append(x)
            return chained_rosenbrock(x)

        hessx.minimize(fun, x0, jac=True, options={"maxfun": 1})
        x0[0] = 99.0
        np.testing.assert_array_equal(backend.to_numpy(seen[0]), before)
