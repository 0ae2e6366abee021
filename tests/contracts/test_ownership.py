"""Arrays and states belong to who made them: the user's stay as they were, spent states refuse."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

import hessx
from _helpers.driving import HessianByHand, drive
from _helpers.registry import make_backend
from _helpers.runs import chained_rosenbrock, product_of
from _helpers.solvers import EVERY, MEMORY, NEWTON, products
from hessx._xp import space_of
from hessx.core import Reply

START = np.array([-1.2, 1.0, 0.8, 0.5, 1.5, 0.0])
# a shorter step, which Rosenbrock's function needs
METHODS = EVERY | {
    "fixed": hessx.LineSearchMethod(hessx.Identity(), hessx.FixedStep(1e-3)),
    "decaying": hessx.LineSearchMethod(hessx.Identity(), hessx.DecayingStep(1e-3)),
    "inverse": hessx.LineSearchMethod(hessx.ExactInverse(200.0 * np.eye(6)), hessx.HagerZhang()),
    "damped": hessx.LineSearchMethod(hessx.LBFGS(memory=MEMORY, damping=0.2), hessx.Armijo()),
    "scaled": hessx.LineSearchMethod(
        hessx.LBFGS(memory=3), hessx.MoreThuente(), [1.0, 2.0, 1.0, 0.5, 1.0, 3.0]
    ),
}
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
    state = solver.absorb(state, Reply(*chained_rosenbrock(first.x), first.ticket))
    if state.needs_hessian:
        product = product_of(chained_rosenbrock)
        state = solver.linearise(state, HessianByHand(make_backend("numpy"), first.x, product))
    state = solver.propose(state)
    with pytest.raises(ValueError, match="spent"):
        solver.absorb(state, Reply(*chained_rosenbrock(first.x), first.ticket))


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
