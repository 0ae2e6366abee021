"""What MINRES and LSMR have in common: trouble, bad input, budgets, fetches."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hessx import _xp
from hessx.core import SettingsError
from hessx.krylov import LinearOutcome, lsmr, minres

n = 30
FETCHES_BESIDE_STEPS = 1


class Operator:
    """Products with a symmetric matrix, both ways, through one function."""

    def __init__(self, product):
        self.matvec = self.rmatvec = product


SOLVERS = {
    "minres": lambda product, b, **settings: minres(product, b, **settings),
    "lsmr": lambda product, b, **settings: lsmr(Operator(product), b, **settings),
}
PRODUCTS_PER_STEP = {"minres": 1, "lsmr": 2}
PRODUCTS_AT_START = {"minres": 0, "lsmr": 1}
TIGHT = {"minres": {"rtol": 1e-10}, "lsmr": {"atol": 1e-10, "btol": 1e-10}}

each = pytest.mark.parametrize("name", SOLVERS)


def diagonal(backend):
    """Thirty eigenvalues of both signs, and a right-hand side that has them all."""
    values = np.linspace(1.0, 3.0, n) * (-1.0) ** np.arange(n)
    return backend.asarray(values), backend.asarray(np.cos(np.arange(n)))


@each
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("check_every", [1, 4])
def test_a_product_that_is_not_finite_ends_the_run(backend, name, bad, check_every):
    values, b = diagonal(backend)
    calls, kept = [], 5

    def product(v):
        calls.append(1)
        return values * v * (bad if len(calls) > kept else 1.0)

    with np.errstate(invalid="ignore", over="ignore"):
        result = SOLVERS[name](product, b, check_every=check_every)
    assert result.outcome is LinearOutcome.NONFINITE
    assert not result.success
    backend.assert_same_kind(result.x, b)
    whole = (kept - PRODUCTS_AT_START[name]) // PRODUCTS_PER_STEP[name]
    assert result.iterations == whole
    reference = SOLVERS[name](lambda v: values * v, b, max_iterations=whole)
    expected = backend.to_numpy(reference.x)
    np.testing.assert_allclose(backend.to_numpy(result.x), expected, rtol=0.0, atol=0.0)


@each
def test_a_right_hand_side_that_is_not_finite(name):
    result = SOLVERS[name](lambda v: v, np.array([1.0, np.nan]))
    assert result.outcome is LinearOutcome.NONFINITE
    np.testing.assert_array_equal(result.x, 0.0)


@each
@pytest.mark.parametrize("check_every", [1, 4])
@pytest.mark.parametrize("allowed", [1, 4, 5])
def test_the_watch_ends_the_run_with_what_it_has(backend, name, check_every, allowed):
    values, b = diagonal(backend)
    calls = []

    def watch():
        calls.append(1)
        return len(calls) == allowed

    result = SOLVERS[name](lambda v: values * v, b, check_every=check_every, watch=watch)
    assert result.outcome is LinearOutcome.STOPPED
    assert result.products == len(calls) == allowed
    assert result.iterations == (allowed - PRODUCTS_AT_START[name]) // PRODUCTS_PER_STEP[name]
    short = SOLVERS[name](lambda v: values * v, b, max_iterations=result.iterations)
    np.testing.assert_array_equal(backend.to_numpy(result.x), backend.to_numpy(short.x))


@each
@pytest.mark.backends("fakegpu")
@pytest.mark.parametrize("check_every", [1, 2, 8])
def test_one_fetch_per_check(backend, name, check_every):
    values, b = diagonal(backend)
    settings = {"check_every": check_every, **TIGHT[name]}
    with (
        backend.meter.tally() as tally,
        _xp.record_fetches() as ledger,
        backend.meter.forbid_waits(_xp.fetch),
    ):
        result = SOLVERS[name](lambda v: values * v, b, **settings)
    assert result.success, result.message
    checks = math.ceil(result.iterations / check_every)
    assert result.iterations > 8
    assert tally.reads.total() == ledger.fetches == checks + FETCHES_BESIDE_STEPS
    assert tally.uploads.total() == 0
    beyond = result.products - PRODUCTS_PER_STEP[name] * result.iterations
    assert beyond - PRODUCTS_AT_START[name] <= PRODUCTS_PER_STEP[name] * (check_every - 1)


@each
@pytest.mark.backends("dask")
def test_dask_computes_once_per_fetch_and_each_product_once(backend, name):
    values, b = diagonal(backend)
    blocks = []

    def noted(block):
        blocks.append(1)
        return block

    def product(v):
        return values * v.map_blocks(noted, dtype=v.dtype, meta=np.empty(0))

    with backend.fetches() as computes, _xp.record_fetches() as ledger:
        result = SOLVERS[name](product, b)
    assert computes.count == ledger.fetches
    assert len(blocks) == 2 * result.products  # two chunks


@each
@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (lambda v: v[:-1], ValueError, "shape"),
        (lambda v: v + 0j, TypeError, "complex128"),
        (lambda v: ["one"] * 4, TypeError, "list"),
        (lambda v: None, TypeError, "NoneType"),
    ],
    ids=["shape", "dtype", "words", "none"],
)
@pytest.mark.parametrize("start", [{}, {"x0": np.zeros(4)}], ids=["no x0", "x0"])
def test_a_wrong_product_is_an_error(name, wrong, error, words, start):
    """Without x0 it is the first product that says where the x of LSMR lives."""
    if name == "lsmr" and words == "shape" and not start:
        with pytest.raises(error, match=r"A v has shape \(2,\): expected \(4,\) \(that of b\)"):
            SOLVERS[name](wrong, np.ones(4))
        return
    with pytest.raises(error, match=words):
        SOLVERS[name](wrong, np.ones(4), **start)


@each
@pytest.mark.backends("torch", "strict", "fakegpu")
def test_products_are_not_converted_outside_numpy(backend, name):
    b = backend.asarray(np.ones(4))
    whole = backend.asarray(np.ones(4), dtype="int32")
    for wrong, words in (
        (lambda v: whole, "dtype .*int32"),
        (lambda v: [1.0] * 4, "list"),
        (lambda v: None, "NoneType"),
        (lambda v: np.ones(4), "numpy"),
    ):
        for start in ({}, {"x0": b}):
            with pytest.raises(TypeError, match=words):
                SOLVERS[name](wrong, b, **start)


@each
@pytest.mark.parametrize(
    ("setting", "value"),
    [("check_every", 0), ("max_iterations", -1), ("max_iterations", 2.5)],
)
def test_a_wrong_setting_is_an_error(name, setting, value):
    with pytest.raises(SettingsError, match=setting):
        SOLVERS[name](lambda v: v, np.ones(2), **{setting: value})


@each
def test_wrong_arrays_are_errors(name):
    solver = SOLVERS[name]
    with pytest.raises(TypeError, match="b has complex dtype"):
        solver(lambda v: v, np.ones(2, dtype=complex))
    with pytest.raises(ValueError, match="b has shape"):
        solver(lambda v: v, np.ones(0))
    with pytest.raises(TypeError, match="b has complex dtype"):
        solver(lambda v: v, np.ones(2, dtype=complex), x0=np.ones(2))
    with pytest.raises(TypeError, match="x0 has complex dtype"):
        solver(lambda v: v, np.ones(2), x0=np.ones(2, dtype=complex))
    with pytest.raises(TypeError, match="watch"):
        solver(lambda v: v, np.ones(2), watch=3)
    bare = minres if name == "minres" else lsmr
    with pytest.raises(ValueError, match=r"A has shape \(\): expected \(2, (2|n)\)"):
        bare(3, np.ones(2))
    with pytest.raises(TypeError, match=r"A is a object: expected an array of shape \(2, (2|n)\)"):
        bare(object(), np.ones(2))
    with pytest.raises(TypeError, match="A has dtype complex128, expected float64"):
        bare(np.eye(2) + 0j, np.ones(2))


@each
@pytest.mark.backends("torch", "strict", "fakegpu")
def test_nothing_is_moved_outside_numpy(backend, name):
    solver, b = (minres if name == "minres" else lsmr), backend.asarray(np.ones(2))
    matrix = backend.asarray(np.eye(2))
    other = "float32" if backend.dtype_name == "float64" else "float64"
    with pytest.raises(TypeError, match="A has an array of numpy"):
        solver(np.eye(2), b)
    with pytest.raises(TypeError, match="x0 has an array of numpy"):
        solver(matrix, b, x0=[1.0, 2.0])
    if backend.has_float64:
        with pytest.raises(TypeError, match=f"x0 has dtype .*{other}"):
            solver(matrix, b, x0=backend.asarray(np.ones(2), dtype=other))


def test_settings_of_their_own():
    for call in (
        lambda: minres(np.eye(2), np.ones(2), rtol=-1.0),
        lambda: minres(np.eye(2), np.ones(2), shift=np.nan),
        lambda: lsmr(np.eye(2), np.ones(2), damp=-1.0),
        lambda: lsmr(np.eye(2), np.ones(2), atol=2.0),
        lambda: lsmr(np.eye(2), np.ones(2), conlim=-1.0),
    ):
        with pytest.raises(SettingsError):
            call()
    with pytest.raises(ValueError, match="x0 has shape"):
        minres(np.eye(2), np.ones(2), x0=np.ones(3))
    with pytest.raises(ValueError, match=r"A has shape \(2, 2\): expected \(2, 3\)"):
        lsmr(np.eye(2), np.ones(2), x0=np.ones(3))
    with pytest.raises(ValueError, match=r"A has shape \(3, 2\): expected \(2, n\)"):
        lsmr(np.ones((3, 2)), np.ones(2))
    with pytest.raises(ValueError, match=r"A has shape \(3, 2\): expected \(2, 2\)"):
        minres(np.ones((3, 2)), np.ones(2))


@pytest.mark.parametrize("weights", [[1.0, -1.0, 1.0], [-1.0, -1.0, -1.0]])
def test_an_indefinite_preconditioner(backend, weights):
    M = backend.asarray(weights)
    A, b = backend.asarray(np.diag([1.0, 2.0, 3.0])), backend.asarray([3.0, 1.0, 1.0])
    result = minres(A, b, M=lambda r: M * r)
    assert result.outcome is LinearOutcome.INDEFINITE_PRECONDITIONER
    assert np.isfinite(backend.to_numpy(result.x)).all()
