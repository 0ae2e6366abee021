"""Methods that see samples, by name: what they are, and the rates that suit the ten digits."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import hessx
from hessx._xp import fetch, norm_inf, space_of
from hessx.core import Record
from hessx.study.metering import Meter
from hessx.study.running import Solve

__all__ = ["BATCH", "SAMPLED", "Sampled", "bind_sampled"]

BATCH = 64  # rows of a sample
_EPOCHS = 3  # of a run of the study


@dataclass(frozen=True)
class Sampled:
    """A method of the front door that takes steps of given rates.

    Attributes
    ----------
    name, title : str
        That of the front door; for the report.
    rate : float
        One that suits the ten digits; `hessx.tune_runs` looks for others around it.
    options : dict
        Of the method, beyond its rate, epochs and batches.
    """

    name: str
    title: str
    rate: float
    options: dict[str, Any] = field(default_factory=dict)

    def run(
        self,
        loss: Any,
        x0: Any,
        *,
        epochs: int,
        rate: float | None = None,
        seed: int = 0,
        **more: Any,
    ) -> Any:
        """Minimise a finite sum for so many epochs; ``more`` is for ``hessx.minimize``."""
        rate = self.rate if rate is None else rate
        options = {"rate": rate, "epochs": epochs, "batch_size": BATCH, "seed": seed} | self.options
        return hessx.minimize(loss, x0, method=self.name, options=options, **more)


def bind_sampled(rule: Sampled, meter: Meter, options: Mapping[str, Any]) -> Solve:
    """Bind a rule to the sum of a metered problem; its epochs are few.

    The history has the loss of all rows after each epoch, which no count knows of, and for
    evaluations the passes over the rows that are at an end.
    """
    classes = meter.problem.classes
    if classes is None:
        msg = f"{rule.name} sees samples, and the problem is no sum over rows"
        raise ValueError(msg)
    loss, space = classes.loss(), space_of(classes.x0)
    epochs = {"epochs": _EPOCHS} | dict(options)

    def solve(*, gtol: float, seconds: float, **_: int) -> Any:
        began, history = time.perf_counter(), hessx.History()

        def write(intermediate_result: Any) -> None:
            elapsed = time.perf_counter() - began
            value, grad = classes.model(intermediate_result.x)
            (f, size), _ = fetch(space, [value, norm_inf(space, space.flat(grad))])
            passes = loss.counts.rows // loss.N
            history.append(Record(intermediate_result.nit, passes, elapsed, f, size))

        try:
            write(SimpleNamespace(x=classes.x0, nit=0))
            x0 = space.shaped(meter.problem.x0)
            result = rule.run(loss, x0, tol=gtol, max_seconds=seconds, callback=write, **epochs)
        finally:
            meter.take(loss.counts, loss.N)
        result.x, result.history = space.flat(result.x), history
        return result

    return solve


SAMPLED: dict[str, Sampled] = {
    rule.name: rule
    for rule in (
        Sampled("sgd", "SGD", 1.0),
        Sampled("momentum", "SGD, momentum", 0.2),
        Sampled("nesterov", "SGD, Nesterov's momentum", 0.2),
        Sampled("signsgd", "SGD, signs", 3e-3),
        Sampled("lion", "Lion", 3e-3),
        Sampled("adagrad", "Adagrad", 0.1),
        Sampled("rmsprop", "RMSProp", 0.01),
        Sampled("adadelta", "Adadelta", 10.0),
        Sampled("adam", "Adam", 0.02),
        Sampled("adamw", "AdamW", 0.02),
        Sampled("amsgrad", "AMSGrad", 0.02),
        Sampled("nadam", "NAdam", 0.02),
        Sampled("radam", "RAdam", 0.03),
        Sampled("adamax", "Adamax", 0.03),
        Sampled("lamb", "LAMB", 0.03),
        Sampled("muon", "Muon", 0.03),
        Sampled("dog", "DoG", 1.0),
        Sampled("prodigy", "Prodigy", 1.0),
        Sampled("dadapt-sgd", "D-adapted SGD", 1.0),
        Sampled("dadapt-adam", "D-adapted Adam", 1.0),
        Sampled("schedule-free", "schedule-free AdamW", 0.03),
        Sampled("svrg", "SVRG", 1.0),
        Sampled("saga", "SAGA", 1.0),
        Sampled("sarah", "SARAH", 0.5),
        Sampled("adahessian", "AdaHessian", 0.1),
        Sampled("sophia-h", "Sophia-H", 0.01),
        Sampled("sophia-g", "Sophia-G", 0.01),
        Sampled("shampoo", "Shampoo", 0.3),
        Sampled("soap", "SOAP", 0.02),
        Sampled("kfac", "K-FAC", 0.1, {"every": 5}),
        Sampled("ekfac", "EK-FAC", 0.03, {"every": 5}),
        Sampled("fisher", "empirical Fisher matrix", 1e-3, {"beta1": 0.9}),
        Sampled("olbfgs", "online L-BFGS", 0.1),
        Sampled("multibatch-lbfgs", "multi-batch L-BFGS", 0.1),
        Sampled("sqn", "stochastic quasi-Newton", 0.1),
        Sampled("subsampled-newton-cg", "sub-sampled Newton-CG", 1.0, {"batch_size": "full"}),
    )
}
