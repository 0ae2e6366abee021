"""Broyden's family and the symmetric updates beside dense recursions, pair by pair."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx._xp import space_of
from hessx.core import Frame, Offer, SettingsError
from hessx.testing._posed import Posed
from reference.quasi_newton import (
    bfgs_update,
    broyden_hessian_update,
    broyden_inverse_update,
    powell_damped,
    psb_update,
    self_scaling_broyden,
)

n = 6
SCALE = np.array([1.0, 0.5, 4.0, 2.0, 1.5, 0.25])
MATRIX = np.diag(np.linspace(0.5, 2.0, n)) + 0.125
SIGNS = [1, 1, -1, 1, 1, 1]


def al_baali(B, s, y):
    return broyden_hessian_update(B, s, y, 0.0, min(1.0, s @ y / (s @ B @ s)))


def growing(B, s, y):
    h = y @ np.linalg.solve(B, y) / (s @ y)
    return broyden_hessian_update(B, s, y, 0.0, h) if h < 1.0 else al_baali(B, s, y)


def oren_luenberger(B, s, y):
    return broyden_hessian_update(B, s, y, 1.0, s @ y / (s @ B @ s))


def by_inverse(update):
    return lambda B, s, y: np.linalg.inv(update(np.linalg.inv(B), s, y))


# name -> (settings, B+ from B, s, y)
MEMBERS = {
    "BFGS": (hessx.BFGS, {"scaling": "none"}, by_inverse(bfgs_update)),
    "BFGS, growing": (hessx.BFGS, {}, growing),
    "BFGS, al-baali": (hessx.BFGS, {"scaling": "al-baali"}, al_baali),
    "DFP": (hessx.DFP, {"scaling": "none"}, lambda B, s, y: broyden_hessian_update(B, s, y, 1.0)),
    "DFP, oren-luenberger": (hessx.DFP, {"scaling": "oren-luenberger"}, oren_luenberger),
    "Broyden": (
        hessx.Broyden,
        {"phi": 0.3, "scaling": "none"},
        lambda B, s, y: broyden_hessian_update(B, s, y, 0.3),
    ),
    "SSBroyden": (hessx.SSBroyden, {}, by_inverse(self_scaling_broyden)),
}  # fmt: skip


def posed(backend, approximation, rng, scale=None):
    space = space_of(backend.asarray(np.zeros(n)))
    frame = Frame(space, None if scale is None else backend.asarray(scale))
    return Posed(frame, approximation, rng)


def random_pair(asked, rng, sign=1):
    """y = +-B s for a B of its own, as the dtype holds them."""
    Q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    s = rng.standard_normal(n)
    s, y = asked.there(s), asked.there(sign * (Q * rng.uniform(0.5, 3.0, n) @ (Q.T @ s)))
    return (s, y), (asked.host(s), asked.host(y))


def assert_close(actual, expected, eps):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=2e4 * eps * abs(expected).max())


def test_the_references_agree(rng):
    """psi of the inverse is that of phi; 0 and 1 are BFGS and DFP."""
    A = np.linalg.inv(MATRIX)
    s = rng.standard_normal(n)
    y = MATRIX @ s + 0.1 * s
    mu = (s @ MATRIX @ s) * (y @ A @ y) / (s @ y) ** 2
    for phi in (0.0, 0.3, 1.0):
        psi = (1.0 - phi) / (1.0 + phi * (mu - 1.0))
        B = broyden_hessian_update(MATRIX, s, y, phi, 0.7)
        np.testing.assert_allclose(
            np.linalg.inv(B), broyden_inverse_update(A, s, y, psi, 0.7), atol=1e-13
        )
    np.testing.assert_allclose(
        broyden_inverse_update(A, s, y, 1.0), bfgs_update(A, s, y), atol=1e-13
    )
    np.testing.assert_allclose(self_scaling_broyden(A, s, y) @ y, s, atol=1e-13)
    np.testing.assert_allclose(psb_update(MATRIX, s, y) @ s, y, atol=1e-13)


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("start", [None, 0.5, "matrix"])
@pytest.mark.parametrize("needs", [Offer.SOLVE | Offer.MATVEC, Offer.SOLVE, Offer.MATVEC])
def test_members_are_their_recursions(backend, rng, name, start, needs):
    """Whether A is kept, or B, or both, and whatever they start from."""
    kind, settings, update = MEMBERS[name]
    if update is growing and needs is Offer.MATVEC:
        update = al_baali  # y'Ay is unknown
    first = MATRIX if start == "matrix" else start
    asked = posed(backend, kind(hess_inv0=first, **settings), rng)
    curvature = asked.approximation.begin(asked.frame)
    curvature.focus(needs)
    B = None if start is None else np.linalg.inv(MATRIX if start == "matrix" else start * np.eye(n))
    for sign in SIGNS:
        pair, (s, y) = random_pair(asked, rng, sign)
        before = np.eye(n) if B is None else B
        known = B is not None
        assert asked.teach(curvature, pair, known=known) == ("" if sign > 0 else "skipped")
        if sign > 0:
            before = np.eye(n) * (y @ y / (s @ y)) if B is None else B
            B = update(before, s, y)
        if Offer.MATVEC in needs:
            assert_close(asked.host(curvature.dense()), B, backend.eps)
        if Offer.SOLVE in needs:
            A = asked.matrix(curvature.solve)
            assert_close(A, np.linalg.inv(B), backend.eps)
            np.testing.assert_array_equal(A, A.T)


@pytest.mark.parametrize("needs", [Offer.SOLVE, Offer.MATVEC])
def test_powell_s_damping(backend, rng, needs):
    """Where B s is known; else the pair is skipped."""
    asked = posed(backend, hessx.BFGS(damping=0.2, scaling="none"), rng)
    curvature = asked.approximation.begin(asked.frame)
    curvature.focus(needs)
    B, notes = None, []
    for sign in SIGNS:
        pair, (s, y) = random_pair(asked, rng, sign)
        known = B is not None
        notes.append(asked.teach(curvature, pair, known=known))
        B = np.eye(n) * (y @ y / (s @ y)) if B is None else B
        B = broyden_hessian_update(B, s, powell_damped(s, y, B, 0.2), 0.0)
        if needs is Offer.SOLVE:
            assert_close(asked.matrix(curvature.solve), np.linalg.inv(B), backend.eps)
        else:
            assert_close(asked.host(curvature.dense()), B, backend.eps)
    assert notes[2] == "damped"


@pytest.mark.parametrize("scale", [None, SCALE])
@pytest.mark.parametrize("start", [None, 0.5, "matrix"])
def test_psb_is_its_recursion(backend, rng, scale, start):
    """It takes what curves down too; a matrix to start with is of x, not of x / x_scale."""
    first = MATRIX if start == "matrix" else start
    asked = posed(backend, hessx.PSB(first), rng, scale)
    curvature = asked.approximation.begin(asked.frame)
    D = np.diag(np.ones(n) if scale is None else scale)
    B = {None: None, 0.5: 0.5 * np.eye(n), "matrix": D @ MATRIX @ D}[start]
    for k, sign in enumerate(SIGNS):
        pair, (s, y) = random_pair(asked, rng, sign)
        assert asked.teach(curvature, pair, known=k % 2 == 1) == ""
        B = np.eye(n) * (np.linalg.norm(y) / np.linalg.norm(s)) if B is None else B
        B = psb_update(B, s, y)
        assert_close(asked.host(curvature.dense()), B, backend.eps)
    operator = curvature.operator(inverse=False)
    inverse = np.linalg.inv(D)
    assert_close(asked.matrix(operator.matvec), inverse @ B @ inverse, backend.eps)
    assert curvature.operator(inverse=True) is None


@pytest.mark.parametrize("kind", [hessx.BFGS, hessx.SSBroyden, hessx.SR1])
def test_the_matrix_of_an_earlier_run_is_where_to_go_on(backend, kind):
    H = MATRIX
    x0 = backend.asarray(np.linspace(-1.0, 1.0, n))
    there = backend.asarray(H)
    fun = lambda x: (x @ (there @ x) / 2.0, there @ x)  # noqa: E731
    right, wrong = (H, np.linalg.inv(H)) if kind is hessx.SR1 else (np.linalg.inv(H), H)
    steps = []
    for given in (right, wrong):
        globalised = hessx.TrustRegionMethod(kind(given))
        if kind is not hessx.SR1:
            globalised = hessx.LineSearchMethod(kind(backend.asarray(given)), hessx.HagerZhang())
        result = hessx.minimize(fun, x0, jac=True, method=globalised)
        assert result.success
        steps.append(result.nit)
    assert steps[0] < steps[1]
    assert kind is hessx.SR1 or steps[0] <= 2
    if kind is not hessx.SR1:
        asked = posed(backend, hessx.BFGS(result.hess_inv), np.random.default_rng(0))
        A = asked.matrix(asked.approximation.begin(asked.frame).solve)
        assert_close(A, backend.to_numpy(result.hess_inv), backend.eps)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hessx.BFGS(hess_inv0=-np.eye(2)), "not positive definite"),
        (lambda: hessx.BFGS(hess_inv0=np.array([[1.0, 2.0], [0.0, 1.0]])), "not symmetric"),
        (lambda: hessx.BFGS(hess_inv0=np.ones((2, 3))), r"shape \(2, 3\): expected \(n, n\)"),
        (lambda: hessx.BFGS(hess_inv0=[1.0, -1.0]), r"entries in \[-1, 1\]"),
        (lambda: hessx.BFGS(hess_inv0="I"), "hess_inv0 is a str"),
        (lambda: hessx.BFGS(hess_inv0=0.0), "hess_inv0 = 0.0"),
        (lambda: hessx.DFP(hess_inv0=np.full((2, 2), np.nan)), "not finite"),
        (lambda: hessx.SR1(hess0=np.array([[1.0, 2.0], [0.0, 1.0]])), "hess0 is not symmetric"),
        (lambda: hessx.SR1(hess0=1j * np.eye(3)), "hess0 has dtype complex128: expected real"),
        (lambda: hessx.BFGS(1j * np.eye(3)), "hess_inv0 has dtype complex128: expected real"),
        (lambda: hessx.PSB(hess0=[1j, 1.0]), "hess0 has dtype complex128: expected real"),
        (
            lambda: hessx.BFGS(hessx.LinearOperator((2, 2), lambda v: v, symmetric=True)),
            r"hess_inv0 is a LinearOperator: expected .* the hess_inv of a result",
        ),
        (lambda: hessx.Broyden(phi=1.5), "phi = 1.5"),
        (lambda: hessx.BFGS(scaling="oren"), "'al-baali'"),
        (lambda: hessx.BFGS(damping=1.0), "damping = 1.0"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(SettingsError, match=message):
        make()


def test_a_start_of_another_size_is_refused_when_the_run_begins():
    method = hessx.LineSearchMethod(hessx.BFGS(np.eye(3)), hessx.HagerZhang())
    with pytest.raises(SettingsError, match=r"hess_inv0 has shape \(3, 3\): expected \(2, 2\)"):
        hessx.minimize(lambda x: (x @ x, 2 * x), [1.0, 1.0], jac=True, method=method)
    method = hessx.TrustRegionMethod(hessx.SR1(hess0=[1.0, 2.0]))
    with pytest.raises(SettingsError, match=r"^hess0 has shape \(2,\): expected \(3,\), as x0"):
        hessx.minimize(lambda x: (x @ x, 2 * x), np.ones(3), jac=True, method=method)


@pytest.mark.backends("numpy", "numpy-float32", "torch", "strict")
@pytest.mark.parametrize("kind", [hessx.BFGS, hessx.SR1])
def test_an_operator_that_holds_arrays_is_a_start(backend, kind):
    """A diagonal one as the diagonal, another as its matrix."""
    d = np.linspace(1.0, 4.0, n)
    D = hessx.DiagonalOperator(backend.asarray(d))
    for given, start in ((D, d), (0.5 * D, np.diag(d / 2)), (D.shift(1.0), np.diag(d + 1.0))):
        asked = posed(backend, kind(given), np.random.default_rng(0))
        curvature = asked.approximation.begin(asked.frame)
        product = curvature.solve if kind is hessx.BFGS else curvature.matvec
        expected = start if start.ndim == 2 else np.diag(start)
        assert_close(asked.matrix(product), expected, backend.eps)
