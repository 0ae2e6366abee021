"""Orthonormal rows: as orthonormal as eps allows, of the same space, and never nan."""

import numpy as np
import pytest

from hessx._xp import record_fetches, space_of
from hessx.operators import orthonormal_rows


def _asked(backend, Y):
    rows = backend.asarray(Y)
    with record_fetches() as ledger:
        Q = orthonormal_rows(space_of(rows[0, ...]), rows)
    backend.assert_same_kind(Q, rows)
    assert ledger.fetches <= 2
    return backend.to_numpy(Q)


def test_spans_the_rows_that_it_was_given(backend, rng):
    Y = rng.standard_normal((5, 40)) * np.array([1.0, 1e-8, 1e6, 3.0, 1e3])[:, None]
    Q = _asked(backend, Y)
    np.testing.assert_allclose(Q @ Q.T, np.eye(5), atol=500 * backend.eps)
    unit = Y / np.linalg.norm(Y, axis=1)[:, None]
    np.testing.assert_allclose(unit @ Q.T @ Q, unit, atol=500 * backend.eps)


def test_what_is_nearly_dependent_is_orthonormal_too(backend, rng):
    singular = backend.eps ** (0.4 * np.linspace(0.0, 1.0, 6))  # beyond eps^(1/2) lies rounding
    U, V = (np.linalg.qr(rng.standard_normal((m, 6)))[0] for m in (6, 50))
    Q = _asked(backend, U * singular @ V.T)
    np.testing.assert_allclose(Q @ Q.T, np.eye(6), atol=1e3 * backend.eps)
    np.testing.assert_allclose(Q @ V @ V.T, Q, atol=1e3 * backend.eps**0.6)


def test_rows_beyond_the_rank_are_zero(backend, rng):
    Y = rng.standard_normal((6, 2)) @ rng.standard_normal((2, 30))
    Q = _asked(backend, Y)
    assert np.allclose(Q[2:], 0.0)
    np.testing.assert_allclose(Q @ Q.T, np.diag([1.0, 1.0, 0, 0, 0, 0]), atol=500 * backend.eps)


@pytest.mark.parametrize("entry", [0.0, np.inf, np.nan])
def test_gives_zeros_and_no_nan_where_there_is_nothing(backend, entry):
    assert (_asked(backend, np.full((3, 5), entry)) == 0.0).all()


@pytest.mark.backends("numpy")
def test_scales_bitwise(backend, rng):
    Y = backend.asarray(rng.standard_normal((3, 9)))
    space = space_of(Y[0])
    assert (orthonormal_rows(space, Y) == orthonormal_rows(space, Y * 2.0**40)).all()
