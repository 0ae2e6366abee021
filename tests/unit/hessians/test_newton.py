"""Newton's matrix beside its dense references, and Newton's method beside NumPy's and SciPy's."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.runs import PRODUCTS, chained_rosenbrock, matrix_of
from hessx import _xp
from hessx._xp import record_fetches, space_of
from hessx.core import Frame
from reference.newton import flipped, newton_iterates, shifted

n = 6
SPECTRA = {
    "convex": np.linspace(0.5, 4.0, n),
    "indefinite": np.array([-2.0, -1e-3, 0.3, 1.0, 2.0, 5.0]),
    "negative": -np.linspace(0.5, 4.0, n),
    "flat": np.array([0.0, 1e-30, 1.0, 1.0, 2.0, 3.0]),
    "stiff": np.geomspace(1e-3, 1e3, n),
}
REPAIRS = {"eigenvalues": flipped, "cholesky": shifted}
repairs = pytest.mark.parametrize("repair", REPAIRS)


class Whole:
    """The Hessian as the oracle hands it out."""

    def __init__(self, backend, H):
        self.H = backend.asarray(H)

    def dense(self, watch, *, check):
        return self.H


def begun(backend, H, repair, **settings):
    part = hessx.Newton(repair, **settings).begin(Frame(space_of(backend.asarray(np.ones(n)))))
    part.at(Whole(backend, H))
    return part


@repairs
@pytest.mark.parametrize("spectrum", SPECTRA)
@pytest.mark.parametrize("floor", [None, 1e-2])
def test_it_is_the_reference(backend, rng, repair, spectrum, floor):
    Q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    H = Q * SPECTRA[spectrum] @ Q.T
    H = (0.5 * (H + H.T)).astype(backend.dtype_name).astype(float)
    part = begun(backend, H, repair, floor=floor)
    least = backend.eps**0.5 if floor is None else floor
    B, v = REPAIRS[repair](H, least), rng.standard_normal(n).astype(backend.dtype_name)
    there, size = backend.asarray(v), 1e2 * backend.eps * np.linalg.norm(B)
    w = np.linalg.eigvalsh(B)
    assert w[0] >= 0.99 * least / n * w[-1]  # 1 / eps is far
    for found, expected in (
        (part.matvec(there), B @ v),
        (part.dense(), B),
        (part.diagonal(), B.diagonal()),
    ):
        assert backend.xp.isdtype(found.dtype, "real floating")
        off = abs(backend.to_numpy(found) - expected).max()
        assert off <= size * max(1.0, abs(v).max())
    A = np.linalg.inv(B)
    off = np.linalg.norm(backend.to_numpy(part.solve(there)) - A @ v)
    assert off <= 1e2 * backend.eps * (w[-1] / w[0]) * np.linalg.norm(A, 2) * np.linalg.norm(v)
    if repair == "eigenvalues":
        shifted_by = backend.to_numpy(part.solve_shifted(there, 2.0))
        expected = np.linalg.solve(B + 2.0 * np.eye(n), v)
        np.testing.assert_allclose(shifted_by, expected, atol=1e3 * backend.eps)


@repairs
def test_one_fetch_per_point_and_none_per_apply(backend, repair):
    H = np.diag(SPECTRA["indefinite"])
    part, v = begun(backend, H, repair), backend.asarray(np.ones(n))
    with record_fetches() as ledger:
        assert part.prepare()
    assert (ledger.fetches, part.waits) == (1, False)
    with record_fetches() as ledger:
        for apply in (part.solve, part.matvec):
            backend.assert_same_kind(apply(v), like=v)
    assert (ledger.fetches, ledger.uploads) == (0, 0)
    part.leave()
    assert part.waits


@repairs
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_known_to_be(backend, repair, bad):
    H = np.eye(n)
    H[1, 2] = H[2, 1] = bad
    part = begun(backend, H, repair)
    with np.errstate(all="ignore"):
        assert part.prepare()
    assert part.broken


@repairs
def test_a_zero_matrix_is_i_without_a_size(backend, repair):
    part, v = begun(backend, np.zeros((n, n)), repair), backend.asarray(np.arange(1.0, n + 1))
    part.prepare()
    assert (part.sized, part.broken) == (False, False)
    for apply in (part.solve, part.matvec):
        np.testing.assert_allclose(backend.to_numpy(apply(v)), np.arange(1.0, n + 1), rtol=1e-6)


def derivatives(x):
    """Of f = sum x^4 / 4 - x^2 / 2 + (sum x)^2 / 4, whose Hessian is indefinite near 0."""
    total = x.sum()
    return x**3 - x + 0.5 * total, np.diag(3.0 * x**2 - 1.0) + 0.5


def value(x):
    return float(np.sum(x**4) / 4.0 - x @ x / 2.0 + x.sum() ** 2 / 4.0)


@repairs
@pytest.mark.parametrize("start", [0.1, 0.9])
@pytest.mark.backends("numpy")
def test_full_steps_are_newtons(backend, repair, start):
    if backend.eps > 1e-10:
        pytest.skip("float64 shows it")
    x0, seen = start * np.array([1.0, -2.0, 0.5, 1.5]), []
    hessx.minimize(
        lambda x: (value(x), derivatives(x)[0]), x0, jac=True, hess=lambda x: derivatives(x)[1],
        method=hessx.LineSearchMethod(hessx.Newton(repair), hessx.FixedStep(0.5)),
        callback=lambda x: seen.append(x), options={"maxiter": 6, "gtol": 0.0},
    )  # fmt: skip
    floor = backend.eps**0.5
    expected = newton_iterates(derivatives, x0, lambda H: REPAIRS[repair](H, floor), 6, 0.5)
    np.testing.assert_allclose(seen, expected, atol=1e-10)


METHODS = {
    "newton": hessx.LineSearchMethod(hessx.Newton(), hessx.HagerZhang()),
    "newton-cholesky": hessx.LineSearchMethod(hessx.Newton("cholesky"), hessx.MoreThuente()),
    "trust-exact": hessx.TrustRegionMethod(hessx.Exact(dense=True), hessx.MoreSorensen()),
    "dogleg": hessx.TrustRegionMethod(hessx.Newton(), hessx.Dogleg()),
    "double dogleg": hessx.TrustRegionMethod(hessx.Newton(), hessx.Dogleg(double=True)),
    "a preconditioner": hessx.TrustRegionMethod(preconditioner=hessx.Newton()),
    "a dense line search": hessx.LineSearchMethod(
        hessx.NewtonCG(approximation=hessx.Exact(dense=True), subproblem=hessx.MoreSorensen()),
        hessx.HagerZhang(),
    ),
}


@pytest.mark.parametrize("name", METHODS)
def test_the_minimum_is_that_of_scipys_trust_exact(name):
    optimize = pytest.importorskip("scipy.optimize")
    x0 = np.array([-1.2, 1.0, 1.1, 0.9])
    arguments = {"jac": optimize.rosen_der, "hess": optimize.rosen_hess, "tol": 1e-9}
    theirs = optimize.minimize(optimize.rosen, x0, method="trust-exact", **arguments)
    arguments["tol"] = None
    ours = hessx.minimize(
        optimize.rosen, x0, method=METHODS[name], options={"gtol": 1e-9}, **arguments
    )
    assert ours.success, ours.message
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-8)
    assert ours.nit <= 2 * theirs.nit


@pytest.mark.parametrize("name", [name for name in METHODS if name != "a preconditioner"])
@pytest.mark.backends("fakegpu")
def test_one_fetch_per_trial_and_one_per_model(backend, name):
    x0 = backend.asarray(np.tile([-1.2, 1.0], 3))
    with (
        backend.meter.tally() as tally,
        record_fetches() as ledger,
        backend.meter.forbid_waits(_xp.fetch, _xp.upload),
    ):
        result = hessx.minimize(
            chained_rosenbrock, x0, jac=True, hess=matrix_of(chained_rosenbrock),
            method=METHODS[name],
        )  # fmt: skip
    assert result.success, result.message
    symmetry, start = 1, 1
    dogleg = result.nit if "dogleg" in name else 0  # Newton's matrix, and the path
    assert ledger.fetches <= result.nfev + result.nit + dogleg + symmetry + start
    assert (ledger.fetches, ledger.uploads) == (tally.reads.total(), tally.uploads.total())


def test_products_are_counted_and_a_matrix_costs_none():
    for name, method in METHODS.items():
        formed = hessx.minimize(
            chained_rosenbrock, np.tile([-1.2, 1.0], 3), jac=True, method=method,
            hessp=PRODUCTS[chained_rosenbrock],
        )  # fmt: skip
        given = hessx.minimize(
            chained_rosenbrock, np.tile([-1.2, 1.0], 3), jac=True, method=method,
            hess=matrix_of(chained_rosenbrock),
        )  # fmt: skip
        np.testing.assert_allclose(formed.x, given.x, rtol=1e-12)
        if name != "a preconditioner":
            assert (formed.nhev, given.nhev) == (6 * formed.nit, 0)


@pytest.mark.parametrize("approximation", [hessx.Newton(), hessx.Exact(dense=True)])
def test_an_unsymmetric_matrix_is_refused(backend, approximation):
    subproblem = hessx.MoreSorensen()
    H = np.triu(np.full((3, 3), 0.5)) + np.eye(3)
    with pytest.raises(ValueError, match=r"not symmetric: .* differ by 0\.5, .* largest is 1\.5"):
        hessx.minimize(
            lambda x: ((x @ x) / 2.0, x), backend.asarray(np.ones(3)), jac=True,
            hess=lambda x: backend.asarray(H),
            method=hessx.TrustRegionMethod(approximation, subproblem),
        )  # fmt: skip


@pytest.mark.parametrize("approximation", [hessx.Newton(), hessx.Exact(dense=True)])
def test_a_matrix_of_another_shape_is_refused(approximation):
    with pytest.raises(ValueError, match=r"hess\(x\) has shape \(2, 2\): expected \(3, 3\)"):
        hessx.minimize(
            lambda x: (x @ x / 2.0, x), np.ones(3), jac=True, hess=lambda x: np.eye(2),
            method=hessx.TrustRegionMethod(approximation, hessx.MoreSorensen()),
        )  # fmt: skip


@pytest.mark.parametrize("kind", [hessx.Newton, lambda **k: hessx.Exact(dense=True, **k)])
def test_what_does_not_fit_is_refused_when_a_run_begins(kind):
    calls = []
    for large, settings in ((30_000, {}), (20, {"max_bytes": 3000})):
        method = hessx.TrustRegionMethod(kind(**settings), hessx.MoreSorensen())
        with pytest.raises(
            hessx.SettingsError, match=r"GiB, more than .* GiB: expected hessx\..*max_bytes"
        ):
            hessx.minimize(calls.append, np.zeros(large), jac=True, method=method)
    assert calls == []


@pytest.mark.parametrize(
    "bad", [{"repair": "none"}, {"floor": 0.0}, {"floor": 1.0}, {"max_bytes": 0}]
)
def test_bad_settings(bad):
    with pytest.raises(hessx.SettingsError, match=next(iter(bad))):
        hessx.Newton(**bad)
    if "max_bytes" in bad:
        with pytest.raises(hessx.SettingsError, match="max_bytes"):
            hessx.Exact(**bad)
