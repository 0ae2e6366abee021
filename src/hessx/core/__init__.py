"""Contracts, requests and replies, outcomes, stopping, results, history."""

from hessx.core._contracts import Point, Solver, SolverState, new_record
from hessx.core._messages import Counts, Reply, Request
from hessx.core._outcome import Outcome
from hessx.core._result import Result
from hessx.core._scale import positive_vector
from hessx.core._settings import SettingsError, check_integer, check_real
from hessx.core._stopping import Stopping
from hessx.core._trace import History, Record
from hessx.core._watch import Watch

__all__ = [
    "Counts",
    "History",
    "Outcome",
    "Point",
    "Record",
    "Reply",
    "Request",
    "Result",
    "SettingsError",
    "Solver",
    "SolverState",
    "Stopping",
    "Watch",
    "check_integer",
    "check_real",
    "new_record",
    "positive_vector",
]
