"""Preconditioners beside the matrices that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.quadratics import Quadratic, symmetric
from _helpers.runs import chained_rosenbrock, matrix_of
from hessx._xp import space_of
from hessx.core import Ball, Frame, PairRing
from hessx.krylov import TruncatedCG
from hessx.models import LogisticRegression
from reference.quasi_newton import dense_inverse

n = 8


class Hessian:
    """What `at` is given: a diagonal, or none."""

    def __init__(self, diagonal):
        self.given = diagonal

    def diagonal(self):
        return self.given


def matrix(backend, apply):
    """M from its products with unit vectors."""
    columns = [backend.to_numpy(apply(backend.asarray(e))) for e in np.eye(n)]
    return np.stack(columns, axis=1).astype(float)


def settled(given):
    """The approximation that a preconditioner stands for."""
    return hessx.TrustRegionMethod(preconditioner=given).preconditioner


def bound(backend, given, scale=None):
    space = space_of(backend.asarray(np.zeros(n)))
    return settled(given).begin(Frame(space, None if scale is None else backend.asarray(scale)))


def at(part, hessian=None):
    """r -> M r at a point."""
    part.leave()
    part.at(hessian)
    return part.solve


@pytest.mark.parametrize("scale", [None, np.linspace(0.5, 4.0, n)])
def test_jacobi_divides_by_the_absolute_diagonal(backend, scale):
    d = np.array([1.0, -2.0, 4.0, 8.0, -0.5, 100.0, 3.0, 0.25])
    M = matrix(backend, at(bound(backend, "jacobi", scale), Hessian(backend.asarray(d))))
    expected = 1.0 / abs(d) if scale is None else 1.0 / (abs(d) * scale**2)
    np.testing.assert_allclose(M, np.diag(expected), rtol=8 * backend.eps)


def test_jacobi_raises_what_is_small_and_survives_zeros(backend):
    d = np.array([1.0, 0.0, 2.0, -4.0, 0.0, 1e-30, 1.0, 1.0])
    M = matrix(backend, at(bound(backend, "jacobi"), Hessian(backend.asarray(d))))
    least = 4.0 * backend.eps
    np.testing.assert_allclose(np.diag(M), 1.0 / np.maximum(abs(d), least), rtol=8 * backend.eps)
    zero = matrix(backend, at(bound(backend, "jacobi"), Hessian(backend.asarray(0.0 * d))))
    assert np.isfinite(zero).all()
    assert (np.diag(zero) > 0.0).all()


@pytest.mark.parametrize("form", ["matrix", "operator", "callable"])
@pytest.mark.parametrize("scale", [None, np.linspace(0.5, 4.0, n)])
def test_a_given_m(backend, rng, form, scale):
    given = symmetric(rng, np.linspace(1.0, 3.0, n)).astype("float32").astype(float)
    M = backend.asarray(given)
    forms = {"matrix": M, "operator": hessx.DenseOperator(M), "callable": lambda r: M @ r}
    part = bound(backend, forms[form], scale)
    assert part.collect == 0 and part.active and not part.waits
    applied = matrix(backend, at(part))
    expected = given if scale is None else given / np.outer(scale, scale)
    np.testing.assert_allclose(applied, expected, rtol=1e-12, atol=50 * backend.eps)


@pytest.mark.parametrize("memory", [3, 20])
@pytest.mark.parametrize("check_every", [1, 4])
def test_pairs_are_bfgs_on_the_last_directions(backend, rng, memory, check_every):
    """M is the dense BFGS inverse of the pairs p, H p, in the order CG met them."""
    posed = Quadratic(backend, symmetric(rng, np.linspace(1.0, 9.0, n)), rng.standard_normal(n))
    part = bound(backend, hessx.PairPreconditioner(memory))
    assert not part.active
    step = TruncatedCG(check_every=check_every)(posed.model(limit=6, collect=part.collect))
    pairs: PairRing = step.pairs
    order = [(pairs.first + i) % pairs.slots for i in range(pairs.count)]
    assert order == pairs.order
    host = [(posed.host(pairs.rows[2 + 2 * i]), posed.host(pairs.rows[3 + 2 * i])) for i in order]
    part.collected(pairs)
    assert part.active
    M = matrix(backend, at(part))
    s, y = host[-1]
    expected = dense_inverse(host, s @ y / (y @ y), n)
    np.testing.assert_allclose(M, expected, atol=1e4 * backend.eps * np.linalg.norm(expected))
    # the secant equation of every conjugate pair
    for s, y in host:
        np.testing.assert_allclose(M @ y, s, atol=1e5 * backend.eps * np.linalg.norm(s))


def test_a_solve_without_pairs_keeps_the_ones_before(backend, rng):
    posed = Quadratic(backend, symmetric(rng, np.linspace(1.0, 9.0, n)), rng.standard_normal(n))
    part = bound(backend, "pairs")
    part.collected(TruncatedCG()(posed.model(limit=4, collect=part.collect)).pairs)
    before = matrix(backend, at(part))
    bent = Quadratic(backend, -posed.H, posed.g)
    model = bent.model(limit=4, collect=part.collect, restraint=Ball(1.0))
    part.collected(TruncatedCG()(model).pairs)
    np.testing.assert_array_equal(matrix(backend, at(part)), before)


@pytest.mark.parametrize("method", ["newton-cg", "trust-ncg"])
@pytest.mark.parametrize("preconditioner", ["jacobi", "pairs"])
def test_fewer_products_on_columns_of_many_sizes(method, preconditioner):
    """Logistic regression with columns scaled by 1 to 1000, to the same tolerance."""
    rng = np.random.default_rng(0)
    sizes = np.geomspace(1.0, 1e3, 30)
    X = rng.standard_normal((400, 30)) * sizes
    y = rng.random(400) < 1.0 / (1.0 + np.exp(-X @ (rng.standard_normal(30) / sizes)))
    model = LogisticRegression(X, y.astype(float), l2=1e-6, intercept=False)

    def products(given):
        options = {
            "gtol": 0.0, "gtol_rel": 1e-6, "preconditioner": given, "max_inner": 10**6,
        }  # fmt: skip
        result = hessx.minimize(
            model, np.zeros(30), jac=True, hess=model.hessian, method=method, options=options
        )
        assert result.success, result.message
        return result.nhev

    plain = products(None)
    assert products(preconditioner) <= (plain / 4 if preconditioner == "jacobi" else plain)


@pytest.mark.parametrize("method", ["newton-cg", "trust-ncg"])
def test_the_inverse_as_m_makes_cg_one_product(backend, method):
    """H constant, M = H^-1: every solve takes a single product."""
    if backend.dtype_name == "float32":
        pytest.skip("M is the inverse to rounding only")
    H = symmetric(np.random.default_rng(1), np.linspace(1.0, 50.0, n))
    there, M = backend.asarray(H), backend.asarray(np.linalg.inv(H))

    def fun(x):
        return (there @ x) @ x / 2.0, there @ x

    result = hessx.minimize(
        fun, backend.asarray(np.ones(n)), jac=True, hess=lambda x: there, method=method,
        options={"preconditioner": M},
    )  # fmt: skip
    assert result.success, result.message
    assert result.nhev <= result.nfev


@pytest.mark.parametrize("given", [None, "jacobi", "pairs", np.eye(4)])
@pytest.mark.parametrize("method", ["newton-cg", "trust-ncg"])
def test_a_preconditioner_changes_the_way_and_not_the_end(given, method):
    result = hessx.minimize(
        chained_rosenbrock, np.full(4, 0.5), jac=True, hess=matrix_of(chained_rosenbrock),
        method=method, options={"preconditioner": given, "gtol": 1e-8},
    )  # fmt: skip
    np.testing.assert_allclose(result.x, 1.0, atol=1e-6)


def test_what_cannot_be_meant():
    with pytest.raises(hessx.SettingsError, match="memory = 0"):
        hessx.PairPreconditioner(0)
    with pytest.raises(hessx.SettingsError, match=r"'jacobbi': expected .*'jacobi'.*'pairs'"):
        settled("jacobbi")
    assert settled(None) is None
    assert settled("JACOBI") == hessx.Jacobi()
    with pytest.raises(hessx.SettingsError, match=r"SR1\(\) may be indefinite: expected a"):
        settled(hessx.SR1())
    with pytest.raises(ValueError, match=r"the preconditioner has shape \(3, 3\)"):
        hessx.minimize(
            chained_rosenbrock, np.zeros(4), jac=True, method="trust-ncg",
            options={"preconditioner": np.eye(3)},
        )  # fmt: skip
