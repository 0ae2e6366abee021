"""Methods, the driver, and the front door."""

from hessx.solvers._ask_tell import AskTell
from hessx.solvers._driver import drive
from hessx.solvers._line_search_method import LineSearchMethod
from hessx.solvers._line_search_state import LineSearchState
from hessx.solvers._methods import known_methods
from hessx.solvers._minimize import minimize
from hessx.solvers._observers import Observers
from hessx.solvers._run import Run
from hessx.solvers._trials import Trial, Tuning
from hessx.solvers._trust_region_method import TrustRegionMethod
from hessx.solvers._trust_region_state import TrustRegionState
from hessx.solvers._tune import tune, tune_runs

__all__ = [
    "AskTell",
    "LineSearchMethod",
    "LineSearchState",
    "Observers",
    "Run",
    "Trial",
    "TrustRegionMethod",
    "TrustRegionState",
    "Tuning",
    "drive",
    "known_methods",
    "minimize",
    "tune",
    "tune_runs",
]
