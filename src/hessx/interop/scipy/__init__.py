"""SciPy's older functions for minimising, with its arguments and what they return."""

from hessx.interop.scipy._conjugate_gradients import fmin_cg, fmin_ncg
from hessx.interop.scipy._quasi_newton import fmin_bfgs, fmin_l_bfgs_b

__all__ = ["fmin_bfgs", "fmin_cg", "fmin_l_bfgs_b", "fmin_ncg"]
