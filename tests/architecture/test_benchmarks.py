"""The benchmarks of the approximations: all of them, and what they measure is no skipped pair."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import hessx

FOLDER = Path(__file__).parents[2] / "asv_benchmarks"


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("benchmarks.approximations")


def test_every_approximation_is_measured(module):
    exported = [getattr(hessx, name) for name in hessx.__all__]
    family = {
        kind
        for kind in exported
        if isinstance(kind, type) and issubclass(kind, hessx.Approximation)
    }
    names = ("sampled", "least_squares", "structured")
    others = [importlib.import_module(f"benchmarks.{name}") for name in names]
    made = {type(settings) for part in (module, *others) for settings in part.SETTINGS.values()}
    assert made == family - {hessx.Approximation}


def test_every_pair_is_learnt(module):
    for kind in module.LEARNING:
        work = module.Work("numpy", kind, module.WARM)
        curvature = work.taught()
        for _ in range(3):
            assert work.lessons.teach(curvature) == "", kind
            work.apply(curvature)


def test_an_epoch_on_samples_is_one_fetch(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    stochastic = importlib.import_module("benchmarks.stochastic")
    for kind in stochastic.SETTINGS:
        doors = stochastic.Doors()
        doors.setup("numpy", kind)
        assert doors.track_fetches_per_epoch() == 1, kind
