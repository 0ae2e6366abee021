"""Adaptive rules as approximations: A(x) is what turns their mean of gradients into a step."""

from __future__ import annotations

from typing import Any

from hessx._xp import Array
from hessx.comparison._learners import Learner
from hessx.comparison._place import Place, Problem
from hessx.core import SettingsError, Wants
from hessx.rules import Chain, Rule, as_rules

__all__ = ["RuleLearner"]


class RuleLearner(Learner):
    """A rule that scales each entry: d = diag(A) m, and B = diag(1 / A), up to the rate.

    Parameters
    ----------
    name : str
        Of the approximation.
    rules : Rule or list of Rule
        A chain, of which one has a ``diagonal``, as `Adam`, `RMSProp`, `Adagrad`, `AdaHessian` and
        Sophia have.
    method : object
        Whose steps are its own.

    Raises
    ------
    SettingsError
        None has one.
    """

    chain: Chain

    def __init__(self, name: str, rules: Any, method: Any) -> None:
        self.name, self.method = name, method
        self.rules = as_rules(name, rules)
        if all(type(rule).diagonal is Rule.diagonal for rule in self.rules):
            kinds = ", ".join(type(rule).__name__ for rule in self.rules)
            msg = (
                f"{name} = {kinds} has no A(x): expected a rule with a diagonal, such as "
                "hessx.Adam(), hessx.RMSProp(), hessx.Adagrad() or hessx.AdaHessian(), or "
                "hessx.Preconditioned(...)"
            )
            raise SettingsError(msg)
        for rule in self.rules:
            self.wants |= rule.wants
        self.b: Array = None

    @property
    def live(self) -> Any:
        """The chain."""
        return self.chain

    def begin(self, problem: Problem) -> None:
        """Begin without a past."""
        self.chain = Chain.begin(self.rules, problem.space, problem.start)

    def arrive(self, place: Place) -> None:
        """Give the rules their lessons, and the gradient."""
        chain, t = self.chain, place.number + 1
        if chain.lesson_due(t):
            chain.learn(t, place.lesson)
        if Wants.PER_SAMPLE in self.wants:
            wants = Wants.VALUE | Wants.GRADIENT | Wants.PER_SAMPLE
            chain.learn_rows(t, place.ask(wants, sampled=True).per_sample)
        chain.direction(t, place.lesson_gradient(), place.x)
        self.b = 1.0 / chain.diagonal()  # type: ignore[operator]

    def _times(self, v: Array) -> Array:
        return v * self.b

    def _divided(self, v: Array) -> Array:
        return v / self.b

    @property
    def matvec(self) -> Any:
        """B v."""
        return self._times

    @property
    def solve(self) -> Any:
        """B^-1 v."""
        return self._divided
