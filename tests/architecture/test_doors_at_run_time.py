"""Device values reach the host through `hessx._xp.fetch` alone: the half that only runs show.

The ledger of the doors must equal what the device itself counts.
"""

from __future__ import annotations

import pytest

from _helpers.runs import RUNS
from hessx import _xp

# Arrays that the user hands over on the host, or that are set up once before a run.
ON_ENTRY = (_xp.like, _xp.to_host)
READS_ON_ENTRY = {"exact inverse", "warm start", "diagonal start", "array x_scale"}


@pytest.mark.backends("fakegpu")
@pytest.mark.parametrize("name", RUNS)
def test_the_host_waits_at_the_doors_only(backend, name):
    meter = backend.meter
    x0 = backend.asarray([0.0])  # a first upload, outside the count
    with meter.forbid_waits(_xp.fetch, _xp.upload, type(backend).asarray, *ON_ENTRY):
        result = RUNS[name](backend)
    backend.assert_same_kind(result.jac, result.x)
    assert result.x.device == x0.device


@pytest.mark.backends("fakegpu")
@pytest.mark.parametrize("name", sorted(RUNS.keys() - READS_ON_ENTRY))
def test_the_ledger_is_what_the_device_counts(backend, name):
    with backend.meter.tally() as tally, _xp.record_fetches() as ledger:
        RUNS[name](backend)
    made_by_the_test = 1  # x0
    assert ledger.fetches == tally.reads.total()
    assert ledger.uploads + made_by_the_test == tally.uploads.total()


@pytest.mark.backends("dask")
@pytest.mark.parametrize("name", ["lbfgs", "cg", "gd", "damped", "2-point", "observed"])
def test_one_compute_per_fetch(backend, name):
    with backend.fetches() as computes, _xp.record_fetches() as ledger:
        RUNS[name](backend)
    assert computes.count == ledger.fetches
