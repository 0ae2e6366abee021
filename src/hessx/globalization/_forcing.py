"""How exactly a Newton equation is solved: forcing terms."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx.core import SettingsError, saved, store_real

__all__ = [
    "EisenstatWalker",
    "Forcing",
    "ForcingRule",
    "ForcingState",
    "RatioForcing",
    "RootForcing",
]


class ForcingState:
    """A forcing sequence at work."""

    __slots__ = ()

    def term(self, norm: float) -> float:
        """Give eta: the residual is to fall below eta norm(g)."""
        raise NotImplementedError

    def after(self, ratio: float, *, newtonian: bool) -> None:
        """Learn how well the last model foretold its step."""


class ForcingRule:
    """Settings of a forcing sequence: the base of one's own."""

    __slots__ = ()

    def begin(self) -> ForcingState:
        """Start a run."""
        raise NotImplementedError


@saved
@dataclass(frozen=True, slots=True, kw_only=True)
class Forcing(ForcingRule):
    r"""eta = min(ceiling, max(floor, sqrt(norm(g) / norm(g0)))).

    The floor drops to ``last_floor`` once two steps in a row minimised their models inside the
    region and were foretold, ratio within 0.1 of 1: there Newton's method converges.

    Parameters
    ----------
    ceiling, floor, last_floor : float
        In (0, 1), last_floor <= floor <= ceiling.

    Raises
    ------
    SettingsError
        A setting out of range.

    References
    ----------
    Dembo, Eisenstat & Steihaug (1982), Inexact Newton methods, SIAM J. Numer. Anal. 19; Nocedal &
    Wright (2006), eq. (7.3).

    Examples
    --------
    >>> import hessx
    >>> forcing = hessx.Forcing().begin()
    >>> forcing.term(10.0), forcing.term(0.9), forcing.term(1e-4)
    (0.5, 0.3, 0.1)
    """

    ceiling: float = 0.5
    floor: float = 0.1
    last_floor: float = 1e-3

    def __post_init__(self) -> None:
        store_real(self, "ceiling", 0.0, 1.0)
        store_real(self, "floor", 0.0, self.ceiling, "[]")
        store_real(self, "last_floor", 0.0, self.floor, "[]")

    def begin(self) -> RootForcing:
        """Start a run."""
        return RootForcing(self)


@saved
@dataclass(slots=True)
class RootForcing(ForcingState):
    """`Forcing` at work: the first norm, and how many steps in a row were foretold."""

    rule: Forcing
    first: float = math.nan
    foretold: int = 0

    def term(self, norm: float) -> float:
        """Give eta."""
        if math.isnan(self.first):
            self.first = norm
        floor = self.rule.last_floor if self.foretold >= 2 else self.rule.floor
        return min(self.rule.ceiling, max(floor, math.sqrt(norm / self.first)))

    def after(self, ratio: float, *, newtonian: bool) -> None:
        """Count the steps that were foretold."""
        self.foretold = self.foretold + 1 if newtonian and abs(ratio - 1.0) <= 0.1 else 0


@saved
@dataclass(frozen=True, slots=True, kw_only=True)
class EisenstatWalker(ForcingRule):
    r"""eta_k = scale (norm(g_k) / norm(g_k-1))^power, not falling faster than itself.

    Eisenstat and Walker's second choice, with their safeguard: where
    scale eta_k-1^power > threshold, eta_k is at least that.

    Parameters
    ----------
    first, ceiling : float
        eta_0 and the largest eta, in (0, 1).
    scale, power : float
        In (0, 1] and (1, 2].
    threshold : float
        Of the safeguard, in (0, 1).

    Raises
    ------
    SettingsError
        A setting out of range.

    References
    ----------
    Eisenstat & Walker (1996), Choosing the forcing terms in an inexact Newton method, SIAM J. Sci.
    Comput. 17, eq. (2.6).

    Examples
    --------
    >>> import hessx
    >>> forcing = hessx.EisenstatWalker(scale=1.0, power=2.0).begin()
    >>> forcing.term(8.0), forcing.term(2.0), forcing.term(2.0)
    (0.3, 0.0625, 0.9)
    """

    first: float = 0.3
    ceiling: float = 0.9
    scale: float = 1.0
    power: float = (1.0 + math.sqrt(5.0)) / 2.0
    threshold: float = 0.1

    def __post_init__(self) -> None:
        store_real(self, "first", 0.0, 1.0)
        store_real(self, "ceiling", 0.0, 1.0)
        store_real(self, "scale", 0.0, 1.0, "[]")
        if self.power == 1.0:
            msg = "power = 1.0: expected a number in (1, 2]"
            raise SettingsError(msg)
        store_real(self, "power", 1.0, 2.0, "[]")
        store_real(self, "threshold", 0.0, 1.0)

    def begin(self) -> RatioForcing:
        """Start a run."""
        return RatioForcing(self, self.first)


@saved
@dataclass(slots=True)
class RatioForcing(ForcingState):
    """`EisenstatWalker` at work: the last norm and the last eta."""

    rule: EisenstatWalker
    eta: float
    last: float = math.nan

    def term(self, norm: float) -> float:
        """Give eta."""
        rule = self.rule
        if not math.isnan(self.last):
            guard = rule.scale * self.eta**rule.power
            eta = rule.scale * (norm / self.last) ** rule.power
            self.eta = min(rule.ceiling, max(eta, guard if guard > rule.threshold else 0.0))
        self.last = norm
        return self.eta
