"""Methods, the driver, and the front door."""

from hessx.solvers._driver import run
from hessx.solvers._line_search_method import LineSearchMethod
from hessx.solvers._line_search_state import LineSearchState
from hessx.solvers._methods import known_methods
from hessx.solvers._minimize import minimize
from hessx.solvers._observers import Observers

__all__ = [
    "LineSearchMethod",
    "LineSearchState",
    "Observers",
    "known_methods",
    "minimize",
    "run",
]
