"""Partial inverses beside dense ones."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.quadratics import symmetric
from hessx import SettingsError
from hessx._xp import like, record_fetches, space_of
from hessx.core import Counts, Frame
from hessx.objectives import HessianAt
from hessx.testing import check_approximation
from hessx.testing._posed import Posed
from reference.quasi_newton import bfgs_hessian_update

n = 7
WHERE = {
    "slice": (slice(2, 5), [2, 3, 4]),
    "steps": (slice(None, None, 3), [0, 3, 6]),
    "numbers": ([4, -1, 0], [4, 6, 0]),
    "mask": (np.arange(n) % 2 == 1, [1, 3, 5]),
}
EIGENVALUES = np.array([-6.0, -2.0, 0.5, 1.0, 3.0, 8.0, 20.0])


def begun(backend, approximation, scale=None):
    space = space_of(backend.asarray(np.zeros(n)))
    return approximation.begin(Frame(space, None if scale is None else backend.asarray(scale)))


def hessian_at(part, H, counts=None, *, matrix=False):
    space = part.frame.space
    M = like(space, H, "H")
    operator = hessx.DenseOperator(M, True) if matrix else None
    return HessianAt(space, lambda v: M @ v, counts or Counts(), 1.0, operator)


def matrix_of(backend, apply):
    columns = [backend.to_numpy(apply(backend.asarray(e))) for e in np.eye(n)]
    return np.stack(columns, axis=1).astype(float)


def absolute_inverse(H):
    w, V = np.linalg.eigh(H)
    return V / abs(w) @ V.T, abs(w).mean()


@pytest.mark.parametrize("name", WHERE)
def test_inverts_the_block_and_divides_by_its_size_elsewhere(backend, rng, name):
    where, chosen = WHERE[name]
    H = symmetric(rng, EIGENVALUES).astype(backend.dtype_name).astype(float)
    A, size = absolute_inverse(H[np.ix_(chosen, chosen)])
    expected = np.eye(n) / size
    expected[np.ix_(chosen, chosen)] = A
    part, counts = begun(backend, hessx.Partial("exact", where)), Counts()
    part.at(hessian_at(part, H, counts))
    with record_fetches() as ledger:
        assert part.prepare()
    assert ledger.fetches == 1
    assert counts.products == 3
    found = matrix_of(backend, part.solve)
    np.testing.assert_allclose(found, expected, atol=500 * backend.eps * abs(expected).max())
    inverse = matrix_of(backend, part.matvec)
    np.testing.assert_allclose(inverse @ expected, np.eye(n), atol=1e4 * backend.eps)


@pytest.mark.parametrize("scale", [None, 2.0 ** np.arange(-3, 4)], ids=["", "scale"])
def test_directions_are_those_of_the_subspace(backend, rng, scale):
    H = symmetric(rng, EIGENVALUES).astype(backend.dtype_name).astype(float)
    V = rng.integers(-3, 4, (2, n)) + 0.0
    D = np.eye(n) if scale is None else np.diag(scale)
    Q = np.linalg.qr((V @ np.linalg.inv(D)).T)[0].T
    A, size = absolute_inverse(Q @ D @ H @ D @ Q.T)
    expected = Q.T @ A @ Q + (np.eye(n) - Q.T @ Q) / size
    part = begun(backend, hessx.Partial("exact", V), scale)
    part.at(hessian_at(part, H))
    found = matrix_of(backend, part.solve)
    np.testing.assert_allclose(found, expected, atol=2e3 * backend.eps * abs(expected).max())


@pytest.mark.parametrize("rest", [2.5, np.linspace(0.5, 3.5, n)], ids=["number", "diagonal"])
def test_a_given_rest_is_that_of_x(backend, rng, rest):
    H, scale = symmetric(rng, EIGENVALUES), 2.0 ** np.arange(-3, 4)
    part = begun(backend, hessx.Partial("exact", slice(0, 2), rest), scale)
    part.at(hessian_at(part, H))
    found = backend.to_numpy(part.diagonal())[2:]
    expected = (np.zeros(n) + rest) * scale**2
    np.testing.assert_allclose(found, expected[2:], rtol=8 * backend.eps)


def test_a_matrix_of_the_users_costs_no_product(backend, rng):
    H, counts = symmetric(rng, EIGENVALUES), Counts()
    part = begun(backend, hessx.Partial("exact", [1, 5, 2]))
    part.at(hessian_at(part, H, counts, matrix=True))
    kept = matrix_of(backend, part.solve)
    assert counts.products == 0
    part.leave()
    part.at(hessian_at(part, H))
    np.testing.assert_allclose(matrix_of(backend, part.solve), kept, atol=200 * backend.eps)


@pytest.mark.parametrize("where", [slice(0, 3), [1, 0, 4]], ids=["slice", "numbers"])
def test_a_matrix_of_the_users_that_is_not_symmetric_is_refused(rng, where):
    H = symmetric(rng, EIGENVALUES)
    H[0, 1] += 1.0
    part = hessx.Partial("exact", where).begin(Frame(space_of(np.zeros(n))))
    part.at(hessian_at(part, H, matrix=True))
    with pytest.raises(ValueError, match=r"hess\(x\) is not symmetric"):
        part.prepare()


@pytest.mark.backends("numpy", "torch-float32", "fakegpu")
def test_what_learns_is_given_its_share_of_a_pair(backend, rng):
    chosen = [0, 2, 5]
    frame = Frame(space_of(backend.asarray(np.zeros(n))))
    posed = Posed(frame, hessx.Partial(hessx.BFGS(scaling="none"), chosen), rng)
    part, B = posed.approximation.begin(posed.frame), None
    for _ in range(4):
        s, y = pair = posed.pair()
        note = posed.teach(part, pair)
        s, y = posed.host(s)[chosen], posed.host(y)[chosen]
        assert (note == "skipped") == (s @ y <= 0.0)
        if note == "":
            size = y @ y / (s @ y)
            B = bfgs_hessian_update(size * np.eye(3) if B is None else B, s, y)
    found = matrix_of(backend, part.matvec)
    expected = size * np.eye(n)
    expected[np.ix_(chosen, chosen)] = B
    np.testing.assert_allclose(found, expected, rtol=2e3 * backend.eps, atol=2e3 * backend.eps)


@pytest.mark.backends("numpy", "torch-float32", "fakegpu")
@pytest.mark.parametrize("where", [slice(2, 5), slice(4, n), slice(None)], ids=str)
@pytest.mark.parametrize("rest", [None, 2.5], ids=["size", "number"])
def test_the_operators_of_neighbours_are_those_of_x(backend, rng, where, rest):
    frame = Frame(space_of(backend.asarray(np.zeros(n))), backend.asarray(2.0 ** np.arange(-3, 4)))
    posed = Posed(frame, hessx.Partial(hessx.LBFGS(), where, rest), rng)
    part, D = posed.approximation.begin(frame), np.diag(2.0 ** np.arange(-3, 4))
    for _ in range(3):
        posed.teach(part, posed.pair())
    A, B = posed.matrix(part.solve), posed.matrix(part.matvec)
    kept = part.operator(inverse=True), part.operator(inverse=False)
    posed.teach(part, posed.pair())  # changes neither
    for operator, M in zip(kept, (D @ A @ D, np.linalg.inv(D) @ B @ np.linalg.inv(D)), strict=True):
        found = posed.matrix(operator.matvec)
        np.testing.assert_allclose(found, M, atol=500 * backend.eps * abs(M).max())


def test_a_result_has_the_inverse_of_a_learnt_part():
    d = np.linspace(1.0, 4.0, n)
    method = hessx.LineSearchMethod(hessx.Partial(hessx.BFGS(), slice(3)), hessx.HagerZhang())
    result = hessx.minimize(lambda x: ((d * x) @ x / 2, d * x), np.ones(n), jac=True, method=method)
    A = result.hess_inv @ np.eye(n)
    np.testing.assert_allclose(A, A.T, atol=1e-14)
    np.testing.assert_allclose(np.diag(A)[3:], A[6, 6])
    again = hessx.minimize(
        lambda x: ((d * x) @ x / 2, d * x), np.ones(n), jac=True, method="lbfgs",
        options={"hess_inv0": result.hess_inv},
    )  # fmt: skip
    assert again.success


@pytest.mark.parametrize("of", [hessx.Hutchinson(), hessx.LBFGS(), hessx.Exact(dense=True)])
def test_keeps_the_promises_with_directions(of):
    check_approximation(hessx.Partial(of, np.eye(4, 5) + 0.25, rest=2.0), np.zeros(5), stacks=True)


def test_a_newton_step_in_few_variables_beside_a_known_diagonal():
    d = np.ones(n)
    H = np.diag(d)
    H[:3, :3] = [[1e6, 5e2, 0.0], [5e2, 1.0, 0.0], [0.0, 0.0, 0.5]]
    method = hessx.LineSearchMethod(hessx.Partial("exact", slice(3), rest=1.0), hessx.HagerZhang())
    result = hessx.minimize(
        lambda x: x @ H @ x / 2 - x.sum(), np.zeros(n), jac=lambda x: H @ x - 1.0,
        hessp=lambda x, v: H @ v, method=method,
    )  # fmt: skip
    assert (result.nit, result.counts.products) == (1, 3)


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ([0, 7], "number 7: expected numbers from 0 to 6"),
        ([-8], "number -8"),
        ([1, 1], "variable 1 twice"),
        ([1, -6], "variable 1 twice"),
        ([], "chooses nothing"),
        (slice(9, 12), "chooses none of 7"),
        (np.zeros(n, bool), "chooses nothing"),
        (np.ones(3, bool), "mask of 3 entries: expected 7"),
        ([0.5, 1.5], "dtype float64"),
        (np.ones((2, 3)), r"shape \(2, 3\): expected \(k, 7\)"),
        (np.ones((2, n)), "rank 1"),
        ("first", "where = "),
        (None, "where = "),
    ],
)
def test_bad_subsets(where, text):
    with pytest.raises(SettingsError, match=text):
        hessx.Partial("exact", where).begin(Frame(space_of(np.zeros(n))))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ((hessx.KFAC(), [0]), "KFAC"),
        ((hessx.PairPreconditioner(), [0]), "PairPreconditioner"),
        (("newton", [0]), "of is a str"),
        ((hessx.Exact(), [0]), "expected rest"),
        (("exact", [0], 0.0), "rest = 0.0"),
        (("exact", [0], [1.0, 2.0]), "rest has 2 entries: expected 7"),
        (("exact", [0], -np.ones(n)), "rest has entries"),
        (("exact", np.ones((1, n)), np.ones(n)), "rest is an array"),
    ],
)
def test_bad_settings(given, text):
    with pytest.raises(SettingsError, match=text):
        hessx.Partial(*given).begin(Frame(space_of(np.zeros(n))))


@pytest.mark.parametrize(
    "where", [slice(2), [2, 0], np.eye(3)[:2]], ids=["slice", "points", "rows"]
)
@pytest.mark.parametrize("given", [True, False], ids=["matrix", "products"])
def test_gauss_newton_inside_has_the_columns_of_j(where, given):
    """Linear residuals of two variables alone: one step of theirs is the least-squares solution."""
    J = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, -1.0], [2.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    scale = np.array([1.0, 10.0, 0.1])
    V = np.eye(3)[where if isinstance(where, list) else slice(2)]
    jac = (lambda x: J) if given else (lambda x: hessx.DenseOperator(J))
    fun = hessx.SumOfSquares(lambda x: J @ x - 1.0, jac)
    part = hessx.Partial(hessx.GaussNewton(dense=True, damping=1e-12), where, rest=1e12)
    method = hessx.LineSearchMethod(part, hessx.HagerZhang(), x_scale=scale)
    x = hessx.minimize(fun, np.zeros(3), method=method, options={"maxiter": 1}).x
    expected = np.linalg.lstsq(J @ V.T, np.ones(4), rcond=None)[0]
    np.testing.assert_allclose(V @ x, expected, atol=1e-9)


def test_what_takes_the_whole_hessian_is_refused_inside():
    for part in (hessx.Sparse(np.eye(2)), hessx.SparseNewton(np.eye(2))):
        with pytest.raises(SettingsError, match=r"takes the Hessian of all variables"):
            hessx.Partial(part, slice(2), rest=1.0)
        with pytest.raises(SettingsError, match=r"takes the Hessian of all variables"):
            hessx.Blockwise(part)


def test_where_is_told_apart():
    for where, text in ((3, "where = 3: expected"), ([0.5], r"shape \(1,\) and dtype float64: ex")):
        with pytest.raises(SettingsError, match=text):
            hessx.Partial("exact", where)
