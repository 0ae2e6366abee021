"""The names of stochastic methods that learn of the Hessian, with the defaults of their authors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from hessx.hessians import EKFAC, KFAC, LBFGS, SOAP, Fisher, NewtonSketch, Shampoo
from hessx.rules import (
    SQN,
    AdaHessian,
    Preconditioned,
    Rule,
    SophiaG,
    SophiaH,
    SubsampledNewton,
)
from hessx.solvers._compositions import Method
from hessx.solvers._pair_estimates import MultiBatch, RepeatedSample
from hessx.solvers._stochastic_compositions import sampled

__all__ = ["SECOND_ORDER"]

_APPROXIMATION = {"beta2": "beta", "decompose_every": "every", "sketch_size": "size"}
_LESSONS = ("every", "fresh")
_MEAN = ("beta1", "corrected")
_SOPHIA = (*_MEAN, "beta2", "gamma", "eps", "limit", *_LESSONS)
_LAYERS = (*_MEAN, *_LESSONS, "beta2", "damping", "decompose_every", "labels")


def _around(kind: Any, beta1: float = 0.0, lessons: tuple[str, ...] = ()) -> Callable[..., Rule]:
    """Give what makes an approximation, and the rule around it, of the options of both."""

    def chain(*, beta1: float = beta1, corrected: bool = True, **given: Any) -> Rule:
        taught = {name: given.pop(name) for name in lessons if name in given}
        settings = {_APPROXIMATION.get(name, name): value for name, value in given.items()}
        return Preconditioned(kind(**settings), beta1, corrected=corrected, **taught)

    return chain


def _lbfgs(*, maxcor: int = 10, **settings: Any) -> Rule:
    return Preconditioned(LBFGS(memory=maxcor, **settings), beta=0.0)


def _sqn(*, maxcor: int = 10, **settings: Any) -> Rule:
    return SQN(approximation=LBFGS(memory=maxcor), **settings)


def _newton_cg(*, max_inner: int = 10, **settings: Any) -> Rule:
    return SubsampledNewton(max_inner, **settings)


SECOND_ORDER: dict[str, Method] = {
    "adahessian": sampled(
        AdaHessian, "beta1", "beta2", "eps", "power", "spatial", *_LESSONS,
        rate=0.15, decoupled=True,
    ),
    "sophia-h": sampled(SophiaH, *_SOPHIA, decoupled=True),
    "sophia-g": sampled(SophiaG, *_SOPHIA, decoupled=True),
    "shampoo": sampled(
        _around(Shampoo, 0.9), *_MEAN, "beta2", "power", "epsilon", "every", "max_size", "graft",
        rate=1e-1,
    ),
    "soap": sampled(
        _around(SOAP, 0.95), *_MEAN, "beta2", "factor_beta", "eps", "every", "max_size",
        rate=3e-3, decoupled=True,
    ),
    "kfac": sampled(_around(partial(KFAC, damping=0.01), 0.9, _LESSONS), *_LAYERS, rate=0.1),
    "ekfac": sampled(_around(partial(EKFAC, damping=0.01), 0.9, _LESSONS), *_LAYERS, rate=0.03),
    "fisher": sampled(
        _around(Fisher, 0.0, _LESSONS), *_MEAN, *_LESSONS, "damping", "labels", rate=1e-1
    ),
    "olbfgs": sampled(
        _lbfgs, "maxcor", "hess_inv0", rate=1e-1, estimate=RepeatedSample(), estimating=("damping",)
    ),
    "multibatch-lbfgs": sampled(
        _lbfgs, "maxcor", "hess_inv0",
        rate=1e-1, estimate=MultiBatch(), estimating=("overlap", "damping"),
    ),
    "sqn": sampled(_sqn, "maxcor", *_LESSONS, rate=1e-1),
    "subsampled-newton-cg": sampled(
        partial(_newton_cg, fresh=True), "max_inner", "forcing", "fresh",
        rate=1.0, batch_size="full",
    ),
    "newton-sketch": sampled(
        _around(NewtonSketch, 0.0, _LESSONS), *_MEAN, *_LESSONS, "sketch_size", "kind", "damping",
        rate=1.0, batch_size="full",
    ),
}  # fmt: skip
