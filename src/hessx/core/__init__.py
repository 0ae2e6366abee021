"""Contracts, requests and replies, outcomes, stopping, results, history."""

from hessx.core._contracts import Point, Solver, SolverState, new_record
from hessx.core._frame import Frame
from hessx.core._kinds import EVIDENCE, Learns, Offer, Wants
from hessx.core._layer_factors import LayerFactors
from hessx.core._messages import EXACT, Counts, Oracle, Precision, Reply, Request
from hessx.core._outcome import Outcome
from hessx.core._pair import Pair, PairRing
from hessx.core._restraints import Ball, Cubic, Damped, Free, Restraint
from hessx.core._result import Result
from hessx.core._sample import Order, Sample
from hessx.core._saved import saved
from hessx.core._scale import positive_vector
from hessx.core._settings import (
    OptionWarning,
    SettingsError,
    check_flag,
    check_integer,
    check_limit,
    check_object,
    check_part,
    check_real,
    store_choice,
    store_integer,
    store_real,
)
from hessx.core._stopping import Stopping
from hessx.core._trace import History, Record
from hessx.core._watch import Watch
from hessx.core.persistence import (
    Checkpoint,
    CheckpointError,
    as_checkpoint,
    checkpoint_of,
    load,
    packed,
    save,
)

__all__ = [
    "EVIDENCE",
    "EXACT",
    "Ball",
    "Checkpoint",
    "CheckpointError",
    "Counts",
    "Cubic",
    "Damped",
    "Frame",
    "Free",
    "History",
    "LayerFactors",
    "Learns",
    "Offer",
    "OptionWarning",
    "Oracle",
    "Order",
    "Outcome",
    "Pair",
    "PairRing",
    "Point",
    "Precision",
    "Record",
    "Reply",
    "Request",
    "Restraint",
    "Result",
    "Sample",
    "SettingsError",
    "Solver",
    "SolverState",
    "Stopping",
    "Wants",
    "Watch",
    "as_checkpoint",
    "check_flag",
    "check_integer",
    "check_limit",
    "check_object",
    "check_part",
    "check_real",
    "checkpoint_of",
    "load",
    "new_record",
    "packed",
    "positive_vector",
    "save",
    "saved",
    "store_choice",
    "store_integer",
    "store_real",
]
