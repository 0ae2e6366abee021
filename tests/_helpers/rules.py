"""Every rule, in the compositions that the contract suites ask."""

from __future__ import annotations

from typing import Any

import hessx
import hessx.rules as r

__all__ = ["ENTRIES", "RULES"]

# Joined on entries: these run in blocks on NumPy, and as one kernel on CuPy.
ENTRIES: dict[str, Any] = {
    "sgd": r.SGD(),
    "momentum": r.SGD(0.9),
    "dampened": r.SGD(0.9, 0.5),
    "nesterov": r.SGD(0.9, nesterov=True),
    "sign": r.SignSGD(),
    "lion": [r.Lion(), r.Decay(0.1)],
    "adagrad": r.Adagrad(),
    "rmsprop": r.RMSProp(),
    "centred": [r.RMSProp(eps=1e-3, centred=True), r.SGD(0.9)],
    "adadelta": r.Adadelta(),
    "adam": r.Adam(),
    "adamw": [r.Adam(), r.Decay(0.1)],
    "amsgrad": r.Adam(amsgrad=True),
    "adamax": r.Adamax(),
    "nadam": r.NAdam(),
    "radam": r.RAdam(),
    "clipped": [r.ClipNorm(0.5), r.ClipValue(0.1), r.Decay(0.1), r.SGD(0.9)],
    "dog": r.DoG(1e-2),
    "prodigy": r.Prodigy(d0=1e-3),
    "d-adapted sgd": r.DAdaptSGD(0.5, 1e-3, 1.5),
    "d-adapted adam": r.DAdaptAdam(d0=1e-3),
    "adahessian": r.AdaHessian(eps=0.1),
    "sophia": r.SophiaH(eps=0.1, corrected=True),
}
RULES: dict[str, Any] = {
    **ENTRIES,
    "lamb": [r.Adam(eps=1e-6), r.Decay(0.1), r.TrustRatio()],
    "shampoo": [r.Preconditioned(hessx.Shampoo(epsilon=0.1)), r.Decay(0.1)],
    "muon": r.ByLeaf([r.Muon(), r.Decay(0.1)], r.Adam()),
}
