"""L-BFGS, L-SR1 and L-DFP beside dense recursions over the last pairs; what they offer beyond."""

from __future__ import annotations

import pickle
from itertools import islice

import numpy as np
import pytest

import hessx
from _helpers.driving import bends, drive
from hessx import Offer, _xp
from hessx._xp import space_of
from hessx.core import Frame, SettingsError
from hessx.testing._posed import Posed
from reference.quasi_newton import (
    dense_dfp_inverse,
    dense_hessian,
    dense_sr1,
    largest_sr1_size,
)

n, m = 6, 3
SCALE = np.array([1.0, 0.5, 4.0, 2.0, 1.5, 0.25])
DIAGONAL = np.linspace(0.5, 2.0, n)
PLUS, MIXED = [1] * 8, [1, -1, 1, 1, -1, 1, 1, -1, 1]
SIGMAS = (0.0, 0.75, 20.0)
KINDS = {"LBFGS": hessx.LBFGS(memory=m), "LSR1": hessx.LSR1(m), "LDFP": hessx.LDFP(m)}
each = pytest.mark.parametrize("kind", KINDS)
LAZY = "takes long on a lazy library"


class Dense:
    """The matrix that a limited memory stands for, by the books."""

    def __init__(self, kind, least=0.0, start=None):
        self.kind, self.least, self.start, self.pairs = kind, least, start, []

    def add(self, s, y):
        """Give the word for the record."""
        if self.kind != "LSR1" and not s @ y > 0.0:
            return "skipped"
        self.pairs = [*self.pairs, (s, y)][-m:]
        return ""

    @property
    def hessian(self):
        pairs = self.pairs
        if not pairs:
            return np.eye(n) / (1.0 if self.start is None else self.start)
        if self.kind == "LSR1":
            size = largest_sr1_size(pairs) if self.start is None else 1.0 / self.start
            return dense_sr1(pairs, size, n, self.least)
        s, y = pairs[-1]
        if self.kind == "LBFGS":
            return dense_hessian(pairs, s @ y / (y @ y), n)
        gamma = max(s @ s / (s @ y) for s, y in pairs)
        return np.linalg.inv(dense_dfp_inverse(pairs, gamma, n))


def posed(backend, approximation, rng, scale=None):
    space = space_of(backend.asarray(np.zeros(n)))
    scale = None if scale is None else backend.asarray(scale)
    return Posed(Frame(space, scale), approximation, rng)


def random_pair(asked, rng, sign=1):
    """y = +-B s for a B of its own, as the dtype holds them."""
    Q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    s = rng.standard_normal(n)
    s, y = asked.there(s), asked.there(sign * (Q * rng.uniform(0.5, 3.0, n) @ (Q.T @ s)))
    return (s, y), (asked.host(s), asked.host(y))


def taught(backend, kind, rng, count=m + 2, scale=None):
    """A part that has gone round its ring, and the dense matrix."""
    asked = posed(backend, KINDS[kind], rng, scale)
    curvature, dense = asked.approximation.begin(asked.frame), Dense(kind, np.sqrt(backend.eps))
    for _ in range(count):
        pair, hosts = random_pair(asked, rng)
        assert asked.teach(curvature, pair) == dense.add(*hosts) == ""
    return asked, curvature, dense.hessian


def assert_close(actual, expected, eps, condition=1.0):
    """Agreement to some thousand roundings of the largest entry."""
    most = 4000 * eps * condition * abs(expected).max()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=most)


def assembled(asked, form):
    d = form.diagonal if isinstance(form.diagonal, float) else asked.host(form.diagonal)
    U = asked.host(form.factors)
    return d * np.eye(n) + U.T @ form.middle @ U


@pytest.mark.parametrize("signs", [PLUS, MIXED], ids=["round the ring", "curved down at times"])
@pytest.mark.parametrize("start", [None, 0.25])
@each
def test_each_is_its_recursion_over_the_last_pairs(backend, rng, kind, start, signs):
    """Pair by pair, twice and more round the ring, from the same size."""
    if backend.lazy and (start, signs) != (None, MIXED):
        pytest.skip(LAZY)
    if start is None:
        approximation = KINDS[kind]
    elif kind == "LSR1":
        approximation = hessx.LSR1(m, hess0=1.0 / start)
    else:
        approximation = type(KINDS[kind])(memory=m, hess_inv0=start)
    asked = posed(backend, approximation, rng)
    curvature = approximation.begin(asked.frame)
    dense = Dense(kind, np.sqrt(backend.eps), start)
    for k, sign in enumerate(signs):
        pair, hosts = random_pair(asked, rng, sign)
        assert asked.teach(curvature, pair, known=k % 2 == 1) == dense.add(*hosts)
        B = dense.hessian
        condition = np.linalg.cond(B)
        assert_close(asked.matrix(curvature.matvec), B, backend.eps, condition)
        if Offer.SOLVE in approximation.offers:
            assert_close(asked.matrix(curvature.solve), np.linalg.inv(B), backend.eps, condition)


@each
@pytest.mark.parametrize("scale", [None, SCALE], ids=["x", "scaled"])
def test_dense_diagonal_and_compact_form_are_those_of_the_products(backend, rng, kind, scale):
    asked, curvature, B = taught(backend, kind, rng, scale=scale)
    assert_close(asked.host(curvature.dense()), B, backend.eps)
    assert_close(asked.host(curvature.diagonal()), B.diagonal(), backend.eps)
    form = curvature.compact()
    assert_close(assembled(asked, form), B, backend.eps)
    backend.assert_same_kind(form.factors[0, ...], asked.vector())
    assert form.factors.shape == (2 * m, n)
    U = asked.host(form.factors)
    assert_close(form.products, U @ U.T, backend.eps)
    inverse_scale = np.ones(n) if scale is None else 1.0 / scale
    operator = curvature.operator(inverse=False)
    in_x = B * np.outer(inverse_scale, inverse_scale)
    assert_close(assembled(asked, operator.compact()), in_x, backend.eps)
    assert_close(operator.todense(), in_x, backend.eps)


@each
def test_shifted_solves_are_those_of_the_dense_matrix(backend, rng, kind):
    asked, curvature, B = taught(backend, kind, rng)
    for sigma in SIGMAS:
        shifted = B + sigma * np.eye(n)
        A = asked.matrix(lambda v, sigma=sigma: curvature.solve_shifted(v, sigma))
        assert_close(A, np.linalg.inv(shifted), backend.eps, np.linalg.cond(shifted))


@each
def test_before_the_first_pair_all_is_a_multiple_of_the_identity(backend, rng, kind):
    if kind == "LSR1":
        approximation = hessx.LSR1(m, hess0=4.0)
    else:
        approximation = type(KINDS[kind])(memory=m, hess_inv0=0.25)
    asked = posed(backend, approximation, rng)
    curvature = approximation.begin(asked.frame)
    np.testing.assert_array_equal(asked.host(curvature.dense()), 4.0 * np.eye(n))
    form = curvature.compact()
    assert (form.diagonal, form.factors.shape, form.middle.shape) == (4.0, (0, n), (0, 0))
    v = asked.vector()
    found = asked.host(curvature.solve_shifted(v, 1.0))
    np.testing.assert_allclose(found, asked.host(v) / 5.0, rtol=4 * backend.eps)


@each
def test_an_apply_fetches_nothing_and_uploads_once_for_each_sigma(backend, rng, kind):
    _, curvature, _ = taught(backend, kind, rng)
    v = backend.asarray(rng.standard_normal(n))
    with _xp.record_fetches() as ledger:
        for _ in range(3):
            for sigma in SIGMAS:
                curvature.solve_shifted(v, sigma)
            curvature.matvec(v)
        curvature.compact()
    assert (ledger.fetches, ledger.uploads) == (0, len(SIGMAS) + 1)


@pytest.mark.backends("fakegpu")
@each
def test_the_host_does_not_wait_in_an_apply(backend, rng, kind):
    _, curvature, _ = taught(backend, kind, rng)
    v = backend.asarray(rng.standard_normal(n))
    with backend.meter.forbid_waits(_xp.upload):
        curvature.solve_shifted(v, 0.5)
        curvature.dense()
        curvature.compact()


@each
def test_an_operator_stays_as_it_is_while_the_ring_is_written(backend, rng, kind):
    asked, curvature, B = taught(backend, kind, rng)
    operators = [curvature.operator(inverse=inverse) for inverse in (False, True)]
    operators = [operator for operator in operators if operator is not None]
    v = asked.vector()
    before = [asked.host(operator @ v) for operator in operators]
    for _ in range(m + 1):
        pair, _ = random_pair(asked, rng)
        asked.teach(curvature, pair)
    curvature.reset()
    for operator, expected in zip(operators, before, strict=True):
        np.testing.assert_array_equal(asked.host(operator @ v), expected)
    assert_close(operators[0].todense(), B, backend.eps)


@each
def test_operators_take_stacks_and_can_be_pickled(backend, rng, kind):
    asked, curvature, B = taught(backend, kind, rng)
    operator = curvature.operator(inverse=False)
    V = rng.standard_normal((2, 3, n))
    found = asked.host(operator @ backend.asarray(V))
    assert_close(found, V @ B, backend.eps)
    if backend.family == "numpy":
        again = pickle.loads(pickle.dumps(operator))
        np.testing.assert_array_equal(again.todense(), operator.todense())
        np.testing.assert_array_equal(np.asarray(operator), operator.todense())


@pytest.mark.parametrize("bad", ["y = B s", "y = 0", "nan", "inf", "s = 0"])
def test_lsr1_skips_what_tells_nothing(backend, rng, bad):
    """Nothing beyond the pairs that stay, and the size."""
    asked = posed(backend, hessx.LSR1(m, hess0=8.0), rng)
    curvature = asked.approximation.begin(asked.frame)
    for _ in range(m - 1):
        pair, _ = random_pair(asked, rng)
        assert asked.teach(curvature, pair) == ""
    B = asked.matrix(curvature.matvec)
    s = asked.vector()
    y = {
        "y = B s": lambda: curvature.matvec(s),
        "nan": lambda: s * np.nan,
        "inf": lambda: asked.there(np.full(n, np.inf)),
    }.get(bad, lambda: s * 0.0)()
    s = s * 0.0 if bad == "s = 0" else s
    with np.errstate(all="ignore"):
        note = asked.teach(curvature, (s, y))
    assert note == ("" if bad == "y = 0" else "skipped")
    if bad == "y = 0":  # no curvature along s is a curvature
        B_s = asked.host(curvature.matvec(s))
        np.testing.assert_allclose(B_s, 0.0, atol=4000 * backend.eps * abs(B).max())
    else:
        assert_close(asked.matrix(curvature.matvec), B, backend.eps)


def test_lsr1_of_pairs_that_are_nearly_one_stays_finite(backend, rng):
    """Of two steps along one line the newest counts, and B is no larger than they say."""
    asked = posed(backend, hessx.LSR1(m), rng)
    curvature = asked.approximation.begin(asked.frame)
    (s, y), (_, y_host) = random_pair(asked, rng)
    for near in (0.0, 8.0 * backend.eps, 0.0):
        t = s + asked.vector() * near
        asked.teach(curvature, (t, y))
        B = asked.matrix(curvature.matvec)
        assert abs(B).max() <= 50.0 * np.linalg.norm(y_host) / np.linalg.norm(asked.host(s))
        assert_close(B @ asked.host(t), y_host, 1e3 * np.sqrt(backend.eps) / 4000)


def test_lsr1_on_a_multiple_of_the_identity_learns_the_size_alone(backend, rng):
    asked = posed(backend, hessx.LSR1(m), rng)
    curvature = asked.approximation.begin(asked.frame)
    s = asked.vector()
    assert asked.teach(curvature, (s, s * 2.0)) == "skipped"
    assert curvature.sized
    np.testing.assert_allclose(asked.host(curvature.dense()), 2.0 * np.eye(n), rtol=1e-6)
    assert curvature.reset()


@pytest.mark.parametrize("scale", [None, SCALE], ids=["x", "scaled"])
@pytest.mark.parametrize("count", [0, 2, 7])
def test_the_root_of_an_inverse(backend, rng, scale, count):
    """L L' = A, L of no (n, n) matrix, L' its transpose, on stacks too."""
    asked, curvature, _ = taught(backend, "LBFGS", rng, count, scale)
    A = curvature.operator(inverse=True)
    L, expected = A.root(), A.todense().astype(np.float64)
    M = asked.matrix(L.matvec)
    assert_close(M @ M.T, expected, backend.eps)
    assert_close(asked.matrix(L.T.matvec), M.T, backend.eps)
    V = rng.standard_normal((2, n))
    assert_close(asked.host(L @ backend.asarray(V)), V @ M.T, backend.eps)
    with _xp.record_fetches() as ledger:
        L @ backend.asarray(V)
    assert ledger.fetches == 0


def test_a_diagonal_start_has_no_shift_and_a_compact_form_with_a_vector(backend, rng):
    approximation = hessx.LBFGS(memory=m, hess_inv0=backend.asarray(DIAGONAL))
    assert Offer.SHIFTED not in approximation.offers
    assert Offer.SHIFTED in hessx.LBFGS(hess_inv0=0.5).offers
    asked = posed(backend, approximation, rng)
    curvature, pairs, root = approximation.begin(asked.frame), [], np.sqrt(DIAGONAL)
    for _ in range(m + 1):
        pair, (s, y) = random_pair(asked, rng)
        asked.teach(curvature, pair)
        pairs = [*pairs, (s / root, y * root)][-m:]
    s, y = pairs[-1]
    B = dense_hessian(pairs, s @ y / (y @ y), n) / np.outer(root, root)
    form = curvature.compact()
    backend.assert_same_kind(form.diagonal, form.factors[0, ...])
    assert form.products is None  # d is no number
    assert_close(assembled(asked, form), B, backend.eps)
    assert_close(asked.host(curvature.dense()), B, backend.eps)
    with pytest.raises(NotImplementedError, match="must not offer it"):
        curvature.solve_shifted(asked.vector(), 1.0)


@pytest.mark.backends("numpy", "torch", "strict")
def test_a_region_goes_on_from_a_search_whose_last_pair_was_skipped(backend, rng):
    """That pair stands in the rows of a full memory, and is none."""
    signs = [1.0] * (m + 1) + [-1.0]
    solver = hessx.LineSearchMethod(hessx.LBFGS(memory=m), hessx.FixedStep(0.7))
    steps = drive(solver, backend, rng.standard_normal(n), bends(rng, n, signs))
    state = [step.state for step in islice(steps, len(signs) + 1)][-1]
    start = solver.inverse_hessian(state)
    assert start.count == m - 1
    asked = posed(backend, hessx.LBFGS(memory=m, hess_inv0=start), rng)
    curvature = asked.approximation.begin(asked.frame)
    A = start.todense().astype(np.float64)
    small = backend.eps * np.linalg.cond(A)
    assert_close(asked.matrix(curvature.matvec), np.linalg.inv(A), small)
    L = asked.matrix(start.root().matvec)
    assert_close(L @ L.T, A, backend.eps)


@pytest.mark.backends("numpy", "numpy-float32")
def test_a_matrix_that_is_too_large_is_refused(backend):
    space = space_of(backend.asarray(np.zeros(70000)))
    for approximation in (hessx.LBFGS(memory=1), hessx.LSR1(1), hessx.LDFP(1)):
        curvature = approximation.begin(Frame(space))
        taken = 36.5 if backend.dtype_name == "float64" else 18.3
        with pytest.raises(SettingsError, match=f"70000 numbers, which takes {taken} GiB"):
            curvature.dense()


def test_settings_out_of_range_are_refused():
    with pytest.raises(SettingsError, match="memory = 0: expected an integer >= 1"):
        hessx.LSR1(0)
    with pytest.raises(SettingsError, match=r"hess0 = -1.0: expected a number in \[0, inf\)"):
        hessx.LSR1(hess0=-1.0)
    with pytest.raises(SettingsError, match=r"hess_inv0 = 0\.0"):
        hessx.LDFP(hess_inv0=0.0)
    with pytest.raises(SettingsError, match=r"LSR1.* may be indefinite"):
        hessx.LineSearchMethod(hessx.LSR1(), hessx.HagerZhang())
