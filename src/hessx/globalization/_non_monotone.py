"""Line searches that let f rise: sufficient decrease below an earlier value, or a mean of them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace

from hessx.core import SettingsError, check_part, saved, store_integer, store_real
from hessx.globalization._armijo import Armijo
from hessx.globalization._search import LiveRule, Ray, Search, StepRule

__all__ = ["NonMonotone", "NonMonotoneAverage", "ValueAverage", "ValueWindow"]


@dataclass(slots=True)
class _Past:
    """A line search at work, with the values that its reference is made of.

    Attributes
    ----------
    rule : LiveRule
        Which searches.
    """

    rule: LiveRule

    def search(self, ray: Ray) -> Search:
        """Start on a ray, with what sufficient decrease is measured from."""
        return self.rule.search(replace(ray, reference=self.reference(ray.value)))

    def after(self, ray: Ray, alpha: float, s_y: float, y_y: float) -> None:
        """Keep the value at the start of an accepted step."""
        self.keep(ray.value)
        self.rule.after(ray, alpha, s_y, y_y)

    @abstractmethod
    def reference(self, value: float) -> float:
        """Give r where f has this value."""

    @abstractmethod
    def keep(self, value: float) -> None:
        """Leave a point with this value."""


@saved
@dataclass(slots=True)
class ValueWindow(_Past):
    """`NonMonotone` at work.

    Attributes
    ----------
    memory : int
        Values that count, the present one among them.
    values : tuple of float
        Those at the points that were left, the oldest first.
    """

    memory: int
    values: tuple[float, ...] = ()

    def reference(self, value: float) -> float:
        """Give the largest value."""
        return max(value, *self.values) if self.values else value

    def keep(self, value: float) -> None:
        """Take one more, and let the oldest go."""
        values = (*self.values, value)
        self.values = values[max(0, len(values) - self.memory + 1) :]


@saved
@dataclass(slots=True)
class ValueAverage(_Past):
    """`NonMonotoneAverage` at work.

    Attributes
    ----------
    eta : float
        By how much the past counts.
    C, Q : float
        The mean of the values at the points that were left, and the sum of its weights.
    """

    eta: float
    C: float = 0.0
    Q: float = 0.0

    def reference(self, value: float) -> float:
        """Give C, which is no less than f but for rounding, or approximate Wolfe."""
        return max(value, self._with(value)[0])

    def keep(self, value: float) -> None:
        """Let the value count."""
        self.C, self.Q = self._with(value)

    def _with(self, value: float) -> tuple[float, float]:
        """C and Q with one more value."""
        weight = self.eta * self.Q
        Q = weight + 1.0
        return (weight * self.C + value) / Q, Q


@dataclass(frozen=True, slots=True)
class _NonMonotoneRule(StepRule):
    """What the two have in common: a line search whose reference they set."""

    rule: StepRule = field(default_factory=Armijo)

    def __post_init__(self) -> None:
        searches = "a line search: hessx.Armijo(), hessx.HagerZhang() or hessx.MoreThuente()"
        check_part("rule", self.rule, StepRule, searches)
        if isinstance(self.rule, _NonMonotoneRule) or not self.rule.needs_slope:
            msg = f"rule = {type(self.rule).__name__}(...): expected {searches}"
            raise SettingsError(msg)

    @property
    def needs_pair(self) -> bool:  # type: ignore[override]
        """Whether the line search reads s'y and y'y."""
        return self.rule.needs_pair

    @property
    def needs_identity(self) -> bool:
        """Whether the line search is meaningful for A = I only."""
        return self.rule.needs_identity


@saved
@dataclass(frozen=True, slots=True)
class NonMonotone(_NonMonotoneRule):
    r"""Search for a decrease below the largest of the last values (Grippo, Lampariello & Lucidi).

    Sufficient decrease is measured from

        r_k = max(f_k, f_{k-1}, ..., f_{k-memory+1})

    instead of f_k, f <= r_k + c1 alpha slope0: values may rise, so that steps of a good length are
    not cut short in curved valleys.  All else in the search keeps f_k: interpolation, and the
    approximate Wolfe conditions.  A run returns its lowest point, ``history.rises`` counts rises,
    and ftol does not hold while a lower value is known.

    Parameters
    ----------
    rule : StepRule
        `Armijo`, `HagerZhang`, `MoreThuente`, or one's own whose search measures decrease from
        ``ray.reference``.
    memory : int
        Values that count, >= 1, the present one among them: M + 1 of the reference.  With 1 it is
        ``rule`` itself.

    Raises
    ------
    SettingsError
        A setting out of range, or a rule that searches for no decrease.

    Notes
    -----
    Cost: that of ``rule``; a copy of the gradient where a step leaves the lowest point.  The values
    are saved with the run.

    References
    ----------
    Grippo, Lampariello & Lucidi (1986), A nonmonotone line search technique for Newton's method,
    SIAM J. Numer. Anal. 23.

    Examples
    --------
    >>> import hessx
    >>> steps = hessx.NonMonotone(hessx.Armijo(), memory=2).begin()
    >>> for value in (9.0, 5.0):
    ...     steps.after(hessx.Ray(value, -1.0, 1.0, 2.0**-52), 1.0, 0.0, 0.0)
    >>> search = steps.search(hessx.Ray(3.0, -1.0, 1.0, 2.0**-52))
    >>> search.reference
    5.0
    >>> search.advance(4.0, 1.0)  # higher than 3
    <Verdict.ACCEPTED: 'accepted'>
    """

    memory: int = 10

    def __post_init__(self) -> None:
        _NonMonotoneRule.__post_init__(self)
        store_integer(self, "memory", 1)

    def begin(self) -> ValueWindow:
        """Begin a run, without a past."""
        return ValueWindow(self.rule.begin(), self.memory)


@saved
@dataclass(frozen=True, slots=True)
class NonMonotoneAverage(_NonMonotoneRule):
    r"""Search for a decrease below a mean of the values so far (Zhang & Hager).

    Sufficient decrease is measured from C_k instead of f_k, f <= C_k + c1 alpha slope0, with

        Q_0 = 1,  C_0 = f_0
        Q_{k+1} = eta Q_k + 1,  C_{k+1} = (eta Q_k C_k + f_{k+1}) / Q_{k+1}

    All else is as with `NonMonotone`.

    Parameters
    ----------
    rule : StepRule
        As with `NonMonotone`.
    eta : float
        By how much the past counts, in [0, 1]: with 0 it is ``rule`` itself, with 1 C_k is the mean
        of all values.

    Raises
    ------
    SettingsError
        A setting out of range, or a rule that searches for no decrease.

    Notes
    -----
    Cost: that of `NonMonotone`.

    References
    ----------
    Zhang & Hager (2004), A nonmonotone line search technique and its application to unconstrained
    optimization, SIAM J. Optim. 14, the algorithm NLSA of section 1 with eta_k = eta.

    Examples
    --------
    >>> import hessx
    >>> steps = hessx.NonMonotoneAverage(eta=0.5).begin()
    >>> for value in (9.0, 3.0):
    ...     steps.after(hessx.Ray(value, -1.0, 1.0, 2.0**-52), 1.0, 0.0, 0.0)
    >>> steps.C, steps.Q  # (9 / 2 + 3) / (3 / 2)
    (5.0, 1.5)
    """

    eta: float = 0.85

    def __post_init__(self) -> None:
        _NonMonotoneRule.__post_init__(self)
        store_real(self, "eta", 0.0, 1.0, "[]")

    def begin(self) -> ValueAverage:
        """Begin a run, without a past."""
        return ValueAverage(self.rule.begin(), self.eta)
