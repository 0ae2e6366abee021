"""Every way in which a run can end."""

from __future__ import annotations

import enum

from hessx.core._saved import saved

__all__ = ["Outcome"]


@saved
class Outcome(enum.Enum):
    """Why a run stopped; the message of the result has the numbers that triggered it.

    Examples
    --------
    >>> import hessx
    >>> result = hessx.minimize(lambda x: x @ x, [3.0, 4.0], jac=lambda x: 2 * x)
    >>> result.outcome is hessx.Outcome.CONVERGED_GRADIENT, result.status
    (True, 0)
    >>> hessx.Outcome.LIMIT_TIME.success, hessx.Outcome.LIMIT_TIME.status
    (False, 1)
    """

    RUNNING = "running"
    CONVERGED_GRADIENT = "converged: gradient"
    CONVERGED_STEP = "converged: step"
    CONVERGED_VALUE = "converged: value"
    CONVERGED_PRECISION = "converged: precision of f"
    COMPLETED = "completed"
    LIMIT_ITERATIONS = "limit: iterations"
    LIMIT_EVALUATIONS = "limit: evaluations"
    LIMIT_TIME = "limit: time"
    STOPPED_BY_USER = "stopped by the user"
    FAILED_NONFINITE = "failed: value or gradient not finite"
    FAILED_LINE_SEARCH = "failed: line search"
    FAILED_TRUST_REGION = "failed: trust region"
    STALLED_PRECISION = "stalled: the values of f no longer resolve a step"
    UNBOUNDED_BELOW = "unbounded below"

    @property
    def success(self) -> bool:
        """True where a stated tolerance holds at the returned point."""
        return self in _SUCCESS

    @property
    def status(self) -> int:
        """SciPy's integer: 0 success, 1 limit, 2 search, 3 non-finite, 4 unbounded, 99 user.

        A schedule that has come to its end is a limit.
        """
        return 0 if self.success else _STATUS[self]


_SUCCESS = frozenset(
    {
        Outcome.CONVERGED_GRADIENT,
        Outcome.CONVERGED_STEP,
        Outcome.CONVERGED_VALUE,
        Outcome.CONVERGED_PRECISION,
    }
)
_STATUS = {
    Outcome.RUNNING: -1,
    Outcome.COMPLETED: 1,
    Outcome.LIMIT_ITERATIONS: 1,
    Outcome.LIMIT_EVALUATIONS: 1,
    Outcome.LIMIT_TIME: 1,
    Outcome.STOPPED_BY_USER: 99,
    Outcome.FAILED_NONFINITE: 3,
    Outcome.FAILED_LINE_SEARCH: 2,
    Outcome.FAILED_TRUST_REGION: 2,
    Outcome.STALLED_PRECISION: 2,
    Outcome.UNBOUNDED_BELOW: 4,
}
