"""Features do to a problem what they say, and tell what it truly was."""

from __future__ import annotations

import numpy as np
import pytest

from hessx.study.backends import open_backend
from hessx.study.features import FEATURES
from hessx.study.problems import PROBLEMS

NUMPY = open_backend("numpy", "float64")
MAPS = ("permuted", "scaled", "rotated")


def changed(name, feature, seed=1):
    plain = PROBLEMS[name].pose(NUMPY)
    return plain, FEATURES[feature].apply(plain, NUMPY, seed)


@pytest.mark.parametrize("feature", MAPS)
@pytest.mark.parametrize("name", ["linear-regression", "brown-dennis", "chained-rosenbrock"])
def test_other_variables_pose_the_same_problem(name, feature, rng):
    plain, posed = changed(name, feature)
    f, g = posed.fun(posed.x0)
    np.testing.assert_allclose(f, plain.fun(plain.x0)[0], rtol=1e-12)
    np.testing.assert_allclose(posed.truth(posed.x0)[1], plain.fun(plain.x0)[1], rtol=1e-9)
    z = posed.x0 * (1.0 + 0.1 * rng.standard_normal(posed.x0.shape))
    v, h = rng.standard_normal(z.shape) * abs(z), 1e-5
    slope = (posed.fun(z + h * v)[0] - posed.fun(z - h * v)[0]) / (2 * h)
    np.testing.assert_allclose(posed.fun(z)[1] @ v, slope, rtol=1e-6)
    expected = (posed.fun(z + h * v)[1] - posed.fun(z - h * v)[1]) / (2 * h)
    np.testing.assert_allclose(posed.hess(z)(v), expected, atol=1e-6 * abs(expected).max())
    r, J = posed.residual(z)
    f, g = posed.fun(z)
    np.testing.assert_allclose(r @ r / 2, f, rtol=1e-12)
    np.testing.assert_allclose(J.T @ r, g, atol=1e-12 * abs(g).max())


def test_a_constant_hessian_and_a_pattern_go_along(rng):
    for feature in MAPS:
        _, posed = changed("linear-regression", feature)
        H = posed.constant_hessian()
        columns = np.stack([posed.hess(posed.x0)(unit) for unit in np.eye(2)])
        np.testing.assert_allclose(H, columns, rtol=1e-12)
    _, posed = changed("chained-rosenbrock", "permuted")
    n, x = len(posed.x0), posed.x0 + 0.1 * rng.standard_normal(posed.x0.shape)
    dense = np.stack([posed.hess(x)(unit) for unit in np.eye(n)])
    np.testing.assert_array_equal(posed.pattern.dense(), dense != 0.0)
    assert changed("chained-rosenbrock", "rotated")[1].pattern is None


def test_noise_has_the_stated_size_and_the_truth_none():
    plain, posed = changed("brown-dennis", "noise")
    f0, g0 = plain.fun(plain.x0)
    draws = [posed.fun(plain.x0) for _ in range(2000)]
    errors = np.array([f - f0 for f, _ in draws]), np.array([g - g0 for _, g in draws])
    np.testing.assert_allclose(errors[0].std(), 1e-6 * abs(f0), rtol=0.1)
    np.testing.assert_allclose(errors[1].std(axis=0), 1e-6 * abs(g0).max(), rtol=0.1)
    assert posed.truth(plain.x0)[0] == f0
    _, again = changed("brown-dennis", "noise")
    assert again.fun(plain.x0)[0] == draws[0][0]
    assert changed("brown-dennis", "noise", seed=2)[1].fun(plain.x0)[0] != draws[0][0]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_truncated_values_keep_20_bits(dtype):
    backend = open_backend("numpy", dtype)
    plain = PROBLEMS["brown-dennis"].pose(backend)
    posed = FEATURES["truncated"].apply(plain, backend, 1)
    f, g = posed.fun(plain.x0)
    for given, true in zip([f, *g], [plain.fun(plain.x0)[0], *plain.fun(plain.x0)[1]], strict=True):
        m, _ = np.frexp(np.float64(given))
        assert m * 2**20 == round(m * 2**20)
        assert abs(given - true) <= 2.0**-20 * abs(true)


def test_one_evaluation_in_fifty_is_lost_and_never_the_first():
    plain, posed = changed("linear-regression", "nan")
    for seed in range(1, 40):
        first = FEATURES["nan"].apply(plain, NUMPY, seed).fun(plain.x0)
        assert np.isfinite(first[0])
    lost = [np.isnan(posed.fun(plain.x0)[0]) for _ in range(5000)]
    assert abs(np.mean(lost) - 0.02) < 4 * np.sqrt(0.02 * 0.98 / 5000)
    _, grad = next((f, g) for f, g in iter(lambda: posed.fun(plain.x0), None) if np.isnan(f))
    assert np.isnan(grad).all()


def test_starts_move_by_a_tenth():
    plain = PROBLEMS["extended-rosenbrock"].pose(NUMPY)
    posed = FEATURES["start"].apply(plain, NUMPY, 3)
    moved = (posed.x0 - plain.x0) / np.maximum(abs(plain.x0), 1.0)
    np.testing.assert_allclose(moved.std(), 0.1, rtol=0.1)


@pytest.mark.parametrize(
    ("name", "feature"), [*(("torch", feature) for feature in FEATURES), ("jax", "permuted")]
)
def test_on_other_libraries_the_same(name, feature):
    pytest.importorskip(name)
    backend = open_backend(name, "float64")
    one = FEATURES[feature].apply(PROBLEMS["brown-dennis"].pose(NUMPY), NUMPY, 5)
    other = FEATURES[feature].apply(PROBLEMS["brown-dennis"].pose(backend), backend, 5)
    for z, posed in ((one.x0, one), (other.x0, other)):
        value, grad = posed.fun(z)
        product = posed.hess(z)(z)
        if posed is one:
            expected = value, grad, product
    np.testing.assert_allclose(float(value), expected[0], rtol=1e-11)
    np.testing.assert_allclose(np.asarray(grad), expected[1], rtol=1e-10)
    np.testing.assert_allclose(np.asarray(product), expected[2], rtol=1e-10)
