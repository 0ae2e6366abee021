"""A run whose requests are answered by an oracle of the user's is that of its callables."""

from __future__ import annotations

import io
from functools import partial

import array_api_compat as compat
import numpy as np
import pytest

import hessx
from _helpers.resuming import METHODS, START, product, run, trail
from _helpers.runs import bowl, chained_rosenbrock
from hessx import Outcome, Wants

FIRST = Wants.VALUE | Wants.GRADIENT
FEW = ("lbfgs-hz", "newton-cg", "trust region", "trust region, GLTR", "trust region, scaled")


class Answers:
    """Rosenbrock's function, or another, with the products of its Hessian or without."""

    def __init__(self, fun=chained_rosenbrock, hessp=product):
        self.fun, self.hessp, self.counts, self.requests = fun, hessp, hessx.Counts(), []
        self.offers = FIRST if hessp is None else FIRST | Wants.HESSIAN

    def answer(self, request):
        x = request.x
        self.requests.append(request)
        if request.wants is Wants.HESSIAN:
            return hessx.Reply(request.ticket, hessian=lambda v: self.hessp(x, v))
        self.counts.values += 1
        self.counts.gradients += 1
        return hessx.Reply(request.ticket, *self.fun(x))


def minimize(oracle, x0, name, **settings):
    settings = {"options": {"maxfun": 24}, "history": True, "method": METHODS[name]} | settings
    return hessx.minimize(oracle, x0, **settings)


@pytest.mark.parametrize("name", FEW)
def test_the_run_of_callables(backend, name):
    if backend.lazy and name != "lbfgs-hz":
        pytest.skip("takes long on a lazy library")
    x0, oracle = backend.asarray(START), Answers()
    result, expected = minimize(oracle, x0, name), run(x0, name)
    backend.assert_same_kind(result.x, x0)
    assert trail(result, backend.to_numpy) == trail(expected, backend.to_numpy)
    assert result.counts == oracle.counts


@pytest.mark.backends("fakegpu")
@pytest.mark.parametrize("name", ["lbfgs-hz", "trust region"])
def test_no_wait_more_than_with_callables(backend, name):
    x0 = backend.asarray(START)
    with backend.fetches() as waits:
        minimize(Answers(), x0, name)
    with backend.fetches() as expected:
        run(x0, name)
    assert 0 < waits.count == expected.count


@pytest.mark.parametrize("name", ["trust region", "newton-cg"])
def test_each_request_is_of_one_kind(name):
    oracle = Answers()
    result = minimize(oracle, START, name)
    assert {request.wants for request in oracle.requests} == {FIRST, Wants.HESSIAN}
    tickets = [request.ticket for request in oracle.requests]
    assert tickets == sorted(set(tickets))
    points = [request for request in oracle.requests if request.wants is Wants.HESSIAN]
    assert result.nit <= len(points) <= result.nit + 1
    for request in points:  # the run has the gradient there, whatever it has gone through since
        assert request.x.tobytes() in {r.x.tobytes() for r in oracle.requests if r.wants is FIRST}
    assert all(request.grad is None for request in oracle.requests if request.wants is FIRST)


def test_what_auto_chooses():
    second = hessx.minimize(Answers(), START)
    assert "newton-cg" in second.message
    assert second.nhev > 0
    first = hessx.minimize(Answers(hessp=None), START)
    assert "lbfgs" in first.message
    assert first.nhev == 0
    assert first.success
    assert second.success


@pytest.mark.parametrize("name", ["lbfgs-hz", "trust region"])
def test_maximising(backend, name):
    x0 = backend.asarray([[3.0, 0.5, -1.0], [2.0, 1.0, 0.0]])

    def hill(x):
        backend.assert_same_kind(x, x0)
        value, grad = bowl(x)
        return -value, -grad

    class Hill(Answers):
        """Products by differences from the gradient that the run has."""

        def answer(self, request):
            if request.wants is not Wants.HESSIAN:
                return super().answer(request)
            x, g = request.x, request.grad()
            np.testing.assert_array_equal(backend.to_numpy(g), backend.to_numpy(self.fun(x)[1]))

            def by_differences(v):
                h = backend.eps**0.5
                above = self.fun(x + h * compat.array_namespace(x).reshape(v, x.shape))[1]
                return compat.array_namespace(x).reshape((above - g) / h, (6,))

            return hessx.Reply(request.ticket, hessian=by_differences)

    result = minimize(Hill(hill), x0, name, maximize=True)
    assert result.success
    assert result.fun <= 0.0
    np.testing.assert_allclose(backend.to_numpy(result.x), 1.0, atol=1e-2)


def test_any_form_of_the_hessian(backend):
    x0, H = backend.asarray([1.0, 2.0]), backend.asarray([[3.0, 1.0], [1.0, 2.0]])

    class Quadratic(Answers):
        def answer(self, request):
            if request.wants is Wants.HESSIAN:
                return hessx.Reply(request.ticket, hessian=self.hessp)
            return super().answer(request)

    for form in (H, lambda v: H @ v, hessx.DenseOperator(H)):
        oracle = Quadratic(lambda x: (x @ (H @ x) / 2, H @ x), form)
        result = hessx.minimize(oracle, x0, method=hessx.TrustRegionMethod())
        assert result.success
        assert result.nhev > 0
        np.testing.assert_allclose(backend.to_numpy(result.x), 0.0, atol=1e-3)


def test_a_tree():
    def fun(x):
        a, b = x["a"] - 1.0, x["b"] + 2.0
        return float(a @ a + (b * b).sum()), {"a": 2.0 * a, "b": 2.0 * b}

    x0 = {"a": np.zeros(2), "b": np.zeros((2, 1))}
    for oracle in (Answers(fun, None), Answers(fun, lambda _, v: 2.0 * v)):
        x = hessx.minimize(oracle, x0).x
        np.testing.assert_allclose(x["a"], 1.0, atol=1e-5)
        np.testing.assert_allclose(x["b"], [[-2.0], [-2.0]], atol=1e-5)


def test_the_oracle_may_keep_and_write_what_it_is_given():
    kept = []

    class Vandal(Answers):
        def answer(self, request):
            reply = super().answer(request)
            if request.wants is FIRST:
                kept.append((request.x, request.x.copy()))
                request.x, request.ticket = np.full(7, np.nan), -1
            return reply

    result = minimize(Vandal(), START, "trust region")
    assert trail(result) == trail(run(START, "trust region"))
    for x, then in kept:
        np.testing.assert_array_equal(x, then)


def test_limits_strike_inside_a_solve():
    class Costly(Answers):
        """Each product evaluates f, which the oracle counts."""

        def answer(self, request):
            reply = super().answer(request)
            if request.wants is Wants.HESSIAN:
                inner = reply.hessian

                def counted(v):
                    self.counts.values += 1
                    return inner(v)

                reply.hessian = counted
            return reply

    over = []
    for limit in range(3, 12):
        oracle = Costly()
        result = minimize(oracle, START, "trust region", options={"maxfun": limit})
        assert result.outcome is Outcome.LIMIT_EVALUATIONS
        trials = sum(request.wants is FIRST for request in oracle.requests)
        assert result.nfev == trials + result.nhev
        over.append(result.nfev - limit)
    assert set(over) == {0, 1}  # where the solve was ended, its step is tried
    limited = minimize(Answers(), START, "newton-cg", options={"max_products": 5})
    assert (limited.outcome, limited.nhev) == (Outcome.LIMIT_EVALUATIONS, 5)


def test_counts_are_those_of_one_run():
    oracle = Answers()
    first = minimize(oracle, START, "lbfgs-hz", options={"maxiter": 3})
    spent = first.nfev
    second = minimize(oracle, START, "lbfgs-hz")
    assert trail(second) == trail(run(START, "lbfgs-hz"))
    assert oracle.counts == second.counts
    assert first.counts.values == spent < second.counts.values


@pytest.mark.parametrize("name", ["lbfgs-hz", "trust region"])
def test_put_down_where_it_raises_and_taken_up(name, tmp_path):
    """At any answer, that with the Hessian included; counts go on where they were."""

    class Weak(Answers):
        def answer(self, request):
            if len(self.requests) == self.strength:
                self.counts.values += 1  # half done
                raise OSError("no more")
            return super().answer(request)

    whole = trail(run(START, name))
    for strength in (0, 1, 2, 7, 8, 9):
        oracle, path = Weak(), tmp_path / "run.hessx"
        oracle.strength = strength
        with pytest.raises(OSError, match="no more"):
            minimize(oracle, START, name, checkpoint=path)
        evaluated = [request for request in oracle.requests if request.wants is FIRST]
        assert hessx.load(path).counts.values == len(evaluated)
        assert trail(minimize(Answers(), START, name, resume=path)) == whole
        assert trail(run(START, name, resume=path)) == whole


def test_counts_go_on_where_the_oracle_has_served_another_run():
    oracle = Answers()
    short = minimize(oracle, START, "lbfgs-hz", options={"maxiter": 3})
    minimize(oracle, START, "cg-hz", options={"maxiter": 5})
    longer = {"options": {"maxiter": 9}}
    resumed = minimize(oracle, START, "lbfgs-hz", resume=short.checkpoint, **longer)
    assert resumed.counts == minimize(Answers(), START, "lbfgs-hz", **longer).counts


def test_a_request_of_any_kind_can_be_saved():
    oracle = Answers()
    session = hessx.AskTell(START, METHODS["trust region"])
    session.tell(*oracle.fun(session.ask()))
    for wants in (Wants.HESSIAN, FIRST):
        file = io.BytesIO()
        hessx.save(file, session)
        request = hessx.load(file).state.request
        assert request.wants is wants
        assert request.grad is None
        if wants is Wants.HESSIAN:
            x = session.ask()
            session.tell(hessian=partial(product, x))


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"jac": True}, "jac"),
        ({"hess": "2-point", "hessp": product}, "hess and hessp"),
        ({"args": 3.0}, "args"),
        ({"args": (np.ones(2), 1), "jac": np.ones(2)}, "args and jac"),
    ],
)
def test_derivatives_beside_an_oracle_are_refused(settings, names):
    oracle = Answers()
    with pytest.raises(TypeError, match=f"fun has its own data and derivatives: leave {names} out"):
        hessx.minimize(oracle, START, **settings)
    assert oracle.requests == []


@pytest.mark.parametrize(
    ("attributes", "method", "error", "message"),
    [
        ({"offers": 3}, None, TypeError, "offers of the oracle is a int: expected a hessx.Wants"),
        ({"counts": None}, None, TypeError, "counts of the oracle is a NoneType: .*hessx.Counts"),
        ({"offers": Wants.VALUE}, None, ValueError, r"offers VALUE: .* VALUE \| GRADIENT$"),
        ({"offers": Wants.NOTHING}, "lbfgs", ValueError, "offers NOTHING: every method asks for"),
        (
            {"offers": FIRST},
            "trust-ncg",
            ValueError,
            r"offers VALUE \| GRADIENT: a second-order method asks for .* \| HESSIAN",
        ),
    ],
)
def test_what_is_no_oracle(attributes, method, error, message):
    oracle = Answers()
    vars(oracle).update(attributes)
    with pytest.raises(error, match=message):
        hessx.minimize(oracle, START, method=method)
    assert oracle.requests == []


@pytest.mark.parametrize(
    ("kind", "answer", "error", "message"),
    [
        (FIRST, lambda r: (1.0, r.x), TypeError, "answered with a tuple: expected a hessx.Reply"),
        (FIRST, lambda r: hessx.Reply(9, 1.0, r.x), ValueError, "has ticket 9: expected 0"),
        (FIRST, lambda r: hessx.Reply(r.ticket, 1.0), ValueError, r"no grad: .* VALUE \| GRADIENT"),
        (FIRST, lambda r: hessx.Reply(r.ticket, grad=r.x), ValueError, "has no value"),
        (FIRST, lambda r: hessx.Reply(r.ticket, 1.0, r.x[:2]), ValueError, r"shape \(2,\)"),
        (Wants.HESSIAN, lambda r: hessx.Reply(r.ticket, 1.0, r.x), ValueError, "has no hessian"),
        (Wants.HESSIAN, lambda r: hessx.Reply(r.ticket, hessian="H"), TypeError, "is a str"),
        (
            Wants.HESSIAN,
            lambda r: hessx.Reply(r.ticket, hessian=np.eye(3)),
            ValueError,
            r"the Hessian has shape \(3, 3\): expected \(7, 7\)",
        ),
    ],
)
def test_answers_that_cannot_be_meant(kind, answer, error, message):
    class Odd(Answers):
        def answer(self, request):
            return answer(request) if request.wants is kind else super().answer(request)

    with pytest.raises(error, match=message):
        hessx.minimize(Odd(), START, method="trust-ncg")
