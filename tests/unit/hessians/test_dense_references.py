"""Quasi-Newton curvatures beside dense recursions, pair by pair."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

import hessx
from _helpers.driving import drive
from _helpers.runs import chained_rosenbrock
from hessx._xp import space_of
from hessx.core import Frame
from hessx.testing._posed import Posed
from reference.quasi_newton import (
    bfgs_hessian_update,
    bfgs_update,
    compact_hessian,
    dense_hessian,
    dense_inverse,
    powell_damped,
    sr1_size,
    sr1_update,
)

n = 6
SCALE = np.array([1.0, 0.5, 4.0, 2.0, 1.5, 0.25])
DIAGONAL = np.linspace(0.5, 2.0, n)
PLUS, MIXED = [1] * 8, [1, -1, 1, 1, -1, 1, 1, -1, 1]


class LastPairs:
    """What L-BFGS in a region keeps: the last m pairs, in the variables w = x / root of a start."""

    def __init__(self, m, start=None, damping=None):
        self.m, self.damping, self.pairs = m, damping, []
        self.root = np.sqrt(DIAGONAL) if start == "diagonal" else np.ones(n)
        self.gamma = start if isinstance(start, float) else 1.0
        self.sized = start is not None

    @property
    def hessian(self):
        return dense_hessian(self.pairs, self.gamma, n) / np.outer(self.root, self.root)

    @property
    def inverse(self):
        return dense_inverse(self.pairs, self.gamma, n) * np.outer(self.root, self.root)

    def add(self, s, y, known):
        """Give the word for the record."""
        damped = y
        if self.damping and self.sized and known:
            damped = powell_damped(s, y, self.hessian, self.damping)
        if not s @ damped > 0.0:
            return "skipped"
        self.pairs = [*self.pairs, (s / self.root, damped * self.root)][-self.m :]
        s, y_w = self.pairs[-1]
        self.gamma, self.sized = s @ y_w / (y_w @ y_w), True
        return "" if damped is y else "damped"


def posed(backend, approximation, rng, scale=None):
    space = space_of(backend.asarray(np.zeros(n)))
    return Posed(
        Frame(space, None if scale is None else backend.asarray(scale)), approximation, rng
    )


def random_pair(asked, rng, sign):
    """y = +-B s for a B of its own, as the dtype holds them."""
    Q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    s = rng.standard_normal(n)
    y = sign * (Q * rng.uniform(0.5, 3.0, n) @ (Q.T @ s))
    s, y = asked.there(s), asked.there(y)
    return (s, y), (asked.host(s), asked.host(y))


def assert_close(actual, expected, eps):
    """Agreement to some hundred roundings of the largest entry."""
    np.testing.assert_allclose(actual, expected, rtol=0, atol=2000 * eps * abs(expected).max())


def test_the_references_agree(rng):
    pairs = [(s, 2.0 * s + 0.1 * rng.standard_normal(n)) for s in rng.standard_normal((3, n))]
    B = dense_hessian(pairs, 0.3, n)
    np.testing.assert_allclose(compact_hessian(pairs, 0.3, n), B, atol=1e-13)
    np.testing.assert_allclose(B @ dense_inverse(pairs, 0.3, n), np.eye(n), atol=1e-13)
    s, y = pairs[0]
    np.testing.assert_allclose(sr1_update(B, s, y, 0.0) @ s, y, atol=1e-13)
    np.testing.assert_array_equal(sr1_update(B, s, B @ s + 1e-9 * np.roll(s, 1), 1.0), B)


@pytest.mark.parametrize("start", [None, 0.25, "diagonal"])
@pytest.mark.parametrize("damping", [None, 0.2])
@pytest.mark.parametrize("signs", [PLUS, MIXED], ids=["round the ring", "useless pairs"])
def test_lbfgs_learns_as_dense_bfgs(backend, rng, start, damping, signs):
    given = backend.asarray(DIAGONAL) if start == "diagonal" else start
    asked = posed(backend, hessx.LBFGS(memory=3, hess_inv0=given, damping=damping), rng)
    curvature = asked.approximation.begin(asked.frame)
    dense = LastPairs(3, start, damping)
    for k, sign in enumerate(signs):
        pair, (s, y) = random_pair(asked, rng, sign)
        known = k % 2 == 1
        assert asked.teach(curvature, pair, known=known) == dense.add(s, y, known)
        assert_close(asked.matrix(curvature.solve), dense.inverse, backend.eps)
        assert_close(asked.matrix(curvature.matvec), dense.hessian, backend.eps)
        assert_close(asked.host(curvature.diagonal()), dense.hessian.diagonal(), backend.eps)
    assert len(dense.pairs) == 3


def test_with_more_pairs_than_variables_gamma_is_that_of_the_newest(backend, rng):
    asked = posed(backend, hessx.LBFGS(memory=n + 2), rng)
    curvature, dense = asked.approximation.begin(asked.frame), LastPairs(n + 2)
    for _ in range(4):
        pair, (s, y) = random_pair(asked, rng, 1)
        assert asked.teach(curvature, pair) == dense.add(s, y, known=False) == ""
    assert_close(asked.matrix(curvature.solve), dense.inverse, backend.eps)
    assert_close(asked.matrix(curvature.matvec), dense.hessian, backend.eps)


@pytest.mark.parametrize("initial", [None, 0.5])
@pytest.mark.parametrize("scale", [None, SCALE])
def test_bfgs_and_sr1_are_their_recursions(backend, rng, initial, scale):
    """A first pair that curves down gives SR1 its size too."""
    least = np.sqrt(backend.eps)
    for kind, signs in ((hessx.BFGS, MIXED), (hessx.SR1, MIXED), (hessx.SR1, [-1, *MIXED])):
        textbook = {"scaling": "none"} if kind is hessx.BFGS else {}
        asked = posed(backend, kind(initial, **textbook), rng, scale)
        curvature = asked.approximation.begin(asked.frame)
        B = None if initial is None else np.eye(n) * (initial if kind is hessx.SR1 else 1 / initial)
        for k, sign in enumerate(signs):
            pair, (s, y) = random_pair(asked, rng, sign)
            note = asked.teach(curvature, pair, known=k % 2 == 1)
            size = sr1_size(s, y) if kind is hessx.SR1 else y @ y / (s @ y)
            B = np.eye(n) * size if B is None else B
            if kind is hessx.SR1:
                B = sr1_update(B, s, y, least)
            elif sign > 0:
                B = bfgs_hessian_update(B, s, y)
            assert note == ("skipped" if kind is hessx.BFGS and sign < 0 else "")
            assert_close(asked.host(curvature.dense()), B, 10 * backend.eps)
            assert_close(asked.matrix(curvature.matvec), B, 10 * backend.eps)
        D = np.eye(n) if scale is None else np.diag(scale)
        in_x = np.linalg.inv(D) @ B @ np.linalg.inv(D)
        operator = curvature.operator(inverse=False)
        assert_close(asked.matrix(operator.matvec), in_x, 10 * backend.eps)
        if kind is hessx.BFGS:
            operator = curvature.operator(inverse=True)
            assert_close(asked.matrix(operator.matvec), np.linalg.inv(in_x), 10 * backend.eps)


@pytest.mark.parametrize("damping", [None, 0.2])
def test_operators_of_scaled_lbfgs_belong_to_x(backend, rng, damping):
    asked = posed(backend, hessx.LBFGS(memory=3, damping=damping), rng, SCALE)
    curvature, dense = asked.approximation.begin(asked.frame), LastPairs(3, None, damping)
    for k, sign in enumerate(MIXED):
        pair, (s, y) = random_pair(asked, rng, sign)
        asked.teach(curvature, pair, known=k % 2 == 1)
        dense.add(s, y, k % 2 == 1)
    both = {
        True: np.diag(SCALE) @ dense.inverse @ np.diag(SCALE),
        False: dense.hessian / np.outer(SCALE, SCALE),
    }
    for inverse, expected in both.items():
        operator = curvature.operator(inverse=inverse)
        assert_close(asked.matrix(operator.matvec), expected, backend.eps)
        assert_close(asked.host(operator.diagonal()), expected.diagonal(), backend.eps)


@pytest.mark.parametrize("scale", [None, SCALE])
@pytest.mark.parametrize("here", [None, SCALE[::-1].copy()])
def test_the_pairs_of_a_run_are_taken_over_as_the_matrix_in_x(backend, scale, here):
    """Whatever the scales of the run that made them and of that which begins with them."""
    scaled = {} if scale is None else {"x_scale": backend.asarray(scale)}
    x0 = backend.asarray(np.linspace(-1.0, 1.0, n))
    method = hessx.LineSearchMethod(hessx.LBFGS(memory=3), hessx.HagerZhang(), **scaled)
    first = hessx.minimize(
        chained_rosenbrock, x0, jac=True, method=method, options={"maxiter": 5}
    ).hess_inv
    asked = posed(backend, hessx.LBFGS(memory=3, hess_inv0=first), np.random.default_rng(0), here)
    curvature = asked.approximation.begin(asked.frame)
    expected = first.todense()
    for operator, matrix in (
        (curvature.operator(inverse=True), expected),
        (curvature.operator(inverse=False), np.linalg.inv(expected)),
    ):
        small = backend.eps * np.linalg.cond(expected)
        assert_close(asked.matrix(operator.matvec), matrix, small)
    D = np.diag(np.ones(n) if here is None else here)
    assert_close(D @ asked.matrix(curvature.solve) @ D, expected, backend.eps)


@pytest.mark.parametrize("scale", [None, SCALE])
@pytest.mark.parametrize("globalised", ["line search", "trust region"])
def test_the_matrix_of_a_bfgs_run_is_the_recursion_on_its_pairs(backend, globalised, scale):
    scaled = {} if scale is None else {"x_scale": backend.asarray(scale)}
    method = (
        hessx.LineSearchMethod(hessx.BFGS(scaling="none"), hessx.HagerZhang(), **scaled)
        if globalised == "line search"
        else hessx.TrustRegionMethod(hessx.BFGS(scaling="none"), **scaled)
    )
    D2 = np.diag(np.ones(n) if scale is None else scale**2)
    steps = drive(method, backend, np.linspace(-1.0, 1.0, n), chained_rosenbrock)
    first = next(steps)
    x, g, A = first.x, first.g, None
    for step in islice(steps, 12):
        if not step.accepted:
            continue
        s, y = step.x - x, step.g - g
        if s @ y > 0.0:
            A = D2 * (s @ y) / (y @ D2 @ y) if A is None else A
            A = bfgs_update(A, s, y)
        x, g = step.x, step.g
        found = method.inverse_hessian(step.state)
        if globalised == "trust region":
            assert found is None  # B alone is kept
            found, A_or_B = step.state.part.curvature.operator(inverse=False).A, np.linalg.inv(A)
        else:
            A_or_B = A
        found = backend.to_numpy(found).astype(np.float64)
        assert_close(found, A_or_B, 1e3 * backend.eps)
    assert A is not None


@pytest.mark.backends("numpy", "torch")
def test_hess_inv_of_bfgs_is_an_array_and_that_of_lbfgs_becomes_one(backend):
    x0 = backend.asarray(np.array([3.0, 4.0]))
    for name in ("BFGS", "lbfgs"):
        inverse = hessx.minimize(lambda x: (x @ x, 2.0 * x), x0, jac=True, method=name).hess_inv
        np.testing.assert_allclose(np.asarray(inverse), 0.5 * np.eye(2), atol=1e3 * backend.eps)
        if name == "BFGS":
            assert type(inverse) is type(x0) and inverse.dtype == x0.dtype
            continue
        np.testing.assert_array_equal(np.asarray(inverse), inverse.todense())
        with pytest.raises(ValueError, match="copy=False"):
            np.array(inverse, copy=False)
        if backend.name == "numpy":
            np.testing.assert_allclose(inverse.dot([2, 4]), [1.0, 2.0], atol=1e3 * backend.eps)
