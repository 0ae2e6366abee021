"""Rules of first order: what they make of a gradient, alone and in a chain."""

from hessx.rules._adagrad import Adadelta, Adagrad, RMSProp
from hessx.rules._adam import Adam, Adamax
from hessx.rules._around import ClipNorm, ClipValue, Decay, TrustRatio
from hessx.rules._by_leaf import ByLeaf
from hessx.rules._chain import Chain, as_rules
from hessx.rules._d_adaptation import DAdaptAdam, DAdaptSGD
from hessx.rules._diagonal_hessian import AdaHessian
from hessx.rules._free import DoG, Prodigy
from hessx.rules._momentum import SGD, Lion, SignSGD
from hessx.rules._muon import Muon
from hessx.rules._nadam_radam import NAdam, RAdam
from hessx.rules._preconditioned import Preconditioned
from hessx.rules._rates import (
    DeviceRate,
    Hypergradient,
    HypergradientRate,
    LiveRate,
    PolyakRate,
    PolyakRates,
)
from hessx.rules._rule import Rule
from hessx.rules._scheduled import Scheduled, ScheduledPart
from hessx.rules._sophia import SophiaG, SophiaH
from hessx.rules._sqn import SQN, SQNPart
from hessx.rules._subsampled_newton import SubsampledNewton, SubsampledNewtonPart

__all__ = [
    "SGD",
    "SQN",
    "AdaHessian",
    "Adadelta",
    "Adagrad",
    "Adam",
    "Adamax",
    "ByLeaf",
    "Chain",
    "ClipNorm",
    "ClipValue",
    "DAdaptAdam",
    "DAdaptSGD",
    "Decay",
    "DeviceRate",
    "DoG",
    "Hypergradient",
    "HypergradientRate",
    "Lion",
    "LiveRate",
    "Muon",
    "NAdam",
    "PolyakRate",
    "PolyakRates",
    "Preconditioned",
    "Prodigy",
    "RAdam",
    "RMSProp",
    "Rule",
    "SQNPart",
    "Scheduled",
    "ScheduledPart",
    "SignSGD",
    "SophiaG",
    "SophiaH",
    "SubsampledNewton",
    "SubsampledNewtonPart",
    "TrustRatio",
    "as_rules",
]
