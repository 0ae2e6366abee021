"""What Newton's method asks of a device: a fetch per product, fewer with check_every.

Launches inside the objective and its products are counted apart.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import hessx
from _helpers.runs import PRODUCTS, chained_rosenbrock
from hessx import _xp
from hessx.models import LogisticRegression

CONSTANT = 4
METHODS = ["newton-cg", "trust-ncg"]
methods = pytest.mark.parametrize("method", METHODS)


@dataclass
class Costs:
    """A run, and what it cost outside of the objective and its products."""

    result: Any
    reads: int
    uploads: int
    launches: int
    solves: int


def logistic(backend: Any, N: int, n: int) -> tuple[Any, Any, np.ndarray]:
    """Two classes that overlap."""
    rng = np.random.default_rng(7)
    X, noise = rng.standard_normal((N, n)), rng.standard_normal(N)
    y = X @ rng.standard_normal(n) + 2.0 * noise > 0.0
    model = LogisticRegression(backend.asarray(X), backend.asarray(y), l2=1e-3)
    return model, lambda x: model.hessian(x).matvec, np.zeros(n + 1)


def rosenbrock(backend: Any) -> tuple[Any, Any, np.ndarray]:
    """A chained Rosenbrock function of 20 variables: negative curvature and rejected steps."""
    product = PRODUCTS[chained_rosenbrock]
    return chained_rosenbrock, lambda x: lambda v: product(x, v), np.tile([-1.2, 1.0], 10)


def run(backend: Any, problem: Any, method: str, **options: Any) -> Costs:
    fun, products_at, start = problem
    meter, inside, solves = backend.meter, Counter(), []
    x0 = backend.asarray(start)

    def counted(part: Any) -> Any:
        def call(x: Any) -> Any:
            with meter.tally() as tally, meter.forbid_waits():
                answer = part(x)
            inside.update(tally.launches)
            return answer

        return call

    def hess(x: Any) -> Any:
        solves.append(1)
        return counted(counted(products_at)(x))

    with (
        meter.tally() as tally,
        _xp.record_fetches() as ledger,
        meter.forbid_waits(_xp.fetch, _xp.upload),
    ):
        result = hessx.minimize(
            counted(fun), x0, jac=True, hess=hess, method=method, options=options
        )
    assert (ledger.fetches, ledger.uploads) == (tally.reads.total(), tally.uploads.total())
    launches = tally.launches.total() - inside.total()
    return Costs(result, ledger.fetches, ledger.uploads, launches, len(solves))


@methods
@pytest.mark.backends("fakegpu")
@pytest.mark.parametrize("problem", ["logistic", "rosenbrock"])
def test_a_fetch_per_product_and_one_per_trial(backend, method, problem):
    posed = logistic(backend, 200, 20) if problem == "logistic" else rosenbrock(backend)
    costs = run(backend, posed, method)
    result = costs.result
    assert result.success, result.message
    bends = 0 if problem == "logistic" else costs.solves  # where negative curvature is confirmed
    assert costs.reads <= result.nhev + result.nfev + CONSTANT + bends
    assert costs.uploads <= CONSTANT


TIGHT = hessx.Forcing(ceiling=1e-4, floor=1e-4, last_floor=1e-4)


@methods
@pytest.mark.backends("fakegpu")
@pytest.mark.parametrize("forcing", [None, TIGHT], ids=["default", "tight"])
def test_check_every_fetches_a_quarter(backend, method, forcing):
    """Logistic regression 2000 x 500: a quarter of a fetch per CG step and per trial point.

    Beside the run with check_every = 1 the fetch of a trial point remains, so that with the default
    forcing, a dozen products per solve, it is a quarter of what CG fetches there; with long solves
    of all fetches.
    """
    problem = logistic(backend, 2000, 500)
    settings = {"gtol": 1e-8, "forcing": forcing}
    one = run(backend, problem, method, **settings)
    many = run(backend, problem, method, check_every=8, **settings)
    for costs in (one, many):
        assert costs.result.success, costs.result.message
    np.testing.assert_allclose(
        backend.to_numpy(many.result.x), backend.to_numpy(one.result.x), atol=1e-4
    )
    steps = many.result.nhev + many.result.nfev + CONSTANT
    assert many.reads <= steps / 4, "a quarter of one per CG step and one per trial point"
    figures = [(c.reads, c.result.nhev, c.result.nfev, c.solves) for c in (one, many)]
    trials = [0, 0] if forcing else [one.result.nfev, many.result.nfev]
    assert many.reads - trials[1] <= (one.reads - trials[0]) / 4, figures
    assert many.result.nhev - one.result.nhev <= 7 * max(many.solves, one.solves), figures


@methods
@pytest.mark.parametrize(("check_every", "most"), [(1, 10), (2, 16), (8, 16)])
@pytest.mark.backends("fakegpu")
def test_launches_per_step_of_cg(backend, method, check_every, most):
    """What a longer solve costs more, by the products that it takes more."""
    problem = logistic(backend, 300, 100)
    settings = {"maxiter": 1, "gtol": 0.0, "check_every": check_every}
    tight = hessx.Forcing(ceiling=1e-13, floor=1e-13, last_floor=1e-13)
    if method == "trust-ncg":
        settings["initial_trust_radius"] = 1e6
    costs = [
        run(backend, problem, method, max_inner=limit, forcing=tight, **settings)
        for limit in (16, 48)
    ]
    more = costs[1].result.nhev - costs[0].result.nhev
    assert more >= 24
    assert (costs[1].launches - costs[0].launches) / more <= most


@methods
@pytest.mark.backends("dask")
def test_dask_computes_once_per_fetch(backend, method):
    fun, _, start = rosenbrock(backend)
    x0 = backend.asarray(start[:6])
    with backend.fetches() as computes, _xp.record_fetches() as ledger:
        result = hessx.minimize(
            fun, x0, jac=True, hessp=PRODUCTS[fun], method=method, options={"maxiter": 3}
        )
    assert computes.count == ledger.fetches
    assert computes.count <= result.nhev + result.nfev + CONSTANT
