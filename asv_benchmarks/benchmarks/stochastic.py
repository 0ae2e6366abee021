"""Steps of methods that see samples, on a perceptron: time, fetches, and launches of a GPU."""

from __future__ import annotations

from typing import Any

import numpy as np

import hessx
from benchmarks.libraries import EAGER, library
from hessx._xp import record_fetches
from hessx.models import Perceptron
from hessx.study.backends import Backend

BATCH, PER_EPOCH = 64, 20

SETTINGS: dict[str, dict[str, Any]] = {
    "momentum": {"rules": [hessx.SGD(0.9)]},
    "adam": {"rules": [hessx.Adam()]},
    "svrg": {"rules": [hessx.SGD()], "estimate": hessx.SVRG()},
    "soap": {"rules": [hessx.Preconditioned(hessx.SOAP())]},
    "kfac": {"rules": [hessx.Preconditioned(hessx.KFAC(every=10))]},
}


class Training:
    """A perceptron of 64, 64, 32 and 10 units on random rows, 20 batches of 64 to an epoch."""

    def __init__(self, backend: Backend) -> None:
        rng = np.random.default_rng(7)
        X = backend.asarray(rng.standard_normal((BATCH * PER_EPOCH, 64)))
        y = backend.asarray(rng.integers(0, 10, BATCH * PER_EPOCH))
        model = Perceptron(X, y, layers=(64, 32), classes=10)
        self.loss, self.x0 = hessx.FiniteSum(model), model.start(0)

    def run(self, kind: str, epochs: int) -> hessx.Result:
        """Train for so many epochs."""
        method = hessx.StochasticMethod(
            rate=1e-3, batch_size=BATCH, epochs=epochs, **SETTINGS[kind]
        )
        return hessx.minimize(self.loss, self.x0, method=method)


class Steps:
    """Time of an epoch, with what a run has at its start and at its end."""

    params = (EAGER, list(SETTINGS))
    param_names = ("library", "method")

    def setup(self, name: str, kind: str) -> None:
        self.training = Training(library(name))

    def time_20_steps(self, name: str, kind: str) -> None:
        self.training.run(kind, 1)


class Doors:
    """What passes between host and device in an epoch: a report, and the seeds of lessons.

    The order of the rows has been uploaded before.
    """

    params = (["numpy"], list(SETTINGS))
    param_names = ("library", "method")

    def setup(self, name: str, kind: str) -> None:
        training, found = Training(library(name)), []
        for epochs in (2, 3):  # after one x0 may be looked at again
            with record_fetches() as ledger:
                training.run(kind, epochs)
            found.append((ledger.fetches, ledger.uploads))
        self.fetches, self.uploads = (b - a for a, b in zip(*found, strict=True))

    def track_fetches_per_epoch(self, *_: Any) -> int:
        return self.fetches

    def track_uploads_per_epoch(self, *_: Any) -> int:
        return self.uploads

    track_fetches_per_epoch.unit = "fetches"
    track_uploads_per_epoch.unit = "uploads"


class Launched:
    """Kernels that a GPU would launch for a step, the model's among them, counted with PyTorch."""

    params = (list(SETTINGS),)
    param_names = ("method",)

    def setup(self, kind: str) -> None:
        training, found = Training(library("torch")), []
        from benchmarks.launches import Launches

        for epochs in (1, 2):
            launches = Launches()
            with launches:
                training.run(kind, epochs)
            found.append(launches.count)
        self.launches = (found[1] - found[0]) / PER_EPOCH

    def track_launches_per_step(self, *_: Any) -> float:
        return self.launches

    track_launches_per_step.unit = "launches"
