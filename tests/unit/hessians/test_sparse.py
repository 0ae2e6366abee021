"""Hessians by coloured products: beside closed forms, dense references, and what was counted."""

from __future__ import annotations

import importlib.util
import pickle

import array_api_compat as compat
import numpy as np
import pytest

import hessx
from hessx._xp import record_fetches, space_of
from hessx.core import Frame, Request, SettingsError, Wants
from hessx.objectives import make_objective
from hessx.operators import Colouring, SparseOperator
from reference.newton import shifted_on_pattern

n = 12
POINT = np.sin(np.arange(1.0, n + 1.0))
BAND = hessx.Pattern.banded(n, 1)
FORMS = ("hessp", "operator", "2-point", "3-point", "stacked")


def gradient(x):
    """Of sum (x_{i+1} - x_i^2)^2 + sum x^4: banded; along the last axis."""
    xp = compat.array_namespace(x)
    a, zero = x[..., 1:] - x[..., :-1] ** 2, x[..., :1] * 0.0
    inner = xp.concat([-4.0 * a * x[..., :-1], zero], axis=-1)
    return 4.0 * x * x * x + inner + xp.concat([zero, 2.0 * a], axis=-1)


def hessian(x):
    d, side = 12.0 * x**2, -4.0 * x[:-1]
    d[:-1] += 12.0 * x[:-1] ** 2 - 4.0 * x[1:]
    d[1:] += 2.0
    return np.diag(d) + np.diag(side, 1) + np.diag(side, -1)


def sampled(backend, approximation, form="2-point", x=POINT, *, jac=gradient, H=None, scale=None):
    """The part at work, with the Hessian at x, and what counts."""
    here = backend.asarray(x)
    space = space_of(here)
    given = {"hess": form if form[0] in "23" else None}
    if form == "stacked":
        jac = hessx.Stacked(jac)
    if form in ("hessp", "operator"):
        H = backend.asarray(hessian(x) if H is None else H)
        if form == "hessp":
            given = {"hessp": lambda x, v: H @ v}
        else:
            A = hessx.LinearOperator((n, n), lambda V: V @ H, symmetric=True, stacks=True)
            given = {"hess": lambda x: A}
    objective = make_objective(lambda x: 0.0, jac, (), space, **given)
    part = approximation.begin(Frame(space, None if scale is None else backend.asarray(scale)))
    part.at(objective.answer(Request(here, 0, Wants.HESSIAN)).hessian)
    return part, objective.counts


def digits(backend, form):
    power = {"2-point": 1 / 2, "stacked": 1 / 2, "3-point": 2 / 3}.get(form, 1)
    return 100.0 * backend.eps**power


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scaled", [False, True])
def test_it_is_the_hessian_by_a_product_for_each_colour(backend, form, scaled):
    scale = 2.0 ** np.linspace(-3.0, 3.0, n) if scaled else None
    part, counts = sampled(backend, hessx.Sparse(BAND), form, scale=scale)
    assert (part.prepare(), counts.products) == (True, 4)  # three colours, and the check
    B = hessian(POINT)
    B = B if scale is None else np.outer(scale, scale) * B
    v = backend.asarray(POINT[::-1].copy())
    size = digits(backend, form) * np.abs(B).max()
    for found, expected in (
        (part.dense(), B),
        (part.diagonal(), B.diagonal()),
        (part.matvec(v), B @ POINT[::-1]),
    ):
        backend.assert_same_kind(found, backend.asarray(expected))
        np.testing.assert_allclose(backend.to_numpy(found), expected, atol=size)
    part.leave()
    assert part.waits


@pytest.mark.backends("numpy", "fakegpu")
@pytest.mark.parametrize("make", [hessx.Sparse, hessx.SparseNewton])
def test_no_apply_fetches_and_a_point_takes_few(backend, make):
    part, _ = sampled(backend, make(BAND), "stacked")
    with record_fetches() as ledger:
        part.prepare()
    # the check; the entries, or the ends of discs and 12 steps of Lanczos, eight to a read
    factors = backend.name == "numpy" and importlib.util.find_spec("scipy") is not None
    most = 1 if make is hessx.Sparse else 2 if factors else 4
    assert ledger.fetches <= most
    v = backend.asarray(POINT)
    part.matvec(v)
    with record_fetches() as ledger:
        part.matvec(v)
        part.diagonal()
        if make is hessx.SparseNewton:
            part.solve(v)
    assert ledger.fetches == 0


def quartic(x):
    return 4.0 * x * x * x


def exponential(x):
    xp = compat.array_namespace(x)
    return 5.0 * xp.exp(5.0 * x)


def on_a_slope(x):
    return gradient(x) + 1e4


def far_out(x):
    return gradient(x + 100.0)


@pytest.mark.backends("numpy", "numpy-float32")
@pytest.mark.parametrize("jac", [gradient, quartic, exponential, on_a_slope, far_out])
@pytest.mark.parametrize("form", ["2-point", "3-point", "stacked"])
@pytest.mark.parametrize("size", [0.0, 1e-6, 1.0])
def test_differences_of_a_curved_function_are_no_wrong_pattern(backend, jac, form, size):
    """At 0 a quartic has no curvature, and what differences see is their own error."""
    part, _ = sampled(backend, hessx.Sparse(BAND), form, size * POINT, jac=jac)
    assert part.prepare()


@pytest.mark.parametrize("form", FORMS)
def test_rows_with_entries_outside_of_the_pattern_are_named(backend, form):
    """Of the second differences one pair is left out."""
    H = 2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    matrix = backend.asarray(H)
    outside = H.copy()
    outside[3, 4] = outside[4, 3] = 0.0
    narrow = hessx.Pattern.of(outside)
    asked = {"H": H, "jac": lambda x: x @ matrix}
    part, _ = sampled(backend, hessx.Sparse(narrow), form, **asked)
    with pytest.raises(ValueError, match=r"in . of 12 rows: (2, )?3, 4(, 5)?; expected"):
        part.prepare()
    part, counts = sampled(backend, hessx.Sparse(narrow, check=False), form, **asked)
    assert (part.prepare(), counts.products) == (True, 3)


@pytest.mark.backends("numpy")
def test_a_sparse_matrix_needs_no_products_and_may_change_its_pattern():
    sparse = pytest.importorskip("scipy.sparse")
    space = space_of(POINT)
    part = hessx.Sparse().begin(Frame(space, np.full(n, 2.0)))
    for width, form in ((1, "csr"), (3, "coo"), (0, "csc")):
        inside = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) <= width
        H = np.where(inside, hessian(POINT) + 1.0, 0.0)
        H[0, :] = H[:, 0] = 0.0  # the diagonal's entry is not stored
        matrix = sparse.csr_array(H).asformat(form)
        objective = make_objective(
            lambda x: 0.0, gradient, (), space, hess=lambda x, A=matrix: A, maximize=width == 3
        )
        part.at(objective.answer(Request(POINT, 0, Wants.HESSIAN)).hessian)
        np.testing.assert_allclose(part.dense(), (-4.0 if width == 3 else 4.0) * H, rtol=1e-15)
        assert objective.counts.products == 0
        part.leave()


@pytest.mark.backends("numpy")
def test_one_triangle_is_no_hessian():
    sparse = pytest.importorskip("scipy.sparse")
    lower = sparse.csr_array(np.tril(hessian(POINT)))
    asked = {"jac": slope, "hess": lambda x: lower, "method": "sparse-newton"}
    with pytest.raises(ValueError, match="expected a whole sparse matrix, both triangles"):
        hessx.minimize(rosenbrock, POINT, **asked)


def test_a_sparse_operator_needs_no_products(backend):
    H = hessian(POINT)
    values = backend.asarray(H[BAND.rows, BAND.indices])
    x = backend.asarray(POINT)
    A = SparseOperator(space_of(x), BAND, values, symmetric=True)
    objective = make_objective(lambda x: 0.0, gradient, (), space_of(x), hess=lambda x: A)
    part = hessx.Sparse().begin(Frame(space_of(x)))
    part.at(objective.answer(Request(x, 0, Wants.HESSIAN)).hessian)
    np.testing.assert_allclose(backend.to_numpy(part.dense()), H, rtol=10 * backend.eps)
    assert objective.counts.products == 0


SPECTRA = {
    "positive": np.geomspace(1.0, 100.0, n),
    "indefinite": np.linspace(-3.0, 5.0, n),
    "negative": -np.geomspace(1.0, 10.0, n),
}


def banded_matrix(name, rng):
    """A band with eigenvalues like those asked for, from Lanczos' process."""
    w, Q = SPECTRA[name], rng.standard_normal((n, 1))
    columns, alpha, beta = [Q[:, 0] / np.linalg.norm(Q)], [], []
    for _ in range(n):
        q = w * columns[-1]
        alpha.append(q @ columns[-1])
        for _ in range(2):
            q = q - np.stack(columns).T @ (np.stack(columns) @ q)
        beta.append(np.linalg.norm(q))
        columns.append(q / beta[-1])
    return np.diag(alpha) + np.diag(beta[:-1], 1) + np.diag(beta[:-1], -1)


@pytest.mark.parametrize("name", SPECTRA)
def test_the_inverse_is_that_of_the_shifted_matrix(backend, name, rng):
    H = banded_matrix(name, rng).astype(backend.dtype_name).astype(float)
    x = backend.asarray(POINT)
    matrix = backend.asarray(H)
    objective = make_objective(
        lambda x: 0.0, gradient, (), space_of(x), hessp=lambda x, v: matrix @ v
    )
    part = hessx.SparseNewton(BAND).begin(Frame(space_of(x)))
    part.at(objective.answer(Request(x, 0, Wants.HESSIAN)).hessian)
    v = POINT[::-1].astype(backend.dtype_name)
    there = backend.asarray(v)
    u = backend.to_numpy(part.solve(there))
    B = H + shifted_on_pattern(H) * np.eye(n)
    np.testing.assert_allclose(
        backend.to_numpy(part.dense()), B, atol=30 * backend.eps * abs(B).max()
    )
    w = np.linalg.eigvalsh(B)
    assert w[0] > 0.0
    condition = w[-1] / w[0]
    expected = np.linalg.solve(B, v)
    off = np.linalg.norm(u - expected) / np.linalg.norm(expected)
    assert off <= 1e2 * backend.eps * condition
    np.testing.assert_allclose(
        backend.to_numpy(part.matvec(part.solve(there))), v, atol=1e2 * backend.eps * condition
    )


@pytest.mark.parametrize("bad", [0.0, np.nan])
def test_nothing_to_invert(backend, bad):
    part, _ = sampled(backend, hessx.SparseNewton(BAND), jac=lambda x: x * bad)
    v = backend.asarray(POINT)
    with np.errstate(all="ignore"):
        part.prepare()
    assert (part.broken, part.sized) == (bad != 0.0, bad != 0.0)
    if bad == 0.0:
        np.testing.assert_allclose(backend.to_numpy(part.solve(v)), POINT, rtol=1e2 * backend.eps)


def rosenbrock(x):
    a, b = x[1:] - x[:-1] ** 2, 1.0 - x[:-1]
    return 100.0 * (a @ a) + b @ b


def slope(x):
    xp = compat.array_namespace(x)
    a, b, zero = x[1:] - x[:-1] ** 2, 1.0 - x[:-1], x[:1] * 0.0
    return xp.concat([-400.0 * a * x[:-1] - 2.0 * b, zero]) + xp.concat([zero, 200.0 * a])


@pytest.mark.parametrize("method", ["sparse-newton", "trust-ncg", "trust-exact", "newton-cg"])
def test_runs_by_coloured_differences(backend, method):
    """A gradient for each colour and accepted point, and one for the check."""
    if backend.lazy:
        pytest.skip("takes long on a lazy library")
    start = np.array([0.0, 0.5, 1.0, 1.0, 1.0])  # where H is indefinite
    x0, band = backend.asarray(start), hessx.Pattern.banded(len(start), 1)
    given = {"options": {"pattern": band}} if method == "sparse-newton" else {}
    given = given or {"hess": hessx.Sparse(band)}
    result = hessx.minimize(rosenbrock, x0, jac=slope, method=method, **given)
    assert result.success
    backend.assert_same_kind(result.x, x0)
    assert result.nhev == 3 * (result.nit if method != "newton-cg" else result.nhev // 3) + 1
    assert result.njev == result.nfev + result.nhev
    if backend.eps < 1e-10:
        np.testing.assert_allclose(backend.to_numpy(result.x), 1.0, atol=1e-4)


@pytest.mark.backends("numpy")
def test_hess_is_a_pattern_and_hessp_has_the_products():
    seen = []

    def hessp(x, v):
        seen.append(v)
        a, side = np.append(x[1:] - x[:-1] ** 2, 0.0), -400.0 * x[:-1]
        d = 800.0 * x**2 - 400.0 * a + 2.0
        d[-1] = 0.0
        d[1:] += 200.0
        H = np.diag(d) + np.diag(side, 1) + np.diag(side, -1)
        return H @ v

    x0 = np.linspace(-1.2, 1.0, n)
    result = hessx.minimize(
        rosenbrock, x0, jac=slope, hessp=hessp, hess=hessx.Sparse(BAND), method="trust-ncg"
    )
    assert (result.success, result.njev) == (True, result.nfev)
    assert result.nhev == len(seen) == 3 * result.nit + 1


@pytest.mark.backends("numpy", "torch")
def test_the_inverse_of_a_result_is_an_operator_that_can_be_pickled(backend):
    x0 = backend.asarray(np.full(n, 0.9))
    options = {"pattern": BAND, "x_scale": np.full(n, 2.0)}
    result = hessx.minimize(rosenbrock, x0, jac=slope, method="sparse-newton", options=options)
    found = pickle.loads(pickle.dumps(result)).hess_inv
    v = backend.asarray(POINT)
    inverse = backend.to_numpy(result.hess_inv @ v)
    np.testing.assert_allclose(backend.to_numpy(found @ v), inverse, rtol=0.0, atol=0.0)
    side = np.full(n - 1, -400.0)
    d = np.full(n, 1002.0)
    d[0], d[-1] = 802.0, 200.0
    H = np.diag(d) + np.diag(side, 1) + np.diag(side, -1)  # at 1, to where the last step went
    expected = np.linalg.solve(H, POINT)
    if backend.eps < 1e-10:
        assert np.linalg.norm(inverse - expected) <= 0.05 * np.linalg.norm(expected)
    np.testing.assert_allclose(np.asarray(found) @ POINT, inverse, rtol=1e4 * backend.eps)
    if backend.name == "numpy":
        scipys = pytest.importorskip("scipy.sparse.linalg").aslinearoperator(found)
        np.testing.assert_array_equal(scipys @ POINT.astype(inverse.dtype), inverse)


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("method", ["trust-ncg", "dogleg", "newton-cg", "sparse-newton"])
@pytest.mark.parametrize("factors", [True, False])
def test_second_order_is_looked_for_in_the_hessian_itself(backend, method, factors, monkeypatch):
    """The shifted one has no negative curvature anywhere; sum cos x has, at 0, and none at pi."""
    if factors:
        pytest.importorskip("scipy.sparse.linalg")
    monkeypatch.setattr("hessx.hessians._sparse_newton.has_sparse_factors", lambda space: factors)
    given = {"jac": lambda x: -np.sin(x), "method": method}
    if method == "sparse-newton":
        given["options"] = {"pattern": np.eye(3)}
    else:
        given["hess"] = hessx.SparseNewton(np.eye(3))
    x0 = np.zeros(3, dtype=backend.dtype_name)
    left = hessx.minimize(lambda x: np.cos(x).sum(), x0, **given)
    assert left.success and left.fun < -3.0 + 1e-6
    given["jac"] = lambda x: x * 2.0
    stays = hessx.minimize(lambda x: x @ x, x0, **given)
    assert stays.success and stays.nit == 0 and "no negative curvature" in stays.message


@pytest.mark.backends("numpy")
@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: hessx.Sparse(np.ones((3, 4))), r"shape \(3, 4\): expected \(n, n\)"),
        (lambda: hessx.Sparse("banded"), "str"),
        (lambda: hessx.Sparse(BAND, check=2), "check"),
        (lambda: hessx.Sparse(BAND, [0, 1, 2.5]), "colours has dtype float64"),
        (lambda: hessx.Sparse(BAND, [0] * 11 + [12]), "13 colours for 12 columns"),
        (lambda: hessx.SparseNewton(BAND, floor=0.0), r"floor = 0.0: expected .*\(0, 1\)"),
        (lambda: sampled(NUMPY, hessx.Sparse(hessx.Pattern.banded(5, 1))), r"shape \(5, 5\)"),
        (lambda: sampled(NUMPY, hessx.Sparse(BAND, [0, 1] * 6)), "does not tell 18 of 34"),
        (lambda: sampled(NUMPY, hessx.Sparse(BAND, [0, 1])), "a colouring of 2 columns"),
        (lambda: sampled(NUMPY, hessx.Sparse())[0].prepare(), "no pattern was given, and hess"),
    ],
)
def test_what_cannot_be_meant(made, words):
    with pytest.raises(SettingsError, match=words):
        made()


class NUMPY:
    asarray = staticmethod(np.array)


@pytest.mark.backends("numpy")
def test_a_colouring_of_ones_own(backend):
    colours = np.arange(n) % 4
    for colouring in (colours, Colouring(colours)):
        part, counts = sampled(backend, hessx.Sparse(BAND, colouring, check=False))
        limit = 100 * backend.eps**0.5
        np.testing.assert_allclose(part.dense(), hessian(POINT), atol=limit)
        assert counts.products == 4


@pytest.mark.backends("numpy")
def test_without_factors_the_steps_are_the_same(backend, monkeypatch):
    """But for the rounding of differences; where H is indefinite too, at the start."""
    x0, options = np.linspace(-1.2, 1.0, n), {"pattern": BAND, "maxiter": 6, "return_all": True}
    x0 = x0.astype(backend.dtype_name)
    by_factors = hessx.minimize(rosenbrock, x0, jac=slope, method="sparse-newton", options=options)
    monkeypatch.setattr("hessx.hessians._sparse_newton.has_sparse_factors", lambda space: False)
    by_steps = hessx.minimize(rosenbrock, x0, jac=slope, method="sparse-newton", options=options)
    assert by_steps.nfev == by_factors.nfev
    limit = 100 * backend.eps**0.5
    np.testing.assert_allclose(by_steps.allvecs, by_factors.allvecs, rtol=0.0, atol=limit)


@pytest.mark.backends("numpy")
def test_a_run_is_taken_up_with_its_pattern(backend, tmp_path):
    x0, options = np.full(n, -0.7, dtype=backend.dtype_name), {"pattern": BAND}
    asked = {"jac": slope, "method": "sparse-newton"}
    whole = hessx.minimize(rosenbrock, x0, options=options, **asked)
    short = hessx.minimize(rosenbrock, x0, options={**options, "maxiter": 3}, **asked)
    hessx.save(tmp_path / "run", short)
    for again in ({"jac": slope}, {**asked, "options": {"pattern": hessx.Pattern.banded(n, 1)}}):
        result = hessx.minimize(rosenbrock, x0, resume=tmp_path / "run", **again)
        np.testing.assert_array_equal(result.x, whole.x)
        assert result.nhev == whole.nhev
    words = (
        r"pattern is None, in the checkpoint a Pattern: give the method .* its options, or leave"
    )
    with pytest.raises(SettingsError, match=words):
        hessx.minimize(rosenbrock, x0, resume=tmp_path / "run", **asked)


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("method", ["newton", "sparse-newton", "dogleg"])
def test_the_positive_definite_one_is_named(backend, method):
    x0 = np.full(n, -0.7, dtype=backend.dtype_name)
    with pytest.raises(SettingsError, match=r"hessx\.SparseNewton\(pattern=\.\.\.\)"):
        hessx.minimize(rosenbrock, x0, jac=slope, hess=hessx.Sparse(BAND), method=method)


@pytest.mark.backends("numpy")
def test_a_gradient_that_takes_no_stacks_is_named(backend):
    """Its differences go along the first axis, that of the points."""
    x0 = np.full(n, 0.5, dtype=backend.dtype_name)
    for method, options in (("sparse-newton", {"pattern": BAND}), ("newton", {})):
        with pytest.raises(ValueError, match="another gradient for a point in a stack than"):
            hessx.minimize(
                lambda x: ((x[1:] - x[:-1] ** 2) ** 2).sum(),
                x0,
                jac=hessx.Stacked(along_the_first_axis),
                method=method,
                options=options,
            )


def along_the_first_axis(x):
    g, gaps = 0.0 * x, x[1:] - x[:-1] ** 2
    g[1:] += 2.0 * gaps
    g[:-1] -= 4.0 * gaps * x[:-1]
    return g


@pytest.mark.backends("numpy")
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_check_that_was_not_finite_is_made_again(backend, bad):
    """The first one, of a pattern that lacks the pair (0, 1), says nothing."""
    H = np.eye(n, dtype=backend.dtype_name)
    H[0, 1] = H[1, 0] = 0.5
    products = []

    def hessp(x, v):
        products.append(H @ v * (bad if len(products) == 1 else 1.0))
        return products[-1]

    part = hessx.Sparse(hessx.Pattern.banded(n, 0)).begin(Frame(space_of(H[0])))
    for _ in range(2):
        objective = make_objective(lambda x: 0.0, gradient, (), part.frame.space, hessp=hessp)
        part.at(objective.answer(Request(backend.asarray(POINT), 0, Wants.HESSIAN)).hessian)
        if len(products) < 2:
            assert part.prepare() and not part.checked
            part.leave()
    with pytest.raises(ValueError, match="outside of the pattern in 2 of 12 rows: 0, 1"):
        part.prepare()
