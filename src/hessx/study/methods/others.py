"""Others' methods, each where its package is installed."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from hessx.study.methods.makers import LONG_N
from hessx.study.methods.method import Method, family
from hessx.study.peers import (
    LARGEST_N,
    bind_fides,
    bind_optax,
    bind_optimistix,
    bind_scipy,
    bind_scipy_squares,
    bind_torch_optim,
    bind_torchmin,
)
from hessx.study.posed import Known

__all__ = ["OTHERS", "scipy_method"]

_COMPILED_N = 1000  # where JAX calls back: a call takes tenths of a millisecond


def _peer(name: str, title: str, bind: Any, package: str, peer_of: str, **more: Any) -> Method:
    more = {"backends": ("numpy",), "usual_backends": ("numpy",), **more}
    return Method(name, title, bind, package=package, peer_of=peer_of, **more)


def scipy_method(name: str, title: str, method: str, usual_n: float = math.inf) -> Method:
    """Take a method of `scipy.optimize.minimize`."""
    largest = LARGEST_N.get(method.lower(), math.inf)
    bind = partial(bind_scipy, method)
    return _peer(name, title, bind, "scipy", "SciPy", largest_n=largest, usual_n=usual_n)


def _squares(name: str, title: str, method: str) -> Method:
    bind = partial(bind_scipy_squares, method)
    more = {"needs": Known.RESIDUAL, "usual_n": LONG_N}
    return _peer(name, title, bind, "scipy", "SciPy", **more)


def _torch(name: str, title: str, optimizer: str, rate: float | None = None, **more: Any) -> Method:
    settings = more if rate is None else {"rate": rate, **more}
    bind = partial(bind_torch_optim, optimizer, settings)
    return _peer(name, title, bind, "torch", "torch.optim", rate=rate)


def _torchmin(name: str, title: str, method: str, usual_n: float = math.inf) -> Method:
    bind = partial(bind_torchmin, method)
    return _peer(name, title, bind, "torchmin", "pytorch-minimize", usual_n=usual_n)


def _optax(name: str, title: str, rule: str, rate: float | None = None) -> Method:
    bind = partial(bind_optax, rule, {} if rate is None else {"rate": rate})
    return _peer(name, title, bind, "optax", "optax", rate=rate, usual_n=_COMPILED_N)


def _optimistix(name: str, title: str, solver: str) -> Method:
    bind = partial(bind_optimistix, solver)
    return _peer(name, title, bind, "optimistix", "optimistix", usual_n=LONG_N)


def _fides(name: str, title: str, update: str) -> Method:
    bind = partial(bind_fides, update)
    return _peer(name, title, bind, "fides", "fides", usual_n=LONG_N)


OTHERS = family(
    "peer",
    scipy_method("scipy-cg", "SciPy CG", "CG"),
    scipy_method("scipy-lbfgsb", "SciPy L-BFGS-B, memory 10", "L-BFGS-B"),
    scipy_method("scipy-bfgs", "SciPy BFGS", "BFGS"),
    scipy_method("scipy-newton-cg", "SciPy Newton-CG", "Newton-CG"),
    scipy_method("scipy-trust-ncg", "SciPy trust-ncg", "trust-ncg"),
    scipy_method("scipy-trust-krylov", "SciPy trust-krylov", "trust-krylov"),
    scipy_method("scipy-trust-exact", "SciPy trust-exact", "trust-exact", LONG_N),
    scipy_method("scipy-dogleg", "SciPy dogleg", "dogleg", LONG_N),
    _squares("scipy-trf", "SciPy least_squares, trf", "trf"),
    _squares("scipy-lm", "SciPy least_squares, MINPACK lm", "lm"),
    _torch(
        "torch-lbfgs", "torch.optim LBFGS, strong Wolfe, memory 10", "LBFGS",
        line_search_fn="strong_wolfe", history_size=10, tolerance_grad=0.0, tolerance_change=0.0,
    ),
    _torch("torch-sgd", "torch.optim SGD, momentum, whole gradient", "SGD", 1e-2, momentum=0.9),
    _torch("torch-adam", "torch.optim Adam, whole gradient", "Adam", 1e-2),
    _torchmin("torchmin-lbfgs", "pytorch-minimize l-bfgs", "l-bfgs"),
    _torchmin("torchmin-bfgs", "pytorch-minimize bfgs", "bfgs", LONG_N),
    _torchmin("torchmin-newton-cg", "pytorch-minimize newton-cg", "newton-cg"),
    _torchmin("torchmin-trust-ncg", "pytorch-minimize trust-ncg", "trust-ncg"),
    _optax("optax-lbfgs", "optax lbfgs, zoom, memory 10", "lbfgs"),
    _optax("optax-adam", "optax adam, whole gradient", "adam", 1e-2),
    _optimistix("optimistix-bfgs", "optimistix BFGS", "BFGS"),
    _optimistix("optimistix-cg", "optimistix NonlinearCG", "NonlinearCG"),
    _fides("fides-exact", "fides, exact Hessian", ""),
    _fides("fides-bfgs", "fides, BFGS", "BFGS"),
)  # fmt: skip
