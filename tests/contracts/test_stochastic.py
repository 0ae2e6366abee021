"""Whole stochastic runs: the iterates of the papers, and what they ask of device and data."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import hessx
from _helpers.sums import (
    START,
    N,
    SumOfRows,
    loss_on,
    mean_gradient,
    mean_loss,
    penalty_gradient,
    row_gradient,
)
from hessx import Outcome, _xp
from hessx.models import Perceptron
from reference import stochastic as plain

SIZE, EPOCHS, RATE = 8, 3, 0.1
PER_EPOCH = -(-N // SIZE)
ORDER = hessx.Shuffled(5)
USUAL = {"batch_size": SIZE, "epochs": EPOCHS, "order": ORDER, "rate": RATE}

CASES = {
    "sgd": ("sgd", {}, lambda s: plain.sgd(mean_gradient, START, s, RATE)),
    "adam": ("adam", {}, lambda s: plain.adam(mean_gradient, START, s, RATE)),
    "accumulate": (
        "sgd",
        {"estimate": hessx.Accumulate(3)},
        lambda s: plain.accumulated(mean_gradient, START, s, RATE, 3, PER_EPOCH),
    ),
    "svrg": ("svrg", {}, lambda s: plain.svrg(mean_gradient, START, s, RATE, N, PER_EPOCH)),
    "sarah": ("sarah", {}, lambda s: plain.sarah(mean_gradient, START, s, RATE, N, PER_EPOCH)),
    "saga": ("saga", {}, lambda s: plain.saga(row_gradient, penalty_gradient, START, s, RATE, N)),
    "schedule-free": (
        "sgd",
        {"average": hessx.ScheduleFree()},
        lambda s: plain.schedule_free(mean_gradient, START, s, RATE),
    ),
    "polyak": (
        "sgd",
        {"average": hessx.Polyak()},
        lambda s: [np.mean(plain.sgd(mean_gradient, START, s, RATE), axis=0)],
    ),
}
every_case = pytest.mark.parametrize("name", CASES)


def run(backend, name, **settings):
    method, options, _ = CASES[name]
    x0 = backend.asarray(START)
    return hessx.minimize(
        loss_on(backend), x0, method=method, options=USUAL | options | settings, history=True
    )


@every_case
def test_iterates_are_those_of_the_paper(backend, name):
    result = run(backend, name)
    last = CASES[name][2](plain.batches(ORDER, N, SIZE, EPOCHS))[-1]
    x0 = backend.asarray(START)
    backend.assert_same_kind(result.x, x0)
    got = backend.to_numpy(result.x)
    np.testing.assert_allclose(got, last, rtol=0.0, atol=200 * backend.eps)
    assert result.outcome is Outcome.COMPLETED
    assert not result.success
    batches = PER_EPOCH if name != "accumulate" else -(-PER_EPOCH // 3)
    assert result.nit == EPOCHS * batches
    assert [record.iteration for record in result.history] == [
        (k + 1) * batches for k in range(EPOCHS)
    ]


def test_saga_keeps_gradients_of_rows_of_a_network(backend, rng):
    """What is kept of a row, its inputs and slopes, is no linear function of its gradient."""
    X, y = rng.standard_normal((20, 3)), np.arange(20) % 2
    model = Perceptron(X, y, layers=(4,))
    x0 = model.start(0)
    space = _xp.space_of(x0)

    def grad(x, rows):
        return space.flat(model.rows(rows)(space.shaped(x))[1])

    steps = plain.batches(ORDER, 20, 6, EPOCHS)
    last = plain.saga(grad, np.zeros_like, space.flat(x0), steps, 0.5, 20)[-1]
    there = Perceptron(backend.asarray(X), backend.asarray(y.astype(float)), layers=(4,))
    start = {k: {name: backend.asarray(W) for name, W in d.items()} for k, d in x0.items()}
    options = USUAL | {"batch_size": 6, "rate": 0.5}
    result = hessx.minimize(hessx.FiniteSum(there), start, method="saga", options=options)
    got = np.concatenate(
        [backend.to_numpy(part).ravel() for d in result.x.values() for part in d.values()]
    )
    np.testing.assert_allclose(got, last, rtol=0.0, atol=200 * backend.eps)


SEARCHED = hessx.StochasticArmijo(largest=20.0, c=0.25, shrink=0.5, grow=4.0)


def test_the_stochastic_search_is_that_of_the_paper(backend):
    settings = SEARCHED.largest, SEARCHED.c, SEARCHED.shrink, SEARCHED.grow
    steps = plain.batches(ORDER, N, SIZE, EPOCHS)
    points, trials = plain.armijo(mean_loss, mean_gradient, START, steps, N, *settings)
    assert trials > len(points)  # some are rejected
    loss, options = SumOfRows(backend), USUAL | {"rate": SEARCHED}
    with _xp.record_fetches() as ledger:
        result = hessx.minimize(loss, backend.asarray(START), method="sgd", options=options)
    got = backend.to_numpy(result.x)
    np.testing.assert_allclose(got, points[-1], rtol=0.0, atol=2000 * backend.eps)
    asked = sum(request.wants is hessx.Wants.VALUE for request in loss.requests)
    assert asked == trials
    if not backend.lazy:
        assert ledger.fetches == trials + EPOCHS


@pytest.mark.backends("fakegpu")
@every_case
def test_nothing_waits_but_one_report_per_epoch(backend, name):
    loss, x0 = loss_on(backend), backend.asarray(START)
    method, options, _ = CASES[name]
    with (
        backend.meter.tally() as tally,
        _xp.record_fetches() as ledger,
        backend.meter.forbid_waits(*DOORS),
    ):
        result = hessx.minimize(loss, x0, method=method, options=USUAL | options)
    assert result.outcome is Outcome.COMPLETED
    assert ledger.fetches == tally.reads.total() == EPOCHS
    assert ledger.uploads == tally.uploads.total() == EPOCHS


DOORS = (_xp.fetch, _xp.upload, _xp.upload_integers)


@pytest.mark.backends("fakegpu")
def test_launches_of_adam_and_momentum(backend):
    """Beside the loss: nine per step of Adam, three of momentum; one for the mean value."""
    counts = {}
    for method in ("momentum", "adam"):
        for steps in (20, 40):
            loss, x0 = SumOfRows(backend), backend.asarray(START)
            inside = 0
            answer = loss.answer

            def counted(request, answer=answer):
                nonlocal inside
                with backend.meter.tally() as tally:
                    reply = answer(request)
                inside += tally.launches.total()
                return reply

            loss.answer = counted
            options = {"steps": steps, "batch_size": 10, "report": hessx.Report(every=1000)}
            with backend.meter.tally() as tally:
                hessx.minimize(loss, x0, method=method, options=options)
            counts[method, steps] = tally.launches.total() - inside
    per_step = {m: (counts[m, 40] - counts[m, 20]) / 20 for m in ("momentum", "adam")}
    assert per_step["momentum"] <= 3 + 1
    assert per_step["adam"] <= 9 + 1


@pytest.mark.backends("numpy")
@every_case
def test_each_row_once_per_epoch(backend, name):
    loss = SumOfRows(backend)
    method, options, _ = CASES[name]
    hessx.minimize(loss, backend.asarray(START), method=method, options=USUAL | options)
    asked = {}
    for request in loss.requests:
        if request.sample is not None:
            sample = request.sample
            asked.setdefault(sample.epoch, set()).add((sample.start, sample.stop))
    for epoch, ranges in asked.items():
        whole = [*ranges] if name not in ("svrg", "sarah", "saga") else [*ranges, (0, SIZE)]
        rows = {row for start, stop in whole for row in range(start, stop)}
        assert rows == set(range(N)), epoch


@pytest.mark.backends("numpy", "torch")
@every_case
def test_put_down_after_each_evaluation(backend, name, tmp_path):
    """Taken up again, the run ends bitwise as if it had not been put down."""
    method, options, _ = CASES[name]
    options = USUAL | options | {"epochs": 2}
    x0 = backend.asarray(START)
    loss = loss_on(backend)
    whole = hessx.minimize(loss, x0, method=method, options=options)
    for count in range(1, whole.nfev - 1, 1 if backend.name == "numpy" else 5):
        path = tmp_path / f"{count}.npz"
        with pytest.raises(KeyboardInterrupt):
            hessx.minimize(
                _raising(loss, count), x0, method=method, options=options, checkpoint=path
            )
        again = hessx.minimize(loss, x0, resume=path)
        assert (backend.to_numpy(again.x) == backend.to_numpy(whole.x)).all()
        assert (again.fun, again.nit, again.counts) == (whole.fun, whole.nit, whole.counts)


def _raising(loss, count):
    class Raising:
        offers, counts, N = loss.offers, hessx.Counts(), loss.N

        def __init__(self):
            self.left = count

        def answer(self, request):
            if self.left == 0:
                raise KeyboardInterrupt
            self.left -= 1
            reply = loss.answer(request)
            self.counts.take_over(loss.counts)
            return reply

    loss.counts.take_over(hessx.Counts())
    return Raising()


KILLED = """
import sys
import numpy as np, hessx

X, y = (np.load(path, mmap_mode="r") for path in sys.argv[2:4])

def squares(x, X, y):
    print("evaluating", flush=True)
    r = X @ x - y
    return r @ r / (2 * len(y)), X.T @ r / len(y)

loss = hessx.FiniteSum(squares, (X, y), jac=True)
options = {"rate": 0.01, "epochs": 100, "batch_size": 16, "order": hessx.Shuffled(3, block=64)}
result = hessx.minimize(
    loss, np.zeros(3), method="adam", options=options, **eval(sys.argv[1])
)
print(*(float(entry).hex() for entry in result.x), result.nit, result.counts)
"""


@pytest.mark.long
def test_killed_in_mid_epoch(tmp_path):
    """By SIGKILL, over data in files: what takes the run up ends bitwise as one left alone."""
    rng = np.random.default_rng(2)
    files = [str(tmp_path / name) for name in ("X.npy", "y.npy")]
    X = rng.standard_normal((200, 3))
    np.save(files[0], X)
    np.save(files[1], X @ [1.0, 2.0, 3.0])
    path = str(tmp_path / "run.npz")

    def start(**settings):
        command = [sys.executable, "-c", KILLED, repr(settings), *files]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    with start(checkpoint=path, checkpoint_every=0.0) as child:
        try:
            for _ in range(100):
                assert child.stdout.readline() == "evaluating\n"
        finally:
            child.kill()
    reached = hessx.load(path).state.iteration
    assert 90 < reached < 100 * 13
    last = [start(**settings).communicate(timeout=120)[0].splitlines()[-1]
            for settings in ({"resume": path}, {})]  # fmt: skip
    assert last[0] == last[1]


BUFFERED = {
    **{name: CASES[name][:2] for name in CASES if name != "saga"},
    "hypergradient": ("sgd", {"rate": hessx.Hypergradient(0.1, 1e-2)}),
    "armijo": ("sgd", {"rate": hessx.StochasticArmijo(10.0)}),
    "momentum": ("momentum", {}),
}


@pytest.mark.parametrize("name", BUFFERED)
def test_gradients_may_come_in_one_buffer(name):
    """What f returns is its own: it writes there again in the next call."""
    buffer = np.empty(START.size)
    method, options = BUFFERED[name]

    def fresh(x, rows):
        grad = mean_gradient(x, rows)
        return grad @ x / 2, grad

    def shared(x, rows):
        value, buffer[:] = fresh(x, rows)
        x[:] = np.nan  # x is a copy
        return value, buffer

    results = [
        hessx.minimize(
            hessx.FiniteSum(fun, np.arange(N), jac=True), START, method=method,
            options=USUAL | options,
        )
        for fun in (fresh, shared)
    ]  # fmt: skip
    np.testing.assert_array_equal(results[0].x, results[1].x)
    np.testing.assert_array_equal(results[0].jac, results[1].jac)
