"""Stochastic quasi-Newton and Newton methods beside the papers' algorithms, dense on the host."""

from __future__ import annotations

import io
import signal

import numpy as np
import pytest

import hessx
from hessx import SettingsError, Wants, _xp
from hessx.models import LogisticRegression
from reference import second_order as reference

N, n, L2, STEPS = 300, 9, 1e-3, 30  # 8 columns and the intercept
SCALES = np.geomspace(0.3, 4.0, 8)


def data():
    """Two classes that differ in all columns, which are of different sizes."""
    draw = np.random.default_rng(3)
    Z = draw.standard_normal((N, 8))
    y = (Z @ draw.standard_normal(8) + draw.standard_normal(N) > 0) * 1.0
    return Z * SCALES, y


X1 = np.column_stack([data()[0], np.ones(N)])
PENALTY = L2 * np.append(np.ones(8), 0.0)
START = np.linspace(-0.3, 0.3, n)


def slopes(x, rows):
    z = X1[rows] @ x
    return 1.0 / (1.0 + np.exp(-z)), data()[1][rows]


def gradient(x, rows=slice(None)):
    s, y = slopes(x, rows)
    return X1[rows].T @ (s - y) / len(s) + PENALTY * x


def root(x, rows=slice(None)):
    s, _ = slopes(x, rows)
    return X1[rows] * np.sqrt(s * (1.0 - s) / len(s))[:, None]


def hessian(x, rows=slice(None)):
    R = root(x, rows)
    return R.T @ R + np.diag(PENALTY)


def value(x):
    z = X1 @ x
    return np.mean(np.logaddexp(0.0, z) - data()[1] * z) + x @ (PENALTY * x) / 2.0


class Recorded(hessx.FiniteSum):
    """Writes down what it is asked."""

    def __init__(self, *given, **settings):
        super().__init__(*given, **settings)
        self.asked, self.read = [], np.asarray

    def answer(self, request):
        self.asked.append(request)
        return super().answer(request)

    @property
    def iterates(self):
        """The points of gradients, each once."""
        found = []
        for request in self.asked:
            x = self.read(request.x)
            if Wants.GRADIENT in request.wants and not (found and np.array_equal(found[-1], x)):
                found.append(x)
        return found

    @property
    def wholes(self):
        """Questions for the gradient of the whole, with which a run closes."""
        asked = [request for request in self.asked if Wants.GRADIENT in request.wants]
        return sum(request.sample is None for request in asked)


def loss(backend=None, kind=Recorded):
    there = np.asarray if backend is None else backend.asarray
    X, y = data()
    fun = kind(LogisticRegression(there(X), there(y), l2=L2))
    if backend is not None:
        fun.read = backend.to_numpy
    return fun


def minimise(name, fun=None, x0=START, **options):
    fun = loss() if fun is None else fun
    options = {"batch_size": 30, "seed": 5, "steps": STEPS} | options
    return fun, hessx.minimize(fun, x0, method=name, options=options)


def epochs(size, count, first=0):
    """Rows of the batches of each epoch, in its order."""
    order = hessx.Shuffled(5)
    numbers = [order.indices(first + epoch, N) for epoch in range(count)]
    return [[rows[i : i + size] for i in range(0, N, size)] for rows in numbers]


def batches(size, count, first=0):
    """The first so many batches."""
    every = -(-N // size)
    return [rows for epoch in epochs(size, -(-count // every), first) for rows in epoch][:count]


LESSONS = 2**31  # the epoch where samples of their own begin


def near(found, expected, rtol=1e-10):
    assert len(found) > len(expected) - 1 >= STEPS
    for k, x in enumerate(expected):
        np.testing.assert_allclose(found[k], x, rtol=0.0, atol=rtol * np.abs(x).max(), err_msg=k)


# ------------------------------------------------------------- the papers' algorithms


@pytest.mark.parametrize("damping", [0.0, 0.2])
def test_online_lbfgs(damping):
    fun, _ = minimise("olbfgs", rate=0.2, maxcor=4, damping=damping)
    expected = reference.online_lbfgs(gradient, START, batches(30, STEPS), 0.2, 4, damping)
    near(fun.iterates, expected)
    rows = [request.sample.size for request in fun.asked if request.sample is not None]
    assert len(rows) == 2 * STEPS - 1  # the first sample once at x0, each later one twice in all


@pytest.mark.parametrize(("size", "overlap"), [(75, 0.25), (80, 0.3), (80, 1.0)])
def test_multi_batch_lbfgs(size, overlap):
    fun, _ = minimise("multibatch-lbfgs", rate=0.2, maxcor=4, batch_size=size, overlap=overlap)
    every = -(-N // size)
    expected = reference.multi_batch(
        gradient, START, epochs(size, -(-STEPS // every)), overlap, 0.2, 4
    )
    near(fun.iterates, expected[: STEPS + 1])


def test_what_a_multi_batch_asks():
    """300 rows by 80 and 60 at an epoch's end: three parts, of ranges of the epochs' orders."""
    fun, result = minimise("multibatch-lbfgs", batch_size=80, overlap=0.25, steps=6)
    asked = [r.sample for r in fun.asked if r.sample is not None]
    assert [(s.epoch, s.start, s.stop) for s in asked] == [
        (0, 0, 60), (0, 60, 80),
        (0, 60, 80), (0, 80, 140), (0, 140, 160),
        (0, 140, 160), (0, 160, 220), (0, 220, 240),
        (0, 220, 240), (0, 240, 285), (0, 285, 300),
        (0, 285, 300), (1, 0, 60), (1, 60, 80),  # the end of the last epoch, for the pair alone
        (1, 60, 80), (1, 80, 140), (1, 140, 160),
    ]  # fmt: skip
    assert result.counts.rows == sum(s.size for s in asked) + N * fun.wholes


@pytest.mark.parametrize("every", [1, 4])
def test_sqn(every):
    fun, result = minimise("sqn", rate=0.3, every=every, maxcor=3, lesson_size=100)
    expected = reference.sqn(
        gradient, hessian, START, batches(30, STEPS), batches(100, STEPS, LESSONS), every, 0.3, 3
    )
    near(fun.iterates, expected)
    assert result.counts.products == (STEPS - 1) // every - 1


@pytest.mark.parametrize("forcing", [0.0, 0.3])
def test_subsampled_newton_cg(forcing):
    """Gradients of the whole, the Hessian of 60 rows."""
    fun, result = minimise(
        "subsampled-newton-cg", batch_size="full", lesson_size=60, max_inner=5, forcing=forcing,
        rate=0.1, gtol=0.0,
    )  # fmt: skip
    whole, lessons = [slice(None)] * STEPS, batches(60, STEPS, LESSONS)
    expected = reference.newton_cg(gradient, hessian, START, whole, lessons, 5, forcing, rate=0.1)
    near(fun.iterates, expected, 1e-9 if forcing else 1e-10)
    assert result.counts.products == 5 * STEPS


def test_subsampled_newton_cg_on_the_sample_of_the_gradient():
    fun, _ = minimise("subsampled-newton-cg", fresh=False, max_inner=4, rate=0.1)
    rows = batches(30, STEPS)
    near(fun.iterates, reference.newton_cg(gradient, hessian, START, rows, rows, 4, 0.1, rate=0.1))


@pytest.mark.parametrize(("kind", "size"), [
    ("gaussian", 40), ("gaussian", 5), ("srht", 40), ("srht", 6), ("rows", 100), ("rows", 6),
    ("rows", 300),
])  # fmt: skip
def test_newton_sketch(kind, size):
    fun, _ = minimise(
        "newton-sketch", batch_size="full", sketch_size=size, kind=kind, damping=0.1, rate=0.1,
        gtol=0.0,
    )  # fmt: skip
    drawn = [
        np.eye(N) if size == N else reference.sketching_matrix(kind, size, N, (0, k))
        for k in range(STEPS)
    ]
    expected = reference.newton_sketch(gradient, root, PENALTY + 0.1, START, drawn, rate=0.1)
    near(fun.iterates, expected)


def test_newton_sketch_with_a_search_is_the_papers():
    """Superlinear to the floor of rounding, on the whole, from a start that is far out."""
    rule = hessx.Preconditioned(hessx.NewtonSketch(200, "srht", damping=1e-12), beta=0.0)
    method = hessx.StochasticMethod(
        rule, rate=hessx.StochasticArmijo(shrink=0.5), batch_size="full", steps=40
    )
    result = hessx.minimize(loss(), 3.0 * START, method=method, tol=1e-9)
    assert result.success, result.message
    assert abs(gradient(result.x)).max() <= 1e-9


# ------------------------------------------------------------- what they reach


def best():
    x = START
    for _ in range(30):
        x = x - np.linalg.solve(hessian(x), gradient(x))
    assert abs(gradient(x)).max() < 1e-14
    return value(x)


REACHED = {  # settings, passes over the rows at most, and how near f comes
    "olbfgs": (
        {"batch_size": 100, "rate": hessx.InverseTimeDecay(1.0, 0.1), "epochs": 15}, 35, 5e-3,
    ),
    "multibatch-lbfgs": (
        {"batch_size": 100, "rate": hessx.InverseTimeDecay(0.5, 0.05), "epochs": 24}, 35, 1e-3,
    ),
    "sqn": (
        {"lesson_size": 150, "rate": hessx.InverseTimeDecay(0.5, 0.05), "epochs": 21}, 35, 5e-4,
    ),
    "subsampled-newton-cg": ({"batch_size": "full", "lesson_size": 60, "steps": 10}, 35, 1e-5),
    "newton-sketch": (
        {"batch_size": "full", "sketch_size": 60, "damping": 1e-8, "steps": 9}, 100, 1e-5,
    ),
}  # fmt: skip
RATES = (0.3, 1.0, hessx.InverseTimeDecay(1.0, 0.05), hessx.InverseTimeDecay(1.0, 0.01))


@pytest.mark.parametrize("name", REACHED)
def test_nearer_to_the_minimum_than_gradients_alone(name):
    """SGD is given as many passes, and the best of some rates."""
    options, passes, accuracy = REACHED[name]
    _, result = minimise(name, x0=np.zeros(n), **{"steps": None, **options})
    assert value(result.x) - best() <= accuracy
    assert result.counts.rows <= passes * N
    plain = [
        minimise("sgd", x0=np.zeros(n), steps=None, epochs=passes, rate=rate)[1] for rate in RATES
    ]
    assert min(value(other.x) for other in plain) - best() > 2.0 * accuracy


# ------------------------------------------------------------- everywhere, and what it costs


RUNS = {
    "olbfgs": {},
    "multibatch-lbfgs": {"batch_size": 80},
    "sqn": {"every": 2, "lesson_size": 90},
    "subsampled-newton-cg": {"batch_size": "full", "lesson_size": 60, "max_inner": 3},
    "newton-sketch": {"batch_size": "full", "sketch_size": 40, "kind": "srht"},
}
FEW = 12


@pytest.mark.parametrize("name", RUNS)
def test_the_same_iterates_on_every_library(backend, name):
    slow = backend.family in ("dask", "jax")
    steps = 3 + 2 * (name == "sqn") if slow else FEW
    options = {"steps": steps, "rate": 0.1, "gtol": 0.0, **RUNS[name]}
    if slow and name == "newton-sketch":
        options |= {"steps": 2, "kind": "rows"}  # Hadamard's products are many small ones
    x0 = backend.asarray(START)
    fun, result = minimise(name, loss(backend), x0, **options)
    backend.assert_same_kind(result.x, x0)
    backend.assert_same_kind(result.jac, x0)
    expected = minimise(name, **options)[0].iterates[options["steps"]]
    found = fun.iterates[options["steps"]]
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e5 * backend.eps)


@pytest.mark.backends("numpy", "fakegpu")
@pytest.mark.parametrize("name", RUNS)
def test_one_fetch_per_pair_and_none_for_newton(backend, name):
    """Beside those of reports, each epoch, or each step on the whole, and of the run's end."""
    options = {"steps": FEW, "rate": 0.1, "gtol": 0.0, **RUNS[name]}
    fun = loss(backend)
    with _xp.record_fetches() as ledger:
        _, result = minimise(name, fun, backend.asarray(START), **options)
    assert result.nit == FEW
    per_epoch = -(-N // options.get("batch_size", 30)) if name in PAIRS else FEW
    reports = (FEW - 1) // per_epoch
    pairs = {
        "olbfgs": FEW - 1,  # reports come with them
        "multibatch-lbfgs": FEW - 1,
        "sqn": reports + (FEW - 1) // 2 - 1,
    }
    assert ledger.fetches == pairs.get(name, 0) + fun.wholes


PAIRS = ("olbfgs", "multibatch-lbfgs", "sqn")


@pytest.mark.backends("fakegpu")
@pytest.mark.parametrize("name", RUNS)
def test_the_host_waits_at_the_doors_alone(backend, name):
    fun, x0 = loss(backend), backend.asarray(START)
    with backend.meter.forbid_waits(_xp.fetch, _xp.upload, _xp.upload_integers):
        minimise(name, fun, x0, **{"steps": FEW, "rate": 0.1, **RUNS[name]})


class StoppedError(Exception):
    """The oracle gives up, as a program that is ended does."""


class Failing(Recorded):
    """Answers so many questions."""

    left = 10**9

    def answer(self, request):
        if self.left == 0:
            raise StoppedError
        self.left -= 1
        return super().answer(request)


@pytest.mark.parametrize("search", [False, True])
@pytest.mark.parametrize("name", RUNS)
def test_put_down_after_each_answer(name, search, tmp_path):
    """Bitwise the uninterrupted run: in the middle of pairs, lessons and searches too."""
    if search and name in PAIRS:
        pytest.skip("a search asks about the one sample of a step")
    rate = hessx.StochasticArmijo(shrink=0.5) if search else 0.2
    options = {"steps": 8, "rate": rate, "gtol": 0.0, **RUNS[name]}
    fun, whole = minimise(name, loss(kind=Failing), **options)
    path = tmp_path / "run.hessx"
    for k in range(1, len(fun.asked)):
        short = loss(kind=Failing)
        short.left = k
        with pytest.raises(StoppedError):
            hessx.minimize(
                short, START, method=name, options={"batch_size": 30, "seed": 5, **options},
                checkpoint=path, checkpoint_every=1e9,
            )  # fmt: skip
        rest = loss()
        with io.BytesIO(path.read_bytes()) as file:
            again = hessx.minimize(rest, START, resume=hessx.load(file), options={"gtol": 0.0})
        np.testing.assert_array_equal(again.x, whole.x)
        assert again.counts == whole.counts, k
        assert again.fun == whole.fun
        assert len(rest.asked) == len(fun.asked) - k


class Interrupted(Recorded):
    """Ctrl-C, while the n-th Hessian is asked for."""

    left = 10**9

    def answer(self, request):
        if Wants.HESSIAN in request.wants:
            self.left -= 1
            if self.left == 0:
                signal.raise_signal(signal.SIGINT)
        return super().answer(request)


@pytest.mark.parametrize("name", ["sqn", "subsampled-newton-cg", "newton-sketch"])
def test_interrupted_in_a_lesson(name):
    """A Hessian that is no part of a checkpoint is asked for again, on the same rows."""
    options = {"steps": 9, "rate": 0.2, "gtol": 0.0, **RUNS[name]}
    _, whole = minimise(name, **options)
    fun = loss(kind=Interrupted)
    fun.left = 2
    _, short = minimise(name, fun, **options)
    assert short.outcome is hessx.Outcome.STOPPED_BY_USER
    file = io.BytesIO()
    hessx.save(file, short.checkpoint)
    file.seek(0)
    rest = loss()
    again = hessx.minimize(rest, START, resume=hessx.load(file), options={"gtol": 0.0})
    np.testing.assert_array_equal(again.x, whole.x)
    lesson = next(r for r in fun.asked[::-1] if Wants.HESSIAN in r.wants)
    first = rest.asked[0]
    assert (Wants.HESSIAN in first.wants) is (name == "subsampled-newton-cg")
    if Wants.HESSIAN in first.wants:
        assert first.sample == lesson.sample


def test_two_lessons_in_a_step():
    """SQN's at the average, AdaHessian's where the gradient is: both are given."""
    rules = [hessx.AdaHessian(every=2), hessx.SQN(every=2, fresh=True)]
    method = hessx.StochasticMethod(rules, rate=0.01, batch_size=50, lesson_size=80, steps=7)
    fun = loss()
    hessx.minimize(fun, START, method=method)
    lessons = [r for r in fun.asked if Wants.HESSIAN in r.wants]
    sizes = [r.sample.size for r in lessons]
    assert sizes == [50, 50, 80, 50, 80, 50]  # before the steps 1, 3, 5 and 7
    at = [np.array_equal(r.x, x) for r, x in zip(lessons, fun.iterates[0::2], strict=False)]
    assert at[:2] == [True, True]
    averages = [np.mean(fun.iterates[2:4], axis=0), np.mean(fun.iterates[4:6], axis=0)]
    np.testing.assert_allclose([lessons[2].x, lessons[4].x], averages, rtol=1e-14)


# ------------------------------------------------------------- what is refused


@pytest.mark.parametrize("name", RUNS)
def test_a_function_that_is_no_sum_is_refused(name):
    with pytest.raises(SettingsError, match=r"no finite sum.*hessx\.FiniteSum"):
        hessx.minimize(lambda x: (x @ x / 2, x), START, jac=True, hessp=lambda x, v: v, method=name)


def test_parts_that_do_not_fit_are_refused():
    learner = hessx.Preconditioned(hessx.LBFGS())
    with pytest.raises(SettingsError, match="finds none"):
        hessx.StochasticMethod(learner)
    with pytest.raises(SettingsError, match="'full'"):
        hessx.StochasticMethod(learner, estimate=hessx.RepeatedSample(), batch_size="full")
    with pytest.raises(SettingsError, match="skip_nonfinite"):
        hessx.StochasticMethod(learner, estimate=hessx.MultiBatch(), skip_nonfinite=True)
    with pytest.raises(SettingsError, match="one sample"):
        hessx.StochasticMethod(learner, estimate=hessx.MultiBatch(), rate=hessx.StochasticArmijo())
    with pytest.raises(SettingsError, match="hess_inv0"):
        hessx.SQN(approximation=hessx.LBFGS(hess_inv0=hessx.Jacobi()))
    with pytest.raises(SettingsError, match="beside an estimate"):
        minimise("olbfgs", damping=0.1, estimate=hessx.RepeatedSample())


@pytest.mark.parametrize("make", [
    lambda: hessx.MultiBatch(overlap=0.0), lambda: hessx.MultiBatch(overlap=1.5),
    lambda: hessx.RepeatedSample(damping=-1.0), lambda: hessx.SQN(every=0),
    lambda: hessx.SubsampledNewton(steps=0), lambda: hessx.SubsampledNewton(forcing=1.0),
    lambda: hessx.NewtonSketch(kind="hadamard"), lambda: hessx.NewtonSketch(size=0),
    lambda: hessx.NewtonSketch(damping=0.0),
])  # fmt: skip
def test_settings_out_of_range_are_refused(make):
    with pytest.raises(SettingsError):
        make()


def test_a_hessian_without_a_root_is_refused():
    X, y = data()
    fun = hessx.FiniteSum(
        lambda x, X, y: (x @ x / 2, x), (X, y), jac=True, hessp=lambda x, v, X, y: v
    )
    with pytest.raises(ValueError, match="root"):
        hessx.minimize(fun, START, method="newton-sketch")


NAMED = {
    "adahessian": (hessx.AdaHessian(every=3), {"every": 3}),
    "sophia-h": (hessx.SophiaH(gamma=0.2), {"gamma": 0.2}),
    "sophia-g": (hessx.SophiaG(limit=2.0), {"limit": 2.0}),
    "shampoo": (
        hessx.Preconditioned(hessx.Shampoo(beta=0.9, every=2), 0.5),
        {"beta1": 0.5, "beta2": 0.9, "every": 2},
    ),
    "soap": (hessx.Preconditioned(hessx.SOAP(every=5), 0.95), {"every": 5}),
    "kfac": (
        hessx.Preconditioned(hessx.KFAC(damping=0.1, every=4), 0.9, every=2, fresh=True),
        {"damping": 0.1, "decompose_every": 4, "every": 2, "fresh": True},
    ),
    "ekfac": (hessx.Preconditioned(hessx.EKFAC(damping=0.01, beta=0.5), 0.9), {"beta2": 0.5}),
    "fisher": (
        hessx.Preconditioned(hessx.Fisher(0.1, labels="sampled"), 0.0, every=2),
        {"damping": 0.1, "labels": "sampled", "every": 2},
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_name_is_its_composition(name):
    """And f falls at the rate that goes with it."""
    rule, options = NAMED[name]
    _, result = minimise(name, **options)
    assert value(result.x) < value(START)
    method = hessx.StochasticMethod(
        rule, rate=RATE_OF[name], batch_size=30, order=hessx.Shuffled(5), steps=STEPS
    )
    np.testing.assert_array_equal(hessx.minimize(loss(), START, method=method).x, result.x)


RATE_OF = {
    "adahessian": 0.15, "sophia-h": 1e-3, "sophia-g": 1e-3, "shampoo": 0.1, "soap": 3e-3,
    "kfac": 0.1, "ekfac": 0.03, "fisher": 0.1,
}  # fmt: skip
