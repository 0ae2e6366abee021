"""Methods that see samples, by name: what they are, and the rates that suit the ten digits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
    """A rule, or an estimate, around steps of a rate.

    Attributes
    ----------
    name, title : str
        That of the front door, or of the chain; for the report.
    rate : float
        One that suits the ten digits; `hessx.tune_runs` looks for others around it.
    chain : callable, optional
        Makes the rules of a composition; without it the front door knows the name.
    """

    name: str
    title: str
    rate: float
    chain: Callable[[], Sequence[hessx.Rule]] | None = None

    def run(
        self, loss: Any, x0: Any, *, epochs: int, rate: float | None = None, **more: Any
    ) -> Any:
        """Minimise a finite sum for so many epochs; ``more`` is for ``hessx.minimize``."""
        settings: dict[str, Any] = {"epochs": epochs, "batch_size": BATCH}
        rate = self.rate if rate is None else rate
        if self.chain is None:
            options = {"rate": rate} | settings | more.pop("options", {})
            return hessx.minimize(loss, x0, method=self.name, options=options, **more)
        method = hessx.StochasticMethod(self.chain(), rate, **settings)
        return hessx.minimize(loss, x0, method=method, **more)


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


def _learning(
    approximation: hessx.Approximation, **lessons: Any
) -> Callable[[], Sequence[hessx.Rule]]:
    return lambda: [hessx.Preconditioned(approximation, **lessons)]


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
        Sampled("saga", "SAGA", 0.5),
        Sampled("sarah", "SARAH", 0.5),
        Sampled("adahessian", "AdaHessian", 0.1, lambda: [hessx.AdaHessian()]),
        Sampled("sophia-h", "Sophia-H", 0.01, lambda: [hessx.SophiaH()]),
        Sampled("sophia-g", "Sophia-G", 0.01, lambda: [hessx.SophiaG()]),
        Sampled("shampoo", "Shampoo", 0.3, _learning(hessx.Shampoo())),
        Sampled("soap", "SOAP", 0.02, _learning(hessx.SOAP())),
        Sampled("kfac", "K-FAC", 0.1, _learning(hessx.KFAC(), every=5)),
        Sampled("ekfac", "EK-FAC", 0.01, _learning(hessx.EKFAC(), every=5)),
        Sampled("fisher", "empirical Fisher matrix", 1e-3, _learning(hessx.Fisher())),
    )
}
