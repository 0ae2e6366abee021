"""The names of stochastic methods, with the defaults of torch.optim where it has them."""

from __future__ import annotations

from functools import partial
from typing import Any

from hessx.rules import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    ByLeaf,
    DAdaptAdam,
    DAdaptSGD,
    DoG,
    Lion,
    Muon,
    NAdam,
    Prodigy,
    RAdam,
    RMSProp,
    Rule,
    SignSGD,
    TrustRatio,
)
from hessx.solvers._averages import ScheduleFree
from hessx.solvers._compositions import Method
from hessx.solvers._stochastic_compositions import sampled
from hessx.solvers._variance_reduction import SAGA, SARAH, SVRG

__all__ = ["STOCHASTIC"]


def _rmsprop(*, momentum: float = 0.0, **settings: Any) -> list[Rule]:
    first: list[Rule] = [RMSProp(**settings)]
    return [*first, SGD(momentum)] if momentum else first


def _muon(**settings: Any) -> Rule:
    return ByLeaf(matrices=[Muon(**settings)], others=[Adam()])


_SGD = ("momentum", "dampening", "nesterov")
_ADAM = ("beta1", "beta2", "eps")


STOCHASTIC: dict[str, Method] = {
    "sgd": sampled(SGD, *_SGD),
    "momentum": sampled(partial(SGD, momentum=0.9), *_SGD),
    "nesterov": sampled(partial(SGD, momentum=0.9, nesterov=True), *_SGD),
    "signsgd": sampled(SignSGD),
    "lion": sampled(Lion, "beta1", "beta2", rate=1e-4, decoupled=True),
    "adagrad": sampled(Adagrad, "eps", "initial", rate=1e-2),
    "rmsprop": sampled(_rmsprop, "beta", "eps", "centred", "momentum", rate=1e-2),
    "lamb": sampled(partial(Adam, eps=1e-6), *_ADAM, decoupled=True, last=[TrustRatio()]),
    "adadelta": sampled(Adadelta, "beta", "eps", rate=1.0),
    "adam": sampled(Adam, *_ADAM, "amsgrad"),
    "adamw": sampled(Adam, *_ADAM, "amsgrad", decay=1e-2, decoupled=True),
    "amsgrad": sampled(partial(Adam, amsgrad=True), *_ADAM),
    "nadam": sampled(NAdam, *_ADAM, "psi", rate=2e-3),
    "radam": sampled(RAdam, *_ADAM),
    "adamax": sampled(Adamax, *_ADAM, rate=2e-3),
    "muon": sampled(_muon, "beta", "nesterov", "iterations", "outputs", decay=0.1, decoupled=True),
    "dog": sampled(DoG, "share", "eps", rate=1.0),
    "prodigy": sampled(
        Prodigy, *_ADAM, "beta3", "d0", "coefficient", "bias_correction", rate=1.0, decoupled=True
    ),
    "dadapt-sgd": sampled(DAdaptSGD, "momentum", "d0", "growth", rate=1.0),
    "dadapt-adam": sampled(
        DAdaptAdam, *_ADAM, "d0", "growth", "bias_correction", rate=1.0, decoupled=True
    ),
    "schedule-free": sampled(
        partial(Adam, beta1=0.0), "beta2", "eps", decoupled=True, average=ScheduleFree()
    ),
    "svrg": sampled(SGD, *_SGD, rate=1e-2, estimate=SVRG()),
    "saga": sampled(SGD, *_SGD, rate=1e-2, estimate=SAGA()),
    "sarah": sampled(SGD, *_SGD, rate=1e-2, estimate=SARAH()),
}
