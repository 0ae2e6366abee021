"""What whole runs ask of a device and of a scheduler, counted from outside.

L-BFGS waits once per trial point and uploads once per accepted step (its coefficients); nothing
else waits but the first point.  Launches inside the objective are counted apart.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import hessx
from _helpers.runs import chained_rosenbrock
from hessx import _xp
from hessx.models import LogisticRegression

FETCHES_BESIDE_TRIALS = 3
LAUNCHES_PER_ITERATION = 18
OF_DENSE_BFGS = 20

LBFGS = {
    "lbfgs": "lbfgs",
    "lbfgs, more-thuente": hessx.LineSearchMethod(hessx.LBFGS(), hessx.MoreThuente()),
}
OTHERS = {
    "cg": "cg",
    "gd": "gd",
    "barzilai-borwein": hessx.LineSearchMethod(hessx.Identity(), hessx.BarzilaiBorwein()),
    "polak-ribiere": hessx.LineSearchMethod(hessx.NonlinearCG("pr+"), hessx.MoreThuente(c2=0.1)),
    "fixed": hessx.LineSearchMethod(hessx.Identity(), hessx.FixedStep(1e-3)),
}
LIMIT = {"fixed": 50, "gd": 150, "barzilai-borwein": 150}  # too slow for Rosenbrock's valley


@dataclass
class Costs:
    """A run and what it cost outside of the objective."""

    result: Any
    ledger: Any
    reads: int
    uploads: int
    launches: Counter[str]


def logistic(backend: Any) -> tuple[Any, np.ndarray]:
    """Two classes that overlap, 200 observations of 20 features."""
    rng = np.random.default_rng(7)
    X, noise = rng.standard_normal((200, 20)), rng.standard_normal(200)
    y = X @ rng.standard_normal(20) + 2.0 * noise > 0.0
    return LogisticRegression(backend.asarray(X), backend.asarray(y), l2=1e-3), np.zeros(21)


def rosenbrock(backend: Any) -> tuple[Any, np.ndarray]:
    """The chained Rosenbrock function of 1000 variables; its searches reject trials."""
    return chained_rosenbrock, np.full(1000, 0.5)


PROBLEMS = [logistic, rosenbrock]


def run(backend: Any, problem: Any, method: Any, **options: Any) -> Costs:
    """Minimise on the pretend GPU; waits outside the doors and inside the objective raise."""
    fun, start = problem(backend)
    x0 = backend.asarray(start)
    meter, inside = backend.meter, Counter()

    def counted(x: Any) -> Any:
        with meter.tally() as tally, meter.forbid_waits():
            pair = fun(x)
        inside.update(tally.launches)
        return pair

    with (
        meter.tally() as tally,
        _xp.record_fetches() as ledger,
        meter.forbid_waits(_xp.fetch, _xp.upload),
    ):
        result = hessx.minimize(counted, x0, jac=True, method=method, options=options)
    launches = tally.launches - inside
    return Costs(result, ledger, tally.reads.total(), tally.uploads.total(), launches)


@pytest.mark.backends("fakegpu")
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", LBFGS)
def test_lbfgs_costs_one_fetch_per_trial_and_one_upload_per_step(backend, name, problem):
    costs = run(backend, problem, LBFGS[name])
    result = costs.result
    assert result.success, result.message
    assert costs.reads <= result.nfev + FETCHES_BESIDE_TRIALS
    assert costs.uploads <= result.nit
    assert (costs.ledger.fetches, costs.ledger.uploads) == (costs.reads, costs.uploads)
    assert costs.launches.total() <= LAUNCHES_PER_ITERATION * result.nit, costs.launches


@pytest.mark.backends("fakegpu")
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("name", OTHERS)
def test_other_methods_cost_one_fetch_per_trial_and_no_upload(backend, name, problem):
    costs = run(backend, problem, OTHERS[name], maxiter=LIMIT.get(name, 1000))
    result = costs.result
    assert result.success or result.nit == LIMIT[name], result.message
    assert costs.reads <= result.nfev + FETCHES_BESIDE_TRIALS
    assert costs.uploads == 0
    assert costs.ledger.fetches == costs.reads


@pytest.mark.backends("fakegpu")
def test_dense_bfgs_costs_one_fetch_per_trial_and_no_upload(backend):
    costs = run(backend, logistic, "bfgs")
    result = costs.result
    assert result.success, result.message
    assert costs.reads == costs.ledger.fetches == result.nfev
    assert costs.uploads == 0
    assert costs.launches.total() <= OF_DENSE_BFGS * result.nit, costs.launches


@pytest.mark.backends("dask")
@pytest.mark.parametrize("chunks", [2, 3])
@pytest.mark.parametrize("method", ["lbfgs", "cg", "gd"])
def test_dask_computes_once_per_trial_and_each_block_once(backend, method, chunks):
    import dask.array as da

    n, blocks = 30, []

    def half_square_and_slope(block: np.ndarray) -> np.ndarray:
        blocks.append(block.size)
        return np.stack([0.5 * block**2 + 0.25 * block**4, block + block**3])

    weights = da.from_array(np.geomspace(1.0, 4.0, n), chunks=n // chunks)

    def fun(x: Any) -> tuple[Any, Any]:
        shape = {"new_axis": 0, "chunks": ((2,), x.chunks[0]), "meta": np.empty((2, 0))}
        both = da.map_blocks(half_square_and_slope, x, **shape)
        return weights @ both[0], weights * both[1]

    x0 = da.from_array(np.ones(n), chunks=n // chunks)
    with backend.fetches() as computes:
        result = hessx.minimize(fun, x0, jac=True, method=method, tol=1e-2)
    assert result.success, result.message
    assert computes.count <= result.nfev + FETCHES_BESIDE_TRIALS
    assert len(blocks) == chunks * result.nfev
    assert result.x.numblocks == (chunks,)
    norm = float(np.abs(np.asarray(result.jac)).max())
    assert norm <= 1e-2
    assert len(blocks) == chunks * result.nfev  # what is returned has been computed already
