"""Approximations by Kronecker products and by gradients of rows, against dense matrices."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

import hessx
import hessx.models
from _helpers.registry import make_backend
from hessx._xp import record_fetches, space_of
from hessx.core import Frame, LayerFactors, SettingsError
from hessx.core.persistence._encoding import Reader, Writer
from hessx.testing._posed import _Rows
from reference.kronecker import ekfac, fisher, kfac, shampoo, soap_steps

linalg = pytest.importorskip("scipy.linalg")

SHAPES = {"W": (3, 4), "b": (4,), "K": (2, 3, 2)}
n = 12 + 4 + 12


def tree_on(backend):
    return {name: backend.asarray(np.zeros(shape)) for name, shape in SHAPES.items()}


def begun(backend, approximation, x=None):
    return approximation.begin(Frame(space_of(tree_on(backend) if x is None else x)))


def host(backend, a):
    return np.array(backend.to_numpy(a), dtype=np.float64)


def matrices(g):
    """Leaves of a flat gradient, with K as a matrix; b is left out."""
    return g[:12].reshape(3, 4), g[16:].reshape(2, 6)


def assert_is(backend, part, B, condition=None):
    """Compare with a dense B in all ways: dense, diagonal, matvec, solve, shifted, operators."""
    condition = np.linalg.cond(B) if condition is None else condition
    size = np.abs(B).max()
    loose = 50.0 * backend.eps * condition
    inverse, shifted = np.linalg.inv(B), np.linalg.inv(B + 0.5 * np.eye(len(B)))
    v = np.random.default_rng(5).standard_normal((2, len(B)))
    there = backend.asarray(v)

    def near(found, expected, atol):
        backend.assert_same_kind(found, backend.asarray(expected))
        np.testing.assert_allclose(host(backend, found), expected, rtol=loose, atol=atol)

    near(part.dense(), B, loose * size)
    near(part.diagonal(), np.diag(B), loose * size)
    near(part.matvec(there), v @ B, loose * size)
    near(part.solve(there), v @ inverse, loose * np.abs(inverse).max())
    near(part.solve(there[0, ...]), v[0] @ inverse, loose * np.abs(inverse).max())
    near(part.solve_shifted(there, 0.5), v @ shifted, loose * np.abs(shifted).max())
    near(part.operator(inverse=False) @ there, v @ B, loose * size)


# ---------------------------------------------------------------------------------- Shampoo


@pytest.mark.parametrize(
    "settings",
    [{}, {"beta": 0.9, "epsilon": 0.1}, {"power": 0.5}, {"max_size": 3}],
    ids=["sum", "ema", "power", "one-sided"],
)
def test_shampoo_is_the_root_of_dense_kronecker_products(backend, rng, settings):
    part = begun(backend, hessx.Shampoo(**settings))
    gradients = rng.standard_normal((8, n))
    for g in gradients:
        assert part.update(backend.asarray(g)) == ""
    settings = dict(settings)
    sides = ((True, True),) * 2
    if "max_size" in settings:  # W is (3, 4), K is (2, 6)
        sides = ((True, False),) * 2
        del settings["max_size"]
    W, K = (
        shampoo(given, sides=side, **settings)
        for given, side in zip(zip(*map(matrices, gradients), strict=True), sides, strict=True)
    )
    beta, squares = settings.get("beta"), 0.0
    for g in gradients:
        squares = squares + g * g if beta is None else beta * squares + (1.0 - beta) * g * g
    if beta is not None:
        squares = squares / (1.0 - beta ** len(gradients))
    d = (squares + settings.get("epsilon", 0.0)) ** (2.0 * settings.get("power", 0.25))
    assert_is(backend, part, linalg.block_diag(W, np.diag(d[12:16]), K))


def test_shampoo_with_gradients_of_low_rank(backend, rng):
    part = begun(backend, hessx.Shampoo(), backend.asarray(np.zeros((5, 3))))
    u, v = rng.standard_normal(5), rng.standard_normal(3)
    G = np.outer(u, v)
    part.update(backend.asarray(G.ravel()))
    expected = G / (np.linalg.norm(u) * np.linalg.norm(v))  # on the span the root is norm(G)
    found = host(backend, part.solve(backend.asarray(G.ravel()))).reshape(5, 3)
    np.testing.assert_allclose(found, expected, atol=1e3 * np.sqrt(backend.eps))
    zero = begun(backend, hessx.Shampoo(graft="sgd"), backend.asarray(np.zeros((5, 3))))
    zero.update(backend.asarray(np.zeros(15)))
    np.testing.assert_array_equal(
        host(backend, zero.solve(backend.asarray(np.ones(15)))).round(4), np.ones(15)
    )


@pytest.mark.parametrize("graft", ["sgd", "adagrad"])
def test_grafting_gives_the_last_gradient_the_length_of_another_step(backend, rng, graft):
    part, plain = begun(backend, hessx.Shampoo(graft=graft)), begun(backend, hessx.Shampoo())
    squares = np.zeros(n)
    for g in rng.standard_normal((4, n)):
        part.update(backend.asarray(g))
        plain.update(backend.asarray(g))
        squares += g * g
    length = g if graft == "sgd" else g / np.sqrt(squares)
    d, raw = (host(backend, p.solve(backend.asarray(g))) for p in (part, plain))
    for span in (slice(0, 12), slice(12, 16), slice(16, 28)):
        expected = raw[span] * np.linalg.norm(length[span]) / np.linalg.norm(raw[span])
        np.testing.assert_allclose(d[span], expected, rtol=1e4 * backend.eps)


# ------------------------------------------------------------------------------------- SOAP


# Large beside what rounding makes of a null space: G G' of the first gradient is singular.
EPS = 0.05


def bent(target):
    """The gradient of a function of matrices whose second moments change along the way."""
    rng = np.random.default_rng(11)
    A, C = rng.standard_normal((4, 4)), rng.standard_normal((3, 3))
    A, C = A @ A.T + np.diag([0.1, 1.0, 5.0, 20.0]), C @ C.T + np.diag([1.0, 0.1, 10.0])
    return lambda x: A @ (x - target) @ C + (x - target) ** 3


def soap_iterates(backend, steps, **settings):
    rng = np.random.default_rng(7)
    x, gradient = rng.standard_normal((4, 3)), bent(rng.standard_normal((4, 3)))
    part = begun(backend, hessx.SOAP(eps=EPS, **settings), backend.asarray(x))
    there, m, found, count = backend.asarray(x.ravel()), np.zeros(12), [x], 0
    for _ in range(steps):
        g = gradient(host(backend, there).reshape(4, 3)).ravel()
        part.update(backend.asarray(g))
        if part.active:
            m, count = 0.9 * m + 0.1 * g, count + 1
            there = there - part.solve(backend.asarray(m / (1.0 - 0.9**count))) * 0.02
            found.append(host(backend, there).reshape(4, 3))
    return found, lambda **more: soap_steps(
        x, gradient, 0.02, steps, beta1=0.9, beta2=settings["beta"], eps=EPS, **more
    )


@pytest.mark.parametrize("every", [2, 5])
def test_soap_makes_the_steps_of_the_paper(backend, every):
    steps = 120 if backend.name == "numpy" else 12
    found, textbook = soap_iterates(backend, steps, beta=0.95, every=every)
    expected = textbook(every=every)
    assert len(found) == len(expected) == steps
    rtol = 1e-9 if backend.dtype_name == "float64" else 1e-3
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)


def test_second_moments_move_with_the_columns_that_are_sorted():
    found, textbook = soap_iterates(make_backend("numpy"), 40, beta=0.95, every=2)
    np.testing.assert_allclose(found, textbook(every=2), rtol=1e-9, atol=1e-9)
    off = np.abs(np.array(found) - textbook(every=2, permuted=False)).max()
    assert off > 1e-3, "the textbook with the mistake makes the same steps: it tests nothing"


def test_soap_is_adam_on_vectors_and_long_sides(backend, rng):
    part = begun(backend, hessx.SOAP(beta=0.8, max_size=1))
    gradients = rng.standard_normal((5, n))
    for g in gradients:
        part.update(backend.asarray(g))
    v = np.zeros(n)
    for g in gradients[1:]:
        v = 0.8 * v + 0.2 * g * g
    d = (np.sqrt(v) + 1e-8) / np.sqrt(1.0 - 0.8**4)
    assert_is(backend, part, np.diag(d))


def test_soap_keeps_orthogonal_bases_of_what_it_has_seen(backend, rng):
    part = begun(backend, hessx.SOAP(beta=0.5, every=1))
    for g in rng.standard_normal((9, n)) * rng.standard_normal((9, 1)):
        part.update(backend.asarray(g))
    B = host(backend, part.dense())
    assert_is(backend, part, (B + B.T) / 2.0)
    for block in part.blocks:
        for Q in (block.Q_L, block.Q_R):
            if Q is not None:
                Q = host(backend, Q)
                np.testing.assert_allclose(Q.T @ Q, np.eye(len(Q)), atol=50 * backend.eps)


# ---------------------------------------------------------------------- K-FAC, EK-FAC, Fisher


def layers_on(backend, rng, rows=9):
    """Two layers, of 3 x 4 and 4 x 4 variables; on the host too."""
    known = [
        (rng.standard_normal((rows, 3)) @ np.diag([1.0, 3.0, 0.5]), rng.standard_normal((rows, 4))),
        (rng.standard_normal((rows, 4)), rng.standard_normal((rows, 4)) * 0.1),
    ]
    spans = slice(0, 12), slice(12, 28)
    there = [
        LayerFactors(span, *map(backend.asarray, layer))
        for span, layer in zip(spans, known, strict=True)
    ]
    return known, there[::-1]  # in any order


@pytest.mark.parametrize("dense", [kfac, ekfac])
def test_layers_make_the_dense_matrix(backend, rng, dense):
    settings = {kfac: hessx.KFAC, ekfac: hessx.EKFAC}[dense]
    part = begun(backend, settings(damping=0.1), backend.asarray(np.zeros(n)))
    known, there = layers_on(backend, rng)
    assert part.update(there) == ""
    assert_is(backend, part, dense(known, 0.1))


@pytest.mark.parametrize("kind", [hessx.KFAC, hessx.EKFAC])
@pytest.mark.backends("numpy", "torch-float32")
def test_factors_are_the_mean_of_all_batches_until_they_forget(backend, rng, kind):
    part = begun(backend, kind(damping=0.1, beta=0.5, every=3), backend.asarray(np.zeros(n)))
    batches = [layers_on(backend, rng) for _ in range(4)]
    for i, (_, there) in enumerate(batches):
        part.update(there)
        if i == 2:
            third = host(backend, part.dense())
    # beta is min(1 - 1 / k, 0.5): weights of the four are 1/8, 1/8, 1/4, 1/2
    roots = np.sqrt(np.array([1.0, 1.0, 2.0, 4.0]) / 8.0 * 4.0)
    weighted = [
        [(root * a, root * s) for a, s in known]
        for (known, _), root in zip(batches, roots, strict=True)
    ]
    joined = [
        tuple(map(np.concatenate, zip(*layer, strict=True)))
        for layer in zip(*weighted, strict=True)
    ]
    if kind is hessx.KFAC:
        assert_is(backend, part, kfac(joined, 0.1))
    else:  # its second moments begin anew with the bases, of the fourth batch alone
        last = batches[3][0]
        expected = []
        for (inputs, slopes), (a, s) in zip(last, joined, strict=True):
            Q = np.kron(np.linalg.eigh(a.T @ a)[1], np.linalg.eigh(s.T @ s)[1])
            rows = np.stack([np.kron(*row) for row in zip(inputs, slopes, strict=True)])
            F = Q.T @ (rows.T @ rows / len(rows)) @ Q
            expected.append(Q @ np.diag(np.diag(F) + 0.1) @ Q.T)
        assert_is(backend, part, linalg.block_diag(*expected))
    assert np.abs(third - host(backend, part.dense())).max() > 1e-3


def test_kfac_is_exact_where_the_gauss_newton_matrix_is_a_product(backend, rng):
    """One linear layer, squared loss: H = mean(a a') x I, and the slopes' second moment is I."""
    X = rng.standard_normal((16, 3))
    slopes = np.kron(np.ones((4, 1)), 2.0 * np.eye(4))  # of mean square I, independent of X
    X = np.kron(X[:4], np.ones((4, 1)))
    part = begun(backend, hessx.KFAC(damping=backend.eps**2), backend.asarray(np.zeros((3, 4))))
    part.update([LayerFactors(slice(0, 12), backend.asarray(X), backend.asarray(slopes))])
    H = np.kron(X.T @ X / 16.0, np.eye(4))
    assert_is(backend, part, H)


@pytest.mark.parametrize("labels", ["given", "sampled"])
def test_fisher_is_the_mean_of_outer_products(backend, rng, labels):
    part = begun(backend, hessx.Fisher(damping=0.2, labels=labels), backend.asarray(np.zeros(n)))
    known, there = layers_on(backend, rng, rows=5)
    rows = np.stack([np.concatenate([np.kron(a[i], s[i]) for a, s in known]) for i in range(5)])
    part.update(_Rows(backend.asarray(rows)) if labels == "given" else there)
    assert_is(backend, part, fisher(rows, 0.2))


@pytest.mark.parametrize("kind", ["MultinomialLogistic", "LinearLeastSquares"])
def test_drawn_labels_give_the_gauss_newton_matrix_of_the_models_on_average(rng, kind):
    """Of a mean and of a sum: a matrix that is twice as large is a common mistake."""
    X, classes = rng.standard_normal((12, 3)), rng.integers(0, 3, 12)
    y = classes if kind == "MultinomialLogistic" else rng.standard_normal(12)
    model = getattr(hessx.models, kind)(X, y)
    w = rng.standard_normal((4, 3) if kind == "MultinomialLogistic" else 3) * 0.5
    hessian = model.gauss_newton(w)
    H = hessian.dense(like=np.ones(1))
    frame, draws, mean = Frame(space_of(w)), 400, 0.0
    rows = hessx.Fisher(damping=1e-9, labels="sampled").begin(frame)
    layers = hessx.KFAC(damping=1e-9, beta=0.999).begin(frame)
    for seed in range(draws):
        factors = hessian.factors(seed)
        rows.update(factors)
        layers.update(factors)
        mean = mean + rows.dense() / draws
    assert np.linalg.norm(mean - H) < 0.15 * np.linalg.norm(H)
    assert 0.7 < np.trace(layers.dense()) / np.trace(H) < 1.4


@pytest.mark.backends("numpy")
def test_layers_must_cover_the_variables(backend, rng):
    _, there = layers_on(backend, rng)
    with pytest.raises(SettingsError, match="0:12 = 3 x 4, of 28: expected layers"):
        begun(backend, hessx.KFAC(), backend.asarray(np.zeros(n))).update(there[1:])
    with pytest.raises(SettingsError, match="x_scale is an array"):
        hessx.KFAC().begin(Frame.of(space_of(np.zeros(3)), np.ones(3)))


# --------------------------------------------------------------------------------- all of them

KINDS = {
    "Shampoo": hessx.Shampoo(every=2),
    "grafted": hessx.Shampoo(beta=0.9, graft="adagrad"),
    "SOAP": hessx.SOAP(every=2),
    "KFAC": hessx.KFAC(every=2),
    "EKFAC": hessx.EKFAC(every=2),
    "Fisher": hessx.Fisher(),
    "Fisher, sampled": hessx.Fisher(labels="sampled"),
}


def taught(backend, rng, part, times=4):
    """Teach evidence of the kind that a part learns from."""
    for _ in range(times):
        if "FAC" in type(part).__name__ or getattr(part.settings, "labels", "") == "sampled":
            part.update(layers_on(backend, rng)[1])
        elif isinstance(part.settings, hessx.Fisher):
            part.update(_Rows(backend.asarray(rng.standard_normal((3, n)))))
        else:
            part.update(backend.asarray(rng.standard_normal(n)))
    return part


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.backends("fakegpu")
def test_nothing_waits_for_the_device(backend, rng, name):
    part, v = begun(backend, KINDS[name]), backend.asarray(rng.standard_normal(n))
    evidence = np.random.default_rng(3)
    taught(backend, evidence, part)
    layers, g = layers_on(backend, rng)[1], backend.asarray(rng.standard_normal(n))
    rows = _Rows(backend.asarray(rng.standard_normal((3, n))))
    with backend.fetches() as waits, record_fetches() as ledger:
        for _ in range(3):
            part.update({"G": g, "F": layers, "P": rows}[KINDS[name].learns.name[0]])
            part.solve(v), part.matvec(v), part.solve_shifted(v, 0.5), part.diagonal()
    assert (waits.count, ledger.fetches, ledger.uploads) == (0, 0, 0)


@pytest.mark.parametrize(("name", "fetches"), [("Shampoo", 1), ("SOAP", 1), ("KFAC", 1)])
@pytest.mark.backends("strict", "dask")
def test_a_library_without_eigh_fetches_once_for_a_decomposition(backend, rng, name, fetches):
    if backend.name.startswith("strict") and not backend.strictest:
        pytest.skip("has linalg")
    part = taught(backend, rng, begun(backend, KINDS[name]), times=2)
    with record_fetches() as ledger:
        taught(backend, rng, part, times=2)  # one of the two decomposes
    assert ledger.fetches == fetches


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.backends("numpy", "torch-float32", "fakegpu", "jax", "dask", "strict")
def test_put_down_and_taken_up_it_goes_on_bitwise(backend, name):
    part = taught(backend, np.random.default_rng(1), begun(backend, KINDS[name]), times=3)
    writer = Writer()
    tree = json.loads(json.dumps(writer.tree(part, "part")))
    again = Reader(part.frame.space, writer.arrays, []).value(tree)
    v = backend.asarray(np.random.default_rng(2).standard_normal(n))
    for _ in range(3):
        np.testing.assert_array_equal(
            backend.to_numpy(part.solve(v)), backend.to_numpy(again.solve(v))
        )
        for one in (part, again):
            taught(backend, np.random.default_rng(4), one, times=1)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.backends("numpy", "torch", "jax", "strict")
def test_what_is_not_finite_raises_nothing(backend, rng, name):
    part = taught(backend, rng, begun(backend, KINDS[name]), times=2)
    bad = np.full(n, np.nan)
    layers = layers_on(backend, rng)[1]
    layers[0] = LayerFactors(layers[0].span, layers[0].inputs, layers[0].slopes * np.nan)
    evidence = {"G": backend.asarray(bad), "F": layers, "P": _Rows(backend.asarray([bad, bad]))}
    with np.errstate(all="ignore"):
        for _ in range(3):
            part.update(evidence[KINDS[name].learns.name[0]])
        d = host(backend, part.solve(backend.asarray(np.ones(n))))
    assert np.isnan(d).any(), "a gradient that is lost must show"


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.backends("numpy")
def test_a_copy_is_independent(backend, rng, name):
    part = taught(backend, rng, begun(backend, KINDS[name]))
    twin, v = copy.deepcopy(part), rng.standard_normal(n)
    kept = part.solve(v)
    taught(backend, rng, part)
    np.testing.assert_array_equal(twin.solve(v), kept)
    assert np.abs(part.solve(v) - kept).max() > 0.0


@pytest.mark.parametrize("name", ["Shampoo", "grafted"])
@pytest.mark.parametrize("power", [-9, 14])
@pytest.mark.backends("numpy", "numpy-float32")
def test_gradients_times_a_power_of_two_give_the_same_directions(backend, rng, name, power):
    one, other = (begun(backend, KINDS[name]) for _ in range(2))
    for g in rng.standard_normal((5, n)):
        one.update(backend.asarray(g))
        other.update(backend.asarray(g) * 2.0**power)
        ratio = other.solve(backend.asarray(g)) * 2.0**power
        np.testing.assert_array_equal(ratio, one.solve(backend.asarray(g)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hessx.Shampoo(beta=1.0), r"beta = 1.0: expected a number in \[0, 1\)"),
        (lambda: hessx.Shampoo(power=0.0), r"power = 0.0: expected a number in \(0, 1\]"),
        (lambda: hessx.Shampoo(graft="adam"), "graft = 'adam': expected 'sgd' or 'adagrad'"),
        (lambda: hessx.SOAP(every=0), "every = 0: expected an integer >= 1"),
        (lambda: hessx.SOAP(corrected="no"), "corrected = 'no': expected True or False"),
        (lambda: hessx.KFAC(damping=0.0), "damping = 0.0: expected a number"),
        (lambda: hessx.EKFAC(labels="drawn"), "labels = 'drawn': expected 'sampled' or 'given'"),
        (lambda: hessx.Fisher(damping=-1.0), "damping = -1.0: expected a number"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(SettingsError, match=message):
        make()


@pytest.mark.parametrize("name", KINDS)
def test_methods_that_are_not_stochastic_refuse_it(name):
    approximation = KINDS[name]
    for place in (
        lambda: hessx.LineSearchMethod(approximation, hessx.HagerZhang()),
        lambda: hessx.TrustRegionMethod(approximation),
        lambda: hessx.TrustRegionMethod(preconditioner=approximation),
    ):
        with pytest.raises(SettingsError, match=r"StochasticMethod with the rule hessx\.Precond"):
            place()
    with pytest.raises(SettingsError, match="learns from steps or points"):
        hessx.LBFGS(hess_inv0=approximation)
