"""The probe for negative curvature beside the spectrum."""

from __future__ import annotations

import numpy as np
import pytest

from _helpers.quadratics import symmetric
from hessx import _xp
from hessx._xp import space_of
from hessx.core import Ball
from hessx.directions import probe
from hessx.krylov import KrylovOutcome

n = 30


def ask(backend, H, length=1.0, watch=lambda: False):
    """The way out on the host (or None), the text, and the products spent."""
    there, calls = backend.asarray(H), []

    def product(v):
        calls.append(1)
        return there @ v

    space = space_of(backend.asarray(np.zeros(len(H))))
    found, text = probe(space, product, Ball(None, length), watch)
    return found, text, len(calls)


@pytest.mark.parametrize("smallest", [-0.3, -3.0, -1e3])
@pytest.mark.parametrize("length", [1e-3, 1.0, 1e3])
def test_negative_curvature_is_met(backend, rng, smallest, length):
    values = np.append(smallest, np.linspace(0.5, 1.0, n - 1))
    H = symmetric(rng, values)
    found, text, count = ask(backend, H, length)
    assert found is not None
    assert count <= 20
    p = backend.to_numpy(found.step).astype(float)
    assert np.linalg.norm(p) == pytest.approx(length, rel=20 * backend.eps)
    curvature = p @ H @ p / (p @ p)
    assert smallest * (1.0 + 1e-3) <= curvature < 0.0
    assert found.decrease == pytest.approx(-curvature * length**2 / 2.0, rel=1e5 * backend.eps)
    assert found.outcome is KrylovOutcome.NEGATIVE
    assert f"{found.decrease * -2.0 / length**2:.3g}" in text
    backend.assert_same_kind(found.step, backend.asarray(p))


@pytest.mark.parametrize("kind", ["definite", "identity", "zero", "semidefinite"])
def test_none_is_met_where_there_is_none(backend, rng, kind):
    H = {
        "definite": symmetric(rng, np.geomspace(1.0, 100.0, n)),
        "identity": np.eye(n),
        "zero": np.zeros((n, n)),
        "semidefinite": np.diag(np.append(np.zeros(10), np.ones(n - 10))),
    }[kind]
    found, text, count = ask(backend, H)
    assert found is None
    assert count <= 20
    assert f"no negative curvature in {count} products" in text


@pytest.mark.parametrize("size", [2.0**-40, 2.0**40])
def test_the_unit_of_f_changes_nothing(backend, rng, size):
    H = symmetric(rng, np.append(-0.3, np.linspace(0.5, 1.0, n - 1)))
    (one, _, count), (other, _, same) = ask(backend, H), ask(backend, size * H)
    assert count == same
    np.testing.assert_array_equal(backend.to_numpy(one.step), backend.to_numpy(other.step))
    assert other.decrease == size * one.decrease


def test_it_is_the_same_in_every_run_and_on_every_library(backend):
    H = np.diag(np.append(-0.5, np.linspace(0.5, 1.0, n - 1)))
    first, _, count = ask(backend, H)
    again, _, _ = ask(backend, H)
    np.testing.assert_array_equal(backend.to_numpy(first.step), backend.to_numpy(again.step))
    if backend.dtype_name == "float64":
        numpy = pytest.importorskip("_helpers.registry").make_backend("numpy")
        expected, _, products = ask(numpy, H)
        assert count == products
        step = backend.to_numpy(first.step)
        np.testing.assert_allclose(step, expected.step, rtol=0.0, atol=1e-10)


def test_one_variable(backend):
    found, _, _ = ask(backend, [[-2.0]], 3.0)
    assert abs(backend.to_numpy(found.step)) == pytest.approx(3.0)
    assert ask(backend, [[2.0]])[0] is None


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_products_that_are_not_finite(backend, bad):
    with np.errstate(all="ignore"):
        found, text, _ = ask(backend, np.full((n, n), bad))
    assert found is None
    assert "not finite" in text


def test_the_watch_ends_it(backend, rng):
    H, asked = symmetric(rng, np.geomspace(1.0, 100.0, n)), []

    def watch():
        asked.append(1)
        return len(asked) == 3

    found, _, count = ask(backend, H, watch=watch)
    assert found is None
    assert count == 3


@pytest.mark.backends("fakegpu")
def test_one_fetch_per_product_and_one_upload(backend, rng):
    H = backend.asarray(symmetric(rng, np.geomspace(1.0, 100.0, n)))
    space = space_of(H[0, :])
    with (
        backend.meter.tally() as tally,
        backend.meter.forbid_waits(_xp.fetch, _xp.upload),
    ):
        probe(space, lambda v: H @ v, Ball(1.0), lambda: False)
    assert tally.reads.total() <= 20
    assert tally.uploads.total() <= 1
