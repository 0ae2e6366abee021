"""Structured approximations beside the formulas of the papers, pair by pair, dense in float64."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.registry import make_backend
from hessx import FX, GNSBFGS, SSM, TSSM, Offer, SettingsError
from hessx._xp import Packet, record_fetches, space_of, under
from hessx.core import Counts, Frame, Pair
from hessx.objectives import ResidualAt, dense_jacobian
from reference.quasi_newton import sr1_update
from reference.structured import (
    broyden_change,
    fletcher_xu,
    secant_term,
    structured_secant,
    structured_y,
    totally_structured,
    zhou_chen,
)

NUMPY = make_backend("numpy")
n, m = 4, 6
STEPS = 5


class Curved:
    """r = A x + W (x * x) / 2 + c; the second-order term is the diagonal W'r, positive here."""

    def __init__(self, rng, level=4.0):
        self.A, self.W = rng.standard_normal((m, n)), rng.uniform(0.2, 1.0, (m, n))
        self.c = np.full(m, level)
        self.points = [rng.standard_normal(n) * 0.3 for _ in range(STEPS + 1)]

    def residual(self, x):
        return self.A @ x + self.W @ (x * x) / 2.0 + self.c

    def jacobian(self, x):
        return self.A + self.W * x

    def gradient(self, x):
        return self.jacobian(x).T @ self.residual(x)


class Work:
    """A part that is led from point to point as a run does it."""

    def __init__(self, backend, settings, problem, scale=None):
        self.backend, self.problem = backend, problem
        self.D = np.ones(n) if scale is None else scale
        self.space = space_of(backend.asarray(np.zeros(n)))
        self.frame = Frame(self.space, None if scale is None else backend.asarray(scale))
        self.part = settings.begin(self.frame)
        self.part.focus(Offer.DENSE)
        self.x = problem.points[0]
        self.arrive()

    def arrive(self):
        """Hand the residual over; x is in z."""
        there, space = self.backend.asarray, self.space
        r, J = self.problem.residual(self.D * self.x), self.problem.jacobian(self.D * self.x)
        assert self.part.waits
        self.part.at(ResidualAt(space, there(r), dense_jacobian(space, there(J)), Counts()))
        with record_fetches() as ledger:
            assert self.part.prepare()
        assert ledger.fetches == 1

    def step(self, x):
        there, p, D = self.backend.asarray, self.problem, self.D
        s, y = x - self.x, D * p.gradient(D * x) - D * p.gradient(D * self.x)
        pair, packet = Pair(there(s), there(y), s @ y, y @ y, s @ s), Packet(self.space)
        self.part.measure(pair, packet.under("B: "))
        pair.numbers = under(packet.fetch(), "B: ")
        note = self.part.update(pair)
        self.part.leave()
        before, self.x = self.x, x
        self.arrive()
        return before, s, y, note

    @property
    def B(self):  # noqa: N802
        return self.backend.to_numpy(self.part.dense())


def evidence(work, before):
    """J'J, the structured y#, and norms of r, in z."""
    p, D = work.problem, work.D
    J, old = p.jacobian(D * work.x) * D, p.jacobian(D * before) * D
    r, was = p.residual(D * work.x), p.residual(D * before)
    return J.T @ J, structured_y(old, J, r), np.linalg.norm(r), np.linalg.norm(was)


def close(backend, found, expected, most=1e4):
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=most * backend.eps * scale)


SECANT = {
    "bfgs": lambda S, C, s, z: structured_secant(S, C, s, z),
    "dfp": lambda S, C, s, z: structured_secant(S, C, s, z, 1.0),
    "sr1": lambda S, C, s, z: secant_term(S, s, z, "sr1"),
    "psb": lambda S, C, s, z: secant_term(S, s, z, "psb"),
}


@pytest.mark.parametrize("sizing", [False, True])
@pytest.mark.parametrize("update", SECANT)
def test_ssm(backend, rng, update, sizing):
    if backend.lazy:
        pytest.skip("takes long on a lazy library")
    work = Work(
        backend, SSM(update, sizing=sizing, fall=1.0), Curved(rng), np.array([1, 2, 1, 0.5])
    )
    S = np.zeros((n, n))
    for x in work.problem.points[1:]:
        before, s, _, note = work.step(x)
        C, z, *_ = evidence(work, before)
        if sizing and update != "sr1" and s @ S @ s:
            S = S * min(1.0, abs(s @ z) / abs(s @ S @ s))
        S = SECANT[update](S, C, s, z)
        assert note == ""
        close(backend, work.B, C + S)
        close(backend, work.B @ s, C @ s + z)  # the structured secant equation


@pytest.mark.parametrize("update", SECANT)
def test_tssm(backend, rng, update):
    if backend.lazy:
        pytest.skip("takes long on a lazy library")
    work = Work(backend, TSSM(update, fall=1.0), Curved(rng))
    A = np.zeros((n, n))
    for x in work.problem.points[1:]:
        before, s, *_ = work.step(x)
        C, z, norm, was = evidence(work, before)
        z = z * norm / was
        if update in ("bfgs", "dfp"):
            A = totally_structured(A, C, norm, s, z, float(update == "dfp"))
        else:
            A = secant_term(norm * A, s, z, update) / norm
        close(backend, work.B, C + norm * A)


@pytest.mark.parametrize("sizing", [False, True])
def test_gnsbfgs(backend, rng, sizing):
    if backend.lazy:
        pytest.skip("takes long on a lazy library")
    work = Work(backend, GNSBFGS(sizing=sizing, fall=1.0), Curved(rng))
    A, C = None, work.problem.jacobian(work.x)
    close(backend, work.B, C.T @ C)
    for x in work.problem.points[1:]:
        before, s, *_ = work.step(x)
        C, z, norm, was = evidence(work, before)
        z = z * norm / was
        A = z @ z / (s @ z) * np.eye(n) if A is None else A
        tau = min(1.0, s @ z / (s @ A @ s)) if sizing else 1.0
        A = zhou_chen(tau * A, s, z)
        close(backend, work.B, C + A)
        R, u = (backend.to_numpy(a) for a in work.part.root())
        close(backend, R.T @ R, C + A)
        close(backend, R.T @ u, work.problem.gradient(work.x))
        work.part.focus(Offer.SOLVE)
        assert work.part.prepare()
        v = backend.asarray(s)
        solved = backend.to_numpy(work.part.solve_shifted(v, 0.5))
        size = np.linalg.cond(C + A)
        close(backend, solved, np.linalg.solve(C + A + 0.5 * np.eye(n), s), 1e2 * size)
        work.part.focus(Offer.DENSE)


def test_gnsbfgs_leaves_out_a_term_that_is_small_or_negative(rng):
    for level, tol in ((4.0, 1e6), (-40.0, 1e-6)):
        work = Work(NUMPY, GNSBFGS(tol, fall=1.0), Curved(rng, level))
        for x in work.problem.points[1:]:
            before, *_ = work.step(x)
            C, *_ = evidence(work, before)
            np.testing.assert_allclose(work.B, C, rtol=1e-12, atol=1e-12 * C.max())
            assert np.linalg.eigvalsh(work.B)[0] > 0.0


def test_fx(backend, rng):
    if backend.lazy:
        pytest.skip("takes long on a lazy library")
    work = Work(backend, FX(0.2), Curved(rng))
    J = work.problem.jacobian(work.x)
    B, branches = J.T @ J, set()
    points = [*work.problem.points[1:], work.problem.points[1] * 0.9, np.full(n, -0.5)]
    for x in points:
        before, s, y, _ = work.step(x)
        C, _, norm, was = evidence(work, before)
        fast = was**2 - norm**2 >= 0.2 * was**2
        B = C if fast or not s @ y > 0.0 else fletcher_xu(B, C, s, y, was**2, norm**2, 0.2)
        branches.add(fast)
        close(backend, work.B, B)
    assert branches == {True, False}


@pytest.mark.parametrize("settings", [SSM(), TSSM(), GNSBFGS()], ids=lambda B: type(B).__name__)
def test_while_f_falls_fast_it_is_gauss_newton(rng, settings):
    work = Work(NUMPY, settings, Curved(rng))
    p = work.problem
    near, far = sorted(p.points[1:3], key=lambda x: p.residual(x) @ p.residual(x))
    work.step(far)
    before, *_ = work.step(near)
    C, _, norm, was = evidence(work, before)
    assert norm**2 < 0.99 * was**2
    np.testing.assert_allclose(work.B, C, rtol=1e-12, atol=1e-12 * np.abs(C).max())
    R, r = work.part.root()
    np.testing.assert_allclose(R[:m], p.jacobian(near))
    np.testing.assert_array_equal(r[:m], p.residual(near))


def test_beside_fides(rng):
    """The published implementation; it begins with A = eps I, where here A = 0."""
    fides = pytest.importorskip("fides")
    zero = np.zeros((n, n))
    kinds = {
        fides.SSM(phi=0.0): SSM("bfgs", sizing=False, fall=1.0),
        fides.SSM(phi=1.0): SSM("dfp", sizing=False, fall=1.0),
        fides.TSSM(phi=0.0): TSSM("bfgs", fall=1.0),
        fides.TSSM(phi=1.0): TSSM("dfp", fall=1.0),
        fides.GNSBFGS(): GNSBFGS(sizing=False, fall=1.0),
        fides.FX(): FX(),
    }
    for peer, settings in kinds.items():
        work = Work(NUMPY, settings, Curved(rng))
        peer._init_mat(n, work.B)
        peer.A, first = zero.copy(), True
        for x in work.problem.points[1:]:
            before, s, y, _ = work.step(x)
            C, z, norm, was = evidence(work, before)
            r, rprev = work.problem.residual(work.x), work.problem.residual(before)
            if isinstance(settings, FX):
                peer.update(s, y, r, rprev, C)
            else:
                z = z if isinstance(settings, SSM) else z * norm / was
                if isinstance(settings, GNSBFGS) and first:
                    peer.A, first = z @ z / (s @ z) * np.eye(n), False
                peer.update(s, y, r, C, z)
            expected = peer.get_mat()
            np.testing.assert_allclose(
                work.B, expected, rtol=0.0, atol=1e-12 * np.abs(expected).max()
            )


@pytest.mark.parametrize("learnt", [hessx.SR1(hess0=0.0), hessx.LSR1(hess0=0.0)])
@pytest.mark.parametrize("known", [hessx.Exact(), hessx.Exact(dense=True)])
def test_known_plus(backend, rng, learnt, known):
    """S is that of SR1 from 0 with y - K s, and (K + S) s = y."""
    if backend.lazy:
        pytest.skip("takes long on a lazy library")
    problem, there = Curved(rng), backend.asarray
    space = space_of(there(np.zeros(n)))
    part = hessx.KnownPlus(learnt, known).begin(Frame(space))
    part.focus(Offer.MATVEC)
    S = np.zeros((n, n))
    counted = Counts()

    def arrive(x):
        J = there(problem.jacobian(x))
        part.at(hessx.objectives.HessianAt(space, lambda v: (J @ v) @ J, counted, 1.0))
        with record_fetches() as ledger:
            assert part.prepare()
        return ledger.fetches

    assert arrive(problem.points[0]) == 0
    for before, x in zip(problem.points[:3], problem.points[1:4], strict=True):
        s, y = x - before, problem.gradient(x) - problem.gradient(before)
        assert part.update(Pair(there(s), there(y), s @ y, y @ y, s @ s)) == ""
        part.leave()
        assert arrive(x) == 1
        K = problem.jacobian(x).T @ problem.jacobian(x)
        S = sr1_update(S, s, y - K @ s, 1e-8)
        found = np.stack([backend.to_numpy(part.matvec(there(e))) for e in np.eye(n)])
        close(backend, found, K + S, 1e5)
        close(backend, found @ s, y, 1e5)


def test_the_change_is_that_of_the_family(rng):
    """phi = 1 is DFP (Nocedal & Wright 2006, eq. 6.13)."""
    B, s = np.eye(n) + 0.1, rng.standard_normal(n)
    y = B @ s + 0.1 * s
    left = np.eye(n) - np.outer(y, s) / (s @ y)
    dfp = left @ B @ left.T + np.outer(y, y) / (s @ y)
    np.testing.assert_allclose(B + broyden_change(B, s, y, 1.0), dfp)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SSM("bfsg"), "update"),
        (lambda: SSM(sizing="no"), "sizing"),
        (lambda: TSSM(fall=0.0), "fall"),
        (lambda: GNSBFGS(-1.0), "hybrid_tol"),
        (lambda: FX(2.0), "hybrid_tol"),
        (lambda: hessx.KnownPlus(hessx.Exact()), r"learnt = .*\(...\) learns from no steps and is"),
        (lambda: hessx.KnownPlus(known=hessx.SR1()), "known"),
        (lambda: hessx.KnownPlus(hessx.SR1), "learnt"),
        (lambda: hessx.KnownPlus(known=hessx.BFGS()), "known"),
        (lambda: hessx.LineSearchMethod(FX(), hessx.HagerZhang()), "indefinite"),
    ],
)
def test_bad_settings(make, words):
    with pytest.raises((SettingsError, TypeError), match=words):
        make()


def test_a_matrix_that_is_too_large():
    frame = Frame(space_of(np.zeros(40_000)))
    for settings in (SSM(), TSSM(), GNSBFGS(), FX()):
        with pytest.raises(SettingsError, match="KnownPlus"):
            settings.begin(frame)
