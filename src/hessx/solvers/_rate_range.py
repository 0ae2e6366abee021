"""Which rates a method bears on a problem: the range test."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hessx.core import Outcome, SettingsError, check_flag, check_integer, check_real
from hessx.globalization import ExponentialDecay, Phases
from hessx.solvers._minimize import minimize
from hessx.solvers._options import plan
from hessx.solvers._reports import Report
from hessx.solvers._stochastic_method import StochasticMethod

__all__ = ["RateRange", "rate_range"]


@dataclass(slots=True)
class RateRange:
    """What a range test has seen, step by step, up to the first value that is not finite.

    Attributes
    ----------
    rates, values : list of float
        The rate of each step, and f there, on its sample where f is a finite sum; with ``maximize``
        -f.
    smoothed : list of float
        Exponential means of the values.
    outcome : Outcome
        Of the run: FAILED_NONFINITE where it met a value that is not finite.
    """

    rates: list[float]
    values: list[float]
    smoothed: list[float]
    outcome: Outcome

    @property
    def suggestion(self) -> float:
        """The rate at which the smoothed value falls fastest, by central differences in log(rate).

        nan where it never falls.
        """
        lowest = min(range(len(self.smoothed)), key=self.smoothed.__getitem__, default=0)
        falls = [
            (self.smoothed[i + 1] - self.smoothed[i - 1], self.rates[i]) for i in range(1, lowest)
        ]
        fall, rate = min(falls, default=(0.0, math.nan))
        return rate if fall < 0.0 else math.nan

    def plot(self) -> Any:
        """Draw value and smoothed value over the rate, on a logarithmic axis.

        Returns
        -------
        plotly.graph_objects.Figure
            What lies above the first value by more than the values have fallen is cut off.

        Raises
        ------
        ImportError
            plotly is not installed.
        """
        import plotly.graph_objects as go

        figure = go.Figure()
        figure.add_scatter(x=self.rates, y=self.values, name="value", mode="markers")
        figure.add_scatter(x=self.rates, y=self.smoothed, name="smoothed")
        if not math.isnan(self.suggestion):
            figure.add_vline(x=self.suggestion, line_dash="dot", annotation_text="steepest")
        if self.smoothed:
            first, lowest = self.smoothed[0], min(self.smoothed)
            room = (first - lowest) or abs(first)
            figure.update_yaxes(range=[lowest - 0.1 * room, first + room])
        return figure.update_layout(xaxis_title="rate", xaxis_type="log", yaxis_title="value")


def rate_range(
    fun: Any,
    x0: Any,
    method: Any = "sgd",
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    smoothing: float = 0.9,
    options: Mapping[str, Any] | None = None,
    maximize: bool = False,
    **given: Any,
) -> RateRange:
    r"""Let the rate grow from step to step, and see where f falls fastest and where it breaks out.

        rate_t = low (high / low)^((t - 1) / (steps - 1))

    Parameters
    ----------
    fun, x0
        As in `minimize`; a `FiniteSum` is asked on samples.
    method : str or StochasticMethod
        With rates that are given, such as "sgd" or "adam".
    low, high : float
        The first and the last rate, 0 < low < high.
    steps : int
        >= 3.
    smoothing : float
        Weight of the past in the exponential mean, in [0, 1); its mean age, smoothing / (1 -
        smoothing) steps, is by how much the curve lags behind.
    options : dict, optional
        Of the method, such as ``batch_size``.
    maximize : bool
        As in `minimize`.
    **given : object
        Further arguments of `minimize`.

    Returns
    -------
    RateRange
        Rates and values, a suggestion and a plot.

    Raises
    ------
    SettingsError
        A setting out of range, or a method without rates; other errors as in `minimize`.

    Notes
    -----
    Cost: ``steps`` + 1 evaluations of value and gradient of a sample, one fetch each, and of the
    whole one or two.

    References
    ----------
    Smith (2017), Cyclical learning rates for training neural networks, WACV, section 3.3, where the
    rate grows linearly.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> h = np.array([1.0, 4.0])  # steps at rates above 2 / 4 lead away
    >>> bowl = lambda x: (h @ x**2 / 2, h * x)
    >>> test = hessx.rate_range(bowl, [1.0, 1.0], jac=True, low=1e-3, high=1e3, steps=60)
    >>> 0.01 < test.suggestion < 0.5, max(test.values) > test.values[0]
    (True, True)
    """
    low = check_real("low", low, 0.0)
    high, steps = check_real("high", high, low), check_integer("steps", steps, 3)
    smoothing = check_real("smoothing", smoothing, 0.0, 1.0, "[)")
    sign = -1.0 if check_flag("maximize", maximize) else 1.0
    # what "auto" would be does not depend on n: a method without rates
    solver = plan(method, dict(options or {}), None, None, None, n=1).solver
    if not isinstance(solver, StochasticMethod):
        msg = (
            f"method = {method!r} finds its steps by itself: expected one with rates, such as "
            '"sgd", "adam" or a StochasticMethod'
        )
        raise SettingsError(msg)
    growth = ExponentialDecay(low, (high / low) ** (1.0 / (steps - 1)))
    rates = Phases((steps, growth), (1, low))  # the last record of a run is about the whole sum
    solver = replace(
        solver, rate=rates, steps=steps + 1, epochs=None, report=Report(every=1), early=None
    )
    result = minimize(
        fun, x0, method=solver, options={"gtol": 0.0}, history=True, maximize=maximize, **given
    )
    records = [record for record in result.history if 1 <= record.iteration <= steps]
    values = [sign * record.value for record in records]
    at = [growth.at(record.iteration) for record in records]
    return RateRange(at, values, _smoothed(values, smoothing), result.outcome)


def _smoothed(values: list[float], weight: float) -> list[float]:
    """Exponential means without the bias of their start, as Adam's."""
    mean, means = 0.0, []
    for t, value in enumerate(values, 1):
        mean = weight * mean + (1.0 - weight) * value
        means.append(mean / (1.0 - weight**t))
    return means
