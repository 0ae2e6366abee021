"""Rules one after the other: a composition at work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hessx._xp import Array, Numbers, Packet, Space, quiet, under
from hessx.core import Pair, SettingsError, check_part, saved
from hessx.rules._links import EntryLink, LeafLink, Link, Shapes, WholeLink
from hessx.rules._rule import Rule

__all__ = ["Chain", "as_rules"]


def as_rules(name: str, given: Any) -> tuple[Rule, ...]:
    """Take one rule or several as a tuple.

    Raises
    ------
    SettingsError
        No rule at all, or something else among them.
    """
    rules = (given,) if isinstance(given, Rule) else given
    if not isinstance(rules, list | tuple) or not rules:
        msg = f"{name} = {given!r}: expected a rule, such as Adam(), or a list of rules"
        raise SettingsError(msg)
    for i, rule in enumerate(rules):
        check_part(f"{name}[{i}]", rule, Rule, "a rule, such as Adam()")
        if rule.acts_on == "leaf" and (rule.measures or rule.every):
            verb = "measures" if rule.measures else "learns from the Hessian"
            msg = f"{name}[{i}] = {rule!r} acts on leaves and {verb}: expected one on entries"
            raise SettingsError(msg)
    return tuple(rules)


@saved
class Chain:
    """A chain of rules at work: each takes what the one before gives, the first the gradient.

        x+ = x - rate d,   d = rule_k(... rule_2(rule_1(g)))

    ``[ClipNorm(1.0), Adam(), Decay(0.01)]`` is AdamW of clipped gradients, ``[Decay(0.01),
    SGD(0.9)]`` momentum with decay inside.  Made by `Chain.begin`; saved with the run.

    Notes
    -----
    No fetch anywhere.  Neighbours that act on entries are joined with x - rate d into one pass.
    Arrays given are never written to.  d may be the gradient itself, or an array that the chain
    reads again: it is not to be written to.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import space_of
    >>> from hessx.rules import Adam, Chain, ClipNorm, Decay
    >>> x = np.array([3.0, -4.0])
    >>> chain = Chain.begin([ClipNorm(1.0), Adam(), Decay(0.1)], space_of(x), x)
    >>> for t in range(1, 201):
    ...     x = chain.step(t, x, x, rate=0.1)
    >>> bool(abs(x).max() < 0.1)
    True
    """

    __slots__ = ("links",)

    def __init__(self, links: list[Link]) -> None:
        self.links = links

    @classmethod
    def begin(
        cls,
        rules: Rule | Sequence[Rule],
        space: Space,
        x: Array,
        shapes: Shapes | None = None,
        steps: int | None = None,
        per_epoch: int | None = None,
    ) -> Chain:
        """Begin at x, a flat vector.

        Parameters
        ----------
        rules : Rule or sequence of Rule
            In order.
        space : Space
            Of x.
        x : array, shape (n,)
            The starting point.
        shapes : tuple of tuple of int, optional
            Of the leaves of x; those of ``space`` by default.
        steps, per_epoch : int, optional
            Those of the whole run and of an epoch, where they are known.

        Raises
        ------
        SettingsError
            No rules, or a leaf that a rule cannot take.
        """
        shapes = space.shapes if shapes is None else shapes
        links: list[Link] = []
        joined: list[Rule] = []
        for rule in as_rules("rules", rules):
            if joined and (rule.acts_on != "entries" or rule.measures):
                links.append(EntryLink(space, tuple(joined), x))
                joined = []
            if rule.acts_on == "entries":
                joined.append(rule)
            elif rule.acts_on == "leaf":
                links.append(LeafLink(space, rule, x, shapes))
            else:
                links.append(WholeLink(space, rule, x, steps, per_epoch))
        if joined:
            links.append(EntryLink(space, tuple(joined), x))
        return cls(links)

    def direction(self, t: int, g: Array, x: Array) -> Array:
        """Give d for step t = 1, 2, ...; the chain has then taken the step."""
        with quiet():
            for link in self.links:
                g = link.direction(t, g, x)
        return g

    def step(self, t: int, g: Array, x: Array, rate: Any, base: Array | None = None) -> Array:
        """Give x+ = base - rate d, a new vector.

        Parameters
        ----------
        t : int
            1, 2, ...
        g, x : array, shape (n,)
            Gradient and point.
        rate : float or 0-d array
            Of x's library and device, where it is an array.
        base : array, shape (n,), optional
            x by default.
        """
        with quiet():
            for link in self.links[:-1]:
                g = link.direction(t, g, x)
            return self.links[-1].step(t, g, x, rate, x if base is None else base)

    def learns(self) -> list[tuple[Any, int, bool]]:
        """Give what learns from the Hessian, with its ``every`` and ``fresh``."""
        return [found for link in self.links for found in link.learns()]

    def lesson_due(self, t: int, i: int = 0) -> str:
        """Say on what sample the i-th lesson before step t is due, after i of them.

        Returns
        -------
        str
            "same" as the gradient, "fresh", or "": there are no more.
        """
        lessons = self._lessons(t)
        if i >= len(lessons):
            return ""
        fresh = any(rule.fresh for link in lessons[i] for rule in link.due(t))
        return "fresh" if fresh else "same"

    def place(self, t: int, x: Array, i: int = 0) -> Array:
        """Give the point of that lesson: x, where the gradient is, unless a rule has its own."""
        own: Array = self._lessons(t)[i][0].about("place")
        return x if own is None else own

    def learn(self, t: int, hessian: Any, i: int = 0, *, again: bool = False) -> None:
        """Hand the Hessian of the i-th lesson to the rules whose turn it is before step t.

        With ``again``, after a load, to those alone that had not done with it.
        """
        with quiet():
            for links in self._lessons(t)[i : i + 1]:
                for link in links:
                    if not again or link.about("waits"):
                        link.learn(t, hessian)

    def waits(self, t: int, i: int = 0) -> bool:
        """Tell whether a rule has to be given the Hessian of that lesson once more."""
        return any(link.about("waits") for link in self._lessons(t)[i])

    def _lessons(self, t: int) -> list[list[Link]]:
        """Give the links of each lesson: those elsewhere have their own, those at x the last one.

        So the Hessian that a rule keeps for its turn is that of the last request.
        """
        due = [link for link in self.links if link.due(t)]
        here = [link for link in due if link.about("place") is None]
        lessons = [[link] for link in due if link.about("place") is not None]
        return [*lessons, here] if here else lessons

    def learn_rows(self, t: int, rows: Any) -> None:
        """Hand the gradients of the sample's rows to all rules that want them, before step t."""
        with quiet():
            for part in self._parts("learn_rows"):
                part.learn_rows(t, rows)

    @property
    def pair(self) -> tuple[Array, Array] | None:
        """The s and y that the last lesson has completed, or None."""
        return next((part.pair for part in self._parts("pair") if part.pair is not None), None)

    def measure_pair(self, pair: Pair, packet: Packet) -> None:
        """Ask for what the rules will need of a pair beyond s'y, y'y and s's."""
        for i, part in enumerate(self._parts("measure_pair")):
            part.measure_pair(pair, packet.under(f"{i} of rules: "))

    def learn_pair(self, pair: Pair, numbers: Numbers) -> str:
        """Hand a step and the change of a sampled gradient to all rules; what they say of it."""
        notes = []
        for i, part in enumerate(self._parts("measure_pair")):
            pair.numbers = under(numbers, f"{i} of rules: ")
            notes.append(part.learn_pair(pair))
        return "".join(notes)

    def inverse_hessian(self) -> Any:
        """Give the A of the first rule that has one, as an operator; else None."""
        return next((part.inverse_hessian() for part in self._parts("inverse_hessian")), None)

    def _parts(self, verb: str) -> list[Any]:
        parts = (getattr(link, "part", None) for link in self.links)
        return [part for part in parts if hasattr(part, verb)]

    def diagonal(self) -> Array | None:
        """Give A of the last step, where a rule's d is diag(A) times its mean of gradients."""
        with quiet():
            found = (link.diagonal() for link in self.links)
            return next((A for A in found if A is not None), None)

    def hold(self, packet: Packet) -> None:
        """Name the arrays that a lazy library has to compute with the packet."""
        for link in self.links:
            link.hold(packet)
