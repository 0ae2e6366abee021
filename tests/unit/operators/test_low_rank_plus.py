"""A diagonal and a low rank, beside dense matrices."""

import numpy as np
import pytest

from hessx._xp import record_fetches
from hessx.operators import LowRankPlusDiagonal


def _parts(backend, rng, w, n=12):
    d, U = 1.0 + rng.random(n), rng.standard_normal((len(w), n)) / n
    B = LowRankPlusDiagonal(*(backend.asarray(part) for part in (d, U, np.array(w))))
    return B, np.diag(d) + U.T * w @ U


@pytest.mark.parametrize("w", [[3.0, 20.0], [3.0, -0.5, 0.0]])
def test_is_its_matrix(backend, rng, w):
    B, dense = _parts(backend, rng, w)
    V = backend.asarray(rng.standard_normal((2, 12)))
    backend.assert_same_kind(B @ V, V)
    tolerance = {"rtol": 100 * backend.eps, "atol": 100 * backend.eps}
    np.testing.assert_allclose(backend.to_numpy(B @ V), backend.to_numpy(V) @ dense, **tolerance)
    np.testing.assert_allclose(backend.to_numpy(B.diagonal()), dense.diagonal(), **tolerance)


@pytest.mark.parametrize("w", [[3.0, 20.0], [3.0, -0.5, 0.0]])
@pytest.mark.parametrize("shift", [0.0, 2.5])
def test_its_inverse_is_that_of_the_matrix(backend, rng, w, shift):
    B, dense = _parts(backend, rng, w)
    v = backend.asarray(rng.standard_normal(12))
    with record_fetches() as making:
        A = B.inverse(shift)
    with record_fetches() as applying:
        product = A @ v
    assert (making.fetches, applying.fetches) == (1, 0)
    backend.assert_same_kind(product, v)
    inverse = np.linalg.inv(dense + shift * np.eye(12))
    tolerance = {"rtol": 1e3 * backend.eps, "atol": 1e3 * backend.eps}
    np.testing.assert_allclose(
        backend.to_numpy(product), inverse @ backend.to_numpy(v), **tolerance
    )
    np.testing.assert_allclose(backend.to_numpy(A.diagonal()), inverse.diagonal(), **tolerance)


@pytest.mark.backends("numpy")
def test_what_is_singular_raises_nothing(backend):
    d, U = np.ones(2), np.array([[1.0, 0.0]])
    with np.errstate(invalid="ignore"):
        assert not np.isfinite(LowRankPlusDiagonal(d, U, np.array([-1.0])).inverse() @ d).all()


@pytest.mark.backends("numpy")
@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (([1.0], np.ones((1, 1)), np.ones(1)), "d has type list"),
        ((np.ones(2), np.ones((1, 3)), np.ones(1)), r"U has shape \(1, 3\): expected \(n, 2\)"),
        ((np.ones(2), np.ones((1, 2)), np.ones(2)), r"w has shape \(2,\): expected \(1\)"),
        ((np.ones(2), np.ones((1, 2), np.float32), np.ones(1)), "expected one kind"),
    ],
)
def test_what_does_not_fit_is_refused(backend, parts, words):
    with pytest.raises((TypeError, ValueError), match=words):
        LowRankPlusDiagonal(*parts)
