"""Products make no transfer: what an operator holds is on the device when it is made."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx import _xp

n = 4


def family(data):
    """One of each kind, all of the algebra, and the user's function."""
    A, S = hessx.DenseOperator(data.xA), hessx.DenseOperator(data.xS, symmetric=True)
    by_function = hessx.LinearOperator((n, n), lambda v: data.xS @ v, symmetric=True)
    low_rank = hessx.LowRankOperator(data.xU, data.xc)
    whole = A.T @ A + low_rank - 2.0 * hessx.DiagonalOperator(data.xd) + by_function
    return [whole.shift(0.5), (whole @ S).T, hessx.IdentityOperator(n)]


@pytest.mark.backends("fakegpu", "cupy-signatures", "dask")
@pytest.mark.parametrize("shape", [(n,), (2, 3, n)], ids=["vector", "stack"])
def test_the_host_does_not_wait_in_a_product(backend, data, shape):
    operators, v = family(data), backend.asarray(np.ones(shape))
    with backend.fetches() as waits, _xp.record_fetches() as ledger:
        for operator in operators:
            operator.rmatvec(operator @ v)
            operator.dense(v)
            operator.diagonal(v)
    assert (waits.count, ledger.fetches, ledger.uploads) == (0, 0, 0)


@pytest.mark.backends("fakegpu")
def test_nothing_waits_below_a_product(backend, data):
    with backend.meter.forbid_waits():
        for operator in family(data):
            operator @ (operator @ data.xd)


@pytest.mark.backends("fakegpu")
def test_a_product_launches_no_more_than_its_arithmetic(backend, data):
    """One launch for each operation of the formula."""
    S, D = hessx.DenseOperator(data.xS), hessx.DiagonalOperator(data.xd)
    V = backend.asarray(np.ones((5, n)))
    for operator, v, launches in (
        (S, data.xd, 1),
        (S, V, 1),
        (D, data.xd, 1),
        (2.0 * S, data.xd, 2),
        (S + D, data.xd, 3),
        (S @ D, V, 2),
        (S.shift(0.5), data.xd, 3),
        (hessx.LowRankOperator(data.xU, data.xc), V, 3),
        (hessx.LinearOperator((n, n), lambda v: data.xS @ v), data.xd, 1),
    ):
        with backend.meter.tally() as tally:
            operator @ v
        assert tally.launches.total() == launches, (operator, tally.launches)


@pytest.mark.backends("fakegpu")
@pytest.mark.parametrize(
    "check", [hessx.check_adjoint, hessx.check_symmetry, hessx.check_linearity]
)
def test_a_check_uploads_and_fetches_once(backend, data, check):
    S = hessx.DenseOperator(data.xS, symmetric=True)
    with backend.meter.tally() as tally, _xp.record_fetches() as ledger:
        check(S, directions=3)
    assert (ledger.fetches, ledger.uploads) == (1, 1)
    assert (tally.reads.total(), tally.uploads.total()) == (1, 1)


@pytest.mark.backends("fakegpu")
def test_a_product_for_scipy_uploads_and_fetches_once(backend, data):
    host = hessx.DenseOperator(data.xS).to_scipy()
    with backend.meter.tally() as tally:
        host @ np.ones(n)
    assert (tally.reads.total(), tally.uploads.total()) == (1, 1)
