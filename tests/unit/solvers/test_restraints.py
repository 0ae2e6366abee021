"""Levenberg-Marquardt and ARC as compositions of the trust-region method, beside dense NumPy."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import hessx
from _helpers.runs import PRODUCTS, chained_rosenbrock, matrix_of
from hessx.krylov import ModelStep
from reference.trust_region import cubic_step, model_decrease

DAMPED = hessx.TrustRegionMethod(region=hessx.NielsenRule())
ARC = hessx.TrustRegionMethod(subproblem=hessx.GLTR(), region=hessx.CubicRule())
METHODS = {
    "damped": DAMPED,
    "damped, by threes": hessx.TrustRegionMethod(
        subproblem=hessx.TruncatedCG(check_every=3), region=hessx.NielsenRule()
    ),
    "damped, jacobi": hessx.TrustRegionMethod(region=hessx.NielsenRule(), preconditioner="jacobi"),
    "damped, pairs": hessx.TrustRegionMethod(region=hessx.NielsenRule(), preconditioner="pairs"),
    "arc": ARC,
    "arc, jacobi": hessx.TrustRegionMethod(
        subproblem=hessx.GLTR(), region=hessx.CubicRule(), preconditioner="jacobi"
    ),
}
every = pytest.mark.parametrize("name", METHODS)
START = np.array([-1.2, 1.0, 0.8, 0.5])
BENT = np.full(4, 1.5)  # f is convex from here to its minimum
TIGHT = hessx.Forcing(ceiling=1e-9, floor=1e-9, last_floor=1e-9)


def solve(name, fun, x0, **settings):
    return hessx.minimize(fun, x0, jac=True, hess=matrix_of(fun), method=METHODS[name], **settings)


@every
@pytest.mark.parametrize("n", [2, 10])
def test_rosenbrock(backend, n, name):
    if backend.lazy and (n > 2 or "pairs" in name):
        pytest.skip("takes long on a lazy library")
    x0 = backend.asarray(np.resize([-1.2, 1.0], n))
    result = solve(name, chained_rosenbrock, x0, options={"gtol": 1e-3, "maxiter": 200})
    assert result.success, result.message
    backend.assert_same_kind(result.x, x0)
    x = backend.to_numpy(result.x).astype(float)
    one = abs(x - 1.0).max() <= 0.1
    other = abs(x - np.append(-1.0, np.ones(n - 1))).max() <= 0.1
    assert one or (n > 2 and other)  # its two minima


@every
def test_a_convex_quadratic(name):
    """Newton's step in the end: far fewer products than n per step, whatever the first sigma."""
    rng = np.random.default_rng(3)
    Q = np.linalg.qr(rng.standard_normal((30, 30)))[0]
    H, b = (Q * np.geomspace(1e-1, 1e2, 30)) @ Q.T, rng.standard_normal(30)
    result = hessx.minimize(
        lambda x: (x @ H @ x / 2.0 - b @ x, H @ x - b), np.zeros(30), jac=True,
        hess=lambda x: H, method=METHODS[name], options={"gtol": 1e-8},
    )  # fmt: skip
    assert result.success, result.message
    assert result.nit <= 30
    np.testing.assert_allclose(result.x, np.linalg.solve(H, b), rtol=0.0, atol=1e-6)


@pytest.mark.parametrize("sigma", [1e-3, 1.0, 100.0])
def test_damping_follows_the_textbook(sigma):
    """Madsen, Nielsen & Tingleff (2004), algorithm 3.16, with exact steps while H + sigma I > 0."""
    points, x, nu = [], BENT, 2.0
    f, g = chained_rosenbrock(x)
    first = sigma
    while abs(g).max() > 1e-4:
        H = matrix_of(chained_rosenbrock)(x)
        if np.linalg.eigvalsh(H)[0] + sigma <= 0.0:
            break
        p = np.linalg.solve(H + sigma * np.eye(4), -g)
        ratio = (f - chained_rosenbrock(x + p)[0]) / model_decrease(H, g, p)
        if ratio > 1e-4:
            x = x + p
            f, g = chained_rosenbrock(x)
            points.append(x)
            sigma, nu = sigma * max(1.0 / 3.0, 1.0 - (2.0 * ratio - 1.0) ** 3), 2.0
        else:
            sigma, nu = sigma * nu, 2.0 * nu
    follow(hessx.TruncatedCG(), hessx.NielsenRule(initial=first), points, BENT)


@pytest.mark.parametrize("sigma", [1e-2, 1.0, 100.0])
def test_arc_follows_the_textbook(sigma):
    """Cartis, Gould & Toint (2011), algorithm 2.1, with exact steps; H is indefinite at times."""
    points, x = [], START
    f, g = chained_rosenbrock(x)
    first = sigma
    for _ in range(25):
        H = matrix_of(chained_rosenbrock)(x)
        p, _ = cubic_step(H, g, sigma)
        cube = np.linalg.norm(p) ** 3 / 3.0
        actual, decrease = f - chained_rosenbrock(x + p)[0], model_decrease(H, g, p)
        rho, fit = actual / (decrease - sigma * cube), (decrease - actual) / cube
        if rho >= 0.1:
            x = x + p
            f, g = chained_rosenbrock(x)
            points.append(x)
        if rho > 0.9:
            sigma = min(max(fit, 0.1 * sigma), 0.5 * sigma)
        elif rho < 0.1:
            sigma = min(max(fit, 2.0 * sigma), 100.0 * sigma)
    follow(hessx.GLTR(), hessx.CubicRule(initial=first), points, START)


def follow(subproblem, rule, expected, start):
    seen = []
    hessx.minimize(
        chained_rosenbrock, start, jac=True, hessp=PRODUCTS[chained_rosenbrock],
        method=hessx.TrustRegionMethod(subproblem=subproblem, region=rule, forcing=TIGHT),
        options={"maxiter": 12}, callback=lambda x: seen.append(x),
    )  # fmt: skip
    agree = min(len(seen), len(expected), 8)
    assert agree >= 5
    np.testing.assert_allclose(seen[:agree], expected[:agree], rtol=0.0, atol=1e-6)


def test_a_rejected_cubic_step_costs_no_product():
    calls = []

    def asked(name, function):
        return lambda *args: calls.append(name) or function(*args)

    result = hessx.minimize(
        asked("f", chained_rosenbrock), np.full(20, -1.2), jac=True, method=ARC,
        hessp=asked("H", PRODUCTS[chained_rosenbrock]), options={"gtol": 1e-8},
    )  # fmt: skip
    rejected = result.nfev - 1 - result.nit
    assert result.success
    assert list(pairwise(calls)).count(("f", "f")) == rejected > 5


@every
def test_what_a_step_says_of_the_model(name):
    """Decrease, slope and norm of each step of a run, formed anew with the M that it had."""
    method, checked = METHODS[name], []
    inner = method.subproblem

    class Recorded(hessx.Subproblem):
        takes, learns = inner.takes, inner.learns

        def __call__(self, model):
            step: ModelStep = inner(model)
            H = np.stack([model.product(e) + 0.0 for e in np.eye(4)])
            M = np.eye(4)
            if model.precondition is not None:
                M = np.stack([model.precondition(e) for e in np.eye(4)])
            p, g = step.step, model.gradient
            assert step.decrease == pytest.approx(model_decrease(H, g, p), rel=1e-6)
            assert step.slope == pytest.approx(g @ p, rel=1e-6)
            assert step.norm == pytest.approx(np.sqrt(p @ np.linalg.solve(M, p)), rel=1e-6)
            np.testing.assert_allclose(step.product, H @ p, rtol=0.0, atol=1e-6 * abs(g).max())
            checked.append(step.restraint)
            return step

    part = hessx.TrustRegionMethod(
        subproblem=Recorded(), region=method.region, preconditioner=method.preconditioner
    )
    result = hessx.minimize(
        chained_rosenbrock, START, jac=True, hess=matrix_of(chained_rosenbrock), method=part
    )
    assert result.success, result.message
    assert len(checked) >= 5
    assert all(restraint.known for restraint in checked)


@pytest.mark.parametrize("unit", [2.0**-30, 2.0**30])
@every
def test_a_way_out_of_a_stationary_start(name, unit):
    """f = sum x^4 / 4 - x^2 / 2, in units u of x, at its maximum."""
    result = hessx.minimize(
        lambda x: (
            np.sum((x / unit) ** 4 / 4.0 - (x / unit) ** 2 / 2.0),
            ((x / unit) ** 3 - x / unit) / unit,
        ),
        np.zeros(4), jac=True, hess=lambda x: np.diag(3.0 * (x / unit) ** 2 - 1.0) / unit**2,
        method=replace(METHODS[name], x_scale=7.0 * unit), options={"gtol": 1e-6 / unit},
    )  # fmt: skip
    assert result.success, result.message
    np.testing.assert_allclose(abs(result.x), unit, rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: hessx.TrustRegionMethod(subproblem=hessx.GLTR(), region=hessx.NielsenRule()),
            ("GLTR(...) takes Ball, Cubic, Free, and models are under Damped: expected "
             "subproblem = hessx.TruncatedCG(), or region = hessx.RadiusRule() or "
             "hessx.CubicRule()"),
        ),
        (
            lambda: hessx.TrustRegionMethod(region=hessx.CubicRule()),
            ("TruncatedCG(...) takes Ball, Damped, Free, and models are under Cubic: expected "
             "subproblem = hessx.GLTR(), or region = hessx.RadiusRule() or hessx.NielsenRule()"),
        ),
        (
            lambda: hessx.NewtonCG(subproblem=OnlyBalls()),
            ("OnlyBalls(...) takes Ball, and models are under Free: expected subproblem = "
             "hessx.TruncatedCG() or hessx.GLTR()"),
        ),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit(make, words):
    with pytest.raises(hessx.SettingsError, match=f"^subproblem = {re.escape(words)}$"):
        make()


def test_a_function_says_nothing_of_what_it_takes():
    with pytest.raises(hessx.SettingsError, match=r"is a function: expected .*hessx\.Subproblem"):
        hessx.TrustRegionMethod(subproblem=lambda model: model)


class OnlyBalls(hessx.Subproblem):
    def __call__(self, model):
        raise AssertionError


def test_a_subproblem_of_one_s_own_says_what_it_hands_back():
    with pytest.raises(hessx.SettingsError, match=r"OnlyBalls\(\.\.\.\) hands none back"):
        hessx.TrustRegionMethod(subproblem=OnlyBalls(), preconditioner="pairs")
