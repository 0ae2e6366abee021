"""Line-search Newton-CG beside dense NumPy, direction by direction."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import hessx
from _helpers.runs import PRODUCTS, chained_rosenbrock, matrix_of
from hessx import Outcome
from reference.krylov import steihaug

START = np.array([1.5, 1.2, 0.8, 0.5])
W = np.array([1.0, 3.0, 10.0, 2.0])
UNIT = hessx.FixedStep(1.0)


def convex(x):
    return float(W * x @ x) / 2.0 + float(np.sum(x**4)), W * x + 4.0 * x**3


def convex_product(x, v):
    return (W + 12.0 * x**2) * v


def tight(eta):
    return hessx.Forcing(ceiling=eta, floor=eta, last_floor=eta)


def run(fun, hessp, start, rule, part, **settings):
    points = [start]
    result = hessx.minimize(
        fun, start, jac=True, hessp=hessp, method=hessx.LineSearchMethod(part, rule),
        callback=lambda x: points.append(x), **settings,
    )  # fmt: skip
    return result, points


def test_unit_steps_of_exact_directions_are_newtons(backend):
    """eta near 0 and alpha = 1: x+ = x - H^-1 g."""
    if backend.dtype_name == "float32":
        pytest.skip("the exact direction is asked for")
    w, seen = backend.asarray(W), []

    def fun(x):
        seen.append(backend.to_numpy(x))
        return w * x @ x / 2.0 + (x * x) @ (x * x), w * x + 4.0 * (x * x * x)

    method = hessx.LineSearchMethod(hessx.NewtonCG(forcing=tight(1e-12)), UNIT)
    hessx.minimize(
        fun, backend.asarray(START), jac=True, hessp=lambda x, v: (w + 12.0 * (x * x)) * v,
        method=method, options={"maxfun": 6, "gtol": 0.0},
    )  # fmt: skip
    x = START
    for point in seen:
        np.testing.assert_allclose(point, x, rtol=1e-9, atol=1e-11)
        x = x - convex(x)[1] / (W + 12.0 * x**2)


@pytest.mark.parametrize("eta", [0.5, 0.1, 0.01])
def test_directions_are_truncated_by_the_forcing_term(eta):
    """d is CG's first iterate with norm(g + H d) <= eta norm(g) in a settled model."""
    _, points = run(
        convex, convex_product, START, UNIT, hessx.NewtonCG(forcing=tight(eta)),
        options={"maxiter": 4, "gtol": 0.0},
    )  # fmt: skip
    for before, after in pairwise(points):
        _, g = convex(before)
        H, tolerance = np.diag(W + 12.0 * before**2), eta * np.linalg.norm(g)
        solved = steihaug(H, g, tolerance, 50, settled=True)
        assert solved.outcome == "solved"
        np.testing.assert_allclose(after - before, solved.step, rtol=1e-9, atol=1e-12)


def test_quadratic_convergence_with_the_tight_floor():
    """norm(g+) = O(norm(g)^2) near a minimum, where forcing goes with the root of the norm."""
    forcing = hessx.Forcing(ceiling=0.5, floor=1e-12, last_floor=1e-12)
    result, points = run(
        convex, convex_product, START, hessx.HagerZhang(), hessx.NewtonCG(forcing=forcing),
        options={"gtol": 1e-10},
    )  # fmt: skip
    norms = [np.linalg.norm(convex(x)[1]) for x in points]
    assert result.success
    assert norms[-1] <= 1e-2 * norms[-2] <= 1e-3 * norms[-3]


@pytest.mark.parametrize("reach", [0.5, 20.0])
def test_past_negative_curvature(reach):
    """At g'Hg < 0 the first direction is -g with length x_scale."""
    x0 = np.array([0.1, -0.2])

    def fun(x):
        return float(-x @ x / 2.0 + np.sum(x**4) / 4e4), -x + x**3 / 1e4

    seen = []

    def noted(x):
        seen.append(x)
        return fun(x)

    method = hessx.LineSearchMethod(hessx.NewtonCG(), hessx.HagerZhang(), reach)
    result = hessx.minimize(
        noted, x0, jac=True, hessp=lambda x, v: -v + 3.0 * x**2 * v / 1e4, method=method
    )
    _, g = fun(x0)
    np.testing.assert_allclose(seen[1], x0 - reach * g / np.linalg.norm(g), rtol=1e-12)
    assert result.success, result.message
    np.testing.assert_allclose(abs(result.x), 100.0, rtol=1e-3)


def test_every_direction_goes_downhill():
    """Through the negative curvature of Rosenbrock's function too, with every kind of M."""
    for preconditioner in (None, "jacobi", "pairs"):
        slopes, points = [], []

        class Recorded(hessx.Subproblem):
            takes, learns = (hessx.Free,), True

            def __call__(self, model, slopes=slopes):
                step = hessx.TruncatedCG()(model)
                slopes.append(float(step.step @ model.gradient))
                return step

        part = hessx.NewtonCG(subproblem=Recorded(), preconditioner=preconditioner)
        result = hessx.minimize(
            chained_rosenbrock, np.array([-1.2, 1.0, -0.5, 2.0, 1.5]), jac=True,
            hess=matrix_of(chained_rosenbrock), callback=lambda x, p=points: p.append(x),
            method=hessx.LineSearchMethod(part, hessx.HagerZhang()),
        )  # fmt: skip
        assert result.success, result.message
        assert len(slopes) >= result.nit
        assert max(slopes) < 0.0


def test_after_a_failed_search_the_direction_is_the_gradient():
    """Products that turn the direction across the valley: one search along -g, then Newton's."""
    calls, seen = [], []

    def fun(x):
        calls.append(x)
        seen.append(x)
        # a wall right beside x0 in every direction but -g
        value, grad = convex(x)
        step = x - START
        length = np.linalg.norm(step)
        if length > 0.0 and len(seen) < 40:
            g0 = convex(START)[1]
            if -(step @ g0) < 0.999 * length * np.linalg.norm(g0):
                return np.nan, grad
        return value, grad

    result = hessx.minimize(
        fun, START, jac=True, hessp=convex_product, method="newton-cg", options={"maxiter": 1}
    )
    step = result.x - START
    g = convex(START)[1]
    cosine = -(step @ g) / np.linalg.norm(step) / np.linalg.norm(g)
    assert cosine == pytest.approx(1.0, abs=1e-9)
    assert result.fun < convex(START)[0]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_max_inner(limit):
    products = []

    def hessp(x, v):
        products.append(x)
        return PRODUCTS[chained_rosenbrock](x, v)

    part = hessx.NewtonCG(forcing=tight(1e-10), max_inner=limit)
    run(chained_rosenbrock, hessp, START, hessx.HagerZhang(), part, options={"maxiter": 10})
    counts = {}
    for x in products:
        counts[x.tobytes()] = counts.get(x.tobytes(), 0) + 1
    assert max(counts.values()) == limit


def test_an_array_x_scale_is_a_change_of_variables():
    scale = np.array([1.0, 10.0, 0.1, 3.0])
    part = hessx.NewtonCG()
    _, plain = run(
        lambda y: (chained_rosenbrock(y * scale)[0], chained_rosenbrock(y * scale)[1] * scale),
        lambda y, v: PRODUCTS[chained_rosenbrock](y * scale, v * scale) * scale,
        START / scale, hessx.HagerZhang(), part, options={"maxiter": 8, "gtol": 0.0},
    )  # fmt: skip
    points = [START]
    hessx.minimize(
        chained_rosenbrock, START, jac=True, hessp=PRODUCTS[chained_rosenbrock],
        method=hessx.LineSearchMethod(part, hessx.HagerZhang(), scale),
        callback=lambda x: points.append(x), options={"maxiter": 8, "gtol": 0.0},
    )  # fmt: skip
    np.testing.assert_allclose(points[:6], np.array(plain[:6]) * scale, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("form", ["hessp", "hess"])
def test_maximise(maximize, form):
    sign = -1.0 if maximize else 1.0
    given = {
        "hessp": lambda x, v: sign * convex_product(x, v),
        "hess": lambda x: sign * np.diag(W + 12.0 * x**2),
    }
    result = hessx.minimize(
        lambda x: (sign * convex(x)[0], sign * convex(x)[1]), START, jac=True, method="newton-cg",
        maximize=maximize, **{form: given[form]},
    )  # fmt: skip
    assert result.success
    assert result.outcome is Outcome.CONVERGED_GRADIENT
    np.testing.assert_allclose(result.x, 0.0, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"subproblem": "cg"}, "subproblem is a str"),
        ({"max_inner": 0}, "max_inner = 0"),
        ({"preconditioner": "jacobbi"}, "expected .*'jacobi'.*'pairs'"),
    ],
)
def test_settings_out_of_range(settings, words):
    with pytest.raises(hessx.SettingsError, match=words):
        hessx.NewtonCG(**settings)


def test_same_minimiser_as_scipy():
    optimize = pytest.importorskip("scipy.optimize")
    given = {"jac": True, "hessp": PRODUCTS[chained_rosenbrock]}
    ours = hessx.minimize(chained_rosenbrock, START, method="Newton-CG", tol=1e-8, **given)
    theirs = optimize.minimize(chained_rosenbrock, START, method="Newton-CG", tol=1e-10, **given)
    np.testing.assert_allclose(ours.x, theirs.x, atol=1e-6)


@pytest.mark.parametrize("method", ["newton-cg", "trust-ncg"])
def test_a_grid_of_two_dimensions_is_within_the_limit_of_products(method):
    """Poisson's equation on 128 x 128 points: CG takes a few times 128 steps."""
    m = 128
    b = np.random.default_rng(5).standard_normal(m * m)

    def product(x, v):
        V = np.pad(v.reshape(m, m), 1)
        neighbours = V[2:, 1:-1] + V[:-2, 1:-1] + V[1:-1, 2:] + V[1:-1, :-2]
        return (4.0 * V[1:-1, 1:-1] - neighbours).ravel()

    def fun(x):
        Ax = product(x, x)
        return x @ Ax / 2.0 - b @ x, Ax - b

    def notes(**options):
        functions = {"jac": True, "hessp": product, "method": method, "history": True}
        options |= {"gtol": 1e-8}
        result = hessx.minimize(fun, np.zeros(m * m), options=options, **functions)
        assert result.success
        return result.history["note"]

    assert "limit of products" in notes(max_inner=200)
    assert "limit of products" not in notes()
