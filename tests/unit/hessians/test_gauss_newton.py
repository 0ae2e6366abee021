"""J'J of a sum of squares: its products, and what the singular values of J keep of it."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.registry import make_backend
from hessx import GaussNewton, Offer, SettingsError
from hessx._xp import eigh_of_root, record_fetches, space_of
from hessx.core import Counts, Damped, Frame
from hessx.krylov import KrylovOutcome, QuadraticModel
from hessx.objectives import Jacobian, ResidualAt, dense_jacobian

NUMPY = make_backend("numpy")
EYE = np.eye(4)


def graded(rng, m, n, least):
    """A matrix with singular values from 1 to ``least``."""
    k = min(m, n)
    U, _ = np.linalg.qr(rng.standard_normal((m, k)))
    V, _ = np.linalg.qr(rng.standard_normal((n, k)))
    return U * np.geomspace(1.0, least, k) @ V.T


def posed(backend, J, scale=None):
    space = space_of(backend.asarray(np.zeros(J.shape[1])))
    r = backend.asarray(np.ones(J.shape[0]))
    at = ResidualAt(space, r, dense_jacobian(space, backend.asarray(J)), Counts())
    return Frame(space, None if scale is None else backend.asarray(scale)), at


@pytest.mark.parametrize("shape", [(7, 4), (4, 4), (3, 4)])
@pytest.mark.parametrize("scaled", [False, True])
def test_by_products_and_by_j_it_is_the_same_matrix(backend, rng, shape, scaled):
    J = graded(rng, *shape, least=0.5)
    scale = np.array([1.0, 2.0, 0.5, 4.0]) if scaled else None
    frame, at = posed(backend, J, scale)
    D = np.ones(4) if scale is None else scale
    B = (J * D).T @ (J * D) + 0.25 * np.eye(4)
    near = {"atol": 1e2 * backend.eps * np.abs(B).max(), "rtol": 0.0}
    units = [backend.asarray(e) for e in EYE]
    for settings in (GaussNewton(damping=0.25), GaussNewton(dense=True, damping=0.25)):
        part = settings.begin(frame)
        assert part.waits
        part.at(at)
        assert not part.waits
        found = np.stack([backend.to_numpy(part.matvec(e)) for e in units])
        np.testing.assert_allclose(found, B, **near)
    np.testing.assert_allclose(backend.to_numpy(part.dense()), B, **near)
    np.testing.assert_allclose(backend.to_numpy(part.diagonal()), B.diagonal(), **near)
    R, u = (backend.to_numpy(a) for a in part.root())
    np.testing.assert_allclose(R.T @ R, B, **near)
    np.testing.assert_allclose(R.T @ u, D * (J.T @ np.ones(len(J))), **near)
    for apply, inverse in (
        (part.solve, np.linalg.inv(B)),
        (lambda v: part.solve_shifted(v, 0.5), np.linalg.inv(B + 0.5 * np.eye(4))),
    ):
        found = np.stack([backend.to_numpy(apply(e)) for e in units])
        np.testing.assert_allclose(found, inverse, atol=1e3 * backend.eps * np.abs(inverse).max())
    part.leave()
    assert part.waits


@pytest.mark.parametrize("shape", [(9, 5), (5, 5), (3, 5)])
def test_singular_values_keep_what_the_matrix_loses(backend, rng, shape):
    """Down to eps of the largest, where eigenvalues of J'J are rounding below eps^(1/2)."""
    least = backend.eps**0.75
    J, r = graded(rng, *shape, least=least), rng.standard_normal(shape[0])
    space = space_of(backend.asarray(np.zeros(5)))
    w, V, c = eigh_of_root(space, backend.asarray(J), backend.asarray(r))
    expected = np.geomspace(least, 1.0, min(shape))
    np.testing.assert_allclose(np.sqrt(w), expected, rtol=20.0 * backend.eps**0.25, atol=0.0)
    backend.assert_same_kind(V[:, 0], space.zeros(5))
    V = backend.to_numpy(V).astype(np.float64)
    np.testing.assert_allclose(V.T @ V, np.eye(len(w)), atol=1e2 * backend.eps)
    near = {"atol": 1e2 * backend.eps * np.linalg.norm(r), "rtol": 0.0}
    np.testing.assert_allclose(c, V.T @ (J.T @ r), **near)
    U = np.linalg.svd(J, full_matrices=False)[0]
    found, expected = np.abs(c) / np.sqrt(w), np.abs(r @ U)[::-1]
    np.testing.assert_allclose(found, expected, atol=20.0 * backend.eps**0.25, rtol=0.0)


def test_a_damped_step_has_the_digits_of_qr(backend, rng):
    """Against a least-squares solution in float64, where J'J has no digit left of it."""
    least = 10.0 * backend.eps ** (2 / 3)
    J, r = graded(rng, 8, 4, least), rng.standard_normal(8)
    r = J @ np.ones(4) + 1e-3 * least * r
    sigma = (least / 4.0) ** 2
    stacked = np.vstack([J, np.sqrt(sigma) * np.eye(4)])
    expected = -np.linalg.lstsq(stacked, np.concatenate([r, np.zeros(4)]), rcond=None)[0]
    given = backend.asarray(J)
    g = backend.asarray(r) @ given
    space = space_of(g)
    model = QuadraticModel(
        space, None, g, 1.0, 0.0, 1, Damped(sigma), dense=lambda: given.T @ given,
        root=lambda: (given, backend.asarray(r)),
    )  # fmt: skip
    p = hessx.MoreSorensen()(model)
    assert p.outcome in (KrylovOutcome.SOLVED, KrylovOutcome.RESTRAINED)
    found = J @ backend.to_numpy(p.step).astype(np.float64)
    np.testing.assert_allclose(found, J @ expected, atol=1e2 * backend.eps)
    error = np.abs(backend.to_numpy(p.step) - expected).max() / np.abs(expected).max()
    assert error <= 1e2 * backend.eps / least**1.0
    model.root = None
    rough = hessx.MoreSorensen()(model)
    lost = np.abs(backend.to_numpy(rough.step) - expected).max() / np.abs(expected).max()
    assert lost > 10.0 * error


def test_products_are_counted_and_a_limit_is_seen():
    J = np.arange(12.0).reshape(3, 4)
    space = space_of(np.zeros(4))
    counts = Counts()
    at = ResidualAt(space, np.ones(3), Jacobian(lambda v: J @ v, lambda u: u @ J), counts)
    part = GaussNewton(dense=True).begin(Frame(space))
    part.at(at)
    assert not part.prepare(lambda: counts.products >= 2)
    assert counts.products == 2
    part.at(at)
    assert part.prepare()
    assert counts.products == 6
    np.testing.assert_array_equal(part.root()[0], J)
    products = GaussNewton().begin(Frame(space))
    products.at(at)
    products.matvec(np.ones(4))
    assert counts.products == 7


def test_an_apply_fetches_nothing_and_a_point_once(backend, rng):
    frame, at = posed(backend, graded(rng, 6, 4, 0.1))
    part = GaussNewton(dense=True, damping=1.0).begin(frame)
    part.at(at)
    with record_fetches() as ledger:
        part.prepare()
    assert ledger.fetches == 1
    v = backend.asarray(np.ones(4))
    with record_fetches() as ledger:
        for apply in (part.matvec, part.solve, lambda v: part.solve_shifted(v, 1.0)):
            apply(v)
    assert ledger.fetches == 0
    part.leave()
    part.focus(Offer.DENSE)
    part.at(at)
    with record_fetches() as ledger:
        part.prepare()
    assert ledger.fetches == 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: GaussNewton(damping=-1.0), r"damping = -1.0: expected a number in \[0, inf\)"),
        (lambda: GaussNewton(dense="yes"), "dense"),
        (lambda: GaussNewton(max_bytes=0), "max_bytes"),
        (
            lambda: hessx.LineSearchMethod(GaussNewton(dense=True), hessx.HagerZhang()),
            "GaussNewton",
        ),
        (
            lambda: hessx.TrustRegionMethod(GaussNewton(), preconditioner=GaussNewton()),
            "may be indefinite",
        ),
        (
            lambda: hessx.TrustRegionMethod(preconditioner=GaussNewton(damping=1.0)),
            "is made of the residual",
        ),
        (
            lambda: hessx.TrustRegionMethod(GaussNewton(), hessx.MoreSorensen()),
            r"hessx.GaussNewton\(dense=True\)",
        ),
    ],
)
def test_what_does_not_fit(make, words):
    with pytest.raises(SettingsError, match=words):
        make()


def test_a_matrix_too_large_is_refused():
    squares = hessx.SumOfSquares(lambda x: x)
    method = hessx.TrustRegionMethod(GaussNewton(dense=True, max_bytes=1000), hessx.MoreSorensen())
    with pytest.raises(SettingsError, match=r"expected hessx.GaussNewton\(\), which is products"):
        hessx.minimize(squares, np.ones(20), method=method)


def test_without_a_jacobian_there_is_no_hessian_and_the_message_says_so():
    fun = hessx.SumOfSquares(lambda x: x - 1.0)
    with pytest.raises(ValueError, match=r"expected SumOfSquares\(residual, jac\)"):
        hessx.minimize(fun, np.zeros(2), method="newton")
