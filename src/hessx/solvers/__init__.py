"""Methods, the driver, and the front door."""

from hessx.solvers._ask_tell import AskTell
from hessx.solvers._averages import Average, Exponential, Polyak, ScheduleFree
from hessx.solvers._curvature import curvature
from hessx.solvers._curvature_report import CurvatureReport
from hessx.solvers._driver import drive
from hessx.solvers._estimates import Accumulate, Estimate, OneBatch
from hessx.solvers._line_search_method import LineSearchMethod
from hessx.solvers._line_search_state import LineSearchState
from hessx.solvers._methods import choose_method, known_methods
from hessx.solvers._minimize import minimize
from hessx.solvers._observers import Observers
from hessx.solvers._pair_estimates import MultiBatch, RepeatedSample
from hessx.solvers._rate_range import RateRange, rate_range
from hessx.solvers._recommend import Recommendation, recommend
from hessx.solvers._reports import EarlyStopping, Report
from hessx.solvers._run import Run
from hessx.solvers._stochastic_method import StochasticMethod
from hessx.solvers._stochastic_state import StochasticState
from hessx.solvers._switch_method import SwitchMethod
from hessx.solvers._trials import Trial, Tuning
from hessx.solvers._trust_region_method import TrustRegionMethod
from hessx.solvers._trust_region_state import TrustRegionState
from hessx.solvers._tune import tune, tune_runs
from hessx.solvers._variance_reduction import SAGA, SARAH, SVRG

__all__ = [
    "SAGA",
    "SARAH",
    "SVRG",
    "Accumulate",
    "AskTell",
    "Average",
    "CurvatureReport",
    "EarlyStopping",
    "Estimate",
    "Exponential",
    "LineSearchMethod",
    "LineSearchState",
    "MultiBatch",
    "Observers",
    "OneBatch",
    "Polyak",
    "RateRange",
    "Recommendation",
    "RepeatedSample",
    "Report",
    "Run",
    "ScheduleFree",
    "StochasticMethod",
    "StochasticState",
    "SwitchMethod",
    "Trial",
    "TrustRegionMethod",
    "TrustRegionState",
    "Tuning",
    "choose_method",
    "curvature",
    "drive",
    "known_methods",
    "minimize",
    "rate_range",
    "recommend",
    "tune",
    "tune_runs",
]
