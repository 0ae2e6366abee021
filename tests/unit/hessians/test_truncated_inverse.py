"""Truncated inverses beside the polynomials that they are."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.quadratics import symmetric
from _helpers.runs import chained_rosenbrock, product_of
from hessx._xp import like, record_fetches, space_of
from hessx.core import Counts, Frame
from hessx.objectives import HessianAt
from hessx.testing import check_approximation

n = 6
DEFINITE = np.array([1.0, 2.0, 3.0, 5.0, 7.0, 9.0])
INDEFINITE = np.array([-9.0, -6.0, -4.0, 4.0, 7.0, 8.0])


def arrived(backend, rng, spectrum, **settings):
    space, counts = space_of(backend.asarray(np.zeros(n))), Counts()
    H = symmetric(rng, spectrum).astype(backend.dtype_name).astype(float)
    M = like(space, H, "H")
    part = hessx.TruncatedInverse(**settings).begin(Frame(space))
    part.at(HessianAt(space, lambda v: M @ v, counts, 1.0))
    return part, H, counts


def matrix_of(backend, apply):
    columns = [backend.to_numpy(apply(backend.asarray(e))) for e in np.eye(n)]
    return np.stack(columns, axis=1).astype(float)


def test_of_a_definite_one_it_is_the_inverse(backend, rng):
    part, H, _ = arrived(backend, rng, DEFINITE, degree=24)
    found = matrix_of(backend, part.solve)
    np.testing.assert_allclose(found @ H, np.eye(n), atol=2.0 * 0.5**25 + 1e3 * backend.eps)


def test_of_an_indefinite_one_it_is_that_of_the_absolute_value(backend, rng):
    part, H, _ = arrived(backend, rng, INDEFINITE, degree=80, condition=2.5)
    w, V = np.linalg.eigh(H)
    found = matrix_of(backend, part.solve)
    np.testing.assert_allclose(found, V / abs(w) @ V.T, atol=1e-6 + 1e3 * backend.eps)


def test_neumann_is_its_series(backend, rng):
    part, H, _ = arrived(backend, rng, DEFINITE, by="neumann", degree=3)
    w, V = np.linalg.eigh(H)
    expected = V * ((1.0 - (1.0 - w / 9.0) ** 4) / w) @ V.T
    np.testing.assert_allclose(matrix_of(backend, part.solve), expected, atol=1e3 * backend.eps)


@pytest.mark.backends("numpy", "torch-float32")
@pytest.mark.parametrize("by", ["chebyshev", "neumann"])
@pytest.mark.parametrize("spectrum", [DEFINITE, INDEFINITE, -DEFINITE, [0, 0, 0, 0, 0, 3.0]])
def test_polynomials_are_symmetric_and_positive(backend, rng, by, spectrum):
    for degree in (0, 4, 8):
        part, _, _ = arrived(backend, rng, spectrum, by=by, degree=degree, products=2)
        A = matrix_of(backend, part.solve)
        np.testing.assert_allclose(A, A.T, atol=200 * backend.eps * abs(A).max())
        assert np.linalg.eigvalsh(A)[0] > 0.0


@pytest.mark.backends("numpy", "torch-float32")
@pytest.mark.parametrize("by", ["cg", "minres"])
@pytest.mark.parametrize("spectrum", [DEFINITE, INDEFINITE, -DEFINITE])
def test_krylov_steps_lead_down(backend, rng, by, spectrum):
    for degree in (1, 3, 8):
        part, _, _ = arrived(backend, rng, spectrum, by=by, degree=degree)
        v = rng.standard_normal(n)
        assert v @ backend.to_numpy(part.solve(backend.asarray(v))) > 0.0


def test_products_and_fetches(backend, rng):
    part, _, counts = arrived(backend, rng, DEFINITE, degree=5, products=4)
    with record_fetches() as ledger:
        part.prepare()
    assert (ledger.fetches, counts.products) == (1, 4)
    v = backend.asarray(np.ones(n))
    with record_fetches() as ledger:
        part.solve(v)
    assert (ledger.fetches, counts.products) == (0, 9)


@pytest.mark.backends("numpy", "torch-float32")
def test_zero_and_nan(backend):
    space = space_of(backend.asarray(np.zeros(n)))
    for by in ("chebyshev", "neumann", "cg", "minres"):
        part = hessx.TruncatedInverse(by=by).begin(Frame(space))
        part.at(HessianAt(space, lambda v: v * 0.0, Counts(), 1.0))
        v = backend.asarray(np.arange(1.0, n + 1.0))
        np.testing.assert_array_equal(backend.to_numpy(part.solve(v)), backend.to_numpy(v))
        part.leave()
        part.at(HessianAt(space, lambda v: v * float("nan"), Counts(), 1.0))
        part.prepare()
        assert part.broken


@pytest.mark.parametrize(
    "approximation",
    [
        hessx.TruncatedInverse(by="neumann", degree=2),
        hessx.TruncatedInverse(by="cg", degree=12),
        hessx.TruncatedInverse(by="minres", degree=12),
        hessx.TruncatedInverse(hessx.SR1(), degree=4, products=4),
    ],
    ids=["Neumann", "CG", "MINRES", "SR1"],
)
def test_keeps_the_promises(approximation):
    check_approximation(approximation, np.zeros(4), stacks=True)


@pytest.mark.parametrize("by", ["chebyshev", "neumann", "cg", "minres"])
def test_runs_on_a_function_that_is_not_convex(by):
    method = hessx.LineSearchMethod(hessx.TruncatedInverse(by=by), hessx.HagerZhang())
    result = hessx.minimize(
        chained_rosenbrock, np.full(n, -1.0), jac=True, hessp=product_of(chained_rosenbrock),
        method=method, options={"gtol": 1e-2},
    )  # fmt: skip
    assert result.success, result.message
    assert abs(chained_rosenbrock(result.x)[1]).max() <= 1e-2


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"of": hessx.Given(lambda r: r)}, "of = Given"),
        ({"of": hessx.KFAC()}, "of = KFAC"),
        ({"by": "jacobi"}, "by = 'jacobi'"),
        ({"degree": -1}, "degree = -1"),
        ({"by": "cg", "degree": 0}, "degree = 0"),
        ({"condition": 1.0}, "condition = 1.0"),
        ({"products": 0}, "products = 0"),
    ],
)
def test_bad_settings(settings, text):
    with pytest.raises(hessx.SettingsError, match=text):
        hessx.TruncatedInverse(**settings)
