"""Rules that learn from the Hessian, and around approximations, against published programs."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest

import hessx
from _helpers.registry import make_backend
from hessx import SettingsError, Wants
from hessx._xp import Packet, record_fetches, space_of, under
from hessx.core import Counts, LayerFactors, Pair
from hessx.core.persistence._encoding import Reader, Writer
from hessx.objectives import HessianAt
from hessx.rules import Chain
from hessx.rules._preconditioned import lesson_seed

# At most one eigenvector of G G' belongs to 0: of two, SOAP's steps would depend on the choice.
SHAPES = {"W": (4, 3), "V": (2, 3)}
n, RATE = 18, 0.05


def gradient(x):
    """That of a function that bends, at a flat x."""
    rng = np.random.default_rng(11)
    A = rng.standard_normal((n, n))
    return (A @ A.T / n + np.diag(np.linspace(0.1, 3.0, n))) @ x + 2.0 * np.tanh(x) - 1.0


def estimate(t):
    """The h of step t, of both signs."""
    return np.random.default_rng(t).standard_normal(n) * np.linspace(0.1, 4.0, n) + 0.5


def start():
    return np.random.default_rng(1).standard_normal(n)


def tree_on(backend):
    x, leaves, at = start(), {}, 0
    for name, shape in SHAPES.items():
        leaves[name] = backend.asarray(x[at : at + np.prod(shape)].reshape(shape))
        at += np.prod(shape)
    return leaves


class Diagonal(HessianAt):
    """A Hessian whose diagonal is known, so that every estimate is it."""

    def __init__(self, space, backend, h):
        h = backend.asarray(h)
        super().__init__(space, lambda v: v * h, Counts(), 1.0, rows=7)

    def sampled_gradient(self, seed):
        return self(self.space.zeros(n) + 1.0)


def iterates(backend, rule, steps, lesson=lambda t: t):
    """Points of a chain whose lessons are those of other steps, flat, on the host."""
    tree = tree_on(backend)
    space = space_of(tree)
    x = space.flat(tree)
    chain, found = Chain.begin(rule, space, x), []
    for t in range(1, steps + 1):
        if chain.lesson_due(t):
            chain.learn(t, Diagonal(space, backend, estimate(lesson(t))))
        g = backend.asarray(gradient(np.array(backend.to_numpy(x), dtype=np.float64)))
        x = chain.step(t, g, x, RATE)
        found.append(backend.to_numpy(x))
    return np.array(found)


def published(optimizer, steps, **given):
    """Points of a PyTorch optimizer, flat."""
    import torch

    x, parameters, at = start(), [], 0
    for shape in SHAPES.values():
        leaf = x[at : at + np.prod(shape)].reshape(shape)
        parameters.append(torch.tensor(leaf, dtype=torch.float64, requires_grad=True))
        at += np.prod(shape)

    def cut(v):
        ends = np.cumsum([p.numel() for p in parameters])[:-1]
        pieces = np.split(v, ends)
        return [torch.tensor(a).reshape(p.shape) for a, p in zip(pieces, parameters, strict=True)]

    made, found = optimizer(parameters), []
    for t in range(1, steps + 1):
        flat = np.concatenate([p.detach().numpy().ravel() for p in parameters])
        for p, g in zip(parameters, cut(gradient(flat)), strict=True):
            p.grad = g
        made.step(**{name: cut(make(t)) for name, make in given.items()})
        found.append(np.concatenate([p.detach().numpy().ravel() for p in parameters]))
    return np.array(found)


def near(found, expected, rtol=1e-12):
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=rtol * np.abs(expected).max())


# ------------------------------------------------------------- against published programs


@pytest.mark.parametrize("power", [1.0, 0.5])
def test_adahessian_makes_the_steps_of_a_published_one(power):
    published_as = pytest.importorskip("pytorch_optimizer")

    def made(parameters):
        settings = {"lr": RATE, "betas": (0.9, 0.99), "eps": 1e-3, "hessian_power": power}
        return published_as.AdaHessian(parameters, update_period=1, **settings)

    rule = hessx.AdaHessian(beta2=0.99, eps=1e-3, power=power)
    near(iterates(make_backend("numpy"), rule, 200), published(made, 200, hessian=estimate))


def test_sophia_makes_the_steps_of_a_published_one():
    published_as = pytest.importorskip("pytorch_optimizer")

    def made(parameters):
        settings = {"lr": RATE, "betas": (0.9, 0.9), "eps": 0.3, "p": 0.7}
        return published_as.SophiaH(parameters, update_period=1, **settings)

    rule = hessx.SophiaH(beta1=0.9, beta2=0.9, gamma=1.0, eps=0.3, limit=0.7, every=1)
    near(iterates(make_backend("numpy"), rule, 200), published(made, 200, hessian=estimate))


def test_sophia_makes_the_steps_of_optax_a_lesson_later():
    optax, jax = pytest.importorskip("optax"), pytest.importorskip("jax")
    sophia = pytest.importorskip("optax.contrib._sophia")
    with make_backend("jax").active():
        told = optax.GradientTransformationExtraArgs(
            lambda params: (), lambda updates, state, params=None, h=None, **more: (h, state)
        )
        made = sophia.scale_by_sophia(
            b1=0.9, b2=0.9, eps=0.3, gamma=0.5, update_interval=5, hessian_diagonal_fn=told
        )
        x, found = jax.numpy.asarray(start()), []
        state, update = made.init(x), jax.jit(made.update)
        for t in range(1, 201):
            g = jax.numpy.asarray(gradient(np.asarray(x)))
            d, state = update(g, state, x, h=jax.numpy.asarray(estimate(t)))
            x = x - RATE * d
            found.append(np.asarray(x))
    rule = hessx.SophiaH(beta1=0.9, beta2=0.9, gamma=0.5, eps=0.3, every=5, corrected=True)
    ours = after_the_step(rule, 200)
    near(ours, np.array(found))


def after_the_step(rule, steps):
    """Points of a chain that is taught after its steps, as optax does."""
    x, found = start(), []
    space = space_of(x)
    chain = Chain.begin(rule, space, x)
    for t in range(1, steps + 1):
        x = chain.step(t, gradient(x), x, RATE)
        if chain.lesson_due(t):
            chain.learn(t, Diagonal(space, make_backend("numpy"), estimate(t)))
        found.append(x)
    return np.array(found)


def test_shampoo_makes_the_steps_of_a_published_one():
    published_as = pytest.importorskip("pytorch_optimizer")

    def made(parameters):
        return published_as.Shampoo(parameters, lr=RATE, matrix_eps=1e-2)

    rule = hessx.Preconditioned(hessx.Shampoo(epsilon=1e-2), beta=0.0)
    near(iterates(make_backend("numpy"), rule, 150), published(made, 150), 1e-11)


@pytest.mark.parametrize(("graft", "beta"), [("sgd", 0.9), ("adagrad", None)])
def test_grafted_shampoo_makes_the_steps_of_a_published_one(graft, beta):
    published_as = pytest.importorskip("pytorch_optimizer")
    grafting = pytest.importorskip("pytorch_optimizer.optimizer.utils.graft").LayerWiseGrafting

    def made(parameters):
        optimizer = published_as.ScalableShampoo(
            parameters,
            lr=RATE,
            betas=(0.0, 0.9),
            start_preconditioning_step=1,
            preconditioning_compute_steps=1,
            nesterov=False,
            use_svd=True,
            matrix_eps=1e-12,
            diagonal_eps=1e-12,
            graft_type=grafting[graft.upper()],
            shape_interpretation=False,
        )
        optimizer.param_groups[0]["betas"] = 0.0, 1.0 if beta is None else beta  # 1: a sum
        return optimizer

    rule = hessx.Preconditioned(hessx.Shampoo(beta=beta, graft=graft), beta=0.0)
    near(iterates(make_backend("numpy"), rule, 60), published(made, 60), 1e-9)


def test_soap_makes_the_steps_of_a_published_one():
    """Which has its bases in float32 alone."""
    published_as = pytest.importorskip("pytorch_optimizer")

    def made(parameters):
        settings = {"lr": RATE, "betas": (0.9, 0.95), "shampoo_beta": 0.8, "eps": 1e-2}
        return published_as.SOAP(parameters, weight_decay=0.0, precondition_frequency=4, **settings)

    approximation = hessx.SOAP(beta=0.95, factor_beta=0.8, eps=1e-2, every=4)
    rule = hessx.Preconditioned(approximation, beta=0.9)
    ours, theirs = iterates(make_backend("numpy"), rule, 150), published(made, 150)
    np.testing.assert_array_equal(ours[0], start())  # it only learns
    near(ours, theirs, 1e-4)


# ------------------------------------------------------------------------------- estimates


@pytest.mark.parametrize("rule", [hessx.AdaHessian(), hessx.SophiaH()])
def test_the_mean_of_the_estimates_is_the_diagonal(rule):
    H = np.array([[3.0, 1.0, -2.0], [1.0, -1.0, 0.5], [-2.0, 0.5, 2.0]])
    counts = Counts()
    hessian = HessianAt(space_of(np.zeros(3)), lambda v: H @ v, counts, 1.0)
    found = np.array([rule.lesson(t, hessian) for t in range(2000)])
    assert counts.products == 2000
    off = np.abs(H).sum(1) - np.abs(np.diag(H))
    assert (np.abs(found - np.diag(H)).max(0) <= off + 1e-12).all()
    spread = np.sqrt((H**2).sum(1) - np.diag(H) ** 2)  # of one estimate
    assert (np.abs(found.mean(0) - np.diag(H)) < 4.0 * spread / np.sqrt(2000)).all()
    signs = {tuple(z) for z in np.sign(found - np.diag(H)).astype(int)}
    assert len(signs) >= 4, "the same signs in every lesson"


def test_lessons_depend_on_seed_and_step_alone():
    seeds = [lesson_seed(seed, t) for seed, t in product((0, 1, 2), (1, 2, 10**6))]
    assert len(set(seeds)) == len(seeds)
    H = np.ones((n, n))
    hessian = HessianAt(space_of(np.zeros(n)), lambda v: H @ v, Counts(), 1.0)
    one, same, other = (hessx.SophiaH(seed=seed).lesson(3, hessian) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_spatial_means_are_those_over_the_last_axes():
    x = {"K": np.zeros((2, 3, 2, 2)), "W": np.zeros((2, 2))}
    space, h = space_of(x), np.random.default_rng(2).standard_normal(28)
    hessian = HessianAt(space, lambda v: v * h, Counts(), 1.0)
    kernels = np.abs(h[:24]).reshape(2, 3, 4).mean(2).repeat(4)
    expected = np.concatenate([kernels, h[24:]])
    np.testing.assert_allclose(hessx.AdaHessian().lesson(1, hessian), expected, rtol=1e-15)
    np.testing.assert_array_equal(hessx.AdaHessian(spatial=False).lesson(1, hessian), h)


def test_sophia_g_squares_the_sampled_gradient_times_the_rows():
    space = space_of(np.zeros(n))
    hessian = Diagonal(space, make_backend("numpy"), np.linspace(-1.0, 2.0, n))
    assert hessx.SophiaG().wants == Wants.HESSIAN | Wants.FACTORS
    expected = 7.0 * np.linspace(-1.0, 2.0, n) ** 2
    np.testing.assert_allclose(hessx.SophiaG().lesson(1, hessian), expected, rtol=1e-14)


# ------------------------------------------------------------------- every library, and files

RULES = {
    "adahessian": hessx.AdaHessian(every=2, eps=0.1),
    "sophia-h": hessx.SophiaH(every=3, gamma=1.0, eps=0.1),
    "sophia-g": hessx.SophiaG(every=3, eps=0.1),
    "shampoo": hessx.Preconditioned(hessx.Shampoo(epsilon=0.1)),
    "soap": hessx.Preconditioned(hessx.SOAP(eps=0.1, every=2)),
}


@pytest.mark.parametrize("name", RULES)
def test_the_same_iterates_everywhere(backend, name):
    found = iterates(backend, RULES[name], 6)
    expected = iterates(make_backend("numpy"), RULES[name], 6)
    assert found.dtype == np.dtype(backend.dtype_name)
    near(found, expected, 1e4 * backend.eps)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.backends("fakegpu")
def test_no_step_waits_and_a_lesson_uploads_its_signs(backend, name):
    tree = tree_on(backend)
    space = space_of(tree)
    x = space.flat(tree)
    chain, g, h = Chain.begin(RULES[name], space, x), x * 0.5 + 1.0, np.ones(n)
    hessian, lessons = Diagonal(space, backend, h), 0
    with backend.fetches() as waits, record_fetches() as ledger:
        for t in range(1, 7):
            if chain.lesson_due(t):
                lessons += 1
                chain.learn(t, hessian)
            x = chain.step(t, g, x, RATE)
    signs = lessons if name in ("adahessian", "sophia-h") else 0
    assert (waits.count, ledger.fetches, ledger.uploads) == (signs, 0, signs)
    assert (lessons > 0) == ("sophia" in name or "ada" in name)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.backends("numpy", "torch-float32", "jax")
def test_a_chain_put_down_and_taken_up_goes_on_bitwise(backend, name):
    tree = tree_on(backend)
    space = space_of(tree)
    x = space.flat(tree)
    chain = Chain.begin([RULES[name], hessx.rules.Decay(0.1)], space, x)

    def go(chain, x, steps):
        for t in steps:
            if chain.lesson_due(t):
                chain.learn(t, Diagonal(space, backend, estimate(t)))
            x = chain.step(t, x * x + 1.0, x, RATE)
        return x

    x = go(chain, x, range(1, 4))
    writer = Writer()
    text = json.dumps(writer.tree(chain, "chain"))
    again = Reader(space, writer.arrays, []).value(json.loads(text))
    ends = [backend.to_numpy(go(one, x, range(4, 8))) for one in (chain, again)]
    np.testing.assert_array_equal(*ends)


# ---------------------------------------------------------------------------- Preconditioned


class Layers:
    """What gives factors, and remembers for which seeds."""

    def __init__(self):
        self.seeds = []

    def factors(self, seed=None):
        self.seeds.append(seed)
        rng = np.random.default_rng(0 if seed is None else seed)
        return [
            LayerFactors(slice(0, n), rng.standard_normal((30, n)), rng.standard_normal((30, 1)))
        ]


@pytest.mark.parametrize("kind", [hessx.KFAC, hessx.EKFAC, hessx.Fisher])
@pytest.mark.parametrize("labels", ["sampled", "given"])
def test_lessons_on_layers_are_those_of_the_approximation(kind, labels):
    if kind is hessx.Fisher and labels == "given":
        pytest.skip("learns from rows")
    approximation = kind(damping=0.5, labels=labels)
    x, layers = start(), Layers()
    rule = hessx.Preconditioned(approximation, beta=0.0, every=3, seed=5)
    assert rule.wants == Wants.HESSIAN | Wants.FACTORS
    chain = Chain.begin(rule, space_of(x), x)
    dues = [t for t in range(1, 8) if chain.lesson_due(t)]
    for t in range(1, 8):
        if t in dues:
            chain.learn(t, layers)
        d = chain.direction(t, gradient(x), x)
    assert dues == [1, 4, 7]
    expected = [None] * 3 if labels == "given" else [lesson_seed(5, t) for t in dues]
    assert layers.seeds == expected
    part = approximation.begin(hessx.core.Frame(space_of(x)))
    for seed in expected:
        part.update(Layers().factors(seed))
    np.testing.assert_array_equal(d, part.solve(gradient(x)))


def test_rows_are_handed_to_what_learns_from_rows():
    class Rows:
        def matrix(self):
            return J

    J = np.random.default_rng(3).standard_normal((6, n))
    x = start()
    rule = hessx.Preconditioned(hessx.Fisher(damping=0.5), beta=0.0)
    assert (rule.wants, rule.every) == (Wants.PER_SAMPLE, 0)
    chain = Chain.begin(rule, space_of(x), x)
    np.testing.assert_array_equal(chain.direction(1, gradient(x), x), np.zeros(n))
    chain.learn_rows(2, Rows())
    d = chain.direction(2, gradient(x), x)
    np.testing.assert_allclose((J.T @ J / 6 + 0.5 * np.eye(n)) @ d, gradient(x), rtol=1e-12)


def test_what_is_made_of_the_hessian_of_a_sample():
    x, h = start(), np.linspace(1.0, 3.0, n)
    chain = Chain.begin(hessx.Preconditioned(hessx.Jacobi(), beta=0.0, every=2), space_of(x), x)
    operator = hessx.DiagonalOperator(h)
    hessian = HessianAt(space_of(x), operator.matvec, Counts(), 1.0, operator)
    assert chain.lesson_due(1) == "same"
    chain.learn(1, hessian)
    np.testing.assert_allclose(chain.direction(1, gradient(x), x), gradient(x) / h, rtol=1e-14)


@pytest.mark.parametrize("approximation", [hessx.LBFGS(), hessx.BFGS()])
def test_pairs_teach_what_learns_from_steps(approximation):
    H, x = np.diag(np.linspace(1.0, 3.0, n)), start()
    space = space_of(x)
    part = hessx.Preconditioned(approximation, beta=0.0).begin(space, x)
    np.testing.assert_array_equal(part.turn(1, x, x), x)
    for k in range(4):
        s = np.random.default_rng(k).standard_normal(n)
        pair, packet = Pair(s, H @ s), Packet(space)
        packet.ask(s_y=s @ H @ s, y_y=pair.y @ pair.y, s_s=s @ s)
        part.measure_pair(pair, packet.under("A: "))
        numbers = packet.fetch()
        pair.s_y, pair.y_y, pair.s_s = numbers["s_y"], numbers["y_y"], numbers["s_s"]
        pair.numbers = under(numbers, "A: ")
        assert part.learn_pair(pair) == ""
    np.testing.assert_allclose(part.turn(2, H @ s, x), s, rtol=1e-10)  # A y = s
    np.testing.assert_allclose(part.inverse_hessian() @ (H @ s), s, rtol=1e-10)


def test_the_mean_is_corrected_or_not():
    x = start()
    for corrected, factor in ((True, 1.0), (False, 1.0 - 0.9**3)):
        rule = hessx.Preconditioned(hessx.Identity(), beta=0.9, corrected=corrected)
        chain = Chain.begin(rule, space_of(x), x)
        for t in (1, 2, 3):
            d = chain.direction(t, x, x)
        np.testing.assert_allclose(d, factor * x, rtol=1e-13)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hessx.Preconditioned("shampoo"), "approximation is a str: expected an approx"),
        (lambda: hessx.Preconditioned(hessx.Shampoo), "approximation is the class Shampoo"),
        (lambda: hessx.Preconditioned(hessx.SR1()), r"SR1\(...\): expected one that is positive"),
        (lambda: hessx.Preconditioned(hessx.PairPreconditioner()), "learns outside solves"),
        (
            lambda: hessx.Preconditioned(hessx.SOAP(), every=10),
            "every = 10: SOAP.* has no lessons, but learns from the gradient of every step: exp",
        ),
        (lambda: hessx.Preconditioned(hessx.KFAC(), every=0), "every = 0: expected an integer"),
        (lambda: hessx.Preconditioned(hessx.KFAC(), beta=1.0), "beta = 1.0: expected a number"),
        (lambda: hessx.AdaHessian(power=2.0), r"power = 2.0: expected a number in \[0, 1\]"),
        (lambda: hessx.AdaHessian(every=0), "every = 0: expected an integer >= 1"),
        (lambda: hessx.AdaHessian(spatial="no"), "spatial = 'no': expected True or False"),
        (lambda: hessx.SophiaH(gamma=0.0), "gamma = 0.0: expected a number"),
        (lambda: hessx.SophiaG(limit=-1.0), "limit = -1.0: expected a number"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(SettingsError, match=message):
        make()
