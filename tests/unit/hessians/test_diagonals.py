"""Spectral and diagonal approximations beside dense NumPy, pair by pair."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx._xp import Packet, space_of, under
from hessx.core import Frame, Pair
from hessx.testing._posed import Posed
from reference.quasi_newton import diagonal_bfgs, spectral_size, weak_secant

n = 5
VARIANTS = ["long", "short", "alternating", "adaptive"]
DIAGONALS = [hessx.DiagonalBFGS(), hessx.WeakSecant(), hessx.DiagonalPSB()]
each_diagonal = pytest.mark.parametrize("B", DIAGONALS, ids=lambda B: type(B).__name__)


def posed_on(backend, B, rng, size=n):
    asked = Posed(Frame(space_of(backend.asarray(np.zeros(size)))), B, rng)
    return asked, B.begin(asked.frame)


@pytest.mark.parametrize("variant", VARIANTS)
def test_gamma_is_that_of_least_squares(backend, rng, variant):
    asked, part = posed_on(backend, hessx.Spectral(variant), rng)
    if backend.lazy:
        pytest.skip("takes long on a lazy library")
    for k, sign in enumerate([1.0, 1.0, 1.0, -1.0, 1.0, 1.0]):
        s, y = pair = asked.pair(sign)
        note = asked.teach(part, pair)
        assert note == ("" if sign > 0.0 else "damped")
        gamma = spectral_size(asked.host(s), asked.host(y), variant, k)
        np.testing.assert_allclose(asked.host(part.solve(s)), gamma * asked.host(s), rtol=1e-5)
        np.testing.assert_allclose(1.0 / asked.host(part.diagonal()), gamma, rtol=50 * backend.eps)


def test_the_adaptive_choice_is_the_short_one_where_s_and_y_differ():
    """Zhou, Gao & Dai (2006): where cos(s, y)^2 < 1/2."""
    rng = np.random.default_rng(0)
    _, part = posed_on_numpy(hessx.Spectral("adaptive"), 2)
    for cosine, short in ((0.6, True), (0.8, False)):
        s, y = np.array([2.0, 0.0]), 3.0 * np.array([cosine, np.sqrt(1.0 - cosine**2)])
        Posed(part.frame, hessx.Spectral(), rng).teach(part, (s, y))
        expected = s @ y / (y @ y) if short else s @ s / (s @ y)
        np.testing.assert_allclose(part.solve(s), expected * s, rtol=1e-15)


def posed_on_numpy(B, size=n, dtype=np.float64):
    frame = Frame(space_of(np.zeros(size, dtype)))
    return frame, B.begin(frame)


def test_is_the_diagonal_of_dense_bfgs(backend, rng):
    if backend.lazy:
        pytest.skip("takes long on a lazy library")
    asked, part = posed_on(backend, hessx.DiagonalBFGS(), rng)
    b = None
    for k in range(6):
        s, y = pair = asked.pair()
        assert asked.teach(part, pair, known=k > 0) == ""
        s, y = asked.host(s), asked.host(y)
        b = diagonal_bfgs(b, s, y)
        np.testing.assert_allclose(asked.host(part.diagonal()), b, rtol=1e3 * backend.eps)


def test_the_nearest_diagonal_with_the_weak_secant_equation(backend, rng):
    """While no entry falls below a tenth, which the equation need not see to."""
    if backend.lazy:
        pytest.skip("takes long on a lazy library")
    asked, part = posed_on(backend, hessx.WeakSecant(), rng)
    b, raised = None, 0
    for k in range(12):
        s, y = pair = asked.pair()
        assert asked.teach(part, pair, known=k > 0) == ""
        s, y = asked.host(s), asked.host(y)
        before = np.full(n, s @ y / (s @ s)) if b is None else b
        free = weak_secant(before, s, y)
        b = np.maximum(free, 0.1 * before)
        raised += (b > free).any()
        np.testing.assert_allclose(asked.host(part.diagonal()), b, rtol=1e4 * backend.eps)
        if (b == free).all():
            np.testing.assert_allclose(s @ (b * s), s @ y, rtol=1e-6)
    assert 0 < raised < 12


@pytest.mark.parametrize("signs", [[1.0] * 6, [-1.0, 1.0, -1.0, -1.0, 1.0]])
def test_psb_takes_every_sign(backend, rng, signs):
    if backend.lazy:
        pytest.skip("takes long on a lazy library")
    asked, part = posed_on(backend, hessx.DiagonalPSB(), rng)
    b = None
    for sign in signs:
        s, y = pair = asked.pair(sign)
        assert asked.teach(part, pair) == ""
        s, y = asked.host(s), asked.host(y)
        b = weak_secant(np.full(n, np.sqrt(y @ y / (s @ s))) if b is None else b, s, y)
        tolerance = 1e4 * backend.eps * abs(b).max()
        np.testing.assert_allclose(asked.host(part.diagonal()), b, rtol=0, atol=tolerance)
    assert (b < 0.0).any()


@each_diagonal
@pytest.mark.parametrize("exponent", [-28, 28])
def test_powers_of_s_do_not_leave_float32(B, exponent):
    """s^4 would; with s'y of ordinary size, and units of a power of two, it is bitwise the same."""
    rng = np.random.default_rng(5)
    frame, plain = posed_on_numpy(B, dtype=np.float32)
    _, scaled = posed_on_numpy(B, dtype=np.float32)
    asked, unit = Posed(frame, B, rng), np.float32(2.0**exponent)
    for _ in range(3):
        s, y = asked.pair()
        assert asked.teach(plain, (s, y)) == asked.teach(scaled, (s * unit, y / unit)) == ""
        np.testing.assert_array_equal(scaled.diagonal() * unit**2, plain.diagonal())


@pytest.mark.parametrize("B", [hessx.DiagonalBFGS(), hessx.WeakSecant(), hessx.Spectral()])
def test_a_useless_pair_is_skipped(B):
    """One whose s'y is rounding, zero, or not finite; nothing changes."""
    rng = np.random.default_rng(6)
    frame, part = posed_on_numpy(B)
    asked = Posed(frame, B, rng)
    asked.teach(part, asked.pair())
    before, s = part.diagonal(), rng.standard_normal(n)
    across = rng.standard_normal(n)
    across -= (across @ s) / (s @ s) * s
    with np.errstate(all="ignore"):
        for y in (across, 0.0 * s, np.full(n, np.inf), np.full(n, np.nan)):
            assert asked.teach(part, (s, y)) == "skipped"
            np.testing.assert_array_equal(part.diagonal(), before)


@each_diagonal
def test_one_variable_is_newton_by_secants(B):
    """With n = 1 the diagonal is y / s."""
    frame, part = posed_on_numpy(B, 1)
    asked = Posed(frame, B, np.random.default_rng(0))
    for s, y in ((1.0, 3.0), (0.5, 1.0), (-2.0, -8.0)):
        asked.teach(part, (np.array([s]), np.array([y])))
        np.testing.assert_allclose(part.diagonal(), [y / s], rtol=1e-14)


@pytest.mark.parametrize("B", [*DIAGONALS, hessx.Spectral()])
def test_the_inverse_comes_with_the_result_in_x(B):
    """hess_inv is A in x, also where the method works in x / x_scale."""
    h, scale = np.array([1.0, 4.0, 64.0]), np.array([1.0, 0.5, 0.125])
    method = hessx.TrustRegionMethod(B, x_scale=scale)
    result = hessx.minimize(
        lambda x: ((h * x) @ x / 2.0, h * x), np.ones(3), jac=True, method=method
    )
    assert result.success
    if not B.positive:
        assert "hess_inv" not in result
    elif isinstance(B, hessx.Spectral):  # H is I in x / x_scale
        np.testing.assert_allclose(result.hess_inv.diagonal(), 1.0 / h, rtol=1e-10)
    else:
        np.testing.assert_allclose(result.hess_inv.diagonal(), 1.0 / h, rtol=0.5)


def test_nothing_is_asked_for_twice():
    """The packet of a trial: two scalars for a diagonal once it is there, none for gamma."""
    for B, names in (
        (hessx.Spectral(), set()),
        (hessx.DiagonalBFGS(), {"s_B_s", "y_A_y"}),
        (hessx.WeakSecant(), {"q_q", "q_b"}),
    ):
        frame, part = posed_on_numpy(B)
        asked = Posed(frame, B, np.random.default_rng(1))
        asked.teach(part, asked.pair())
        packet = Packet(frame.space)
        part.measure(Pair(*asked.pair()), packet.under("own: "))
        assert set(under(packet.fetch(), "own: ")) == names
