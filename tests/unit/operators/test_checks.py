"""The checks pass what is right, on every library, and find planted faults."""

from __future__ import annotations

import numpy as np
import pytest

import hessx

n = 4


def test_right_operators_pass(backend, data):
    by_function = hessx.LinearOperator((3, n), lambda v: data.xA @ v, lambda u: u @ data.xA)
    outer = hessx.LowRankOperator(data.xU, data.xC, data.xU)
    like = backend.asarray([1.0])
    for operator in (by_function, by_function.T @ by_function - 2.0 * outer):
        checks = [hessx.check_linearity(operator, like), hessx.check_adjoint(operator, like)]
        if operator.shape == (n, n):
            checks.append(hessx.check_symmetry(operator + operator.T, like))
        for check in checks:
            assert check.ok, check
            assert check.error <= check.tolerance == 1000 * backend.eps


def test_large_matrices_pass(backend, rng):
    if backend.lazy:
        pytest.skip("takes long on a lazy library")
    size = 400
    A = backend.asarray(rng.standard_normal((size, size)) / 3e4)
    A = hessx.DenseOperator(A)
    for check in (
        hessx.check_adjoint(A),
        hessx.check_symmetry(A.T @ A),
        hessx.check_linearity(A),
    ):
        assert check.ok, check
    assert hessx.check_symmetry(A).error > 0.05


@pytest.mark.parametrize("scale", [1e-15, 1.0, 1e15])
def test_a_wrong_transpose_is_found(backend, data, scale):
    def made(rmatvec):
        A = data.xA * scale
        return hessx.LinearOperator((3, n), lambda v: A @ v, lambda u: rmatvec(u @ A))

    like = backend.asarray(np.ones(1))
    assert hessx.check_adjoint(made(lambda w: w), like).ok
    for wrong in (lambda w: -w, lambda w: w * 1.01, lambda w: w + scale, lambda w: w * np.nan):
        check = hessx.check_adjoint(made(wrong), like)
        assert not check.ok, check


def test_asymmetry_is_found(backend, data):
    x = backend.asarray(np.ones(n))
    tilt = backend.asarray(np.eye(n, k=1) * 1e-2)
    assert hessx.check_symmetry(lambda v: data.xS @ v, x).ok
    for wrong in (data.xM, data.xS + tilt, data.xS * float("nan")):
        check = hessx.check_symmetry(lambda v, wrong=wrong: wrong @ v, x)
        assert not check.ok, check
        assert not hessx.check_symmetry(hessx.DenseOperator(wrong)).ok


def test_what_is_not_linear_is_found(backend, data, xp):
    x = backend.asarray(np.ones(n))
    assert hessx.check_linearity(lambda v: data.xM @ v, x).ok
    for wrong in (
        lambda v: v + 1.0,
        lambda v: xp.abs(v),
        lambda v: v * v,
        lambda v: v * (1.0 + 0.01 * xp.sum(v)),
        lambda v: v * float("nan"),
    ):
        check = hessx.check_linearity(wrong, x)
        assert not check.ok, check


def test_the_operator_zero_passes(backend):
    zero = 0.0 * hessx.IdentityOperator(n)
    like = backend.asarray(np.ones(1))
    for check in (hessx.check_adjoint, hessx.check_symmetry, hessx.check_linearity):
        assert check(zero, like).error == 0.0


def test_the_directions_are_seeded(data):
    A = hessx.DenseOperator(data.xM)
    first, again, other = (hessx.check_symmetry(A, seed=seed).error for seed in (1, 1, 2))
    assert first == again != other


def test_bad_input(data):
    A = hessx.DenseOperator(data.xA)
    for check in (hessx.check_adjoint, hessx.check_linearity):
        with pytest.raises(hessx.SettingsError, match="directions = 0: expected an integer >= 1"):
            check(A, directions=0)
    with pytest.raises(ValueError, match=r"A has shape \(3, 4\): a symmetric operator is square"):
        hessx.check_symmetry(A)
    with pytest.raises(TypeError, match=r"A is a function: expected a hessx.LinearOperator"):
        hessx.check_adjoint(lambda v: v)
    with pytest.raises(TypeError, match=r"like is a NoneType: expected an array, a point x"):
        hessx.check_symmetry(lambda v: v)
    with pytest.raises(ValueError, match="holds no array: give like="):
        hessx.check_symmetry(hessx.IdentityOperator(3))
    with pytest.raises(TypeError, match="A' is not known"):
        hessx.check_adjoint(hessx.LinearOperator((2, 2), lambda v: v), np.ones(1))
